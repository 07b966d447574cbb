// Owns the kernel heap: small objects in frames of one size class, large ones in blocks of frames, coroutine frames by way of a
// list per hart. The toolchain's hooks end here. Anyone may call; every object is given back by release.
import { Hart, MOST_HARTS, hartAt, thisHart } from '../hart'
import { SpinLock } from '../sync/spin'
import { FRAME, RESERVE, allocateFramesLeaving, dropFrame, freeFramesOf, noteOf, orderOf } from './frames'

// A frame of small objects begins with: next u32, previous u32 (frames of the class that have room), class u16, free count u16,
// free list u32; objects follow from byte 16 (for sizes that divide 4096 - 16 less well, up to the end).
const HEADER: u32 = 16
const CLASSES: u32 = 14
/** Bytes of objects by class, and where a size's class stands: index (bytes + 15) / 16. */
const SIZES = memory.data<u16>([16, 32, 48, 64, 96, 128, 160, 192, 256, 320, 448, 672, 1008, 2032])
const CLASS_OF = memory.data(128, 8)
const PARTIAL = memory.data(14 * 4, 64)
const heapLock = changetype<SpinLock>(memory.data(64, 64))
@guardedBy(heapLock) let objects: u32 = 0

@inline function sizeOf(kind: u32): u32 {
  return load<u16>(SIZES + kind * 2)
}

@init export function startHeap(): void {
  let kind: u32 = 0
  for (let index: u32 = 0; index < 128; index++) {
    while (kind < CLASSES && sizeOf(kind) < index * 16) kind++
    store<u8>(CLASS_OF + index, <u8>kind)
  }
}

/** Memory for the kernel, not cleared; 0 when there is none left but what must stay. */
export function tryAllocate(bytes: usize): usize {
  return allocateLeaving(bytes, RESERVE)
}

function allocateLeaving(bytes: usize, leave: u32): usize {
  if (bytes > 2032) {
    const order = orderOf(<u32>bytes)
    const block = allocateFramesLeaving(order, leave)
    if (block == 0) return 0
    store<u8>(noteOf(block), <u8>order)
    return block
  }
  const kind: u32 = load<u8>(CLASS_OF + ((<u32>bytes + 15) >> 4))
  heapLock.lock()
  const list = PARTIAL + kind * 4
  let frame = load<u32>(list)
  if (frame == 0) {
    heapLock.unlock()
    frame = allocateFramesLeaving(0, leave)
    if (frame == 0) return 0
    const size = sizeOf(kind)
    const count = (FRAME - HEADER) / size
    let free: u32 = 0
    for (let at = frame + HEADER + (count - 1) * size; at >= frame + HEADER; at -= size) {
      store<u32>(at, free)
      free = at
    }
    store<u16>(frame, <u16>kind, 8)
    store<u16>(frame, <u16>count, 10)
    store<u32>(frame, free, 12)
    heapLock.lock()
    linkFrame(frame, list)
  }
  const object = load<u32>(frame, 12)
  const left = load<u16>(frame, 10) - 1
  store<u32>(frame, load<u32>(object), 12)
  store<u16>(frame, left, 10)
  if (left == 0) unlinkFrame(frame, list)
  objects++
  heapLock.unlock()
  return object
}

function linkFrame(frame: u32, list: usize): void {
  const next = load<u32>(list)
  store<u32>(frame, next)
  store<u32>(frame, 0, 4)
  if (next) store<u32>(next, frame, 4)
  store<u32>(list, frame)
}

function unlinkFrame(frame: u32, list: usize): void {
  const next = load<u32>(frame)
  const previous = load<u32>(frame, 4)
  if (previous) store<u32>(previous, next)
  else store<u32>(list, next)
  if (next) store<u32>(next, previous, 4)
}

/** Gives memory back. */
export function __release(object: usize): void {
  if (object == 0) return
  if ((object & (FRAME - 1)) == 0) {
    freeFramesOf(<u32>object, load<u8>(noteOf(<u32>object)))
    return
  }
  const frame = <u32>object & ~(FRAME - 1)
  const kind: u32 = load<u16>(frame, 8)
  const list = PARTIAL + kind * 4
  heapLock.lock()
  store<u32>(object, load<u32>(frame, 12))
  store<u32>(frame, <u32>object, 12)
  const left = load<u16>(frame, 10) + 1
  store<u16>(frame, left, 10)
  objects--
  let empty = false
  if (left == 1) linkFrame(frame, list)
  else if (left == (FRAME - HEADER) / sizeOf(kind) && (load<u32>(frame) != 0 || load<u32>(frame, 4) != 0)) {
    // Whole again, and the class has others: back to the frames.
    unlinkFrame(frame, list)
    empty = true
  }
  heapLock.unlock()
  if (empty) dropFrame(frame)
}

/** Memory that the kernel cannot do without: panics when there is none. User-driven paths use tryAllocate or create. */
export function __allocate(bytes: usize): usize {
  const object = allocateLeaving(bytes, 0)
  if (object == 0) throw new Error('the kernel is out of memory')
  return object
}

/** A cleared object of an unmanaged class; null when memory is out. */
@inline export function create<T>(): T | null {
  return changetype<T | null>(tryCleared(offsetof<T>()))
}

export function tryCleared(bytes: usize): usize {
  const object = tryAllocate(bytes)
  if (object != 0) memory.fill(object, 0, bytes)
  return object
}

@inline export function destroy<T>(object: T): void {
  __release(changetype<usize>(object))
}

/** Objects in use, for the tests that count leaks, without the coroutine frames that harts keep at hand. */
export function countObjects(): u32 {
  heapLock.lock()
  let count = objects
  heapLock.unlock()
  for (let number: u32 = 0; number < MOST_HARTS; number++) count -= hartAt(number).frameCount
  return count
}

// Coroutine frames: classes of 64 bytes up to 512 come from the hart's own list; the byte before nothing else is needed,
// because reserved u16 of the control block (offset 42) holds the class.
const OWN_CLASSES: u32 = 8
/** Frames that a hart keeps at hand at most. */
const MOST_KEPT: u32 = 128

/** The toolchain's hook: a control block and its slots. The new task inherits what its creator has. */
export function __coroutine_allocate(bytes: usize): usize {
  const hart = thisHart()
  const kind = (<u32>bytes - 1) >> 6
  let task: usize = 0
  if (kind < OWN_CLASSES) {
    const list = changetype<usize>(hart) + offsetof<Hart>('frames0') + kind * 4
    task = load<u32>(list)
    if (task != 0) {
      store<u32>(list, load<u32>(task))
      hart.frameCount--
    } else task = __allocate((kind + 1) << 6)
  } else task = __allocate(bytes)
  store<u64>(task, <u64>hart.priority << 40)
  store<u64>(task, hart.activity, 8)
  store<u64>(task, hart.request, 16)
  store<u64>(task, 0, 24)
  store<u64>(task, 0, 32)
  store<u64>(task, hart.number | (kind << 16), 40)
  return task
}

/** The toolchain's hook. */
export function __coroutine_free(task: usize): void {
  const kind: u32 = load<u16>(task, 42)
  const hart = thisHart()
  if (kind < OWN_CLASSES && hart.frameCount < MOST_KEPT) {
    hart.frameCount++
    const list = changetype<usize>(hart) + offsetof<Hart>('frames0') + kind * 4
    store<u32>(task, load<u32>(list))
    store<u32>(list, <u32>task)
  } else __release(task)
}
