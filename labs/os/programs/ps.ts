// Lists the threads of all processes: who they are, what they do, and what they await.
import { print, printColumn, printLine, printNumber } from '../user/console'
import { TASK_BYTES, TaskEntry, readTasks } from '../user/inspect'

export * from '../user/hooks'

const count = memory.data(8, 8)

function printTask(task: TaskEntry): void {
  printNumber(task.pid, 5)
  printNumber(task.tid, 6)
  printNumber(task.parent, 7)
  print('  ')
  printColumn(task.state == 0 ? 'ready' : task.state == 1 ? 'waits' : 'ended', 6)
  printNumber(task.priority, 5)
  printNumber(task.home, 5)
  printNumber(<u64>task.frames * 4, 7)
  printNumber(task.rings, 6)
  print('  ')
  printColumn(task.name, 10)
  for (let index: u32 = 0; index < task.chainLength; index++) {
    print(index == 0 ? ' ' : ' < ')
    print(task.chain(index))
  }
  printLine('')
}

export function main(): i32 {
  const entries = readTasks(count)
  printLine('  PID   TID PARENT  STATE  PRIO HART     KB RINGS  NAME       AWAITS')
  for (let index: u32 = 0; index < load<u32>(count); index++) printTask(changetype<TaskEntry>(entries + index * TASK_BYTES))
  return 0
}
