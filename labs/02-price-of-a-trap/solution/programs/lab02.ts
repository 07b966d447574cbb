// What a trap costs, and what it costs to do without. Type lab02 at the shell's prompt.
import { Call } from '../kernel/abi'
import { nanosecondsOf } from '../user/clock'
import { print, printNumber } from '../user/console'
import { call0, call2 } from '../user/system'
import { begin, end } from './measure'

export * from '../user/hooks'

/** Your own calls, in kernel/syscall/own.ts. */
const NOTHING: u32 = 1100
const ADD: u32 = 1101
const SUM: u32 = 1102

/** Classes of requests. */
const TRAP: u32 = 1
const FUNCTION: u32 = 2
const MANY: u32 = 3
const ONCE: u32 = 4
const CLOCK_TRAP: u32 = 5
const CLOCK_READ: u32 = 6

const TURNS = 200
const COUNT: u32 = 64
const numbers = memory.data(8 * 64, 8)
const timespec = memory.data(16, 8)

const counter = memory.data(8, 8)

/** As little as a function can do and still be seen. */
function count(): void {
  cpu.store64(counter, cpu.load64(counter) + 1)
}

/** Step 1: a call that does nothing, and a function that does next to nothing. */
function compareTrapWithFunction(): void {
  for (let turn = 0; turn < TURNS; turn++) {
    begin(TRAP)
    call0(NOTHING)
    end()
    begin(FUNCTION)
    count()
    end()
  }
}

/** Step 2: 64 numbers added one by one in the kernel, or all at once. */
function compareManyWithOnce(): void {
  for (let index: u32 = 0; index < COUNT; index++) store<u64>(numbers + 8 * index, index + 1)
  let total: i64 = 0
  for (let turn = 0; turn < TURNS; turn++) {
    begin(MANY)
    total = 0
    for (let index: u32 = 0; index < COUNT; index++) total = call2(ADD, total, load<u64>(numbers + 8 * index))
    end()
    begin(ONCE)
    total = call2(SUM, numbers, COUNT)
    end()
  }
  print('the sum is ')
  printNumber(total)
  print('\n')
}

/** Step 3: nanoseconds since the start, read where the kernel shows the clock to everybody. */
function readClock(): u64 {
  return nanosecondsOf(cpu.time())
}

function compareClocks(): void {
  let before: u64 = 0
  let backwards = 0
  for (let turn = 0; turn < TURNS; turn++) {
    begin(CLOCK_TRAP)
    call2(Call.clock_gettime, 1, timespec)
    end()
    const asked = load<u64>(timespec) * 1000000000 + load<u64>(timespec, 8)
    begin(CLOCK_READ)
    const read = readClock()
    end()
    if (asked < before || read < asked || read > asked + 1000000) backwards++
    before = read
  }
  print(backwards == 0 ? 'both clocks agree\n' : 'the clocks do not agree\n')
}

export function main(): i32 {
  compareTrapWithFunction()
  compareManyWithOnce()
  compareClocks()
  return 0
}
