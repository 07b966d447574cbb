import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instructions } from '../../isa/instructions.ts'
import { anyProgram, branchProgram, instructionText } from './corpus.test-support.ts'
import { gnuAssemble, gnuCompile, sectionBytes } from './gnu.test-support.ts'
import { assemble } from './index.ts'

/** `POLLEN_SEED` and `POLLEN_RUNS` repeat or lengthen a run; the seed is printed with every failure. */
const seed = Number(process.env.POLLEN_SEED ?? 20260101)
const runs = Number(process.env.POLLEN_RUNS ?? 60)

/** Fails with the first differing bytes, or when one side refuses what the other takes. */
function expectSameText(source: string): void {
  const gnu = gnuAssemble(source)
  const ours = assemble(source, { file: 'input.s' })
  const complaints = ours.diagnostics
    .filter((diagnostic) => diagnostic.severity === 'error')
    .map((diagnostic) => `${diagnostic.line}: ${diagnostic.message}`)
  expect({ gnu: gnu.object ? '' : gnu.errors, ours: complaints.join('\n') }).toEqual({ gnu: '', ours: '' })
  const expected = Buffer.from(sectionBytes(gnu.object!, '.text'))
  const actual = Buffer.from(ours.object!.sections.find((section) => section.name === '.text')!.bytes)
  if (expected.equals(actual)) return
  const at = expected.findIndex((byte, index) => byte !== actual[index]) & ~1
  const show = (bytes: Buffer): string => bytes.subarray(at, at + 12).toString('hex')
  expect({ at, bytes: show(actual), length: actual.length }).toEqual({ at, bytes: show(expected), length: expected.length })
}

describe('the assembler against GNU as', () => {
  it('makes the same code of every instruction', () => {
    const rows = instructions.filter((row) => !['Uintc', 'Priv1.9'].includes(row.extension) && row.name !== 'c.lui')
    const lines = rows.flatMap((row) => fc.sample(instructionText(row), { numRuns: 12, seed }))
    const labels = Array.from({ length: 8 }, (_, index) => `L${index}:`).join('\n')
    expectSameText(`${labels}\n${lines.join('\n')}\n`)
  })

  it('makes the same code of random programs', () => {
    fc.assert(fc.property(anyProgram, expectSameText), { numRuns: runs, seed })
  })

  it('chooses the same length for every branch', () => {
    fc.assert(fc.property(branchProgram, expectSameText), { numRuns: runs, seed })
  })
})
