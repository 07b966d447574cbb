// Owns the life of user threads: each is an async function that enters user mode, looks why it came back, and awaits what the thread
// asked for. A thread has no stack in the kernel while it runs or waits.
import { Cause, Csr, Interrupt, Status } from '../../arch/csr'
import { Errno } from '../abi'
import { Hart, HartState, hartAt, hartCount, hartMask, hasTrace, inboxOf, ioHart, stateOf, thisHart, ticksPerSecond } from '../hart'
import { create, destroy, tryCleared, __release } from '../mm/heap'
import { AreaFlag, areaAt, touch, useSpace } from '../mm/space'
import { DIRECT } from '../mm/user'
import { beginLine, endLine, print, printHex, printNumber, printText } from '../print'
import { WaitQueue, park, wakeAll } from '../sync/wait'
import { PENDING, pendingCall, startCall } from '../syscall/table'
import { emptyInbox, makeReady, moveTo, pendingInterrupts, takeInterrupts } from './executor'
import { endProcess } from './exit'
import { Trace, traceActivity, workFor } from '../trace/events'
import { UserFrame, getRegister, setRegister } from './frame'
import { Process, Thread, killProcess, nameOf, nextId } from './process'
import { Activity, Priority, self } from './task'
import { armTimer } from './timer'

@external('env', 'enter_user') declare function enterUser(frame: usize): u64
@external('env', 'load_floats') declare function loadFloats(frame: usize): void
@external('env', 'save_floats') declare function saveFloats(frame: usize): void

/** Slices of a thread in a second when others of its priority are ready: 4 ms each. */
const SLICES: u64 = 250
/** Threads per hart, for placing new ones. */
const loads = memory.data(8 * 4, 8)

/** A thread that will begin at `entry`; null when memory is out. start makes it run. */
export function makeThread(process: Process, entry: u64, stack: u64): Thread | null {
  const thread = create<Thread>()
  const activity = create<Activity>()
  const frame = tryCleared(UserFrame.bytes)
  if (thread == null || activity == null || frame == 0) {
    if (thread != null) destroy(thread)
    if (activity != null) destroy(activity)
    __release(frame)
    return null
  }
  thread.process = process
  thread.activity = activity
  thread.frame = <u32>frame
  thread.joiners = changetype<WaitQueue>(changetype<usize>(thread) + offsetof<Thread>('joinersAt'))
  thread.tid = process.threads == null ? process.pid : nextId()
  thread.priority = <u8>Priority.normal
  setRegister(<u32>frame, UserFrame.pc, entry)
  setRegister(<u32>frame, UserFrame.sp, stack)
  setRegister(<u32>frame, UserFrame.status, Status.spie)
  activity.process = <u32>changetype<usize>(process)
  activity.thread = <u32>changetype<usize>(thread)
  activity.space = <u32>changetype<usize>(process.space)
  activity.access = DIRECT
  activity.name = <u32>nameOf(process)
  traceActivity(<u32>changetype<usize>(activity), nameOf(process))
  return thread
}

/** Adds it to its process and starts it on the least loaded hart. Rings of the IO hart come first there. */
export function startThread(thread: Thread): void {
  const process = thread.process
  process.lock.lock()
  thread.next = process.threads
  process.threads = thread
  process.threadCount++
  process.lock.unlock()
  thread.home = quietestHart()
  atomic.add<u32>(loads + thread.home * 4, 1)
  const hart = thisHart()
  const activity = hart.activity
  const priority = hart.priority
  hart.activity = <u32>changetype<usize>(thread.activity)
  hart.priority = thread.priority
  detach(runThread(thread))
  hart.activity = activity
  hart.priority = priority
}

/** With several harts the IO hart runs no threads. */
function quietestHart(): u32 {
  if (hartCount == 1) return ioHart
  let best: u32 = 0
  let fewest: u32 = u32.MAX_VALUE
  for (let number: u32 = 0; number < 8; number++) {
    if ((hartMask & (1 << number)) == 0 || number == ioHart) continue
    const count = cpu.load32(loads + number * 4)
    if (count < fewest) {
      fewest = count
      best = number
    }
  }
  return best
}

async function runThread(thread: Thread): Promise<void> {
  thread.task = <u32>changetype<usize>(self())
  makeReady(self())
  park()
  if (thread.home != thisHart().number) {
    moveTo(thread.home)
  }
  const process = thread.process
  const frame = thread.frame
  while (!process.killed && !thread.ended) {
    const cause = runUser(thread)
    if (cause == Cause.userCall) {
      setRegister(frame, UserFrame.pc, getRegister(frame, UserFrame.pc) + 4)
      const number = <u32>getRegister(frame, UserFrame.a7)
      const request = ((<u64>thread.tid) << 32) | ++thread.calls
      self().request = request
      workFor(thisHart(), request)
      trace.emit(Trace.requestBegin, number)
      thisHart().systemCalls++
      let result = startCall(thread.activity, number, frame + UserFrame.a0)
      if (result == PENDING) {
        result = await pendingCall(thread.activity)
        // Who has waited begins a new slice.
        thread.sliceEnd = 0
      }
      trace.emit(Trace.requestEnd, result)
      setRegister(frame, UserFrame.a0, result)
    } else if (cause & Cause.interrupt) {
      const hart = thisHart()
      const pending = pendingInterrupts()
      if (pending != 0) takeInterrupts(hart, pending)
      emptyInbox(hart)
    } else if (!handleFault(thread, cause)) reportFault(thread, cause)
    const hart = thisHart()
    if (hart.ready & ((1 << (<u32>thread.priority + 1)) - 1)) {
      // A better one goes first; one of the same priority when the slice is over.
      if (hart.ready & ((1 << <u32>thread.priority) - 1) || (thread.sliceEnd != 0 && cpu.time() >= thread.sliceEnd)) {
        thread.sliceEnd = 0
        const to = betterHart(hart)
        if (to != hart.number) {
          leaveFloats(hart, thread)
          atomic.sub<u32>(loads + thread.home * 4, 1)
          atomic.add<u32>(loads + to * 4, 1)
          thread.home = to
          moveTo(to)
        } else {
          makeReady(self())
          park()
        }
      }
    }
  }
  trace.emit(Trace.taskExit, <u32>changetype<usize>(thread.activity))
  leaveFloats(thisHart(), thread)
  atomic.sub<u32>(loads + thread.home * 4, 1)
  await endThread(thread)
}

/** A hart that sleeps while this one has more to do than one thread. */
function betterHart(hart: Hart): u32 {
  if (hartCount <= 2) return hart.number
  const own = cpu.load32(loads + hart.number * 4)
  for (let number: u32 = 0; number < 8; number++)
    if (hartMask & (1 << number) && number != ioHart && number != hart.number && cpu.load32(loads + number * 4) + 1 < own) return number
  return hart.number
}

/** Runs the thread's code until it traps. */
function runUser(thread: Thread): u64 {
  const hart = thisHart()
  useSpace(hart, thread.process.space)
  if (thread.usesFloats) takeFloats(hart, thread)
  else setRegister(thread.frame, UserFrame.status, Status.spie)
  let limit = u64.MAX_VALUE
  if (hart.ready != 0) {
    if (thread.sliceEnd == 0) thread.sliceEnd = cpu.time() + ticksPerSecond / SLICES
    limit = thread.sliceEnd
  } else thread.sliceEnd = 0
  armTimer(hart, limit)
  const state = stateOf(hart.number)
  if (hartCount > 1) {
    cpu.store32(state, HartState.user)
    cpu.fence()
    if (cpu.load32(inboxOf(hart.number)) != 0) {
      cpu.store32(state, HartState.kernel)
      return Cause.interrupt | 1
    }
  }
  hart.traps++
  if (hasTrace) cpu.csrWrite(Csr.requestId, thread.ownRequest)
  const cause = enterUser(thread.frame)
  if (hasTrace) thread.ownRequest = cpu.csrRead(Csr.requestId)
  cpu.store32(state, HartState.kernel)
  return cause
}

/** Gives the hart's float registers to a thread. */
function takeFloats(hart: Hart, thread: Thread): void {
  const pointer = <u32>changetype<usize>(thread)
  if (hart.floatOwner != pointer) {
    if (hart.floatOwner != 0) leaveFloats(hart, changetype<Thread>(hart.floatOwner))
    cpu.csrSet(Csr.sstatus, Status.floatMask)
    loadFloats(thread.frame)
    cpu.csrClear(Csr.sstatus, Status.floatMask)
    hart.floatOwner = pointer
  }
  const status = getRegister(thread.frame, UserFrame.status)
  setRegister(thread.frame, UserFrame.status, Status.spie | (status & Status.floatMask))
}

/** Saves what a thread has in this hart's float registers, if it has any. */
function leaveFloats(hart: Hart, thread: Thread): void {
  if (hart.floatOwner != <u32>changetype<usize>(thread)) return
  hart.floatOwner = 0
  const status = getRegister(thread.frame, UserFrame.status)
  if ((status & Status.floatMask) == Status.floatDirty) {
    cpu.csrSet(Csr.sstatus, Status.floatMask)
    saveFloats(thread.frame)
    cpu.csrClear(Csr.sstatus, Status.floatMask)
    setRegister(thread.frame, UserFrame.status, (status & ~Status.floatMask) | Status.floatClean)
  }
}

/** Pages that are touched the first time, and the first float instruction. False: the thread has done what it must not. */
function handleFault(thread: Thread, cause: u64): bool {
  const address = getRegister(thread.frame, UserFrame.value)
  if (cause == Cause.illegal && !thread.usesFloats) {
    thread.usesFloats = 1
    setRegister(thread.frame, UserFrame.status, Status.spie | Status.floatDirty)
    return true
  }
  const need = neededFor(cause)
  if (need == 0 || address >= 0x8000_0000) return false
  const space = thread.process.space
  space.lock.lock()
  const fine = touch(space, <u32>address, need) != 0
  space.lock.unlock()
  if (fine) cpu.sfenceAll()
  return fine
}

/** The process ends with SIGSEGV, SIGILL, or SIGKILL where only memory was wanting, and one line says why. */
function reportFault(thread: Thread, cause: u64): void {
  const hungry = wantsMemory(thread, cause)
  beginLine()
  printText(nameOf(thread.process))
  print(' (')
  printNumber(thread.process.pid)
  print('): ')
  print(
    hungry
      ? 'out of memory'
      : cause == Cause.illegal
      ? 'illegal instruction'
      : cause == Cause.loadPage
        ? 'read of an address it does not have'
        : cause == Cause.storePage
          ? 'write to an address it may not write'
          : cause == Cause.instructionPage
            ? 'jump to an address without code'
            : 'trap',
  )
  print(', address ')
  printHex(getRegister(thread.frame, UserFrame.value))
  print(', at ')
  printHex(getRegister(thread.frame, UserFrame.pc))
  endLine()
  killProcess(thread.process, hungry ? 9 : cause == Cause.illegal ? 4 : 11)
}

/** Whether the address is the thread's to touch, and there was just no frame for it. */
function wantsMemory(thread: Thread, cause: u64): bool {
  const address = getRegister(thread.frame, UserFrame.value)
  const need = neededFor(cause)
  if (need == 0 || address >= 0x8000_0000) return false
  const space = thread.process.space
  space.lock.lock()
  const area = areaAt(space, <u32>address)
  const its = area != null && (area.flags & need) != 0 && (area.flags & AreaFlag.fixed) == 0
  space.lock.unlock()
  return its
}

function neededFor(cause: u64): u32 {
  if (cause == Cause.loadPage) return AreaFlag.read
  if (cause == Cause.storePage) return AreaFlag.write
  return cause == Cause.instructionPage ? AreaFlag.execute : 0
}

/** Marks the running thread as ended with a result. */
export function leaveThread(thread: Thread, result: i64): void {
  thread.result = result
  thread.ended = 1
}

async function endThread(thread: Thread): Promise<void> {
  const process = thread.process
  __release(thread.frame)
  thread.frame = 0
  process.lock.lock()
  thread.ended = 2
  const left = --process.threadCount
  wakeAll(thread.joiners)
  process.lock.unlock()
  if (left == 0) await endProcess(process, thread.activity)
}

/** Removes a thread that has ended from its process and frees it. Call with the process' lock held. */
export function forgetThread(process: Process, thread: Thread): void {
  if (process.threads == thread) process.threads = thread.next
  else {
    let before: Thread | null = process.threads
    while (before != null && before.next != thread) before = before.next
    if (before != null) before.next = thread.next
  }
  destroy(thread.activity)
  destroy(thread)
}
