// Hostile programs: random calls with random arguments, random entries in rings whose shared pages are overwritten while the kernel reads them.
// The kernel survives, answers with errnos, and gets everything back when they are killed. The seed is printed with what fails.
import { Call, RingHeader } from '../kernel/abi'
import { blockSleep } from '../user/executor'
import { Counter, counter, readCounters } from '../user/inspect'
import { Ended, kill, programArguments, spawn, wait } from '../user/process'
import { call2, call6, sysClose, sysExit, sysRemove } from '../user/system'
import { check, equal, finish, test, works } from '../user/test'
import { RawRing, field, openRing, put, room, show } from './raw-ring'

export * from '../user/hooks'

const CHILDREN: u32 = 8
const CALLS: u32 = 3000

const ring = changetype<RawRing>(memory.data(64, 8))
const ended = changetype<Ended>(memory.data(16, 8))
const counts = memory.data(72 * 8, 8)
const page = memory.data(16384, 64)
const seedCell = memory.data(8, 8)
// "/tmp/zz", "/dev/console"
const file = memory.data<u8>([47, 116, 109, 112, 47, 122, 122, 0])
const device = memory.data<u8>([47, 100, 101, 118, 47, 99, 111, 110, 115, 111, 108, 101, 0])
/** Every call but reboot and what ends the caller; the ring's operations; numbers that nobody has. */
const KINDS: u32 = 62
const calls = memory.data<u16>([
  17, 23, 24, 25, 29, 34, 35, 46, 49, 56, 57, 59, 61, 62, 63, 64, 65, 66, 67, 68, 73, 79, 80, 81, 82, 83, 101, 113, 124, 129, 154, 155, 160, 169, 172,
  173, 178, 179, 214, 215, 222, 260, 276, 1000, 1001, 1003, 1010, 1011, 1012, 1013, 1020, 1021, 1022, 1023, 0xffff, 0xfffe, 0xfffd, 0xfffc, 0, 1, 2,
  5000,
])

function random(below: u32): u32 {
  const next = load<u32>(seedCell) * 1664525 + 1013904223
  store<u32>(seedCell, next)
  return (next >>> 8) % below
}

function argument(): u64 {
  switch (random(14)) {
    case 0:
      return 0
    case 1:
      return random(16)
    case 2:
      return page + random(16000)
    case 3:
      return u64.MAX_VALUE
    case 4:
      return 0xffffffff80000000 + random(1 << 23) * 8
    case 5:
      return <u64>random(1 << 24) << random(40)
    case 6:
      return 0x70000000 + random(1 << 15)
    case 7:
      return 0x7f000000 + random(8192)
    case 8:
      return random(2) ? file : device
    case 9:
      return random(5000)
    case 10:
      return <u64>-100
    case 11:
      return 0x40000000 + random(1 << 20)
    case 12:
      return <u64>1 << random(63)
  }
  return 0x1000000 + random(1 << 16)
}

/** Calls that wait for ever, or for long: they are made now and then. */
function waits(number: u32): bool {
  return (
    number == Call.ppoll ||
    number == Call.nanosleep ||
    number == Call.ring_enter ||
    number == Call.ring_close ||
    number == Call.thread_join ||
    number == Call.wait4 ||
    number == Call.read ||
    number == Call.readv ||
    number == Call.writev
  )
}

function disturbRing(turn: u32): void {
  if (room(ring) != 0)
    put(ring, load<u16>(calls + random(KINDS) * 2), turn, random(3) ? 0 : random(64), random(5), argument(), argument(), argument(), argument())
  if (random(200) == 0) store<u32>(ring.base + random(512) * 4, random(1 << 24) * random(256))
  if (random(20) == 0) cpu.store32(ring.base + RingHeader.completionHead, field(ring, RingHeader.completionTail))
  if (random(4) == 0) show(ring)
  if (random(50) == 0) {
    ring.tail = field(ring, RingHeader.submissionHead) + random(70) - 2
    show(ring)
  }
}

function child(seed: u32): void {
  store<u32>(seedCell, seed * 7919 + 17)
  for (let at = 0; at < 4096; at++) store<u32>(page + at * 4, random(1 << 24) * random(256))
  for (let descriptor = 0; descriptor < 3; descriptor++) sysClose(descriptor)
  const ringed = openRing(ring, 64, 64, random(3), 0, 0) >= 0
  // A limit, so that memory mapped at random does not make the others fail.
  call2(Call.set_limit, 0, 2000)
  for (let turn: u32 = 0; turn < CALLS; turn++) {
    if (ringed && random(4) == 0) {
      disturbRing(turn)
      continue
    }
    const number: u32 = load<u16>(calls + random(KINDS) * 2)
    if (waits(number) && random(40) != 0) continue
    if (number == Call.spawn && random(30) != 0) continue
    if (number == Call.thread_create && random(100) != 0) continue
    let first = argument()
    // Not the others, nor the tests.
    if (number == Call.kill) first = 100000 + random(100)
    call6(number, first, argument(), argument(), argument(), argument(), argument())
  }
  sysExit(0)
}

function round(seed: u32): void {
  const path = programArguments()[0]
  const pids = new StaticArray<i64>(CHILDREN)
  for (let index: u32 = 0; index < CHILDREN; index++)
    pids[index] = works(spawn(path, [path, (seed * CHILDREN + index).toString()]), 'spawn, seed ' + seed.toString())
  blockSleep(30)
  for (let index: u32 = 0; index < CHILDREN; index++) kill(<i32>pids[index], 9)
  while (wait(-1, ended) > 0) {}
  sysRemove(file, 0)
  sysRemove(file, 0x200)
}

export function main(): i32 {
  const args = programArguments()
  if (args.length > 1) child(<u32>parseInt(args[1]))
  test('the kernel survives 24 hostile programs, and gets everything back', () => {
    round(1)
    readCounters(counts)
    const frames = counter(counts, Counter.freeFrames)
    const files = counter(counts, Counter.openFiles)
    round(2)
    round(3)
    readCounters(counts)
    check(<i64>(frames - counter(counts, Counter.freeFrames)) <= 48, 'free frames')
    equal(counter(counts, Counter.openFiles), files, 'open files')
  })
  return finish()
}
