// What the experiments' programs share: parameters, and samples that cost the board no cycle. A series is announced on the console, its
// samples are trace events (machine/isa/trace-kinds.ts): `mark` says which series those that follow belong to.
import { flush, print, printNumber, putByte } from '../os/user/console'
import { programArguments } from '../os/user/process'
import { parseNumber } from '../os/user/text'

const count = memory.data(8, 8)

/** The value of an argument NAME=VALUE. The runner gives all parameters. */
export function parameter(name: string): u32 {
  const args = programArguments()
  for (let index = 1; index < args.length; index++)
    if (args[index].startsWith(name + '=')) return <u32>parseNumber(args[index].substring(name.length + 1))
  throw new Error('there is no parameter ' + name)
}

/** Begins a series: samples go to it until the next one. */
export function series(name: string): void {
  const number = load<u32>(count) + 1
  store<u32>(count, number)
  print('series ')
  printNumber(number)
  putByte(32)
  print(name)
  putByte(10)
  flush()
  trace.emit(0, number)
}

/** A sample in cycles. */
@inline export function sample(cycles: u64): void {
  trace.emit(23, cycles)
}
