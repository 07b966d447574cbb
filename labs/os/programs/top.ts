// Shows what the harts do, once a second: `top [TIMES]`, 1 time unless said otherwise. Busy is what is not idle.
import { flush, print, printColumn, printLine, printNumber, putByte } from '../user/console'
import { complain } from '../user/console'
import { failed } from '../user/errors'
import { blockSleep } from '../user/executor'
import { Counter, HartCounter, TASK_BYTES, TaskEntry, counter, hartCounter, readCounters, readTasks } from '../user/inspect'
import { give } from '../user/memory'
import { programArguments } from '../user/process'
import { parseNumber } from '../user/text'

export * from '../user/hooks'

const before = memory.data(576, 8)
const after = memory.data(576, 8)
const count = memory.data(8, 8)

function change(hart: u32, index: u32): u64 {
  return hartCounter(after, hart, index) - hartCounter(before, hart, index)
}

function showHarts(): void {
  const elapsed = max<u64>(counter(after, Counter.uptime) - counter(before, Counter.uptime), 1)
  printLine('HART  BUSY  SWITCHES   TRAPS   CALLS  INTERRUPTS  IPIS')
  for (let hart: u32 = 0; hart < 8; hart++) {
    if (hartCounter(after, hart, HartCounter.present) == 0) continue
    const idle = min(change(hart, HartCounter.idle), elapsed)
    printNumber(hart, 4)
    printNumber(((elapsed - idle) * 100) / elapsed, 5)
    putByte(37)
    printNumber(change(hart, HartCounter.switches), 10)
    printNumber(change(hart, HartCounter.traps), 8)
    printNumber(change(hart, HartCounter.systemCalls), 8)
    printNumber(change(hart, HartCounter.interrupts), 12)
    printNumber(change(hart, HartCounter.ipis), 6)
    printLine(<u64>hart == counter(after, Counter.ioHart) ? '  IO' : '')
  }
}

function showTasks(): void {
  const entries = readTasks(count)
  printLine('  PID  STATE  PRIO HART     KB  NAME')
  for (let index: u32 = 0; index < load<u32>(count); index++) {
    const task = changetype<TaskEntry>(entries + index * TASK_BYTES)
    printNumber(task.pid, 5)
    print('  ')
    printColumn(task.state == 0 ? 'ready' : task.state == 1 ? 'waits' : 'ended', 6)
    printNumber(task.priority, 5)
    printNumber(task.home, 5)
    printNumber(<u64>task.frames * 4, 7)
    print('  ')
    printLine(task.name)
  }
  give(entries)
}

export function main(): i32 {
  const args = programArguments()
  const times = args.length > 1 ? parseNumber(args[1]) : 1
  if (times < 1) {
    complain('usage: top [TIMES]')
    return 2
  }
  for (let time: i64 = 0; time < times; time++) {
    const result = readCounters(before)
    if (result < 0) return failed('top', 'counters', result)
    blockSleep(1000)
    readCounters(after)
    if (times > 1) print('\x1b[H\x1b[2J')
    showHarts()
    showTasks()
    flush()
  }
  return 0
}
