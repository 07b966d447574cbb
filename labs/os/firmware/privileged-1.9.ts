// What depends on the version of the privileged specification, for harts of 1.9.1 (K210): S-mode finds a hart of today, as far as M-mode
// can pretend one. Stands in the place of privileged.ts where the firmware is built for this board.
//
//   sfence.vma     does not exist: emulated with sfence.vm. satp holds no mode, so this is where a table set in satp comes into force,
//                  always as Sv39; satp = 0 takes it out of force at the next fault, which is the next fetch
//   rdtime         does not exist: emulated with the CLINT's mtime
//   page faults    are access faults: a walk of the page table tells which they are
//   interrupts     from the PLIC reach M-mode only: S-mode gets a software interrupt with stval = 9, claims at the machine context, and
//                  asks for the next by the call 0x0a000005 of RustSBI
import { MEMORY_BASE, MEMORY_END, MTIME } from './board-virt'
import { CAUSE_INTERRUPT, MEPC, MIE, MIP, MSTATUS, MSTATUS_MPP_SHIFT, MTVAL, SATP, STVAL, SUPERVISOR_SOFTWARE } from './csr'
import { reflect } from './reflect'

@external('env', 'fenceVirtualMemory') declare function fenceVirtualMemory(): void
@external('env', 'fetchAsSupervisor') declare function fetchAsSupervisor(address: u64, result: usize): u64

const MUCOUNTEREN: u32 = 0x320
const MSCOUNTEREN: u32 = 0x321

const VM: u64 = 31 << 24
const SV39: u64 = 9 << 24
const PUM: u64 = 1 << 18
const MXR: u64 = 1 << 19

// Misaligned addresses, breakpoints and the calls of U-mode. The others may be what has to be hidden.
export const DELEGATED_EXCEPTIONS: u64 = 0x159

const FETCH_ACCESS: u64 = 1
const ILLEGAL: u64 = 2
const LOAD_ACCESS: u64 = 5
const STORE_ACCESS: u64 = 7
const SUPERVISOR_CALL: u64 = 9
const FETCH_PAGE: u64 = 12
const LOAD_PAGE: u64 = 13
const STORE_PAGE: u64 = 15
const MACHINE_EXTERNAL: u64 = CAUSE_INTERRUPT | 11
const EXTERNAL_ENABLE: u64 = 1 << 11
/** What stval says of a software interrupt that stands for an external one. */
const EXTERNAL_MARK: u64 = 9

/** RustSBI's call for S-mode that is done with an external interrupt. */
const ENABLE_EXTERNAL: u64 = 0x0a000005
const LEGACY_SET_TIMER: u64 = 0
const FRAME_A0: usize = 48
const FRAME_A1: usize = 56
const FRAME_A7: usize = 104

const PTE_V: u64 = 1
const PTE_R: u64 = 2
const PTE_W: u64 = 4
const PTE_X: u64 = 8
const PTE_U: u64 = 16

// A word for what was fetched, for each hart.
const fetched: usize = memory.data(64, 8)

/** Where the frame of entry.S has register x(n), a byte each; those that a trap of cause 2 saves in addition are among them. */
const PLACES = '\0\x00\x01\x12\x02\x03\x04\x05\x13\x14\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x0e\x0f\x10\x11'

/** Gives S-mode its counters. There is no protection of memory to open. */
export function openToSupervisor(): void {
  cpu.csrWrite(MUCOUNTEREN, 7)
  cpu.csrWrite(MSCOUNTEREN, 7)
  fenceVirtualMemory()
}

/** S-mode begins with physical addresses. */
export function translateNothing(): void {
  cpu.csrWrite(SATP, 0)
  cpu.csrClear(MSTATUS, VM)
  fenceVirtualMemory()
}

export function fenceAll(): void {
  adoptTable()
}

export function fencePage(address: u64): void {
  adoptTable()
}

export function fencePageOf(address: u64, space: u64): void {
  adoptTable()
}

export function fenceAllOf(space: u64): void {
  adoptTable()
}

/** What sfence.vma does: the table in satp is the one in force, if there is one. */
function adoptTable(): void {
  const status = cpu.csrRead(MSTATUS) & ~VM
  cpu.csrWrite(MSTATUS, cpu.csrRead(SATP) != 0 ? status | SV39 : status)
  fenceVirtualMemory()
}

/** Serves a trap that hides a lack of the hart; false when the trap is something else. */
export function hide(frame: usize, cause: u64): bool {
  if (cause == MACHINE_EXTERNAL) {
    // Held back until S-mode has claimed it: the PLIC's wire stays up.
    cpu.csrClear(MIE, EXTERNAL_ENABLE)
    cpu.csrWrite(STVAL, EXTERNAL_MARK)
    cpu.csrSet(MIP, SUPERVISOR_SOFTWARE)
    return true
  }
  if (from() > 1) return false
  if (cause == ILLEGAL) return emulate(frame)
  if (cause == FETCH_ACCESS) return hand(cause, FETCH_PAGE, PTE_X)
  if (cause == LOAD_ACCESS) return hand(cause, LOAD_PAGE, PTE_R)
  if (cause == STORE_ACCESS) return hand(cause, STORE_PAGE, PTE_W)
  if (cause != SUPERVISOR_CALL) return false
  const extension = load<u64>(frame, FRAME_A7)
  // As with RustSBI, S-mode that sets its timer by the old call takes external interrupts from then on.
  if (extension == ENABLE_EXTERNAL || extension == LEGACY_SET_TIMER) cpu.csrSet(MIE, EXTERNAL_ENABLE)
  if (extension == ENABLE_EXTERNAL) {
    store<u64>(frame, 0, FRAME_A0)
    store<u64>(frame, 0, FRAME_A1)
    cpu.csrWrite(MEPC, cpu.csrRead(MEPC) + 4)
    return true
  }
  return false
}

/** The privilege that the trap comes from. */
function from(): u64 {
  return (cpu.csrRead(MSTATUS) >>> MSTATUS_MPP_SHIFT) & 3
}

function hand(access: u64, page: u64, right: u64): bool {
  // Translation through a table at 0: what S-mode meant by satp = 0 is no translation, and it is at once that it meant it.
  if (cpu.csrRead(SATP) == 0 && (cpu.csrRead(MSTATUS) & VM) == SV39) {
    adoptTable()
    return true
  }
  reflect(isPageFault(cpu.csrRead(MTVAL), right) ? page : access, 0)
  return true
}

function emulate(frame: usize): bool {
  const at = fetched + (<u32>cpu.hartId() << 3)
  const pc = cpu.csrRead(MEPC)
  if (fetchAsSupervisor(pc, at) != 0) return hand(FETCH_ACCESS, FETCH_PAGE, PTE_X)
  const instruction = load<u32>(at)
  if ((instruction & 0xfe007fff) == 0x12000073 && from() == 1) adoptTable()
  else if ((instruction & 0xfffff07f) == 0xc0102073) setRegister(frame, (instruction >>> 7) & 31, cpu.load64(MTIME))
  else {
    cpu.csrWrite(MTVAL, (instruction & 3) == 3 ? instruction : instruction & 0xffff)
    reflect(ILLEGAL, 0)
    return true
  }
  cpu.csrWrite(MEPC, pc + 4)
  return true
}

function setRegister(frame: usize, register: u32, value: u64): void {
  if (register != 0) store<u64>(frame + (<usize>PLACES.charCodeAt(register) << 3), value)
}

/** Whether the table in force does not allow an access; else the fault is of physical memory. */
function isPageFault(address: u64, right: u64): bool {
  const status = cpu.csrRead(MSTATUS)
  if ((status & VM) != SV39) return false
  if (<u64>((<i64>address << 25) >> 25) != address) return true
  let table = cpu.csrRead(SATP) << 12
  for (let level = 2; level >= 0; level--) {
    const at = table + (((address >>> (12 + 9 * level)) & 511) << 3)
    if (at < MEMORY_BASE || at >= MEMORY_END) return false
    const entry = load<u64>(<usize>at)
    if ((entry & PTE_V) == 0 || (entry & (PTE_R | PTE_W)) == PTE_W) return true
    if ((entry & (PTE_R | PTE_X)) != 0) {
      if (((entry >>> 10) & ((<u64>1 << (9 * level)) - 1)) != 0) return true
      const user = (entry & PTE_U) != 0
      if (from() == 0 ? !user : user && (status & PUM) != 0) return true
      const rights = (status & MXR) != 0 && (entry & PTE_X) != 0 ? entry | PTE_R : entry
      return (rights & right) == 0
    }
    table = ((entry >>> 10) & 0xfffffffffff) << 12
  }
  return true
}
