// Owns the time: read from the shared data page without a trap (ABI.md, "vDSO").
import { User, VdsoData } from '../kernel/abi'

/** Nanoseconds since the machine was started. */
export function nanosecondsNow(): u64 {
  return nanosecondsOf(cpu.time())
}

/** Ticks of the clock as nanoseconds. The factor is 32.32 fixed point; split, so that no product is wider than 64 bits. */
export function nanosecondsOf(ticks: u64): u64 {
  const factor = load<u64>(User.vdsoData, VdsoData.nanosecondsPerTick)
  return (ticks >> 32) * factor + (((ticks & 0xffff_ffff) * (factor & 0xffff_ffff)) >> 32) + (ticks & 0xffff_ffff) * (factor >> 32)
}

/** Nanoseconds since 1970. */
export function realtimeNow(): u64 {
  return nanosecondsNow() + load<u64>(User.vdsoData, VdsoData.realtimeBase)
}

/** Ticks of `time` each second. */
@inline export function ticksPerSecond(): u64 {
  return load<u64>(User.vdsoData, VdsoData.timebase)
}
