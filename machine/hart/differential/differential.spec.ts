/** A fixed set of random programs over every instruction: QEMU and the board must agree. More of them: npm run fuzz:hart. */
import { expect, it } from 'vitest'
import { instructions } from '../../isa/instructions.ts'
import { describeWith } from '../../testing/oracles.ts'
import { testHartModule } from '../../testing/hart-module.ts'
import { differences, report } from './compare.ts'
import { MODES, randomProgram } from './program.ts'

const SEEDS = Array.from({ length: 24 }, (_, i) => 500 + i)

describeWith(['qemu-system-riscv64'], 'the hart and QEMU', () => {
  it.each(SEEDS)('agree on random program %i', (seed) => {
    const program = randomProgram(seed, 600)
    const lines = differences(testHartModule(), program)
    if (lines.length > 0) expect.fail(report(testHartModule(), program))
  })

  it('are compared on every instruction and in every mode', () => {
    const programs = SEEDS.map((seed) => randomProgram(seed, 600))
    expect(new Set(programs.map(({ mode }) => mode))).toEqual(new Set(MODES))
    const about = new Set(programs.flatMap(({ items }) => items.map((item) => item.about.split(' ')[0])))
    const compared = instructions.filter(({ extension }) => !['N', 'Uintc', 'Priv1.9'].includes(extension)).map(({ name }) => name)
    // wfi would wait, and a return from a trap would leave the program: both have tests of their own.
    expect(compared.filter((name) => !about.has(name) && !['wfi', 'mret', 'sret'].includes(name))).toEqual([])
  })
})
