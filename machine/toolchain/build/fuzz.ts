/**
 * `npm run fuzz:toolchain -- --minutes N [--seed S]`: random modules in V8 and, compiled, under qemu-riscv64; damaged input
 * for the readers.
 * Stops at the first difference and says which seed shows it.
 */
import { disagreement, knownDisagreement, mutate } from '../conformance/mutate.test-support.ts'
import { corpus, fuzzReader, readerKinds, type Corpus } from '../fuzz/readers.test-support.ts'
import { runCompiled, runV8 } from './differential.test-support.ts'
import { randomCalls, randomModule, silentImports } from './random-module.test-support.ts'

/** Compares one seed; a description of the first difference, or undefined. */
export function compareSeed(seed: number, level: 0 | 2): string | undefined {
  const bytes = randomModule(seed)
  const calls = randomCalls(bytes, seed)
  const expected = runV8(bytes, calls, silentImports(bytes))
  const actual = runCompiled(bytes, calls, level)
  for (let index = 0; index < expected.length; index++) {
    // Where each engine's stack ends is its own affair; what follows depends on it.
    if (expected[index].includes('exhausted') || actual[index]?.includes('exhausted')) return undefined
    if (expected[index] !== actual[index])
      return `seed ${seed} level ${level}: call ${index} ${calls[index].name}(${calls[index].args.join(', ')}): V8 ${expected[index]}, compiled ${actual[index]}`
  }
  return undefined
}

function option(name: string, otherwise: number): number {
  const index = process.argv.indexOf(`--${name}`)
  return index < 0 ? otherwise : Number(process.argv[index + 1])
}

/** What is wrong with one seed, if anything: of a random module, and of damaged input of every kind. */
function* problemsOf(seed: number, readers: Corpus): Generator<string> {
  for (const level of [2, 0] as const) {
    try {
      const difference = compareSeed(seed, level)
      if (difference) yield difference
    } catch (error) {
      yield `seed ${seed} level ${level}: ${(error as Error).stack}`
    }
  }
  // Cheap beside a module in two engines.
  for (let damage = seed * 20; damage < seed * 20 + 20; damage++) {
    for (const kind of readerKinds) {
      const error = fuzzReader(kind, readers, damage)
      if (error) yield `damaged ${kind} ${damage}: ${error.stack}`
    }
    const difference = disagreement(mutate(readers.modules[damage % readers.modules.length], damage))
    if (difference && !knownDisagreement.test(difference)) yield `damaged module ${damage}: ${difference}`
  }
}

async function main(): Promise<void> {
  const readers = await corpus()
  const until = Date.now() + option('minutes', 1) * 60_000
  const first = option('seed', Date.now() % 1_000_000_000)
  const count = option('count', Infinity)
  let seed = first
  for (; Date.now() < until && seed < first + count; seed++) {
    for (const problem of problemsOf(seed, readers)) {
      console.error(problem)
      process.exitCode = 1
      if (!process.argv.includes('--keep-going')) return
    }
  }
  console.log(`${seed - first} modules from seed ${first} on: no difference unless printed above`)
}

if (process.argv[1]?.endsWith('fuzz.ts')) await main()
