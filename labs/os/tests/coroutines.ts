// Coroutines of a program: its executor, sleeping, recursion, cancelling, and that nothing of them stays.
import { nanosecondsNow } from '../user/clock'
import { pause, runAll, sleep } from '../user/executor'
import { blocksInUse } from '../user/memory'
import { joinThread, startThread } from '../user/thread'
import { check, equal, finish, test, testAsync, works } from '../user/test'

export * from '../user/hooks'

const log = memory.data(256, 8)

function note(value: u32): void {
  const count = load<u32>(log)
  store<u32>(log + 4 + count * 4, value)
  store<u32>(log, count + 1)
}

function noted(index: u32): u32 {
  return load<u32>(log + 4 + index * 4)
}

async function value(result: i64): Promise<i64> {
  return result
}

async function late(result: i64, turns: i32): Promise<i64> {
  for (let turn = 0; turn < turns; turn++) await pause()
  return result
}

async function fibonacci(n: i64): Promise<i64> {
  if (n < 2) return await late(n, 1)
  return (await fibonacci(n - 1)) + (await fibonacci(n - 2))
}

async function counting(name: u32, turns: u32): Promise<void> {
  for (let turn: u32 = 0; turn < turns; turn++) {
    note(name)
    await pause()
  }
}

async function sleeping(name: u32, milliseconds: u64): Promise<void> {
  await sleep(milliseconds)
  note(name)
}

function cleaned(name: u32): void {
  note(name)
}

async function careful(name: u32): Promise<void> {
  defer(cleaned, name)
  await sleep(1000000)
  note(99)
}

async function doneAtOnce(): Promise<void> {
  equal(await value(7), 7, 'the value')
}

async function takesTurns(): Promise<void> {
  equal(await late(8, 5), 8, 'the value')
}

async function recursion(): Promise<void> {
  equal(await fibonacci(12), 144, 'fibonacci of 12')
}

export function main(): i32 {
  testAsync('what is done at once is there at once', doneAtOnce)
  testAsync('what takes turns is awaited', takesTurns)
  testAsync('recursion works', recursion)
  test('coroutines take turns', () => {
    store<u32>(log, 0)
    detach(counting(1, 3))
    detach(counting(2, 3))
    runAll()
    equal(load<u32>(log), 6, 'notes')
    for (let index: u32 = 0; index < 6; index++) equal(noted(index), (index & 1) + 1, 'a turn')
  })
  test('sleepers wake in the order of their times', () => {
    store<u32>(log, 0)
    const start = nanosecondsNow()
    detach(sleeping(3, 15))
    detach(sleeping(1, 5))
    detach(sleeping(2, 10))
    runAll()
    equal(noted(0) * 100 + noted(1) * 10 + noted(2), 123, 'the order')
    const took = nanosecondsNow() - start
    check(took >= 15000000 && took < 40000000, 'it took ' + took.toString() + ' ns')
  })
  test('many sleep at once', () => {
    store<u32>(log, 0)
    for (let index: u64 = 0; index < 50; index++) detach(sleeping(7, index % 7))
    runAll()
    equal(load<u32>(log), 50, 'notes')
  })
  test('a cancelled sleeper is cleaned up', () => {
    store<u32>(log, 0)
    const before = blocksInUse()
    const task = careful(5)
    cancel(task)
    runAll()
    equal(load<u32>(log), 1, 'notes')
    equal(noted(0), 5, 'the note')
    equal(blocksInUse(), before, 'blocks in use')
  })
  test('coroutines leave no memory behind', () => {
    const before = blocksInUse()
    equal(blockOn<i64>(fibonacci(8)), 21, 'fibonacci of 8')
    for (let index = 0; index < 20; index++) detach(sleeping(1, 1))
    store<u32>(log, 0)
    runAll()
    equal(blocksInUse(), before, 'blocks in use')
  })
  test('each thread has an executor', () => {
    const threads: i64[] = []
    for (let index = 0; index < 4; index++) threads.push(works(startThread((n: u64): i64 => blockOn<i64>(fibonacci(<i64>n)), 8 + index), 'start'))
    equal(joinThread(threads[0]), 21, 'fibonacci of 8')
    equal(joinThread(threads[1]), 34, 'fibonacci of 9')
    equal(joinThread(threads[2]), 55, 'fibonacci of 10')
    equal(joinThread(threads[3]), 89, 'fibonacci of 11')
  })
  return finish()
}
