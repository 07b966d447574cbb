// Owns the coroutines of a thread: those that are ready, those that sleep, and what to do when none is ready. Each thread has an
// executor of its own in the block that tp points to; a coroutine stays with the thread that began it.
//
//   thread block  0 what the thread runs   8 C stack   16 first ready  20 last ready  24 sleepers, soonest first
//                 28 its ring (ring.ts)   40 thread.ts   96 errno of C   100 heap (memory.ts), to 384
import { sysSleep, sysYield } from './system'
import { give, take } from './memory'
import { callsUnderWay, cancelCall, collect, waitForRing } from './ring'
import { nanosecondsNow } from './clock'

/** Offset of the control block's queue link. */
const LINK: usize = 36
/** Marks in the control block's flags: in the ready queue, in the list of sleepers. */
const QUEUED: u16 = 2
const SLEEPING: u16 = 4
/** It waits for a call of its ring (ring.ts). */
export const CALLING: u16 = 8
/** It is being cancelled while its call is under way. */
export const CANCELLED: u16 = 16

@inline export function threadBlock(): usize {
  return <usize>cpu.threadPointer()
}

@inline export function setFlag(task: usize, flag: u16): void {
  store<u16>(task, load<u16>(task, 6) | flag, 6)
}

@inline export function clearFlag(task: usize, flag: u16): void {
  store<u16>(task, load<u16>(task, 6) & ~flag, 6)
}

/** An awaiter goes on at once: it is as urgent as what it awaited. */
@inline export function goOn(task: usize): void {
  co.resume(task)
}

/** Queues a suspended coroutine of this thread, or one about to suspend. */
export function makeReady(task: usize): void {
  const block = threadBlock()
  store<u32>(task, 0, LINK)
  setFlag(task, QUEUED)
  const last: usize = load<u32>(block, 20)
  if (last == 0) store<u32>(block, <u32>task, 16)
  else store<u32>(last, <u32>task, LINK)
  store<u32>(block, <u32>task, 20)
}

function popReady(): usize {
  const block = threadBlock()
  const task: usize = load<u32>(block, 16)
  if (task == 0) return 0
  const next = load<u32>(task, LINK)
  store<u32>(block, next, 16)
  if (next == 0) store<u32>(block, 0, 20)
  clearFlag(task, QUEUED)
  return task
}

/** Takes a coroutine that is cancelled out of the queue or list it stands in. */
export function forgetTask(task: usize): void {
  const flags = load<u16>(task, 6)
  const block = threadBlock()
  if (flags & QUEUED) {
    let before: usize = 0
    let at: usize = load<u32>(block, 16)
    while (at != task) {
      before = at
      at = load<u32>(at, LINK)
    }
    const next = load<u32>(task, LINK)
    if (before == 0) store<u32>(block, next, 16)
    else store<u32>(before, next, LINK)
    if (next == 0) store<u32>(block, <u32>before, 20)
    clearFlag(task, QUEUED)
  }
  if (flags & SLEEPING) removeSleeper(task)
  if (flags & CALLING) cancelCall(task)
}

/** Lets the other coroutines of this thread run first. */
export async function pause(): Promise<void> {
  makeReady(co.frame())
  co.suspend()
}

// A sleeper: next u32, task u32, deadline u64.

function addSleeper(task: usize, deadline: u64): void {
  const block = threadBlock()
  const sleeper = take(16)
  store<u32>(sleeper, <u32>task, 4)
  store<u64>(sleeper, deadline, 8)
  let before = block + 24
  while (load<u32>(before) != 0 && load<u64>(load<u32>(before), 8) <= deadline) before = load<u32>(before)
  store<u32>(sleeper, load<u32>(before))
  store<u32>(before, <u32>sleeper)
  setFlag(task, SLEEPING)
}

function removeSleeper(task: usize): void {
  let before = threadBlock() + 24
  while (load<u32>(before) != 0) {
    const sleeper: usize = load<u32>(before)
    if (load<u32>(sleeper, 4) == <u32>task) {
      store<u32>(before, load<u32>(sleeper))
      give(sleeper)
      clearFlag(task, SLEEPING)
      return
    }
    before = sleeper
  }
}

/** Waits while others run. */
export async function sleep(milliseconds: u64): Promise<void> {
  await sleepUntil(nanosecondsNow() + milliseconds * 1000000)
}

/** Waits for a time of nanosecondsNow(). */
export async function sleepUntil(deadline: u64): Promise<void> {
  addSleeper(co.frame(), deadline)
  co.suspend()
}

/** Makes those ready whose time has come; gives when the next one's comes. */
function wakeSleepers(): u64 {
  const block = threadBlock()
  let first: usize = load<u32>(block, 24)
  if (first == 0) return u64.MAX_VALUE
  const now = nanosecondsNow()
  while (first != 0 && load<u64>(first, 8) <= now) {
    const task: usize = load<u32>(first, 4)
    store<u32>(block, load<u32>(first), 24)
    give(first)
    clearFlag(task, SLEEPING)
    makeReady(task)
    first = load<u32>(block, 24)
  }
  return first == 0 ? u64.MAX_VALUE : load<u64>(first, 8)
}

/** Runs one coroutine that is ready. Where none is, waits for the next completion or deadline. */
export function turn(): void {
  const task = popReady()
  if (task != 0) {
    goOn(task)
    return
  }
  const next = wakeSleepers()
  if (load<u32>(threadBlock(), 16) != 0 || collect()) return
  if (waitForRing(next)) return
  if (next == u64.MAX_VALUE) {
    // What is awaited comes from elsewhere, such as another thread.
    sysYield()
    return
  }
  const now = nanosecondsNow()
  if (next > now) blockFor(next - now)
}

/** Waits in the kernel, coroutines of this thread with it; 0 or a negative errno. */
export function blockFor(nanoseconds: u64): i64 {
  const timespec = take(16)
  store<u64>(timespec, nanoseconds / 1000000000)
  store<u64>(timespec, nanoseconds % 1000000000, 8)
  const result = sysSleep(timespec)
  give(timespec)
  return result
}

@inline export function blockSleep(milliseconds: u64): i64 {
  return blockFor(milliseconds * 1000000)
}

/** Runs coroutines until none of this thread is ready, sleeps or waits for a call. */
export function runAll(): void {
  while (load<u32>(threadBlock(), 16) != 0 || load<u32>(threadBlock(), 24) != 0 || callsUnderWay() != 0) turn()
}
