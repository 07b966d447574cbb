// Owns address spaces: Sv39 tables of the user half, the areas a process may touch, frames filled in when first touched, 2 MiB pages,
// and telling other harts what they must forget. The kernel's half is the same two gigapages everywhere.
import { physical } from '../../arch/address'
import { Csr } from '../../arch/csr'
import { sbiRemoteFence } from '../../arch/sbi'
import { User } from '../abi'
import { Hart, HartState, hartAt, hartCount, hartMask, stateOf, thisHart } from '../hart'
import { SpinLock } from '../sync/spin'
import { FRAME, MOST_ORDER, allocateFrame, allocateFrames, dropFrame, holdFrame } from './frames'
import { __release, create, destroy, tryAllocate } from './heap'

// Page table entry (Privileged 1.12, 4.4.1): D A G U X W R V in bits 7..0, frame number from bit 10.
export namespace Pte {
  export const valid: u64 = 1
  export const read: u64 = 2
  export const write: u64 = 4
  export const execute: u64 = 8
  export const user: u64 = 16
  export const accessed: u64 = 64
  export const dirty: u64 = 128
  /** Ours (RSW): a leaf of 2 MiB. */
  export const big: u64 = 256
  export const leaf: u64 = 14
}

/** What an area allows; the bits of PROT_READ, PROT_WRITE, PROT_EXEC, then our own. */
export namespace AreaFlag {
  export const read: u32 = 1
  export const write: u32 = 2
  export const execute: u32 = 4
  /** Filled with 2 MiB pages from the start. */
  export const big: u32 = 8
  /** Its frames are given, not made when touched. */
  export const fixed: u32 = 16
}

const BIG: u32 = 0x20_0000

@unmanaged export class Area {
  start: u32
  end: u32
  flags: u32
  next: Area | null
  /** Registered buffers that lie in it: it cannot be unmapped meanwhile. */
  pins: u32
}

@unmanaged export class AddressSpace {
  lock: SpinLock
  root: u32
  areas: Area | null
  /** Counts changes that make remembered translations wrong. */
  generation: u32
  /** Frames the process has, tables included, and the most it may have. */
  frames: u32
  frameLimit: u32
  breakStart: u32
  breakEnd: u32
}

const kernelRoot = memory.data(8, 8)
/** Roots of spaces that are gone but that some hart may still have in satp. */
const retiredLock = changetype<SpinLock>(memory.data(64, 64))
@guardedBy(retiredLock) let retired: u32 = 0

@init export function startSpaces(bootTable: u32): void {
  store<u32>(kernelRoot, bootTable)
  // The switch to high addresses is over for the boot hart; others come by the same table, so entry 2 stays.
}

export function createSpace(frameLimit: u32): AddressSpace | null {
  reclaimRoots()
  const space = create<AddressSpace>()
  if (space == null) return null
  const lock = create<SpinLock>()
  const root = allocateFrame()
  if (lock == null || root == 0) {
    if (lock != null) destroy(lock)
    if (root != 0) dropFrame(root)
    destroy(space)
    return null
  }
  space.lock = lock
  space.root = root
  space.frames = 1
  space.frameLimit = frameLimit
  const boot = load<u32>(kernelRoot)
  store<u64>(root, load<u64>(boot, 510 * 8), 510 * 8)
  store<u64>(root, load<u64>(boot, 511 * 8), 511 * 8)
  return space
}

/** Makes the hart translate with a space; null is the kernel's own. */
export function useSpace(hart: Hart, space: AddressSpace | null): void {
  const pointer = <u32>changetype<usize>(space)
  if (hart.space == pointer) return
  hart.space = pointer
  const root = space == null ? load<u32>(kernelRoot) : space.root
  cpu.csrWrite(Csr.satp, (<u64>8 << 60) | (physical(root) >> 12))
  cpu.sfenceAll()
}

/** Makes every hart that may have translations of a space forget them. */
function forget(space: AddressSpace): void {
  const own = thisHart().number
  let mask: u64 = 0
  for (let number: u32 = 0; number < 8; number++) {
    if (number == own || (hartMask & (1 << number)) == 0) continue
    if (cpu.load32(changetype<usize>(hartAt(number)) + offsetof<Hart>('space')) == <u32>changetype<usize>(space)) mask |= 1 << number
  }
  if (thisHart().space == <u32>changetype<usize>(space)) cpu.sfenceAll()
  if (mask != 0) sbiRemoteFence(mask)
}

export function areaAt(space: AddressSpace, address: u32): Area | null {
  let area: Area | null = space.areas
  while (area != null && area.end <= address) area = area.next
  return area != null && area.start <= address ? area : null
}

/** Adds an area; false when it overlaps another, lies outside, or memory is out. Call with the lock held. */
export function addArea(space: AddressSpace, start: u32, end: u32, flags: u32): bool {
  if (start >= end || start < User.lowest || end > User.end) return false
  let before: Area | null = null
  let area: Area | null = space.areas
  while (area != null && area.end <= start) {
    before = area
    area = area.next
  }
  if (area != null && area.start < end) return false
  const added = create<Area>()
  if (added == null) return false
  added.start = start
  added.end = end
  added.flags = flags
  added.next = area
  if (before == null) space.areas = added
  else before.next = added
  return true
}

/** The lowest hole of that many bytes between two addresses with a free page on both sides; 0 when there is none. */
export function findHole(space: AddressSpace, bytes: u32, from: u32, to: u32, alignment: u32): u32 {
  let at = (from + alignment - 1) & ~(alignment - 1)
  let following: Area | null = space.areas
  while (following != null) {
    const area = following
    following = area.next
    if (area.end + FRAME <= at) continue
    if (area.start >= at + bytes + FRAME) break
    at = (area.end + FRAME + alignment - 1) & ~(alignment - 1)
  }
  return at + bytes <= to && at + bytes > at ? at : 0
}

/** The entry of an address at a level (0: 4 KiB, 1: 2 MiB), making tables on the way; 0 when memory is out. A 2 MiB leaf on the way is given itself. */
function entryOf(space: AddressSpace, address: u32, level: u32, make: bool): usize {
  let table = space.root
  for (let at: u32 = 2; ; at--) {
    const entry = table + (((address >> (12 + 9 * at)) & 511) << 3)
    const value = load<u64>(entry)
    if (at == level || (value & Pte.leaf) != 0) return entry
    if (value & Pte.valid) table = <u32>((value >> 10) << 12)
    else {
      if (!make || space.frames >= space.frameLimit) return 0
      const frame = allocateFrame()
      if (frame == 0) return 0
      space.frames++
      store<u64>(entry, ((physical(frame) >> 12) << 10) | Pte.valid)
      table = frame
    }
  }
  return 0
}

function bitsOf(flags: u32): u64 {
  let bits = Pte.valid | Pte.user | Pte.accessed | Pte.dirty
  if (flags & (AreaFlag.read | AreaFlag.write)) bits |= Pte.read
  if (flags & AreaFlag.write) bits |= Pte.write
  if (flags & AreaFlag.execute) bits |= Pte.execute
  return bits
}

/** Maps one frame, which becomes the space's; false when memory is out. Call with the lock held. */
export function mapFrame(space: AddressSpace, address: u32, frame: u32, flags: u32): bool {
  const entry = entryOf(space, address, 0, true)
  if (entry == 0) return false
  store<u64>(entry, ((physical(frame) >> 12) << 10) | bitsOf(flags))
  return true
}

/** Maps a 2 MiB block. Call with the lock held. */
function mapBig(space: AddressSpace, address: u32, block: u32, flags: u32): bool {
  const entry = entryOf(space, address, 1, true)
  if (entry == 0) return false
  store<u64>(entry, ((physical(block) >> 12) << 10) | bitsOf(flags) | Pte.big)
  return true
}

/** Fills a big area with cleared 2 MiB blocks. Call with the lock held. */
export function fillBig(space: AddressSpace, start: u32, end: u32, flags: u32): bool {
  for (let at = start; at < end; at += BIG) {
    if (space.frames + 512 > space.frameLimit) return false
    const block = allocateFrames(MOST_ORDER)
    if (block == 0) return false
    memory.fill(block, 0, BIG)
    space.frames += 512
    if (!mapBig(space, at, block, flags)) {
      for (let frame = block; frame < block + BIG; frame += FRAME) dropFrame(frame)
      space.frames -= 512
      return false
    }
  }
  return true
}

/**
 * The kernel pointer of a user address that the process may read, or write; 0 when it may not, or memory is out. Fills in the
 * frame when it is the first touch. Call with the lock held.
 */
export function touch(space: AddressSpace, address: u32, need: u32): u32 {
  const entry = entryOf(space, address, 0, false)
  if (entry != 0) {
    const value = load<u64>(entry)
    if (value & Pte.valid) {
      if ((value & Pte.user) == 0) return 0
      if (need == AreaFlag.write && (value & Pte.write) == 0) return 0
      if (need == AreaFlag.read && (value & Pte.read) == 0) return 0
      if (need == AreaFlag.execute && (value & Pte.execute) == 0) return 0
      const frame = <u32>((value >> 10) << 12)
      return value & Pte.big ? frame + (address & (BIG - 1)) : frame + (address & (FRAME - 1))
    }
  }
  const area = areaAt(space, address)
  if (area == null || (area.flags & need) == 0 || area.flags & (AreaFlag.fixed | AreaFlag.big)) return 0
  if (space.frames >= space.frameLimit) return 0
  const frame = allocateFrame()
  if (frame == 0) return 0
  if (!mapFrame(space, address & ~(FRAME - 1), frame, area.flags)) {
    dropFrame(frame)
    return 0
  }
  space.frames++
  return frame + (address & (FRAME - 1))
}

/** Removes what is mapped in a range of whole pages; false when part of it is pinned. Call with the lock held. */
export function removeRange(space: AddressSpace, start: u32, end: u32): bool {
  let pinned: Area | null = space.areas
  while (pinned != null) {
    if (pinned.start < end && pinned.end > start && pinned.pins != 0) return false
    pinned = pinned.next
  }
  const list = tryAllocate(64 * 4)
  if (list == 0) return false
  let before: Area | null = null
  let area: Area | null = space.areas
  while (area != null) {
    const next = area.next
    if (area.start < end && area.end > start) {
      const from = max(area.start, start)
      const to = min(area.end, end)
      // A big area goes as a whole.
      const whole = (area.flags & AreaFlag.big) != 0 || (from == area.start && to == area.end)
      // A hole in the middle makes two areas: without memory for the second nothing is removed.
      let rest: Area | null = null
      if (!whole && from != area.start && to != area.end) {
        rest = create<Area>()
        if (rest == null) {
          __release(list)
          return false
        }
      }
      unmap(space, area, whole ? area.start : from, whole ? area.end : to, list)
      if (whole) {
        if (before == null) space.areas = next
        else before.next = next
        destroy(area)
        area = next
        continue
      }
      if (from == area.start) area.start = to
      else if (to == area.end) area.end = from
      else if (rest != null) {
        rest.start = to
        rest.end = area.end
        rest.flags = area.flags
        rest.next = next
        area.end = from
        area.next = rest
      }
    }
    before = area
    area = next
  }
  __release(list)
  return true
}

/** Takes entries out, makes all harts forget them, then gives the frames back: 64 at a time. */
function unmap(space: AddressSpace, area: Area, start: u32, end: u32, list: usize): void {
  space.generation++
  const step = area.flags & AreaFlag.big ? BIG : FRAME
  let count: u32 = 0
  for (let at = start; at < end; at += step) {
    const entry = entryOf(space, at, step == BIG ? 1 : 0, false)
    if (entry == 0) {
      // No table here: the next one that could be is 2 MiB on.
      if (step == FRAME) at = (at | (BIG - 1)) - (FRAME - 1)
      continue
    }
    const value = load<u64>(entry)
    if ((value & Pte.valid) == 0) continue
    store<u64>(entry, 0)
    store<u32>(list + count * 4, <u32>((value >> 10) << 12))
    if (++count == 64) {
      drop(space, list, count, step)
      count = 0
    }
  }
  if (count != 0) drop(space, list, count, step)
}

function drop(space: AddressSpace, list: usize, count: u32, step: u32): void {
  forget(space)
  for (let index: u32 = 0; index < count; index++) {
    const block = load<u32>(list + index * 4)
    for (let frame = block; frame < block + step; frame += FRAME) dropFrame(frame)
  }
  space.frames -= count * (step >> 12)
}

/** Frees everything. No thread of the process runs any more; harts may still have its root in satp. */
export function destroySpace(space: AddressSpace): void {
  space.lock.lock()
  let area: Area | null = space.areas
  while (area != null) {
    area.pins = 0
    area = area.next
  }
  removeRange(space, 0, User.end)
  // No hart may walk the tables any more when they are freed.
  const first = load<u64>(space.root)
  const second = load<u64>(space.root, 8)
  store<u64>(space.root, 0)
  store<u64>(space.root, 0, 8)
  forget(space)
  dropTables(first)
  dropTables(second)
  space.lock.unlock()
  // The space object stays until no hart has it: its address is what hart.space says.
  retiredLock.lock()
  store<u32>(changetype<usize>(space), retired, offsetof<AddressSpace>('areas'))
  retired = <u32>changetype<usize>(space)
  retiredLock.unlock()
  const hart = thisHart()
  if (hart.space == <u32>changetype<usize>(space)) useSpace(hart, null)
  reclaimRoots()
}

/** Frees the table that an entry of a root names, and those below it. */
function dropTables(entry: u64): void {
  if ((entry & Pte.valid) == 0) return
  const table = <u32>((entry >> 10) << 12)
  for (let slot: u32 = 0; slot < 512; slot++) {
    const below = load<u64>(table + slot * 8)
    if (below & Pte.valid && (below & Pte.leaf) == 0) dropFrame(<u32>((below >> 10) << 12))
  }
  dropFrame(table)
}

/** Frees the roots that no hart has any more. */
function reclaimRoots(): void {
  retiredLock.lock()
  let kept: u32 = 0
  let list = retired
  while (list != 0) {
    const space = changetype<AddressSpace>(list)
    const next = load<u32>(list, offsetof<AddressSpace>('areas'))
    if (isUsed(list)) {
      store<u32>(list, kept, offsetof<AddressSpace>('areas'))
      kept = list
    } else {
      dropFrame(space.root)
      destroy(space.lock)
      destroy(space)
    }
    list = next
  }
  retired = kept
  retiredLock.unlock()
}

function isUsed(space: u32): bool {
  for (let number: u32 = 0; number < 8; number++)
    if (hartMask & (1 << number) && cpu.load32(changetype<usize>(hartAt(number)) + offsetof<Hart>('space')) == space) return true
  return false
}

/** Fills a range in and holds its frames for a registered buffer, writing their kernel pointers to `list`. Call with the lock held. */
export function pinRange(space: AddressSpace, start: u32, bytes: u32, list: usize): bool {
  const first = start & ~(FRAME - 1)
  let count: u32 = 0
  for (let at = first; at < start + bytes; at += FRAME) {
    const frame = touch(space, at, AreaFlag.write)
    if (frame == 0) {
      while (count > 0) dropFrame(load<u32>(list + --count * 4))
      return false
    }
    holdFrame(frame)
    store<u32>(list + count++ * 4, frame)
  }
  let area: Area | null = space.areas
  while (area != null) {
    if (area.start < start + bytes && area.end > start) area.pins++
    area = area.next
  }
  return true
}

/** Gives a pinned range back. Call with the lock held while the space exists. */
export function unpinRange(space: AddressSpace, start: u32, bytes: u32): void {
  let area: Area | null = space.areas
  while (area != null) {
    if (area.start < start + bytes && area.end > start && area.pins != 0) area.pins--
    area = area.next
  }
}
