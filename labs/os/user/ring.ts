// Owns rings: requests to the kernel through shared memory (ABI.md, "Rings"). The class is the raw style: entries go in, completions
// with the same token come out. ringCall is the coroutine's: it gives the result when it is there.
// A ring belongs to one thread. The thread's own, which ringCall uses, is opened when it is first needed.
import { Call, Completion, RingHeader, RingOp, RingSetup, RingState, Submission, SubmissionFlag } from '../kernel/abi'
import { nanosecondsNow } from './clock'
import { CALLING, CANCELLED, makeReady, pause, setFlag, clearFlag, threadBlock } from './executor'
import { COUNTERS, Counter, counter, readCounters } from './inspect'
import { give, take } from './memory'
import { call1, call2, call3, call4 } from './system'

/** Offset of the thread's ring in its block. */
const OWN: usize = 28
const OWN_ENTRIES: u32 = 64
/** Looks at the completion queue before a thread sleeps: about 20 microseconds. */
const SPINS: u32 = 200

@unmanaged export class Ring {
  base: u32
  id: u32
  entries: u32
  completionEntries: u32
  submissions: u32
  completions: u32
  /** Entries written, of which those up to shown are the kernel's. */
  tail: u32
  shown: u32
  /** ringCall's requests that have no completion yet. */
  calls: u32
  /** True when no other hart serves the ring. */
  alone: bool

  /** Room for further entries. */
  @inline get room(): u32 {
    return this.entries - (this.tail - cpu.load32(this.base + RingHeader.submissionHead))
  }

  /** Writes an entry, which the kernel sees after show(). False when the queue is full. */
  add(number: u32, flags: u32, token: u64, a: u64 = 0, b: u64 = 0, c: u64 = 0, d: u64 = 0, e: u64 = 0, f: u64 = 0): bool {
    if (this.room == 0) return false
    const at = this.submissions + (this.tail & (this.entries - 1)) * Submission.bytes
    store<u64>(at, <u64>number | (<u64>flags << 16))
    store<u64>(at, token, Submission.userData)
    store<u64>(at, a, Submission.arguments)
    store<u64>(at, b, Submission.arguments + 8)
    store<u64>(at, c, Submission.arguments + 16)
    store<u64>(at, d, Submission.arguments + 24)
    store<u64>(at, e, Submission.arguments + 32)
    store<u64>(at, f, Submission.arguments + 40)
    this.tail++
    return true
  }

  /** Shows the kernel what was added, without a trap. */
  @inline show(): void {
    cpu.fence()
    cpu.store32(this.base + RingHeader.submissionTail, this.tail)
    this.shown = this.tail
    cpu.fence()
  }

  /** Whether the server sleeps, so that enter() must follow. */
  @inline get sleeps(): bool {
    return (cpu.load32(this.base + RingHeader.flags) & RingState.needWakeup) != 0
  }

  /** Shows what was added, and wakes the server if it sleeps. */
  submit(): void {
    this.show()
    if (this.sleeps) this.enter(0, 0)
  }

  /** Completions that can be taken. */
  @inline get ready(): u32 {
    return cpu.load32(this.base + RingHeader.completionTail) - cpu.load32(this.base + RingHeader.completionHead)
  }

  /** Takes a completion: {token u64, result i64}. False when there is none. */
  take(into: usize): bool {
    const head = cpu.load32(this.base + RingHeader.completionHead)
    if (head == cpu.load32(this.base + RingHeader.completionTail)) return false
    cpu.fence()
    const at = this.completions + (head & (this.completionEntries - 1)) * Completion.bytes
    store<u64>(into, load<u64>(at))
    store<i64>(into, load<i64>(at, 8), 8)
    cpu.fence()
    cpu.store32(this.base + RingHeader.completionHead, head + 1)
    return true
  }

  /** Wakes the server and waits for that many completions, nanoseconds at most (0: no limit): how many there are, or a negative errno. */
  @inline enter(least: u32, nanoseconds: u64): i64 {
    return call4(Call.ring_enter, this.id, 0, least, nanoseconds)
  }

  /** Waits for a completion, and takes it. */
  wait(into: usize): bool {
    while (!this.take(into)) if (this.enter(1, 0) < 0) return false
    return true
  }

  /** Holds memory for requests with SubmissionFlag.fixedBuffer: pairs of address and bytes, u64 each. */
  register(pairs: usize, count: u32): i64 {
    return call3(Call.register_buffers, this.id, pairs, count)
  }

  /** Waits for all requests, makes the last call that `entry` asks for (0: none), and gives its result. The ring is gone then. */
  close(entry: usize = 0): i64 {
    const result = call2(Call.ring_close, this.id, entry)
    give(changetype<usize>(this))
    return result
  }
}

// Defaults are plain numbers here and wherever threads call: others go through a global that all threads share. 1 is abi's Access.cached.

/** Opens a ring, with a first request already in it unless `first` is 0: the ring as a number, or a negative errno. */
export function openRing(entries: u32, access: u32 = 1, completionEntries: u32 = 0, first: usize = 0): i64 {
  const setup = take(RingSetup.bytes)
  memory.fill(setup, 0, RingSetup.bytes)
  store<u32>(setup, entries, RingSetup.entries)
  store<u32>(setup, completionEntries, RingSetup.completionEntries)
  store<u32>(setup, access, RingSetup.access)
  if (first != 0) memory.copy(setup + RingSetup.firstEntry, first, Submission.bytes)
  const result = call1(Call.setup_io, setup)
  const base = load<u32>(setup, RingSetup.outAddress)
  give(setup)
  if (result < 0) return result
  const ring = changetype<Ring>(take(offsetof<Ring>()))
  ring.base = base
  ring.id = load<u32>(base, RingHeader.id)
  ring.entries = load<u32>(base, RingHeader.submissionEntries)
  ring.completionEntries = load<u32>(base, RingHeader.completionEntries)
  ring.submissions = base + load<u32>(base, RingHeader.submissionOffset)
  ring.completions = base + load<u32>(base, RingHeader.completionOffset)
  ring.tail = load<u32>(base, RingHeader.submissionTail)
  ring.shown = ring.tail
  ring.calls = 0
  const numbers = take(COUNTERS * 8)
  readCounters(numbers)
  ring.alone = counter(numbers, Counter.harts) == 1
  give(numbers)
  return <i64>changetype<usize>(ring)
}

/** The thread's ring, or null. */
@inline function ownRing(): Ring | null {
  return changetype<Ring | null>(<usize>load<u32>(threadBlock(), OWN))
}

/** Opens the thread's ring; 0 or a negative errno. Calls open it by themselves with 64 entries. */
export function startRing(entries: u32, access: u32 = 1): i64 {
  if (ownRing() != null) return 0
  const result = openRing(entries, access)
  if (result < 0) return result
  store<u32>(threadBlock(), <u32>result, OWN)
  return 0
}

/** Closes the thread's ring. All calls must have ended. */
export function endRing(): void {
  const ring = ownRing()
  store<u32>(threadBlock(), 0, OWN)
  if (ring != null) ring.close()
}

/** Offset of the control block's request field, which takes the result of a call. */
const RESULT: usize = 16

/**
 * Makes a system call through the thread's ring: others run until its result is there. The request's token is the control block of
 * this coroutine, which has the flag CALLING meanwhile.
 */
export async function ringCall(number: u32, a: u64 = 0, b: u64 = 0, c: u64 = 0, d: u64 = 0, e: u64 = 0, f: u64 = 0): Promise<i64> {
  if (ownRing() == null) {
    const problem = startRing(OWN_ENTRIES)
    if (problem < 0) return problem
  }
  const ring = ownRing()!
  // More calls than completions have room for wait here.
  while (ring.calls >= ring.completionEntries || ring.room == 0) {
    if (!collect()) waitForRing(u64.MAX_VALUE)
    await pause()
  }
  ring.calls++
  ring.add(number, 0, co.frame(), a, b, c, d, e, f)
  ring.show()
  if (!ring.alone && ring.sleeps) ring.enter(0, 0)
  setFlag(co.frame(), CALLING)
  co.suspend()
  return load<i64>(co.frame(), RESULT)
}

export function callsUnderWay(): u32 {
  const ring = ownRing()
  return ring == null ? 0 : ring.calls
}

/** Takes the completions of the thread's ring, and makes ready who waits for them; false when there are none. */
export function collect(): bool {
  const ring = ownRing()
  if (ring == null) return false
  let head = cpu.load32(ring.base + RingHeader.completionHead)
  const tail = cpu.load32(ring.base + RingHeader.completionTail)
  if (head == tail) return false
  cpu.fence()
  for (; head != tail; head++) {
    const at = ring.completions + (head & (ring.completionEntries - 1)) * Completion.bytes
    const task = <usize>load<u64>(at)
    // A cancel that came too late has no token.
    if (task == 0) continue
    ring.calls--
    store<i64>(task, load<i64>(at, 8), RESULT)
    clearFlag(task, CALLING)
    if ((load<u16>(task, 6) & CANCELLED) == 0) makeReady(task)
  }
  cpu.fence()
  cpu.store32(ring.base + RingHeader.completionHead, head)
  return true
}

/** Waits until there is a completion, or a time of nanosecondsNow(); false when no call is under way. */
export function waitForRing(deadline: u64): bool {
  const ring = ownRing()
  if (ring == null || ring.calls == 0) return false
  if (!ring.alone && !ring.sleeps) for (let turn: u32 = 0; turn < SPINS; turn++) if (ring.ready != 0) return collect()
  const now = deadline == u64.MAX_VALUE ? 0 : nanosecondsNow()
  if (deadline <= now && deadline != u64.MAX_VALUE) return true
  ring.enter(1, deadline == u64.MAX_VALUE ? 0 : deadline - now)
  collect()
  return true
}

/** A coroutine that waits for a call is cancelled: so is the call, and its end is awaited, for the kernel may still use its buffer. */
export function cancelCall(task: usize): void {
  const ring = ownRing()!
  setFlag(task, CANCELLED)
  while (!ring.add(RingOp.cancel, SubmissionFlag.silent, 0, task)) ring.submit()
  ring.submit()
  while (load<u16>(task, 6) & CALLING) if (!collect()) ring.enter(1, 0)
}
