// Owns the timers: a heap of waiting activities per hart, ordered by deadline, and the hart's one hardware timer. No tick: it is set to
// the next deadline or end of a slice, and left alone when there is neither. Called on the own hart only.
import { Csr } from '../../arch/csr'
import { sbiSetTimer } from '../../arch/sbi'
import { Hart, hasSstc, ticksPerSecond } from '../hart'
import { __release, tryAllocate } from '../mm/heap'
import { endWait } from '../sync/wait'
import { Activity, Wake } from './task'

export function ticksOf(nanoseconds: u64): u64 {
  const seconds = nanoseconds / 1000000000
  return seconds * ticksPerSecond + ((nanoseconds % 1000000000) * ticksPerSecond + 999999999) / 1000000000
}

export function nanosecondsOf(ticks: u64): u64 {
  return (ticks / ticksPerSecond) * 1000000000 + ((ticks % ticksPerSecond) * 1000000000) / ticksPerSecond
}

/** Makes the hart's timer ring at the first deadline, or at `limit` if that is earlier. */
export function armTimer(hart: Hart, limit: u64): void {
  if (hart.timerCount != 0) {
    const first = changetype<Activity>(load<u32>(hart.timers)).deadline
    if (first < limit) limit = first
  }
  if (hart.armed == limit) return
  hart.armed = limit
  if (hasSstc) cpu.csrWrite(Csr.stimecmp, limit)
  else sbiSetTimer(limit)
}

/** The timer has rung: ends the waits whose time is over. */
export function expireTimers(hart: Hart): void {
  const now = cpu.time()
  while (hart.timerCount != 0) {
    const activity = changetype<Activity>(load<u32>(hart.timers))
    if (activity.deadline > now) break
    removeTimer(hart, activity)
    endWait(activity, Wake.timeout)
  }
  hart.armed = 0
  armTimer(hart, u64.MAX_VALUE)
}

/** Adds an activity with its deadline set; false when memory is out. */
export function addTimer(hart: Hart, activity: Activity): bool {
  if (hart.timerCount == hart.timerCapacity) {
    const capacity = hart.timerCapacity == 0 ? 32 : hart.timerCapacity * 2
    const list = tryAllocate(capacity * 4)
    if (list == 0) return false
    memory.copy(list, hart.timers, hart.timerCount * 4)
    __release(hart.timers)
    hart.timers = <u32>list
    hart.timerCapacity = capacity
  }
  rise(hart, hart.timerCount++, activity)
  if (activity.timer == 1) armTimer(hart, u64.MAX_VALUE)
  return true
}

export function removeTimer(hart: Hart, activity: Activity): void {
  if (activity.timer == 0) return
  const index = activity.timer - 1
  activity.timer = 0
  const last = changetype<Activity>(load<u32>(hart.timers + --hart.timerCount * 4))
  if (last == activity) return
  sink(hart, index, last)
  rise(hart, last.timer - 1, last)
}

@inline function put(hart: Hart, index: u32, activity: Activity): void {
  store<u32>(hart.timers + index * 4, <u32>changetype<usize>(activity))
  activity.timer = index + 1
}

function rise(hart: Hart, index: u32, activity: Activity): void {
  while (index != 0) {
    const above = (index - 1) >> 1
    const other = changetype<Activity>(load<u32>(hart.timers + above * 4))
    if (other.deadline <= activity.deadline) break
    put(hart, index, other)
    index = above
  }
  put(hart, index, activity)
}

function sink(hart: Hart, index: u32, activity: Activity): void {
  for (;;) {
    let below = index * 2 + 1
    if (below >= hart.timerCount) break
    let other = changetype<Activity>(load<u32>(hart.timers + below * 4))
    if (below + 1 < hart.timerCount) {
      const right = changetype<Activity>(load<u32>(hart.timers + (below + 1) * 4))
      if (right.deadline < other.deadline) {
        other = right
        below++
      }
    }
    if (other.deadline >= activity.deadline) break
    put(hart, index, other)
    index = below
  }
  put(hart, index, activity)
}
