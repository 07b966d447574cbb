// What calls cost by trap and by ring. Type lab04 at the shell's prompt. Nothing here is yours to change.
import { Call } from '../kernel/abi'
import { flush, print, printNumber } from '../user/console'
import { call0 } from '../user/system'
import { begin, end } from './measure'
import { Answer, Ring } from './ring'
import { Token, deliver, waitFor, waitSleeping, waitSpinning, waitYielding } from './wait'

export * from '../user/hooks'

/** Classes of requests: 32 calls each, but for the first two. */
const TRAP: u32 = 1
const RING: u32 = 2
const TRAPS: u32 = 3
const DEPTH_8: u32 = 4
const DEPTH_32: u32 = 5
const SPIN: u32 = 6
const COROUTINE: u32 = 7
const YIELD: u32 = 8
const SLEEP: u32 = 9

const TURNS = 100
const CALLS: u32 = 32
const answer = changetype<Answer>(memory.data(16, 8))
const tokens = memory.data(16 * 32, 8)
let wrong: u32 = 0

function expect(result: i64): void {
  if (result <= 0) wrong++
}

/** 32 calls, so many at once. */
function inBatches(ring: Ring, kind: u32, depth: u32): void {
  for (let turn = 0; turn < TURNS; turn++) {
    begin(kind)
    for (let done: u32 = 0; done < CALLS; done += depth) {
      for (let index: u32 = 0; index < depth; index++) if (!ring.submit(Call.getpid, 0, 0, 0, 0, index, 0)) wrong++
      ring.publish()
      for (let index: u32 = 0; index < depth; index++) {
        waitSpinning(ring, answer)
        expect(answer.result)
      }
    }
    end()
  }
}

function oneByOne(ring: Ring): void {
  for (let turn = 0; turn < TURNS; turn++) {
    begin(TRAP)
    expect(call0(Call.getpid))
    end()
    begin(RING)
    ring.submit(Call.getpid, 0, 0, 0, 0, 0, 0)
    ring.publish()
    waitSpinning(ring, answer)
    end()
    expect(answer.result)
  }
  for (let turn = 0; turn < TURNS; turn++) {
    begin(TRAPS)
    for (let index: u32 = 0; index < CALLS; index++) expect(call0(Call.getpid))
    end()
  }
}

async function ask(ring: Ring, token: Token): Promise<void> {
  token.done = 0
  token.waiter = 0
  ring.submit(Call.getpid, 0, 0, 0, 0, changetype<usize>(token), 0)
  expect(await waitFor(token))
}

/** 32 calls at once, each waited for by whoever made it. */
function byStyle(ring: Ring): void {
  for (let turn = 0; turn < TURNS; turn++) {
    begin(SPIN)
    for (let index: u32 = 0; index < CALLS; index++) ring.submit(Call.getpid, 0, 0, 0, 0, index, 0)
    ring.publish()
    for (let index: u32 = 0; index < CALLS; index++) waitSpinning(ring, answer)
    end()
    begin(COROUTINE)
    let left = CALLS
    for (let index: u32 = 0; index < CALLS; index++) detach(ask(ring, changetype<Token>(tokens + 16 * index)))
    ring.publish()
    while (left > 0) {
      left -= deliver(ring, answer)
      if (left > 0 && ring.sleeps) ring.enter(0)
    }
    end()
    begin(YIELD)
    for (let index: u32 = 0; index < CALLS; index++) ring.submit(Call.getpid, 0, 0, 0, 0, index, 0)
    ring.publish()
    for (let index: u32 = 0; index < CALLS; index++) waitYielding(ring, answer)
    end()
    begin(SLEEP)
    for (let index: u32 = 0; index < CALLS; index++) ring.submit(Call.getpid, 0, 0, 0, 0, index, 0)
    ring.publish()
    for (let index: u32 = 0; index < CALLS; index++) waitSleeping(ring, answer)
    end()
  }
}

export function main(): i32 {
  const ring = new Ring(64, 128)
  if (ring.open() < 0) {
    print('there is no ring to be had\n')
    return 1
  }
  // Without these two nothing below would ever end.
  const works = ring.submit(Call.getpid, 0, 0, 0, 0, 7, 0)
  ring.publish()
  if (works) {
    for (let look = 0; look < 100000 && !ring.reap(answer); look++) if (ring.sleeps) ring.enter(0)
  }
  if (!works || answer.userData != 7) {
    print('the ring does not answer yet\n')
    return 1
  }
  oneByOne(ring)
  inBatches(ring, DEPTH_8, 8)
  inBatches(ring, DEPTH_32, 32)
  byStyle(ring)
  ring.close()
  print('wrong answers: ')
  printNumber(wrong)
  print('\n')
  flush()
  return 0
}
