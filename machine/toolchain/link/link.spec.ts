import { describe, expect, it } from 'vitest'
import { assemble } from '../assembler/index.ts'
import { readElf } from '../elf/index.ts'
import type { ObjectFile } from '../object.ts'
import { flatLayout, link, type Layout } from './index.ts'

function object(source: string, file = 'a.s'): ObjectFile {
  const { object: made, diagnostics } = assemble(source, { file })
  expect(diagnostics).toEqual([])
  return made!
}

function linked(sources: readonly string[], layout: Layout = flatLayout(0x80000000n)) {
  return link(
    sources.map((source, index) => object(source, `${'abc'[index]}.s`)),
    layout,
  )
}

function sectionOf(elf: Uint8Array, name: string) {
  return readElf(elf).sections.find((section) => section.name === name)!
}

const start = '.globl _start\n_start: nop\n'

describe('symbols', () => {
  it.each([
    [
      'an undefined symbol',
      [`${start} nop\n call nowhere\n`],
      { file: 'a.s', line: 4, code: 'link/undefined-symbol', message: 'nowhere is not defined' },
    ],
    [
      'a duplicate symbol',
      [`${start}`, `\n\n${start}`],
      { file: 'b.s', line: 4, code: 'link/duplicate-symbol', hint: 'first defined at a.s:2' },
    ],
    ['a missing entry', ['nop\n'], { file: 'a.s', code: 'link/no-entry' }],
    [
      'a jump too far',
      [`${start} j far\n`, '.globl far\n.space 0x200000\nfar: ret\n'],
      { file: 'a.s', line: 3, code: 'link/relocation-overflow' },
    ],
    ['a number that does not fit', [`${start}.data\n.word _start + 0x7fffffffff\n`], { code: 'link/relocation-overflow' }],
    ['a lonely %pcrel_lo', [`${start}x: addi a0, a0, %pcrel_lo(x)\n`], { line: 3, code: 'link/missing-high-part' }],
  ])('%s is reported where it is', (_, sources, expected) => {
    const { diagnostics, elf } = linked(sources)
    expect(diagnostics).toEqual(expect.arrayContaining([expect.objectContaining(expected)]))
    expect(elf.length).toBe(0)
  })

  it('are reported once for each instruction of the source that names an undefined one', () => {
    const { diagnostics } = linked([`${start} lbu t1, nowhere\n la a0, nowhere\n`])
    expect(diagnostics.map(({ line, code }) => [line, code])).toEqual([
      [3, 'link/undefined-symbol'],
      [4, 'link/undefined-symbol'],
    ])
  })

  it('prefer strong definitions to weak ones, whatever the order', () => {
    const weak = `${start} call f\n.weak f\nf: ret\n`
    const strong = '.globl f\n.space 64\nf: ret\n'
    for (const sources of [
      [weak, strong],
      [strong, weak],
    ]) {
      const { symbols, diagnostics } = linked(sources)
      expect(diagnostics).toEqual([])
      const other = symbols.get('_start')! === 0x80000000n ? 0x80000000n + 12n : 0x80000000n
      expect(symbols.get('f')).toBe(other + 64n)
    }
  })

  it('are 0 where weak and undefined, however far the code is', () => {
    const { elf, diagnostics } = linked([`${start}.weak gone\n la a0, gone\n bnez a0, _start\n ret\n`], flatLayout(0xffffffff80200000n))
    expect(diagnostics).toEqual([])
    expect(Buffer.from(sectionOf(elf, '.text').bytes.subarray(2, 10)).toString('hex')).toBe('3705000013050500')
  })

  it('merge COMMON blocks to the largest and strictest', () => {
    const { elf, symbols } = linked([`${start}.comm shared, 8, 8\n`, '.comm shared, 100, 64\n'])
    expect(symbols.get('shared')! % 64n).toBe(0n)
    expect(sectionOf(elf, '.bss').size).toBeGreaterThanOrEqual(100)
  })
})

describe('layouts', () => {
  const flashed: Layout = {
    name: 'flashed',
    entry: '_start',
    regions: [
      { name: 'flash', origin: 0x20000000n, length: 0x1000n },
      { name: 'ram', origin: 0xffffffff80000000n, load: 0x80000000n, length: 0x2000n },
    ],
    sections: [
      { name: '.text', region: 'flash', inputs: ['.text', '.text.*'] },
      {
        name: '.data',
        region: 'ram',
        loadRegion: 'flash',
        inputs: ['.data'],
        alignment: 8,
        provide: { data_start: 'start', data_load: 'load', data_size: 'size' },
      },
      { name: '.bss', region: 'ram', inputs: ['.bss'], provide: { __bss_start: 'start', _end: 'end' } },
      { name: '.stack', region: 'ram', size: 0x1000, alignment: 16, provide: { stack_top: 'end' } },
    ],
    symbols: { UART: 0x10000000n },
  }

  it('give contents a load address of their own', () => {
    const { elf, symbols, diagnostics, map } = linked([`${start} lui a0, %hi(UART)\n.data\n.dword 1, 2\n.bss\n.space 8\n`], flashed)
    expect(diagnostics).toEqual([])
    const data = readElf(elf).segments[1]
    expect(data).toMatchObject({ vaddr: 0xffffffff80000000n, memorySize: 16 })
    expect(data.paddr).toBe(0x20000008n)
    expect(symbols.get('data_load')).toBe(0x20000008n)
    expect(symbols.get('stack_top')).toBe(0xffffffff80001020n)
    expect(map).toContain('ffffffff80000000       10 .data  loaded at 0000000020000008')
  })

  it('say how much does not fit, and what', () => {
    const { diagnostics } = linked([`${start}.space 0x1000\n`], flashed)
    expect(diagnostics).toMatchObject([
      { code: 'link/region-overflow', file: 'a.s', message: expect.stringMatching(/region flash .*2 bytes too many/) as string },
    ])
  })

  it('place sections that no pattern takes after the others', () => {
    const { elf } = linked([`${start}.section .odd, "a"\n.word 7\n`], flashed)
    expect(sectionOf(elf, '.odd').address).toBeGreaterThanOrEqual(0xffffffff80000000n)
  })

  it('drop what nothing refers to when asked, and keep what they are told to', () => {
    const source = `${start} call used\n.section .text.used,"ax"\nused: ret\n.section .text.unused,"ax"\n.space 100\n.section .init_array,"aw"\n.dword hidden\n.section .text.hidden,"ax"\nhidden: ret\n`
    const all = linked([source])
    const collected = linked([source], flatLayout(0x80000000n, { collect: true }))
    expect(sectionOf(all.elf, '.text').size - sectionOf(collected.elf, '.text').size).toBe(100)
    expect(sectionOf(collected.elf, '.init_array').size).toBe(8)
  })
})

describe('relocations', () => {
  it('reach kernel addresses through every addressing form', () => {
    const source = `${start} la a0, value\n lui a1, %hi(value)\n addi a1, a1, %lo(value)\n lw a2, value\n sw a2, value, t0\n call f\n tail f\nf: ret\n.data\nvalue: .word 1\n.dword value, f, f - _start\n.half f - _start\n`
    const { elf, symbols, diagnostics } = linked([source], flatLayout(0xffffffff80200000n))
    expect(diagnostics).toEqual([])
    const data = sectionOf(elf, '.data')
    const view = new DataView(data.bytes.buffer, data.bytes.byteOffset)
    expect(view.getBigUint64(4, true)).toBe(data.address)
    const f = view.getBigUint64(12, true)
    expect(view.getBigUint64(20, true)).toBe(f - symbols.get('_start')!)
    expect(view.getUint16(28, true)).toBe(Number(f - symbols.get('_start')!))
  })

  it('go through the offset table where code is position-independent', () => {
    const { elf, diagnostics, symbols } = linked([
      `.option pic\n${start} la a0, value\n la a1, local\n.data\n.globl value\nvalue: .word 1\nlocal: .word 2\n`,
    ])
    expect(diagnostics).toEqual([])
    const table = sectionOf(elf, '.got')
    const view = new DataView(table.bytes.buffer, table.bytes.byteOffset)
    expect([view.getBigUint64(0, true), view.getBigUint64(8, true)]).toEqual([symbols.get('value'), symbols.get('value')! + 4n])
  })
})
