// Owns serving a ring: one coroutine per ring on the IO hart takes entries, begins their calls, and answers those that are done at once
// without any other task; the rest go on by themselves. With nothing to do it spins a while, then sleeps behind the need-wakeup flag.
import { Call, Errno, RingHeader, RingOp, RingState, Submission, SubmissionFlag } from '../abi'
import { Hart, hartCount, inboxOf, ioHart, thisHart } from '../hart'
import { __release, create, destroy, tryAllocate } from '../mm/heap'
import { park, prepareWait, wakeAll } from '../sync/wait'
import { PENDING, finish, pendingCall, startCall } from '../syscall/table'
import { makeReady, moveTo, pendingInterrupts } from '../task/executor'
import { Priority, self } from '../task/task'
import { bufferOf, dropBuffer } from './buffers'
import { Trace, workFor } from '../trace/events'
import { cancelRequest, pollOne, timeout } from './operations'
import { Request, Ring, addRequest, complete, entryOfRing, publish, refill, removeRequest, setFlags, unread, waiting } from './ring'
import { freeRing } from './teardown'

/** Entries taken before others of the hart get their turn, and completions shown at once at most. */
const BATCH: u32 = 32
const SHOWN: u32 = 8
/** How long the server spins for entries before it sleeps, in ticks: 50 microseconds at 10 MHz. */
const SPIN: u64 = 500
const KNOWN_FLAGS: u32 = 31

const LINKED: u32 = SubmissionFlag.link | SubmissionFlag.hardLink

export function makeRequest(ring: Ring): Request | null {
  const request = create<Request>()
  if (request == null) return null
  request.process = <u32>changetype<usize>(ring.process)
  request.space = <u32>changetype<usize>(ring.process.space)
  request.access = <u8>ring.access
  request.name = ring.server.name
  request.ring = ring
  return request
}

/** The server. The caller starts it on its own hart; it moves to the IO hart. */
export async function serveRing(ring: Ring): Promise<void> {
  makeReady(self())
  park()
  if (thisHart().number != ioHart) moveTo(ioHart)
  const hart = thisHart()
  let since = cpu.time()
  for (;;) {
    if (ring.overflowHead != 0) refill(ring)
    let taken: u32 = 0
    // While completions wait for room nothing new is begun: so there are never more of them than requests.
    while (taken < BATCH && ring.overflowHead == 0 && ring.closing != 2 && waiting(ring) != 0) {
      const mode = takeEntries(ring, hart, BATCH - taken)
      taken += mode >> 2
      if ((mode & 3) == LINKS) beginChain(ring, hart)
      else if ((mode & 3) == DRAIN) {
        // All before it end first, then it, before the next is looked at.
        publish(ring)
        while (ring.inFlight != 0 && prepareWait(ring.drained, ring.server, self())) park()
        beginEntry(ring, hart, entryOfRing(ring))
        publish(ring)
        while (ring.inFlight != 0 && prepareWait(ring.drained, ring.server, self())) park()
      }
    }
    if (taken != 0) {
      publish(ring)
      since = cpu.time()
    } else if (ring.publishedTail != ring.completionTail) publish(ring)
    if (ring.closing != 0 && ring.inFlight == 0 && (waiting(ring) == 0 || ring.closing == 2)) break
    // With one hart the user only goes on when the server sleeps, so it sleeps at once.
    if (taken == 0 || (hartCount == 1 && waiting(ring) == 0)) {
      if (hartCount > 1 && ring.closing == 0 && spin(ring, hart)) continue
      if (hartCount == 1 || ring.closing != 0 || cpu.time() - since > SPIN) {
        if (await sleepServer(ring)) since = cpu.time()
        continue
      }
    }
    // Back to the executor when anybody else wants the hart.
    if (taken != 0 && hartCount > 1 && hart.ready == 0 && cpu.load32(inboxOf(hart.number)) == 0 && pendingInterrupts() == 0) continue
    makeReady(self())
    park()
  }
  ring.ended = 1
  wakeAll(ring.reapers)
  wakeAll(ring.ends)
  freeRing(ring)
}

/** Looks for entries without leaving the hart, as long as nobody else wants it; true when one came. */
function spin(ring: Ring, hart: Hart): bool {
  for (let round = 0; round < 64; round++) {
    if (waiting(ring) != 0) return ring.overflowHead == 0
    if (hart.ready != 0 || cpu.load32(inboxOf(hart.number)) != 0 || pendingInterrupts() != 0) return false
  }
  return false
}

/** Sleeps until ring_enter, a completion to be shown, or the end; gives true. */
async function sleepServer(ring: Ring): Promise<bool> {
  if (ring.closing == 0) {
    setFlags(ring, RingState.needWakeup, 0)
    cpu.fence()
    if (waiting(ring) != 0 && ring.overflowHead == 0) {
      setFlags(ring, 0, RingState.needWakeup)
      return true
    }
  }
  if (prepareWait(ring.idle, ring.server, self())) {
    // Whoever asks for the end sets closing first and wakes after.
    cpu.fence()
    if (ring.closing != 0 && ring.inFlight == 0) wakeAll(ring.idle)
    // Room that the user made since the last look: his ring_enter came before there was anybody to wake.
    if (ring.overflowHead != 0 && unread(ring) < ring.completionEntries) wakeAll(ring.idle)
    park()
  }
  setFlags(ring, 0, RingState.needWakeup)
  return true
}

const SIMPLE: u32 = 0
const LINKS: u32 = 1
const DRAIN: u32 = 2

/**
 * Takes entries one by one until there are none, `most` are taken, or one is part of a chain or a drain: gives 4 * their number + the kind of the
 * last, which then lies copied out of the user's reach but is not begun. Each word of an entry is read once.
 */
function takeEntries(ring: Ring, hart: Hart, most: u32): u32 {
  const entry = entryOfRing(ring)
  const submissions = ring.submissions
  const mask = ring.entries - 1
  const requests = ((<u64>ring.process.pid) << 40) | ((<u64>ring.id) << 32)
  let available = min(waiting(ring), most)
  let taken: u32 = 0
  while (available != 0) {
    available--
    const from = submissions + (ring.submissionHead & mask) * Submission.bytes
    ring.submissionHead++
    taken++
    // A request's number: process, ring, position.
    workFor(hart, requests | ring.submissionHead)
    const head = load<u64>(from)
    trace.emit(Trace.requestBegin, head & 0xffff)
    trace.emit(Trace.dequeue, ((<u64>ring.id) << 32) | (head & 0xffff))
    const userData = load<u64>(from, Submission.userData)
    // The calls that nothing can be said about are answered on the spot: number alone, no flags.
    const plain = <u32>(head & 0xffff_ffff)
    if (plain == RingOp.nop) complete(ring, userData, 0)
    else if (plain == Call.getpid) complete(ring, userData, ring.process.pid)
    else {
      store<u64>(entry, head)
      store<u64>(entry, userData, 8)
      store<u64>(entry, load<u64>(from, 16), 16)
      store<u64>(entry, load<u64>(from, 24), 24)
      store<u64>(entry, load<u64>(from, 32), 32)
      store<u64>(entry, load<u64>(from, 40), 40)
      store<u64>(entry, load<u64>(from, 48), 48)
      store<u64>(entry, load<u64>(from, 56), 56)
      if (head & ((LINKED | SubmissionFlag.drain) << 16)) return (taken << 2) | (head & (LINKED << 16) ? LINKS : DRAIN)
      beginEntry(ring, hart, entry)
      if (ring.overflowHead != 0) break
    }
    if ((taken & (SHOWN - 1)) == 0) publish(ring)
  }
  return taken << 2
}

/** Begins one request, and answers it if it is done at once. */
function beginEntry(ring: Ring, hart: Hart, entry: usize): void {
  const userData = load<u64>(entry, Submission.userData)
  // As many in flight as there are completion entries; what ends others is always let in.
  if (ring.inFlight >= ring.completionEntries && load<u16>(entry, Submission.number) != <u16>RingOp.cancel) {
    complete(ring, userData, -Errno.EAGAIN)
    return
  }
  let request = ring.spare
  if (request == null) {
    request = makeRequest(ring)
    if (request == null) {
      complete(ring, userData, -Errno.ENOMEM)
      return
    }
    ring.spare = request
  }
  const result = callOf(ring, hart, request, entry)
  const flags: u32 = load<u8>(entry, Submission.flags)
  if (result != PENDING) {
    if (result < 0 || (flags & SubmissionFlag.silent) == 0) complete(ring, userData, result)
    return
  }
  ring.spare = null
  request.userData = userData
  request.flags = flags
  addRequest(ring, request)
  detach(finishRequest(ring, request))
}

/** The result of an entry's call, or PENDING: then request.pending is what to await. */
function callOf(ring: Ring, hart: Hart, request: Request, entry: usize): i64 {
  const number: u32 = load<u16>(entry, Submission.number)
  const flags: u32 = load<u8>(entry, Submission.flags)
  if (flags & ~KNOWN_FLAGS) {
    store<u32>(ring.base, load<u32>(ring.base, RingHeader.rejected) + 1, RingHeader.rejected)
    return -Errno.EINVAL
  }
  if (flags & SubmissionFlag.fixedBuffer) {
    const buffer = bufferOf(ring, load<u16>(entry, Submission.buffer))
    if (buffer == null) return -Errno.EINVAL
    request.registered = buffer
    request.buffer = <u32>changetype<usize>(buffer)
  }
  // Tasks that the call makes belong to the request.
  const activity = hart.activity
  const priority = hart.priority
  const wanted: u32 = load<u8>(entry, Submission.priority)
  hart.activity = <u32>changetype<usize>(request)
  if (wanted != 0) hart.priority = min(max(wanted, Priority.boosted), Priority.idle)
  let result: i64
  const args = entry + Submission.arguments
  if (number < <u32>RingOp.poll) result = startCall(request, number, args)
  else if (number == RingOp.timeout) result = finish(request, timeout(request, load<u64>(args)))
  else if (number == RingOp.poll) result = finish(request, pollOne(request, ring.process, load<u64>(args), <u32>load<u64>(args, 8)))
  else if (number == RingOp.cancel) result = cancelRequest(ring, load<u64>(args))
  else result = 0
  hart.activity = activity
  hart.priority = priority
  if (result != PENDING) letBufferGo(request)
  return result
}

function letBufferGo(request: Request): void {
  const buffer = request.registered
  if (buffer == null) return
  request.registered = null
  request.buffer = 0
  dropBuffer(buffer)
}

/** A request that was cancelled says so; one that ended otherwise says how. */
@inline function resultOf(request: Request, result: i64): i64 {
  return result == -Errno.EINTR && request.cancelled ? -Errno.ECANCELED : result
}

/** Waits for a request and answers it. */
async function finishRequest(ring: Ring, request: Request): Promise<void> {
  const result = resultOf(request, await pendingCall(request))
  letBufferGo(request)
  if (result < 0 || (request.flags & SubmissionFlag.silent) == 0) complete(ring, request.userData, result)
  removeRequest(ring, request)
  destroy(request)
  showLater(ring)
}

/** A completion outside of the server's loop: it is shown at once, or by the server when it runs anyway. */
function showLater(ring: Ring): void {
  publish(ring)
  if (ring.closing != 0 && ring.inFlight == 0) wakeAll(ring.idle)
}

/** Collects a chain, from the entry that was taken to the first without a link, and runs it by itself. */
function beginChain(ring: Ring, hart: Hart): void {
  const entry = entryOfRing(ring)
  const most = waiting(ring) + 1
  let count: u32 = 1
  // How long it is: flags are read again from the copies below, so a user who changes them meanwhile only harms the chain.
  while (count < most) {
    const before = ring.submissions + ((ring.submissionHead + count - 2) & (ring.entries - 1)) * Submission.bytes
    if ((load<u8>(before, Submission.flags) & LINKED) == 0) break
    count++
  }
  const chain = tryAllocate(count * Submission.bytes)
  const request = makeRequest(ring)
  if (chain == 0 || request == null) {
    __release(chain)
    if (request != null) destroy(request)
    complete(ring, load<u64>(entry, Submission.userData), -Errno.ENOMEM)
    return
  }
  memory.copy(chain, entry, Submission.bytes)
  for (let index: u32 = 1; index < count; index++) {
    const from = ring.submissions + (ring.submissionHead & (ring.entries - 1)) * Submission.bytes
    memory.copy(chain + index * Submission.bytes, from, Submission.bytes)
    ring.submissionHead++
  }
  request.chain = <u32>chain
  request.chainCount = count
  addRequest(ring, request)
  const activity = hart.activity
  hart.activity = <u32>changetype<usize>(request)
  detach(runChain(ring, request))
  hart.activity = activity
}

/** One after the other; after an error the rest is cancelled, unless the link is a hard one. */
async function runChain(ring: Ring, request: Request): Promise<void> {
  let broken = false
  for (let index: u32 = 0; index < request.chainCount; index++) {
    const entry = request.chain + index * Submission.bytes
    const flags: u32 = load<u8>(entry, Submission.flags)
    let result: i64 = -Errno.ECANCELED
    request.userData = load<u64>(entry, Submission.userData)
    if (!broken && !request.cancelled) {
      if (flags & SubmissionFlag.drain) result = -Errno.EINVAL
      else {
        if (index != 0) trace.emit(Trace.requestBegin, load<u16>(entry, Submission.number))
        result = callOf(ring, thisHart(), request, entry)
      }
      if (result == PENDING) {
        result = resultOf(request, await pendingCall(request))
        letBufferGo(request)
      }
      if (result < 0 && (flags & SubmissionFlag.hardLink) == 0) broken = true
    }
    if (result < 0 || (flags & SubmissionFlag.silent) == 0) complete(ring, load<u64>(entry, Submission.userData), result)
    publish(ring)
  }
  __release(request.chain)
  removeRequest(ring, request)
  destroy(request)
  showLater(ring)
}
