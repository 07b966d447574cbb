// Lists the processes that have rings open, and what the harts that serve them did.
import { print, printLine, printNumber } from '../user/console'
import { failed } from '../user/errors'
import { Counter, TASK_BYTES, TaskEntry, counter, readCounters, readTasks } from '../user/inspect'

export * from '../user/hooks'

const count = memory.data(8, 8)

export function main(): i32 {
  const numbers = memory.data(576, 8)
  const result = readCounters(numbers)
  if (result < 0) return failed('rings', 'counters', result)
  print('rings are served by hart ')
  printNumber(counter(numbers, Counter.ioHart))
  printLine(counter(numbers, Counter.harts) > 1 ? ', which runs no threads' : ', the only one')
  const entries = readTasks(count)
  let any = false
  let last: u32 = 0
  for (let index: u32 = 0; index < load<u32>(count); index++) {
    const task = changetype<TaskEntry>(entries + index * TASK_BYTES)
    if (task.rings == 0 || task.pid == last) continue
    if (!any) printLine('  PID  RINGS  NAME')
    any = true
    last = task.pid
    printNumber(task.pid, 5)
    printNumber(task.rings, 7)
    print('  ')
    printLine(task.name)
  }
  if (!any) printLine('no process has a ring open')
  return 0
}
