// Owns the calls about rings: setup_io with the first request, ring_enter, ring_close with the last, register_buffers.
// Called from syscall/table.ts only.
import { Access, Errno, RingHeader, RingSetup, Submission, User } from '../abi'
import { hartCount, thisHart } from '../hart'
import { FRAME, allocateFrames, dropFrame, freeFramesOf, holdFrame, orderOf } from '../mm/frames'
import { __release, create, destroy, tryAllocate, tryCleared } from '../mm/heap'
import { AreaFlag, addArea, findHole, mapFrame, removeRange } from '../mm/space'
import { copyIn, copyOut } from '../mm/user'
import { SpinLock } from '../sync/spin'
import { WaitQueue, endWait, finishTimer, park, prepareTimedWait, wakeAll } from '../sync/wait'
import { PENDING, pendingCall, startCall } from '../syscall/table'
import { makeReady } from '../task/executor'
import { Process } from '../task/process'
import { Activity, Priority, Wake, self } from '../task/task'
import { ticksOf } from '../task/timer'
import { traceActivity } from '../trace/events'
import { dropBuffer, dropBuffers, makeBuffer } from './buffers'
import { MOST_BUFFERS, Ring } from './ring'
import { serveRing } from './server'
import { endRing, freeRing, holdRing } from './teardown'

const MOST_RINGS: u32 = 16

/** The ring of a number, with a reference. */
function ringOf(process: Process, id: u32): Ring | null {
  process.lock.lock()
  let ring = changetype<Ring | null>(<usize>process.rings)
  while (ring != null && ring.id != id) ring = ring.next
  if (ring != null) holdRing(ring)
  process.lock.unlock()
  return ring
}

function isPowerOfTwo(value: u32): bool {
  return value != 0 && (value & (value - 1)) == 0
}

/** setup_io(parameters): a ring, with the first request already in it when its number is not 0; gives the ring's number. */
export async function setup(activity: Activity, process: Process, address: u64): Promise<i64> {
  const block = tryAllocate(RingSetup.bytes)
  if (block == 0) return -Errno.ENOMEM
  let result: i64 = -Errno.EFAULT
  if (copyIn(activity, block, address, RingSetup.bytes)) {
    const entries = load<u32>(block, RingSetup.entries)
    let completions = load<u32>(block, RingSetup.completionEntries)
    if (completions == 0) completions = entries * 2
    const access = load<u32>(block, RingSetup.access)
    if (!isPowerOfTwo(entries) || !isPowerOfTwo(completions) || entries > RingSetup.mostEntries || completions > 2 * RingSetup.mostEntries)
      result = -Errno.EINVAL
    else if (access > <u32>Access.switchTables || load<u32>(block, RingSetup.flags) != 0) result = -Errno.EINVAL
    else if (process.ringCount >= MOST_RINGS) result = -Errno.EAGAIN
    else result = begin(process, entries, completions, access, block)
    if (result >= 0 && !copyOut(activity, address, block, RingSetup.firstEntry)) {
      const ring = ringOf(process, <u32>result)
      if (ring != null) {
        await endRing(ring, 2, activity)
        freeRing(ring)
      }
      result = -Errno.EFAULT
    }
  }
  __release(block)
  return result
}

function begin(process: Process, entries: u32, completions: u32, access: u32, block: usize): i64 {
  const bytes = FRAME + entries * Submission.bytes + completions * 16
  const order = orderOf(bytes)
  const count: u32 = 1 << order
  const ring = create<Ring>()
  const server = create<Activity>()
  const base = allocateFrames(order)
  const space = process.space
  let start: u32 = 0
  if (ring != null && server != null && base != 0) {
    space.lock.lock()
    if (space.frames + count <= space.frameLimit) start = findHole(space, count * FRAME, User.rings, User.ringsEnd, FRAME)
    if (start != 0 && !addArea(space, start, start + count * FRAME, AreaFlag.read | AreaFlag.write | AreaFlag.fixed)) start = 0
    if (start != 0) {
      for (let index: u32 = 0; index < count; index++) {
        holdFrame(base + index * FRAME)
        if (!mapFrame(space, start + index * FRAME, base + index * FRAME, AreaFlag.read | AreaFlag.write)) {
          dropFrame(base + index * FRAME)
          removeRange(space, start, start + count * FRAME)
          start = 0
          break
        }
        space.frames++
      }
    }
    space.lock.unlock()
  }
  if (ring == null || server == null || start == 0) {
    if (ring != null) destroy(ring)
    if (server != null) destroy(server)
    if (base != 0) freeFramesOf(base, order)
    return -Errno.ENOMEM
  }
  memory.fill(base, 0, FRAME << order)
  const at = changetype<usize>(ring)
  ring.idle = changetype<WaitQueue>(at + offsetof<Ring>('queues'))
  ring.drained = changetype<WaitQueue>(at + offsetof<Ring>('queues1'))
  ring.reapers = changetype<WaitQueue>(at + offsetof<Ring>('queues2'))
  ring.ends = changetype<WaitQueue>(at + offsetof<Ring>('queues3'))
  ring.lock = changetype<SpinLock>(at + offsetof<Ring>('lockWord'))
  ring.process = process
  ring.server = server
  ring.base = base
  ring.order = order
  ring.userStart = start
  ring.userEnd = start + count * FRAME
  ring.entries = entries
  ring.completionEntries = completions
  ring.submissions = base + FRAME
  ring.completions = base + FRAME + entries * Submission.bytes
  // With one hart the process' tables are the hart's anyway.
  ring.access = hartCount == 1 && access == <u32>Access.translate ? <u32>Access.switchTables : access
  ring.references = 2
  server.process = <u32>changetype<usize>(process)
  server.name = <u32>changetype<usize>(process) + <u32>offsetof<Process>('name')
  process.lock.lock()
  const first = changetype<Ring | null>(<usize>process.rings)
  ring.id = first == null ? 1 : first.id + 1
  ring.next = first
  process.rings = <u32>at
  process.ringCount++
  process.lock.unlock()
  store<u32>(base, RingHeader.magicValue, RingHeader.magic)
  store<u32>(base, 1, RingHeader.version)
  store<u32>(base, entries, RingHeader.submissionEntries)
  store<u32>(base, completions, RingHeader.completionEntries)
  store<u32>(base, FRAME, RingHeader.submissionOffset)
  store<u32>(base, FRAME + entries * Submission.bytes, RingHeader.completionOffset)
  store<u32>(base, ring.id, RingHeader.id)
  if (load<u16>(block, RingSetup.firstEntry) != 0) {
    memory.copy(ring.submissions, block + RingSetup.firstEntry, Submission.bytes)
    store<u32>(base, 1, RingHeader.submissionTail)
  }
  store<u32>(block, ring.id, RingSetup.outId)
  store<u32>(block, count * FRAME, RingSetup.outBytes)
  store<u64>(block, start, RingSetup.outAddress)
  startServer(ring)
  return ring.id
}

/** "ring server". */
const SERVER_NAME = memory.data<u8>([114, 105, 110, 103, 32, 115, 101, 114, 118, 101, 114, 0, 0, 0, 0, 0])

function startServer(ring: Ring): void {
  traceActivity(<u32>changetype<usize>(ring.server), SERVER_NAME)
  const hart = thisHart()
  const activity = hart.activity
  const priority = hart.priority
  hart.activity = <u32>changetype<usize>(ring.server)
  hart.priority = hartCount == 1 ? Priority.normal : Priority.server
  detach(serveRing(ring))
  hart.activity = activity
  hart.priority = priority
}

/** ring_enter(ring, flags 0, least, nanoseconds): wakes the server, and waits until that many completions are there; gives how many are. */
export async function enter(activity: Activity, process: Process, id: u32, flags: u32, least: u32, timeout: u64): Promise<i64> {
  if (flags != 0) return -Errno.EINVAL
  const ring = ringOf(process, id)
  if (ring == null) return -Errno.EBADF
  // With one hart the server gets its turn now: nobody else would give it one.
  if (wakeAll(ring.idle) && hartCount == 1 && least == 0) {
    makeReady(self())
    park()
  }
  const deadline = timeout == 0 || timeout > 1 << 60 ? u64.MAX_VALUE : cpu.time() + ticksOf(timeout)
  let result: i64 = 0
  least = min(least, ring.completionEntries)
  for (;;) {
    // Prepared before looking: what is published meanwhile wakes us.
    const wait = least != 0
    let parked = false
    if (wait) parked = prepareTimedWait(ring.reapers, activity, self(), deadline)
    const reason = activity.reason
    const count = ring.publishedTail - cpu.load32(ring.base + RingHeader.completionHead)
    const done = count >= least || ring.ended != 0
    if (parked) {
      if (done) endWait(activity, Wake.event)
      park()
      finishTimer(activity)
    }
    result = count
    if (done || !wait) break
    if (!parked || activity.reason == Wake.cancelled) {
      result = reason == Wake.cancelled || activity.reason == Wake.cancelled ? -Errno.EINTR : count
      break
    }
    if (activity.reason == Wake.timeout) {
      result = -Errno.ETIME
      break
    }
  }
  freeRing(ring)
  return result
}

/** ring_close(ring, entry): waits for all requests, makes the last call that the entry asks for (0: none), and gives its result. */
export async function close(activity: Activity, process: Process, id: u32, address: u64): Promise<i64> {
  const entry = tryAllocate(Submission.bytes)
  if (entry == 0) return -Errno.ENOMEM
  let result: i64 = 0
  if (address != 0 && !copyIn(activity, entry, address, Submission.bytes)) result = -Errno.EFAULT
  const ring = ringOf(process, id)
  if (ring == null) result = -Errno.EBADF
  else {
    process.lock.lock()
    const busy = ring.closing != 0
    if (!busy && result == 0) ring.closing = 1
    process.lock.unlock()
    if (busy) result = -Errno.EBADF
    if (result == 0) {
      await endRing(ring, 1, activity)
      if (address != 0) {
        result = startCall(activity, load<u16>(entry, Submission.number), entry + Submission.arguments)
        if (result == PENDING) result = await pendingCall(activity)
      }
    }
    freeRing(ring)
  }
  __release(entry)
  return result
}

/** register_buffers(ring, list, count): pairs {address u64, bytes u64} become buffers 0, 1, ...; count 0 takes all back. */
export function register(activity: Activity, process: Process, id: u32, address: u64, count: u64): i64 {
  if (count > MOST_BUFFERS) return -Errno.EINVAL
  const ring = ringOf(process, id)
  if (ring == null) return -Errno.EBADF
  let result: i64 = 0
  if (count == 0) dropBuffers(ring)
  else {
    const list = tryAllocate(<u32>count * 16)
    if (ring.buffers == 0) ring.buffers = <u32>tryCleared(MOST_BUFFERS * 4)
    if (list == 0 || ring.buffers == 0) result = -Errno.ENOMEM
    else if (!copyIn(activity, list, address, <u32>count * 16)) result = -Errno.EFAULT
    for (let number: u32 = 0; number < <u32>count && result == 0; number++) {
      const start = load<u64>(list + number * 16)
      const bytes = load<u64>(list + number * 16, 8)
      if (start < User.lowest || start >= User.rings || bytes == 0 || bytes > User.rings - start) result = -Errno.EFAULT
      else {
        const buffer = makeBuffer(process.space, <u32>start, <u32>bytes)
        if (buffer == null) result = -Errno.EFAULT
        else {
          ring.lock.lock()
          const old = load<u32>(ring.buffers + number * 4)
          if (old == 0) store<u32>(ring.buffers + number * 4, <u32>changetype<usize>(buffer))
          ring.lock.unlock()
          if (old != 0) {
            dropBuffer(buffer)
            result = -Errno.EBUSY
          }
        }
      }
    }
    __release(list)
  }
  freeRing(ring)
  return result
}
