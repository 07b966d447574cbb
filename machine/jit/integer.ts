/** Integer instructions as WebAssembly: the value of rd is left on the stack. */
import type { Code, OpcodeName } from './code.ts'
import type { Frame } from './frame.ts'
import { importIndex } from './module.ts'
import type { Instruction } from './slots.ts'

const BINARY: Readonly<Record<string, OpcodeName>> = {
  add: 'i64_add',
  sub: 'i64_sub',
  xor: 'i64_xor',
  or: 'i64_or',
  and: 'i64_and',
  sll: 'i64_shl',
  srl: 'i64_shr_u',
  sra: 'i64_shr_s',
  mul: 'i64_mul',
}
const BINARY_WORD: Readonly<Record<string, OpcodeName>> = {
  addw: 'i32_add',
  subw: 'i32_sub',
  sllw: 'i32_shl',
  srlw: 'i32_shr_u',
  sraw: 'i32_shr_s',
  mulw: 'i32_mul',
}
const IMMEDIATE: Readonly<Record<string, OpcodeName>> = {
  addi: 'i64_add',
  xori: 'i64_xor',
  ori: 'i64_or',
  andi: 'i64_and',
  slli: 'i64_shl',
  srli: 'i64_shr_u',
  srai: 'i64_shr_s',
}
const IMMEDIATE_WORD: Readonly<Record<string, OpcodeName>> = {
  addiw: 'i32_add',
  slliw: 'i32_shl',
  srliw: 'i32_shr_u',
  sraiw: 'i32_shr_s',
}
const COMPARE: Readonly<Record<string, OpcodeName>> = { slt: 'i64_lt_s', sltu: 'i64_lt_u' }
const COMPARE_IMMEDIATE: Readonly<Record<string, OpcodeName>> = { slti: 'i64_lt_s', sltiu: 'i64_lt_u' }
const DIVISIONS = new Set(['div', 'divu', 'rem', 'remu'])
const WORD_DIVISIONS = new Set(['divw', 'divuw', 'remw', 'remuw'])
const HIGH_PRODUCTS = new Set(['mulh', 'mulhsu', 'mulhu'])

/** Leaves the value of rd on the stack; false when this is no integer arithmetic. */
export function integerValue(frame: Frame, instruction: Instruction): boolean {
  const { code } = frame
  const { name, rs1, rs2, raw } = instruction
  const first = () => frame.getX(rs1)
  const second = () => frame.getX(rs2)
  const word = (push: () => void) => {
    push()
    code.op('i32_wrap_i64')
  }
  if (name in BINARY) {
    // mv and its kind.
    if (name === 'add' && rs1 === 0) second()
    else if (name === 'add' && rs2 === 0) first()
    else {
      first()
      second()
      code.op(BINARY[name])
    }
  } else if (name in IMMEDIATE) {
    if (rs1 === 0 && name === 'addi') code.i64(raw)
    else {
      first()
      if (raw === -1 && name === 'xori') code.i64(-1)
      else if (raw === 0 && name === 'addi') return true
      else code.i64(raw)
      code.op(IMMEDIATE[name])
    }
  } else if (name in BINARY_WORD) {
    word(first)
    word(second)
    code.op(BINARY_WORD[name], 'i64_extend_i32_s')
  } else if (name in IMMEDIATE_WORD) {
    if (name === 'addiw' && raw === 0) {
      first()
      code.op('i64_extend32_s')
      return true
    }
    word(first)
    code.i32(raw)
    code.op(IMMEDIATE_WORD[name], 'i64_extend_i32_s')
  } else if (name in COMPARE) {
    first()
    second()
    code.op(COMPARE[name], 'i64_extend_i32_u')
  } else if (name in COMPARE_IMMEDIATE) {
    first()
    code.i64(raw)
    code.op(COMPARE_IMMEDIATE[name], 'i64_extend_i32_u')
  } else if (name === 'lui') code.i64(raw)
  else if (name === 'auipc') frame.pushPc(instruction.offset + raw)
  else if (DIVISIONS.has(name)) division(frame, name, rs1, rs2)
  else if (WORD_DIVISIONS.has(name)) wordDivision(code, name, first, second)
  else if (HIGH_PRODUCTS.has(name)) highProduct(code, name, first, second)
  else return false
  return true
}

/** By zero and on overflow as Unprivileged, table 7.1, has it; WebAssembly would trap. */
function division(frame: Frame, name: string, rs1: number, rs2: number): void {
  const { code } = frame
  const isRemainder = name.startsWith('rem')
  const isSigned = !name.endsWith('u')
  frame.getX(rs2)
  code.op('i64_eqz')
  code.if(false, 0x7e)
  if (isRemainder) frame.getX(rs1)
  else code.i64(-1)
  code.else()
  if (isSigned) {
    frame.getX(rs2)
    code.i64(-1)
    code.op('i64_eq')
    code.if(false, 0x7e)
    code.i64(0)
    if (!isRemainder) {
      frame.getX(rs1)
      code.op('i64_sub')
    }
    code.else()
  }
  frame.getX(rs1)
  frame.getX(rs2)
  code.op(isRemainder ? (isSigned ? 'i64_rem_s' : 'i64_rem_u') : isSigned ? 'i64_div_s' : 'i64_div_u')
  if (isSigned) code.end()
  code.end()
}

/** In 64 bits a word division cannot overflow. */
function wordDivision(code: Code, name: string, first: () => void, second: () => void): void {
  const isRemainder = name.startsWith('rem')
  const isSigned = !name.endsWith('uw')
  const extended = (push: () => void) => {
    push()
    if (isSigned) code.op('i64_extend32_s')
    else {
      code.i64(0xffff_ffff)
      code.op('i64_and')
    }
  }
  second()
  code.op('i32_wrap_i64', 'i32_eqz')
  code.if(false, 0x7e)
  if (isRemainder) {
    first()
    code.op('i64_extend32_s')
  } else code.i64(-1)
  code.else()
  extended(first)
  extended(second)
  code.op(isRemainder ? (isSigned ? 'i64_rem_s' : 'i64_rem_u') : isSigned ? 'i64_div_s' : 'i64_div_u', 'i64_extend32_s')
  code.end()
}

/** Signed high products from the unsigned one. */
function highProduct(code: Code, name: string, first: () => void, second: () => void): void {
  first()
  second()
  code.call(importIndex('multiplyHigh'))
  const correct = (sign: () => void, other: () => void) => {
    sign()
    code.i64(63)
    code.op('i64_shr_s')
    other()
    code.op('i64_and', 'i64_sub')
  }
  if (name !== 'mulhu') correct(first, second)
  if (name === 'mulh') correct(second, first)
}

/** The condition of a branch, as an i32. */
export function pushCondition(frame: Frame, { name, rs1, rs2 }: Instruction): void {
  const { code } = frame
  frame.getX(rs1)
  if (rs2 === 0 && (name === 'beq' || name === 'bne')) {
    code.op('i64_eqz')
    if (name === 'bne') code.op('i32_eqz')
    return
  }
  frame.getX(rs2)
  const comparison: Readonly<Record<string, OpcodeName>> = {
    beq: 'i64_eq',
    bne: 'i64_ne',
    blt: 'i64_lt_s',
    bge: 'i64_ge_s',
    bltu: 'i64_lt_u',
    bgeu: 'i64_ge_u',
  }
  code.op(comparison[name])
}
