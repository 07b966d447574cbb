// Owns the ready queues and the loop that every hart runs: take interrupts, take the best ready task, resume it, or sleep.
// A task runs on its home hart only; others hand it over through the home's inbox, and interrupt that hart only if it would not look.
import { Csr, Interrupt } from '../../arch/csr'
import { sbiSendIpi } from '../../arch/sbi'
import { pollDevices } from '../dev/events'
import { Hart, HartState, hartAt, hartCount, inboxOf, stateOf, thisHart } from '../hart'
import { Trace, workFor } from '../trace/events'
import { armTimer, expireTimers } from './timer'
import { Task } from './task'

/** Lowest bit of a byte, by byte. */
const LOWEST = memory.data(256, 64)

@init export function startExecutors(): void {
  for (let value: u32 = 1; value < 256; value++) store<u8>(LOWEST + value, <u8>ctz<u32>(value))
  for (let number: u32 = 0; number < 8; number++) {
    hartAt(number).number = number
    hartAt(number).armed = u64.MAX_VALUE
    store<u32>(stateOf(number), HartState.absent)
  }
}

@inline function queueOf(hart: Hart, priority: u32): usize {
  return changetype<usize>(hart) + offsetof<Hart>('queue0') + (priority << 3)
}

/** Queues a task on its own hart, behind those of its priority. */
@inline function pushReady(hart: Hart, task: Task): void {
  const priority: u32 = task.priority
  const queue = queueOf(hart, priority)
  task.next = 0
  const bit = <u32>1 << priority
  if (hart.ready & bit) store<u32>(load<u32>(queue + 4), <u32>changetype<usize>(task), offsetof<Task>('next'))
  else {
    hart.ready |= bit
    store<u32>(queue, <u32>changetype<usize>(task))
  }
  store<u32>(queue + 4, <u32>changetype<usize>(task))
}

/** Lets a suspended task, or one about to suspend, go on. From any hart; once per suspension. */
export function makeReady(task: Task): void {
  const hart = thisHart()
  trace.emit(Trace.wake, task.activity)
  if (<u32>task.home == hart.number) pushReady(hart, task)
  else post(task, task.home)
}

/** Hands a suspended task to a hart's inbox. */
export function post(task: Task, home: u32): void {
  const inbox = inboxOf(home)
  const pointer = <u32>changetype<usize>(task)
  let head = cpu.load32(inbox)
  for (;;) {
    task.next = head
    const seen = atomic.cmpxchg<u32>(inbox, head, pointer)
    if (seen == head) break
    head = seen
  }
  // The first in an empty inbox rings; a hart that runs the kernel looks by itself.
  if (head == 0) {
    cpu.fence()
    if (cpu.load32(stateOf(home)) != HartState.kernel) {
      thisHart().ipisSent++
      sbiSendIpi(<u64>1 << home)
    }
  }
}

/** Takes over what others have posted, oldest first. */
export function emptyInbox(hart: Hart): void {
  const inbox = inboxOf(hart.number)
  if (cpu.load32(inbox) == 0) return
  let list = atomic.xchg<u32>(inbox, 0)
  let reversed: u32 = 0
  while (list != 0) {
    const task = changetype<Task>(list)
    const next = task.next
    task.next = reversed
    reversed = list
    list = next
  }
  while (reversed != 0) {
    const task = changetype<Task>(reversed)
    reversed = task.next
    hart.wakeups++
    pushReady(hart, task)
  }
}

/** Handles what is pending, without being interrupted: the kernel looks, it is not called. */
export function takeInterrupts(hart: Hart, pending: u64): void {
  hart.interrupts++
  if (pending & Interrupt.software) cpu.csrClear(Csr.sip, Interrupt.software)
  if (pending & Interrupt.timer) expireTimers(hart)
  if (pending & Interrupt.external) pollDevices(hart.number)
}

@inline export function pendingInterrupts(): u64 {
  return cpu.csrRead(Csr.sip) & (Interrupt.software | Interrupt.timer | Interrupt.external)
}

/** Whether another task of this hart should run before the one of that priority goes on. */
@inline export function hasBetterOrEqual(hart: Hart, priority: u32): bool {
  return (hart.ready & ((2 << priority) - 1)) != 0
}

/** Lets the running async function go on on another hart. Its children must be done; who awaits it must not mind. */
@inline export function moveTo(home: u32): void {
  const hart = thisHart()
  hart.migrateTo = home + 1
  hart.migrating = <u32>co.frame()
  co.suspend()
}

/** Takes the best ready task off the queues, 0 when none is ready. */
@inline function popReady(hart: Hart): u32 {
  const ready = hart.ready
  if (ready == 0) return 0
  const priority: u32 = load<u8>(LOWEST + ready)
  const queue = queueOf(hart, priority)
  const task = load<u32>(queue)
  const next = load<u32>(task, offsetof<Task>('next'))
  store<u32>(queue, next)
  if (next == 0) hart.ready = ready & ~(<u32>1 << priority)
  return task
}

@inline function resume(hart: Hart, pointer: u32): void {
  const task = changetype<Task>(pointer)
  hart.task = pointer
  hart.priority = task.priority
  const activity = task.activity
  hart.activity = activity
  hart.switches++
  workFor(hart, task.request)
  trace.emit(Trace.taskSwitch, activity)
  trace.emit(Trace.pollBegin, activity)
  co.resume(pointer)
  trace.emit(Trace.pollEnd, 0)
}

/** The life of a hart. Interrupts stay off; wfi wakes for pending ones all the same (Privileged 1.12, 3.3.3). */
export function runHart(): void {
  const hart = thisHart()
  const inbox = inboxOf(hart.number)
  cpu.csrWrite(Csr.sie, Interrupt.software | Interrupt.timer | Interrupt.external)
  for (;;) {
    const pending = pendingInterrupts()
    if (pending != 0) takeInterrupts(hart, pending)
    if (cpu.load32(inbox) != 0) emptyInbox(hart)
    const task = popReady(hart)
    if (task == 0) {
      sleep(hart)
      continue
    }
    resume(hart, task)
    if (hart.migrateTo != 0) {
      const moving = changetype<Task>(hart.migrating)
      const home = hart.migrateTo - 1
      hart.migrateTo = 0
      moving.home = <u16>home
      post(moving, home)
    }
  }
}

/** Nothing to do: the timer is set to the next deadline, and the hart stops. */
function sleep(hart: Hart): void {
  hart.activity = 0
  hart.task = 0
  hart.request = 0
  armTimer(hart, u64.MAX_VALUE)
  const state = stateOf(hart.number)
  cpu.store32(state, HartState.asleep)
  if (hartCount > 1) {
    cpu.fence()
    if (cpu.load32(inboxOf(hart.number)) != 0) {
      cpu.store32(state, HartState.kernel)
      return
    }
  }
  const start = cpu.time()
  cpu.wfi()
  cpu.store32(state, HartState.kernel)
  hart.idleTicks += cpu.time() - start
}

/** The toolchain's hook: a task that somebody awaits has ended. Awaiter and awaited share their home, so it goes on at once. */
export function __wake(task: usize): void {
  co.resume(task)
}

/** The toolchain's hook for cancel(): the kernel cancels by ending waits (sync/wait.ts), never by dropping frames. */
export function __forget(task: usize): void {
  throw new Error('the kernel cancels activities, not tasks')
}

/** The toolchain's hook for blockOn, which the kernel does not use: a hart has one loop. */
export function __idle(): void {
  throw new Error('the kernel never blocks')
}
