/** `.insn`: an instruction given by its format and field values, or as a number. */
import * as F from '../../isa/fields.ts'
import { findInstruction } from '../../isa/instructions.ts'
import type { Assembler } from './assembler.ts'
import type { Directive, DirectiveCall } from './directives.ts'
import { constantNow, parseExpression } from './expression.ts'
import { splitMemory, type OperandText } from './operand.ts'
import { AssemblyError } from './position.ts'
import { floatRegister, integerRegister } from '../../isa/registers.ts'

/** GNU's names of the major opcodes, each taken from an instruction that has it. */
const opcodeNames: Record<string, string> = {
  LOAD: 'lw',
  LOAD_FP: 'flw',
  MISC_MEM: 'fence',
  OP_IMM: 'addi',
  AUIPC: 'auipc',
  OP_IMM_32: 'addiw',
  STORE: 'sw',
  STORE_FP: 'fsw',
  AMO: 'lr.w',
  OP: 'add',
  LUI: 'lui',
  OP_32: 'addw',
  MADD: 'fmadd.s',
  MSUB: 'fmsub.s',
  NMADD: 'fnmadd.s',
  NMSUB: 'fnmsub.s',
  OP_FP: 'fadd.s',
  BRANCH: 'beq',
  JALR: 'jalr',
  JAL: 'jal',
  SYSTEM: 'ecall',
}
/** The custom opcodes stand at fixed places of the opcode map (Unprivileged 20191213, table 24.1). */
const customOpcodes: Record<string, number> = { CUSTOM_0: 0x0b, CUSTOM_1: 0x2b, CUSTOM_2: 0x5b, CUSTOM_3: 0x7b }
const quadrants: Record<string, number> = { C0: 0, C1: 1, C2: 2 }

const bits = (low: number, width: number): F.Field => ({ operand: 'imm', kind: 'unsigned', slices: [[low, width, 0]], bias: 0 })
const opcode = bits(0, 7)
const funct3 = bits(12, 3)
const funct7 = bits(25, 7)
const funct2 = bits(25, 2)
const rs3 = bits(27, 5)
const any = (f: F.Field): F.Field => ({ ...f, kind: 'unsigned' })

/** The fields of each format in the order they are written; `memory` writes the last two as `imm(rs1)`. */
interface InsnFormat {
  readonly length: 2 | 4
  readonly fields: readonly (F.Field | 'target')[]
  readonly registers: readonly number[]
  readonly memory?: boolean
  readonly target?: F.Field
}

const formats: Record<string, InsnFormat[]> = {
  r: [
    { length: 4, fields: [opcode, funct3, funct7, F.rd, F.rs1, F.rs2], registers: [3, 4, 5] },
    { length: 4, fields: [opcode, funct3, funct2, F.rd, F.rs1, F.rs2, rs3], registers: [3, 4, 5, 6] },
  ],
  r4: [{ length: 4, fields: [opcode, funct3, funct2, F.rd, F.rs1, F.rs2, rs3], registers: [3, 4, 5, 6] }],
  i: [
    { length: 4, fields: [opcode, funct3, F.rd, F.rs1, F.immI], registers: [2, 3] },
    { length: 4, fields: [opcode, funct3, F.rd, F.immI, F.rs1], registers: [2, 4], memory: true },
  ],
  s: [{ length: 4, fields: [opcode, funct3, F.rs2, F.immS, F.rs1], registers: [2, 4], memory: true }],
  b: [{ length: 4, fields: [opcode, funct3, F.rs1, F.rs2, 'target'], registers: [2, 3], target: F.immB }],
  u: [{ length: 4, fields: [opcode, F.rd, F.immU], registers: [1] }],
  j: [{ length: 4, fields: [opcode, F.rd, 'target'], registers: [1], target: F.immJ }],
  cr: [{ length: 2, fields: [bits(0, 2), bits(12, 4), F.cRd, F.cRs2], registers: [2, 3] }],
  ci: [{ length: 2, fields: [bits(0, 2), bits(13, 3), F.cRd, F.cImm6], registers: [2] }],
  ciw: [{ length: 2, fields: [bits(0, 2), bits(13, 3), F.cRdShortLow, bits(5, 8)], registers: [2] }],
  css: [{ length: 2, fields: [bits(0, 2), bits(13, 3), F.cRs2, bits(7, 6)], registers: [2] }],
  ca: [{ length: 2, fields: [bits(0, 2), bits(10, 6), bits(5, 2), F.cRdShortHigh, F.cRs2Short], registers: [3, 4] }],
  cb: [{ length: 2, fields: [bits(0, 2), bits(13, 3), F.cRs1Short, 'target'], registers: [2], target: F.cImmB }],
  cj: [{ length: 2, fields: [bits(0, 2), bits(13, 3), 'target'], registers: [], target: F.cImmJ }],
}
formats.sb = formats.b
formats.uj = formats.j

const insn: Directive = (assembler, call) => {
  const format = /^\s*([a-z]\w*)\s+(?=\S)/.exec(call.text)
  if (!format) {
    emitRaw(assembler, call)
    return
  }
  const choices = formats[format[1]]
  if (!choices) throw new AssemblyError('asm/bad-insn', `unknown instruction format ${format[1]}`, call.span)
  const written = assembler.operands(call.source, call.textStart + format[0].length)
  const operands: OperandText[] = written.flatMap((operand): OperandText[] => {
    const memory = splitMemory(operand)
    return memory ? [memory.offset, memory.base] : [operand]
  })
  const isMemory = operands.length > written.length
  const chosen = choices.find((choice) => choice.fields.length === operands.length && Boolean(choice.memory) === isMemory)
  if (!chosen) throw new AssemblyError('asm/operand-count', `the operands do not match format ${format[1]}`, call.span)
  emitFormat(assembler, call, chosen, operands)
}

function emitFormat(assembler: Assembler, call: DirectiveCall, format: InsnFormat, operands: readonly OperandText[]): void {
  let word = 0
  let target: ReturnType<typeof parseExpression> | undefined
  format.fields.forEach((field, index) => {
    const operand = operands[index]
    if (field === 'target') {
      target = parseExpression(operand.tokens, assembler, operand.span)
      return
    }
    const value = format.registers.includes(index) ? readAnyRegister(operand) : readValue(assembler, operand, index === 0)
    const scaled = field === F.immU ? (value << 12) | 0 : value
    if (!F.fitsField(format.registers.includes(index) ? any(field) : field, scaled)) {
      throw new AssemblyError('asm/immediate-range', `${value} does not fit this field`, operand.span)
    }
    word |= F.insertField(field, scaled)
  })
  assembler.noteLine(call.source, call.span)
  if (!target) {
    assembler.emit(word >>> 0, format.length)
    return
  }
  const types = new Map([
    [F.immB, 'R_RISCV_BRANCH'],
    [F.immJ, 'R_RISCV_JAL'],
    [F.cImmB, 'R_RISCV_RVC_BRANCH'],
    [F.cImmJ, 'R_RISCV_RVC_JUMP'],
  ] as const)
  assembler.emit(word >>> 0, format.length, { type: types.get(format.target!)!, expression: target, span: call.span })
}

/** `.insn` fields do not say whether they name an integer or a floating-point register. */
function readAnyRegister(operand: OperandText): number {
  const name = operand.tokens.length === 1 ? operand.tokens[0].text : ''
  const register = integerRegister(name) ?? floatRegister(name)
  if (register === undefined) throw new AssemblyError('asm/bad-register', `${name || 'this'} is not a register`, operand.span)
  return register
}

function readValue(assembler: Assembler, operand: OperandText, isOpcode: boolean): number {
  const name = operand.tokens[0]?.text ?? ''
  if (isOpcode && operand.tokens.length === 1) {
    if (Object.hasOwn(opcodeNames, name)) return findInstruction(opcodeNames[name])!.match & 0x7f
    const number = { ...customOpcodes, ...quadrants }[name]
    if (number !== undefined) return number
  }
  const value = constantNow(parseExpression(operand.tokens, assembler, operand.span))
  if (value === undefined) throw new AssemblyError('asm/not-constant', 'a number is needed here', operand.span)
  return Number(value)
}

/** `.insn VALUE` and `.insn LENGTH, VALUE`: the low bits of the value must say the same length. */
function emitRaw(assembler: Assembler, call: DirectiveCall): void {
  const operands = assembler.operands(call.source, call.textStart)
  const last = operands.at(-1)
  if (!last || operands.length > 2) throw new AssemblyError('asm/operand-count', '.insn needs a format or a number', call.span)
  const value = assembler.constant(last.tokens, last.span)
  const length = (value & 3n) === 3n ? 4 : 2
  const said = operands.length === 2 ? assembler.constant(operands[0].tokens, operands[0].span) : BigInt(length)
  if (said !== BigInt(length) || value < 0n || value >= 1n << BigInt(8 * length)) {
    throw new AssemblyError('asm/bad-insn', `${value} is not an instruction of ${said} bytes`, last.span)
  }
  assembler.noteLine(call.source, call.span)
  assembler.emit(Number(value), length)
}

export const insnDirectives: [string, Directive][] = [['.insn', insn]]
