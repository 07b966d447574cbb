import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assemble } from '../../machine/toolchain/assembler/index.ts'
import { flatLayout, link } from '../../machine/toolchain/link/index.ts'
import { disasm, type DisasmOptions } from './disasm.ts'

describe('pollen disasm', () => {
  let directory = ''
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'pollen-'))
    const source = join(directory, 'demo.s')
    writeFileSync(source, '.globl _start\n_start:\n  mv a0, a1 # first\n  ret\n')
    const { object } = assemble('.globl _start\n_start:\n  mv a0, a1 # first\n  ret\n', { file: source })
    writeFileSync(join(directory, 'demo.elf'), link([object!], flatLayout(0x80000000n)).elf)
    writeFileSync(join(directory, 'broken.elf'), '\x7fELF')
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  async function run(file: string, options: DisasmOptions = {}) {
    let output = ''
    let complaints = ''
    const status = await disasm(join(directory, file), {
      ...options,
      write: (text) => (output += text),
      complain: (text) => (complaints += text),
    })
    return { status, output, complaints }
  }

  it('prints symbols, source lines and instructions', async () => {
    const { status, output } = await run('demo.elf')
    expect(status).toBe(0)
    expect(output).toContain('<_start>:')
    expect(output).toContain('demo.s:3  mv a0, a1 # first')
    expect(output).toMatch(/80000002:\t8082\s+ret/)
  })

  it('prints the instructions themselves on request', async () => {
    const { output } = await run('demo.elf', { noAliases: true, noSource: true })
    expect(output).toMatch(/c\.mv\ta0, a1/)
    expect(output).not.toContain('demo.s')
  })

  it.each(['broken.elf', 'missing.elf'])('refuses %s in one line', async (file) => {
    const { status, output, complaints } = await run(file)
    expect({ status, output }).toEqual({ status: 125, output: '' })
    expect(complaints).toMatch(/^pollen disasm: .*\n$/)
  })
})
