// Owns the block of state that each hart has, and what is true of the machine as a whole. Everyone in the kernel may read it;
// a hart's block is written by its own hart only, but for the inbox and the counters marked so.

export const MOST_HARTS: u32 = 8
const HART_BYTES: u32 = 512

/** What a hart is doing, as others see it: they interrupt it only when it would not look at its inbox soon. */
export namespace HartState {
  export const kernel: u32 = 0
  export const asleep: u32 = 1
  export const user: u32 = 2
  export const absent: u32 = 3
}

@unmanaged export class Hart {
  number: u32
  /** Ready tasks: bit p is set when the queue of priority p is not empty. */
  ready: u32
  /** The owner of the task that runs; new tasks inherit it. */
  activity: u32
  /** The root page table's address space, 0 when it is the kernel's own. */
  space: u32
  request: u64
  /** When the timer is set to ring, in ticks. */
  armed: u64
  /** Heads and tails of the ready queues by priority, 8 bytes each. */
  queue0: u64
  queue1: u64
  queue2: u64
  queue3: u64
  queue4: u64
  queue5: u64
  queue6: u64
  queue7: u64
  /** The task that runs, and its priority. */
  task: u32
  priority: u32
  /** Set by a task that wants to go on on another hart when it has suspended: that hart + 1, and the task. */
  migrateTo: u32
  migrating: u32
  /** The thread whose float registers the hart holds. */
  floatOwner: u32
  timers: u32
  timerCount: u32
  timerCapacity: u32
  stack: u32
  /** Counters for task_list, top and the tests. */
  switches: u64
  traps: u64
  interrupts: u64
  idleTicks: u64
  wakeups: u64
  systemCalls: u64
  userTicks: u64
  ipisSent: u64
  /** Lists of free coroutine frames by size class, and how many are in all. */
  frameCount: u32
  frames0: u32
  frames1: u32
  frames2: u32
  frames3: u32
  frames4: u32
  frames5: u32
  frames6: u32
  frames7: u32
}

/** Written by any hart, so away from the rest: the inbox (a list through queue_link) and the state. 64 bytes per hart. */
const MAILBOXES = memory.data(8 * 64, 64)
const HARTS = memory.data(8 * 512, 64)

@inline export function hartAt(number: u32): Hart {
  return changetype<Hart>(HARTS + number * HART_BYTES)
}

@inline export function thisHart(): Hart {
  return changetype<Hart>(HARTS + <u32>cpu.hartId() * HART_BYTES)
}

@inline export function inboxOf(number: u32): usize {
  return MAILBOXES + (number << 6)
}

@inline export function stateOf(number: u32): usize {
  return MAILBOXES + (number << 6) + 4
}

/** Facts found at boot. */
@readOnly export let hartMask: u32 = 1
@readOnly export let hartCount: u32 = 1
@readOnly export let bootHart: u32 = 0
/** The hart that serves rings and devices; with one hart that one does. */
@readOnly export let ioHart: u32 = 0
@readOnly export let ticksPerSecond: u64 = 10000000
@readOnly export let hasSstc: bool = false
@readOnly export let hasTrace: bool = false

@init export function setMachine(mask: u32, boot: u32, io: u32, timebase: u64, sstc: bool, trace: bool): void {
  hartMask = mask
  bootHart = boot
  ioHart = io
  ticksPerSecond = timebase
  hasSstc = sstc
  hasTrace = trace
  let count: u32 = 0
  for (let bits = mask; bits != 0; bits &= bits - 1) count++
  hartCount = count
}
