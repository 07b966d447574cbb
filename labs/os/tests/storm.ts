// A storm: processes with rings full of requests of every kind, cancelled, quitting and killed at random. Every request completes exactly once in
// those that live; nothing is left of those that do not. The seed is printed with what fails.
import { Call, OpenFlag, RingHeader, RingOp, SubmissionFlag } from '../kernel/abi'
import { Counter, counter, readCounters } from '../user/inspect'
import { Ended, Pipe, kill, makePipe, programArguments, spawn, wait } from '../user/process'
import { blockSleep } from '../user/executor'
import { sysControl, sysExit, sysOpen, sysRemove, sysWrite, sysYield } from '../user/system'
import { check, equal, finish, test, works } from '../user/test'
import { RawRing, enter, field, openRing, put, room, show, tryTake } from './raw-ring'

export * from '../user/hooks'

const REQUESTS: u32 = 256
const IN_FLIGHT: u32 = 60
const SWEEP: u64 = 100000
const CHILDREN: u32 = 16

const ring = changetype<RawRing>(memory.data(64, 8))
const pipe = changetype<Pipe>(memory.data(8, 8))
const ended = changetype<Ended>(memory.data(16, 8))
const numbers = memory.data(72 * 8, 8)
const page = memory.data(16384, 64)
const done = memory.data(256, 8)
const result = memory.data(8, 8)
const name = memory.data(16, 8)
const seedCell = memory.data(8, 8)

function random(below: u32): u32 {
  const next = load<u32>(seedCell) * 1664525 + 1013904223
  store<u32>(seedCell, next)
  return (next >>> 8) % below
}

function namesFile(letter: u32): void {
  // "/tmp/a" and so on
  store<u64>(name, 0x002f706d742f)
  store<u8>(name + 5, <u8>(97 + letter))
  store<u8>(name + 6, 0)
}

/** One request of a kind that is drawn. */
function submit(userData: u32, descriptor: i64): void {
  const kind = random(10)
  if (kind == 0) put(ring, RingOp.timeout, userData, 0, 0, random(500000), 0, 0, 0)
  else if (kind == 1) put(ring, Call.read, userData, 0, 0, pipe.reader, page, random(64) + 1, 0)
  else if (kind == 2) put(ring, Call.write, userData, 0, 0, pipe.writer, page, random(32) + 1, 0)
  else if (kind == 3) put(ring, RingOp.cancel, userData, 0, 0, random(userData + 1), 0, 0, 0)
  else if (kind == 4) put(ring, Call.pread64, userData, 0, 0, descriptor, page, 100 + random(8000), random(9000))
  else if (kind == 5) put(ring, Call.pwrite64, userData, 0, 0, descriptor, page, 100 + random(8000), random(9000))
  else if (kind == 6) put(ring, RingOp.nop, userData, random(20) == 0 ? SubmissionFlag.drain : 0, 0, 0, 0, 0, 0)
  else if (kind == 7) put(ring, RingOp.poll, userData, 0, 0, pipe.reader, 1, 0, 0)
  else if (kind == 8) put(ring, Call.lseek, userData, SubmissionFlag.link, 0, descriptor, random(100), 0, 0)
  else put(ring, Call.fstat, userData, 0, 0, descriptor, page, 0, 0)
}

/** The last entry shown must not wait for one that never comes. */
function endChain(): void {
  const at = ring.base + 4096 + ((ring.tail - 1) & (ring.entries - 1)) * 64 + 2
  store<u8>(at, load<u8>(at) & 0xfe)
}

/** Ends: 0 all complete, 5 left early on purpose, 6 a completion too many, 7 stuck. */
function child(seed: u32): void {
  store<u32>(seedCell, seed * 7919 + 13)
  if (openRing(ring, 64, random(2) ? 128 : 64, random(3), 0, 0) < 0 || makePipe(pipe) < 0) sysExit(8)
  sysControl(pipe.writer, 4, OpenFlag.nonBlocking)
  namesFile(seed % 26)
  const descriptor = sysOpen(name, OpenFlag.create | OpenFlag.readWrite)
  const quit = random(3) == 0 ? random(REQUESTS) : u32.MAX_VALUE
  let next: u32 = 0
  let inFlight: u32 = 0
  let completed: u32 = 0
  let rounds: u32 = 0
  while (completed < REQUESTS) {
    if (++rounds > 20000) sysExit(7)
    for (let count = 0; count < 8 && next < REQUESTS && inFlight < IN_FLIGHT && room(ring) > 4; count++) {
      submit(next++, descriptor)
      inFlight++
    }
    endChain()
    show(ring)
    if (next >= quit) sysExit(5)
    if (field(ring, RingHeader.completionTail) == ring.head) {
      if (next == REQUESTS || inFlight >= IN_FLIGHT || room(ring) <= 4) {
        // What waits for ever otherwise: bytes for readers, and a cancellation.
        sysWrite(pipe.writer, page, 64)
        if (room(ring) != 0) {
          put(ring, RingOp.cancel, SWEEP, 0, 0, random(REQUESTS), 0, 0, 0)
          show(ring)
        }
        enter(ring, 1, 3000000)
      } else sysYield()
    }
    while (tryTake(ring, result)) {
      if (ring.userData == SWEEP) continue
      if (ring.userData >= REQUESTS || load<u8>(done + <usize>ring.userData) != 0) sysExit(6)
      store<u8>(done + <usize>ring.userData, 1)
      completed++
      inFlight--
    }
  }
  sysExit(0)
}

/** A round of processes; gives how many ended in a way they must not. */
function round(seed: u32): u32 {
  const path = programArguments()[0]
  for (let index: u32 = 0; index < CHILDREN; index++) {
    const pid = works(spawn(path, [path, (seed * CHILDREN + index).toString()]), 'spawn')
    if (index % 5 == 4) {
      blockSleep(1)
      kill(<i32>pid, 9)
    }
  }
  let wrong: u32 = 0
  for (let index: u32 = 0; index < CHILDREN; index++) {
    works(wait(-1, ended), 'wait')
    if (ended.code != 0 && ended.code != 5 && ended.code != 137) wrong++
  }
  for (let letter: u32 = 0; letter < 26; letter++) {
    namesFile(letter)
    sysRemove(name, 0)
  }
  return wrong
}

export function main(): i32 {
  const args = programArguments()
  if (args.length > 1) child(<u32>parseInt(args[1]))
  test('every request of 64 processes completes exactly once, and nothing is left of them', () => {
    let frames: u64 = 0
    let objects: u64 = 0
    let files: u64 = 0
    for (let seed: u32 = 1; seed <= 4; seed++) {
      if (!equal(round(seed), 0, 'processes that ended wrongly, seed ' + seed.toString())) return
      readCounters(numbers)
      if (seed != 2) continue
      // By now the kernel has filled its caches.
      frames = counter(numbers, Counter.freeFrames)
      objects = counter(numbers, Counter.kernelObjects)
      files = counter(numbers, Counter.openFiles)
    }
    // Pages that the heap keeps for its classes come and go with what they hold.
    check(<i64>(frames - counter(numbers, Counter.freeFrames)) <= 24, 'free frames')
    check(<i64>(counter(numbers, Counter.kernelObjects) - objects) <= 16, 'kernel objects')
    equal(counter(numbers, Counter.openFiles), files, 'open files')
  })
  return finish()
}
