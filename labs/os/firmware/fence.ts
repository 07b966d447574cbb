// Fences on other harts (SBI 1.0, chapter 8). One request at a time: whoever waits for its turn, or for the others, serves meanwhile
// what is asked of itself, so that two harts asking each other do not wait for ever.
import { fenceAll, fenceAllOf, fencePage, fencePageOf } from './privileged'
import { REASON_FENCE, STARTED, SUSPENDED, ask, stateOf } from './harts'

export const FENCE_INSTRUCTIONS: u32 = 0
export const FENCE_TRANSLATIONS: u32 = 1
export const FENCE_SPACE: u32 = 2

// Beyond this many pages it is cheaper to forget everything.
const MOST_PAGES: u64 = 64

// 0 lock, 4 harts that still have to fence, 8 kind, 16 first address, 24 bytes, 32 address space.
const request: usize = memory.data(40, 64)
const PENDING: usize = 4
const KIND: usize = 8
const START: usize = 16
const SIZE: usize = 24
const SPACE: usize = 32

/** Fences on all of `harts`, this one too if it is among them; all have done so at the return. */
export function fenceHarts(harts: u32, kind: u32, start: u64, size: u64, space: u64): void {
  const self = <u32>cpu.hartId()
  let others: u32 = 0
  for (let rest = harts & ~(<u32>1 << self); rest != 0; rest &= rest - 1) {
    const state = stateOf(ctz(rest))
    // A stopped hart starts with nothing in its caches.
    if (state == STARTED || state == SUSPENDED) others |= 1 << ctz(rest)
  }
  if (others != 0) {
    while (atomic.cmpxchg<u32>(request, 0, 1) != 0) serveFence(self)
    store<u32>(request, kind, KIND)
    store<u64>(request, start, START)
    store<u64>(request, size, SIZE)
    store<u64>(request, space, SPACE)
    atomic.store<u32>(request + PENDING, others)
    for (let rest = others; rest != 0; rest &= rest - 1) ask(ctz(rest), REASON_FENCE)
  }
  if ((harts >>> self) & 1) fenceHere(kind, start, size, space)
  if (others != 0) {
    while (atomic.load<u32>(request + PENDING) != 0) {}
    atomic.store<u32>(request, 0)
  }
}

/** Does what is asked of this hart, if anything is. */
export function serveFence(hart: u32): void {
  const bit: u32 = 1 << hart
  if ((atomic.load<u32>(request + PENDING) & bit) == 0) return
  fenceHere(load<u32>(request, KIND), load<u64>(request, START), load<u64>(request, SIZE), load<u64>(request, SPACE))
  atomic.and<u32>(request + PENDING, ~bit)
}

function fenceHere(kind: u32, start: u64, size: u64, space: u64): void {
  if (kind == FENCE_INSTRUCTIONS) {
    cpu.fenceI()
    return
  }
  const pages = (size + 4095) >>> 12
  if ((start == 0 && size == 0) || size == <u64>-1 || pages > MOST_PAGES) {
    if (kind == FENCE_SPACE) fenceAllOf(space)
    else fenceAll()
    return
  }
  const end = start + size
  for (let address = start & ~0xfff; address < end; address += 4096) {
    if (kind == FENCE_SPACE) fencePageOf(address, space)
    else fencePage(address)
  }
}
