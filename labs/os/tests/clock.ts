// Time: the clock of the shared page against that of the kernel, sleeping, the counters of traps that reading it must not cost.
import { Call, User, VdsoData } from '../kernel/abi'
import { nanosecondsNow, realtimeNow, ticksPerSecond } from '../user/clock'
import { blockFor, blockSleep } from '../user/executor'
import { COUNTERS, HartCounter, hartCounter, readCounters } from '../user/inspect'
import { call2, call3, sysClock } from '../user/system'
import { check, equal, fails, finish, test } from '../user/test'

export * from '../user/hooks'

const cell = memory.data(16, 8)
const before = memory.data(576, 8)
const after = memory.data(576, 8)

function kernelTime(clock: u32): u64 {
  sysClock(clock, cell)
  return load<u64>(cell) * 1000000000 + load<u64>(cell, 8)
}

function traps(from: usize): u64 {
  let sum: u64 = 0
  for (let hart: u32 = 0; hart < 8; hart++) sum += hartCounter(from, hart, HartCounter.systemCalls)
  return sum
}

export function main(): i32 {
  test('the page of the clock is there', () => {
    equal(load<u32>(User.vdsoData, VdsoData.version), 1, 'version')
    check(ticksPerSecond() >= 1000000, 'the clock has ' + ticksPerSecond().toString() + ' ticks a second')
  })
  test('the clock of the page is that of the kernel', () => {
    const first = nanosecondsNow()
    const kernel = kernelTime(1)
    const second = nanosecondsNow()
    check(first <= kernel + 1000 && kernel <= second + 1000, 'they differ')
  })
  test('so is the time of day', () => {
    const first = realtimeNow()
    const kernel = kernelTime(0)
    const second = realtimeNow()
    check(first <= kernel + 1000 && kernel <= second + 1000, 'they differ')
  })
  test('time does not go back', () => {
    let last = nanosecondsNow()
    for (let index = 0; index < 1000; index++) {
      const now = nanosecondsNow()
      if (!check(now >= last, 'it went back')) break
      last = now
    }
  })
  test('reading the clock makes no system call', () => {
    readCounters(before)
    for (let index = 0; index < 1000; index++) nanosecondsNow()
    readCounters(after)
    equal(traps(after) - traps(before), 1, 'calls between the two counts')
  })
  test('sleeping takes as long as it should', () => {
    const start = nanosecondsNow()
    equal(blockSleep(30), 0, 'nanosleep')
    const slept = nanosecondsNow() - start
    check(slept >= 30000000, 'it took ' + slept.toString() + ' ns')
    check(slept < 60000000, 'it took ' + slept.toString() + ' ns')
  })
  test('a sleep of nothing comes back', () => {
    equal(blockFor(0), 0, 'nanosleep')
    equal(blockFor(1), 0, 'nanosleep of one nanosecond')
  })
  test('clocks that are not there are refused', () => {
    fails(sysClock(77, cell), 22, 'clock 77')
    fails(sysClock(1, 8), 14, 'a bad address')
    fails(call2(Call.gettimeofday, 8, 0), 14, 'gettimeofday to a bad address')
  })
  test('gettimeofday is the same time', () => {
    equal(call2(Call.gettimeofday, cell, 0), 0, 'gettimeofday')
    const micro = load<u64>(cell) * 1000000 + load<u64>(cell, 8)
    const now = realtimeNow() / 1000
    check(micro <= now && now - micro < 10000, 'they differ')
  })
  test('uname tells the system', () => {
    const text = memory.data(400, 8)
    equal(call2(Call.uname, text, 0), 0, 'uname')
    equal(load<u32>(text), 0x6c6c_6f50, 'the first letters')
    fails(call2(Call.uname, 8, 0), 14, 'a bad address')
  })
  test('sysinfo and the counters agree on memory', () => {
    const block = memory.data(112, 8)
    equal(call2(Call.sysinfo, block, 0), 0, 'sysinfo')
    equal(readCounters(before), COUNTERS, 'counters')
    equal(load<u64>(block, 32), load<u64>(before, 8) * 4096, 'all memory')
    fails(call3(Call.counters, 8, 80, 0), 14, 'a bad address')
  })
  return finish()
}
