/** What a write of each control and status register does: WARL rules and side effects. */
import {
  COST_CSR,
  COST_SATP,
  EXT_N,
  EXT_SSTC,
  EXT_UINTC,
  GLOBAL,
  G_PRIVILEGED,
  H_FFLAGS,
  H_FRM,
  H_FS,
  H_MCAUSE,
  H_MCOUNTEREN,
  H_MEDELEG,
  H_MENVCFG,
  H_MEPC,
  H_MIDELEG,
  H_MIE,
  H_MIP_SOFTWARE,
  H_MSCOUNTEREN,
  H_MSCRATCH,
  H_MSTATUS,
  H_MTVAL,
  H_MTVEC,
  H_MUCOUNTEREN,
  H_PC,
  H_PMPADDR,
  H_PMPCFG,
  H_REQUEST,
  H_SATP,
  H_SCAUSE,
  H_SCOUNTEREN,
  H_SEDELEG,
  H_SENVCFG,
  H_SEPC,
  H_SIDELEG,
  H_SSCRATCH,
  H_STALL,
  H_STIMECMP,
  H_STVAL,
  H_STVEC,
  H_SUICFG,
  H_SUIRS,
  H_SUIST,
  H_UCAUSE,
  H_UEPC,
  H_USCRATCH,
  H_UTIMECMP,
  H_UTVAL,
  H_UTVEC,
} from '../layout'
import {
  DELEGABLE_EXCEPTIONS,
  MACHINE_INTERRUPTS,
  SUPERVISOR_INTERRUPTS,
  USER_INTERRUPTS,
  illegal,
  refuse,
  statusMask,
  supervisorStatusMask,
  supervisorTimerAllowed,
  userInterrupts,
  userView,
  writeCycle,
  writeInhibit,
  writeInstret,
  writeStatus,
} from './csr-status'
import { Kind, emit, tracing } from './events'
import { Csr } from './generated/csrs'
import { forgetProtection } from './pmp'
import { SUPERVISOR, addStall, cost, hasExtension, isPrivileged19, privilege } from './state'
import { STCE, sstcActive, updateTimers } from './timers'
import { flush } from './tlb'
import { TVM, UIE, UPIE } from './trap'

/** sptbr of 1.9.1 with physical addresses of 32 bits: neither mode nor address space. */
const SPTBR_PPN: u64 = 0xf_ffff

function writePmpConfig(h: usize, first: u32, value: u64): void {
  for (let i = first; i < first + 8; i++) {
    const old = load<u8>(h + i, H_PMPCFG)
    if (old & 0x80) continue
    let config = <u8>(value >>> ((i - first) << 3)) & 0x9f
    // W without R is reserved: keep the old permissions.
    if ((config & 3) == 2) config = (config & ~3) | (old & 3)
    store<u8>(h + i, config, H_PMPCFG)
  }
  forgetProtection(h)
  flush(h)
}

function writePmpAddress(h: usize, index: i32, value: u64): void {
  if (load<u8>(h + index, H_PMPCFG) & 0x80) return
  // A locked TOR entry above locks this address as its lower bound.
  if (index < 15) {
    const next = load<u8>(h + index + 1, H_PMPCFG)
    if ((next & 0x98) == 0x88) return
  }
  store<u64>(h + (index << 3), value & 0x3f_ffff_ffff_ffff, H_PMPADDR)
  forgetProtection(h)
  flush(h)
}

function writeSatp(h: usize, value: u64): void {
  const mode = value >>> 60
  if (!isPrivileged19() && mode != 0 && mode != 8 && mode != 9) return
  store<u64>(h, isPrivileged19() ? value & SPTBR_PPN : value, H_SATP)
  flush(h)
  addStall(h, cost(COST_SATP))
  if (tracing(Kind.satp)) emit(h, Kind.satp, value, load<u64>(h, H_PC))
}

function writeInterruptBits(h: usize, at: usize, value: u64, mask: u64): void {
  store<u64>(h + at, (load<u64>(h + at) & ~mask) | (value & mask))
}

@inline function writeVector(h: usize, at: usize, value: u64): void {
  // Modes 2 and 3 are reserved: such a write changes nothing.
  if ((value & 2) == 0) store<u64>(h + at, value)
}

function writeUser(h: usize, number: i32, value: u64): void {
  if (!hasExtension(EXT_N)) {
    refuse()
    return
  }
  switch (number) {
    case Csr.ustatus:
      writeStatus(h, value, UIE | UPIE)
      break
    case Csr.uie:
      writeInterruptBits(h, H_MIE, value, userView(h))
      break
    case Csr.uip:
      // Only USIP.
      writeInterruptBits(h, H_MIP_SOFTWARE, value, userView(h) & 1)
      break
    case Csr.utvec:
      writeVector(h, H_UTVEC, value)
      break
    case Csr.uscratch:
      store<u64>(h, value, H_USCRATCH)
      break
    case Csr.uepc:
      store<u64>(h, value & ~1, H_UEPC)
      break
    case Csr.ucause:
      store<u64>(h, value, H_UCAUSE)
      break
    case Csr.utval:
      store<u64>(h, value, H_UTVAL)
      break
    case Csr.utimecmp:
      store<u64>(h, value, H_UTIMECMP)
      updateTimers(h)
      break
    case Csr.sedeleg:
      // Calls from S, and whatever M keeps, cannot go to U.
      store<u64>(h, value & DELEGABLE_EXCEPTIONS & ~(<u64>1 << 9), H_SEDELEG)
      break
    default:
      store<u64>(h, value & USER_INTERRUPTS, H_SIDELEG)
      break
  }
}

/** For writes that cost nothing: the cycle that every instruction takes, and what CSR instructions take beyond. */
function giveBack(h: usize): void {
  store<i64>(h, load<i64>(h, H_STALL) - 1 - <i64>cost(COST_CSR), H_STALL)
}

/** Writes a register; `illegal` is set when it may not be written. */
export function writeCsr(h: usize, number: i32, value: u64): void {
  if (number >= Csr.pmpaddr0 && number < Csr.pmpaddr0 + 16) {
    writePmpAddress(h, number - Csr.pmpaddr0, value)
    return
  }
  if (number >= Csr.pollen_trace0 && number < Csr.pollen_trace0 + 64) {
    const kind = number - Csr.pollen_trace0
    giveBack(h)
    if (tracing(kind)) emit(h, kind, value, load<u64>(h, H_REQUEST))
    return
  }
  if (number >= Csr.mhpmcounter3 && number < Csr.mhpmcounter3 + 29) return
  if (number >= Csr.mhpmevent3 && number < Csr.mhpmevent3 + 29) return
  switch (number) {
    case Csr.fflags:
      if (load<u8>(h, H_FS) == 0) refuse()
      else {
        store<u32>(h, <u32>value & 31, H_FFLAGS)
        store<u8>(h, 3, H_FS)
      }
      break
    case Csr.frm:
      if (load<u8>(h, H_FS) == 0) refuse()
      else {
        store<u32>(h, <u32>value & 7, H_FRM)
        store<u8>(h, 3, H_FS)
      }
      break
    case Csr.fcsr:
      if (load<u8>(h, H_FS) == 0) refuse()
      else {
        store<u32>(h, <u32>value & 31, H_FFLAGS)
        store<u32>(h, (<u32>value >>> 5) & 7, H_FRM)
        store<u8>(h, 3, H_FS)
      }
      break
    case Csr.sstatus:
      writeStatus(h, value, supervisorStatusMask())
      break
    case Csr.sie:
      writeInterruptBits(h, H_MIE, value, load<u64>(h, H_MIDELEG))
      break
    case Csr.sip:
      writeInterruptBits(h, H_MIP_SOFTWARE, value, load<u64>(h, H_MIDELEG) & (2 | (userInterrupts() & 1)))
      break
    case Csr.stvec:
      writeVector(h, H_STVEC, value)
      break
    case Csr.scounteren:
      if (isPrivileged19()) refuse()
      else store<u64>(h, value & 0xffff_ffff, H_SCOUNTEREN)
      break
    case Csr.senvcfg:
      if (isPrivileged19()) refuse()
      else store<u64>(h, value & 1, H_SENVCFG)
      break
    case Csr.sscratch:
      store<u64>(h, value, H_SSCRATCH)
      break
    case Csr.sepc:
      store<u64>(h, value & ~1, H_SEPC)
      break
    case Csr.scause:
      store<u64>(h, value, H_SCAUSE)
      break
    case Csr.stval:
      store<u64>(h, value, H_STVAL)
      break
    case Csr.satp:
      if (privilege(h) == SUPERVISOR && (load<u64>(h, H_MSTATUS) & TVM) != 0) refuse()
      else writeSatp(h, value)
      break
    case Csr.stimecmp:
      if (supervisorTimerAllowed(h)) {
        store<u64>(h, value, H_STIMECMP)
        updateTimers(h)
      } else refuse()
      break
    case Csr.mstatus:
      writeStatus(h, value, statusMask())
      break
    case Csr.misa:
      break
    case Csr.medeleg:
      store<u64>(h, value & DELEGABLE_EXCEPTIONS, H_MEDELEG)
      break
    case Csr.mideleg:
      store<u64>(h, value & (SUPERVISOR_INTERRUPTS | userInterrupts()), H_MIDELEG)
      break
    case Csr.mie:
      store<u64>(h, value & (SUPERVISOR_INTERRUPTS | MACHINE_INTERRUPTS | userInterrupts()), H_MIE)
      break
    case Csr.mip: {
      // STIP is stimecmp's alone while Sstc is in force.
      const timer: u64 = sstcActive(h) ? 0 : 0x20
      // Cores of 1.9.1 have no SEIP that software could set.
      const external: u64 = isPrivileged19() ? 0 : 0x200
      writeInterruptBits(h, H_MIP_SOFTWARE, value, 2 | external | timer | userInterrupts())
      break
    }
    case Csr.mtvec:
      writeVector(h, H_MTVEC, value)
      break
    case Csr.mcounteren:
      if (isPrivileged19()) refuse()
      else store<u64>(h, value & 0xffff_ffff, H_MCOUNTEREN)
      break
    case Csr.menvcfg:
      if (isPrivileged19()) refuse()
      else {
        store<u64>(h, value & (1 | (hasExtension(EXT_SSTC) ? STCE : 0)), H_MENVCFG)
        // STIP may have been left over from software or from stimecmp.
        if (sstcActive(h)) store<u64>(h, load<u64>(h, H_MIP_SOFTWARE) & ~0x20, H_MIP_SOFTWARE)
        updateTimers(h)
      }
      break
    case Csr.mcountinhibit:
      if (load<u32>(GLOBAL + G_PRIVILEGED) == 9) store<u64>(h, value & 7, H_MUCOUNTEREN)
      else writeInhibit(h, value)
      break
    case Csr.mscounteren:
      if (isPrivileged19()) store<u64>(h, value & 7, H_MSCOUNTEREN)
      else refuse()
      break
    case Csr.mscratch:
      store<u64>(h, value, H_MSCRATCH)
      break
    case Csr.mepc:
      store<u64>(h, value & ~1, H_MEPC)
      break
    case Csr.mcause:
      store<u64>(h, value, H_MCAUSE)
      break
    case Csr.mtval:
      store<u64>(h, value, H_MTVAL)
      break
    case Csr.mcycle:
      writeCycle(h, value)
      break
    case Csr.minstret:
      writeInstret(h, value)
      break
    case Csr.pmpcfg0:
      writePmpConfig(h, 0, value)
      break
    case Csr.pmpcfg2:
      writePmpConfig(h, 8, value)
      break
    case Csr.tselect:
    case Csr.tdata1:
    case Csr.tdata2:
    case Csr.tdata3:
      break
    case Csr.ustatus:
    case Csr.uie:
    case Csr.utvec:
    case Csr.uscratch:
    case Csr.uepc:
    case Csr.ucause:
    case Csr.utval:
    case Csr.uip:
    case Csr.utimecmp:
    case Csr.sedeleg:
    case Csr.sideleg:
      writeUser(h, number, value)
      break
    case Csr.suist:
      if (hasExtension(EXT_UINTC)) store<u64>(h, value, H_SUIST)
      else refuse()
      break
    case Csr.suirs:
      if (hasExtension(EXT_UINTC)) store<u64>(h, value & 0x8000_0000_0000_ffff, H_SUIRS)
      else refuse()
      break
    case Csr.suicfg:
      if (hasExtension(EXT_UINTC)) store<u64>(h, value, H_SUICFG)
      else refuse()
      break
    case Csr.pollen_request:
      giveBack(h)
      store<u64>(h, value, H_REQUEST)
      break
    default:
      refuse()
  }
}
