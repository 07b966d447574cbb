// Step 4: the compiler does it.
import { now, say } from './board'
import { resumeAt } from './tasks'

/** Returns to whoever resumed this task; `resumeAt` has it resumed when the time has come. */
export async function sleep(ticks: u64): Promise<void> {
  resumeAt(now() + ticks, co.frame())
  co.suspend()
}

/** The same walker; gives the total. Write the loop as you would write any loop, and await where it waits. */
export async function walk(name: u8, steps: i32, pause: u64): Promise<i32> {
  return 0
}
