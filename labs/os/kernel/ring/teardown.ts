// Owns the end of rings: of one, and of all when a process ends.
import { ioHart, thisHart } from '../hart'
import { FRAME, dropFrame } from '../mm/frames'
import { __release, destroy } from '../mm/heap'
import { removeRange } from '../mm/space'
import { cancelActivity, park, prepareWait, wakeAll } from '../sync/wait'
import { makeReady, moveTo } from '../task/executor'
import { Process } from '../task/process'
import { Activity, self } from '../task/task'
import { dropBuffers } from './buffers'
import { Request, Ring } from './ring'

export function holdRing(ring: Ring): void {
  atomic.add<u32>(changetype<usize>(ring) + offsetof<Ring>('references'), 1)
}

/** Gives a reference back; the last one frees the ring. The server has one until it ends, the process one until the ring is closed. */
export function freeRing(ring: Ring): void {
  if (atomic.sub<u32>(changetype<usize>(ring) + offsetof<Ring>('references'), 1) != 1) return
  for (let frame = ring.base; frame < ring.base + (FRAME << ring.order); frame += FRAME) dropFrame(frame)
  while (ring.overflowHead != 0) {
    const next = load<u32>(ring.overflowHead)
    __release(ring.overflowHead)
    ring.overflowHead = next
  }
  const spare = ring.spare
  if (spare != null) destroy(spare)
  __release(ring.buffers)
  destroy(ring.server)
  destroy(ring)
}

/** Takes a ring off its process and waits until nothing of it is in flight. `how` is Ring.closing. */
export async function endRing(ring: Ring, how: u32, activity: Activity): Promise<void> {
  const process = ring.process
  holdRing(ring)
  ring.closing = how
  cpu.fence()
  wakeAll(ring.idle)
  for (;;) {
    if (how == 2) cancelAll(ring)
    ring.lock.lock()
    if (ring.ended) {
      ring.lock.unlock()
      break
    }
    // This wait is not cancelled by a kill: it is what a kill waits for.
    const cancelled = activity.cancelled
    activity.cancelled = 0
    const parked = prepareWait(ring.ends, activity, self())
    ring.lock.unlock()
    if (ring.ended) wakeAll(ring.ends)
    if (parked) park()
    if (cancelled || activity.cancelled) {
      activity.cancelled = 1
      if (how == 1) {
        how = 2
        ring.closing = 2
      }
    }
  }
  process.lock.lock()
  if (process.rings == <u32>changetype<usize>(ring)) process.rings = <u32>changetype<usize>(ring.next)
  else {
    let before = changetype<Ring | null>(<usize>process.rings)
    while (before != null && before.next != ring) before = before.next
    if (before != null) before.next = ring.next
  }
  process.ringCount--
  process.lock.unlock()
  dropBuffers(ring)
  const space = process.space
  space.lock.lock()
  removeRange(space, ring.userStart, ring.userEnd)
  space.lock.unlock()
  freeRing(ring)
  freeRing(ring)
}

/** Ends the waits of everything in flight. Requests are listed by the serving hart; it is asked to do it. */
function cancelAll(ring: Ring): void {
  detach(cancelOnServer(ring))
}

async function cancelOnServer(ring: Ring): Promise<void> {
  holdRing(ring)
  makeReady(self())
  park()
  if (thisHart().number != ioHart) moveTo(ioHart)
  let following: Request | null = ring.requests
  while (following != null) {
    const request = following
    following = request.following
    cancelActivity(request)
  }
  wakeAll(ring.idle)
  wakeAll(ring.drained)
  freeRing(ring)
}

/** All rings of a process that ends. */
export async function closeRings(process: Process, activity: Activity): Promise<void> {
  while (process.rings != 0) await endRing(changetype<Ring>(<usize>process.rings), 2, activity)
}
