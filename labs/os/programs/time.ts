// Runs a program and tells how long it took, in milliseconds of the board's clock.
import { complain, flush, print, printNumber, printLine } from '../user/console'
import { nanosecondsNow } from '../user/clock'
import { failed } from '../user/errors'
import { programArguments, run } from '../user/process'

export * from '../user/hooks'

export function main(): i32 {
  const args = programArguments()
  if (args.length < 2) {
    complain('usage: time COMMAND [ARGUMENT...]')
    return 2
  }
  const path = args[1].includes('/') ? args[1] : '/bin/' + args[1]
  const start = nanosecondsNow()
  const result = run(path, args.slice(1))
  const micros = (nanosecondsNow() - start) / 1000
  if (result < 0) return failed('time', args[1], result)
  printNumber(micros / 1000)
  print('.')
  if (micros % 1000 < 100) print('0')
  if (micros % 1000 < 10) print('0')
  printNumber(micros % 1000)
  printLine(' ms')
  flush()
  return <i32>result
}
