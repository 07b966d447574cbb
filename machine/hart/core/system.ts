/** Environment calls, returns from traps, waiting, fences, `uipi`. */
import {
  COST_FENCE,
  H_MIE,
  H_MEPC,
  H_MSTATUS,
  H_PC,
  H_SEPC,
  H_UEPC,
  H_WAITING,
  H_WAIT_START,
} from '../layout'
import { Kind, emit, tracing } from './events'
import { System } from './generated/decoder'
import { MACHINE, SUPERVISOR, USER, addStall, attend, clock, cost, isPrivileged19, privilege, reg, setReg } from './state'
import { updateTimers } from './timers'
import { flush } from './tlb'
import { Uipi, ownReceiver, sendUserInterrupt, uipiResult } from './uintc'
import { Cause, MIE, MPIE, MPP, MPRV, SIE, SPIE, SPP, TSR, TVM, TW, UIE, UPIE, pendingInterrupts, raise, returnTo } from './trap'

export const enum Outcome {
  illegal = 0,
  /** Go on behind the instruction. */
  next = 1,
  /** H_PC says where to go on. */
  moved = 2,
}

/** Executes a system instruction of `length` bytes; pc and counters are synchronised. */
export function executeSystem(h: usize, operation: i32, rd: u32, rs1: u32, length: u32): Outcome {
  const current = privilege(h)
  const status = load<u64>(h, H_MSTATUS)
  switch (operation) {
    case System.fence:
    case System.fence_i:
      // Memory is sequentially consistent and predecoded code is kept in step with stores.
      addStall(h, cost(COST_FENCE))
      return Outcome.next
    case System.ecall:
      raise(h, Cause.userCall + current, 0)
      return Outcome.moved
    case System.ebreak:
      raise(h, Cause.breakpoint, 0)
      return Outcome.moved
    case System.mret: {
      if (current != MACHINE) return Outcome.illegal
      const target = <u32>((status >>> 11) & 3)
      let next = (status & ~(MIE | MPP)) | ((status & MPIE) >>> 4) | MPIE
      if (target != MACHINE && !isPrivileged19()) next &= ~MPRV
      store<u64>(h, next, H_MSTATUS)
      returnTo(h, target, load<u64>(h, H_MEPC))
      return Outcome.moved
    }
    case System.sret: {
      if (current == USER || (current == SUPERVISOR && (status & TSR) != 0)) return Outcome.illegal
      const target = <u32>((status >>> 8) & 1)
      const kept = status & ~(SIE | SPP | (isPrivileged19() ? 0 : MPRV))
      store<u64>(h, kept | ((status & SPIE) >>> 4) | SPIE, H_MSTATUS)
      returnTo(h, target, load<u64>(h, H_SEPC))
      return Outcome.moved
    }
    case System.uret:
      store<u64>(h, (status & ~UIE) | ((status & UPIE) >>> 4) | UPIE, H_MSTATUS)
      returnTo(h, USER, load<u64>(h, H_UEPC))
      return Outcome.moved
    case System.wfi:
      if (current == USER || (current == SUPERVISOR && (status & TW) != 0)) return Outcome.illegal
      wait(h, load<u64>(h, H_PC) + length)
      return Outcome.moved
    case System.sfence_vma:
      if (isPrivileged19() || current == USER || (current == SUPERVISOR && (status & TVM) != 0)) return Outcome.illegal
      return fenceTranslation(h, length)
    case System.sfence_vm:
      if (!isPrivileged19() || current == USER) return Outcome.illegal
      return fenceTranslation(h, length)
    case System.uipi_send:
      return sendUserInterrupt(h, reg(h, rs1)) ? Outcome.next : Outcome.illegal
    case System.uipi_write:
      return ownReceiver(h, Uipi.write, reg(h, rs1)) ? Outcome.next : Outcome.illegal
    case System.uipi_read:
      if (!ownReceiver(h, Uipi.read, 0)) return Outcome.illegal
      setReg(h, rd, uipiResult)
      return Outcome.next
    case System.uipi_activate:
      return ownReceiver(h, Uipi.activate, 0) ? Outcome.next : Outcome.illegal
    case System.uipi_deactivate:
      return ownReceiver(h, Uipi.deactivate, 0) ? Outcome.next : Outcome.illegal
    default:
      return Outcome.illegal
  }
}

/** All translations go, the one of the code under pc too. */
function fenceTranslation(h: usize, length: u32): Outcome {
  flush(h)
  addStall(h, cost(COST_FENCE))
  store<u64>(h, load<u64>(h, H_PC) + length, H_PC)
  return Outcome.moved
}

/** wfi waits until an enabled interrupt is pending, whether or not it will be taken (Privileged 1.12, 3.3.3). */
function wait(h: usize, nextPc: u64): void {
  store<u64>(h, nextPc, H_PC)
  updateTimers(h)
  if ((pendingInterrupts(h) & load<u64>(h, H_MIE)) == 0) {
    if (tracing(Kind.wfi)) emit(h, Kind.wfi, 0, nextPc)
    store<u32>(h, 1, H_WAITING)
    store<i64>(h, clock(h), H_WAIT_START)
  }
  attend(h)
}
