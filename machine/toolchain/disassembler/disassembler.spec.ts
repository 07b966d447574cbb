import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, expand, isFullLength } from '../../isa/codec.ts'
import { assemble } from '../assembler/index.ts'
import { anyProgram } from '../assembler/corpus.test-support.ts'
import { gnuAssemble, runTool, withScratch } from '../assembler/gnu.test-support.ts'
import { readDebugInfo } from '../dwarf/index.ts'
import { readElf } from '../elf/index.ts'
import { flatLayout, link } from '../link/index.ts'
import { disassembleBytes, disassembleElf, disassembleToSource, formatInstruction } from './index.ts'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const seed = 20260102

function textOf(source: string): Uint8Array {
  const { object, diagnostics } = assemble(source)
  expect(diagnostics).toEqual([])
  return object!.sections[0].bytes
}

/** Words that are an instruction: random bits of every length rarely are, so opcodes are steered. */
const word = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }).filter((half) => !isFullLength(half)),
  fc.integer().map((bits) => (bits | 3) >>> 0),
)

describe('formatInstruction', () => {
  it.each([
    [0x00008067, 'ret', ''],
    [0x8082, 'ret', ''],
    [0x00000013, 'nop', ''],
    [0xfe010113, 'addi', 'sp, sp, -32'],
    [0x1101, 'addi', 'sp, sp, -32'],
    [0xec06, 'sd', 'ra, 24(sp)'],
    [0x30200073, 'mret', ''],
    [0x34011173, 'csrrw', 'sp, mscratch, sp'],
    [0x30529073, 'csrw', 'mtvec, t0'],
    [0x00b6252f, 'amoadd.w', 'a0, a1, (a2)'],
    [0x1605b52f, 'lr.d.aqrl', 'a0, (a1)'],
    [0x00c5f553, 'fadd.s', 'fa0, fa1, fa2'],
    [0x00c59553, 'fadd.s', 'fa0, fa1, fa2, rtz'],
    [0x0ff0000f, 'fence', ''],
    [0x8330000f, 'fence.tso', ''],
    [0x12345537, 'lui', 'a0, 0x12345'],
    [0x0000, 'c.unimp', ''],
    [0xffffffff, '.word', '0xffffffff'],
  ])('writes %x as %s %s', (bits, mnemonic, operands) => {
    expect(formatInstruction(bits, 0n)).toMatchObject({ mnemonic, operands })
  })

  it('says where a branch goes', () => {
    expect(formatInstruction(0x00b50463, 0x80000000n)).toMatchObject({ operands: 'a0, a1, . + 8', target: 0x80000008n })
    expect(formatInstruction(0xbfdd, 0x100n)).toMatchObject({ mnemonic: 'j', operands: '. - 10', target: 0xf6n })
  })
})

describe('the assembler and the disassembler', () => {
  it('give back every word', () => {
    const property = fc.property(fc.array(word, { minLength: 1, maxLength: 60 }), (words) => {
      const bytes: number[] = []
      for (const bits of words) for (let i = 0; i < (isFullLength(bits) ? 4 : 2); i++) bytes.push((bits >>> (8 * i)) & 255)
      const source = disassembleToSource({ bytes: Uint8Array.from(bytes), address: 0n } as never)
      expect(Buffer.from(textOf(source)).toString('hex'), source).toBe(Buffer.from(bytes).toString('hex'))
    })
    fc.assert(property, { numRuns: 400, seed })
  })

  it('mean the same by pseudo-instructions', () => {
    const property = fc.property(word, (bits) => {
      const decoded = decode(bits)
      const { mnemonic, operands } = formatInstruction(bits, 0n)
      if (!decoded || mnemonic.startsWith('.') || mnemonic === 'c.unimp') return
      const again = textOf(`.option norvc\n${mnemonic} ${operands}`)
      const full = decode(new DataView(again.buffer, again.byteOffset).getUint32(0, true))
      // A hint such as c.li zero, 5 has no other spelling than its own.
      expect(full && expand(full), `${mnemonic} ${operands}`).toEqual(normalise(expand(decoded)))
    })
    fc.assert(property, { numRuns: 3000, seed })
  })

  it('give back what GNU as makes of random programs', () => {
    const property = fc.property(anyProgram, (source) => {
      const text = readElf(gnuAssemble(source).object!).sections.find((section) => section.name === '.text')!
      expect(Buffer.from(textOf(disassembleToSource(text))).equals(Buffer.from(text.bytes))).toBe(true)
    })
    fc.assert(property, { numRuns: 15, seed })
  })
})

/** Operands that the full-length form spells out though the short one implies them, and moves, which have two spellings. */
function normalise(decoded: ReturnType<typeof expand>): unknown {
  const { instruction, operands } = decoded
  const complete = Object.fromEntries(instruction.fields.map((field) => [field.operand, operands[field.operand] ?? 0]))
  if (instruction.name === 'add' && complete.rs1 === 0) {
    return { instruction: expect.objectContaining({ name: 'addi' }), operands: { rd: complete.rd, rs1: complete.rs2, imm: 0 } }
  }
  return { instruction, operands: complete }
}

describe('listings', () => {
  const source = '.globl _start\n_start:\n  li a0, 1\n  beqz a0, done\n  call helper\ndone:\n  j done\nhelper:\n  ret\n'
  const program = (): Uint8Array => link([assemble(source, { file: 'demo.s' }).object!], flatLayout(0x80000000n)).elf

  it('show symbols, targets and source lines', () => {
    const elf = readElf(program())
    const listing = disassembleElf(elf, { debug: readDebugInfo(elf), readLine: (_, line) => source.split('\n')[line - 1] })
    expect(listing).toContain('0000000080000000 <_start>:')
    expect(listing).toContain('; demo.s:4  beqz a0, done')
    expect(listing).toMatch(/beqz\ta0, 8000000c <done>/)
  })

  it('agree with objdump on the length of everything', () => {
    const elf = program()
    const objdump = withScratch((directory) => {
      const path = join(directory, 'demo.elf')
      writeFileSync(path, elf)
      return runTool('riscv64-unknown-elf-objdump', ['-d', path])
    })
    const theirs = [...objdump.matchAll(/^\s*([0-9a-f]+):\t/gm)].map((match) => BigInt(`0x${match[1]}`))
    const text = readElf(elf).sections.find((section) => section.name === '.text')!
    expect(disassembleBytes(text.bytes, text.address).map((line) => line.address)).toEqual(theirs)
  })
})
