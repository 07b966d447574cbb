// Owns the program's heap: blocks of size classes with free lists, taken from brk in 64 KiB, large ones from mmap. Any thread may
// call it. A block has 16 bytes in front: its class, and for large blocks the bytes mapped.
// Each thread keeps small blocks of its own in its block (executor.ts draws it), and takes no lock for them.
// An arena (arenaBegin, arenaEnd) is for work that allocates many small things and forgets them together.
import { sysBreak, sysMap, sysUnmap, sysYield } from './system'

const HEADER: u32 = 16
/** Classes 1 to 64 are multiples of 16 bytes, 65 to 74 powers of two from 2 KiB to 1 MiB. */
const SMALL: u32 = 1024
const CLASSES: u32 = 76
const LARGE: u32 = 0xffff
const IN_ARENA: u32 = 0xfffe
const CHUNK: u32 = 0x1_0000
const PAGE: u32 = 4096

/** Of the thread block: small blocks kept, blocks in use that this thread took, heads of the free lists by class. */
const KEPT: usize = 100
const USED: usize = 104
const OWN_LISTS: usize = 112
/** A thread keeps no more than this many. */
const MOST_KEPT: u32 = 256

/** Heads of the free lists that all share. */
const lists = memory.data(304, 16)
/** 0 lock, 4 next free byte, 8 end of what brk gave, 12 blocks in use by threads that have ended, 16 the arena: first chunk, 20 next byte, 24 end. */
const state = memory.data(32, 16)

function lock(): void {
  while (atomic.xchg<u32>(state, 1) != 0) sysYield()
}

function unlock(): void {
  atomic.store<u32>(state, 0)
}

@inline function classOf(bytes: u32): u32 {
  return bytes <= SMALL ? (max(bytes, <u32>1) + 15) >> 4 : 86 - clz<u32>(bytes - 1)
}

@inline function bytesOf(kind: u32): u32 {
  return kind <= 64 ? kind << 4 : <u32>1 << (kind - 54)
}

/** Fresh bytes behind the break; 0 when there are none. Call with the lock held. */
function fresh(bytes: u32): u32 {
  let at = load<u32>(state, 4)
  let end = load<u32>(state, 8)
  if (end - at < bytes) {
    if (end == 0) {
      end = <u32>sysBreak(0)
      at = (end + 15) & ~15
    }
    const wanted = end + ((bytes + (at - end) + CHUNK - 1) & ~(CHUNK - 1))
    if (<u32>sysBreak(wanted) != wanted) return 0
    store<u32>(state, wanted, 8)
  }
  store<u32>(state, at + bytes, 4)
  return at
}

@inline function ownBlock(): usize {
  return <usize>cpu.threadPointer()
}

/** A block aligned to 16, or 0 when memory is out. */
export function tryTake(bytes: u32): usize {
  const own = ownBlock()
  if (bytes <= SMALL && load<u32>(state, 16) == 0) {
    const list = own + (((max(bytes, <u32>1) + 15) >> 4) << 2)
    const block: usize = load<u32>(list, OWN_LISTS)
    if (block != 0) {
      store<u32>(list, load<u32>(block), OWN_LISTS)
      store<u32>(own, load<u32>(own, KEPT) - 1, KEPT)
      store<u32>(own, load<u32>(own, USED) + 1, USED)
      return block
    }
  }
  return takeShared(bytes)
}

function takeShared(bytes: u32): usize {
  if (bytes > 0x7000_0000) return 0
  if (load<u32>(state, 16) != 0) return takeFromArena(bytes)
  const kind = classOf(bytes)
  if (kind >= CLASSES - 1) {
    const length = (bytes + HEADER + PAGE - 1) & ~(PAGE - 1)
    const at = sysMap(0, length, 3, 0x22, -1, 0)
    if (at < 0) return 0
    store<u32>(<usize>at, LARGE)
    store<u32>(<usize>at, length, 4)
    return <usize>at + HEADER
  }
  lock()
  const list = lists + kind * 4
  let block = load<u32>(list)
  if (block != 0) store<u32>(list, load<u32>(block))
  else {
    block = fresh(bytesOf(kind) + HEADER)
    if (block != 0) {
      store<u32>(block, kind)
      block += HEADER
    }
  }
  unlock()
  if (block != 0) store<u32>(ownBlock(), load<u32>(ownBlock(), USED) + 1, USED)
  return block
}

/** A block; the program ends with a clear line when memory is out. */
export function take(bytes: u32): usize {
  const block = tryTake(bytes)
  if (block == 0) throw new Error('out of memory')
  return block
}

export function give(block: usize): void {
  if (block == 0) return
  const kind = load<u32>(block - HEADER)
  if (kind == IN_ARENA) return
  if (kind == LARGE) {
    sysUnmap(block - HEADER, load<u32>(block - HEADER, 4))
    return
  }
  const own = ownBlock()
  store<u32>(own, load<u32>(own, USED) - 1, USED)
  if (kind <= 64 && load<u32>(own, KEPT) < MOST_KEPT) {
    const list = own + (kind << 2)
    store<u32>(block, load<u32>(list, OWN_LISTS))
    store<u32>(list, <u32>block, OWN_LISTS)
    store<u32>(own, load<u32>(own, KEPT) + 1, KEPT)
    return
  }
  lock()
  giveShared(block, kind)
  unlock()
}

/** Call with the lock held. */
function giveShared(block: usize, kind: u32): void {
  store<u32>(block, load<u32>(lists + kind * 4))
  store<u32>(lists + kind * 4, <u32>block)
}

/** The thread ends: what it kept is for the others. */
export function giveKept(): void {
  const own = ownBlock()
  lock()
  for (let kind: u32 = 1; kind <= 64; kind++) {
    let block: usize = load<u32>(own + (kind << 2), OWN_LISTS)
    while (block != 0) {
      const next = load<u32>(block)
      giveShared(block, kind)
      block = next
    }
  }
  store<u32>(state, load<u32>(state, 12) + load<u32>(own, USED), 12)
  unlock()
}

/** Blocks in use that this thread took, and threads that have ended: what tests count. */
export function blocksInUse(): u32 {
  return load<u32>(state, 12) + load<u32>(ownBlock(), USED)
}

function takeFromArena(bytes: u32): usize {
  const size = ((bytes + 15) & ~15) + HEADER
  let at = load<u32>(state, 20)
  if (load<u32>(state, 24) - at < size) {
    const length = max(CHUNK, (size + HEADER + PAGE - 1) & ~(PAGE - 1))
    const chunk = sysMap(0, length, 3, 0x22, -1, 0)
    if (chunk < 0) return 0
    store<u32>(<usize>chunk, load<u32>(state, 16))
    store<u32>(<usize>chunk, length, 4)
    store<u32>(state, <u32>chunk, 16)
    store<u32>(state, <u32>chunk + length, 24)
    at = <u32>chunk + HEADER
  }
  store<u32>(state, at + size, 20)
  store<u32>(at, IN_ARENA)
  return at + HEADER
}

/** From here on everything comes from an arena. Only for programs of one thread; arenas do not nest. */
export function arenaBegin(): void {
  const chunk = <u32>sysMap(0, CHUNK, 3, 0x22, -1, 0)
  if (<i32>chunk < 0) throw new Error('out of memory')
  store<u32>(chunk, 0)
  store<u32>(chunk, CHUNK, 4)
  store<u32>(state, chunk, 16)
  store<u32>(state, chunk + HEADER, 20)
  store<u32>(state, chunk + CHUNK, 24)
}

/** Gives back all that was allocated since arenaBegin. */
export function arenaEnd(): void {
  let chunk = load<u32>(state, 16)
  store<u32>(state, 0, 16)
  while (chunk != 0) {
    const next = load<u32>(chunk)
    sysUnmap(chunk, load<u32>(chunk, 4))
    chunk = next
  }
}
