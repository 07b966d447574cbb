/** Random assembly sources: every instruction and pseudo-instruction with random and boundary operands, labels near and far. */
import fc from 'fast-check'
import { csrs } from '../../isa/csrs.ts'
import { fieldScale, fieldWidth, immU, type Field } from '../../isa/fields.ts'
import { findInstruction, instructions, type Instruction } from '../../isa/instructions.ts'
import { floatRegisterNames, integerRegisterNames, roundingModeNames } from '../../isa/registers.ts'
import { isBranchTarget } from './operand.ts'
import { aliasNames, findAlias, immediateForms } from './pseudo.ts'

export const labelCount = 8

/** The few CSRs that both assemblers surely name alike, besides numbers. */
const commonCsrs = csrs
  .filter((csr) => ['F', 'I', 'S', 'Zicntr'].includes(csr.extension) && csr.name !== 'mconfigptr')
  .map((csr) => csr.name)

const integer = fc.oneof(
  fc.constantFrom(...integerRegisterNames),
  fc.integer({ min: 0, max: 31 }).map((n) => `x${n}`),
)
const nonzeroInteger = fc.constantFrom(...integerRegisterNames.slice(1))
const compact = fc.constantFrom(...integerRegisterNames.slice(8, 16))
const float = fc.oneof(
  fc.constantFrom(...floatRegisterNames),
  fc.integer({ min: 0, max: 31 }).map((n) => `f${n}`),
)
const compactFloat = fc.constantFrom(...floatRegisterNames.slice(8, 16))
const label = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: labelCount - 1 }).map((n) => `L${n}`) },
  { weight: 1, arbitrary: fc.constant('outside') },
)
const csr = fc.oneof(
  fc.constantFrom(...commonCsrs),
  fc.integer({ min: 0, max: 0xfff }).map((n) => `0x${n.toString(16)}`),
)
const fenceSet = fc.subarray(['i', 'o', 'r', 'w'], { minLength: 1 }).map((letters) => letters.join(''))

/** Immediates of a field as written: its ends, small numbers, anything. */
function immediate(field: Field, nonzero: boolean): fc.Arbitrary<string> {
  if (field.operand === 'imm' && field === immU)
    return fc.oneof(fc.constantFrom(0, 1, 31, 32, 0xfffe0, 0xfffdf, 0xfffff, 0x80000), fc.integer({ min: 0, max: 0xfffff })).map(String)
  const width = fieldWidth(field)
  const scale = fieldScale(field)
  const low = field.kind === 'signed' ? -(2 ** (width - 1)) : 0
  const high = (field.kind === 'signed' ? 2 ** (width - 1) : 2 ** width) - scale
  const edges = [low, high, 0, scale, -scale, 2 * scale, 16, 31, -32].filter(
    (value) => value >= low && value <= high && value % scale === 0,
  )
  return fc
    .oneof(
      fc.constantFrom(...edges),
      fc.integer({ min: low / scale, max: high / scale }).map((value) => value * scale),
    )
    .map((value) => (nonzero && value === 0 ? scale : value))
    .chain((value) => fc.constantFrom(String(value), value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`))
}

function fieldText(row: Instruction, field: Field): fc.Arbitrary<string> {
  // GNU refuses c.slli by 0 and hints that write x0, though they encode.
  const nonzero = row.nonzero.includes(field.operand) || (row.length === 2 && field.kind !== 'signed')
  switch (field.kind) {
    case 'x':
      if (field.bias === 8) return compact
      return nonzero || row.length === 2 ? nonzeroInteger : integer
    case 'f':
      return field.bias === 8 ? compactFloat : float
    case 'csr':
      return csr
    case 'rounding':
      return fc.constantFrom(...roundingModeNames.filter((name) => name !== undefined))
    case 'fence':
      return fenceSet
    default:
      if (isBranchTarget(field)) return label
      return immediate(
        field,
        row.nonzero.includes('imm') || (row.length === 2 && row.syntax === 'rd, imm' && row.expands?.name.startsWith('s') === true),
      )
  }
}

function element(row: Instruction, written: string): fc.Arbitrary<string> {
  const memory = /^(imm)?\((\w+)\)$/.exec(written)
  const find = (operand: string): Field => row.fields.find((f) => f.operand === operand)!
  if (memory) {
    const base = memory[2] === 'sp' ? fc.constantFrom('sp', 'x2') : fieldText(row, find(memory[2]))
    const offset = memory[1] ? fieldText(row, find('imm')) : fc.constantFrom('', '0')
    return fc.tuple(offset, base).map(([o, b]) => `${o}(${b})`)
  }
  const field = row.fields.find((f) => f.operand === written)
  return field ? fieldText(row, field) : fc.constant(written)
}

/** One instruction of the table in assembly. */
export function instructionText(row: Instruction): fc.Arbitrary<string> {
  const elements = row.syntax === '' ? [] : row.syntax.split(', ')
  const noRounding = elements.at(-1) === 'rm'
  // GNU has no rounding mode on conversions that never round.
  const never = ['fcvt.d.s', 'fcvt.d.w', 'fcvt.d.wu'].includes(row.name)
  const full = fc.tuple(...elements.map((e) => element(row, e)))
  const ordering = row.extension === 'A' ? fc.constantFrom('', '.aq', '.rl', '.aqrl') : fc.constant('')
  return fc.tuple(full, fc.boolean(), ordering).map(([operands, short, suffix]) => {
    const kept = noRounding && (short || never) ? operands.slice(0, -1) : operands
    return `${row.name}${suffix} ${kept.join(', ')}`.trim()
  })
}

/** C.lui takes its upper immediate as 1..31 or 0xfffe0..0xfffff, and not for sp. */
const compressedUpper = fc
  .tuple(
    fc.constantFrom(...integerRegisterNames.filter((name) => name !== 'sp' && name !== 'zero')),
    fc.oneof(fc.integer({ min: 1, max: 31 }), fc.integer({ min: 0xfffe0, max: 0xfffff })),
  )
  .map(([rd, value]) => `c.lui ${rd}, ${value}`)

/** Known to GNU as 2.40 without further extensions. */
const known = instructions.filter((row) => !['Uintc', 'Priv1.9'].includes(row.extension))

export const anyInstruction: fc.Arbitrary<string> = fc
  .constantFrom(...known)
  .chain((row) => (row.name === 'c.lui' ? compressedUpper : instructionText(row)))

/** The kind of operand `$n` of an alias is the kind of the place where its expansion puts it. */
function aliasText(name: string, operandCount: number): fc.Arbitrary<string> {
  const alias = findAlias(name, operandCount)!
  const row = findInstruction(alias.target)!
  const elements = row.syntax.split(', ')
  const operands = Array.from({ length: operandCount }, (_, index) => {
    const place = alias.operands.findIndex((template) => template.includes(`$${index + 1}`))
    return element(row, elements[place])
  })
  return fc.tuple(...operands).map((texts) => `${name} ${texts.join(', ')}`.trim())
}

export const anyAlias: fc.Arbitrary<string> = fc
  .constantFrom(...aliasNames().filter(({ name }) => name !== 'sfence.vm' && name !== 'c.nop'))
  .chain(({ name, operandCount }) => aliasText(name, operandCount))

/** Constants with long runs of equal bits, as addresses and masks have. */
const constant = fc.oneof(
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  fc.bigInt({ min: -(1n << 32n), max: 1n << 32n }),
  fc.bigInt({ min: -5000n, max: 5000n }),
  fc
    .tuple(fc.bigInt({ min: -4096n, max: 4096n }), fc.integer({ min: 0, max: 60 }))
    .map(([value, shift]) => BigInt.asIntN(64, value << BigInt(shift))),
  fc
    .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: -3, max: 3 }))
    .map(([bit, delta]) => BigInt.asIntN(64, (1n << BigInt(bit)) + BigInt(delta))),
)

const loads = ['lb', 'lh', 'lw', 'ld', 'lbu', 'lhu', 'lwu']
const stores = ['sb', 'sh', 'sw', 'sd']

export const anySequence: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(integer, constant).map(([rd, value]) => `li ${rd}, ${value}`) },
  fc.tuple(fc.constantFrom('la', 'lla'), integer, label).map(([name, rd, target]) => `${name} ${rd}, ${target}`),
  fc
    .tuple(fc.constantFrom('mv', 'move', 'sext.b', 'sext.h', 'zext.h', 'zext.w'), integer, integer)
    .map(([name, rd, rs]) => `${name} ${rd}, ${rs}`),
  fc.tuple(fc.constantFrom('call', 'tail'), label).map(([name, target]) => `${name} ${target}`),
  fc.tuple(nonzeroInteger, label).map(([rd, target]) => `call ${rd}, ${target}`),
  fc.tuple(nonzeroInteger, label).map(([rd, target]) => `jump ${target}, ${rd}`),
  fc.tuple(fc.constantFrom('jr', 'jalr'), nonzeroInteger).map(([name, rs]) => `${name} ${rs}`),
  fc
    .tuple(fc.constantFrom('jr', 'jalr'), integer, fc.integer({ min: -2048, max: 2047 }))
    .map(([name, rs, offset]) => `${name} ${offset}(${rs})`),
  fc.tuple(integer, integer, fc.integer({ min: -2048, max: 2047 })).map(([rd, rs, offset]) => `jalr ${rd}, ${rs}, ${offset}`),
  fc.tuple(integer, integer).map(([rd, rs]) => `jalr ${rd}, ${rs}`),
  fc.tuple(fc.constantFrom(...loads), nonzeroInteger, label).map(([name, rd, target]) => `${name} ${rd}, ${target}`),
  fc
    .tuple(fc.constantFrom(...stores), integer, label, nonzeroInteger)
    .map(([name, rs, target, base]) => `${name} ${rs}, ${target}, ${base}`),
  fc
    .tuple(fc.constantFrom('flw', 'fld', 'fsw', 'fsd'), float, label, nonzeroInteger)
    .map(([name, rs, target, base]) => `${name} ${rs}, ${target}, ${base}`),
  fc
    .tuple(fc.constantFrom('lui', 'auipc'), integer, label)
    .map(([name, rd, target]) => `${name} ${rd}, %${name === 'lui' ? '' : 'pcrel_'}hi(${target})`),
  fc.tuple(integer, integer, label).map(([rd, rs, target]) => `addi ${rd}, ${rs}, %lo(${target})`),
  fc.constantFrom('fence', 'fence.tso', 'unimp', 'c.unimp', 'nop', 'ret'),
  fc
    .constantFrom(...[...immediateForms].filter(([name]) => !name.startsWith('csr')))
    .chain(([name, target]) => instructionText(findInstruction(target)!).map((text) => text.replace(target, name))),
)

/** Registers of one small set meet often, which is what compression needs. */
const crowded: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(
      ...known.filter(
        (row) => row.length === 4 && /^rd, (rs1, (rs2|imm)|imm)$/.test(row.syntax) && row.fields.every((f) => f.kind !== 'f'),
      ),
    ),
    fc.constantFrom('a0', 's0', 'sp', 'zero', 't0'),
    fc.constantFrom('a0', 's0', 'sp', 'zero'),
    fc.constantFrom('a0', 's0', 'zero'),
  )
  .chain(([row, a, b, c]) =>
    fc
      .tuple(
        ...row.syntax
          .split(', ')
          .map((e) =>
            e === 'rd'
              ? fc.constantFrom(a, b)
              : e === 'rs1'
                ? fc.constantFrom(a, b)
                : e === 'rs2'
                  ? fc.constantFrom(a, c)
                  : element(row, e),
          ),
      )
      .map((texts) => `${row.name} ${texts.join(', ')}`),
  )

const directive = fc.oneof(
  fc.integer({ min: 1, max: 5 }).map((power) => `.align ${power}`),
  fc.constantFrom('.balign 8', '.p2align 3,,5', '.align 3, 0'),
  fc
    .tuple(fc.constantFrom(2, 16, 254, 256, 1000, 2046, 4090, 5000), fc.constantFrom('.space', '.zero', '.skip'))
    .map(([size, name]) => `${name} ${size}`),
  fc.tuple(fc.integer(), fc.integer()).map(([a, b]) => `.word ${a >>> 0}, ${b}`),
  fc.constantFrom(
    '.word L0',
    '.dword L1+4',
    '.word L1-L0',
    '.dword outside',
    '.half 0x1234, -1',
    '.byte 1, 2',
    '.string "ab\\n\\0c"',
    '.asciz "x"',
    '.fill 3, 2, 0x1234',
  ),
  fc.constantFrom('.option push\n.option norvc\naddi a0, a0, 1\nbeqz a0, L2\nj L3\n.option pop', '.option norvc\nnop\n.option rvc'),
)

const line = fc.oneof(
  { weight: 6, arbitrary: anyInstruction },
  { weight: 3, arbitrary: anyAlias },
  { weight: 3, arbitrary: anySequence },
  { weight: 4, arbitrary: crowded },
  { weight: 1, arbitrary: directive },
)

/** A whole source: lines with the labels `L0`.. strewn among them. */
export const anyProgram: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(line, { minLength: 1, maxLength: 120, size: 'max' }),
    fc.array(fc.nat(), { minLength: labelCount, maxLength: labelCount }),
  )
  .map(([lines, places]) => {
    const output = lines.map((text) => [text])
    places.forEach((place, index) => output[place % lines.length].unshift(`L${index}:`))
    return `${output.flat().join('\n')}\n`
  })

/** Sources made of branches and gaps only, to try every length of branch. */
export const branchProgram: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(
      fc.oneof(
        fc
          .tuple(fc.constantFrom('beqz a0,', 'bnez s1,', 'beq a0, a1,', 'bgtu t0, t1,', 'j', 'jal', 'c.beqz a0,', 'c.j', 'bltz t0,'), label)
          .map(([name, target]) => `${name} ${target}`),
        fc.constantFrom(2, 100, 200, 240, 254, 256, 1024, 2040, 4000, 4094, 4096).map((size) => `.space ${size}`),
        fc.constantFrom('nop', '.align 2', '.align 4', 'lui a0, 77'),
      ),
      { minLength: 1, maxLength: 60, size: 'max' },
    ),
    fc.array(fc.nat(), { minLength: labelCount, maxLength: labelCount }),
  )
  .map(([lines, places]) => {
    const output = lines.map((text) => [text])
    places.forEach((place, index) => output[place % lines.length].unshift(`L${index}:`))
    return `${output.flat().join('\n')}\n`
  })
