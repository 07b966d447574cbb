// Rings in the raw style: entries, completions, order, links, drain, cancel, timeouts, overflow, buffers, mistakes.
import { Access, Call, Poll, RingHeader, RingOp, Submission, SubmissionFlag } from '../kernel/abi'
import { nanosecondsNow } from '../user/clock'
import { blockSleep } from '../user/executor'
import { close, open, removeFile } from '../user/files'
import { Counter, HartCounter, counter, hartCounter, readCounters } from '../user/inspect'
import { give, take } from '../user/memory'
import { Pipe, makePipe } from '../user/process'
import { Ring, openRing } from '../user/ring'
import { HERE, call1, call2, call3, call4, sysExit, sysMap, sysProcessId, sysRead, sysUnmap, sysWrite } from '../user/system'
import { toKernel } from '../user/text'
import { check, equal, fails, finish, part, runPart, test, works } from '../user/test'

export * from '../user/hooks'

const done = memory.data(16, 8)
const buffer = memory.data(16384, 4096)
const pipe = changetype<Pipe>(memory.data(8, 8))
const before = memory.data(576, 8)
const after = memory.data(576, 8)

function openNow(entries: u32, access: u32 = Access.cached, completions: u32 = 0): Ring {
  return changetype<Ring>(<usize>works(openRing(entries, access, completions), 'setup_io'))
}

@inline function token(): u64 {
  return load<u64>(done)
}
@inline function result(): i64 {
  return load<i64>(done, 8)
}

/** Takes the next completion, which must have that token. */
function expect(ring: Ring, wanted: u64, value: i64, what: string): void {
  if (!check(ring.wait(done), what + ' never came')) return
  equal(token(), wanted, 'the token of ' + what)
  equal(result(), value, what)
}

function userCalls(from: usize): u64 {
  const io = <u32>counter(from, Counter.ioHart)
  let sum: u64 = 0
  for (let hart: u32 = 0; hart < 8; hart++) if (hart != io) sum += hartCounter(from, hart, HartCounter.systemCalls)
  return sum
}

function child(name: string): void {
  const ring = openNow(8)
  if (name == 'leaves') {
    // Ends with requests in flight.
    works(makePipe(pipe), 'pipe')
    for (let index: u32 = 0; index < 8; index++) ring.add(Call.read, 0, index, pipe.reader, buffer, 10)
    ring.submit()
    blockSleep(2)
    sysExit(5)
  }
  if (name == 'header') {
    // Everything in the header is nonsense.
    memory.fill(ring.base, 0xa5, 512)
    ring.enter(0, 0)
    blockSleep(2)
    ring.enter(1, 1000000)
    sysExit(6)
  }
  sysExit(99)
}

/** Reads a file of 8 KiB by each way of reaching memory. */
function readBy(access: u32): void {
  const file = works(open('/tmp/ring-data', 0o1102), 'open')
  for (let index: u32 = 0; index < 8192; index++) store<u8>(buffer + index, <u8>(index * 31 + (index >> 8)))
  sysWrite(<i32>file, buffer, 8192)
  const ring = openNow(8, access)
  const target = <usize>sysMap(0, 16384, 3, 0x22, -1, 0)
  ring.add(Call.pread64, 0, 1, file, target + 100, 8192, 0)
  ring.submit()
  expect(ring, 1, 8192, 'a read to pages that were never touched')
  equal(memory.compare(target + 100, buffer, 8192), 0, 'the difference')
  store<u8>(target + 200, 77)
  ring.add(Call.pwrite64, 0, 2, file, target + 200, 1, 4000)
  ring.submit()
  expect(ring, 2, 1, 'a write')
  ring.add(Call.pread64, 0, 3, file, target, 1, 4000)
  ring.submit()
  expect(ring, 3, 1, 'reading it again')
  equal(load<u8>(target), 77, 'the byte')
  sysUnmap(target, 16384)
  ring.add(Call.pread64, 0, 4, file, target, 10, 0)
  ring.submit()
  expect(ring, 4, -14, 'a read to where memory was')
  ring.close()
  close(file)
  removeFile('/tmp/ring-data')
}

export function main(): i32 {
  if (part() != '') child(part())

  test('a request goes in and comes out', () => {
    const ring = openNow(8)
    ring.add(RingOp.nop, 0, 0x1234_5678_9abc_def0)
    ring.submit()
    expect(ring, 0x1234_5678_9abc_def0, 0, 'nop')
    check(!ring.take(done), 'there is a second completion')
    equal(ring.close(), 0, 'close')
  })
  test('the first request goes with setup_io, the last with ring_close', () => {
    const entry = take(Submission.bytes)
    memory.fill(entry, 0, Submission.bytes)
    store<u16>(entry, Call.getpid)
    store<u64>(entry, 9, Submission.userData)
    const ring = changetype<Ring>(<usize>works(openRing(8, 0, 0, entry), 'setup_io'))
    expect(ring, 9, sysProcessId(), 'getpid')
    equal(ring.close(entry), sysProcessId(), 'the result of the last')
    give(entry)
  })
  test('a queue that is full says so, and has room later', () => {
    const ring = openNow(4)
    for (let index: u32 = 0; index < 4; index++) check(ring.add(RingOp.nop, 0, index), 'no room')
    check(!ring.add(RingOp.nop, 0, 5), 'there is room for a fifth')
    ring.submit()
    for (let index: u32 = 0; index < 4; index++) expect(ring, index, 0, 'nop')
    check(ring.add(RingOp.nop, 0, 6), 'there is no room later')
    ring.close()
  })
  test('a thousand requests come back in their number', () => {
    const ring = openNow(32)
    let sent: u64 = 0
    let got: u64 = 0
    let sum: u64 = 0
    while (got < 1000) {
      while (sent < 1000 && ring.add(RingOp.nop, 0, sent)) sent++
      ring.submit()
      if (!ring.wait(done)) break
      do {
        sum += token()
        got++
      } while (ring.take(done))
    }
    equal(got, 1000, 'completions')
    equal(sum, 499500, 'the sum of the tokens')
    ring.close()
  })
  test('files are opened, written, read and closed without a trap for each', () => {
    const ring = openNow(8)
    const path = toKernel('/tmp/ring-file')
    ring.add(Call.openat, 0, 1, HERE, path, 0o102, 0o644)
    ring.submit()
    ring.wait(done)
    const file = <u64>works(result(), 'openat')
    memory.fill(buffer, 7, 100)
    ring.add(Call.write, 0, 2, file, buffer, 100)
    ring.submit()
    expect(ring, 2, 100, 'write')
    ring.add(Call.pread64, 0, 3, file, buffer + 200, 100, 0)
    ring.submit()
    expect(ring, 3, 100, 'pread64')
    equal(memory.compare(buffer, buffer + 200, 100), 0, 'the difference')
    ring.add(Call.fsync, 0, 4, file)
    ring.submit()
    expect(ring, 4, 0, 'fsync')
    ring.add(Call.fstat, 0, 5, file, buffer)
    ring.submit()
    expect(ring, 5, 0, 'fstat')
    equal(load<u64>(buffer, 48), 100, 'its size')
    ring.add(Call.close, 0, 6, file)
    ring.submit()
    expect(ring, 6, 0, 'close')
    ring.add(Call.unlinkat, 0, 7, HERE, path, 0)
    ring.submit()
    expect(ring, 7, 0, 'unlinkat')
    give(path)
    ring.close()
  })
  test('directories too: mkdir, rename, getdents, rmdir, pipe', () => {
    const ring = openNow(8)
    const first = toKernel('/tmp/ring-a')
    const second = toKernel('/tmp/ring-b')
    ring.add(Call.mkdirat, SubmissionFlag.link, 1, HERE, first, 0o755)
    ring.add(Call.renameat2, SubmissionFlag.link, 2, HERE, first, HERE, second, 0)
    ring.add(Call.openat, 0, 3, HERE, second, 0o200000, 0)
    ring.submit()
    expect(ring, 1, 0, 'mkdirat')
    expect(ring, 2, 0, 'renameat2')
    ring.wait(done)
    const directory = <u64>works(result(), 'openat')
    ring.add(Call.getdents64, SubmissionFlag.link, 4, directory, buffer, 1000)
    ring.add(Call.close, SubmissionFlag.link, 5, directory)
    ring.add(Call.unlinkat, SubmissionFlag.link, 6, HERE, second, 0x200)
    ring.add(Call.pipe2, 0, 7, changetype<usize>(pipe), 0)
    ring.submit()
    expect(ring, 4, 48, 'getdents64')
    expect(ring, 5, 0, 'close')
    expect(ring, 6, 0, 'unlinkat')
    expect(ring, 7, 0, 'pipe2')
    close(pipe.reader)
    close(pipe.writer)
    give(first)
    give(second)
    ring.close()
  })
  test('requests complete out of order', () => {
    works(makePipe(pipe), 'pipe')
    const ring = openNow(8)
    ring.add(Call.read, 0, 1, pipe.reader, buffer, 10)
    ring.add(RingOp.nop, 0, 2)
    ring.submit()
    expect(ring, 2, 0, 'nop')
    ring.add(Call.write, 0, 3, pipe.writer, buffer, 4)
    ring.submit()
    let seen: u64 = 0
    for (let index = 0; index < 2; index++) {
      ring.wait(done)
      equal(result(), 4, 'bytes')
      seen |= 1 << token()
    }
    equal(seen, 10, 'the tokens')
    close(pipe.reader)
    close(pipe.writer)
    ring.close()
  })
  test('links run one after the other', () => {
    works(makePipe(pipe), 'pipe')
    const ring = openNow(8)
    store<u32>(buffer, 0x6162_6364)
    ring.add(Call.write, SubmissionFlag.link, 1, pipe.writer, buffer, 4)
    ring.add(Call.read, SubmissionFlag.link, 2, pipe.reader, buffer + 100, 10)
    ring.add(RingOp.nop, 0, 3)
    ring.submit()
    expect(ring, 1, 4, 'write')
    expect(ring, 2, 4, 'read')
    expect(ring, 3, 0, 'nop')
    close(pipe.reader)
    close(pipe.writer)
    ring.close()
  })
  test('a broken link cancels the rest of its chain only', () => {
    const ring = openNow(8)
    ring.add(Call.close, SubmissionFlag.link, 1, 99)
    ring.add(RingOp.nop, SubmissionFlag.link, 2)
    ring.add(RingOp.nop, 0, 3)
    ring.add(RingOp.nop, 0, 4)
    ring.submit()
    let results: i64 = 0
    for (let index = 0; index < 4; index++) {
      ring.wait(done)
      if (token() == 1) equal(result(), -9, 'close')
      else if (token() == 4) equal(result(), 0, 'the nop outside')
      else equal(result(), -125, 'a nop of the chain')
      results += <i64>token()
    }
    equal(results, 10, 'all tokens')
    ring.close()
  })
  test('a hard link goes on', () => {
    const ring = openNow(8)
    ring.add(Call.close, SubmissionFlag.hardLink, 1, 99)
    ring.add(RingOp.nop, 0, 2)
    ring.submit()
    expect(ring, 1, -9, 'close')
    expect(ring, 2, 0, 'nop')
    ring.close()
  })
  test('drain waits for what is before, and holds what is behind', () => {
    const ring = openNow(8)
    ring.add(RingOp.timeout, 0, 1, 3000000)
    ring.add(RingOp.nop, SubmissionFlag.drain, 2)
    ring.add(RingOp.nop, 0, 3)
    ring.submit()
    expect(ring, 1, -62, 'the timeout')
    expect(ring, 2, 0, 'the drain')
    expect(ring, 3, 0, 'what is behind')
    ring.close()
  })
  test('a timeout takes its time', () => {
    const ring = openNow(8)
    const start = nanosecondsNow()
    ring.add(RingOp.timeout, 0, 1, 10000000)
    ring.submit()
    expect(ring, 1, -62, 'the timeout')
    const took = nanosecondsNow() - start
    check(took >= 10000000 && took < 30000000, 'it took ' + took.toString() + ' ns')
    ring.close()
  })
  test('timeouts end in the order of their times', () => {
    const ring = openNow(8)
    ring.add(RingOp.timeout, 0, 3, 9000000)
    ring.add(RingOp.timeout, 0, 1, 3000000)
    ring.add(RingOp.timeout, 0, 2, 6000000)
    ring.submit()
    for (let index: u32 = 1; index <= 3; index++) expect(ring, index, -62, 'a timeout')
    ring.close()
  })
  test('what waits can be cancelled', () => {
    works(makePipe(pipe), 'pipe')
    const ring = openNow(8)
    ring.add(Call.read, 0, 1, pipe.reader, buffer, 10)
    ring.add(RingOp.timeout, 0, 2, 1000000000)
    ring.submit()
    blockSleep(1)
    ring.add(RingOp.cancel, SubmissionFlag.silent, 10, 1)
    ring.add(RingOp.cancel, SubmissionFlag.silent, 11, 2)
    ring.submit()
    let sum: u64 = 0
    for (let index = 0; index < 2; index++) {
      ring.wait(done)
      equal(result(), -125, 'the cancelled')
      sum += token()
    }
    equal(sum, 3, 'the tokens')
    ring.add(RingOp.cancel, 0, 12, 1)
    ring.submit()
    expect(ring, 12, -2, 'a cancel of nothing')
    close(pipe.reader)
    close(pipe.writer)
    ring.close()
  })
  test('poll waits for a descriptor', () => {
    works(makePipe(pipe), 'pipe')
    const ring = openNow(8)
    ring.add(RingOp.poll, 0, 1, pipe.writer, Poll.writable)
    ring.submit()
    expect(ring, 1, Poll.writable, 'the writing end')
    ring.add(RingOp.poll, 0, 2, pipe.reader, Poll.readable)
    ring.submit()
    blockSleep(1)
    check(!ring.take(done), 'the reading end is ready')
    sysWrite(pipe.writer, buffer, 1)
    expect(ring, 2, Poll.readable, 'the reading end')
    close(pipe.reader)
    close(pipe.writer)
    ring.close()
  })
  test('completions that find no room wait, and none is lost', () => {
    const ring = openNow(64, Access.cached, 8)
    let sent: u64 = 0
    while (sent < 64 && ring.add(RingOp.nop, 0, sent)) sent++
    ring.submit()
    blockSleep(2)
    let sum: u64 = 0
    for (let index: u64 = 0; index < 64; index++) {
      if (!check(ring.wait(done), 'a completion is lost')) break
      sum += token()
    }
    equal(sum, 2016, 'the sum of the tokens')
    ring.close()
  })
  test('silent requests say nothing when they succeed', () => {
    const ring = openNow(8)
    ring.add(Call.fstat, SubmissionFlag.silent, 1, 1, buffer)
    ring.add(Call.close, SubmissionFlag.silent, 2, 99)
    ring.add(RingOp.nop, SubmissionFlag.drain, 3)
    ring.submit()
    expect(ring, 2, -9, 'the one that failed')
    expect(ring, 3, 0, 'nop')
    ring.close()
  })
  test('memory is reached by walking page tables', () => {
    readBy(Access.translate)
  })
  test('memory is reached by remembered translations', () => {
    readBy(Access.cached)
  })
  test('memory is reached by switching page tables', () => {
    readBy(Access.switchTables)
  })
  test('memory is reached through registered buffers', () => {
    const ring = openNow(8)
    const at = <usize>sysMap(0, 16384, 3, 0x22, -1, 0)
    const pairs = take(32)
    store<u64>(pairs, at)
    store<u64>(pairs, 16384, 8)
    equal(ring.register(pairs, 1), 0, 'register_buffers')
    const file = <u64>works(open('/bin/sh'), 'open')
    ring.add(Call.pread64, SubmissionFlag.fixedBuffer, 1, file, 4000, 8000, 0)
    ring.submit()
    expect(ring, 1, 8000, 'a read to the buffer')
    equal(load<u32>(at + 4000), 0x464c_457f, 'the first bytes')
    ring.add(Call.pread64, SubmissionFlag.fixedBuffer, 2, file, 16000, 8000, 0)
    ring.submit()
    expect(ring, 2, -14, 'a read beyond the buffer')
    fails(sysUnmap(at, 16384), 16, 'munmap while it is registered')
    equal(ring.register(0, 0), 0, 'taking it back')
    equal(sysUnmap(at, 16384), 0, 'munmap')
    ring.add(Call.pread64, SubmissionFlag.fixedBuffer, 3, file, 0, 10, 0)
    ring.submit()
    expect(ring, 3, -22, 'a buffer that is not registered')
    close(file)
    give(pairs)
    ring.close()
  })
  test('a big page makes a registered buffer', () => {
    const ring = openNow(8)
    const at = <usize>sysMap(0, 0x20_0000, 3, 0x4_0022, -1, 0)
    const pairs = take(32)
    store<u64>(pairs, at)
    store<u64>(pairs, 0x20_0000, 8)
    equal(ring.register(pairs, 1), 0, 'register_buffers')
    const file = <u64>works(open('/bin/sh'), 'open')
    ring.add(Call.pread64, SubmissionFlag.fixedBuffer, 1, file, 0x10_0000, 20000, 0)
    ring.submit()
    expect(ring, 1, 20000, 'a read to its middle')
    equal(load<u32>(at + 0x10_0000), 0x464c_457f, 'the first bytes')
    close(file)
    give(pairs)
    ring.close()
    equal(sysUnmap(at, 0x20_0000), 0, 'munmap after the ring is gone')
  })
  test('what must not be registered is refused', () => {
    const ring = openNow(8)
    const pairs = take(32)
    store<u64>(pairs, 0x1_0000)
    store<u64>(pairs, 4096, 8)
    fails(ring.register(pairs, 1), 14, 'code')
    store<u64>(pairs, 8)
    fails(ring.register(pairs, 1), 14, 'address 8')
    store<u64>(pairs, <u64>-4096)
    fails(ring.register(pairs, 1), 14, 'the end of all')
    fails(ring.register(8, 1), 14, 'a list at address 8')
    fails(ring.register(pairs, 65), 22, 'too many')
    give(pairs)
    ring.close()
  })
  test('calls about the thread itself are no requests', () => {
    const ring = openNow(8)
    ring.add(Call.exit, 0, 1, 3)
    ring.add(Call.sched_yield, 0, 2)
    ring.add(999, 0, 3)
    ring.submit()
    expect(ring, 1, -22, 'exit')
    expect(ring, 2, -22, 'sched_yield')
    expect(ring, 3, -38, 'a call that is not there')
    ring.close()
  })
  test('bad addresses in requests are EFAULT', () => {
    const ring = openNow(8)
    ring.add(Call.write, 0, 1, 1, 8, 10)
    ring.add(Call.openat, 0, 2, HERE, 0xffff_ffff_8020_0000, 0, 0)
    ring.add(Call.fstat, 0, 3, 1, 0x1_0000)
    ring.submit()
    let sum: u64 = 0
    for (let index = 0; index < 3; index++) {
      ring.wait(done)
      equal(result(), -14, 'a result')
      sum += token()
    }
    equal(sum, 6, 'the tokens')
    ring.close()
  })
  test('unknown flags are refused and counted', () => {
    const ring = openNow(8)
    ring.add(RingOp.nop, 0x80, 1)
    ring.submit()
    expect(ring, 1, -22, 'nop')
    equal(load<u32>(ring.base, RingHeader.rejected), 1, 'the count')
    ring.close()
  })
  test('rings that cannot be are refused', () => {
    fails(openRing(3), 22, '3 entries')
    fails(openRing(0), 22, 'no entries')
    fails(openRing(8192), 22, 'too many entries')
    fails(openRing(8, 7), 22, 'an unknown access')
    fails(call1(Call.setup_io, 8), 14, 'parameters at address 8')
    fails(call4(Call.ring_enter, 99, 0, 0, 0), 9, 'ring_enter of no ring')
    fails(call2(Call.ring_close, 99, 0), 9, 'ring_close of no ring')
    fails(call3(Call.register_buffers, 99, 0, 0), 9, 'register_buffers of no ring')
    const ring = openNow(8)
    fails(call4(Call.ring_enter, ring.id, 1, 0, 0), 22, 'ring_enter with a flag')
    fails(call2(Call.ring_close, ring.id, 8), 14, 'ring_close with a bad entry')
    ring.close()
  })
  test('waiting for a completion has a limit', () => {
    const ring = openNow(8)
    fails(ring.enter(1, 2000000), 62, 'ring_enter')
    ring.close()
  })
  test('a process has several rings, up to a limit', () => {
    const rings: i64[] = []
    let last: i64 = 0
    while (rings.length < 40 && (last = openRing(4)) > 0) rings.push(last)
    fails(last, 11, 'one too many')
    check(rings.length >= 8, 'only ' + rings.length.toString() + ' could be open')
    for (let index = 0; index < rings.length; index++) {
      const ring = changetype<Ring>(<usize>rings[index])
      ring.add(RingOp.nop, 0, index)
      ring.submit()
      expect(ring, index, 0, 'nop')
    }
    for (let index = 0; index < rings.length; index++) changetype<Ring>(<usize>rings[index]).close()
  })
  test('a process that ends leaves no requests behind', () => {
    equal(runPart('leaves'), 5, 'status')
  })
  test('a header full of nonsense harms nobody else', () => {
    equal(runPart('header'), 6, 'status')
  })
  test('between the first call and the last there is no trap', () => {
    readCounters(before)
    if (counter(before, Counter.harts) == 1) return
    const entry = take(Submission.bytes)
    memory.fill(entry, 0, Submission.bytes)
    store<u16>(entry, RingOp.nop)
    const ring = changetype<Ring>(<usize>works(openRing(64, Access.cached, 0, entry), 'setup_io'))
    store<u16>(entry, Call.getpid)
    const file = <u64>works(open('/bin/sh'), 'open')
    // The server is awake from here on, as long as there is work.
    readCounters(before)
    let got: u64 = 0
    let sent: u64 = 0
    let woken = 0
    while (got < 2000) {
      while (sent < 2000 && ring.add(sent & 1 ? <u32>Call.pread64 : <u32>RingOp.nop, 0, sent, file, buffer, 64, 0)) sent++
      ring.show()
      if (ring.sleeps) {
        woken++
        ring.enter(0, 0)
        // It may have done all and sleep again.
        while (ring.sleeps && ring.ready == 0) cpu.fence()
      }
      while (ring.take(done)) got++
    }
    readCounters(after)
    // One of them is the second count's own.
    equal(userCalls(after) - userCalls(before), 1 + woken, 'traps for 2000 requests')
    // On the board it never does; a busy host may hold QEMU's harts up.
    check(woken < 100, 'the server fell asleep ' + woken.toString() + ' times')
    equal(ring.close(entry), sysProcessId(), 'the result of the last call')
    close(file)
    give(entry)
  })
  test('reading ends when the last writer closes through a ring', () => {
    works(makePipe(pipe), 'pipe')
    const ring = openNow(8)
    ring.add(Call.close, 0, 1, pipe.writer)
    ring.submit()
    expect(ring, 1, 0, 'close')
    equal(sysRead(pipe.reader, buffer, 10), 0, 'read')
    close(pipe.reader)
    ring.close()
  })
  return finish()
}
