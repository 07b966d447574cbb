// Owns the operations that only rings have: timeout, poll of one descriptor, cancel.
import { Errno } from '../abi'
import { pollers } from '../dev/poll'
import { cancelActivity, endWait, park, prepareTimedWait } from '../sync/wait'
import { readiness } from '../syscall/files'
import { sleepUntil } from '../syscall/time'
import { Process } from '../task/process'
import { Activity, Wake, self } from '../task/task'
import { ticksOf } from '../task/timer'
import { Request, Ring } from './ring'

/** timeout(nanoseconds): ETIME when it is over. */
export async function timeout(activity: Activity, nanoseconds: u64): Promise<i64> {
  const reason = await sleepUntil(cpu.time() + ticksOf(min<u64>(nanoseconds, 1 << 60)), activity)
  return reason == Wake.timeout ? -Errno.ETIME : -Errno.EINTR
}

/** poll(descriptor, bits): waits until one of the bits holds, and gives those that do. */
export async function pollOne(activity: Activity, process: Process, descriptor: u64, wanted: u32): Promise<i64> {
  for (;;) {
    const parked = prepareTimedWait(pollers, activity, self(), u64.MAX_VALUE)
    if (!parked) return -Errno.EINTR
    const bits = readiness(process, <i32>descriptor, wanted)
    if (bits != 0) endWaitOf(activity)
    park()
    if (bits != 0) return bits
    if (activity.reason == Wake.cancelled) return -Errno.EINTR
  }
  return 0
}

function endWaitOf(activity: Activity): void {
  endWait(activity, Wake.event)
}

/** cancel(user data): 0, or ENOENT when no request in flight has it. The request itself completes with ECANCELED, or as it ended. */
export function cancelRequest(ring: Ring, userData: u64): i64 {
  let following: Request | null = ring.requests
  while (following != null) {
    const request = following
    following = request.following
    if (request.userData != userData) continue
    cancelActivity(request)
    return 0
  }
  return -Errno.ENOENT
}
