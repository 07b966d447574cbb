/** Interpreter and JIT agree to the cycle on random programs full of jumps. More of them: npm run fuzz:jit. */
import { describe, expect, it } from 'vitest'
import { testHartModule } from '../../testing/hart-module.ts'
import { lockstep } from './compare.ts'
import { randomLoops, SMALL } from './program.ts'

const SEEDS = Array.from({ length: 32 }, (_, index) => 9000 + index)

describe('the JIT', () => {
  it.each(SEEDS)('agrees with the interpreter on random program %i', (seed) => {
    const { difference, boards } = lockstep(testHartModule(), randomLoops(seed, SMALL), seed % 2 ? 'rocket100' : 'ideal')
    expect(difference).toBeUndefined()
    expect(boards.jit.machine.jit!.statistics.regions).toBeGreaterThan(0)
  })
})
