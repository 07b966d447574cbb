/** Control and status registers: existence, privilege, WARL rules. Numbers are those of machine/isa/csrs.ts. */
import {
  COST_CSR,
  COST_SATP,
  EXT_N,
  EXT_SSTC,
  EXT_UINTC,
  GLOBAL,
  G_PRIVILEGED,
  H_CYCLE_OFFSET,
  H_FFLAGS,
  H_FRM,
  H_FS,
  H_ID,
  H_INSTRET_OFFSET,
  H_MCAUSE,
  H_MCOUNTEREN,
  H_MCOUNTINHIBIT,
  H_MEDELEG,
  H_MENVCFG,
  H_MEPC,
  H_MIDELEG,
  H_MIE,
  H_MIP_SOFTWARE,
  H_MSCRATCH,
  H_MSTATUS,
  H_MTVAL,
  H_MTVEC,
  H_MSCOUNTEREN,
  H_MUCOUNTEREN,
  H_PC,
  H_PMPADDR,
  H_PMPCFG,
  H_REQUEST,
  H_RETIRED,
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
import { Kind, emit, tracing } from './events'
import { Csr } from './generated/csrs'
import { MACHINE, SUPERVISOR, USER, addStall, attend, clock, cost, hasExtension, isPrivileged19, privilege, timeNow } from './state'
import { STCE, sstcActive, updateTimers } from './timers'
import { flush, updateContext } from './tlb'
import { MIE, MPIE, MPP, MPRV, MXR, SIE, SPIE, SPP, SUM, TSR, TVM, TW, UIE, UPIE, pendingInterrupts } from './trap'

const FS: u64 = 3 << 13
/** UXL and SXL: 64 bits, read-only. */
const XLENS: u64 = (<u64>2 << 32) | (<u64>2 << 34)
/** mstatus.VM of privileged 1.9.1. */
const VM: u64 = 31 << 24

const SSTATUS_VISIBLE: u64 = SIE | SPIE | SPP | FS | SUM | MXR | (<u64>3 << 32) | (<u64>1 << 63)

const SUPERVISOR_INTERRUPTS: u64 = 0x222
const MACHINE_INTERRUPTS: u64 = 0x888
const USER_INTERRUPTS: u64 = 0x111
const DELEGABLE_EXCEPTIONS: u64 = 0xb3ff

/** Set by `readCsr` and `writeCsr` when the register does not exist or may not be accessed. */
export let illegal: bool = false

function no(): u64 {
  illegal = true
  return 0
}

@inline function userInterrupts(): u64 {
  return hasExtension(EXT_N) ? USER_INTERRUPTS : 0
}

function readStatus(h: usize): u64 {
  const fs = <u64>load<u8>(h, H_FS)
  return load<u64>(h, H_MSTATUS) | (fs << 13) | (fs == 3 ? <u64>1 << 63 : 0) | (isPrivileged19() ? 0 : XLENS)
}

function writeStatus(h: usize, value: u64, writable: u64): void {
  let mask = writable & ~(FS | (<u64>1 << 63) | XLENS | (<u64>3 << 32) | (<u64>3 << 34))
  // MPP = 2 names no privilege: keep what was there.
  if (((value >>> 11) & 3) == 2) mask &= ~MPP
  const old = load<u64>(h, H_MSTATUS)
  const status = (old & ~mask) | (value & mask)
  store<u64>(h, status, H_MSTATUS)
  if (writable & FS) store<u8>(h, <u8>((value >>> 13) & 3), H_FS)
  const changed = old ^ status
  if (changed & (MXR | VM)) flush(h)
  if (changed & (MPRV | MPP | SUM)) updateContext(h)
}

function statusMask(): u64 {
  let mask = SIE | MIE | SPIE | MPIE | SPP | MPP | FS | MPRV | SUM | MXR
  if (isPrivileged19()) mask |= VM
  else mask |= TVM | TW | TSR
  if (hasExtension(EXT_N)) mask |= UIE | UPIE
  return mask
}

function supervisorStatusMask(): u64 {
  return hasExtension(EXT_N) ? SIE | SPIE | SPP | FS | SUM | MXR | UIE | UPIE : SIE | SPIE | SPP | FS | SUM | MXR
}

/** May the current privilege read counter `index` (0 cycle, 1 time, 2 instret, 3.. hpm)? */
function counterEnabled(h: usize, index: i32): bool {
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
function readCycle(h: usize): u64 {
  const offset = load<u64>(h, H_CYCLE_OFFSET)
  return (load<u64>(h, H_MCOUNTINHIBIT) & 1) != 0 ? offset : <u64>clock(h) - 1 - offset
}

function readInstret(h: usize): u64 {
  const offset = load<u64>(h, H_INSTRET_OFFSET)
  return (load<u64>(h, H_MCOUNTINHIBIT) & 4) != 0 ? offset : load<u64>(h, H_RETIRED) - 1 - offset
}

function writeInhibit(h: usize, value: u64): void {
  const cycle = readCycle(h)
  const instret = readInstret(h)
  const changed = load<u64>(h, H_MCOUNTINHIBIT) ^ value
  store<u64>(h, value & 5, H_MCOUNTINHIBIT)
  // What stands stays, what runs runs on from where it stood; a counter whose bit does not change is left alone.
  if (changed & 1) writeCycle(h, cycle)
  if (changed & 4) writeInstret(h, instret)
}

/** The next instruction reads the value written. */
function writeCycle(h: usize, value: u64): void {
  store<u64>(h, (load<u64>(h, H_MCOUNTINHIBIT) & 1) != 0 ? value : <u64>clock(h) - value, H_CYCLE_OFFSET)
}

function writeInstret(h: usize, value: u64): void {
  store<u64>(h, (load<u64>(h, H_MCOUNTINHIBIT) & 4) != 0 ? value : load<u64>(h, H_RETIRED) - value, H_INSTRET_OFFSET)
}

function readFcsr(h: usize, value: u64): u64 {
  return load<u8>(h, H_FS) == 0 ? no() : value
}

function supervisorTimerAllowed(h: usize): bool {
  if (!hasExtension(EXT_SSTC)) return false
  if (privilege(h) == MACHINE) return true
  return sstcActive(h) && (load<u64>(h, H_MCOUNTEREN) & 2) != 0
}

/** Interrupts that the user level sees: delegated twice. */
@inline function userView(h: usize): u64 {
  return load<u64>(h, H_MIDELEG) & load<u64>(h, H_SIDELEG) & USER_INTERRUPTS
}

function readUser(h: usize, number: i32): u64 {
  if (!hasExtension(EXT_N)) return no()
  switch (number) {
    case Csr.ustatus:
      return load<u64>(h, H_MSTATUS) & (UIE | UPIE)
    case Csr.uie:
      return load<u64>(h, H_MIE) & userView(h)
    case Csr.uip:
      updateTimers(h)
      return pendingInterrupts(h) & userView(h)
    case Csr.utvec:
      return load<u64>(h, H_UTVEC)
    case Csr.uscratch:
      return load<u64>(h, H_USCRATCH)
    case Csr.uepc:
      return load<u64>(h, H_UEPC)
    case Csr.ucause:
      return load<u64>(h, H_UCAUSE)
    case Csr.utval:
      return load<u64>(h, H_UTVAL)
    case Csr.utimecmp:
      return load<u64>(h, H_UTIMECMP)
    case Csr.sedeleg:
      return load<u64>(h, H_SEDELEG) & load<u64>(h, H_MEDELEG)
    default:
      return load<u64>(h, H_SIDELEG) & load<u64>(h, H_MIDELEG)
  }
}

/** The value of a register; `illegal` is set when it may not be read. */
export function readCsr(h: usize, number: i32): u64 {
  if (number >= Csr.pmpaddr0 && number < Csr.pmpaddr0 + 16) return load<u64>(h + ((number - Csr.pmpaddr0) << 3), H_PMPADDR)
  if (number >= Csr.pollen_trace0 && number < Csr.pollen_trace0 + 64) return 0
  if (number >= Csr.mhpmcounter3 && number < Csr.mhpmcounter3 + 29) return 0
  if (number >= Csr.hpmcounter3 && number < Csr.hpmcounter3 + 29) return counterEnabled(h, number & 31) ? 0 : no()
  if (number >= Csr.mhpmevent3 && number < Csr.mhpmevent3 + 29) return 0
  switch (number) {
    case Csr.fflags:
      return readFcsr(h, load<u32>(h, H_FFLAGS))
    case Csr.frm:
      return readFcsr(h, load<u32>(h, H_FRM))
    case Csr.fcsr:
      return readFcsr(h, load<u32>(h, H_FFLAGS) | (load<u32>(h, H_FRM) << 5))
    case Csr.cycle:
      return counterEnabled(h, 0) ? readCycle(h) : no()
    case Csr.time:
      return counterEnabled(h, 1) && !isPrivileged19() ? timeNow(h) : no()
    case Csr.instret:
      return counterEnabled(h, 2) ? readInstret(h) : no()
    case Csr.sstatus: {
      return readStatus(h) & (hasExtension(EXT_N) ? SSTATUS_VISIBLE | UIE | UPIE : SSTATUS_VISIBLE)
    }
    case Csr.sie:
      return load<u64>(h, H_MIE) & load<u64>(h, H_MIDELEG)
    case Csr.sip:
      updateTimers(h)
      return pendingInterrupts(h) & load<u64>(h, H_MIDELEG)
    case Csr.stvec:
      return load<u64>(h, H_STVEC)
    case Csr.scounteren:
      return isPrivileged19() ? no() : load<u64>(h, H_SCOUNTEREN)
    case Csr.senvcfg:
      return isPrivileged19() ? no() : load<u64>(h, H_SENVCFG)
    case Csr.sscratch:
      return load<u64>(h, H_SSCRATCH)
    case Csr.sepc:
      return load<u64>(h, H_SEPC)
    case Csr.scause:
      return load<u64>(h, H_SCAUSE)
    case Csr.stval:
      return load<u64>(h, H_STVAL)
    case Csr.satp:
      return privilege(h) == SUPERVISOR && (load<u64>(h, H_MSTATUS) & TVM) != 0 ? no() : load<u64>(h, H_SATP)
    case Csr.stimecmp:
      return supervisorTimerAllowed(h) ? load<u64>(h, H_STIMECMP) : no()
    case Csr.mvendorid:
    case Csr.marchid:
    case Csr.mimpid:
    case Csr.mconfigptr:
      return 0
    case Csr.mhartid:
      return load<u32>(h, H_ID)
    case Csr.mstatus:
      return readStatus(h)
    case Csr.misa:
      // MXL = 64; A C D F I M S U, and N.
      return (<u64>2 << 62) | 0x14112d | (hasExtension(EXT_N) ? 1 << 13 : 0)
    case Csr.medeleg:
      return load<u64>(h, H_MEDELEG)
    case Csr.mideleg:
      return load<u64>(h, H_MIDELEG)
    case Csr.mie:
      return load<u64>(h, H_MIE)
    case Csr.mip:
      updateTimers(h)
      return pendingInterrupts(h)
    case Csr.mtvec:
      return load<u64>(h, H_MTVEC)
    case Csr.mcounteren:
      return isPrivileged19() ? no() : load<u64>(h, H_MCOUNTEREN)
    case Csr.menvcfg:
      return isPrivileged19() ? no() : load<u64>(h, H_MENVCFG)
    case Csr.mcountinhibit:
      // 1.9.1 has mucounteren here.
      return isPrivileged19() ? load<u64>(h, H_MUCOUNTEREN) : load<u64>(h, H_MCOUNTINHIBIT)
    case Csr.mscounteren:
      return isPrivileged19() ? load<u64>(h, H_MSCOUNTEREN) : no()
    case Csr.mscratch:
      return load<u64>(h, H_MSCRATCH)
    case Csr.mepc:
      return load<u64>(h, H_MEPC)
    case Csr.mcause:
      return load<u64>(h, H_MCAUSE)
    case Csr.mtval:
      return load<u64>(h, H_MTVAL)
    case Csr.mcycle:
      return readCycle(h)
    case Csr.minstret:
      return readInstret(h)
    case Csr.pmpcfg0:
      return load<u64>(h, H_PMPCFG)
    case Csr.pmpcfg2:
      return load<u64>(h, H_PMPCFG + 8)
    case Csr.tselect:
    case Csr.tdata1:
    case Csr.tdata2:
    case Csr.tdata3:
      // No triggers: tselect holds 0, and type 0 says that there is none.
      return 0
    case Csr.tinfo:
      return 1
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
      return readUser(h, number)
    case Csr.suist:
      return hasExtension(EXT_UINTC) ? load<u64>(h, H_SUIST) : no()
    case Csr.suirs:
      return hasExtension(EXT_UINTC) ? load<u64>(h, H_SUIRS) : no()
    case Csr.suicfg:
      return hasExtension(EXT_UINTC) ? load<u64>(h, H_SUICFG) : no()
    case Csr.pollen_request:
      return load<u64>(h, H_REQUEST)
    default:
      return no()
  }
}

function writePmpConfig(h: usize, first: u32, value: u64): void {
  for (let i = first; i < first + 8; i++) {
    const old = load<u8>(h + i, H_PMPCFG)
    if (old & 0x80) continue
    let config = <u8>(value >>> ((i - first) << 3)) & 0x9f
    // W without R is reserved: keep the old permissions.
    if ((config & 3) == 2) config = (config & ~3) | (old & 3)
    store<u8>(h + i, config, H_PMPCFG)
  }
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
  flush(h)
}

function writeSatp(h: usize, value: u64): void {
  const mode = value >>> 60
  if (!isPrivileged19() && mode != 0 && mode != 8 && mode != 9) return
  store<u64>(h, isPrivileged19() ? value & 0xfff_ffff_ffff : value, H_SATP)
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
    illegal = true
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
      if (load<u8>(h, H_FS) == 0) illegal = true
      else {
        store<u32>(h, <u32>value & 31, H_FFLAGS)
        store<u8>(h, 3, H_FS)
      }
      break
    case Csr.frm:
      if (load<u8>(h, H_FS) == 0) illegal = true
      else {
        store<u32>(h, <u32>value & 7, H_FRM)
        store<u8>(h, 3, H_FS)
      }
      break
    case Csr.fcsr:
      if (load<u8>(h, H_FS) == 0) illegal = true
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
      if (isPrivileged19()) illegal = true
      else store<u64>(h, value & 0xffff_ffff, H_SCOUNTEREN)
      break
    case Csr.senvcfg:
      if (isPrivileged19()) illegal = true
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
      if (privilege(h) == SUPERVISOR && (load<u64>(h, H_MSTATUS) & TVM) != 0) illegal = true
      else writeSatp(h, value)
      break
    case Csr.stimecmp:
      if (supervisorTimerAllowed(h)) {
        store<u64>(h, value, H_STIMECMP)
        updateTimers(h)
      } else illegal = true
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
      writeInterruptBits(h, H_MIP_SOFTWARE, value, 0x202 | timer | userInterrupts())
      break
    }
    case Csr.mtvec:
      writeVector(h, H_MTVEC, value)
      break
    case Csr.mcounteren:
      if (isPrivileged19()) illegal = true
      else store<u64>(h, value & 0xffff_ffff, H_MCOUNTEREN)
      break
    case Csr.menvcfg:
      if (isPrivileged19()) illegal = true
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
      else illegal = true
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
      else illegal = true
      break
    case Csr.suirs:
      if (hasExtension(EXT_UINTC)) store<u64>(h, value & 0x8000_0000_0000_ffff, H_SUIRS)
      else illegal = true
      break
    case Csr.suicfg:
      if (hasExtension(EXT_UINTC)) store<u64>(h, value, H_SUICFG)
      else illegal = true
      break
    case Csr.pollen_request:
      giveBack(h)
      store<u64>(h, value, H_REQUEST)
      break
    default:
      illegal = true
  }
}

export const enum CsrOperation {
  write = 0,
  set = 1,
  clear = 2,
}

/** Registers whose change can make an interrupt deliverable or move the code under pc. */
function mayEnableOrRemap(number: i32): bool {
  if (number >= Csr.pmpcfg0 && number < Csr.pmpaddr0 + 16) return true
  switch (number) {
    case Csr.ustatus:
    case Csr.uie:
    case Csr.uip:
    case Csr.utimecmp:
    case Csr.sideleg:
    case Csr.sstatus:
    case Csr.sie:
    case Csr.sip:
    case Csr.stimecmp:
    case Csr.satp:
    case Csr.mstatus:
    case Csr.mideleg:
    case Csr.mie:
    case Csr.menvcfg:
    case Csr.mip:
      return true
    default:
      return false
  }
}

/** One csrr* instruction: the old value, with `illegal` set when it must trap. `writes` is false for csrrs/csrrc with x0 or 0. */
export function executeCsr(h: usize, number: i32, operation: CsrOperation, operand: u64, writes: bool): u64 {
  illegal = false
  if (<u32>((number >>> 8) & 3) > privilege(h) || (writes && number >>> 10 == 3)) return no()
  const old = readCsr(h, number)
  if (illegal || !writes) return old
  // Read-modify-write of mip sees only the software SEIP and STIP, not the wires (Privileged 1.12, 3.1.9).
  const base = number == Csr.mip || number == Csr.sip || number == Csr.uip ? load<u64>(h, H_MIP_SOFTWARE) : old
  const value = operation == CsrOperation.write ? operand : operation == CsrOperation.set ? base | operand : base & ~operand
  writeCsr(h, number, value)
  if (mayEnableOrRemap(number)) attend(h)
  return old
}

/** True for a register that exists; those of the float unit do while it is off, too. */
export function hasCsr(h: usize, number: i32): bool {
  if (number == Csr.fflags || number == Csr.frm || number == Csr.fcsr) return true
  illegal = false
  readCsr(h, number)
  return !illegal
}

/** Writes a register past all permission; false when there is none of that number. */
export function writeCsrForDebugger(h: usize, number: i32, value: u64): bool {
  illegal = false
  writeCsr(h, number, value)
  return !illegal
}
