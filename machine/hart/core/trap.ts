/** Taking and returning from traps: exceptions, interrupts, delegation (Privileged 1.12, 3.1.6..3.1.15, 4.1; N: user-interrupts.md). */
import {
  COST_TRAP,
  COST_TRAP_RETURN,
  EXT_N,
  H_FAULTED,
  H_MCAUSE,
  H_MEDELEG,
  H_MEPC,
  H_MIDELEG,
  H_MIE,
  H_MIP_SOFTWARE,
  H_MIP_WIRES,
  H_MSTATUS,
  H_MTVAL,
  H_MTVEC,
  H_PC,
  H_PRIVILEGE,
  H_RETIRED,
  H_SCAUSE,
  H_SEDELEG,
  H_SEPC,
  H_SIDELEG,
  H_STVAL,
  H_STVEC,
  H_UCAUSE,
  H_UEPC,
  H_UTVAL,
  H_UTVEC,
} from '../layout'
import { Kind, emit, tracing } from './events'
import { updateContext } from './tlb'
import { MACHINE, SUPERVISOR, USER, addStall, attend, cost, hasExtension, isPrivileged19, privilege } from './state'

export const enum Cause {
  fetchMisaligned = 0,
  fetchAccess = 1,
  illegal = 2,
  breakpoint = 3,
  loadMisaligned = 4,
  loadAccess = 5,
  storeMisaligned = 6,
  storeAccess = 7,
  userCall = 8,
  fetchPage = 12,
  loadPage = 13,
  storePage = 15,
}

export const UIE: u64 = 1 << 0
export const SIE: u64 = 1 << 1
export const MIE: u64 = 1 << 3
export const UPIE: u64 = 1 << 4
export const SPIE: u64 = 1 << 5
export const MPIE: u64 = 1 << 7
export const SPP: u64 = 1 << 8
export const MPP: u64 = 3 << 11
export const MPRV: u64 = 1 << 17
export const SUM: u64 = 1 << 18
export const MXR: u64 = 1 << 19
export const TVM: u64 = 1 << 20
export const TW: u64 = 1 << 21
export const TSR: u64 = 1 << 22

const INTERRUPT: u64 = 1 << 63

/** Misaligned and access faults of fetch, load and store, and breakpoints. */
const ADDRESS_CAUSES: u64 = 0xfb

/** Interrupt bits by falling priority: MEI MSI MTI SEI SSI STI UEI USI UTI. */
const PRIORITY: u64 = 0x4_0851_973b

/** Moves control to the trap vector of the privilege that handles `cause`. `pc` is what the handler returns to. */
export function enterTrap(h: usize, cause: u64, value: u64, pc: u64): void {
  const from = privilege(h)
  const interrupt = (cause & INTERRUPT) != 0
  const bit = cause & 63
  let target = MACHINE
  if (from <= SUPERVISOR && (((interrupt ? load<u64>(h, H_MIDELEG) : load<u64>(h, H_MEDELEG)) >>> bit) & 1) != 0) {
    target = SUPERVISOR
    if (from == USER && hasExtension(EXT_N) && (((interrupt ? load<u64>(h, H_SIDELEG) : load<u64>(h, H_SEDELEG)) >>> bit) & 1) != 0) target = USER
  }
  let status = load<u64>(h, H_MSTATUS)
  let vector: u64
  // mbadaddr and sbadaddr of 1.9.1 keep their value but for faults of an address (Privileged 1.9.1, 3.1.19).
  const hasValue = !isPrivileged19() || (!interrupt && ((ADDRESS_CAUSES >>> bit) & 1) != 0)
  if (target == MACHINE) {
    store<u64>(h, cause, H_MCAUSE)
    store<u64>(h, pc, H_MEPC)
    if (hasValue) store<u64>(h, value, H_MTVAL)
    status = (status & ~(MPIE | MPP | MIE)) | ((status & MIE) << 4) | (<u64>from << 11)
    vector = load<u64>(h, H_MTVEC)
  } else if (target == SUPERVISOR) {
    store<u64>(h, cause, H_SCAUSE)
    store<u64>(h, pc, H_SEPC)
    if (hasValue) store<u64>(h, value, H_STVAL)
    status = (status & ~(SPIE | SPP | SIE)) | ((status & SIE) << 4) | (<u64>from << 8)
    vector = load<u64>(h, H_STVEC)
  } else {
    store<u64>(h, cause, H_UCAUSE)
    store<u64>(h, pc, H_UEPC)
    store<u64>(h, value, H_UTVAL)
    status = (status & ~(UPIE | UIE)) | ((status & UIE) << 4)
    vector = load<u64>(h, H_UTVEC)
  }
  store<u64>(h, status, H_MSTATUS)
  if (tracing(Kind.trap)) emit(h, Kind.trap, cause, pc)
  store<u32>(h, target, H_PRIVILEGE)
  store<u64>(h, (vector & ~3) + ((vector & 1) != 0 && interrupt ? bit << 2 : 0), H_PC)
  addStall(h, cost(COST_TRAP))
  updateContext(h)
}

/** An exception of the current instruction, whose pc is in H_PC and which was counted as retired: it takes a cycle but does not retire. */
export function raise(h: usize, cause: u64, value: u64): void {
  store<u64>(h, load<u64>(h, H_RETIRED) - 1, H_RETIRED)
  addStall(h, 1)
  store<u32>(h, 1, H_FAULTED)
  enterTrap(h, cause, value, load<u64>(h, H_PC))
}

/** Pending bits as mip shows them. */
@inline export function pendingInterrupts(h: usize): u64 {
  return load<u64>(h, H_MIP_SOFTWARE) | load<u64>(h, H_MIP_WIRES)
}

/** The interrupt to take now, as its bit number, or -1. */
export function deliverableInterrupt(h: usize): i32 {
  const pending = pendingInterrupts(h) & load<u64>(h, H_MIE)
  if (pending == 0) return -1
  const status = load<u64>(h, H_MSTATUS)
  const current = privilege(h)
  const toSupervisor = load<u64>(h, H_MIDELEG)
  const toUser = hasExtension(EXT_N) ? toSupervisor & load<u64>(h, H_SIDELEG) : 0
  let enabled: u64 = 0
  if (current < MACHINE || (status & MIE) != 0) enabled = pending & ~toSupervisor
  if (enabled == 0 && (current < SUPERVISOR || (current == SUPERVISOR && (status & SIE) != 0))) enabled = pending & toSupervisor & ~toUser
  if (enabled == 0 && current == USER && (status & UIE) != 0) enabled = pending & toUser
  if (enabled == 0) return -1
  // Read from the low digit: MEI first.
  for (let order = PRIORITY; order != 0; order >>>= 4) {
    const bit = <i32>(order & 15)
    if ((enabled >>> bit) & 1) return bit
  }
  return -1
}

/** Takes the most urgent deliverable interrupt; false when there is none. */
export function takeInterrupt(h: usize): bool {
  const bit = deliverableInterrupt(h)
  if (bit < 0) return false
  enterTrap(h, INTERRUPT | <u64>bit, 0, load<u64>(h, H_PC))
  return true
}

/** The common part of mret, sret and uret: to `target` privilege at `pc`. */
export function returnTo(h: usize, target: u32, pc: u64): void {
  if (tracing(Kind.trapReturn)) emit(h, Kind.trapReturn, target, load<u64>(h, H_PC))
  store<u32>(h, target, H_PRIVILEGE)
  store<u64>(h, pc, H_PC)
  addStall(h, cost(COST_TRAP_RETURN))
  updateContext(h)
  attend(h)
}
