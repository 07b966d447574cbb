// Hands a fault of S or U, or one that the firmware met on behalf of S-mode, to S-mode, as if the hart had done so.
import { MEPC, MSTATUS, MSTATUS_MPP_SHIFT, MSTATUS_SIE, MSTATUS_SPIE, MSTATUS_SPP, MTVAL, SCAUSE, SEPC, STVAL, STVEC } from './csr'

const MPP: u64 = 3 << MSTATUS_MPP_SHIFT
const MPP_SUPERVISOR: u64 = 1 << MSTATUS_MPP_SHIFT

/** mepc has gone `behind` bytes beyond the instruction. The fault's address is in mtval. */
export function reflect(cause: u64, behind: u64): void {
  cpu.csrWrite(SCAUSE, cause)
  cpu.csrWrite(SEPC, cpu.csrRead(MEPC) - behind)
  cpu.csrWrite(STVAL, cpu.csrRead(MTVAL))
  const status = cpu.csrRead(MSTATUS)
  const previous = (status & MPP) == MPP_SUPERVISOR ? MSTATUS_SPP : 0
  const kept = status & ~(MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MPP)
  cpu.csrWrite(MSTATUS, kept | previous | MPP_SUPERVISOR | ((status & MSTATUS_SIE) << 4))
  cpu.csrWrite(MEPC, cpu.csrRead(STVEC) & ~3)
}
