// Owns the two pages that every process has at 0x7F000000: shared code, and data that only the kernel writes (ABI.md, "vDSO").
import { User, VdsoData } from './abi'
import { FRAME, allocateFrame, holdFrame } from './mm/frames'
import { AddressSpace, AreaFlag, addArea, mapFrame } from './mm/space'
import { ticksPerSecond } from './hart'

const pages = memory.data(8, 8)

/** Takes the code page inside the kernel's image, and makes the data page. */
@init export function startVdso(code: u32, realtime: u64): void {
  const data = allocateFrame()
  if (data == 0) throw new Error('no memory for the data page of the vDSO')
  // A copy: the image's own page is none of the allocator's.
  const copy = allocateFrame()
  if (copy == 0) throw new Error('no memory for the code page of the vDSO')
  memory.copy(copy, code, FRAME)
  store<u32>(pages, copy)
  store<u32>(pages, data, 4)
  store<u32>(data, 1, VdsoData.version)
  store<u64>(data, ticksPerSecond, VdsoData.timebase)
  store<u64>(data, realtime, VdsoData.realtimeBase)
  store<u64>(data, (1000000000 << 32) / ticksPerSecond, VdsoData.nanosecondsPerTick)
}

export function realtimeBase(): u64 {
  return load<u64>(load<u32>(pages, 4), VdsoData.realtimeBase)
}

/** Gives a new address space the two pages; false when memory is out. */
export function mapVdso(space: AddressSpace): bool {
  const code = load<u32>(pages)
  const data = load<u32>(pages, 4)
  if (!addArea(space, User.vdsoCode, User.vdsoData, AreaFlag.read | AreaFlag.execute | AreaFlag.fixed)) return false
  if (!addArea(space, User.vdsoData, User.end, AreaFlag.read | AreaFlag.fixed)) return false
  if (!mapFrame(space, User.vdsoCode, code, AreaFlag.read | AreaFlag.execute)) return false
  holdFrame(code)
  if (!mapFrame(space, User.vdsoData, data, AreaFlag.read)) return false
  holdFrame(data)
  space.frames += 2
  return true
}
