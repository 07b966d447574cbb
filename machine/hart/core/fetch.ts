/** Entering code: from pc to the slot of a predecoded page, or to the scratch slots for instructions that have no such page. */
import {
  CODE_PAGE_ADDRESS,
  FETCH_ENTRIES,
  GLOBAL,
  G_BREAKPOINT_COUNT,
  G_HIT_ADDRESS,
  G_HIT_HART,
  G_STOP,
  H_BIAS,
  H_FETCH,
  H_ID,
  H_MIDWAY,
  H_PC,
  H_RETIRED,
  H_SCRATCH,
  H_SKIP,
  H_SKIP_ADDRESS,
  H_SKIP_RETIRED,
  H_STEP,
  SLOT_BYTES,
  STOP_BREAKPOINT,
} from '../layout'
import { codePage, isBreakpoint } from './code'
import { Op, decode } from './generated/decoder'
import { attend, privilege } from './state'
import { Access, faultCause, ramPointer, translate, wholePage, withoutAlias } from './translate'
import { Cause, raise } from './trap'

const FAILED: u64 = <u64>-1
export const STEP_OFF: u32 = 0
export const STEP_ARMED: u32 = 1
export const STEP_DONE: u32 = 2

/**
 * The slot of the instruction at H_PC, with H_BIAS set for it; 0 when fetching trapped or stopped (H_PC is then up to date).
 * A trap here is charged as an instruction that did not retire.
 */
export function enter(h: usize): usize {
  const pc = load<u64>(h, H_PC)
  if (load<u32>(h, H_STEP) != STEP_OFF) return enterSingle(h, pc)
  const page = pc & ~(<u64>0xfff)
  const entry = <usize>load<u32>(h, H_FETCH) + ((<usize>(pc >>> 12) & (FETCH_ENTRIES - 1)) << 4)
  let first: usize
  if (load<u64>(entry) == page) first = load<u32>(entry, 8)
  else {
    const physical = fetchAddress(h, pc, pc)
    if (physical == FAILED) return 0
    if (!wholePage) return enterSingle(h, pc)
    first = codePage(physical & ~(<u64>0xfff))
    store<u64>(entry, page)
    store<u32>(entry, <u32>first, 8)
  }
  store<u64>(h, page - <u64>(first >>> 2), H_BIAS)
  return first + ((<usize>pc & 0xffe) << 2)
}

/** Translates a fetch of two bytes; raises the fault and returns all ones when it fails. */
function fetchAddress(h: usize, address: u64, pc: u64): u64 {
  const translated = translate(h, address, 2, Access.execute, privilege(h))
  let cause = faultCause
  if (translated != FAILED) {
    const physical = withoutAlias(translated)
    if (ramPointer(physical, 2) != 0) return physical
    cause = Cause.fetchAccess
  }
  store<u64>(h, pc, H_PC)
  // `raise` takes back one counted instruction; a failed fetch has counted none.
  store<u64>(h, load<u64>(h, H_RETIRED) + 1, H_RETIRED)
  raise(h, cause, address)
  return FAILED
}

/** The instruction word at `pc` (16 bits when compressed); all ones when fetching trapped. */
function fetchWord(h: usize, pc: u64): u64 {
  const low = fetchAddress(h, pc, pc)
  if (low == FAILED) return FAILED
  const half = <u64>load<u16>(ramPointer(low, 2))
  if ((half & 3) != 3) return half
  const high = fetchAddress(h, pc + 2, pc)
  if (high == FAILED) return FAILED
  return half | (<u64>load<u16>(ramPointer(high, 2)) << 16)
}

/** The instruction at `pc`, translated anew, in the scratch slots; 0 when fetching trapped. */
export function scratchSlot(h: usize, pc: u64): usize {
  const word = fetchWord(h, pc)
  return word == FAILED ? 0 : decodeScratch(h, <u32>word, pc)
}

/**
 * The instruction of four bytes at the end of a page, in the scratch slots; 0 when its second half trapped. Both halves come from the
 * pages that the fetch table has, like any other instruction.
 */
export function crossingSlot(h: usize, crossing: usize, pc: u64): usize {
  const low = <u32>load<u16>(ramPointer(load<u64>(crossing - (0xffe << 2), CODE_PAGE_ADDRESS) + 0xffe, 2))
  const page = (pc & ~(<u64>0xfff)) + 0x1000
  const entry = <usize>load<u32>(h, H_FETCH) + ((<usize>(page >>> 12) & (FETCH_ENTRIES - 1)) << 4)
  if (load<u64>(entry) != page) {
    const physical = fetchAddress(h, page, pc)
    if (physical == FAILED) return 0
    if (!wholePage) return scratchSlot(h, pc)
    const made = codePage(physical & ~(<u64>0xfff))
    store<u64>(entry, page)
    store<u32>(entry, <u32>made, 8)
  }
  return decodeScratch(h, crossingWord(low, load<u32>(entry, 8)), pc)
}

@inline function crossingWord(low: u32, second: usize): u32 {
  return low | (<u32>load<u16>(ramPointer(load<u64>(second, CODE_PAGE_ADDRESS), 2)) << 16)
}

/** For the JIT: decodes the instruction at the end of one predecoded page and the start of another into a slot anywhere. */
export function decodeCrossing(slot: usize, first: usize, second: usize): void {
  decode(crossingWord(<u32>load<u16>(ramPointer(load<u64>(first, CODE_PAGE_ADDRESS) + 0xffe, 2)), second), slot, 0, true)
}

/** An instruction into the scratch slots, followed by a sentinel; jumps in it are always far. */
function decodeScratch(h: usize, word: u32, pc: u64): usize {
  const slot = h + H_SCRATCH
  decode(word, slot, 0, true)
  store<u64>(slot + ((word & 3) == 3 ? 2 * SLOT_BYTES : SLOT_BYTES), Op.page_end)
  store<u64>(h, pc - <u64>(slot >>> 2), H_BIAS)
  return slot
}

/** The instruction that a compiled region's entry hides, in the scratch slots. It lies within its page. */
export function hiddenSlot(h: usize, entry: usize, pc: u64): usize {
  const page = entry - (<usize>((<u32>pc & 0xffe) << 2))
  const pointer = ramPointer(load<u64>(page, CODE_PAGE_ADDRESS) | (pc & 0xffe), 2)
  const half = <u32>load<u16>(pointer)
  return decodeScratch(h, (half & 3) == 3 ? load<u32>(pointer) : half, pc)
}

/** One instruction at a time: while stepping, or where physical memory protection splits the page. */
function enterSingle(h: usize, pc: u64): usize {
  const step = load<u32>(h, H_STEP)
  if (step == STEP_DONE) {
    store<u32>(h, 1, H_MIDWAY)
    attend(h)
    return 0
  }
  if (step == STEP_ARMED) store<u32>(h, STEP_DONE, H_STEP)
  else if (stopAtBreakpoint(h, pc)) return 0
  return scratchSlot(h, pc)
}

/** True when the instruction at `pc`, before which so many have retired, has been stopped at and now runs. */
export function passes(h: usize, pc: u64, retired: u64): bool {
  return load<u32>(h, H_SKIP) != 0 && load<u64>(h, H_SKIP_ADDRESS) == pc && load<u32>(h, H_SKIP_RETIRED) == <u32>retired
}

/** Stops at a breakpoint, unless it is the one being passed over. Called where a slot asks for it. */
export function stopAtBreakpoint(h: usize, pc: u64): bool {
  if (load<u32>(GLOBAL + G_BREAKPOINT_COUNT) == 0) return false
  if (passes(h, pc, load<u64>(h, H_RETIRED)) || !isBreakpoint(pc)) return false
  store<u64>(h, pc, H_PC)
  store<u32>(GLOBAL + G_STOP, STOP_BREAKPOINT)
  store<u32>(GLOBAL + G_HIT_HART, load<u32>(h, H_ID))
  store<u64>(GLOBAL + G_HIT_ADDRESS, pc)
  store<u32>(h, 1, H_MIDWAY)
  attend(h)
  return true
}

/** The word of an instruction that was fetched before, for trap values. */
export function instructionWord(h: usize, pc: u64): u64 {
  const low = translate(h, pc, 2, Access.execute, privilege(h))
  if (low == FAILED || ramPointer(low, 2) == 0) return 0
  const half = <u64>load<u16>(ramPointer(low, 2))
  if ((half & 3) != 3) return half
  const high = translate(h, pc + 2, 2, Access.execute, privilege(h))
  return high == FAILED || ramPointer(high, 2) == 0 ? half : half | (<u64>load<u16>(ramPointer(high, 2)) << 16)
}
