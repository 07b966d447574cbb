/** Short names for the state of a hart. `h` is the address of the hart's block throughout the core. */
import {
  GLOBAL,
  G_CYCLES_PER_TICK,
  G_EXTENSIONS,
  G_PRIVILEGED,
  G_TIME_OFFSET,
  HART_BASE,
  HART_STRIDE,
  H_F,
  H_FFLAGS,
  H_FS,
  H_LIMIT,
  H_PRIVILEGE,
  H_RETIRED,
  H_STALL,
  H_X,
} from '../layout'

export const USER: u32 = 0
export const SUPERVISOR: u32 = 1
export const MACHINE: u32 = 3

/** "Never", as a cycle. */
export const NEVER: i64 = 0x3fff_ffff_ffff_ffff

@inline export function hartAddress(index: u32): usize {
  return HART_BASE + <usize>index * HART_STRIDE
}

@inline export function reg(h: usize, index: u32): u64 {
  return load<u64>(h + (index << 3), H_X)
}

@inline export function setReg(h: usize, index: u32, value: u64): void {
  store<u64>(h + (index << 3), value, H_X)
}

@inline export function floatReg(h: usize, index: u32): u64 {
  return load<u64>(h + (index << 3), H_F)
}

/** Writes a float register and marks the float state dirty. */
@inline export function setFloatReg(h: usize, index: u32, value: u64): void {
  store<u64>(h + (index << 3), value, H_F)
  store<u8>(h, 3, H_FS)
}

/** A single in a float register; anything not NaN-boxed reads as the canonical NaN (Unprivileged, 12.2). */
@inline export function singleReg(h: usize, index: u32): u32 {
  const bits = load<u64>(h + (index << 3), H_F)
  return bits >= 0xffff_ffff_0000_0000 ? <u32>bits : 0x7fc0_0000
}

@inline export function setSingleReg(h: usize, index: u32, bits: u32): void {
  setFloatReg(h, index, 0xffff_ffff_0000_0000 | <u64>bits)
}

@inline export function addFlags(h: usize, flags: u32): void {
  store<u32>(h, load<u32>(h, H_FFLAGS) | flags, H_FFLAGS)
  store<u8>(h, 3, H_FS)
}

@inline export function privilege(h: usize): u32 {
  return load<u32>(h, H_PRIVILEGE)
}

/** The hart's clock: one cycle per retired instruction, plus stalls and waiting. */
@inline export function clock(h: usize): i64 {
  return load<i64>(h, H_RETIRED) + load<i64>(h, H_STALL)
}

@inline export function addStall(h: usize, cycles: u32): void {
  store<i64>(h, load<i64>(h, H_STALL) + <i64>cycles, H_STALL)
}

/** A cost table entry. */
@inline export function cost(entry: usize): u32 {
  return load<u32>(GLOBAL + entry)
}

/** Makes the hart look up (interrupts, end of round) at its next check point. */
@inline export function attend(h: usize): void {
  store<i64>(h, 0, H_LIMIT)
}

/** The `time` counter at this hart's clock. */
export function timeNow(h: usize): u64 {
  return <u64>clock(h) / <u64>load<u32>(GLOBAL + G_CYCLES_PER_TICK) + load<u64>(GLOBAL + G_TIME_OFFSET)
}

@inline export function hasExtension(bit: u32): bool {
  return (load<u32>(GLOBAL + G_EXTENSIONS) & bit) != 0
}

/** True for a hart of the 1.9.1 privileged specification. */
@inline export function isPrivileged19(): bool {
  return load<u32>(GLOBAL + G_PRIVILEGED) == 9
}
