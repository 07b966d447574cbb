/** Random async programs do on RISC-V what they do in V8, and every task is freed by its awaiter. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWith, oracle } from '../../testing/oracles.ts'
import { buildProgram } from '../build.ts'
import { guestProgram, hostResult, randomAsyncProgram } from './random-async.test-support.ts'

describeWith(['qemu-system-riscv64'], 'a random async program', () => {
  const cases = [1, 2, 3, 4, 5, 6].map((seed): [number, 0 | 2] => [seed, seed % 3 === 0 ? 0 : 2])
  test.each(cases)('of seed %i at level %i does what it does in V8', async (seed, level) => {
    const program = randomAsyncProgram(seed)
    const { elf, diagnostics } = await buildProgram({
      configuration: { version: 1, kind: 'firmware', layout: 'bare', sources: ['main.ts'] },
      readFile: (path) => (path === 'main.ts' ? guestProgram(program) : undefined),
      level,
    })
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
    const folder = mkdtempSync(join(tmpdir(), 'pollen-'))
    try {
      const path = join(folder, 'program.elf')
      writeFileSync(path, elf!)
      const options = ['-M', 'virt', '-nographic', '-bios', path]
      const { stdout } = spawnSync(oracle('qemu-system-riscv64'), options, { timeout: 30_000 })
      expect(stdout.toString()).toBe(hostResult(program))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
