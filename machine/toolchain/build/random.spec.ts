import { expect, test } from 'vitest'
import { describeWith } from '../../testing/oracles.ts'
import { compareSeed } from './fuzz.ts'

describeWith(['qemu-riscv64'], 'random modules', () => {
  // `npm run fuzz:toolchain` tries other seeds.
  test.each([1, 2, 3, 4, 5, 6])('seed %i does what it does in V8', (seed) => {
    expect(compareSeed(seed, 2)).toBeUndefined()
  })
})
