/** The data TLB (layout.ts draws its entries) and the fetch table: fill, look-up, flush. */
import {
  CONTEXT_MACHINE,
  CONTEXT_SUPERVISOR,
  CONTEXT_SUPERVISOR_SUM,
  CONTEXT_USER,
  COST_TLB_MISS,
  FETCH_TABLE_BYTES,
  FILL_LOG_CAPACITY,
  GLOBAL,
  G_HART_COUNT,
  G_TOHOST,
  G_WATCHPOINTS,
  G_WATCHPOINT_COUNT,
  H_FETCH,
  H_FETCHES,
  H_FILL_COUNT,
  H_FILL_LOG,
  H_MSTATUS,
  H_PRIVILEGE,
  H_TLB,
  H_TLBS,
  TAG_CODE,
  TAG_WATCH,
  TLB_CONTEXT_BYTES,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
} from '../layout'
import { hasCode } from './code'
import { forgetProtection } from './pmp'
import { addStall, cost, hartAddress, MACHINE, SUPERVISOR, USER } from './state'
import { Access, alsoWritable, dataPrivilege, ramPointer, translate, translationLevels, wholePage } from './translate'
import { SUM } from './trap'

const EMPTY: u64 = <u64>-1
const FAILED: u64 = <u64>-1
const PAGE_MASK: u64 = ~(<u64>0xfff)
/** Tag flags beyond those of layout.ts: not RAM; HTIF's `tohost` lies in it. */
const TAG_DEVICE: u64 = 4
const TAG_TOHOST: u64 = 8

/** The one entry that may hold a page. Two bytes of the page number are mixed, so that arrays a power of two apart do not evict each other. */
@inline export function tlbEntry(tlb: usize, address: u64): usize {
  return tlb + ((<usize>(address >>> 7) ^ <usize>(address >>> 15)) & ((TLB_ENTRIES - 1) * TLB_ENTRY_BYTES))
}

/** Points the hart at the TLB and fetch table of its privilege, MPRV and SUM. */
export function updateContext(h: usize): void {
  const acting = dataPrivilege(h)
  let context: u32 = CONTEXT_MACHINE
  if (acting == USER) context = CONTEXT_USER
  else if (acting == SUPERVISOR) context = (load<u64>(h, H_MSTATUS) & SUM) != 0 ? CONTEXT_SUPERVISOR_SUM : CONTEXT_SUPERVISOR
  store<u32>(h, h + H_TLBS + context * TLB_CONTEXT_BYTES, H_TLB)
  const current = load<u32>(h, H_PRIVILEGE)
  store<u32>(h, h + H_FETCHES + (current == MACHINE ? 2 : current) * FETCH_TABLE_BYTES, H_FETCH)
}

/** Forgets every translation of a hart. Costs what it filled: entries are logged as they are filled. */
export function flush(h: usize): void {
  const count = load<i32>(h, H_FILL_COUNT)
  if (count > FILL_LOG_CAPACITY) memory.fill(h + H_TLBS, 0xff, 4 * TLB_CONTEXT_BYTES)
  else {
    for (let i = 0; i < count; i++) {
      const entry = <usize>load<u32>(h + (i << 2), H_FILL_LOG)
      store<u64>(entry, EMPTY)
      store<u64>(entry, EMPTY, 8)
    }
  }
  store<u32>(h, 0, H_FILL_COUNT)
  flushFetches(h)
}

export function flushFetches(h: usize): void {
  memory.fill(h + H_FETCHES, 0xff, 3 * FETCH_TABLE_BYTES)
}

/** Empties all tables whatever they hold: at reset and after a snapshot. */
export function clear(h: usize): void {
  memory.fill(h + H_TLBS, 0xff, 4 * TLB_CONTEXT_BYTES)
  store<u32>(h, 0, H_FILL_COUNT)
  forgetProtection(h)
  flushFetches(h)
}

/** The physical address of bytes within one page, filling the TLB; all ones on a fault (translate.faultCause says which). */
export function resolve(h: usize, address: u64, size: u64, access: Access): u64 {
  const page = address & PAGE_MASK
  const entry = tlbEntry(<usize>load<u32>(h, H_TLB), address)
  const tag = load<u64>(entry + (access == Access.write ? 8 : 0))
  if (tag != EMPTY && (tag & PAGE_MASK) == page) return load<u64>(entry, 24) | (address & 0xfff)

  const acting = dataPrivilege(h)
  if (translationLevels(h, acting) != 0) addStall(h, cost(COST_TLB_MISS))
  const physical = translate(h, address, size, access, acting)
  if (physical == FAILED || !wholePage) return physical
  fill(h, entry, page, physical & PAGE_MASK, access)
  return physical
}

function fill(h: usize, entry: usize, page: u64, physicalPage: u64, access: Access): void {
  const count = load<i32>(h, H_FILL_COUNT)
  if (count < FILL_LOG_CAPACITY) store<u32>(h + (count << 2), <u32>entry, H_FILL_LOG)
  if (count <= FILL_LOG_CAPACITY) store<i32>(h, count + 1, H_FILL_COUNT)

  const pointer = ramPointer(physicalPage, 0x1000)
  store<u32>(entry, <u32>pointer - <u32>page, 16)
  store<u64>(entry, physicalPage, 24)
  // A page that is readable only keeps an empty write tag; one that is writable is always readable.
  tag(entry, page, access == Access.write || alsoWritable)
}

/** Writes the tags of an entry whose physical page is set, with the flags that send accesses through the slow path. */
function tag(entry: usize, page: u64, isWritable: bool): void {
  const physicalPage = load<u64>(entry, 24)
  let readTag = page
  let writeTag = page
  if (ramPointer(physicalPage, 0x1000) == 0) {
    readTag |= TAG_DEVICE
    writeTag |= TAG_DEVICE
  } else if (hasCode(physicalPage)) writeTag |= TAG_CODE
  if (load<u32>(GLOBAL + G_WATCHPOINT_COUNT) != 0 && watched(page, 0x1000)) {
    readTag |= TAG_WATCH
    writeTag |= TAG_WATCH
  }
  const tohost = load<u64>(GLOBAL + G_TOHOST)
  if (tohost != 0 && (tohost & PAGE_MASK) == physicalPage) writeTag |= TAG_TOHOST
  store<u64>(entry, readTag)
  store<u64>(entry, isWritable ? writeTag : EMPTY, 8)
}

/** Sets the flags of all entries anew. Which pages are there does not change, so neither does what misses cost. */
export function retag(h: usize): void {
  const tlbs = h + H_TLBS
  for (let entry = tlbs; entry < tlbs + 4 * TLB_CONTEXT_BYTES; entry += TLB_ENTRY_BYTES) {
    const readTag = load<u64>(entry)
    if (readTag != EMPTY) tag(entry, readTag & PAGE_MASK, load<u64>(entry, 8) != EMPTY)
  }
}

/** True when a watchpoint lies in `length` bytes from a virtual address. */
export function watched(address: u64, length: u64): bool {
  const count = load<u32>(GLOBAL + G_WATCHPOINT_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    const at = GLOBAL + G_WATCHPOINTS + <usize>i * 16
    const start = load<u64>(at)
    if (start < address + length && address < start + <u64>load<u32>(at, 8)) return true
  }
  return false
}

/** Sets TAG_WATCH in exactly the entries whose page holds a watchpoint. */
export function markWatched(): void {
  const harts = load<u32>(GLOBAL + G_HART_COUNT)
  for (let i: u32 = 0; i < harts; i++) {
    const tlbs = hartAddress(i) + H_TLBS
    for (let entry = tlbs; entry < tlbs + 4 * TLB_CONTEXT_BYTES; entry += TLB_ENTRY_BYTES) {
      const tag = load<u64>(entry)
      if (tag == EMPTY) continue
      const flag: u64 = watched(tag & PAGE_MASK, 0x1000) ? TAG_WATCH : 0
      store<u64>(entry, (tag & ~(<u64>TAG_WATCH)) | flag)
      const writeTag = load<u64>(entry, 8)
      if (writeTag != EMPTY) store<u64>(entry, (writeTag & ~(<u64>TAG_WATCH)) | flag, 8)
    }
  }
}

/** A page got its first predecoded instruction: stores to it must take the slow path from now on, on every hart. */
export function markCode(physicalPage: u64): void {
  const harts = load<u32>(GLOBAL + G_HART_COUNT)
  for (let i: u32 = 0; i < harts; i++) {
    const tlbs = hartAddress(i) + H_TLBS
    for (let entry = tlbs; entry < tlbs + 4 * TLB_CONTEXT_BYTES; entry += TLB_ENTRY_BYTES) {
      if (load<u64>(entry, 24) == physicalPage && load<u64>(entry, 8) != EMPTY) store<u64>(entry, load<u64>(entry, 8) | TAG_CODE, 8)
    }
  }
}
