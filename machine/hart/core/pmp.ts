/** Physical memory protection: 16 entries (Privileged 1.12, 3.7). */
import { H_PMPADDR, H_PMPCFG } from '../layout'
import { MACHINE } from './state'

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

/** Checks `size` bytes at a physical address for an access by a privilege. */
export function pmpCheck(h: usize, address: u64, size: u64, access: u32, privilege: u32): Pmp {
  const pageStart = address & ~0xfff
  const pageEnd = pageStart + 0x1000
  let partial = false
  for (let i: u32 = 0; i < 16; i++) {
    const config = <u32>load<u8>(h + i, H_PMPCFG)
    const mode = (config >>> 3) & 3
    if (mode == 0) continue
    const raw = load<u64>(h + (i << 3), H_PMPADDR)
    let start: u64
    let end: u64
    if (mode == 1) {
      start = i == 0 ? 0 : load<u64>(h + ((i - 1) << 3), H_PMPADDR) << 2
      end = raw << 2
    } else if (mode == 2) {
      start = raw << 2
      end = start + 4
    } else {
      // NAPOT: the run of low ones gives the size; all ones covers everything.
      const ones = ctz(~raw)
      const bytes: u64 = ones >= 54 ? 0 : <u64>8 << ones
      start = ones >= 54 ? 0 : (raw & ~((<u64>1 << ones) - 1)) << 2
      end = ones >= 54 ? <u64>-1 : start + bytes
    }
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
