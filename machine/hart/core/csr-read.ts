/** What each control and status register reads. Numbers are those of machine/isa/csrs.ts. */
import {
  EXT_N,
  EXT_UINTC,
  H_FFLAGS,
  H_FRM,
  H_FS,
  H_ID,
  H_MCAUSE,
  H_MCOUNTEREN,
  H_MCOUNTINHIBIT,
  H_MEDELEG,
  H_MENVCFG,
  H_MEPC,
  H_MIDELEG,
  H_MIE,
  H_MSCOUNTEREN,
  H_MSCRATCH,
  H_MSTATUS,
  H_MTVAL,
  H_MTVEC,
  H_MUCOUNTEREN,
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
  SSTATUS_VISIBLE,
  counterEnabled,
  illegal,
  readCycle,
  readInstret,
  readStatus,
  refuse,
  supervisorTimerAllowed,
  userView,
} from './csr-status'
import { Csr } from './generated/csrs'
import { SUPERVISOR, hasExtension, isPrivileged19, privilege, timeNow } from './state'
import { updateTimers } from './timers'
import { TVM, UIE, UPIE, pendingInterrupts } from './trap'

function readFcsr(h: usize, value: u64): u64 {
  return load<u8>(h, H_FS) == 0 ? refuse() : value
}

function readUser(h: usize, number: i32): u64 {
  if (!hasExtension(EXT_N)) return refuse()
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
  if (number >= Csr.pmpcfg0 && number < Csr.pmpaddr0 + 16 && isPrivileged19()) return refuse()
  if (number >= Csr.pmpaddr0 && number < Csr.pmpaddr0 + 16) return load<u64>(h + ((number - Csr.pmpaddr0) << 3), H_PMPADDR)
  if (number >= Csr.pollen_trace0 && number < Csr.pollen_trace0 + 64) return 0
  if (number >= Csr.mhpmcounter3 && number < Csr.mhpmcounter3 + 29) return 0
  if (number >= Csr.hpmcounter3 && number < Csr.hpmcounter3 + 29) return counterEnabled(h, number & 31) ? 0 : refuse()
  if (number >= Csr.mhpmevent3 && number < Csr.mhpmevent3 + 29) return 0
  switch (number) {
    case Csr.fflags:
      return readFcsr(h, load<u32>(h, H_FFLAGS))
    case Csr.frm:
      return readFcsr(h, load<u32>(h, H_FRM))
    case Csr.fcsr:
      return readFcsr(h, load<u32>(h, H_FFLAGS) | (load<u32>(h, H_FRM) << 5))
    case Csr.cycle:
      return counterEnabled(h, 0) ? readCycle(h) : refuse()
    case Csr.time:
      return counterEnabled(h, 1) && !isPrivileged19() ? timeNow(h) : refuse()
    case Csr.instret:
      return counterEnabled(h, 2) ? readInstret(h) : refuse()
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
      return isPrivileged19() ? refuse() : load<u64>(h, H_SCOUNTEREN)
    case Csr.senvcfg:
      return isPrivileged19() ? refuse() : load<u64>(h, H_SENVCFG)
    case Csr.sscratch:
      return load<u64>(h, H_SSCRATCH)
    case Csr.sepc:
      return load<u64>(h, H_SEPC)
    case Csr.scause:
      return load<u64>(h, H_SCAUSE)
    case Csr.stval:
      return load<u64>(h, H_STVAL)
    case Csr.satp:
      return privilege(h) == SUPERVISOR && (load<u64>(h, H_MSTATUS) & TVM) != 0 ? refuse() : load<u64>(h, H_SATP)
    case Csr.stimecmp:
      return supervisorTimerAllowed(h) ? load<u64>(h, H_STIMECMP) : refuse()
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
      return isPrivileged19() ? refuse() : load<u64>(h, H_MCOUNTEREN)
    case Csr.menvcfg:
      return isPrivileged19() ? refuse() : load<u64>(h, H_MENVCFG)
    case Csr.mcountinhibit:
      // 1.9.1 has mucounteren here.
      return isPrivileged19() ? load<u64>(h, H_MUCOUNTEREN) : load<u64>(h, H_MCOUNTINHIBIT)
    case Csr.mscounteren:
      return isPrivileged19() ? load<u64>(h, H_MSCOUNTEREN) : refuse()
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
      return hasExtension(EXT_UINTC) ? load<u64>(h, H_SUIST) : refuse()
    case Csr.suirs:
      return hasExtension(EXT_UINTC) ? load<u64>(h, H_SUIRS) : refuse()
    case Csr.suicfg:
      return hasExtension(EXT_UINTC) ? load<u64>(h, H_SUICFG) : refuse()
    case Csr.pollen_request:
      return load<u64>(h, H_REQUEST)
    default:
      return refuse()
  }
}
