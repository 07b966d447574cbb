/** Sections 3 and 5: what is malformed or invalid is refused with one line, what V8 accepts is compiled; by damaged modules. */
import { expect, test } from 'vitest'
import { compileAot } from '../build/aot.ts'
import { disagreement, knownDisagreement, mutate, refusalOf, samples } from './mutate.test-support.ts'

test('damaged modules are valid or not as they are for V8', async () => {
  const originals = await samples()
  const found: string[] = []
  for (let seed = 1; seed <= 10_000; seed++) {
    const difference = disagreement(mutate(originals[seed % originals.length], seed))
    if (difference && !knownDisagreement.test(difference)) found.push(`seed ${seed}: ${difference}`)
  }
  expect(found).toEqual([])
})

test('damaged modules that are valid all the same compile, or are refused in one line', async () => {
  const originals = await samples()
  let compiled = 0
  for (let seed = 1; compiled < 60; seed++) {
    const bytes = mutate(originals[seed % originals.length], seed)
    if (refusalOf(bytes)) continue
    compiled++
    const { elf, diagnostics } = compileAot(bytes, { target: 'linux-user', level: seed % 2 ? 0 : 2 })
    expect(diagnostics.length, `seed ${seed}`).toBe(elf ? 0 : 1)
    for (const { message } of diagnostics)
      expect(message, `seed ${seed}`).toMatch(/^(unknown import|incompatible import type|a memory of|a table of)[^\n]*$/)
  }
})
