// A hostile program: children make system calls with random numbers and arguments, write nonsense into their rings while the kernel reads
// them, and die in the middle. The kernel must live, nobody else may be harmed. `fuzz SEED` takes another seed than the usual one.
import { Call, RingHeader, RingOp, Submission, User } from '../kernel/abi'
import { flush, print, printLine } from '../user/console'
import { open, close } from '../user/files'
import { Ended, kill, programArguments, spawn, wait } from '../user/process'
import { Ring, openRing } from '../user/ring'
import { call6, sysExit, sysMap, sysProcessId, sysRead } from '../user/system'
import { parseNumber } from '../user/text'
import { startThread } from '../user/thread'
import { check, equal, finish, test, works } from '../user/test'

export * from '../user/hooks'

const USUAL_SEED: u64 = 20260722
const random = memory.data(8, 8)
const ended = changetype<Ended>(memory.data(16, 8))
const buffer = memory.data(4096, 4096)
/** What no random call may change. */
const CANARY: u64 = 0x5ca1_ab1e_0ddb_a115

/** xorshift64* */
function next(): u64 {
  let value = load<u64>(random)
  value ^= value >> 12
  value ^= value << 25
  value ^= value >> 27
  store<u64>(random, value)
  return value * 0x2545_f491_4f6c_dd1d
}

function below(limit: u64): u64 {
  return (next() >> 11) % limit
}

/** An argument as an enemy would choose it. */
function argument(): u64 {
  switch (<u32>below(12)) {
    case 0:
      return below(16)
    case 1:
      return next()
    case 2:
      return <u64>buffer + below(4096)
    case 3:
      return <u64>-1 - below(64)
    case 4:
      return 0xffff_ffff_8020_0000 + below(0x100_0000)
    case 5:
      return User.vdsoCode + below(0x3000)
    case 6:
      return 0x1_0000 + below(0x1_0000)
    case 7:
      return <u64>1 << below(64)
    case 8:
      return User.rings + below(0x4000)
    case 9:
      return 0x7fff_f000 + below(0x2000)
    case 10:
      return 0
  }
  return below(0x1_0000)
}

/** Calls that would only end the program, or wait for ever, or write to the console. */
function isTame(number: u32): bool {
  return (
    number != Call.exit && number != Call.exit_group && number != Call.thread_exit && number != Call.reboot && number != Call.nanosleep &&
    number != Call.wait4 && number != Call.ppoll && number != Call.thread_create && number != Call.kill && number != Call.setpgid &&
    number != Call.munmap && number != Call.mmap && number != Call.brk && number != Call.ring_enter && number != Call.unlinkat && number != Call.renameat2
  )
}

function numberOf(): u32 {
  switch (<u32>below(4)) {
    case 0:
      return <u32>below(320)
    case 1:
      return 1000 + <u32>below(40)
    case 2:
      return <u32>next()
  }
  return 17 + <u32>below(70)
}

/** Random calls with the program's own descriptors closed, so that it neither reads nor prints. */
function randomCalls(count: u32): void {
  for (let descriptor = 0; descriptor < 3; descriptor++) close(descriptor)
  open('/bin/sh')
  for (let turn: u32 = 0; turn < count; turn++) {
    const number = numberOf()
    if (isTame(number)) call6(number, argument(), argument(), argument(), argument(), argument(), argument())
  }
}

/** The same through a ring. */
function randomEntries(count: u32): void {
  for (let descriptor = 0; descriptor < 3; descriptor++) close(descriptor)
  const opened = openRing(32, <u32>below(3))
  if (opened < 0) sysExit(3)
  const ring = changetype<Ring>(<usize>opened)
  for (let turn: u32 = 0; turn < count; turn++) {
    let number: u32 = below(3) == 0 ? RingOp.poll + <u32>below(4) : numberOf() & 0xffff
    if (!isTame(number)) number = RingOp.nop
    ring.add(number, <u32>below(256) | (<u32>below(8) << 8), below(64), argument(), argument(), argument(), argument(), argument(), argument())
    if ((turn & 15) == 15) {
      ring.submit()
      ring.enter(<u32>below(3), 200000)
      while (ring.take(buffer)) {}
    }
  }
}

/** Nonsense all over the ring's memory while it is served. */
function corruption(count: u32): void {
  const opened = openRing(16)
  if (opened < 0) sysExit(3)
  const ring = changetype<Ring>(<usize>opened)
  for (let turn: u32 = 0; turn < count; turn++) {
    for (let index: u32 = 0; index < 8; index++) ring.add(RingOp.nop, <u32>below(32), index)
    ring.submit()
    switch (<u32>below(4)) {
      case 0:
        store<u32>(ring.base + <u32>below(96) * 4, <u32>next())
        break
      case 1:
        store<u32>(ring.base, <u32>next(), RingHeader.submissionTail)
        break
      case 2:
        store<u32>(ring.base, <u32>next(), RingHeader.completionHead)
        break
      default:
        memory.fill(ring.submissions + <u32>below(16) * Submission.bytes, <u8>next(), Submission.bytes)
    }
    ring.enter(<u32>below(4), 100000)
  }
}

function child(name: string, seed: u64): void {
  store<u64>(random, seed | 1)
  store<u64>(buffer, CANARY, 2048)
  if (name == 'calls') randomCalls(3000)
  if (name == 'entries') randomEntries(1500)
  if (name == 'corruption') corruption(300)
  if (name == 'threads') {
    for (let index = 0; index < 3; index++)
      startThread((_: u64): i64 => {
        randomCalls(400)
        return 0
      }, 0)
    randomCalls(400)
  }
  sysExit(0)
}

/** Runs children of one kind; whatever they do to themselves is theirs, but they must end. */
function attack(name: string, children: u32): void {
  const path = programArguments()[0]
  for (let index: u32 = 0; index < children; index++) {
    const pid = works(spawn(path, [path, name, next().toString()]), 'spawn')
    if (pid < 0) return
    equal(wait(pid, ended), pid, 'wait')
  }
}

export function main(): i32 {
  const args = programArguments()
  if (args.length > 2) child(args[1], U64.parseInt(args[2]))
  const given = args.length > 1 ? parseNumber(args[1]) : -1
  const seed: u64 = given > 0 ? given : USUAL_SEED
  store<u64>(random, seed)
  print('# seed ')
  printLine(seed.toString())
  flush()
  // Somebody else, who must not notice anything.
  const witness = <usize>sysMap(0, 65536, 3, 0x22, -1, 0)
  for (let at: u32 = 0; at < 65536; at += 8) store<u64>(witness + at, CANARY + at)

  test('random system calls', () => {
    attack('calls', 6)
  })
  test('random requests', () => {
    attack('entries', 6)
  })
  test('nonsense in the memory of rings', () => {
    attack('corruption', 4)
  })
  test('random system calls of threads', () => {
    attack('threads', 3)
  })
  test('death in the middle', () => {
    const path = programArguments()[0]
    for (let index = 0; index < 8; index++) {
      const pid = works(spawn(path, [path, index & 1 ? 'calls' : 'entries', next().toString()]), 'spawn')
      for (let turn = below(400000); turn > 0; turn--) cpu.fence()
      kill(<i32>pid, 9)
      equal(wait(pid, ended), pid, 'wait')
    }
  })
  let same = true
  for (let at: u32 = 0; at < 65536; at += 8) if (load<u64>(witness + at) != CANARY + at) same = false
  store<bool>(random, same)
  test('others are not harmed', () => {
    check(load<bool>(random), 'memory of the parent was changed')
    equal(sysProcessId() > 0, true, 'getpid')
    const file = works(open('/bin/sh'), 'open')
    equal(sysRead(<i32>file, buffer, 4), 4, 'read')
    equal(load<u32>(buffer), 0x464c_457f, 'what was read')
    close(file)
  })
  return finish()
}
