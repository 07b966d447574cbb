// Owns registered buffers: user memory whose frames are held, so that the IO core and devices may reach it without asking, also after
// the request that named it was cancelled.
import { FRAME, dropFrame } from '../mm/frames'
import { __release, create, destroy, tryAllocate } from '../mm/heap'
import { AddressSpace, pinRange, unpinRange } from '../mm/space'
import { RegisteredBuffer } from '../mm/user'
import { MOST_BUFFERS, Ring } from './ring'

/** Registers a range that the process may write; null when it may not, or memory is out. */
export function makeBuffer(space: AddressSpace, start: u32, bytes: u32): RegisteredBuffer | null {
  const count = (((start & (FRAME - 1)) + bytes + FRAME - 1) >> 12)
  const buffer = create<RegisteredBuffer>()
  const frames = tryAllocate(count * 4)
  if (buffer == null || frames == 0) {
    if (buffer != null) destroy(buffer)
    __release(frames)
    return null
  }
  space.lock.lock()
  const fine = pinRange(space, start, bytes, frames)
  space.lock.unlock()
  if (!fine) {
    destroy(buffer)
    __release(frames)
    return null
  }
  buffer.start = start
  buffer.bytes = bytes
  buffer.frames = <u32>frames
  buffer.space = space
  buffer.references = 1
  let contiguous = true
  for (let index: u32 = 1; index < count; index++)
    if (load<u32>(frames + index * 4) != load<u32>(frames) + index * FRAME) contiguous = false
  if (contiguous) buffer.base = load<u32>(frames) + (start & (FRAME - 1))
  return buffer
}

/** Gives a reference back; the last one lets the frames go. The space outlives its rings. */
export function dropBuffer(buffer: RegisteredBuffer): void {
  if (atomic.sub<u32>(changetype<usize>(buffer) + offsetof<RegisteredBuffer>('references'), 1) != 1) return
  buffer.space.lock.lock()
  unpinRange(buffer.space, buffer.start, buffer.bytes)
  buffer.space.lock.unlock()
  const count = (((buffer.start & (FRAME - 1)) + buffer.bytes + FRAME - 1) >> 12)
  for (let index: u32 = 0; index < count; index++) dropFrame(load<u32>(buffer.frames + index * 4))
  __release(buffer.frames)
  destroy(buffer)
}

/** The buffer of a number, with a reference; null when there is none. */
export function bufferOf(ring: Ring, number: u32): RegisteredBuffer | null {
  if (number >= MOST_BUFFERS || ring.buffers == 0) return null
  ring.lock.lock()
  const buffer = changetype<RegisteredBuffer | null>(<usize>load<u32>(ring.buffers + number * 4))
  if (buffer != null) atomic.add<u32>(changetype<usize>(buffer) + offsetof<RegisteredBuffer>('references'), 1)
  ring.lock.unlock()
  return buffer
}

/** Takes all buffers of a ring back. */
export function dropBuffers(ring: Ring): void {
  if (ring.buffers == 0) return
  for (let number: u32 = 0; number < MOST_BUFFERS; number++) {
    ring.lock.lock()
    const buffer = changetype<RegisteredBuffer | null>(<usize>load<u32>(ring.buffers + number * 4))
    store<u32>(ring.buffers + number * 4, 0)
    ring.lock.unlock()
    if (buffer != null) dropBuffer(buffer)
  }
}
