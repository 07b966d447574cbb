// Owns the calls about time and giving way. Called from syscall/table.ts only.
import { Errno } from '../abi'
import { ticksPerSecond } from '../hart'
import { __release, tryAllocate } from '../mm/heap'
import { copyIn, copyOut } from '../mm/user'
import { finishTimer, nowhere, park, prepareTimedWait } from '../sync/wait'
import { makeReady } from '../task/executor'
import { Activity, Wake, self } from '../task/task'
import { nanosecondsOf, ticksOf } from '../task/timer'
import { realtimeBase } from '../vdso'

/** Waits for a time in ticks; gives Wake. */
export async function sleepUntil(deadline: u64, activity: Activity): Promise<u8> {
  const parked = prepareTimedWait(nowhere, activity, self(), deadline)
  if (parked) park()
  finishTimer(activity)
  return activity.reason
}

/** nanosleep: a timespec {seconds i64, nanoseconds i64}. */
export async function sleep(activity: Activity, address: u64): Promise<i64> {
  const block = tryAllocate(16)
  if (block == 0) return -Errno.ENOMEM
  const fine = copyIn(activity, block, address, 16)
  const seconds = load<i64>(block)
  const nanoseconds = load<i64>(block, 8)
  __release(block)
  if (!fine) return -Errno.EFAULT
  if (seconds < 0 || nanoseconds < 0 || nanoseconds >= 1000000000) return -Errno.EINVAL
  const whole = <u64>min<i64>(seconds, 1000000000) * ticksPerSecond
  const reason = await sleepUntil(cpu.time() + whole + ticksOf(nanoseconds), activity)
  return reason == Wake.cancelled ? -Errno.EINTR : 0
}

/** CLOCK_REALTIME 0, CLOCK_MONOTONIC 1 (and its raw, coarse and boot-time kinds). */
export function get(activity: Activity, clock: u32, address: u64): i64 {
  if (clock > 7 || clock == 2 || clock == 3) return -Errno.EINVAL
  const now = nanosecondsOf(cpu.time()) + (clock == 0 || clock == 5 ? realtimeBase() : 0)
  return give(activity, address, now / 1000000000, now % 1000000000)
}

export function getMicroseconds(activity: Activity, address: u64): i64 {
  const now = nanosecondsOf(cpu.time()) + realtimeBase()
  return give(activity, address, now / 1000000000, (now % 1000000000) / 1000)
}

function give(activity: Activity, address: u64, first: u64, second: u64): i64 {
  const block = tryAllocate(16)
  if (block == 0) return -Errno.ENOMEM
  store<u64>(block, first)
  store<u64>(block, second, 8)
  const fine = copyOut(activity, address, block, 16)
  __release(block)
  return fine ? 0 : -Errno.EFAULT
}

/** sched_yield: behind all others of the same priority. */
export async function giveWay(activity: Activity): Promise<i64> {
  makeReady(self())
  park()
  return 0
}
