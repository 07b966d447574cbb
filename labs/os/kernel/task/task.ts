// Owns the kernel's view of the task control block (contracts.md, "Task control block") and of activities: what a chain of
// awaiting tasks belongs to. One activity waits for at most one thing at a time.

/** Bits of the control block's flags. */
export namespace TaskFlag {
  export const queued: u16 = 2
}

/** What `continuation` holds up to here is no awaiter (the toolchain's coroutine/task.ts). */
export const DETACHED: u32 = 3

@unmanaged export class Task {
  resume: u32
  state: u8
  priority: u8
  flags: u16
  activity: u32
  continuation: u32
  request: u64
  result: u64
  frameType: u32
  next: u32
  home: u16
  frameClass: u16
  savedStack: u32
}

export const LOWEST_PRIORITY: u32 = 7
export namespace Priority {
  export const urgent: u32 = 0
  export const driver: u32 = 1
  export const server: u32 = 2
  export const boosted: u32 = 3
  export const normal: u32 = 4
  export const idle: u32 = 7
}

/** Why a wait ended. */
export namespace Wake {
  export const event: u8 = 0
  export const timeout: u8 = 1
  export const cancelled: u8 = 2
}

@unmanaged export class Activity {
  /** The task that is parked in `queue`, and the queue; 0 while nothing waits. Guarded by the wait lock. */
  task: u32
  queue: u32
  reason: u8
  cancelled: u8
  /** How user memory is reached: one of abi's Access, or DIRECT. */
  access: u8
  spare: u8
  /** Index in the home hart's timer heap + 1. */
  timer: u32
  deadline: u64
  /** Whose it is; 0 for the kernel's own. */
  process: u32
  thread: u32
  /** The address space that user addresses mean; 0: they are kernel addresses. */
  space: u32
  /** The registered buffer that addresses are offsets of, or 0. */
  buffer: u32
  request: u64
  /** Remembered translation of one page: its address | 1, and its frame. */
  cachedPage: u32
  cachedFrame: u32
  cachedGeneration: u32
  name: u32
  /** The unfinished call that startCall began. */
  pending: u32
}

@inline export function self(): Task {
  return changetype<Task>(co.frame())
}
