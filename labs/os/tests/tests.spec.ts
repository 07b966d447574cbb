/** The guest's own tests, on our board with one, two and four harts; those of disks also on QEMU under its OpenSBI. */
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { describeWith } from '../../../machine/testing/oracles.ts'
import { buildTests, runTests, type GuestTestOptions } from '../../../main/workbench/guest-tests.ts'

let elf: Uint8Array
beforeAll(async () => {
  const built = await buildTests(path.join(import.meta.dirname, '..'))
  expect(built.diagnostics.filter(({ severity }) => severity !== 'note')).toEqual([])
  elf = built.elf!
})

async function allPass(options: Pick<GuestTestOptions, 'on' | 'harts' | 'pattern'>, least: number): Promise<void> {
  const { tests, problem, console } = await runTests(elf, { ...options, timeout: 600 })
  const failed = tests.filter(({ ok }) => !ok)
  if (failed.length || problem) throw new Error(`${problem ?? ''} ${JSON.stringify(failed, null, 2)}\n${console.slice(-2000)}`)
  expect(tests.length).toBeGreaterThanOrEqual(least)
}

describe('the tests of Pollen OS', () => {
  it.each([1, 2, 4])('pass on the board with %i harts', (harts) => allPass({ on: 'board', harts }, 120))
})

describeWith(['qemu-system-riscv64'], 'the tests of Pollen OS under OpenSBI', () => {
  it('of disks pass on QEMU with 2 harts', () => allPass({ on: 'qemu', harts: 2, pattern: 'disk' }, 16))
})
