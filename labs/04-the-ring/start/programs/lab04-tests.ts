// What a ring must do, whatever it costs. Nothing here is yours to change.
import { Call, Errno } from '../kernel/abi'
import { HARTS_AT, TRAPS_AT, counterOf } from './traps'
import { call2, call4, sysClose, sysOpen } from '../user/system'
import { check, equal, finish, test, works } from '../user/test'
import { toKernel } from '../user/text'
import { LETTER_CALLS, submitLetter } from './order'
import { Answer, Ring } from './ring'
import { Token, deliver, waitFor, waitSleeping, waitYielding } from './wait'

export * from '../user/hooks'

const answer = changetype<Answer>(memory.data(16, 8))
const seen = memory.data(4096)
const tokens = memory.data(16 * 4, 8)
const text = memory.data(64)

/** Waits for an answer, but not for ever: a ring that does not work yet must fail, not hang. */
function awaitAnswer(ring: Ring): bool {
  for (let look = 0; look < 400000; look++) {
    if (ring.reap(answer)) return true
    if (ring.sleeps) ring.enter(0)
  }
  return check(false, 'an answer does not come')
}

function opened(entries: u32, completionEntries: u32): Ring {
  const ring = new Ring(entries, completionEntries)
  works(ring.open(), 'setup_io')
  return ring
}

async function fetch(ring: Ring, token: Token, number: u32): Promise<i64> {
  ring.submit(number, 0, 0, 0, 0, changetype<usize>(token), 0)
  ring.publish()
  return await waitFor(token)
}

function writeLetter(file: i64): bool {
  const ring = opened(8, 16)
  store<u64>(text, 0x20_7261_6544)
  store<u64>(text, 0x202c_676e_6972, 8)
  store<u64>(text, 0x2e73_7275_6f79, 16)
  submitLetter(ring, file, text, text + 8, text + 16)
  memory.fill(seen, 0, 16)
  for (let index: u32 = 0; index < LETTER_CALLS; index++) {
    if (!awaitAnswer(ring)) return false
    store<u8>(seen + <usize>answer.userData, answer.result >= 0 ? 1 : answer.result == -Errno.ECANCELED ? 2 : 3)
    store<u8>(seen + 8 + index, <u8>answer.userData)
  }
  ring.close()
  return true
}

export function main(): i32 {
  test('each of a thousand calls is answered once', () => {
    const ring = opened(16, 32)
    memory.fill(seen, 0, 1000)
    let submitted: u32 = 0
    let answered: u32 = 0
    while (answered < 1000) {
      while (submitted < 1000 && submitted - answered < 16) {
        if (!check(ring.submit(Call.getpid, 0, 0, 0, 0, submitted, 0), 'submit says that the ring is full')) return
        submitted++
      }
      ring.publish()
      if (!awaitAnswer(ring)) return
      if (!check(answer.userData < 1000 && load<u8>(seen + <usize>answer.userData) == 0, 'an answer comes twice, or to nobody')) return
      store<u8>(seen + <usize>answer.userData, 1)
      answered++
    }
    check(!ring.reap(answer), 'there is one answer too many')
    ring.close()
  })
  test('a full ring takes no more', () => {
    const ring = opened(4, 8)
    let taken: u32 = 0
    while (taken < 100 && ring.submit(1102, 0, 0, 0, 0, taken, 0)) taken++
    ring.publish()
    let answered: u32 = 0
    while (answered < taken && awaitAnswer(ring)) answered++
    equal(answered, taken, 'the number of answers')
    equal(taken, 4, 'the number of calls that fit')
    ring.close()
  })
  test('the tail moves by one for each call, the head for each answer', () => {
    const ring = opened(8, 16)
    for (let turn: u32 = 1; turn <= 20; turn++) {
      ring.submit(Call.getpid, 0, 0, 0, 0, turn, 0)
      ring.publish()
      equal(load<u32>(ring.base, 128), turn, 'the submission tail')
      if (!awaitAnswer(ring)) return
      equal(answer.userData, turn, 'the user data')
      equal(load<u32>(ring.base, 192), turn, 'the completion head')
    }
    ring.close()
  })
  test('a thousand calls need no trap while both sides are busy', () => {
    if (counterOf(HARTS_AT) < 2) return
    const ring = opened(32, 64)
    ring.submit(Call.getpid, 0, 0, 0, 0, 0, 0)
    ring.publish()
    if (!awaitAnswer(ring)) return
    const before = counterOf(TRAPS_AT)
    for (let turn = 0; turn < 1000; turn++) {
      ring.submit(Call.getpid, 0, 0, 0, 0, turn, 0)
      ring.publish()
      if (!awaitAnswer(ring)) return
    }
    // Reading the counter is a trap itself; the timer may be another.
    check(counterOf(TRAPS_AT) - before <= 8, 'there were more than 8 traps')
    ring.close()
  })
  test('coroutines get their own answers', () => {
    const ring = opened(8, 16)
    memory.fill(tokens, 0, 64)
    const first = fetch(ring, changetype<Token>(tokens), Call.getpid)
    const second = fetch(ring, changetype<Token>(tokens + 16), Call.getppid)
    for (let look = 0; look < 400000 && (first.state < 2 || second.state < 2); look++) if (deliver(ring, answer) == 0 && ring.sleeps) ring.enter(0)
    if (!check(first.state == 2 && second.state == 2, 'a coroutine was not resumed')) return
    equal(blockOn(first), call2(Call.getpid, 0, 0), 'the process id')
    equal(blockOn(second), call2(Call.getppid, 0, 0), 'the id of the parent')
    ring.close()
  })
  test('yielding lets another thread run', () => {
    const ring = opened(8, 16)
    const before = counterOf(TRAPS_AT)
    ring.submit(0xfffe, 2000000, 0, 0, 0, 1, 0)
    ring.publish()
    waitYielding(ring, answer)
    equal(answer.result, -Errno.ETIME, 'the result of a timeout of 2 ms')
    check(counterOf(TRAPS_AT) - before > 10, 'there was hardly a trap: it did not yield')
    ring.close()
  })
  test('sleeping frees the hart', () => {
    const ring = opened(8, 16)
    const before = counterOf(TRAPS_AT)
    ring.submit(0xfffe, 2000000, 0, 0, 0, 1, 0)
    ring.publish()
    waitSleeping(ring, answer)
    equal(answer.result, -Errno.ETIME, 'the result of a timeout of 2 ms')
    check(counterOf(TRAPS_AT) - before <= 8, 'it looked again and again instead of sleeping')
    ring.close()
  })
  test('a letter is written in order', () => {
    const path = toKernel('/tmp/letter')
    const file = works(sysOpen(path, 0o1102), 'making /tmp/letter')
    if (!writeLetter(file)) return
    for (let index: u32 = 0; index < 4; index++) equal(load<u8>(seen + 8 + index), index + 1, 'the user data of answer ' + (index + 1).toString())
    equal(call4(Call.pread64, file, text + 32, 17, 0), 17, 'the length of the letter')
    equal(load<u64>(text + 32), 0x6e69_7220_7261_6544, 'its beginning')
    sysClose(<i32>file)
  })
  test('after a failure the rest of the letter does not happen', () => {
    if (!writeLetter(99)) return
    check(load<u8>(seen + 1) == 3, 'the first write to a file that is not open did not fail')
    for (let index: u32 = 2; index <= 4; index++) check(load<u8>(seen + index) == 2, 'call ' + index.toString() + ' was not cancelled')
  })
  return finish()
}
