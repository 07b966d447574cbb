// Owns looking at the system: its tasks and counters, as kernel/syscall/inspect.ts gives them.
import { call2 } from './system'
import { Call } from '../kernel/abi'
import { fromKernel } from './text'
import { take } from './memory'
import { sysTasks } from './system'

export const TASK_BYTES: u32 = 128
/** The kernel gives no more at once. */
const MOST_TASKS: u32 = 128

/** One thread. */
@unmanaged export class TaskEntry {
  pid: u32
  parent: u32
  tid: u32
  /** 0 ready or running, 1 waiting, 2 ended. */
  state: u8
  priority: u8
  home: u8
  chainLength: u8
  frames: u32
  group: u32
  rings: u32
  spare: u32

  get name(): string {
    return fromKernel(changetype<usize>(this) + 32)
  }

  /** A function that it awaits, innermost first. */
  chain(index: u32): string {
    return fromKernel(changetype<usize>(this) + 64 + index * 16)
  }
}

/** The threads there are: entries one after the other, to be given back. Their number is stored at `count`. */
export function readTasks(count: usize): usize {
  const entries = take(MOST_TASKS * TASK_BYTES)
  const result = sysTasks(entries, MOST_TASKS * TASK_BYTES)
  store<u32>(count, result < 0 ? 0 : min(<u32>result, MOST_TASKS))
  return entries
}

/** Numbers of counters: the machine's, then each hart's 8 from HART on. */
export namespace Counter {
  export const freeFrames: u32 = 0
  export const frames: u32 = 1
  export const kernelObjects: u32 = 2
  export const openFiles: u32 = 3
  export const harts: u32 = 4
  export const ioHart: u32 = 5
  export const uptime: u32 = 6
}

export namespace HartCounter {
  export const first: u32 = 8
  export const count: u32 = 8
  export const switches: u32 = 0
  export const traps: u32 = 1
  export const interrupts: u32 = 2
  export const idle: u32 = 3
  export const wakeups: u32 = 4
  export const systemCalls: u32 = 5
  export const ipis: u32 = 6
  export const present: u32 = 7
}

export const COUNTERS: u32 = 72

/** Fills in COUNTERS numbers of 64 bits. */
@inline export function readCounters(into: usize): i64 {
  return call2(Call.counters, into, COUNTERS * 8)
}

@inline export function counter(from: usize, index: u32): u64 {
  return load<u64>(from + index * 8)
}

@inline export function hartCounter(from: usize, hart: u32, index: u32): u64 {
  return load<u64>(from + (HartCounter.first + hart * HartCounter.count + index) * 8)
}
