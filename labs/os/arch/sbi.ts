// Owns the calls to the firmware (SBI 1.0; chapter numbers are its). Anyone in the kernel may call.

const TIME: u64 = 0x54494d45
const IPI: u64 = 0x735049
const RFENCE: u64 = 0x52464e43
const HSM: u64 = 0x48534d
const RESET: u64 = 0x53525354

@inline function call(extension: u64, fn: u64, a: u64, b: u64 = 0, c: u64 = 0, d: u64 = 0): i64 {
  return cpu.ecall(extension, fn, a, b, c, d, 0, 0)
}

export function sbiSetTimer(ticks: u64): void {
  call(TIME, 0, ticks)
}

/** Interrupts the harts of a mask (chapter 7). */
export function sbiSendIpi(mask: u64): void {
  call(IPI, 0, mask, 0)
}

/** sfence.vma for all addresses on the harts of a mask (chapter 8). */
export function sbiRemoteFence(mask: u64): void {
  call(RFENCE, 1, mask, 0, 0, -1)
}

/** Starts a hart at a physical address with `opaque` in a1 (chapter 9). */
export function sbiStartHart(hart: u64, address: u64, opaque: u64): i64 {
  return call(HSM, 0, hart, address, opaque)
}

/** Whether a hart exists: its status is no error. */
export function sbiHartStatus(hart: u64): i64 {
  return call(HSM, 2, hart)
}

/** Turns the machine off; reason 1 tells of a failure (chapter 10). */
export function sbiShutdown(failed: bool): void {
  call(RESET, 0, 0, failed ? 1 : 0)
}

/** One character by the legacy console (chapter 5), for panics before there is a driver. */
export function sbiPutCharacter(character: u32): void {
  cpu.ecall(1, 0, character, 0, 0, 0, 0, 0)
}
