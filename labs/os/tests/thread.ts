// Threads: they share memory and files, have stacks of their own, run at the same time, and are joined once.
import { blockSleep } from '../user/executor'
import { open, close } from '../user/files'
import { Call } from '../kernel/abi'
import { joinThread, startThread } from '../user/thread'
import { give, take } from '../user/memory'
import { Ended, programArguments, spawn, wait } from '../user/process'
import { call0, call2, sysExit, sysThreadCreate, sysThreadJoin, sysYield } from '../user/system'
import { check, equal, fails, finish, part, runPart, test, works } from '../user/test'

export * from '../user/hooks'

const shared = memory.data(64, 64)
const ended = changetype<Ended>(memory.data(16, 8))

function addMany(count: u64): i64 {
  for (let index: u64 = 0; index < count; index++) atomic.add<u64>(shared, 1)
  return <i64>count
}

function useHeap(seed: u64): i64 {
  let wrong: i64 = 0
  for (let turn: u32 = 0; turn < 200; turn++) {
    const bytes: u32 = 16 + ((<u32>seed * 37 + turn * 13) & 511)
    const block = take(bytes)
    memory.fill(block, <u8>seed, bytes)
    if ((turn & 15) == 0) sysYield()
    for (let at: u32 = 0; at < bytes; at++) if (load<u8>(block + at) != <u8>seed) wrong++
    give(block)
  }
  return wrong
}

function child(name: string): void {
  if (name == 'exit-all') {
    startThread((_: u64): i64 => {
      for (;;) cpu.fence()
      return 0
    }, 0)
    blockSleep(2)
    sysExit(7)
  }
  if (name == 'fault') {
    startThread((_: u64): i64 => {
      store<u8>(8, 1)
      return 0
    }, 0)
    for (;;) blockSleep(1000)
  }
  if (name == 'other-exits') {
    // exit_group of any thread ends all.
    startThread((_: u64): i64 => {
      sysExit(9)
      return 0
    }, 0)
    for (;;) cpu.fence()
  }
  if (name == 'limit') {
    let count = 0
    while (startThread((_: u64): i64 => {
      for (;;) blockSleep(1000)
      return 0
    }, 0) > 0) count++
    sysExit(count)
  }
  if (name == 'no-code') {
    sysThreadCreate(0x4000_0000, 0, 0)
    for (;;) blockSleep(1000)
  }
  sysExit(99)
}

export function main(): i32 {
  if (part() != '') child(part())

  test('a thread gives its result', () => {
    const thread = works(startThread((value: u64): i64 => <i64>value * 3, 14), 'start')
    equal(joinThread(thread), 42, 'the result')
  })
  test('a result has 64 bits and a sign', () => {
    const thread = works(startThread((value: u64): i64 => -(<i64>value), 0x1234_5678_9abc), 'start')
    equal(joinThread(thread), -0x1234_5678_9abc, 'the result')
  })
  test('threads share memory', () => {
    store<u64>(shared, 0)
    const threads: i64[] = []
    for (let index = 0; index < 8; index++) threads.push(works(startThread(addMany, 1000), 'start'))
    for (let index = 0; index < 8; index++) equal(joinThread(threads[index]), 1000, 'a result')
    equal(load<u64>(shared), 8000, 'the sum')
  })
  test('the heap serves threads at once', () => {
    const threads: i64[] = []
    for (let index = 0; index < 6; index++) threads.push(works(startThread(useHeap, index + 1), 'start'))
    for (let index = 0; index < 6; index++) equal(joinThread(threads[index]), 0, 'bytes that were wrong')
  })
  test('threads share descriptors', () => {
    const thread = works(startThread((_: u64): i64 => open('/'), 0), 'start')
    const descriptor = joinThread(thread)
    equal(works(close(descriptor), 'close'), 0, 'close')
  })
  test('each thread has a stack of its own', () => {
    const threads: i64[] = []
    for (let index = 0; index < 4; index++) threads.push(works(startThread((_: u64): i64 => <i64>cpu.stackPointer(), 0), 'start'))
    let low = joinThread(threads[0])
    for (let index = 1; index < 4; index++) {
      const other = joinThread(threads[index])
      check(abs(other - low) >= 65536, 'two stacks are closer than 64 KiB')
      low = other
    }
  })
  test('each thread has a number', () => {
    const own = call0(Call.gettid)
    equal(own, call0(Call.getpid), 'the first thread has that of the process')
    const thread = works(startThread((_: u64): i64 => call0(Call.gettid), 0), 'start')
    check(joinThread(thread) != own, 'two threads have one number')
  })
  test('join waits', () => {
    const thread = works(
      startThread((_: u64): i64 => {
        blockSleep(20)
        return 5
      }, 0),
      'start',
    )
    equal(joinThread(thread), 5, 'the result')
  })
  test('join of nobody, of oneself and twice is refused', () => {
    fails(sysThreadJoin(99999, 0), 3, 'join of nobody')
    fails(sysThreadJoin(<u32>call0(Call.gettid), 0), 22, 'join of oneself')
    const thread = works(startThread((_: u64): i64 => 0, 0), 'start')
    const tid = load<u32>(<usize>thread, 56)
    joinThread(thread)
    fails(sysThreadJoin(tid, 0), 3, 'join twice')
  })
  test('the exit of the first thread ends the process', () => {
    equal(runPart('exit-all'), 7, 'status')
  })
  test('exit of any thread ends the process', () => {
    equal(runPart('other-exits'), 9, 'status')
  })
  test('a fault in a thread ends the process', () => {
    equal(runPart('fault'), 128 + 11, 'status')
  })
  test('threads have a limit', () => {
    const count = runPart('limit')
    check(count >= 16 && count < 200, 'the limit is ' + count.toString())
  })
  test('a process of threads can be killed', () => {
    const path = programArguments()[0]
    const pid = works(spawn(path, [path, 'fault']), 'spawn')
    wait(pid, ended)
    equal(ended.code, 139, 'status')
  })
  test('threads that compute share the time', () => {
    // On one hart the second only runs when the first is preempted.
    store<u64>(shared, 0)
    const first = works(
      startThread((_: u64): i64 => {
        while (atomic.load<u64>(shared) == 0) cpu.fence()
        return 1
      }, 0),
      'start',
    )
    const second = works(
      startThread((_: u64): i64 => {
        atomic.store<u64>(shared, 1)
        return 2
      }, 0),
      'start',
    )
    equal(joinThread(first) + joinThread(second), 3, 'both results')
  })
  test('a thread that begins where no code is ends the process', () => {
    equal(runPart('no-code'), 128 + 11, 'status')
  })
  test('priorities outside the range are refused', () => {
    fails(call2(Call.set_priority, 0, 2), 22, 'a priority of the kernel')
    fails(call2(Call.set_priority, 0, 8), 22, 'a priority below the lowest')
    fails(call2(Call.set_priority, 99999, 4), 3, 'a thread that is not there')
    equal(call2(Call.set_priority, 0, 5), 0, 'a good one')
    equal(call2(Call.set_priority, 0, 4), 0, 'the usual one')
  })
  return finish()
}
