// Owns what assembly and the toolchain call in a program. Every program's main file says `export * from '../user/hooks'`.
import { flush } from './console'
import { endProgram } from './process'
import { give, take } from './memory'
import { complain } from './console'
import { forgetTask, goOn, turn } from './executor'
import { runThread } from './thread'

/** Four bytes off: the dialect's objects begin 4 bytes further, and are then aligned to 16. */
export function __allocate(bytes: usize): usize {
  return take(<u32>bytes + 4) + 12 - 16
}

export function __release(address: usize): void {
  if (address != 0) give(address + 4)
}

export function __coroutine_allocate(bytes: usize): usize {
  const frame = take(<u32>bytes)
  store<u64>(frame, 0)
  store<u64>(frame, 0, 8)
  store<u64>(frame, 0, 16)
  store<u64>(frame, 0, 24)
  store<u64>(frame, 0, 32)
  store<u64>(frame, 0, 40)
  return frame
}

export function __coroutine_free(frame: usize): void {
  give(frame)
}

/** A task that somebody awaits has ended. */
export function __wake(task: usize): void {
  goOn(task)
}

/** A suspended task is being cancelled. */
export function __forget(task: usize): void {
  forgetTask(task)
}

/** blockOn has nothing to do until others have run. */
export function __idle(): void {
  turn()
}

export function __exit(status: i32): void {
  flush()
  endProgram(status)
}

/** `throw`: one line that says where, and the end. */
export function __abort(message: usize, file: usize, line: u32, column: u32): void {
  const what = message == 0 ? 'failed' : changetype<string>(message)
  const where = file == 0 ? '' : changetype<string>(file) + ':' + line.toString() + ':' + column.toString() + ': '
  complain(where + what)
  endProgram(134)
}

export function thread_main(block: usize): i64 {
  return runThread(block)
}
