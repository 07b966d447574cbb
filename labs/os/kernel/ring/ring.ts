// Owns the kernel's half of a ring: what it believes, kept where no user can write. From the shared pages only the entries, the submission
// tail and the completion head are read, each once, and none is trusted. Completions are written by the serving hart only.
import { Completion, RingHeader, RingState } from '../abi'
import { __allocate, __release } from '../mm/heap'
import { RegisteredBuffer } from '../mm/user'
import { SpinLock } from '../sync/spin'
import { WaitQueue, wakeAll } from '../sync/wait'
import { Trace } from '../trace/events'
import { Process } from '../task/process'
import { Activity } from '../task/task'

export const MOST_BUFFERS: u32 = 64

@unmanaged export class Ring {
  id: u32
  references: u32
  process: Process
  next: Ring | null
  /** The shared block: header page, submission entries, completion entries. */
  base: u32
  order: u32
  userStart: u32
  userEnd: u32
  entries: u32
  completionEntries: u32
  submissions: u32
  completions: u32
  /** Ours; the copies in the header are for the user. */
  submissionHead: u32
  completionTail: u32
  publishedTail: u32
  /** Completions for which there is certainly room. */
  room: u32
  access: u32
  /** 1: no more entries after those that are there; 2: the process ends, requests are cancelled. */
  closing: u32
  ended: u32
  inFlight: u32
  overflowCount: u32
  /** Completions that found no room: {next, user data, result}, oldest first. */
  overflowHead: u32
  overflowTail: u32
  /** The request that the next entry will use. */
  spare: Request | null
  requests: Request | null
  server: Activity
  /** The server waits for entries; for requests in flight to end. */
  idle: WaitQueue
  drained: WaitQueue
  /** Threads that wait for completions, or for the end. */
  reapers: WaitQueue
  ends: WaitQueue
  queues: u64
  queues1: u64
  queues2: u64
  queues3: u64
  lock: SpinLock
  lockWord: u32
  /** Registered buffers by number; guarded by lock. */
  buffers: u32
  /** The entry being looked at, out of the user's reach. */
  entry0: u64
  entry1: u64
  entry2: u64
  entry3: u64
  entry4: u64
  entry5: u64
  entry6: u64
  entry7: u64
}

/** An activity that is a request of a ring. */
@unmanaged export class Request extends Activity {
  ring: Ring
  following: Request | null
  before: Request | null
  userData: u64
  /** The entries of a chain, for all but single requests. */
  chain: u32
  chainCount: u32
  flags: u32
  registered: RegisteredBuffer | null
}

@inline export function entryOfRing(ring: Ring): usize {
  return changetype<usize>(ring) + offsetof<Ring>('entry0')
}

/** Entries that wait in the submission queue; more than there can be means that the user broke the tail: none then. */
@inline export function waiting(ring: Ring): u32 {
  const count = cpu.load32(ring.base + RingHeader.submissionTail) - ring.submissionHead
  return count <= ring.entries ? count : 0
}

/** Completions that the user has not taken yet. */
@inline export function unread(ring: Ring): u32 {
  return ring.completionTail - cpu.load32(ring.base + RingHeader.completionHead)
}

/** Adds a completion. It is seen by the user after publish. */
@inline export function complete(ring: Ring, userData: u64, result: i64): void {
  if (ring.room != 0) put(ring, userData, result)
  else completeSlowly(ring, userData, result)
}

/** Room is only known to have been there: look how much there is now. What does not fit waits in a list. */
export function completeSlowly(ring: Ring, userData: u64, result: i64): void {
  if (ring.overflowHead == 0 && lookForRoom(ring)) {
    put(ring, userData, result)
    return
  }
  const node = __allocate(32)
  store<u32>(node, 0)
  store<u64>(node, userData, 8)
  store<i64>(node, result, 16)
  if (ring.overflowHead == 0) ring.overflowHead = <u32>node
  else store<u32>(ring.overflowTail, <u32>node)
  ring.overflowTail = <u32>node
  ring.overflowCount++
  store<u32>(ring.base, ring.overflowCount, RingHeader.overflowed)
  setFlags(ring, RingState.overflow, 0)
}

/** Whether the user has taken completions, so that there is room for more. A head that cannot be means none. */
function lookForRoom(ring: Ring): bool {
  const used = unread(ring)
  ring.room = used <= ring.completionEntries ? ring.completionEntries - used : 0
  return ring.room != 0
}

@inline function put(ring: Ring, userData: u64, result: i64): void {
  const tail = ring.completionTail
  const at = ring.completions + (tail & (ring.completionEntries - 1)) * Completion.bytes
  store<u64>(at, userData)
  store<i64>(at, result, 8)
  trace.emit(Trace.complete, ((<u64>ring.id) << 32) | <u32>result)
  trace.emit(Trace.requestEnd, result)
  ring.completionTail = tail + 1
  ring.room--
}

/** Moves what overflowed into the queue as far as there is room. */
export function refill(ring: Ring): void {
  while (ring.overflowHead != 0 && (ring.room != 0 || lookForRoom(ring))) {
    const node = ring.overflowHead
    put(ring, load<u64>(node, 8), load<i64>(node, 16))
    ring.overflowHead = load<u32>(node)
    __release(node)
  }
  if (ring.overflowHead == 0) setFlags(ring, 0, RingState.overflow)
}

/** Shows the user the completions and the entries taken, and wakes who waits for them. */
export function publish(ring: Ring): void {
  cpu.fence()
  cpu.store32(ring.base + RingHeader.submissionHead, ring.submissionHead)
  if (ring.publishedTail == ring.completionTail) return
  ring.publishedTail = ring.completionTail
  cpu.store32(ring.base + RingHeader.completionTail, ring.completionTail)
  cpu.fence()
  if (ring.reapers.head != 0) wakeAll(ring.reapers)
}

/** The flags word is written by the serving hart only. */
@inline export function setFlags(ring: Ring, set: u32, clear: u32): void {
  const at = ring.base + RingHeader.flags
  cpu.store32(at, (cpu.load32(at) & ~clear) | set)
}

export function addRequest(ring: Ring, request: Request): void {
  request.before = null
  request.following = ring.requests
  const first = ring.requests
  if (first != null) first.before = request
  ring.requests = request
  ring.inFlight++
}

export function removeRequest(ring: Ring, request: Request): void {
  const before = request.before
  const following = request.following
  if (before == null) ring.requests = following
  else before.following = following
  if (following != null) following.before = before
  ring.inFlight--
  if (ring.inFlight == 0) wakeAll(ring.drained)
}
