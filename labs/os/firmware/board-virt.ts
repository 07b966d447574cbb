// The devices of `virt` that the firmware drives: where they are, and its serial port. Anything in the firmware may read this.
// board-k210.ts stands in its place where the firmware is built for a K210 (main/build-firmware.ts).

export const CLINT: usize = 0x2000000
/** 4 bytes a hart: writing 1 raises its machine software interrupt. */
export const MSIP: usize = CLINT
/** 8 bytes a hart. */
export const MTIMECMP: usize = CLINT + 0x4000

const UART_DATA: usize = 0x10000000
const UART_LINE_STATUS: usize = UART_DATA + 5
const LINE_RECEIVED: u8 = 0x01
const LINE_TRANSMITTER_EMPTY: u8 = 0x20

export const FINISHER: usize = 0x100000
export const FINISH_PASS: u32 = 0x5555
export const FINISH_FAIL: u32 = 0x3333
export const FINISH_RESET: u32 = 0x7777

/** Where the firmware's own memory begins; `firmwareEnd` says where it ends. */
export const FIRMWARE_BASE: u64 = 0x80000000
/** Where the next stage starts when nobody says otherwise. */
export const PAYLOAD: u64 = 0x80200000

/** Sends a character, once there is room for it. */
export function put(character: u8): void {
  while ((cpu.load8(UART_LINE_STATUS) & LINE_TRANSMITTER_EMPTY) == 0) {}
  cpu.store8(UART_DATA, character)
}

/** The next character that was typed, or -1. */
export function take(): i32 {
  return (cpu.load8(UART_LINE_STATUS) & LINE_RECEIVED) != 0 ? <i32>cpu.load8(UART_DATA) : -1
}
