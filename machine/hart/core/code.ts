/** Predecoded code: a pool of pages of slots, found by physical page (layout.ts draws both). */
import {
  CODE_PAGE_ADDRESS,
  CODE_PAGE_BYTES,
  CODE_PAGE_COMPILED,
  CODE_PAGE_HALFWORDS,
  CODE_PAGE_SENTINEL,
  GLOBAL,
  G_BREAKPOINTS,
  G_BREAKPOINT_COUNT,
  G_BREAKPOINT_OFFSETS,
  G_HART_COUNT,
  G_PAGES,
  G_POOL,
  G_POOL_PAGES,
  G_POOL_USED,
  G_RAM_BASE,
  G_RAM_SIZE,
  SLOT_BYTES,
} from '../layout'
import { Op, decode } from './generated/decoder'
import { codeChanged, codeForgotten } from './host'
import { hartAddress } from './state'
import { flushFetches, markCode } from './tlb'
import { ramPointer } from './translate'

/** Address of the word that holds a RAM page's predecoded page. */
@inline function pageEntry(physicalPage: u64): usize {
  return load<u32>(GLOBAL + G_PAGES) + (<usize>((physicalPage - load<u64>(GLOBAL + G_RAM_BASE)) >>> 12) << 2)
}

/** True when a RAM page has predecoded instructions. */
@inline export function hasCode(physicalPage: u64): bool {
  return load<u32>(pageEntry(physicalPage)) != 0
}

/** The predecoded page of a RAM page, made when it is not there. When the pool is full everything is forgotten first. */
export function codePage(physicalPage: u64): usize {
  const entry = pageEntry(physicalPage)
  const present = <usize>load<u32>(entry)
  if (present != 0) return present
  if (load<u32>(GLOBAL + G_POOL_USED) == load<u32>(GLOBAL + G_POOL_PAGES)) forgetAll()
  const index = load<u32>(GLOBAL + G_POOL_USED)
  store<u32>(GLOBAL + G_POOL_USED, index + 1)
  const page = <usize>load<u32>(GLOBAL + G_POOL) + <usize>index * CODE_PAGE_BYTES
  memory.fill(page, 0, CODE_PAGE_BYTES)
  store<u8>(page, Op.page_end, CODE_PAGE_SENTINEL)
  store<u8>(page, Op.page_end, CODE_PAGE_SENTINEL + SLOT_BYTES)
  store<u64>(page, physicalPage, CODE_PAGE_ADDRESS)
  store<u32>(entry, <u32>page)
  markCode(physicalPage)
  return page
}

/** Drops all predecoded pages. Harts must enter their code anew afterwards. */
export function forgetAll(): void {
  memory.fill(load<u32>(GLOBAL + G_PAGES), 0, <usize>(load<u64>(GLOBAL + G_RAM_SIZE) >>> 12) << 2)
  store<u32>(GLOBAL + G_POOL_USED, 0)
  const harts = load<u32>(GLOBAL + G_HART_COUNT)
  for (let i: u32 = 0; i < harts; i++) flushFetches(hartAddress(i))
  codeForgotten()
}

/** Decodes the instruction at `pc` into its slot of a predecoded page. */
export function decodeSlot(slot: usize, pc: u64): void {
  const offset = <u32>pc & 0xffe
  const page = slot - (<usize>offset << 2)
  if (load<u32>(GLOBAL + G_BREAKPOINT_COUNT) != 0 && breakpointAtOffset(offset)) {
    store<u64>(slot, Op.breakpoint)
    return
  }
  const pointer = ramPointer(load<u64>(page, CODE_PAGE_ADDRESS) | <u64>offset, 2)
  const low = <u32>load<u16>(pointer)
  if ((low & 3) != 3) decode(low, slot, <i32>offset, false)
  else if (offset == 0xffe) store<u64>(slot, Op.crossing)
  else decode(load<u32>(pointer), slot, <i32>offset, false)
}

@inline function breakpointAtOffset(offset: u32): bool {
  return ((load<u8>(GLOBAL + G_BREAKPOINT_OFFSETS + (offset >>> 4)) >>> ((offset >>> 1) & 7)) & 1) != 0
}

/** True when a breakpoint is set at exactly this virtual address. */
export function isBreakpoint(pc: u64): bool {
  const count = load<u32>(GLOBAL + G_BREAKPOINT_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    if (load<u64>(GLOBAL + G_BREAKPOINTS + (<usize>i << 3)) == pc) return true
  }
  return false
}

/** Bytes of RAM changed: instructions that overlap them are decoded again when they run next. */
export function invalidate(address: u64, size: u64): void {
  let at = address
  const end = address + size
  while (at < end) {
    const physicalPage = at & ~(<u64>0xfff)
    const pageEnd = physicalPage + 0x1000
    const until = min(end, pageEnd)
    const page = <usize>load<u32>(pageEntry(physicalPage))
    if (page != 0) {
      // One halfword earlier, for an instruction that began there.
      const first = max(<i32>(at & 0xfff) / 2 - 1, 0)
      const last = <i32>(until - 1 - physicalPage) / 2
      if (load<u32>(page, CODE_PAGE_COMPILED) != 0) dropRegions(page, <i32>(at & 0xfff) / 2, last)
      for (let i = first; i <= last; i++) store<u8>(page + (<usize>i << 3), Op.undecoded)
    }
    at = until
  }
}

/** Compiled regions that contain one of these halfwords are dropped. */
function dropRegions(page: usize, first: i32, last: i32): void {
  for (let i = first; i <= last; i++) {
    if ((load<u8>(page + (i >>> 3), CODE_PAGE_HALFWORDS) >>> (i & 7)) & 1) {
      codeChanged(<u32>page, first, last)
      return
    }
  }
}
