/** Physical memory protection: 16 entries (Privileged 1.12, 3.7). */
import { H_PMPADDR, H_PMPCFG, H_PMP_ACCESS, H_PMP_END, H_PMP_FIRST } from '../layout'
import { MACHINE, isPrivileged19 } from './state'

export const enum Pmp {
  denied = 0,
  allowed = 1,
  /** Allowed for these bytes, but not all bytes of the page share the answer. */
  allowedPartly = 2,
}

/** Access bits as in a configuration byte. */
export const PMP_READ: u32 = 1
export const PMP_WRITE: u32 = 2
export const PMP_EXECUTE: u32 = 4
const LOCKED: u32 = 0x80

const PAGE: u64 = 0x1000

/** What `readEntry` found: the bytes that an entry covers; none when start is not below end. */
let start: u64 = 0
let end: u64 = 0

function readEntry(h: usize, index: u32, config: u32): void {
  const mode = (config >>> 3) & 3
  const raw = load<u64>(h + (index << 3), H_PMPADDR)
  if (mode == 0) {
    start = end = 0
  } else if (mode == 1) {
    start = index == 0 ? 0 : load<u64>(h + ((index - 1) << 3), H_PMPADDR) << 2
    end = raw << 2
  } else if (mode == 2) {
    start = raw << 2
    end = start + 4
  } else {
    // NAPOT: the run of low ones gives the size; all ones covers everything.
    const ones = ctz(~raw)
    start = ones >= 54 ? 0 : (raw & ~((<u64>1 << ones) - 1)) << 2
    end = ones >= 54 ? <u64>-1 : start + (<u64>8 << ones)
  }
}

/** Forgets what `remember` found: the registers changed. */
export function forgetProtection(h: usize): void {
  store<u64>(h, 0, H_PMP_END)
}

/** Finds the pages around an address that share its answer for S and U: page walks ask four times for each TLB miss. */
function remember(h: usize, address: u64): void {
  let first: u64 = 0
  let last: u64 = <u64>-1
  let access: u32 = 0
  for (let i: u32 = 0; i < 16; i++) {
    const config = <u32>load<u8>(h + i, H_PMPCFG)
    readEntry(h, i, config)
    if (start >= end) continue
    if (address >= end) first = max(first, end)
    else if (address < start) last = min(last, start)
    else {
      first = max(first, start)
      last = min(last, end)
      access = config & (PMP_READ | PMP_WRITE | PMP_EXECUTE)
      break
    }
  }
  store<u64>(h, (first + PAGE - 1) & ~(PAGE - 1), H_PMP_FIRST)
  store<u64>(h, last & ~(PAGE - 1), H_PMP_END)
  store<u32>(h, access, H_PMP_ACCESS)
}

/** Checks `size` bytes of one page at a physical address for an access by a privilege. */
export function pmpCheck(h: usize, address: u64, size: u64, access: u32, privilege: u32): Pmp {
  // 1.9.1 knows no protection of physical memory.
  if (isPrivileged19()) return Pmp.allowed
  const pageStart = address & ~(PAGE - 1)
  const pageEnd = pageStart + PAGE
  if (privilege != MACHINE) {
    if (pageStart < load<u64>(h, H_PMP_FIRST) || pageEnd > load<u64>(h, H_PMP_END)) remember(h, address)
    if (pageStart >= load<u64>(h, H_PMP_FIRST) && pageEnd <= load<u64>(h, H_PMP_END))
      return (load<u32>(h, H_PMP_ACCESS) & access) == access ? Pmp.allowed : Pmp.denied
  }
  let partial = false
  for (let i: u32 = 0; i < 16; i++) {
    const config = <u32>load<u8>(h + i, H_PMPCFG)
    readEntry(h, i, config)
    if (start >= end) continue
    if (address + size <= start || address >= end) {
      // The entry misses these bytes; it still splits the page when it covers others of it.
      if (start < pageEnd && end > pageStart) partial = true
      continue
    }
    if (address < start || address + size > end) return Pmp.denied
    if (start > pageStart || end < pageEnd) partial = true
    const binding = privilege != MACHINE || (config & LOCKED) != 0
    if (binding && (config & access) != access) return Pmp.denied
    return partial ? Pmp.allowedPartly : Pmp.allowed
  }
  if (privilege != MACHINE) return Pmp.denied
  return partial ? Pmp.allowedPartly : Pmp.allowed
}
