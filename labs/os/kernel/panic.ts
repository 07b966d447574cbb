// Owns the end: one report with the place, the task and whom it keeps waiting, then the machine goes off. Reached from the
// toolchain's hooks and from traps of the kernel itself.
import { thisHart } from './hart'
import { shutdown } from './power'
import { flushConsole } from './dev/console'
import { print, printThroughConsole, printHex, printNumber, printText, putCharacter } from './print'
import { Activity, DETACHED, Task } from './task/task'

function printString(text: usize): void {
  const count = load<u32>(text - 4) >> 1
  for (let index: u32 = 0; index < count; index++) putCharacter(load<u16>(text + index * 2))
}

function begin(): void {
  printThroughConsole(false)
  flushConsole()
  print('\nkernel panic: ')
}

/** `throw`, and what AssemblyScript's library checks. Texts are managed strings. */
export function __abort(message: usize, file: usize, line: u32, column: u32): void {
  begin()
  if (message) printString(message)
  print('\n  at ')
  if (file) printString(file)
  putCharacter(58)
  printNumber(line)
  putCharacter(58)
  printNumber(column)
  report()
}

/** A check of the generated code: its kind, and where the code is. */
export function panicCode(code: u64, address: u64, frame: u64): void {
  begin()
  print('check ')
  printNumber(code)
  print(' failed (see trapCodes of the toolchain)\n  at ')
  printHex(address)
  report()
}

/** A trap of the kernel itself. */
export function panicTrap(cause: u64, address: u64, value: u64, caller: u64, frame: u64): void {
  begin()
  print('trap of the kernel, cause ')
  printNumber(cause)
  print(', address ')
  printHex(value)
  print('\n  at ')
  printHex(address)
  print(' called from ')
  printHex(caller)
  report()
}

/** One task: its function, and where it is suspended (`.pollen.frames`, codegen/describe.ts draws the records). */
export function printTask(task: Task): void {
  const record: usize = task.frameType
  if (record == 0) {
    print('a task that has just begun')
    return
  }
  printText(record + load<u32>(record, 8))
  let at = record + 16
  for (let left = load<u32>(record, 12); left != 0; left--) {
    if (load<u32>(at) == task.resume) {
      print(' (')
      printText(record + load<u32>(at, 8))
      putCharacter(58)
      printNumber(load<u32>(at, 4))
      putCharacter(41)
      return
    }
    at += 16 + load<u32>(at, 12) * 16
  }
}

function report(): void {
  const hart = thisHart()
  print('\n  hart ')
  printNumber(hart.number)
  if (hart.task != 0) {
    print(', task ')
    printHex(hart.task)
    const activity = changetype<Activity>(hart.activity)
    if (hart.activity != 0 && activity.name != 0) {
      print(' of ')
      printText(activity.name)
    }
    print('\n  awaited by:')
    let depth = 0
    for (let at = hart.task; at > DETACHED && depth < 32; at = changetype<Task>(at).continuation) {
      print('\n    ')
      printTask(changetype<Task>(at))
      depth++
    }
  }
  putCharacter(10)
  shutdown(134)
}
