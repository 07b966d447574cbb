/** Virtual to physical: Sv39 and Sv48 page walks with A/D update (Privileged 1.12, 4.3..4.5), and the physical checks around them. */
import { GLOBAL, G_RAM_BASE, G_RAM_OFFSET, G_RAM_SIZE, G_UNCACHED, H_MSTATUS, H_SATP } from '../layout'
import { Pmp, PMP_EXECUTE, PMP_READ, PMP_WRITE, pmpCheck } from './pmp'
import { MACHINE, SUPERVISOR, USER, isPrivileged19, privilege } from './state'
import { Cause, MPRV, MXR, SUM } from './trap'

/** What an access wants; also the index into the fault tables below. */
export const enum Access {
  read = 0,
  write = 1,
  execute = 2,
}

const PTE_V: u64 = 1
const PTE_R: u64 = 2
const PTE_W: u64 = 4
const PTE_X: u64 = 8
const PTE_U: u64 = 16
const PTE_A: u64 = 64
const PTE_D: u64 = 128
const PTE_PPN: u64 = 0x003f_ffff_ffff_fc00
const PTE_RESERVED: u64 = 0xffc0_0000_0000_0000

/** Results of the last `translate`. */
export let faultCause: u64 = 0
/** The whole page shares the answer, so it may be cached. */
export let wholePage: bool = false
/** A later store to the page would need neither a walk nor a D update. */
export let alsoWritable: bool = false

/** Linear-memory address of `size` bytes of RAM at a physical address, or 0 when they are not all RAM. */
@inline export function ramPointer(address: u64, size: u64): usize {
  const offset = address - load<u64>(GLOBAL + G_RAM_BASE)
  const end = load<u64>(GLOBAL + G_RAM_SIZE)
  return offset < end && size <= end - offset ? load<u32>(GLOBAL + G_RAM_OFFSET) + <usize>offset : 0
}

/** The RAM behind its uncached alias; other addresses as they are. */
export function withoutAlias(address: u64): u64 {
  const alias = load<u64>(GLOBAL + G_UNCACHED)
  const offset = address - alias
  return alias != 0 && offset < load<u64>(GLOBAL + G_RAM_SIZE) ? load<u64>(GLOBAL + G_RAM_BASE) + offset : address
}

/** The privilege that loads and stores act with (MPRV). */
export function dataPrivilege(h: usize): u32 {
  const status = load<u64>(h, H_MSTATUS)
  return (status & MPRV) != 0 ? <u32>((status >>> 11) & 3) : privilege(h)
}

/** Levels of the page table in force for a privilege; 0 when addresses are physical. */
export function translationLevels(h: usize, actingPrivilege: u32): u32 {
  if (actingPrivilege == MACHINE) return 0
  if (isPrivileged19()) return ((load<u64>(h, H_MSTATUS) >>> 24) & 31) == 9 ? 3 : 0
  const mode = load<u64>(h, H_SATP) >>> 60
  return mode == 8 ? 3 : mode == 9 ? 4 : 0
}

@inline function pageFault(access: Access): u64 {
  if (isPrivileged19()) return accessFault(access)
  return access == Access.read ? Cause.loadPage : access == Access.write ? Cause.storePage : Cause.fetchPage
}

@inline function accessFault(access: Access): u64 {
  return access == Access.read ? Cause.loadAccess : access == Access.write ? Cause.storeAccess : Cause.fetchAccess
}

@inline function pmpAccess(access: Access): u32 {
  return access == Access.read ? PMP_READ : access == Access.write ? PMP_WRITE : PMP_EXECUTE
}

const FAILED: u64 = <u64>-1

/** Translates `size` bytes that lie in one page. All ones on a fault: then `faultCause` says which. Physical addresses are 56 bits, so no address is all ones. */
export function translate(h: usize, address: u64, size: u64, access: Access, acting: u32): u64 {
  const levels = translationLevels(h, acting)
  alsoWritable = access == Access.write
  let physical = address
  if (levels != 0) {
    physical = walk(h, address, levels, access, acting)
    if (physical == FAILED) return FAILED
  } else {
    alsoWritable = true
    // Physical addresses are 56 bits wide; nothing lives above.
    if (address >>> 56 != 0) {
      faultCause = accessFault(access)
      return FAILED
    }
  }
  const allowed = pmpCheck(h, physical, size, pmpAccess(access), acting)
  if (allowed == Pmp.denied) {
    faultCause = accessFault(access)
    return FAILED
  }
  wholePage = allowed == Pmp.allowed
  if (alsoWritable && access == Access.read) alsoWritable = wholePage && pmpCheck(h, physical, size, PMP_WRITE, acting) == Pmp.allowed
  return physical
}

function walk(h: usize, address: u64, levels: u32, access: Access, acting: u32): u64 {
  const bits = 12 + 9 * levels
  faultCause = pageFault(access)
  if (<u64>((<i64>address << (64 - bits)) >> (64 - bits)) != address) return FAILED
  const status = load<u64>(h, H_MSTATUS)
  let table = (load<u64>(h, H_SATP) & 0xfff_ffff_ffff) << 12
  for (let level = <i32>levels - 1; level >= 0; level--) {
    const shift = 12 + 9 * level
    const entry = table + (((address >>> shift) & 511) << 3)
    const pointer = ramPointer(entry, 8)
    if (pointer == 0 || pmpCheck(h, entry, 8, PMP_READ, SUPERVISOR) == Pmp.denied) {
      faultCause = accessFault(access)
      return FAILED
    }
    let pte = load<u64>(pointer)
    if ((pte & PTE_V) == 0 || (pte & PTE_RESERVED) != 0 || ((pte & PTE_R) == 0 && (pte & PTE_W) != 0)) return FAILED
    if ((pte & (PTE_R | PTE_X)) == 0) {
      if ((pte & (PTE_A | PTE_D | PTE_U)) != 0) return FAILED
      table = (pte & PTE_PPN) << 2
      continue
    }
    if (acting == USER) {
      if ((pte & PTE_U) == 0) return FAILED
    } else if ((pte & PTE_U) != 0) {
      // 1.9.1 has PUM where 1.12 has SUM, with the opposite sense.
      const mayTouchUser = ((status & SUM) != 0) != isPrivileged19()
      if (!mayTouchUser || (access == Access.execute && !isPrivileged19())) return FAILED
    }
    if (access == Access.execute) {
      if ((pte & PTE_X) == 0) return FAILED
    } else if (access == Access.write) {
      if ((pte & PTE_W) == 0) return FAILED
    } else if ((pte & PTE_R) == 0 && !((status & MXR) != 0 && (pte & PTE_X) != 0)) return FAILED
    const offsetMask = (<u64>1 << shift) - 1
    if (((pte & PTE_PPN) << 2) & offsetMask) return FAILED
    const wanted = PTE_A | (access == Access.write ? PTE_D : 0)
    if ((pte & wanted) != wanted) {
      if (pmpCheck(h, entry, 8, PMP_WRITE, SUPERVISOR) == Pmp.denied) {
        faultCause = accessFault(access)
        return FAILED
      }
      pte |= wanted
      store<u64>(pointer, pte)
    }
    alsoWritable = (pte & (PTE_W | PTE_D)) == (PTE_W | PTE_D)
    return ((pte & PTE_PPN) << 2) | (address & offsetMask)
  }
  return FAILED
}
