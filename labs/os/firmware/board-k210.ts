// The devices of a K210 that the firmware drives: where they are, and its serial port, which the boot ROM has set up. Stands in the
// place of board-virt.ts where the firmware is built for this board.

export const CLINT: usize = 0x2000000
/** 4 bytes a hart: writing 1 raises its machine software interrupt. */
export const MSIP: usize = CLINT
/** 8 bytes a hart. */
export const MTIMECMP: usize = CLINT + 0x4000
/** What rdtime would read. */
export const MTIME: usize = CLINT + 0xbff8

const UARTHS_TRANSMIT: usize = 0x38000000
const UARTHS_RECEIVE: usize = 0x38000004
const FULL_OR_EMPTY: u32 = 0x80000000

/** The chip cannot switch itself off: this register is the emulated board's alone. */
export const FINISHER: usize = 0x100000
export const FINISH_PASS: u32 = 0x5555
export const FINISH_FAIL: u32 = 0x3333
export const FINISH_RESET: u32 = 0x7777

/** Where the firmware's own memory begins; `firmwareEnd` says where it ends. */
export const FIRMWARE_BASE: u64 = 0x80000000
/** Where the next stage starts when nobody says otherwise. */
export const PAYLOAD: u64 = 0x80020000
/** Memory that page tables may lie in. */
export const MEMORY_BASE: u64 = 0x80000000
export const MEMORY_END: u64 = 0x80800000

/** Sends a character, once there is room for it. */
export function put(character: u8): void {
  while ((cpu.load32(UARTHS_TRANSMIT) & FULL_OR_EMPTY) != 0) {}
  cpu.store32(UARTHS_TRANSMIT, character)
}

/** The next character that was typed, or -1. */
export function take(): i32 {
  const received = cpu.load32(UARTHS_RECEIVE)
  return (received & FULL_OR_EMPTY) != 0 ? -1 : <i32>(received & 0xff)
}
