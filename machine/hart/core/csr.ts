/** The CSR instructions: permission, read-modify-write, and who must look up afterwards. */
import { H_MIP_SOFTWARE } from '../layout'
import { readCsr } from './csr-read'
import { allow, illegal, refuse } from './csr-status'
import { writeCsr } from './csr-write'
import { Csr } from './generated/csrs'
import { attend, privilege } from './state'

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
  allow()
  if (<u32>((number >>> 8) & 3) > privilege(h) || (writes && number >>> 10 == 3)) return refuse()
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
  allow()
  readCsr(h, number)
  return !illegal
}

/** Writes a register past all permission; false when there is none of that number. */
export function writeCsrForDebugger(h: usize, number: i32, value: u64): bool {
  allow()
  writeCsr(h, number, value)
  return !illegal
}
