// Owns a ring as the ABI has it, without the user library: for tests of the kernel's half, hostile ones included.
import { Call, Completion, RingHeader, RingSetup, RingState, Submission } from '../kernel/abi'
import { call1, call2, call3, call4 } from '../user/system'

@unmanaged export class RawRing {
  id: u32
  base: usize
  entries: u32
  completionEntries: u32
  tail: u32
  head: u32
  /** Of the last completion taken. */
  userData: u64
}

const parameters = memory.data(128, 16)

/** Makes a ring; the first entry is a system call or operation without arguments, 0 for none. Gives setup_io's result. */
export function openRing(ring: RawRing, entries: u32, completions: u32, access: u32, first: u32, userData: u64): i64 {
  memory.fill(parameters, 0, RingSetup.bytes)
  store<u32>(parameters, entries, RingSetup.entries)
  store<u32>(parameters, completions, RingSetup.completionEntries)
  store<u32>(parameters, access, RingSetup.access)
  store<u16>(parameters, <u16>first, RingSetup.firstEntry)
  store<u64>(parameters, userData, RingSetup.firstEntry + Submission.userData)
  const result = call1(Call.setup_io, parameters)
  if (result < 0) return result
  ring.id = load<u32>(parameters, RingSetup.outId)
  ring.base = <usize>load<u64>(parameters, RingSetup.outAddress)
  ring.entries = entries
  ring.completionEntries = load<u32>(ring.base, RingHeader.completionEntries)
  ring.tail = first == 0 ? 0 : 1
  ring.head = 0
  return result
}

@inline export function field(ring: RawRing, offset: u32): u32 {
  return cpu.load32(ring.base + offset)
}

/** Entries for which there is room in the submission queue. */
export function room(ring: RawRing): u32 {
  return ring.entries - (ring.tail - field(ring, RingHeader.submissionHead))
}

/** Writes an entry; show makes it count. */
export function put(ring: RawRing, number: u32, userData: u64, flags: u32, buffer: u32, a: u64, b: u64, c: u64, d: u64): void {
  const at = ring.base + load<u32>(ring.base, RingHeader.submissionOffset) + (ring.tail & (ring.entries - 1)) * Submission.bytes
  store<u64>(at, <u64>number | (<u64>flags << 16) | (<u64>buffer << 32))
  store<u64>(at, userData, Submission.userData)
  store<u64>(at, a, 16)
  store<u64>(at, b, 24)
  store<u64>(at, c, 32)
  store<u64>(at, d, 40)
  ring.tail++
}

/** Shows the entries, and wakes the server if it sleeps. */
export function show(ring: RawRing): void {
  cpu.fence()
  cpu.store32(ring.base + RingHeader.submissionTail, ring.tail)
  cpu.fence()
  if (field(ring, RingHeader.flags) & RingState.needWakeup) enter(ring, 0, 0)
}

export function enter(ring: RawRing, least: u32, nanoseconds: u64): i64 {
  return call4(Call.ring_enter, ring.id, 0, least, nanoseconds)
}

/** Takes a completion without waiting: false when there is none. Its result is in `result`. */
export function tryTake(ring: RawRing, result: usize): bool {
  if (field(ring, RingHeader.completionTail) == ring.head) return false
  cpu.fence()
  const at = ring.base + load<u32>(ring.base, RingHeader.completionOffset) + (ring.head & (ring.completionEntries - 1)) * Completion.bytes
  ring.userData = load<u64>(at)
  store<i64>(result, load<i64>(at, Completion.result))
  ring.head++
  cpu.fence()
  cpu.store32(ring.base + RingHeader.completionHead, ring.head)
  return true
}

const taken = memory.data(8, 8)

/** Sleeps until there is a completion, and takes it. */
export function take(ring: RawRing): i64 {
  while (!tryTake(ring, taken)) {
    const result = enter(ring, 1, 0)
    if (result < 0) return result
  }
  return load<i64>(taken)
}

/** Spins until there is a completion; only where another hart serves the ring. */
export function spinFor(ring: RawRing): i64 {
  while (!tryTake(ring, taken)) {}
  return load<i64>(taken)
}

/** One request from beginning to end. */
export function one(ring: RawRing, number: u32, a: u64, b: u64, c: u64, d: u64): i64 {
  put(ring, number, 1, 0, 0, a, b, c, d)
  show(ring)
  return take(ring)
}

/** ring_close with a last call, or none for number 0. */
export function closeRing(ring: RawRing, number: u32, a: u64): i64 {
  if (number == 0) return call2(Call.ring_close, ring.id, 0)
  memory.fill(parameters, 0, Submission.bytes)
  store<u16>(parameters, <u16>number)
  store<u64>(parameters, a, Submission.arguments)
  return call2(Call.ring_close, ring.id, parameters)
}

export function registerBuffers(ring: RawRing, list: usize, count: u32): i64 {
  return call3(Call.register_buffers, ring.id, list, count)
}
