// What depends on the version of the privileged specification, for harts of 1.12: what S-mode may do, and fences. privileged-1.9.ts
// stands in its place where the firmware is built for a K210.
import { FIRMWARE_BASE } from './board-virt'
import { MCOUNTEREN, PMPADDR0, PMPADDR1, PMPADDR2, PMPCFG0, SATP } from './csr'

@external('env', 'firmwareEnd') declare function firmwareEnd(): u64
// Addresses of S-mode have 64 bits, pointers of this program 32.
@external('env', 'fencePage') declare function fencePageHere(address: u64): void
@external('env', 'fencePageOf') declare function fencePageOfHere(address: u64, space: u64): void
@external('env', 'fenceAllOf') declare function fenceAllOfHere(space: u64): void

// Every exception but the calls of S and M: S-mode handles its own.
export const DELEGATED_EXCEPTIONS: u64 = 0xb1ff
// Entry 0: off, its address is where entry 1 begins. Entry 1: up to its address, no access. Entry 2: all of memory, all access.
const PROTECTION: u64 = 0x1f0800

/** Gives S-mode its counters, and its memory: all but the firmware's. */
export function openToSupervisor(): void {
  cpu.csrWrite(MCOUNTEREN, <u64>-1)
  cpu.csrWrite(PMPADDR0, FIRMWARE_BASE >>> 2)
  cpu.csrWrite(PMPADDR1, firmwareEnd() >>> 2)
  cpu.csrWrite(PMPADDR2, <u64>-1)
  cpu.csrWrite(PMPCFG0, PROTECTION)
  cpu.sfenceAll()
}

/** S-mode begins with physical addresses. */
export function translateNothing(): void {
  cpu.csrWrite(SATP, 0)
}

export function fenceAll(): void {
  cpu.sfenceAll()
}

export function fencePage(address: u64): void {
  fencePageHere(address)
}

export function fencePageOf(address: u64, space: u64): void {
  fencePageOfHere(address, space)
}

export function fenceAllOf(space: u64): void {
  fenceAllOfHere(space)
}

/** Serves a trap that hides a lack of the hart; there is nothing to hide. */
export function hide(frame: usize, cause: u64): bool {
  return false
}
