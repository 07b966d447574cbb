// The supervisor's timer: by stimecmp where the hart has Sstc, or else by the machine timer, which trap.ts turns into STIP.
import { MTIMECMP } from './board-virt'
import { MACHINE_TIMER, MIE, MIP, STIMECMP, SUPERVISOR_TIMER } from './csr'

@external('env', 'enableSupervisorTimer') declare function enableSupervisorTimer(): u64

// Written by every hart alike while it starts.
let hasSstc: bool = false

export function initializeTimer(): void {
  hasSstc = enableSupervisorTimer() != 0
  setTimer(<u64>-1)
}

/** SBI 1.0, 6.1: the next timer interrupt comes at `time`; one that is pending goes away. */
export function setTimer(time: u64): void {
  if (hasSstc) {
    cpu.csrWrite(STIMECMP, time)
    return
  }
  cpu.csrClear(MIP, SUPERVISOR_TIMER)
  cpu.store64(MTIMECMP + (<u32>cpu.hartId() << 3), time)
  cpu.csrSet(MIE, MACHINE_TIMER)
}

/** The machine timer is the supervisor's: hand it on, and be quiet until the next is set. */
export function timerExpired(): void {
  cpu.csrClear(MIE, MACHINE_TIMER)
  cpu.csrSet(MIP, SUPERVISOR_TIMER)
}
