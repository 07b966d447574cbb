// Owns moving bytes between the kernel and a process, so that no pointer from outside can hurt: ranges are checked, faults are told.
// On the process' own hart through its page table; on the IO core by walking it in software, by remembered translations, by
// switching to it, or through registered buffers. Everything that takes a user address takes it here.
import { Access, User } from '../abi'
import { thisHart } from '../hart'
import { Activity } from '../task/task'
import { FRAME } from './frames'
import { __release, tryAllocate } from './heap'
import { AddressSpace, AreaFlag, touch, useSpace } from './space'

/** Beside abi's Access: the thread's own hart. */
export const DIRECT: u8 = 255

@external('env', 'user_copy') declare function userCopy(to: u64, from: u64, bytes: u64): u64

/** A registered buffer: frames by page. Contiguous ones are reached by one addition. */
@unmanaged export class RegisteredBuffer {
  start: u32
  bytes: u32
  /** Kernel pointer of the first byte when the frames follow each other, else 0. */
  base: u32
  /** Kernel pointers of the frames. */
  frames: u32
  space: AddressSpace
  references: u32
  retired: u32
}

@inline function inUserHalf(address: u64, bytes: u32): bool {
  return address >= <u64>FRAME && address < <u64>User.end && address + bytes <= <u64>User.end
}

/** Copies into the kernel; false when the process may not read there. */
export function copyIn(activity: Activity, to: usize, address: u64, bytes: u32): bool {
  return move(activity, <u32>to, address, bytes, false)
}

/** Copies out of the kernel; false when the process may not write there. */
export function copyOut(activity: Activity, address: u64, from: usize, bytes: u32): bool {
  return move(activity, <u32>from, address, bytes, true)
}

function move(activity: Activity, kernel: u32, address: u64, bytes: u32, out: bool): bool {
  if (bytes == 0) return true
  if (activity.buffer != 0) return moveRegistered(changetype<RegisteredBuffer>(activity.buffer), kernel, address, bytes, out)
  if (activity.space == 0) {
    copyKernel(<u32>address, kernel, bytes, out)
    return true
  }
  if (!inUserHalf(address, bytes)) return false
  const space = changetype<AddressSpace>(activity.space)
  if (activity.access == DIRECT || activity.access == <u8>Access.switchTables) {
    useSpace(thisHart(), space)
    if (copyGuarded(kernel, <u32>address, bytes, out)) return true
    // Perhaps pages that nobody has touched yet.
    if (!fillIn(space, <u32>address, bytes, out)) return false
    return copyGuarded(kernel, <u32>address, bytes, out)
  }
  return moveTranslated(activity, space, kernel, <u32>address, bytes, out)
}

@inline function signed(pointer: u32): u64 {
  return <u64>(<i64>(<i32>pointer))
}

@inline function copyGuarded(kernel: u32, address: u32, bytes: u32, out: bool): bool {
  return (out ? userCopy(address, signed(kernel), bytes) : userCopy(signed(kernel), address, bytes)) == 0
}

@inline function copyKernel(address: u32, kernel: u32, bytes: u32, out: bool): void {
  if (out) userCopy(signed(address), signed(kernel), bytes)
  else userCopy(signed(kernel), signed(address), bytes)
}

function fillIn(space: AddressSpace, address: u32, bytes: u32, out: bool): bool {
  space.lock.lock()
  let fine = true
  for (let at = address & ~(FRAME - 1); at < address + bytes && fine; at += FRAME)
    fine = touch(space, at, out ? AreaFlag.write : AreaFlag.read) != 0
  space.lock.unlock()
  if (fine) cpu.sfenceAll()
  return fine
}

/** Page by page: the lock keeps the frames in place while bytes move. */
function moveTranslated(activity: Activity, space: AddressSpace, kernel: u32, address: u32, bytes: u32, out: bool): bool {
  const remember = activity.access == <u8>Access.cached
  const need = out ? AreaFlag.write : AreaFlag.read
  space.lock.lock()
  while (bytes != 0) {
    const inPage = address & (FRAME - 1)
    const part = min(bytes, FRAME - inPage)
    const page = (address - inPage) | need
    let frame: u32 = 0
    if (remember && activity.cachedPage == page && activity.cachedGeneration == space.generation) frame = activity.cachedFrame
    else {
      frame = touch(space, address - inPage, need)
      if (frame == 0) {
        space.lock.unlock()
        return false
      }
      if (remember) {
        activity.cachedPage = page
        activity.cachedFrame = frame
        activity.cachedGeneration = space.generation
      }
    }
    copyKernel(frame + inPage, kernel, part, out)
    address += part
    kernel += part
    bytes -= part
  }
  space.lock.unlock()
  return true
}

/** The address is an offset in the buffer. Its frames are held, so nothing needs a lock. */
function moveRegistered(buffer: RegisteredBuffer, kernel: u32, offset: u64, bytes: u32, out: bool): bool {
  if (offset > buffer.bytes || bytes > (buffer.bytes - <u32>offset)) return false
  if (buffer.base != 0) {
    copyKernel(buffer.base + <u32>offset, kernel, bytes, out)
    return true
  }
  let at = (buffer.start & (FRAME - 1)) + <u32>offset
  while (bytes != 0) {
    const inPage = at & (FRAME - 1)
    const part = min(bytes, FRAME - inPage)
    copyKernel(load<u32>(buffer.frames + (at >> 12) * 4) + inPage, kernel, part, out)
    at += part
    kernel += part
    bytes -= part
  }
  return true
}

/** Clears user memory. */
export function clearOut(activity: Activity, address: u64, bytes: u32): bool {
  const zeros = tryAllocate(256)
  if (zeros == 0) return false
  memory.fill(zeros, 0, 256)
  let fine = true
  while (bytes != 0 && fine) {
    const part = min(bytes, <u32>256)
    fine = copyOut(activity, address, zeros, part)
    address += part
    bytes -= part
  }
  __release(zeros)
  return fine
}

export const MOST_PATH: u32 = 1023

/**
 * A text that ends in zero, as a fresh kernel copy; -errno when it is too long or not readable. The caller releases it.
 */
export function copyText(activity: Activity, address: u64, most: u32): i64 {
  const text = tryAllocate(most + 1)
  if (text == 0) return -12
  let count: u32 = 0
  while (count <= most) {
    // Up to the end of the page, which is all that may be there.
    const part = min<u32>(64 - (<u32>(address + count) & 63), most + 1 - count)
    if (!copyIn(activity, text + count, address + count, part)) {
      __release(text)
      return -14
    }
    for (let index: u32 = 0; index < part; index++)
      if (load<u8>(text + count + index) == 0) return <i64>text
    count += part
  }
  __release(text)
  return -36
}
