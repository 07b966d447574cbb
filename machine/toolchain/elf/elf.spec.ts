import { writeFileSync } from 'node:fs'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../testing/oracles.ts'
import { gnuAssemble, runTool, withScratch } from '../assembler/gnu.test-support.ts'
import { assemble } from '../assembler/index.ts'
import { flatLayout, link, openArchive } from '../link/index.ts'
import { ElfError, rawImage, readArchive, readElf, readObject, writeObject } from './index.ts'

const source =
  '.globl _start\n_start: la a0, message\n call outside\n beqz a0, _start\n ret\n.data\nmessage: .asciz "hi"\n.align 3\n.dword _start + 4\n.bss\n.space 32\n'

function object() {
  return assemble(source, { file: 'demo.s' }).object!
}

function program(): Uint8Array {
  const outside = assemble('.globl outside\noutside: ret\n').object!
  const { elf, diagnostics } = link([object(), outside], flatLayout(0x80200000n, { load: 0x80000000n, stack: 4096 }))
  expect(diagnostics).toEqual([])
  return elf
}

describe('readElf', () => {
  it('tells segments with their two addresses, sections and symbols', () => {
    const elf = readElf(program())
    expect(elf).toMatchObject({ machine: 243, class: 64, type: 'executable', entry: 0x80200000n, flags: 5 })
    expect(elf.segments[0]).toMatchObject({ vaddr: 0x80200000n, paddr: 0x80000000n, flags: { read: true, write: false, execute: true } })
    const data = elf.segments.at(-1)!
    expect(data.memorySize).toBeGreaterThan(data.fileBytes.length + 4096)
    expect(elf.symbols.find((symbol) => symbol.name === '__stack_top')?.value).toBe(data.vaddr + BigInt(data.memorySize))
  })

  it.each([
    ['nothing', () => new Uint8Array()],
    ['text', () => new TextEncoder().encode('#!/bin/sh\n'.repeat(20))],
    ['a header alone', () => program().slice(0, 64)],
    ['half a file', () => program().slice(0, 4200)],
    ['a 32-bit file', () => program().fill(1, 4, 5)],
    ['a big-endian file', () => program().fill(2, 5, 6)],
    ['another machine', () => program().fill(62, 18, 19)],
  ])('refuses %s in one sentence', (_, bytes) => {
    expect(() => readElf(bytes())).toThrow(ElfError)
  })

  it('survives any damage', () => {
    const whole = program()
    const damage = fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 })
    const header = fc.array(fc.tuple(fc.nat({ max: 63 }), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 })
    const property = fc.property(fc.oneof(damage, header), fc.nat({ max: whole.length }), (changes, cut) => {
      const bytes = whole.slice(0, cut % 3 === 0 ? cut : whole.length)
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
      expectOnlyElfErrors(() => readElf(bytes))
    })
    fc.assert(property, { numRuns: 3000, seed: 20260104 })
  })
})

function expectOnlyElfErrors(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    expect(error).toBeInstanceOf(ElfError)
  }
}

describe('objects as files', () => {
  it('come back as they were', () => {
    const before = object()
    const after = readObject(writeObject(before), 'demo.s')
    for (const section of before.sections) expect(after.sections.find((candidate) => candidate.name === section.name)).toEqual(section)
    expect(after.symbols).toEqual(expect.arrayContaining([...before.symbols]))
  })

  it('survive any damage', () => {
    const whole = writeObject(object())
    const property = fc.property(
      fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
      (changes) => {
        const bytes = whole.slice()
        for (const [at, value] of changes) bytes[at] = value
        expectOnlyElfErrors(() => readObject(bytes, 'damaged.o'))
      },
    )
    fc.assert(property, { numRuns: 3000, seed: 20260105 })
  })
})

describeWith(
  ['riscv64-unknown-elf-readelf', 'riscv64-unknown-elf-ld', 'riscv64-unknown-elf-gcc', 'riscv64-unknown-elf-ar', 'riscv64-unknown-elf-as'],
  'ELF against GNU',
  () => {
    it('readelf finds nothing wrong with an executable or an object', () => {
      for (const bytes of [program(), writeObject(object())]) {
        withScratch((directory) => {
          const path = join(directory, 'file')
          writeFileSync(path, bytes)
          const report = runTool('riscv64-unknown-elf-readelf', ['-aW', path])
          expect(report).toContain('RISC-V')
          expect(report).not.toMatch(/warning|error|corrupt/i)
        })
      }
    })

    it('ld links our objects to the same code as our linker', () => {
      withScratch((directory) => {
        const inputs = [object(), assemble('.globl outside\noutside: ret\n').object!]
        const paths = inputs.map((input, index) => {
          const path = join(directory, `${index}.o`)
          writeFileSync(path, writeObject(input))
          return path
        })
        const script = join(directory, 'script.ld')
        writeFileSync(
          script,
          'ENTRY(_start) SECTIONS { . = 0x80200000; .text : { *(.text) } . = ALIGN(16); .data : { *(.data) } .bss : { *(.bss) } }',
        )
        runTool('riscv64-unknown-elf-ld', ['--no-relax', '-T', script, '-o', join(directory, 'out'), ...paths])
        const theirs = readElf(readFileSync(join(directory, 'out')))
        const ours = readElf(link(inputs, flatLayout(0x80200000n)).elf)
        for (const name of ['.text', '.data']) {
          const find = (elf: typeof ours) => elf.sections.find((section) => section.name === name)!
          expect(find(ours).address).toBe(find(theirs).address)
          expect(Buffer.from(find(ours).bytes).toString('hex')).toBe(Buffer.from(find(theirs).bytes).toString('hex'))
        }
      })
    })

    it('our linker links what gcc and ar made, relaxation hints and all', () => {
      withScratch((directory) => {
        const compile = (name: string, code: string): string => {
          writeFileSync(join(directory, `${name}.c`), code)
          runTool('riscv64-unknown-elf-gcc', [
            '-O2',
            '-falign-functions=16',
            '-ffreestanding',
            '-mcmodel=medany',
            '-c',
            '-o',
            join(directory, `${name}.o`),
            join(directory, `${name}.c`),
          ])
          return join(directory, `${name}.o`)
        }
        const main = compile(
          'main',
          'int triple(int); int table[4] = {1,2,3,4}; int common; void _start(void) { common = triple(table[2]); } int f2(int a) { return a + table[1]; }',
        )
        const library = [
          compile('triple', 'int triple(int a) { return 3 * a; }'),
          compile('unused', 'int unused(void) { return missing(); }'),
        ]
        runTool('riscv64-unknown-elf-ar', ['rcs', join(directory, 'lib.a'), ...library])
        const archive = openArchive(readFileSync(join(directory, 'lib.a')), 'lib.a')
        const { diagnostics, symbols } = link([readObject(readFileSync(main), 'main.o'), archive], flatLayout(0x80000000n))
        expect(diagnostics).toEqual([])
        expect(symbols.has('triple')).toBe(true)
        expect(symbols.has('unused')).toBe(false)
        expect(symbols.get('f2')! % 16n).toBe(0n)
      })
    })

    it('reads damaged archives without harm', () => {
      const archive = withScratch((directory) => {
        writeFileSync(join(directory, 'a-member-with-a-long-name.o'), gnuAssemble('nop').object!)
        runTool('riscv64-unknown-elf-ar', ['rcs', join(directory, 'lib.a'), join(directory, 'a-member-with-a-long-name.o')])
        return Uint8Array.from(readFileSync(join(directory, 'lib.a')))
      })
      expect(readArchive(archive).map((member) => member.name)).toEqual(['a-member-with-a-long-name.o'])
      const property = fc.property(
        fc.nat({ max: 200 }),
        fc.integer({ min: 0, max: 255 }),
        fc.nat({ max: archive.length }),
        (at, value, cut) => {
          const bytes = archive.slice(0, cut)
          if (at < bytes.length) bytes[at] = value
          expectOnlyElfErrors(() => readArchive(bytes))
        },
      )
      fc.assert(property, { numRuns: 2000, seed: 20260106 })
    })
  },
)

describe('rawImage', () => {
  it('refuses segments too far apart, and a program of nothing', () => {
    const elf = readElf(program())
    const far = { ...elf.segments[0], paddr: 0x1_0000_0000n }
    expect(() => rawImage({ ...elf, segments: [...elf.segments, far] })).toThrow(/too far apart/)
    expect(() => rawImage({ ...elf, segments: [] })).toThrow(ElfError)
  })

  describeWith(['riscv64-unknown-elf-objcopy'], 'beside objcopy', () => {
    it('has the same bytes', () => {
      withScratch((folder) => {
        const elf = program()
        writeFileSync(join(folder, 'a.elf'), elf)
        runTool('riscv64-unknown-elf-objcopy', ['-O', 'binary', join(folder, 'a.elf'), join(folder, 'a.bin')])
        const { address, bytes } = rawImage(readElf(elf))
        expect(address).toBe(0x80000000n)
        expect(Buffer.from(bytes).equals(readFileSync(join(folder, 'a.bin')))).toBe(true)
      })
    })
  })
})
