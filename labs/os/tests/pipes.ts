// Pipes: bytes in order, waiting at both ends, their ends, poll.
import { Call, OpenFlag } from '../kernel/abi'
import { blockSleep } from '../user/executor'
import { close } from '../user/files'
import { Ended, Pipe, kill, makePipe, programArguments, spawn, wait } from '../user/process'
import { call3, sysExit, sysPipe, sysPoll, sysRead, sysSeek, sysWrite } from '../user/system'
import { joinThread, startThread } from '../user/thread'
import { check, equal, fails, finish, part, runPart, test, works } from '../user/test'

export * from '../user/hooks'

const pipe = changetype<Pipe>(memory.data(8, 8))
const ended = changetype<Ended>(memory.data(16, 8))
const buffer = memory.data(8192, 16)
const entries = memory.data(64, 8)
const timeout = memory.data(16, 8)

function child(name: string): void {
  if (name == 'reads') {
    const count = sysRead(0, buffer, 100)
    sysExit(<i32>count)
  }
  if (name == 'writes') {
    for (let part = 0; part < 100; part++) {
      memory.fill(buffer, <u8>part, 1000)
      let done: u32 = 0
      while (done < 1000) done += <u32>sysWrite(1, buffer + done, 1000 - done)
    }
    sysExit(0)
  }
  if (name == 'both') {
    // Fills a pipe that nobody reads.
    makePipe(pipe)
    for (;;) sysWrite(pipe.writer, buffer, 4096)
  }
  sysExit(99)
}

function start(name: string, input: i32, output: i32): i64 {
  const path = programArguments()[0]
  return works(spawn(path, [path, name], input, output), 'spawn')
}

function done(): void {
  close(pipe.reader)
  close(pipe.writer)
}

/** ppoll of up to two descriptors with a timeout in nanoseconds. */
function poll(first: i32, wanted: u32, second: i32, nanoseconds: u64): i64 {
  store<i32>(entries, first)
  store<u32>(entries, wanted, 4)
  store<i32>(entries, second, 8)
  store<u32>(entries, wanted, 12)
  store<u64>(timeout, 0)
  store<u64>(timeout, nanoseconds, 8)
  return sysPoll(entries, 2, timeout)
}

export function main(): i32 {
  if (part() != '') child(part())

  test('bytes come out as they went in', () => {
    works(makePipe(pipe), 'pipe')
    for (let index: u32 = 0; index < 100; index++) store<u8>(buffer + index, <u8>index)
    equal(sysWrite(pipe.writer, buffer, 100), 100, 'write')
    equal(sysRead(pipe.reader, buffer + 1000, 40), 40, 'read')
    equal(sysRead(pipe.reader, buffer + 1040, 4000), 60, 'read the rest')
    equal(memory.compare(buffer, buffer + 1000, 100), 0, 'the difference')
    done()
  })
  test('reading waits for a writer', () => {
    works(makePipe(pipe), 'pipe')
    const pid = start('reads', pipe.reader, 1)
    blockSleep(10)
    equal(wait(pid, ended, true), 0, 'it waits')
    sysWrite(pipe.writer, buffer, 7)
    wait(pid, ended)
    equal(ended.code, 7, 'what it read')
    done()
  })
  test('a hundred thousand bytes pass through', () => {
    works(makePipe(pipe), 'pipe')
    const pid = start('writes', 0, pipe.writer)
    close(pipe.writer)
    let total: i64 = 0
    let wrong = 0
    for (;;) {
      const count = sysRead(pipe.reader, buffer, 8192)
      if (count <= 0) break
      for (let index: i64 = 0; index < count; index++) if (load<u8>(buffer + <usize>index) != <u8>((total + index) / 1000)) wrong++
      total += count
    }
    equal(total, 100000, 'how many')
    equal(wrong, 0, 'how many are wrong')
    close(pipe.reader)
    wait(pid, ended)
    equal(ended.code, 0, 'status of the writer')
  })
  test('reading ends when no writer is left', () => {
    works(makePipe(pipe), 'pipe')
    sysWrite(pipe.writer, buffer, 3)
    close(pipe.writer)
    equal(sysRead(pipe.reader, buffer, 10), 3, 'what was left')
    equal(sysRead(pipe.reader, buffer, 10), 0, 'the end')
    close(pipe.reader)
  })
  test('writing fails when no reader is left', () => {
    works(makePipe(pipe), 'pipe')
    close(pipe.reader)
    fails(sysWrite(pipe.writer, buffer, 10), 32, 'write')
    close(pipe.writer)
  })
  test('ends have a direction', () => {
    works(makePipe(pipe), 'pipe')
    fails(sysRead(pipe.writer, buffer, 1), 9, 'read from the writing end')
    fails(sysWrite(pipe.reader, buffer, 1), 9, 'write to the reading end')
    fails(sysSeek(pipe.reader, 0, 0), 29, 'seek')
    done()
  })
  test('a pipe that must not wait says so', () => {
    equal(sysPipe(changetype<usize>(pipe), OpenFlag.nonBlocking), 0, 'pipe')
    fails(sysRead(pipe.reader, buffer, 1), 11, 'read')
    let total: i64 = 0
    let result: i64 = 0
    while (total < 10000000 && (result = sysWrite(pipe.writer, buffer, 4096)) > 0) total += result
    fails(result, 11, 'write to a full one')
    check(total >= 4096, 'only ' + total.toString() + ' bytes fitted')
    done()
  })
  test('a process that waits at a full pipe can be killed', () => {
    const pid = start('both', 0, 1)
    blockSleep(10)
    kill(<i32>pid, 9)
    wait(pid, ended)
    equal(ended.code, 137, 'status')
  })
  test('threads talk through a pipe', () => {
    works(makePipe(pipe), 'pipe')
    const thread = works(
      startThread((_: u64): i64 => {
        const cell = memory.data(8, 8)
        return sysRead(pipe.reader, cell, 8) == 8 ? load<i64>(cell) : -1
      }, 0),
      'start',
    )
    store<i64>(buffer, 4711)
    sysWrite(pipe.writer, buffer, 8)
    equal(joinThread(thread), 4711, 'what it read')
    done()
  })
  test('poll tells which end is ready', () => {
    works(makePipe(pipe), 'pipe')
    equal(poll(pipe.reader, 1, pipe.writer, 0), 0, 'readable when empty')
    equal(poll(pipe.reader, 5, pipe.writer, 0), 1, 'writable when empty')
    sysWrite(pipe.writer, buffer, 1)
    equal(poll(pipe.reader, 5, pipe.writer, 0), 2, 'both when there is a byte')
    equal(load<u16>(entries, 6), 1, 'what the reading end is')
    equal(load<u16>(entries, 14), 4, 'what the writing end is')
    done()
  })
  test('poll waits, and gives up', () => {
    works(makePipe(pipe), 'pipe')
    equal(poll(pipe.reader, 1, -1, 5000000), 0, 'after 5 ms')
    const thread = works(
      startThread((_: u64): i64 => {
        blockSleep(5)
        return sysWrite(pipe.writer, buffer, 1)
      }, 0),
      'start',
    )
    equal(poll(pipe.reader, 1, -1, 900000000), 1, 'with a byte on its way')
    joinThread(thread)
    done()
  })
  test('poll knows the end, and what is not open', () => {
    works(makePipe(pipe), 'pipe')
    close(pipe.writer)
    equal(poll(pipe.reader, 1, 99, 0), 2, 'how many')
    check((load<u16>(entries, 6) & 17) != 0, 'the reading end is not ready')
    equal(load<u16>(entries, 14), 32, 'what is not open')
    close(pipe.reader)
    fails(sysPoll(8, 1, 0), 14, 'poll of a bad address')
    fails(sysPoll(entries, 257, 0), 22, 'poll of too many')
  })
  test('pipe refuses a bad address', () => {
    fails(sysPipe(8, 0), 14, 'pipe')
    fails(call3(Call.pipe2, buffer, 0x8000_0000, 0), 22, 'an unknown flag')
  })
  test('a chain of three passes bytes on', () => {
    equal(runPart('none'), 99, 'an unknown part')
    works(makePipe(pipe), 'pipe')
    const second = changetype<Pipe>(memory.data(8, 8))
    works(makePipe(second), 'pipe')
    const first = works(spawn('/bin/echo', ['echo', 'one two three'], 0, pipe.writer), 'spawn')
    close(pipe.writer)
    const last = works(spawn('/bin/wc', ['wc'], pipe.reader, second.writer), 'spawn')
    close(pipe.reader)
    close(second.writer)
    equal(sysRead(second.reader, buffer, 100), 24, 'the length of the answer')
    equal(load<u8>(buffer + 14), 51, 'the words')
    close(second.reader)
    wait(first, ended)
    wait(last, ended)
  })
  return finish()
}
