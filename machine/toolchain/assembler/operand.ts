/** Reads operands as the instruction table's syntax names them: registers, immediates, memory, CSRs, rounding modes. */
import { findCsr } from '../../isa/csrs.ts'
import { cImmB, cImmJ, immB, immI, immJ, immS, immU, type Field, type OperandName } from '../../isa/fields.ts'
import type { Operands } from '../../isa/codec.ts'
import type { Instruction } from '../../isa/instructions.ts'
import { floatRegister, integerRegister, roundingModeNames } from '../../isa/registers.ts'
import type { RelocationType } from '../object.ts'
import { constantNow, parseExpression, type Expression, type ExpressionScope } from './expression.ts'
import type { FixupType } from './fixup.ts'
import type { Token } from './lexer.ts'
import { AssemblyError, type Span } from './position.ts'

/** An operand's tokens, and where to point when there are none. */
export interface OperandText {
  readonly tokens: readonly Token[]
  readonly span: Span
}

export interface ParsedOperands {
  readonly values: Operands
  /** The target of a branch or jump. */
  readonly target?: Expression
  readonly fixup?: { readonly type: FixupType; readonly expression: Expression; readonly span: Span }
}

/** The operand as the single name it consists of. */
export function singleName(operand: OperandText): string | undefined {
  return operand.tokens.length === 1 && operand.tokens[0].kind === 'name' ? operand.tokens[0].text : undefined
}

export function isRegister(operand: OperandText): boolean {
  const name = singleName(operand)
  return name !== undefined && (integerRegister(name) !== undefined || floatRegister(name) !== undefined)
}

/** Reads an integer or float register. */
export function readRegister(operand: OperandText, kind: 'x' | 'f'): number {
  const name = singleName(operand)
  const register = name === undefined ? undefined : kind === 'x' ? integerRegister(name) : floatRegister(name)
  if (register === undefined) {
    const written = operand.tokens.map((token) => token.text).join('')
    const what = kind === 'x' ? 'an integer register' : 'a floating-point register'
    throw new AssemblyError('asm/bad-register', written ? `${written} is not ${what}` : `${what} is missing here`, operand.span)
  }
  return register
}

/** `expression(register)`: the offset may be empty. Undefined when the operand does not end in a bracketed register. */
export function splitMemory(operand: OperandText): { offset: OperandText; base: OperandText } | undefined {
  const { tokens } = operand
  const base = tokens.at(-2)
  if (tokens.length < 3 || tokens.at(-1)!.text !== ')' || tokens.at(-3)!.text !== '(') return undefined
  if (base?.kind !== 'name' || integerRegister(base.text) === undefined) return undefined
  return { offset: { tokens: tokens.slice(0, -3), span: operand.span }, base: { tokens: [base], span: base } }
}

const modifiers: Record<string, { upper?: RelocationType; immediate?: RelocationType; store?: RelocationType }> = {
  hi: { upper: 'R_RISCV_HI20' },
  lo: { immediate: 'R_RISCV_LO12_I', store: 'R_RISCV_LO12_S' },
  pcrel_hi: { upper: 'R_RISCV_PCREL_HI20' },
  pcrel_lo: { immediate: 'R_RISCV_PCREL_LO12_I', store: 'R_RISCV_PCREL_LO12_S' },
  got_pcrel_hi: { upper: 'R_RISCV_GOT_HI20' },
}

/** `%name(expression)`, or undefined when the operand has no modifier. */
function readModifier(operand: OperandText, scope: ExpressionScope): { name: string; expression: Expression } | undefined {
  const { tokens } = operand
  if (tokens[0]?.text !== '%' || tokens[1]?.kind !== 'name') return undefined
  const name = tokens[1].text
  if (!modifiers[name]) {
    const hint = `known: ${Object.keys(modifiers)
      .map((known) => `%${known}`)
      .join(', ')}`
    throw new AssemblyError('asm/unknown-modifier', `unknown modifier %${name}`, tokens[1], hint)
  }
  return { name, expression: parseExpression(tokens.slice(2), scope, operand.span) }
}

const targetFields: ReadonlySet<Field> = new Set([immB, immJ, cImmB, cImmJ])

export function isBranchTarget(field: Field): boolean {
  return targetFields.has(field)
}

interface Reading {
  readonly instruction: Instruction
  readonly scope: ExpressionScope
  readonly values: Operands
  target?: Expression
  fixup?: ParsedOperands['fixup']
}

/**
 * Reads `operands` by `instruction.syntax`.
 * @throws AssemblyError on a wrong count or a wrong operand.
 */
export function readOperands(
  instruction: Instruction,
  operands: readonly OperandText[],
  scope: ExpressionScope,
  mnemonic: Span,
): ParsedOperands {
  const syntax = instruction.syntax ? instruction.syntax.split(', ') : []
  const optionalRounding = syntax.at(-1) === 'rm' && operands.length === syntax.length - 1
  const expected = optionalRounding ? syntax.slice(0, -1) : syntax
  if (operands.length !== expected.length) {
    const usage = `${instruction.name} ${instruction.syntax}`.trim()
    throw new AssemblyError(
      'asm/operand-count',
      `${instruction.name} takes ${expected.length} operands, not ${operands.length}`,
      operands.length > expected.length ? operands[expected.length].span : mnemonic,
      `write: ${usage}`,
    )
  }
  const reading: Reading = { instruction, scope, values: {} }
  if (optionalRounding) reading.values.rm = defaultRounding(instruction.name)
  expected.forEach((element, index) => readElement(reading, element, operands[index]))
  copySharedFields(instruction, reading.values)
  return reading
}

/** GNU leaves `rm` zero in the conversions to double that never round. */
function defaultRounding(name: string): number {
  return ['fcvt.d.s', 'fcvt.d.w', 'fcvt.d.wu'].includes(name) ? 0 : roundingModeNames.indexOf('dyn')
}

/** Compressed forms name once a register that two fields hold. */
function copySharedFields(instruction: Instruction, values: Operands): void {
  for (const field of instruction.fields) {
    if (values[field.operand] !== undefined) continue
    const twin = instruction.fields.find((other) => other !== field && other.kind === field.kind && sameBits(other, field))
    if (twin && values[twin.operand] !== undefined) values[field.operand] = values[twin.operand]
  }
}

function sameBits(a: Field, b: Field): boolean {
  return a.bias === b.bias && JSON.stringify(a.slices) === JSON.stringify(b.slices)
}

function readElement(reading: Reading, element: string, operand: OperandText): void {
  const memory = /^(imm)?\((\w+)\)$/.exec(element)
  if (memory) {
    readMemory(reading, memory[1] !== undefined, memory[2], operand)
    return
  }
  const field = reading.instruction.fields.find((f) => f.operand === element)
  if (!field) {
    // A register that the encoding implies, such as `sp` in c.addi16sp.
    requireRegister(operand, element, reading.instruction.name)
    return
  }
  readField(reading, field, operand)
}

function requireRegister(operand: OperandText, name: string, mnemonic: string): void {
  if (readRegister(operand, 'x') !== integerRegister(name)) {
    throw new AssemblyError('asm/bad-register', `${mnemonic} works on ${name} only`, operand.span)
  }
}

function readMemory(reading: Reading, hasOffset: boolean, base: string, operand: OperandText): void {
  const memory = splitMemory(operand)
  if (!memory) throw new AssemblyError('asm/bad-address', 'an address such as 8(sp) is expected here', operand.span)
  const { instruction } = reading
  if (base === 'sp') requireRegister(memory.base, base, instruction.name)
  else reading.values[base as OperandName] = readRegister(memory.base, 'x')
  if (hasOffset) {
    readField(
      reading,
      instruction.fields.find((f) => f.operand === 'imm')!,
      memory.offset,
    )
  } else if (memory.offset.tokens.length > 0) {
    // Atomics have no offset; GNU accepts a written 0.
    const offset = constantNow(parseExpression(memory.offset.tokens, reading.scope, operand.span))
    if (offset !== 0n) throw new AssemblyError('asm/bad-address', `${instruction.name} takes no offset`, operand.span)
  }
}

function readField(reading: Reading, field: Field, operand: OperandText): void {
  const { values, scope } = reading
  switch (field.kind) {
    case 'x':
    case 'f':
      values[field.operand] = readRegister(operand, field.kind)
      return
    case 'csr':
      values.csr = readCsr(operand, scope)
      return
    case 'rounding':
      values.rm = readRounding(operand)
      return
    case 'fence':
      values[field.operand] = readFenceSet(operand)
      return
    default:
      readImmediate(reading, field, operand)
  }
}

function readCsr(operand: OperandText, scope: ExpressionScope): number {
  const name = singleName(operand)
  const known = name === undefined ? undefined : findCsr(name)
  if (known) return known.number
  const number = constantNow(parseExpression(operand.tokens, scope, operand.span))
  if (number === undefined) throw new AssemblyError('asm/unknown-csr', `unknown CSR ${name ?? ''}`.trim(), operand.span)
  if (number < 0n || number > 0xfffn) throw new AssemblyError('asm/unknown-csr', `CSR number ${number} is outside 0..0xfff`, operand.span)
  return Number(number)
}

function readRounding(operand: OperandText): number {
  const name = singleName(operand)
  const mode = name === undefined ? -1 : roundingModeNames.indexOf(name)
  if (mode < 0) {
    const known = roundingModeNames.filter((known) => known !== undefined).join(', ')
    throw new AssemblyError('asm/bad-rounding-mode', `unknown rounding mode ${name ?? ''}`.trim(), operand.span, `known: ${known}`)
  }
  return mode
}

/** Any of i, o, r, w; `0` for none. */
function readFenceSet(operand: OperandText): number {
  const name = singleName(operand)
  if (operand.tokens.length === 1 && operand.tokens[0].value === 0n) return 0
  if (name === undefined || !/^i?o?r?w?$/.test(name)) {
    throw new AssemblyError('asm/bad-fence', 'a set of accesses such as rw or iorw is expected here', operand.span)
  }
  return ['w', 'r', 'o', 'i'].reduce((bits, letter, index) => bits | (name.includes(letter) ? 1 << index : 0), 0)
}

function readImmediate(reading: Reading, field: Field, operand: OperandText): void {
  const { values, scope, instruction } = reading
  const modifier = readModifier(operand, scope)
  if (modifier) {
    const shape = field === immU ? 'upper' : field === immI ? 'immediate' : field === immS ? 'store' : undefined
    const type = shape && modifiers[modifier.name][shape]
    if (!type) throw new AssemblyError('asm/bad-modifier', `%${modifier.name} does not fit ${instruction.name}`, operand.span)
    reading.fixup = { type, expression: modifier.expression, span: operand.span }
    values.imm = 0
    return
  }
  if (operand.tokens.length === 0) {
    values.imm = 0
    return
  }
  const expression = parseExpression(operand.tokens, scope, operand.span)
  if (isBranchTarget(field)) {
    reading.target = expression
    values.imm = 0
    return
  }
  const constant = constantNow(expression)
  if (constant !== undefined) {
    values.imm = immediateValue(field, Number(constant), instruction.name, operand.span)
  } else if (field === immI || field === immS) {
    reading.fixup = { type: field === immI ? 'IMMEDIATE_I' : 'IMMEDIATE_S', expression, span: operand.span }
    values.imm = 0
  } else {
    throw new AssemblyError('asm/not-constant', 'a number is needed here', operand.span)
  }
}

/** `lui` and `auipc` are written with the upper 20 bits; the table holds the whole constant. */
function immediateValue(field: Field, written: number, mnemonic: string, span: Span): number {
  if (field === immU || mnemonic === 'c.lui') {
    if (!Number.isInteger(written) || written < 0 || written > 0xfffff) {
      throw new AssemblyError('asm/immediate-range', `${written} is outside 0..0xfffff`, span)
    }
    return (written << 12) | 0
  }
  return written
}
