/** Status, interrupt views and counters behind the CSRs, and the answer "there is no such register". */
import {
  EXT_N,
  EXT_SSTC,
  H_CYCLE_OFFSET,
  H_FS,
  H_INSTRET_OFFSET,
  H_MCOUNTEREN,
  H_MCOUNTINHIBIT,
  H_MIDELEG,
  H_MSCOUNTEREN,
  H_MSTATUS,
  H_MUCOUNTEREN,
  H_RETIRED,
  H_SCOUNTEREN,
  H_SIDELEG,
} from '../layout'
import { MACHINE, SUPERVISOR, USER, clock, hasExtension, isPrivileged19, privilege } from './state'
import { sstcActive } from './timers'
import { flush, flushFetches, updateContext } from './tlb'
import { MIE, MPIE, MPP, MPRV, MXR, SIE, SPIE, SPP, SUM, TSR, TVM, TW, UIE, UPIE } from './trap'

const FS: u64 = 3 << 13

/** UXL and SXL: 64 bits, read-only. */
const XLENS: u64 = (<u64>2 << 32) | (<u64>2 << 34)

/** mstatus.VM of privileged 1.9.1. */
const VM: u64 = 31 << 24

export const SSTATUS_VISIBLE: u64 = SIE | SPIE | SPP | FS | SUM | MXR | (<u64>3 << 32) | (<u64>1 << 63)

export const SUPERVISOR_INTERRUPTS: u64 = 0x222

export const MACHINE_INTERRUPTS: u64 = 0x888

export const USER_INTERRUPTS: u64 = 0x111

export const DELEGABLE_EXCEPTIONS: u64 = 0xb3ff

/** Set by `readCsr` and `writeCsr` when the register does not exist or may not be accessed. */
export let illegal: bool = false

/** There is no such register, or not for this privilege. */
export function refuse(): u64 {
  illegal = true
  return 0
}

@inline export function userInterrupts(): u64 {
  return hasExtension(EXT_N) ? USER_INTERRUPTS : 0
}

export function readStatus(h: usize): u64 {
  const fs = <u64>load<u8>(h, H_FS)
  return load<u64>(h, H_MSTATUS) | (fs << 13) | (fs == 3 ? <u64>1 << 63 : 0) | (isPrivileged19() ? 0 : XLENS)
}

export function writeStatus(h: usize, value: u64, writable: u64): void {
  let mask = writable & ~(FS | (<u64>1 << 63) | XLENS | (<u64>3 << 32) | (<u64>3 << 34))
  // MPP = 2 names no privilege: keep what was there.
  if (((value >>> 11) & 3) == 2) mask &= ~MPP
  if (isPrivileged19()) {
    // VM is either Mbare or Sv39 (Privileged 1.9.1, 3.1.8); other values change nothing.
    const mode = (value & VM) >>> 24
    if (mode != 0 && mode != 9) mask &= ~VM
  }
  const old = load<u64>(h, H_MSTATUS)
  const status = (old & ~mask) | (value & mask)
  store<u64>(h, status, H_MSTATUS)
  if (writable & FS) store<u8>(h, <u8>((value >>> 13) & 3), H_FS)
  const changed = old ^ status
  if (changed & (MXR | VM)) flush(h)
  if (changed & (MPRV | MPP | SUM)) updateContext(h)
  // PUM of 1.9.1 stands in SUM's place, and covers fetches.
  if ((changed & SUM) != 0 && isPrivileged19()) flushFetches(h)
}

export function statusMask(): u64 {
  let mask = SIE | MIE | SPIE | MPIE | SPP | MPP | FS | MPRV | SUM | MXR
  if (isPrivileged19()) mask |= VM
  else mask |= TVM | TW | TSR
  if (hasExtension(EXT_N)) mask |= UIE | UPIE
  return mask
}

export function supervisorStatusMask(): u64 {
  return hasExtension(EXT_N) ? SIE | SPIE | SPP | FS | SUM | MXR | UIE | UPIE : SIE | SPIE | SPP | FS | SUM | MXR
}

/** May the current privilege read counter `index` (0 cycle, 1 time, 2 instret, 3.. hpm)? */
export function counterEnabled(h: usize, index: i32): bool {
  const current = privilege(h)
  if (current == MACHINE) return true
  if (isPrivileged19()) {
    const enabled = current == USER ? load<u64>(h, H_MUCOUNTEREN) : load<u64>(h, H_MSCOUNTEREN)
    return index != 1 && ((enabled >>> index) & 1) != 0
  }
  if (((load<u64>(h, H_MCOUNTEREN) >>> index) & 1) == 0) return false
  return current == SUPERVISOR || ((load<u64>(h, H_SCOUNTEREN) >>> index) & 1) != 0
}

/** Cycles and instructions as of before the current instruction, which has been counted already. */
export function readCycle(h: usize): u64 {
  const offset = load<u64>(h, H_CYCLE_OFFSET)
  return (load<u64>(h, H_MCOUNTINHIBIT) & 1) != 0 ? offset : <u64>clock(h) - 1 - offset
}

export function readInstret(h: usize): u64 {
  const offset = load<u64>(h, H_INSTRET_OFFSET)
  return (load<u64>(h, H_MCOUNTINHIBIT) & 4) != 0 ? offset : load<u64>(h, H_RETIRED) - 1 - offset
}

export function writeInhibit(h: usize, value: u64): void {
  const cycle = readCycle(h)
  const instret = readInstret(h)
  const changed = load<u64>(h, H_MCOUNTINHIBIT) ^ value
  store<u64>(h, value & 5, H_MCOUNTINHIBIT)
  // What stands stays, what runs runs on from where it stood; a counter whose bit does not change is left alone.
  if (changed & 1) writeCycle(h, cycle)
  if (changed & 4) writeInstret(h, instret)
}

/** The next instruction reads the value written. */
export function writeCycle(h: usize, value: u64): void {
  store<u64>(h, (load<u64>(h, H_MCOUNTINHIBIT) & 1) != 0 ? value : <u64>clock(h) - value, H_CYCLE_OFFSET)
}

export function writeInstret(h: usize, value: u64): void {
  store<u64>(h, (load<u64>(h, H_MCOUNTINHIBIT) & 4) != 0 ? value : load<u64>(h, H_RETIRED) - value, H_INSTRET_OFFSET)
}

export function supervisorTimerAllowed(h: usize): bool {
  if (!hasExtension(EXT_SSTC)) return false
  if (privilege(h) == MACHINE) return true
  return sstcActive(h) && (load<u64>(h, H_MCOUNTEREN) & 2) != 0
}

/** Interrupts that the user level sees: delegated twice. */
@inline export function userView(h: usize): u64 {
  return load<u64>(h, H_MIDELEG) & load<u64>(h, H_SIDELEG) & USER_INTERRUPTS
}

export function allow(): void {
  illegal = false
}
