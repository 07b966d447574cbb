// Runs the programs of /test whose names contain the argument (default: all), one after the other, and looks whether the kernel holds
// more after each than before.
import { complain, flush, print, printLine, printNumber } from '../user/console'
import { close, listDirectory, open, removeFile } from '../user/files'
import { OpenFlag } from '../kernel/abi'
import { Counter, counter, readCounters } from '../user/inspect'
import { Ended, programArguments, spawn, wait } from '../user/process'

export * from '../user/hooks'

const OUTPUT = '/tmp/output'
const before = memory.data(576, 8)
const after = memory.data(576, 8)
const ended = changetype<Ended>(memory.data(16, 8))
let failed = 0
let passed = 0

function tell(good: bool, what: string): void {
  print(good ? 'ok - ' : 'not ok - ')
  printLine(what)
  flush()
  if (good) passed++
  else failed++
}

/** Runs a program to its end, and that of the orphans it leaves, which are the first process' to bury. Gives its status. */
function runToEnd(path: string, output: i64): i64 {
  const pid = spawn(path, [path], 0, <i32>output, <i32>(output == 1 ? 2 : output))
  if (pid < 0) return pid
  wait(pid, ended)
  const status: i64 = ended.code
  while (wait(-1, ended) > 0) {}
  return status
}

function growth(index: u32): i64 {
  return counter(after, index) - counter(before, index)
}

/** Runs it once more, its output thrown away; what the kernel holds then that it did not before, as a text. */
function whatGrows(path: string): string {
  const output = open(OUTPUT, OpenFlag.writeOnly | OpenFlag.create | OpenFlag.truncate)
  readCounters(before)
  runToEnd(path, output)
  close(output)
  removeFile(OUTPUT)
  // The file itself was there before.
  const again = open(OUTPUT, OpenFlag.writeOnly | OpenFlag.create | OpenFlag.truncate)
  readCounters(after)
  close(again)
  removeFile(OUTPUT)
  const objects = growth(Counter.kernelObjects)
  const files = growth(Counter.openFiles)
  return objects <= 0 && files <= 0 ? '' : objects.toString() + ' objects, ' + files.toString() + ' files'
}

function runOne(name: string): void {
  const path = '/test/' + name
  printLine('# ' + name)
  flush()
  const status = runToEnd(path, 1)
  tell(status == 0, name + ' ended with status ' + status.toString())
  // The kernel keeps frames of coroutines for later: only what grows each time is lost.
  let lost = whatGrows(path)
  for (let again = 0; again < 2 && lost != ''; again++) lost = whatGrows(path)
  tell(lost == '', name + ' leaves nothing behind' + (lost == '' ? '' : ' # ' + lost))
}

export function main(): i32 {
  const args = programArguments()
  const pattern = args.length > 1 ? args[1] : ''
  const listing = listDirectory('/test')
  if (listing.problem < 0) complain('run: there is no /test')
  for (let index = 0; index < listing.names.length; index++) {
    const name = listing.names[index]
    if (name != 'run' && name.includes(pattern)) runOne(name)
  }
  print('# programs: ')
  printNumber(passed)
  print(' checks good, ')
  printNumber(failed)
  printLine(' bad')
  return failed != 0 || passed == 0 ? 1 : 0
}
