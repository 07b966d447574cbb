// Owns how coroutines of one thread work together: channels, waiting for the first of several or for all.
import { makeReady } from './executor'
import { give, take } from './memory'

// A list of coroutines that wait, who waits longest first. A waiter: 0 next, 4 task, 8 list, 12 IN_LIST, WOKEN or RESUMED.
const IN_LIST: u32 = 0
const WOKEN: u32 = 1
const RESUMED: u32 = 2

/** Waits in a list until wakeFirst comes to this coroutine. */
async function waitIn(list: usize): Promise<void> {
  const waiter = take(16)
  store<u32>(waiter, 0)
  store<u32>(waiter, <u32>co.frame(), 4)
  store<u32>(waiter, <u32>list, 8)
  store<u32>(waiter, IN_LIST, 12)
  let last = list
  while (load<u32>(last) != 0) last = load<u32>(last)
  store<u32>(last, <u32>waiter)
  defer(leave, waiter)
  co.suspend()
  store<u32>(waiter, RESUMED, 12)
  undefer()
}

/** Runs when the wait ends, and when it is cancelled; then a wake that came meanwhile goes to the next. */
function leave(waiter: usize): void {
  const list: usize = load<u32>(waiter, 8)
  const state = load<u32>(waiter, 12)
  if (state == IN_LIST) {
    let before = list
    while (load<u32>(before) != <u32>waiter) before = load<u32>(before)
    store<u32>(before, load<u32>(waiter))
  } else if (state == WOKEN) wakeFirst(list)
  give(waiter)
}

function wakeFirst(list: usize): void {
  const waiter: usize = load<u32>(list)
  if (waiter == 0) return
  store<u32>(list, load<u32>(waiter))
  store<u32>(waiter, WOKEN, 12)
  makeReady(load<u32>(waiter, 4))
}

/** What receive() gives when the channel is closed and empty. */
export const CLOSED: i64 = i64.MIN_VALUE

/** Values in order, from any coroutines of the thread to any others; at most `room` wait in it. */
@unmanaged export class Channel {
  values: u32
  room: u32
  first: u32
  count: u32
  closed: u32
  receivers: u32
  senders: u32
  spare: u32

  /** Sends a value, when there is room; false when the channel is closed. */
  async send(value: i64): Promise<bool> {
    while (this.count == this.room && this.closed == 0) await waitIn(changetype<usize>(this) + offsetof<Channel>('senders'))
    if (this.closed != 0) return false
    store<i64>(this.values + ((this.first + this.count) % this.room) * 8, value)
    this.count++
    wakeFirst(changetype<usize>(this) + offsetof<Channel>('receivers'))
    return true
  }

  /** The next value, when there is one; CLOSED when there will be none. */
  async receive(): Promise<i64> {
    while (this.count == 0 && this.closed == 0) await waitIn(changetype<usize>(this) + offsetof<Channel>('receivers'))
    if (this.count == 0) return CLOSED
    const value = load<i64>(this.values + this.first * 8)
    this.first = (this.first + 1) % this.room
    this.count--
    wakeFirst(changetype<usize>(this) + offsetof<Channel>('senders'))
    return value
  }

  /** Nothing more can be sent; what is in it can be received. */
  close(): void {
    this.closed = 1
    while (this.receivers != 0) wakeFirst(changetype<usize>(this) + offsetof<Channel>('receivers'))
    while (this.senders != 0) wakeFirst(changetype<usize>(this) + offsetof<Channel>('senders'))
  }

  /** Nobody may use it any more. */
  free(): void {
    give(this.values)
    give(changetype<usize>(this))
  }
}

export function makeChannel(room: u32): Channel {
  const channel = changetype<Channel>(take(offsetof<Channel>()))
  memory.fill(changetype<usize>(channel), 0, offsetof<Channel>())
  channel.values = <u32>take(room * 8)
  channel.room = room
  return channel
}

// A choice between tasks: 0 who waits for it, 4 which was first + 1.

async function watch(task: Promise<i64>, index: u32, choice: usize, results: usize): Promise<void> {
  const result = await task
  store<i64>(results + index * 8, result)
  if (load<u32>(choice, 4) != 0) return
  store<u32>(choice, index + 1, 4)
  if (load<u32>(choice) != 0) makeReady(load<u32>(choice))
}

/**
 * Waits for the first of `count` tasks (pointers of 32 bits at `tasks`) and cancels the others: its index. Its result is at
 * `results` + 8 * index.
 */
export async function select(tasks: usize, count: u32, results: usize): Promise<u32> {
  const choice = take(16)
  const watchers = take(count * 4)
  store<u64>(choice, 0)
  for (let index: u32 = 0; index < count; index++)
    store<u32>(watchers + index * 4, <u32>changetype<usize>(watch(changetype<Promise<i64>>(<usize>load<u32>(tasks + index * 4)), index, choice, results)))
  if (load<u32>(choice, 4) == 0) {
    store<u32>(choice, <u32>co.frame())
    co.suspend()
  }
  const first = load<u32>(choice, 4) - 1
  for (let index: u32 = 0; index < count; index++) cancel(changetype<Promise<void>>(<usize>load<u32>(watchers + index * 4)))
  give(watchers)
  give(choice)
  return first
}

/** Waits for all of `count` tasks; their results are at `results`. */
export async function join(tasks: usize, count: u32, results: usize): Promise<void> {
  for (let index: u32 = 0; index < count; index++)
    store<i64>(results + index * 8, await changetype<Promise<i64>>(<usize>load<u32>(tasks + index * 4)))
}
