// Ends of the machine: what the SBI's system reset asks for, and the firmware's own when it cannot go on.
import { FINISHER, FINISH_FAIL, FINISH_PASS, FINISH_RESET } from './board-virt'
import { print, printHex } from './console'
import { CAUSE_INTERRUPT, MEPC, MTVAL } from './csr'
import { INVALID_PARAMETER } from './result'

const SHUTDOWN: u64 = 0
const WARM_REBOOT: u64 = 2
const SYSTEM_FAILURE: u64 = 1

/** SBI 1.0, chapter 10; comes back only with an error. */
export function systemReset(kind: u64, reason: u64): i64 {
  if (<u32>kind > WARM_REBOOT || <u32>reason > SYSTEM_FAILURE) return INVALID_PARAMETER
  if (<u32>kind != SHUTDOWN) return finish(FINISH_RESET)
  return finish(<u32>reason == SYSTEM_FAILURE ? FINISH_FAIL | (1 << 16) : FINISH_PASS)
}

export function finish(command: u32): i64 {
  cpu.store32(FINISHER, command)
  while (true) cpu.wfi()
}

/** A trap that the firmware has no answer to: says so in one line and ends the machine with a failure. */
export function unexpectedTrap(cause: u64): void {
  print('firmware: hart ')
  printHex(cpu.hartId())
  print((cause & CAUSE_INTERRUPT) != 0 ? ': unexpected interrupt ' : ': unexpected trap, cause ')
  printHex(cause & ~CAUSE_INTERRUPT)
  print(', pc ')
  printHex(cpu.csrRead(MEPC))
  print(', value ')
  printHex(cpu.csrRead(MTVAL))
  print('\n')
  finish(FINISH_FAIL | (1 << 16))
}
