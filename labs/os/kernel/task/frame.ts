// Owns the layout of a thread's saved registers (arch/trap.S saves and restores them). Register n is at 8 * n, the program counter at 0.

export namespace UserFrame {
  export const pc: u32 = 0
  export const sp: u32 = 16
  export const gp: u32 = 24
  export const tp: u32 = 32
  /** a0 to a5 follow each other: the arguments of a system call. */
  export const a0: u32 = 80
  export const a1: u32 = 88
  export const a2: u32 = 96
  export const a7: u32 = 136
  export const status: u32 = 256
  export const cause: u32 = 264
  export const value: u32 = 272
  export const bytes: u32 = 560
}

@inline export function getRegister(frame: u32, offset: u32): u64 {
  return load<u64>(frame + offset)
}

@inline export function setRegister(frame: u32, offset: u32, value: u64): void {
  store<u64>(frame + offset, value)
}
