/** What the core asks of the board. Addresses are physical and below 4 GiB; sizes are 1, 2 or 4 bytes. */

/** An unsigned value, or -1 when nothing answers at that address. */
@external("board", "mmioRead")
export declare function mmioRead(hart: u32, address: u32, size: u32): f64

/** 0, or -1 when nothing answers at that address. */
@external("board", "mmioWrite")
export declare function mmioWrite(hart: u32, address: u32, size: u32, value: u32): i32

/** Runs every device timer that is due at G_NOW and sets G_NEXT_EVENT anew. */
@external("board", "runEvents")
export declare function runEvents(): void

/** The trace buffer is full: take G_TRACE_COUNT events and set it to 0. */
@external("board", "drainTrace")
export declare function drainTrace(): void

/** HTIF: the guest stored this to `tohost`. */
@external("board", "tohost")
export declare function tohost(low: u32, high: u32): void

/** One `uipi` operation on a receiver of the user-interrupt controller: 0 send, 1 read, 2 write, 3 activate, 4 deactivate. Returns what READ reads. */
@external("board", "userInterrupt")
export declare function userInterrupt(hart: u32, operation: u32, receiver: u32, value: u64): u64

/** Control came to a slot G_HOT times: the slot's address, and its pc (low, high). */
@external("board", "hot")
export declare function hot(hart: u32, slot: u32, pcLow: u32, pcHigh: u32): void

/** The region that begins at a slot refused to run. */
@external("board", "refused")
export declare function refused(hart: u32, slot: u32): void

/** Compiled halfwords of a predecoded page have changed: regions that contain one of them must not run again. */
@external("board", "codeChanged")
export declare function codeChanged(page: u32, first: i32, last: i32): void

/** All predecoded pages were forgotten, and with them what was compiled. */
@external("board", "codeForgotten")
export declare function codeForgotten(): void
