// Rings and coroutines together: calls that are awaited, files, many at once, cancelling, channels, select, join.
import { Call, OpenFlag } from '../kernel/abi'
import { nanosecondsNow } from '../user/clock'
import { runAll, sleep, pause } from '../user/executor'
import { File, fileOf, waitFor } from '../user/file'
import { close, removeFile } from '../user/files'
import { blocksInUse, give, take } from '../user/memory'
import { Pipe, makePipe, programArguments, spawn } from '../user/process'
import { endRing, ringCall, startRing } from '../user/ring'
import { HERE, sysExit, sysProcessId, sysWrite } from '../user/system'
import { CLOSED, Channel, join, makeChannel, select } from '../user/tasks'
import { joinThread, startThread } from '../user/thread'
import { check, equal, finish, part, test, testAsync, works } from '../user/test'

export * from '../user/hooks'

const pipe = changetype<Pipe>(memory.data(8, 8))
const buffer = memory.data(4096, 16)
const results = memory.data(64, 8)
const tasks = memory.data(64, 8)
const sum = memory.data(8, 8)

@inline function task<T>(index: u32, promise: Promise<T>): void {
  store<u32>(tasks + index * 4, <u32>changetype<usize>(promise))
}

@inline function resultAt(index: u32): i64 {
  return load<i64>(results + index * 8)
}

async function awaited(): Promise<void> {
  equal(await ringCall(Call.getpid), sysProcessId(), 'getpid')
  equal(await ringCall(Call.close, 99), -9, 'close of nothing')
}

async function files(): Promise<void> {
  const file = new File()
  defer(freeFile, file)
  equal(await file.open('/tmp/ring-tasks', OpenFlag.readWrite | OpenFlag.create), 0, 'open')
  memory.fill(buffer, 5, 1000)
  equal(await file.write(buffer, 1000), 1000, 'write')
  equal(await file.readAt(buffer + 1000, 500, 200), 500, 'readAt')
  equal(memory.compare(buffer, buffer + 1000, 500), 0, 'the difference')
  equal(await file.writeAt(buffer, 10, 2000), 10, 'writeAt')
  equal(await file.read(buffer, 4096), 1010, 'read from where it was')
  equal(await file.sync(), 0, 'sync')
  equal(await file.close(), 0, 'close')
  equal(await file.read(buffer, 1), -9, 'read of a closed one')
  equal(await file.open('/tmp/none'), -2, 'open of nothing')
  removeFile('/tmp/ring-tasks')
}

async function add(value: i64): Promise<void> {
  for (let turn: i64 = 0; turn < value % 3; turn++) await pause()
  if ((await ringCall(Call.getpid)) == sysProcessId()) store<i64>(sum, load<i64>(sum) + value)
}

function freeFile(file: File): void {
  file.free()
}

async function readOne(): Promise<i64> {
  const file = fileOf(pipe.reader)
  defer(freeFile, file)
  return await file.read(buffer, 10)
}

async function writeLater(milliseconds: u64): Promise<i64> {
  await sleep(milliseconds)
  return sysWrite(pipe.writer, buffer, 3)
}

async function readerWaits(): Promise<void> {
  works(makePipe(pipe), 'pipe')
  task(0, readOne())
  task(1, writeLater(3))
  await join(tasks, 2, results)
  equal(resultAt(0), 3, 'what was read')
  equal(resultAt(1), 3, 'what was written')
  close(pipe.reader)
  close(pipe.writer)
}

async function late(milliseconds: u64, value: i64): Promise<i64> {
  await sleep(milliseconds)
  return value
}

async function first(): Promise<void> {
  works(makePipe(pipe), 'pipe')
  const start = nanosecondsNow()
  task(0, readOne())
  task(1, late(4, 77))
  task(2, late(1000, 78))
  const index = await select(tasks, 3, results)
  equal(index, 1, 'which was first')
  equal(resultAt(1), 77, 'its result')
  check(nanosecondsNow() - start < 100000000, 'the others were waited for')
  close(pipe.reader)
  close(pipe.writer)
}

async function firstIsThere(): Promise<void> {
  task(0, late(1000, 1))
  task(1, ringCall(Call.getpid))
  equal(await select(tasks, 2, results), 1, 'which was first')
  equal(resultAt(1), sysProcessId(), 'its result')
}

async function send(channel: Channel, from: i64, to: i64): Promise<i64> {
  for (let value = from; value < to; value++) if (!(await channel.send(value))) return value
  return to
}

async function receiveAll(channel: Channel): Promise<i64> {
  let total: i64 = 0
  for (;;) {
    const value = await channel.receive()
    if (value == CLOSED) return total
    total += value
  }
  return total
}

async function closeLater(channel: Channel): Promise<i64> {
  await sleep(2)
  channel.close()
  return 0
}

async function channels(): Promise<void> {
  const channel = makeChannel(4)
  task(0, send(channel, 0, 50))
  task(1, send(channel, 50, 100))
  task(2, receiveAll(channel))
  task(3, receiveAll(channel))
  task(4, closeLater(channel))
  await join(tasks, 5, results)
  equal(resultAt(2) + resultAt(3), 4950, 'the sum of what was received')
  check(!(await channel.send(1)), 'a closed channel took a value')
  channel.free()
}

async function cancelledReceiver(): Promise<void> {
  const channel = makeChannel(2)
  const waiting = channel.receive()
  const second = channel.receive()
  cancel(waiting)
  await channel.send(5)
  equal(await second, 5, 'what the other received')
  channel.free()
}

async function child(): Promise<void> {
  const path = programArguments()[0]
  const pid = works(spawn(path, [path, 'child']), 'spawn')
  const status = take(8)
  equal(await waitFor(pid, status), pid, 'wait4')
  equal(load<u32>(status) >> 8, 21, 'status')
  give(status)
}

async function makeDirectory(path: usize): Promise<i64> {
  return await ringCall(Call.mkdirat, HERE, path, 0o755)
}

export function main(): i32 {
  if (part() == 'child') sysExit(21)
  equal(startRing(32), 0, 'startRing')

  testAsync('a call is awaited', awaited)
  testAsync('files are read and written by awaiting', files)
  test('three hundred coroutines make calls at once', () => {
    store<i64>(sum, 0)
    for (let value: i64 = 0; value < 300; value++) detach(add(value))
    runAll()
    equal(load<i64>(sum), 44850, 'the sum')
  })
  testAsync('a reader waits while others run', readerWaits)
  testAsync('select gives the first and cancels the others', first)
  testAsync('select gives what is there at once', firstIsThere)
  testAsync('channels carry values between coroutines', channels)
  testAsync('a receiver that is cancelled takes nothing with it', cancelledReceiver)
  testAsync('a child is awaited', child)
  test('a call that is cancelled ends before its buffer is free', () => {
    works(makePipe(pipe), 'pipe')
    const blocks = blocksInUse()
    const waiting = readOne()
    cancel(waiting)
    // The pipe's bytes are still there for the next.
    sysWrite(pipe.writer, buffer, 4)
    equal(blockOn<i64>(readOne()), 4, 'what the next reads')
    equal(blocksInUse(), blocks, 'blocks in use')
    close(pipe.reader)
    close(pipe.writer)
  })
  test('each thread has a ring', () => {
    const threads: i64[] = []
    for (let index: u64 = 0; index < 3; index++)
      threads.push(
        works(
          startThread((_: u64): i64 => {
            let good: i64 = 0
            for (let turn = 0; turn < 20; turn++) if (blockOn<i64>(ringCall(Call.getpid)) == sysProcessId()) good++
            endRing()
            return good
          }, index),
          'start',
        ),
      )
    for (let index = 0; index < 3; index++) equal(joinThread(threads[index]), 20, 'calls that were right')
  })
  test('texts of calls may be given back when the call has ended', () => {
    const path = take(32)
    store<u64>(path, 0x6e69_722f_706d_742f)
    store<u32>(path, 0x0067_67, 8)
    equal(blockOn<i64>(makeDirectory(path)), 0, 'mkdirat')
    equal(blockOn<i64>(ringCall(Call.unlinkat, HERE, path, 0x200)), 0, 'unlinkat')
    give(path)
  })
  endRing()
  return finish()
}
