// Owns threads: made, run and joined. They share everything of the process; each has a stack, and an executor (executor.ts).
import { give, giveKept, tryTake } from './memory'
import { sysThreadCreate, sysThreadJoin } from './system'

/** After the executor's part of the thread block. */
const FUNCTION: usize = 40
const ARGUMENT: usize = 48
const NUMBER: usize = 56
const BLOCK: u32 = 384

@external('env', 'thread_entry') declare function threadEntry(): u32

@unmanaged export class Thread {}

/** Starts `body(argument)` on a thread of its own; a negative errno when that cannot be. */
export function startThread(body: (argument: u64) => i64, argument: u64): i64 {
  const block = tryTake(BLOCK)
  if (block == 0) return -12
  memory.fill(block, 0, BLOCK)
  store<usize>(block, changetype<usize>(body), FUNCTION)
  store<u64>(block, argument, ARGUMENT)
  const number = sysThreadCreate(threadEntry(), block, 0)
  if (number < 0) {
    give(block)
    return number
  }
  store<u32>(block, <u32>number, NUMBER)
  return <i64>block
}

/** What assembly calls on the new thread. */
export function runThread(block: usize): i64 {
  const result = changetype<(argument: u64) => i64>(load<usize>(block, FUNCTION))(load<u64>(block, ARGUMENT))
  giveKept()
  return result
}

/** Waits for a thread that startThread gave, and gives its result; `problem` gets 0 or a negative errno. */
export function joinThread(thread: i64): i64 {
  const block = <usize>thread
  const cell = tryTake(16)
  if (cell == 0) return -12
  const problem = sysThreadJoin(load<u32>(block, NUMBER), cell)
  const result = problem < 0 ? problem : load<i64>(cell)
  give(cell)
  if (problem == 0) give(block)
  return result
}
