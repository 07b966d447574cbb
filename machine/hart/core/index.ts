/** What the board calls. */
import {
  GLOBAL,
  G_HART_COUNT,
  G_STOP,
  H_ID,
  H_MTIMECMP,
  H_PRIVILEGE,
  H_RESERVATION,
  H_RETIRED,
  H_RUNNING,
  H_STALL,
  H_STATE_END,
  H_STIMECMP,
  H_UTIMECMP,
} from '../layout'
import { forgetAll, invalidate } from './code'
export { decodeCrossing } from './fetch'
import { hasCsr, writeCsrForDebugger } from './csr'
import { readCsr } from './csr-read'
import { MACHINE, attend, hartAddress } from './state'
import { clear, retag, markWatched, updateContext } from './tlb'
import { Access, dataPrivilege, translate } from './translate'

export { run, setSoftware, setTimerCompare, setWires, endRoundAt, timeChanged } from './schedule'
export { timeNow } from './state'
export { regionAtomic, regionCsr, regionFloat, regionIllegal, regionLoad, regionStore } from './region'
export { multiplyHigh } from './softfloat'

/** Power-on state of one hart, stopped. */
export function reset(index: u32): void {
  const h = hartAddress(index)
  memory.fill(h, 0, H_STATE_END)
  store<u32>(h, index, H_ID)
  store<u32>(h, MACHINE, H_PRIVILEGE)
  store<u64>(h, <u64>-1, H_RESERVATION)
  store<u64>(h, <u64>-1, H_MTIMECMP)
  store<u64>(h, <u64>-1, H_STIMECMP)
  store<u64>(h, <u64>-1, H_UTIMECMP)
  store<u32>(h, 1, H_RUNNING)
  clear(h)
  updateContext(h)
}

/** Bytes of RAM were changed from outside (DMA, debugger, loader): drop what was decoded from them, and all reservations. */
export function memoryChanged(address: u64, size: u64): void {
  invalidate(address, size)
  const count = load<u32>(GLOBAL + G_HART_COUNT)
  for (let i: u32 = 0; i < count; i++) store<u64>(hartAddress(i), <u64>-1, H_RESERVATION)
}

/** Forgets everything derived from memory: after a snapshot was restored or breakpoints changed. */
export function forgetCode(): void {
  forgetAll()
}

/** Sets anew what TLB entries say about their pages: after predecoded code was forgotten or watchpoints changed. */
export function refreshTags(): void {
  const count = load<u32>(GLOBAL + G_HART_COUNT)
  for (let i: u32 = 0; i < count; i++) retag(hartAddress(i))
}

/** Empties the translation caches of a hart: after watchpoints or registers changed from outside. */
export function forgetTranslations(index: u32): void {
  clear(hartAddress(index))
  updateContext(hartAddress(index))
}

/** Makes `run` return with a reason as soon as the harts look up. */
export function requestStop(reason: u32): void {
  store<u32>(GLOBAL + G_STOP, reason)
  const count = load<u32>(GLOBAL + G_HART_COUNT)
  for (let i: u32 = 0; i < count; i++) attend(hartAddress(i))
}

/** After G_WATCHPOINTS changed: marks the pages in all TLBs. No translation is forgotten, so nothing costs the guest a cycle. */
export function watchpointsChanged(): void {
  markWatched()
}

/** 1 when the hart has a CSR of this number. */
export function hasRegister(index: u32, number: i32): u32 {
  const h = hartAddress(index)
  const privilege = load<u32>(h, H_PRIVILEGE)
  store<u32>(h, MACHINE, H_PRIVILEGE)
  const found = hasCsr(h, number)
  store<u32>(h, privilege, H_PRIVILEGE)
  return found ? 1 : 0
}

/** A CSR as the debugger sees it: privilege is ignored, nothing is charged. */
export function readRegister(index: u32, number: i32): u64 {
  const h = hartAddress(index)
  const privilege = load<u32>(h, H_PRIVILEGE)
  store<u32>(h, MACHINE, H_PRIVILEGE)
  // The counters show the instructions before the current one; outside of any instruction that is one more.
  store<u64>(h, load<u64>(h, H_RETIRED) + 1, H_RETIRED)
  const value = readCsr(h, number)
  store<u64>(h, load<u64>(h, H_RETIRED) - 1, H_RETIRED)
  store<u32>(h, privilege, H_PRIVILEGE)
  return value
}

/** Writes a CSR for the debugger; 0 when there is none of that number. */
export function writeRegister(index: u32, number: i32, value: u64): u32 {
  const h = hartAddress(index)
  const privilege = load<u32>(h, H_PRIVILEGE)
  const stall = load<i64>(h, H_STALL)
  store<u32>(h, MACHINE, H_PRIVILEGE)
  const written = writeCsrForDebugger(h, number, value)
  store<u32>(h, privilege, H_PRIVILEGE)
  store<i64>(h, stall, H_STALL)
  updateContext(h)
  attend(h)
  return written ? 1 : 0
}

/** Physical address of a virtual one as the hart would use it (access 0 read, 1 write, 2 execute); all ones when it would fault. */
export function translateForDebugger(index: u32, address: u64, access: u32): u64 {
  const h = hartAddress(index)
  const acting = access == Access.execute ? load<u32>(h, H_PRIVILEGE) : dataPrivilege(h)
  return translate(h, address, 1, access, acting)
}
