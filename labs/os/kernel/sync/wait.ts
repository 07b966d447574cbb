// Owns waiting: queues of parked tasks, and the three ways a wait ends (event, timeout, cancellation). How to wait:
//
//     lock.lock(); if (nothing there) { prepareWait(queue, activity, self()); lock.unlock(); park(); reason = activity.reason }
//
// What is prepared under the object's lock cannot be missed: a task that is made ready before it has suspended
// is resumed by its hart's loop, which runs only after it has.
import { thisHart } from '../hart'
import { makeReady } from '../task/executor'
import { Activity, LOWEST_PRIORITY, Task, Wake } from '../task/task'
import { addTimer, removeTimer } from '../task/timer'
import { SpinLock } from './spin'

@unmanaged export class WaitQueue {
  head: u32
  tail: u32
}

const waitLock = changetype<SpinLock>(memory.data(64, 64))

/** Where activities wait that nothing but time or cancellation wakes. */
export const nowhere = changetype<WaitQueue>(memory.data(8, 8))

/** Suspends the running async function until it is made ready. Only after prepareWait said so. */
@inline export function park(): void {
  co.suspend()
}

/** Puts the running task into a queue. False when the activity was cancelled: then there is nothing to park for. */
export function prepareWait(queue: WaitQueue, activity: Activity, task: Task): bool {
  waitLock.lock()
  if (activity.cancelled) {
    activity.reason = Wake.cancelled
    waitLock.unlock()
    return false
  }
  activity.reason = Wake.event
  activity.task = <u32>changetype<usize>(task)
  activity.queue = <u32>changetype<usize>(queue)
  task.activity = <u32>changetype<usize>(activity)
  task.next = 0
  if (queue.head == 0) queue.head = <u32>changetype<usize>(task)
  else changetype<Task>(queue.tail).next = <u32>changetype<usize>(task)
  queue.tail = <u32>changetype<usize>(task)
  waitLock.unlock()
  return true
}

/** The same with a time limit in ticks of `time`; call finishTimer after park. */
export function prepareTimedWait(queue: WaitQueue, activity: Activity, task: Task, deadline: u64): bool {
  if (!prepareWait(queue, activity, task)) return false
  activity.deadline = deadline
  // Without memory for the timer the wait ends at once, as if its time were over.
  if (deadline != u64.MAX_VALUE && !addTimer(thisHart(), activity)) endWait(activity, Wake.timeout)
  return true
}

export function finishTimer(activity: Activity): void {
  removeTimer(thisHart(), activity)
}

@inline function leave(task: Task): void {
  const activity = changetype<Activity>(task.activity)
  activity.task = 0
  activity.queue = 0
}

/** Lets the longest waiter of a queue go on; false when there is none. */
export function wakeOne(queue: WaitQueue): bool {
  if (queue.head == 0) return false
  waitLock.lock()
  const head = queue.head
  if (head == 0) {
    waitLock.unlock()
    return false
  }
  const task = changetype<Task>(head)
  queue.head = task.next
  leave(task)
  waitLock.unlock()
  makeReady(task)
  return true
}

/** Lets all go on; false when nobody waits. */
export function wakeAll(queue: WaitQueue): bool {
  return wakeAllAt(queue, LOWEST_PRIORITY)
}

/**
 * The same, and none behind others of `priority`: an urgent event goes ahead of what computes. Only the task that waited is raised, so
 * the boost is over when its thread has had its turn.
 */
export function wakeAllAt(queue: WaitQueue, priority: u32): bool {
  if (queue.head == 0) return false
  waitLock.lock()
  let list = queue.head
  queue.head = 0
  for (let at = list; at != 0; at = changetype<Task>(at).next) leave(changetype<Task>(at))
  waitLock.unlock()
  while (list != 0) {
    const task = changetype<Task>(list)
    list = task.next
    if (<u32>task.priority > priority) task.priority = <u8>priority
    makeReady(task)
  }
  return list == 0
}

/** Ends an activity's wait before its event; false when it does not wait. */
export function endWait(activity: Activity, reason: u8): bool {
  waitLock.lock()
  const pointer = activity.task
  if (pointer == 0) {
    waitLock.unlock()
    return false
  }
  const queue = changetype<WaitQueue>(activity.queue)
  const task = changetype<Task>(pointer)
  let before: u32 = 0
  for (let at = queue.head; at != pointer; at = changetype<Task>(at).next) before = at
  if (before == 0) queue.head = task.next
  else changetype<Task>(before).next = task.next
  if (queue.tail == pointer) queue.tail = before
  leave(task)
  activity.reason = reason
  waitLock.unlock()
  makeReady(task)
  return true
}

/** Ends the activity's wait, and every one it begins from now on, with Wake.cancelled. */
export function cancelActivity(activity: Activity): void {
  waitLock.lock()
  activity.cancelled = 1
  waitLock.unlock()
  endWait(activity, Wake.cancelled)
}
