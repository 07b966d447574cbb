// Stress: 64 processes with 256 requests in flight each, of which some are cancelled at random, and some processes end in the middle. Every
// request of a process that stays completes exactly once. `stress SEED` takes another seed.
import { Call, Poll, RingOp, SubmissionFlag } from '../kernel/abi'
import { print, printLine } from '../user/console'
import { open } from '../user/files'
import { take } from '../user/memory'
import { Ended, Pipe, makePipe, programArguments, spawn, wait } from '../user/process'
import { Ring, openRing } from '../user/ring'
import { sysExit } from '../user/system'
import { parseNumber } from '../user/text'
import { check, equal, finish, test, works } from '../user/test'

export * from '../user/hooks'

const PROCESSES: u32 = 64
const REQUESTS: u32 = 256
const USUAL_SEED: u64 = 4711
const random = memory.data(8, 8)
const done = memory.data(16, 8)
const seen = memory.data(257, 8)
const pipe = changetype<Pipe>(memory.data(8, 8))
const ended = changetype<Ended>(memory.data(16, 8))

/** xorshift64* */
function below(limit: u64): u64 {
  let value = load<u64>(random)
  value ^= value >> 12
  value ^= value << 25
  value ^= value >> 27
  store<u64>(random, value)
  return ((value * 0x2545_f491_4f6c_dd1d) >> 11) % limit
}

/** Adds request number `token`: one that is done at once, or soon, or only when it is cancelled. */
function addOne(ring: Ring, token: u32, file: i64, buffer: usize): void {
  switch (<u32>below(6)) {
    case 0:
      ring.add(RingOp.nop, 0, token)
      break
    case 1:
      ring.add(RingOp.timeout, 0, token, below(3000000))
      break
    case 2:
      ring.add(Call.pread64, 0, token, file, buffer, below(4096), below(10000))
      break
    case 3:
      ring.add(Call.read, 0, token, pipe.reader, buffer, 1)
      break
    case 4:
      ring.add(RingOp.poll, 0, token, pipe.reader, Poll.readable)
      break
    default:
      ring.add(Call.fstat, 0, token, file, buffer)
  }
}

/** Status 0: each request completed once; 1 to 9: what was wrong; 50: it ended in the middle, as it should. */
function child(leaves: bool): i32 {
  const opened = openRing(512, <u32>below(3), 1024)
  const file = open('/bin/sh')
  if (opened < 0 || file < 0 || makePipe(pipe) < 0) return 1
  const ring = changetype<Ring>(<usize>opened)
  const buffer = take(4096)
  for (let token: u32 = 1; token <= REQUESTS; token++) addOne(ring, token, file, buffer)
  ring.submit()
  let completions: u32 = 0
  while (completions < REQUESTS) {
    // Tokens may be those of requests that have ended, or are not of the kind that waits.
    const cancels = <u32>below(24)
    for (let index: u32 = 0; index < cancels; index++) ring.add(RingOp.cancel, SubmissionFlag.silent, 0, 1 + below(REQUESTS))
    ring.submit()
    if (leaves && completions > 100) return 50
    const result = ring.enter(1, 500000)
    if (result < 0 && result != -62) return 2
    while (ring.take(done)) {
      const token = load<u64>(done)
      if (token == 0) continue
      if (token > REQUESTS) return 3
      if (load<u8>(seen + <usize>token) != 0) return 4
      store<u8>(seen + <usize>token, 1)
      completions++
    }
  }
  // Nothing may come after the last.
  ring.enter(1, 1000000)
  while (ring.take(done)) if (load<u64>(done) != 0) return 5
  if (ring.close() != 0) return 6
  return 0
}

export function main(): i32 {
  const args = programArguments()
  if (args.length > 2) {
    store<u64>(random, U64.parseInt(args[2]))
    sysExit(child(args[1] == 'leaves'))
  }
  const given = args.length > 1 ? parseNumber(args[1]) : -1
  const seed: u64 = given > 0 ? given : USUAL_SEED
  print('# seed ')
  printLine(seed.toString())
  store<u64>(random, seed)
  test('64 processes with 256 requests each: every one completes once', () => {
    const path = programArguments()[0]
    let leavers = 0
    let good = 0
    let left = 0
    let started = 0
    for (let index: u32 = 0; index < PROCESSES; index++) {
      const leaves = below(4) == 0
      const pid = works(spawn(path, [path, leaves ? 'leaves' : 'stays', (1 + below(1 << 40)).toString()]), 'spawn')
      if (pid < 0) break
      started++
      if (leaves) leavers++
    }
    for (let index = 0; index < started; index++) {
      works(wait(-1, ended), 'wait')
      if (ended.code == 0) good++
      else if (ended.code == 50) left++
      else check(false, 'a process ended with ' + ended.code.toString())
    }
    equal(left, leavers, 'processes that ended in the middle')
    equal(good, <i32>PROCESSES - leavers, 'processes whose requests all completed once')
  })
  return finish()
}
