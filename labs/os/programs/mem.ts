// Tells how much memory there is, how much is free, and what the kernel holds.
import { print, printLine, printNumber } from '../user/console'
import { failed } from '../user/errors'
import { Counter, counter, readCounters } from '../user/inspect'

export * from '../user/hooks'

function row(name: string, value: u64, unit: string): void {
  print(name)
  printNumber(value, 10)
  printLine(unit)
}

export function main(): i32 {
  const numbers = memory.data(576, 8)
  const result = readCounters(numbers)
  if (result < 0) return failed('mem', 'counters', result)
  const all = counter(numbers, Counter.frames)
  const free = counter(numbers, Counter.freeFrames)
  row('memory         ', all * 4, ' KB')
  row('free           ', free * 4, ' KB')
  row('used           ', (all - free) * 4, ' KB')
  row('kernel objects ', counter(numbers, Counter.kernelObjects), '')
  row('open files     ', counter(numbers, Counter.openFiles), '')
  return 0
}
