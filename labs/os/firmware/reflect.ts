// Hands a fault that the firmware met on behalf of S-mode to S-mode, as if its own instruction had caused it.
import { MEPC, MSTATUS, MSTATUS_SIE, MSTATUS_SPIE, MSTATUS_SPP, MTVAL, SCAUSE, SEPC, STVAL, STVEC } from './csr'

/** mepc has gone `behind` bytes beyond the instruction. The fault's address is in mtval. */
export function reflect(cause: u64, behind: u64): void {
  cpu.csrWrite(SCAUSE, cause)
  cpu.csrWrite(SEPC, cpu.csrRead(MEPC) - behind)
  cpu.csrWrite(STVAL, cpu.csrRead(MTVAL))
  const status = cpu.csrRead(MSTATUS)
  // Calls come from S-mode alone.
  cpu.csrWrite(MSTATUS, (status & ~(MSTATUS_SIE | MSTATUS_SPIE)) | MSTATUS_SPP | ((status & MSTATUS_SIE) << 4))
  cpu.csrWrite(MEPC, cpu.csrRead(STVEC) & ~3)
}
