// Starting, stopping and suspending harts (SBI 1.0, chapter 9).
import { FIRMWARE_BASE } from './board-virt'
import { MACHINE_SOFTWARE, MIE, MIP, MSTATUS, MSTATUS_FS_INITIAL, MSTATUS_SIE, MSTATUS_SPIE, MSTATUS_SPP, SUPERVISOR_SOFTWARE } from './csr'
import {
  CLAIMED,
  STARTED,
  START_PENDING,
  STOPPED,
  SUSPENDED,
  arrive,
  changeState,
  exists,
  lower,
  raise,
  setStart,
  setState,
  startAddress,
  startOpaque,
  stateOf,
  takeReasons,
} from './harts'
import { translateNothing } from './privileged'
import { ALREADY_AVAILABLE, INVALID_ADDRESS, INVALID_PARAMETER, NOT_SUPPORTED, SUCCESS, give } from './result'
import { setTimer } from './timer'

@external('env', 'enterSupervisor') declare function enterSupervisor(address: u64, a0: u64, a1: u64): void
@external('env', 'firmwareEnd') declare function firmwareEnd(): u64

const SUSPEND_RETENTIVE: u32 = 0
const SUSPEND_NON_RETENTIVE: u32 = 0x80000000
const FIRST_PLATFORM_SUSPEND: u32 = 0x10000000

/** Bit of the state table's CLAIMED that no caller of the SBI sees. */
const STATE_MASK: u32 = 0xff

export function hartStart(hart: u64, address: u64, opaque: u64): i64 {
  if (!exists(hart)) return INVALID_PARAMETER
  if (!startable(address)) return INVALID_ADDRESS
  const target = <u32>hart
  if (!changeState(target, STOPPED, CLAIMED)) return ALREADY_AVAILABLE
  setStart(target, address, opaque)
  setState(target, START_PENDING)
  raise(target)
  return SUCCESS
}

/** Stops the calling hart; comes back in S-mode when another starts it. */
export function hartStop(): i64 {
  const hart = <u32>cpu.hartId()
  setState(hart, STOPPED)
  waitForStart()
  return SUCCESS
}

export function hartStatus(hart: u64): i64 {
  return exists(hart) ? give(stateOf(<u32>hart) & STATE_MASK) : INVALID_PARAMETER
}

export function hartSuspend(kind: u32, address: u64, opaque: u64): i64 {
  const retentive = kind == SUSPEND_RETENTIVE
  if (!retentive && kind != SUSPEND_NON_RETENTIVE) {
    return (kind & 0x7fffffff) < FIRST_PLATFORM_SUSPEND ? INVALID_PARAMETER : NOT_SUPPORTED
  }
  if (!retentive && !startable(address)) return INVALID_ADDRESS
  const hart = <u32>cpu.hartId()
  setState(hart, SUSPENDED)
  // Wakes at what S-mode has enabled, and at what other harts ask of the firmware, which the trap after the return serves.
  cpu.wfi()
  setState(hart, STARTED)
  if (!retentive) enter(address, opaque)
  return SUCCESS
}

/** Where every hart but the first begins, and every stopped one waits. */
export function waitForStart(): void {
  const hart = <u32>cpu.hartId()
  arrive(hart)
  cpu.csrWrite(MIE, MACHINE_SOFTWARE)
  while (true) {
    lower(hart)
    if (stateOf(hart) == START_PENDING) break
    cpu.wfi()
  }
  // What was meant for the life before is over.
  takeReasons(hart)
  cpu.csrClear(MIP, SUPERVISOR_SOFTWARE)
  setTimer(<u64>-1)
  cpu.csrSet(MIE, MACHINE_SOFTWARE)
  setState(hart, STARTED)
  enter(startAddress(hart), startOpaque(hart))
}

/** Into S-mode with the registers that the SBI promises. */
export function enter(address: u64, opaque: u64): void {
  translateNothing()
  cpu.csrClear(MSTATUS, MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP)
  cpu.csrSet(MSTATUS, MSTATUS_FS_INITIAL)
  enterSupervisor(address, cpu.hartId(), opaque)
}

function startable(address: u64): bool {
  return (address & 1) == 0 && (address < FIRMWARE_BASE || address >= firmwareEnd())
}
