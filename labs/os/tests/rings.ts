// Rings: every operation, order, links, drain, cancel, timeouts, overflow, registered buffers, sleeping and spinning, limits, the end.
import { Access, Call, Errno, OpenFlag, Poll, RingHeader, RingOp, RingState, SubmissionFlag } from '../kernel/abi'
import { Counter, HartCounter, counter, hartCounter, readCounters } from '../user/inspect'
import { Pipe, makePipe } from '../user/process'
import { sysClose, sysMap, sysRead, sysUnmap, sysWrite, sysYield } from '../user/system'
import { check, equal, fails, finish, test, works } from '../user/test'
import { RawRing, closeRing, enter, field, one, openRing, put, registerBuffers, room, show, spinFor, take, tryTake } from './raw-ring'

export * from '../user/hooks'

const AT_FDCWD: u64 = -100
const ring = changetype<RawRing>(memory.data(64, 8))
const pipe = changetype<Pipe>(memory.data(8, 8))
const page = memory.data(16384, 64)
const numbers = memory.data(72 * 8, 8)
const list = memory.data(32, 8)
const result = memory.data(8, 8)
const seen = memory.data(1024, 8)
// "/tmp/ring", "/tmp/ring.d", "/tmp/ring2"
const file = memory.data<u8>([47, 116, 109, 112, 47, 114, 105, 110, 103, 0])
const folder = memory.data<u8>([47, 116, 109, 112, 47, 114, 105, 110, 103, 46, 100, 0])
const other = memory.data<u8>([47, 116, 109, 112, 47, 114, 105, 110, 103, 50, 0])

function begin(): void {
  works(openRing(ring, 32, 64, 0, 0, 0), 'setup_io')
}

function traps(): u64 {
  readCounters(numbers)
  let sum: u64 = 0
  for (let hart: u32 = 0; hart < 8; hart++) sum += hartCounter(numbers, hart, HartCounter.traps)
  return sum
}

function harts(): u64 {
  readCounters(numbers)
  return counter(numbers, Counter.harts)
}

function withFile(): i64 {
  for (let at = 0; at < 16384; at++) store<u8>(page + at, <u8>(at * 7))
  const descriptor = one(ring, Call.openat, AT_FDCWD, file, OpenFlag.create | OpenFlag.readWrite | OpenFlag.truncate, 0)
  works(descriptor, 'openat')
  equal(one(ring, Call.write, descriptor, page, 10000, 0), 10000, 'write')
  memory.fill(page, 0, 16384)
  return descriptor
}

function withoutFile(descriptor: i64): void {
  equal(one(ring, Call.close, descriptor, 0, 0, 0), 0, 'close')
  equal(one(ring, Call.unlinkat, AT_FDCWD, file, 0, 0), 0, 'unlinkat')
}

function isFilled(at: usize, bytes: u32, offset: u32): bool {
  for (let index: u32 = 0; index < bytes; index++) if (load<u8>(at + index) != <u8>((offset + index) * 7)) return false
  return true
}

function readsWith(access: u32): void {
  works(openRing(ring, 8, 16, access, 0, 0), 'setup_io')
  const descriptor = withFile()
  for (let offset: u32 = 0; offset < 9000; offset += 1111) {
    equal(one(ring, Call.pread64, descriptor, page + 13, 1000, offset), 1000, 'pread64')
    check(isFilled(page + 13, 1000, offset), 'the bytes read')
  }
  withoutFile(descriptor)
  closeRing(ring, 0, 0)
}

export function main(): i32 {
  test('setup_io carries the first request', () => {
    works(openRing(ring, 8, 0, 0, Call.getpid, 42), 'setup_io')
    const pid = take(ring)
    check(pid > 0, 'a pid')
    equal(ring.userData, 42, 'the user data')
    equal(ring.completionEntries, 16, 'twice as many completion entries')
    closeRing(ring, 0, 0)
  })
  test('ring_close makes the last call and gives its result', () => {
    works(openRing(ring, 8, 8, 0, 0, 0), 'setup_io')
    const descriptor = withFile()
    equal(closeRing(ring, Call.close, descriptor), 0, 'the last call')
    fails(sysRead(<i32>descriptor, page, 1), Errno.EBADF, 'a read after it')
    fails(closeRing(ring, 0, 0), Errno.EBADF, 'a second close')
  })
  test('bad parameters are refused', () => {
    fails(openRing(ring, 0, 0, 0, 0, 0), Errno.EINVAL, 'no entries')
    fails(openRing(ring, 12, 0, 0, 0, 0), Errno.EINVAL, 'no power of two')
    fails(openRing(ring, 8192, 0, 0, 0, 0), Errno.EINVAL, 'too many')
    fails(openRing(ring, 8, 8, 9, 0, 0), Errno.EINVAL, 'an unknown access')
    fails(enter(ring, 0, 0), Errno.EBADF, 'no such ring')
  })
  test('files: open, write, seek, read, stat, sync, close', () => {
    begin()
    const descriptor = withFile()
    equal(one(ring, Call.lseek, descriptor, 5000, 0, 0), 5000, 'lseek')
    equal(one(ring, Call.read, descriptor, page, 16384, 0), 5000, 'read')
    check(isFilled(page, 5000, 5000), 'the bytes read')
    equal(one(ring, Call.fstat, descriptor, page, 0, 0), 0, 'fstat')
    equal(load<u64>(page, 48), 10000, 'the size')
    equal(one(ring, Call.fsync, descriptor, 0, 0, 0), 0, 'fsync')
    withoutFile(descriptor)
    closeRing(ring, 0, 0)
  })
  test('names: mkdir, rename, list, remove', () => {
    begin()
    equal(one(ring, Call.mkdirat, AT_FDCWD, folder, 0o755, 0), 0, 'mkdirat')
    equal(one(ring, Call.mkdirat, AT_FDCWD, folder, 0o755, 0), -Errno.EEXIST, 'again')
    put(ring, Call.renameat2, 1, 0, 0, AT_FDCWD, folder, AT_FDCWD, other)
    show(ring)
    equal(take(ring), 0, 'renameat2')
    const descriptor = one(ring, Call.openat, AT_FDCWD, other, OpenFlag.directory, 0)
    check(one(ring, Call.getdents64, descriptor, page, 4096, 0) > 0, 'getdents64')
    equal(one(ring, Call.close, descriptor, 0, 0, 0), 0, 'close')
    equal(one(ring, Call.unlinkat, AT_FDCWD, other, 0x200, 0), 0, 'unlinkat')
    closeRing(ring, 0, 0)
  })
  test('errors are the calls\' own', () => {
    begin()
    equal(one(ring, Call.read, 99, page, 1, 0), -Errno.EBADF, 'a bad descriptor')
    equal(one(ring, Call.openat, AT_FDCWD, 16, 0, 0), -Errno.EFAULT, 'a bad pointer')
    equal(one(ring, 4999, 0, 0, 0, 0), -Errno.ENOSYS, 'no such call')
    equal(one(ring, Call.thread_exit, 0, 0, 0, 0), -Errno.EINVAL, 'a call that only a trap can make')
    put(ring, RingOp.nop, 7, 64, 0, 0, 0, 0, 0)
    show(ring)
    equal(take(ring), -Errno.EINVAL, 'an unknown flag')
    equal(field(ring, RingHeader.rejected), 1, 'entries refused')
    closeRing(ring, 0, 0)
  })
  test('what can be done first is answered first', () => {
    begin()
    works(makePipe(pipe), 'pipe')
    put(ring, Call.read, 1, 0, 0, pipe.reader, page, 10, 0)
    put(ring, RingOp.nop, 2, 0, 0, 0, 0, 0, 0)
    show(ring)
    take(ring)
    equal(ring.userData, 2, 'the first to complete')
    sysWrite(pipe.writer, page, 3)
    equal(take(ring), 3, 'the read')
    equal(ring.userData, 1, 'the second')
    closeRing(ring, 0, 0)
    sysClose(pipe.reader)
    sysClose(pipe.writer)
  })
  test('a chain runs in order, and an error ends it', () => {
    begin()
    const descriptor = withFile()
    put(ring, Call.lseek, 10, SubmissionFlag.link, 0, descriptor, 100, 0, 0)
    put(ring, Call.read, 11, SubmissionFlag.link, 0, descriptor, page, 50, 0)
    put(ring, Call.read, 12, SubmissionFlag.link, 0, 99, page, 50, 0)
    put(ring, Call.read, 13, 0, 0, descriptor, page, 50, 0)
    show(ring)
    equal(take(ring), 100, 'lseek')
    equal(take(ring), 50, 'read')
    check(isFilled(page, 50, 100), 'the bytes at the new place')
    equal(take(ring), -Errno.EBADF, 'the bad one')
    equal(take(ring), -Errno.ECANCELED, 'the one behind it')
    equal(ring.userData, 13, 'its user data')
    withoutFile(descriptor)
    closeRing(ring, 0, 0)
  })
  test('a hard link goes on after an error', () => {
    begin()
    put(ring, Call.read, 1, SubmissionFlag.hardLink, 0, 99, page, 1, 0)
    put(ring, RingOp.nop, 2, 0, 0, 0, 0, 0, 0)
    show(ring)
    equal(take(ring), -Errno.EBADF, 'the first')
    equal(take(ring), 0, 'the second')
    closeRing(ring, 0, 0)
  })
  test('a drain waits for all before it, and all after it wait', () => {
    begin()
    put(ring, RingOp.timeout, 1, 0, 0, 300000, 0, 0, 0)
    put(ring, RingOp.nop, 2, SubmissionFlag.drain, 0, 0, 0, 0, 0)
    put(ring, RingOp.nop, 3, 0, 0, 0, 0, 0, 0)
    show(ring)
    for (let number: u64 = 1; number <= 3; number++) {
      equal(take(ring), number == 1 ? -Errno.ETIME : 0, 'a result')
      equal(ring.userData, number, 'the order')
    }
    closeRing(ring, 0, 0)
  })
  test('a silent request completes only when it fails', () => {
    begin()
    put(ring, Call.getpid, 1, SubmissionFlag.silent, 0, 0, 0, 0, 0)
    put(ring, Call.read, 2, SubmissionFlag.silent, 0, 99, page, 1, 0)
    put(ring, RingOp.nop, 3, 0, 0, 0, 0, 0, 0)
    show(ring)
    equal(take(ring), -Errno.EBADF, 'the one that fails')
    equal(take(ring), 0, 'the last')
    equal(ring.userData, 3, 'its user data')
    closeRing(ring, 0, 0)
  })
  test('cancel ends a request that waits', () => {
    begin()
    put(ring, RingOp.timeout, 5, 0, 0, 60_000_000_000, 0, 0, 0)
    put(ring, RingOp.cancel, 6, 0, 0, 5, 0, 0, 0)
    put(ring, RingOp.cancel, 7, 0, 0, 1234, 0, 0, 0)
    show(ring)
    let got: u32 = 0
    for (let count = 0; count < 3; count++) {
      const value = take(ring)
      if (ring.userData == 5) equal(value, -Errno.ECANCELED, 'the cancelled')
      else if (ring.userData == 6) equal(value, 0, 'cancel')
      else equal(value, -Errno.ENOENT, 'cancel of nothing')
      got |= 1 << <u32>ring.userData
    }
    equal(got, 0xe0, 'all three')
    closeRing(ring, 0, 0)
  })
  test('a timeout takes its time', () => {
    begin()
    const start = cpu.time()
    equal(one(ring, RingOp.timeout, 2_000_000, 0, 0, 0), -Errno.ETIME, 'timeout')
    check(cpu.time() - start >= 20000, '2 ms at 10 MHz')
    closeRing(ring, 0, 0)
  })
  test('poll waits until there is something to read', () => {
    begin()
    works(makePipe(pipe), 'pipe')
    put(ring, RingOp.poll, 1, 0, 0, pipe.reader, Poll.readable, 0, 0)
    show(ring)
    equal(enter(ring, 1, 200000), -Errno.ETIME, 'nothing yet')
    sysWrite(pipe.writer, page, 1)
    equal(take(ring), Poll.readable, 'poll')
    sysClose(pipe.writer)
    sysRead(pipe.reader, page, 1)
    equal(one(ring, RingOp.poll, pipe.reader, Poll.readable, 0, 0), Poll.hangUp, 'the other end is gone')
    sysClose(pipe.reader)
    closeRing(ring, 0, 0)
  })
  test('completions that find no room are not lost', () => {
    works(openRing(ring, 16, 8, 0, 0, 0), 'setup_io')
    memory.fill(seen, 0, 1024)
    let sent: u32 = 0
    let got: u32 = 0
    while (got < 200) {
      while (sent < 200 && room(ring) != 0) put(ring, RingOp.nop, sent++, 0, 0, 0, 0, 0, 0)
      show(ring)
      // Lets them pile up before any is taken.
      for (let turn = 0; turn < 20; turn++) sysYield()
      for (let count = 0; count < 5 && got < sent; count++) {
        take(ring)
        store<u8>(seen + <usize>ring.userData, load<u8>(seen + <usize>ring.userData) + 1)
        got++
      }
    }
    for (let index = 0; index < 200; index++) if (!equal(load<u8>(seen + index), 1, 'completions of one request')) break
    check(field(ring, RingHeader.overflowed) != 0, 'some had to wait')
    equal(field(ring, RingHeader.flags) & RingState.overflow, 0, 'the flag in the end')
    closeRing(ring, 0, 0)
  })
  test('memory reached by walking page tables', () => readsWith(<u32>Access.translate))
  test('memory reached by remembered translations', () => readsWith(<u32>Access.cached))
  test('memory reached by switching page tables', () => readsWith(<u32>Access.switchTables))
  test('memory reached through registered buffers, in small pages and a big one', () => {
    begin()
    const descriptor = withFile()
    const small = works(sysMap(0, 0x8000, 3, 0x22, -1, 0), 'mmap')
    const big = sysMap(0, 0x200000, 3, 0x40022, -1, 0)
    const count: u32 = big < 0 ? 1 : 2
    store<u64>(list, small + 100)
    store<u64>(list, 0x7000, 8)
    store<u64>(list, big, 16)
    store<u64>(list, 0x200000, 24)
    equal(registerBuffers(ring, list, count), 0, 'register_buffers')
    for (let number: u32 = 0; number < count; number++) {
      put(ring, Call.pread64, 1, SubmissionFlag.fixedBuffer, number, descriptor, 5000, 9000, 17)
      show(ring)
      equal(take(ring), 9000, 'pread64')
      check(isFilled((number == 0 ? <usize>small + 100 : <usize>big) + 5000, 9000, 17), 'the bytes read')
      put(ring, Call.pread64, 1, SubmissionFlag.fixedBuffer, number, descriptor, number == 0 ? 0x7000 - 10 : 0x200000 - 10, 100, 0)
      show(ring)
      equal(take(ring), -Errno.EFAULT, 'beyond the end')
    }
    put(ring, Call.pread64, 1, SubmissionFlag.fixedBuffer, 7, descriptor, 0, 1, 0)
    show(ring)
    equal(take(ring), -Errno.EINVAL, 'no such buffer')
    fails(sysUnmap(small, 0x8000), Errno.EBUSY, 'unmapping what is registered')
    equal(registerBuffers(ring, list, 0), 0, 'taking them back')
    equal(sysUnmap(small, 0x8000), 0, 'munmap')
    if (big >= 0) equal(sysUnmap(big, 0x200000), 0, 'munmap')
    withoutFile(descriptor)
    closeRing(ring, 0, 0)
  })
  test('while both sides are busy nobody traps', () => {
    begin()
    if (harts() > 1) {
      one(ring, RingOp.nop, 0, 0, 0, 0)
      let fewest: u64 = u64.MAX_VALUE
      // The server may have gone to sleep before a round begins; in some round it has not.
      for (let round = 0; round < 10; round++) {
        const before = traps()
        for (let count = 0; count < 500; count++) {
          put(ring, Call.getpid, count, 0, 0, 0, 0, 0, 0)
          show(ring)
          spinFor(ring)
        }
        fewest = min(fewest, traps() - before)
      }
      // The one that asked.
      check(fewest <= 1, 'traps in 500 requests')
    }
    closeRing(ring, 0, 0)
  })
  test('an idle server sleeps, and ring_enter wakes it', () => {
    begin()
    one(ring, RingOp.nop, 0, 0, 0, 0)
    while ((field(ring, RingHeader.flags) & RingState.needWakeup) == 0) sysYield()
    put(ring, RingOp.nop, 9, 0, 0, 0, 0, 0, 0)
    cpu.fence()
    cpu.store32(ring.base + RingHeader.submissionTail, ring.tail)
    equal(enter(ring, 1, 0), 1, 'ring_enter')
    check(tryTake(ring, result), 'a completion')
    closeRing(ring, 0, 0)
  })
  test('no more requests in flight than completion entries', () => {
    works(openRing(ring, 16, 4, 0, 0, 0), 'setup_io')
    for (let number: u64 = 0; number < 6; number++) put(ring, RingOp.timeout, number, 0, 0, 60_000_000_000, 0, 0, 0)
    show(ring)
    equal(take(ring), -Errno.EAGAIN, 'the fifth')
    equal(take(ring), -Errno.EAGAIN, 'the sixth')
    for (let number: u64 = 0; number < 4; number++) {
      put(ring, RingOp.cancel, 100, SubmissionFlag.silent, 0, number, 0, 0, 0)
      show(ring)
      equal(take(ring), -Errno.ECANCELED, 'a cancelled one')
    }
    closeRing(ring, 0, 0)
  })
  test('a broken submission tail is taken for an empty queue', () => {
    begin()
    cpu.store32(ring.base + RingHeader.submissionTail, 1000)
    enter(ring, 0, 0)
    for (let turn = 0; turn < 10; turn++) sysYield()
    cpu.store32(ring.base + RingHeader.submissionTail, ring.tail)
    equal(one(ring, RingOp.nop, 0, 0, 0, 0), 0, 'a request afterwards')
    closeRing(ring, 0, 0)
  })
  test('rings leave nothing behind', () => {
    readCounters(numbers)
    const files = counter(numbers, Counter.openFiles)
    let frames: u64 = 0
    for (let round = 0; round < 6; round++) {
      begin()
      const descriptor = withFile()
      put(ring, RingOp.timeout, 1, 0, 0, 1000000, 0, 0, 0)
      show(ring)
      withoutFile(descriptor)
      closeRing(ring, 0, 0)
      readCounters(numbers)
      // The first rounds fill the kernel's caches.
      if (round == 2) frames = counter(numbers, Counter.freeFrames)
    }
    check(<i64>(frames - counter(numbers, Counter.freeFrames)) <= 2, 'free frames')
    equal(counter(numbers, Counter.openFiles), files, 'open files')
  })
  return finish()
}
