// A ring as bare as it can be (labs/os/ABI.md, "Rings"), so that what is measured is the kernel's part: entries in, completions out.
import { Call, Completion, RingHeader, RingSetup, RingState, Submission } from '../os/kernel/abi'
import { call1, call2, call3, call4 } from '../os/user/system'

@unmanaged export class RawRing {
  base: u32
  id: u32
  submissions: u32
  completions: u32
  mask: u32
  completionMask: u32
  tail: u32
  head: u32
}

const setup = memory.data(128, 16)

export function openRing(entries: u32, access: u32): RawRing {
  const ring = changetype<RawRing>(memory.data(32, 16))
  memory.fill(setup, 0, RingSetup.bytes)
  store<u32>(setup, entries, RingSetup.entries)
  store<u32>(setup, access, RingSetup.access)
  // It may have a first request; this one does nothing.
  store<u16>(setup, 0xffff, RingSetup.firstEntry)
  if (call1(Call.setup_io, setup) < 0) throw new Error('setup_io failed')
  const base = load<u32>(setup, RingSetup.outAddress)
  ring.base = base
  ring.id = load<u32>(base, RingHeader.id)
  ring.submissions = base + load<u32>(base, RingHeader.submissionOffset)
  ring.completions = base + load<u32>(base, RingHeader.completionOffset)
  ring.mask = load<u32>(base, RingHeader.submissionEntries) - 1
  ring.completionMask = load<u32>(base, RingHeader.completionEntries) - 1
  ring.tail = load<u32>(base, RingHeader.submissionTail)
  ring.head = 0
  takeAll(ring, 1)
  return ring
}

/** Adds an entry; the kernel sees it after show. */
export function add(ring: RawRing, number: u32, flags: u32, a: u64, b: u64, c: u64, d: u64): void {
  const at = ring.submissions + (ring.tail & ring.mask) * Submission.bytes
  store<u64>(at, <u64>number | (<u64>flags << 16))
  store<u64>(at, 1, Submission.userData)
  store<u64>(at, a, Submission.arguments)
  store<u64>(at, b, Submission.arguments + 8)
  store<u64>(at, c, Submission.arguments + 16)
  store<u64>(at, d, Submission.arguments + 24)
  ring.tail++
}

/** Shows the kernel what was added; a trap only when the server sleeps. */
export function show(ring: RawRing): void {
  cpu.fence()
  cpu.store32(ring.base + RingHeader.submissionTail, ring.tail)
  cpu.fence()
  if (cpu.load32(ring.base + RingHeader.flags) & RingState.needWakeup) call4(Call.ring_enter, ring.id, 0, 0, 0)
}

/** Takes so many completions, waiting by looking; with one hart, by calling. The last result. */
export function takeAll(ring: RawRing, count: u32): i64 {
  let result: i64 = 0
  while (count != 0) {
    if (cpu.load32(ring.base + RingHeader.completionTail) == ring.head) {
      if (cpu.load32(ring.base + RingHeader.flags) & RingState.needWakeup) call4(Call.ring_enter, ring.id, 0, 1, 0)
      continue
    }
    result = load<i64>(ring.completions + (ring.head & ring.completionMask) * Completion.bytes, 8)
    ring.head++
    cpu.store32(ring.base + RingHeader.completionHead, ring.head)
    count--
  }
  return result
}

/** Holds memory as buffer 0 of the ring. */
export function register(ring: RawRing, address: usize, bytes: u32): void {
  const pair = memory.data(16, 8)
  store<u64>(pair, address)
  store<u64>(pair, bytes, 8)
  if (call3(Call.register_buffers, ring.id, pair, 1) < 0) throw new Error('register_buffers failed')
}

export function closeRing(ring: RawRing): void {
  call2(Call.ring_close, ring.id, 0)
}
