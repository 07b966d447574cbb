// Owns guest tests: each prints one line as TAP has it (testanything.org), with evidence behind # when it fails. test.h is the same for C.
//
//   export function main(): i32 {
//     test('two and two make four', () => { equal(2 + 2, 4, 'the sum') })
//     return finish()
//   }
import { flush, print, printNumber, putByte } from './console'
import { errorText } from './errors'
import { programArguments, run } from './process'

/** 0 tests, 4 failed tests, 8 the running test has failed. */
const state = memory.data(16, 8)
/** What the first failed check of the running test says. */
const evidence = changetype<Evidence>(memory.data(16, 8))

@unmanaged class Evidence {
  text: string
}

function note(text: string): void {
  if (load<u32>(state, 8) != 0) return
  store<u32>(state, 1, 8)
  evidence.text = text
}

/** Fails the running test unless the condition holds. Gives the condition, so that a test can stop early. */
export function check(condition: bool, what: string): bool {
  if (!condition) note(what)
  return condition
}

export function equal(actual: i64, expected: i64, what: string): bool {
  if (actual == expected) return true
  note(what + ' is ' + actual.toString() + ', not ' + expected.toString())
  return false
}

export function equalText(actual: string, expected: string, what: string): bool {
  if (actual == expected) return true
  note(what + ' is "' + actual + '", not "' + expected + '"')
  return false
}

/** A call that must work: its result, and a failed test when it is a negative errno. */
export function works(result: i64, what: string): i64 {
  if (result < 0) note(what + ' failed: ' + errorText(result))
  return result
}

/** A call that must fail with an errno. */
export function fails(result: i64, errno: i64, what: string): bool {
  if (result == -errno) return true
  note(what + (result < 0 ? ' failed otherwise: ' + errorText(result) : ' gave ' + result.toString()) + ', not: ' + errorText(-errno))
  return false
}

function begin(): void {
  store<u32>(state, load<u32>(state) + 1)
  store<u32>(state, 0, 8)
}

function report(name: string): void {
  const failed = load<u32>(state, 8) != 0
  if (failed) store<u32>(state, load<u32>(state, 4) + 1, 4)
  print(failed ? 'not ok ' : 'ok ')
  printNumber(load<u32>(state))
  print(' - ')
  print(name)
  if (failed) {
    print(' # ')
    print(evidence.text)
  }
  putByte(10)
  flush()
}

/** Runs one test now. */
export function test(name: string, body: () => void): void {
  begin()
  body()
  report(name)
}

/** Runs one test that awaits. */
export function testAsync(name: string, body: () => Promise<void>): void {
  begin()
  blockOn<void>(body())
  report(name)
}

/** The plan; the exit status of the program. */
export function finish(): i32 {
  print('1..')
  printNumber(load<u32>(state))
  putByte(10)
  flush()
  return load<u32>(state, 4) != 0 ? 1 : 0
}

/** The part of this program that a child is to play; empty in the parent. */
export function part(): string {
  const args = programArguments()
  return args.length > 1 ? args[1] : ''
}

/** Runs this program again in that part: its exit status, 128 + signal, or a negative errno. */
export function runPart(name: string): i64 {
  const path = programArguments()[0]
  return run(path, [path, name])
}
