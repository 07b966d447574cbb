/** Real firmware by both engines, compared every few thousand cycles: OpenSBI and U-Boot, unmodified. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { testHartModule } from '../../testing/hart-module.ts'
import { describeWith, oracle } from '../../testing/oracles.ts'
import { advance, memoryDifference, pair } from './compare.ts'

const STEP = 50_000
const CYCLES = 20_000_000

describeWith(['opensbi/generic/fw_jump.elf', 'u-boot/qemu-riscv64_smode/u-boot.bin'], 'OpenSBI and U-Boot', () => {
  it.each([
    [1, 'ideal'],
    [2, 'rocket100'],
  ] as const)(
    'start alike by both engines: %i harts, %s',
    (harts, timing) => {
      const file = (name: Parameters<typeof oracle>[0]) => ({ name, bytes: readFileSync(oracle(name)) })
      const boards = pair(
        { hartModule: testHartModule(), harts, timing, ramSize: 64 << 20 },
        { firmware: file('opensbi/generic/fw_jump.elf'), kernel: file('u-boot/qemu-riscv64_smode/u-boot.bin') },
        100,
      )
      for (let cycle = STEP; cycle <= CYCLES; cycle += STEP) expect(advance(boards, cycle).difference).toBeUndefined()
      expect(memoryDifference(boards)).toBeUndefined()
      const report = boards.jit.machine.jit!.report()
      expect(report.compiledInstructions / boards.jit.machine.retired).toBeGreaterThan(0.5)
    },
    120_000,
  )
})
