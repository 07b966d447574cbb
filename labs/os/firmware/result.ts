// What an SBI call gives (SBI 1.0, chapter 3): an error, and a value beside it. The value of the call that runs on a hart is kept
// by hart number, because two harts may be in the firmware at once.
import { MAX_HARTS } from './harts'

export const SUCCESS: i64 = 0
export const FAILED: i64 = -1
export const NOT_SUPPORTED: i64 = -2
export const INVALID_PARAMETER: i64 = -3
export const INVALID_ADDRESS: i64 = -5
export const ALREADY_AVAILABLE: i64 = -6

const values: usize = memory.data(64, 8)

/** Succeeds with a value. */
export function give(value: u64): i64 {
  store<u64>(values + (<u32>cpu.hartId() << 3), value)
  return SUCCESS
}

export function given(): u64 {
  return load<u64>(values + (<u32>cpu.hartId() << 3))
}

/** The harts that a mask and its base name (SBI 1.0, 3.1); a base of all ones means all. -1 when one of them does not exist. */
export function hartsOf(mask: u64, base: u64, all: u32): i64 {
  if (base == <u64>-1) return all
  if (mask == 0) return 0
  if (base >= MAX_HARTS) return -1
  if (base != 0 && mask >>> (64 - base) != 0) return -1
  const harts = mask << base
  return (harts & ~(<u64>all)) != 0 ? -1 : <i64>harts
}
