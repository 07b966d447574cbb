// The firmware: starts the harts, hands over to the next stage in S-mode, and serves its traps afterwards. entry.S calls what is
// exported here.
import { FIRMWARE_BASE, PAYLOAD } from './board-virt'
import {
  CAUSE_MACHINE_SOFTWARE,
  CAUSE_MACHINE_TIMER,
  CAUSE_SUPERVISOR_CALL,
  MACHINE_SOFTWARE,
  MEDELEG,
  MIDELEG,
  MIE,
  MIP,
  SUPERVISOR_SOFTWARE,
} from './csr'
import { hartsInTree, reserve } from './device-tree'
import { serveFence } from './fence'
import { MAX_HARTS, REASON_INTERRUPT, STARTED, STOPPED, arrive, lower, setPresent, setState, takeReasons } from './harts'
import { enter, waitForStart as wait } from './hsm'
import { DELEGATED_EXCEPTIONS, hide, openToSupervisor } from './privileged'
import { unexpectedTrap } from './reset'
import { call } from './sbi'
import { initializeTimer, timerExpired } from './timer'

@external('env', 'firmwareEnd') declare function firmwareEnd(): u64

// Those of S, and those of U where the hart has the N extension; the register keeps what it can.
const DELEGATED_INTERRUPTS: u64 = 0x333

// fw_dynamic's description of the next stage: magic, version, address, mode.
const DESCRIPTION_MAGIC: u64 = 0x4942534f
const DESCRIPTION_ADDRESS: usize = 16
const DESCRIPTION_MODE: usize = 24
const MODE_SUPERVISOR: u64 = 1

let firstTree: u64 = 0
let firstAddress: u64 = PAYLOAD

/** Once, on the first hart, before all else. */
export function prepare(tree: u64, description: u64): void {
  firstTree = tree
  if (isPointer(description) && load<u64>(<usize>description) == DESCRIPTION_MAGIC) {
    if (load<u64>(<usize>description, DESCRIPTION_MODE) == MODE_SUPERVISOR) firstAddress = load<u64>(<usize>description, DESCRIPTION_ADDRESS)
  }
  for (let hart: u32 = 0; hart < MAX_HARTS; hart++) setState(hart, STOPPED)
  setState(<u32>cpu.hartId(), STARTED)
  if (isPointer(tree)) {
    setPresent(hartsInTree(<usize>tree))
    reserve(<usize>tree, FIRMWARE_BASE, firmwareEnd() - FIRMWARE_BASE)
  }
}

/** In RAM, and so that a doubleword can be read. */
function isPointer(address: u64): bool {
  return address >= FIRMWARE_BASE && address < 0x100000000 && (address & 7) == 0
}

/** The first hart goes on to the next stage. */
export function startFirst(): void {
  arrive(<u32>cpu.hartId())
  initializeHart()
  enter(firstAddress, firstTree)
}

/** The others wait until S-mode starts them. */
export function waitForStart(): void {
  initializeHart()
  wait()
}

function initializeHart(): void {
  cpu.csrWrite(MEDELEG, DELEGATED_EXCEPTIONS)
  cpu.csrWrite(MIDELEG, DELEGATED_INTERRUPTS)
  openToSupervisor()
  initializeTimer()
  cpu.csrSet(MIE, MACHINE_SOFTWARE)
}

/** Every trap to M-mode. */
export function trap(frame: usize, cause: u64): void {
  if (hide(frame, cause)) return
  if (cause == CAUSE_SUPERVISOR_CALL) call(frame)
  else if (cause == CAUSE_MACHINE_SOFTWARE) {
    const hart = <u32>cpu.hartId()
    lower(hart)
    if ((takeReasons(hart) & REASON_INTERRUPT) != 0) cpu.csrSet(MIP, SUPERVISOR_SOFTWARE)
    serveFence(hart)
  } else if (cause == CAUSE_MACHINE_TIMER) timerExpired()
  else unexpectedTrap(cause)
}
