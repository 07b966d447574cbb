// Where the devices of `virt` are that the firmware drives. Anything in the firmware may read this.

export const CLINT: usize = 0x2000000
/** 4 bytes a hart: writing 1 raises its machine software interrupt. */
export const MSIP: usize = CLINT
/** 8 bytes a hart. */
export const MTIMECMP: usize = CLINT + 0x4000

export const UART: usize = 0x10000000
export const UART_DATA: usize = UART
export const UART_LINE_STATUS: usize = UART + 5
export const LINE_RECEIVED: u8 = 0x01
export const LINE_TRANSMITTER_EMPTY: u8 = 0x20

export const FINISHER: usize = 0x100000
export const FINISH_PASS: u32 = 0x5555
export const FINISH_FAIL: u32 = 0x3333
export const FINISH_RESET: u32 = 0x7777

/** Where the firmware's own memory begins; `firmwareEnd` says where it ends. */
export const FIRMWARE_BASE: u64 = 0x80000000
/** Where the next stage starts when nobody says otherwise. */
export const PAYLOAD: u64 = 0x80200000
