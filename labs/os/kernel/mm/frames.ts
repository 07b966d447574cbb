// Owns physical memory: a buddy allocator of 4 KiB frames in blocks of 2^order, up to 2 MiB, and a reference count per frame.
// Called by the heap, address spaces, drivers. Addresses here are kernel pointers; the physical address is the same 32 bits.
import { SpinLock } from '../sync/spin'

export const FRAME: u32 = 4096
/** 2 MiB: what one big page maps. */
export const MOST_ORDER: u32 = 9

const FREE: u8 = 0x80

/** One per frame: references u16, order of the block it heads u8 (FREE set while free), what the heap notes u8. */
@readOnly let table: usize = 0
@readOnly let base: u32 = 0
@readOnly let limit: u32 = 0
/** Circular lists of free blocks by order: next and previous u32 in each block's first bytes. */
const LISTS = memory.data(10 * 8, 64)
const frameLock = changetype<SpinLock>(memory.data(64, 64))
@guardedBy(frameLock) let freeFrames: u32 = 0

@inline function entry(frame: u32): usize {
  return table + ((frame - base) >> 10)
}

function listOf(order: u32): u32 {
  return <u32>LISTS + order * 8
}

/** Takes over the memory from `from` to `to`, less what its own table needs. Ranges in use are kept out by reserve. */
@init export function startFrames(from: u32, to: u32, tableAt: u32): u32 {
  base = from & ~(FRAME - 1)
  limit = to & ~(FRAME - 1)
  table = tableAt
  const bytes = ((limit - base) >> 12) * 4
  memory.fill(table, 0, bytes)
  for (let order: u32 = 0; order <= MOST_ORDER; order++) {
    store<u32>(listOf(order), listOf(order))
    store<u32>(listOf(order), listOf(order), 4)
  }
  return (tableAt + bytes + FRAME - 1) & ~(FRAME - 1)
}

/** Gives the frames of a range to the allocator. */
export function addFrames(from: u32, to: u32): void {
  frameLock.lock()
  for (let frame = (from + FRAME - 1) & ~(FRAME - 1); frame + FRAME <= to; frame += FRAME) release(frame, 0)
  frameLock.unlock()
}

@holds(frameLock) function link(frame: u32, order: u32): void {
  const list = listOf(order)
  const next = load<u32>(list)
  store<u32>(frame, next)
  store<u32>(frame, list, 4)
  store<u32>(next, frame, 4)
  store<u32>(list, frame)
  store<u8>(entry(frame), <u8>order | FREE, 2)
}

function unlink(frame: u32): void {
  const next = load<u32>(frame)
  const previous = load<u32>(frame, 4)
  store<u32>(previous, next)
  store<u32>(next, previous, 4)
  store<u8>(entry(frame), 0, 2)
}

@holds(frameLock) function release(frame: u32, order: u32): void {
  freeFrames += 1 << order
  while (order < MOST_ORDER) {
    const buddy = frame ^ (FRAME << order)
    if (buddy < base || buddy + (FRAME << order) > limit || load<u8>(entry(buddy), 2) != (<u8>order | FREE)) break
    unlink(buddy)
    if (buddy < frame) frame = buddy
    order++
  }
  link(frame, order)
}

/** Frames that only what the kernel cannot do without may use: the tasks of requests that have begun. */
export const RESERVE: u32 = 64

/**
 * A block of 2^order frames with one reference each, aligned to its size; 0 when there is none. Not cleared. Some frames are
 * always left but for those who say that none need be.
 */
export function allocateFramesLeaving(order: u32, leave: u32): u32 {
  if (order > MOST_ORDER) return 0
  frameLock.lock()
  if (freeFrames < leave + (1 << order)) {
    frameLock.unlock()
    return 0
  }
  let have = order
  while (have <= MOST_ORDER && load<u32>(listOf(have)) == listOf(have)) have++
  if (have > MOST_ORDER) {
    frameLock.unlock()
    return 0
  }
  const frame = load<u32>(listOf(have))
  unlink(frame)
  while (have > order) {
    have--
    link(frame + (FRAME << have), have)
  }
  freeFrames -= 1 << order
  for (let index: u32 = 0; index < <u32>1 << order; index++) store<u16>(entry(frame + index * FRAME), 1)
  frameLock.unlock()
  return frame
}

export function allocateFrames(order: u32): u32 {
  return allocateFramesLeaving(order, RESERVE)
}

/** One cleared frame, or 0. */
export function allocateFrame(): u32 {
  const frame = allocateFrames(0)
  if (frame != 0) memory.fill(frame, 0, FRAME)
  return frame
}

/** Takes one more reference to a frame. */
export function holdFrame(frame: u32): void {
  frameLock.lock()
  store<u16>(entry(frame), load<u16>(entry(frame)) + 1)
  frameLock.unlock()
}

/** Gives one reference back; the last one frees the frame. */
export function dropFrame(frame: u32): void {
  frameLock.lock()
  const count = load<u16>(entry(frame)) - 1
  store<u16>(entry(frame), count)
  if (count == 0) release(frame, 0)
  frameLock.unlock()
}

export function frameReferences(frame: u32): u32 {
  return load<u16>(entry(frame))
}

/** Gives a block back whose frames have one reference each. */
export function freeFramesOf(frame: u32, order: u32): void {
  frameLock.lock()
  for (let index: u32 = 0; index < <u32>1 << order; index++) store<u16>(entry(frame + index * FRAME), 0)
  release(frame, order)
  frameLock.unlock()
}

/** A byte per frame that whoever owns it may use (the heap keeps the order of large blocks there). */
@inline export function noteOf(frame: u32): usize {
  return entry(frame) + 3
}

export function countFreeFrames(): u32 {
  frameLock.lock()
  const count = freeFrames
  frameLock.unlock()
  return count
}

export function countFrames(): u32 {
  return (limit - base) >> 12
}

/** The smallest order whose block holds that many bytes. */
export function orderOf(bytes: u32): u32 {
  let order: u32 = 0
  while (FRAME << order < bytes && order < 31) order++
  return order
}
