/** Selection of integer arithmetic, comparisons and conversions between integers. */
import { isConstant, type Instruction } from '../ir/ir.ts'
import { isShort, type Selector } from './select.ts'
import { zero } from './machine.ts'

const wordOps: Record<string, string> = {
  add: 'addw',
  sub: 'subw',
  mul: 'mulw',
  div_s: 'divw',
  div_u: 'divuw',
  rem_s: 'remw',
  rem_u: 'remuw',
  shl: 'sllw',
  shr_s: 'sraw',
  shr_u: 'srlw',
}
const longOps: Record<string, string> = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div_s: 'div',
  div_u: 'divu',
  rem_s: 'rem',
  rem_u: 'remu',
  shl: 'sll',
  shr_s: 'sra',
  shr_u: 'srl',
}
const immediateShift: Record<string, string> = { shl: 'slli', shr_s: 'srai', shr_u: 'srli' }
/** Operations whose low 32 result bits depend on the low 32 operand bits only. */
const lowOnly = new Set(['add', 'sub', 'mul'])

/** Emits code for `x` if it is one of this file's; false otherwise. */
export function selectInteger(s: Selector, x: Instruction): boolean {
  const type = x.op.slice(0, 3)
  if (type !== 'i32' && type !== 'i64') return false
  const operation = x.op.slice(4)
  const word = type === 'i32'
  const [a, b] = x.args
  const constant = b && isConstant(b) ? b.value : undefined
  switch (operation) {
    case 'add':
      if (constant !== undefined && isShort(constant))
        s.emit(word ? 'addiw' : 'addi', s.register(x), word ? s.low32(a) : s.register(a), -1, Number(constant))
      else s.emit(word ? 'addw' : 'add', s.register(x), word ? s.low32(a) : s.register(a), word ? s.low32(b) : s.register(b))
      return true
    case 'sub':
    case 'mul':
    case 'div_s':
    case 'div_u':
    case 'rem_s':
    case 'rem_u': {
      const operand = (value: Instruction): number => (word && lowOnly.has(operation) ? s.low32(value) : s.register(value))
      s.emit((word ? wordOps : longOps)[operation], s.register(x), operand(a), operand(b))
      return true
    }
    case 'shl':
    case 'shr_s':
    case 'shr_u':
      return shift(s, x, operation, word, a, b, constant)
    case 'and':
    case 'or':
    case 'xor':
      return bitwise(s, x, operation, word, a, b, constant)
    case 'rotl':
    case 'rotr':
      return rotate(s, x, operation, word, a, b, constant)
    case 'eqz':
      s.emit('sltiu', s.register(x), s.register(a), -1, 1)
      return true
    case 'eq':
    case 'ne': {
      if (x.args[0].type[0] === 'f') return false
      let difference: number
      if (constant === 0n) difference = s.register(a)
      else if (constant !== undefined && isShort(-constant)) difference = s.temporary('addi', s.register(a), -1, Number(-constant))
      else difference = s.temporary('sub', s.register(a), s.register(b))
      if (operation === 'eq') s.emit('sltiu', s.register(x), difference, -1, 1)
      else s.emit('sltu', s.register(x), zero, difference)
      return true
    }
    case 'lt_s':
    case 'lt_u':
    case 'gt_s':
    case 'gt_u':
    case 'le_s':
    case 'le_u':
    case 'ge_s':
    case 'ge_u':
      return compare(s, x, operation, a, b, constant)
    case 'extend_i32_u':
      return zeroExtend(s, x, a)
    case 'wrap_i64':
    case 'extend32_s':
      s.emit('addiw', s.register(x), s.low32(a), -1, 0)
      return true
    case 'extend8_s':
    case 'extend16_s': {
      const distance = operation === 'extend8_s' ? 56 : 48
      s.emit('srai', s.register(x), s.temporary('slli', s.low32(a), -1, distance), -1, distance)
      return true
    }
  }
  return false
}

function shift(
  s: Selector,
  x: Instruction,
  operation: string,
  word: boolean,
  a: Instruction,
  b: Instruction,
  constant: bigint | undefined,
): boolean {
  const value = word ? s.low32 : s.register
  if (constant === undefined) {
    s.emit((word ? wordOps : longOps)[operation], s.register(x), value.call(s, a), s.low32(b))
    return true
  }
  const distance = Number(constant & (word ? 31n : 63n))
  // A zero-extended index, scaled: two shifts do both.
  if (!word && operation === 'shl' && a.op === 'i64.extend_i32_u' && distance < 32 && !s.isNeeded(a)) {
    s.emit('srli', s.register(x), s.temporary('slli', s.low32(a), -1, 32), -1, 32 - distance)
    return true
  }
  s.emit(immediateShift[operation] + (word ? 'w' : ''), s.register(x), value.call(s, a), -1, distance)
  return true
}

function bitwise(
  s: Selector,
  x: Instruction,
  operation: string,
  word: boolean,
  a: Instruction,
  b: Instruction,
  constant: bigint | undefined,
): boolean {
  if (constant !== undefined && isShort(constant)) {
    // With a mask of few bits only the low ones of the operand count.
    const operand = operation === 'and' && constant >= 0n ? s.low32(a) : s.register(a)
    s.emit({ and: 'andi', or: 'ori', xor: 'xori' }[operation]!, s.register(x), operand, -1, Number(constant))
    return true
  }
  if (operation === 'and' && constant !== undefined) {
    const mask = BigInt.asUintN(word ? 32 : 64, constant)
    const bits = mask.toString(2).length
    if ((mask & (mask + 1n)) === 0n && bits < (word ? 32 : 64)) {
      const distance = 64 - bits
      s.emit('srli', s.register(x), s.temporary('slli', bits <= 32 ? s.low32(a) : s.register(a), -1, distance), -1, distance)
      return true
    }
  }
  s.emit(operation, s.register(x), s.register(a), s.register(b))
  return true
}

function rotate(
  s: Selector,
  x: Instruction,
  operation: string,
  word: boolean,
  a: Instruction,
  b: Instruction,
  constant: bigint | undefined,
): boolean {
  const suffix = word ? 'w' : ''
  const width = word ? 32 : 64
  const value = word ? s.low32(a) : s.register(a)
  if (constant !== undefined) {
    const right = Number(constant & BigInt(width - 1))
    const left = operation === 'rotl' ? right : (width - right) % width
    const high = s.temporary('slli' + suffix, value, -1, left)
    const low = s.temporary('srli' + suffix, value, -1, (width - left) % width)
    s.emit('or', s.register(x), high, low)
    return true
  }
  const count = s.low32(b)
  const back = s.temporary('sub' + suffix, zero, count)
  const [left, right] = operation === 'rotl' ? [count, back] : [back, count]
  s.emit('or', s.register(x), s.temporary('sll' + suffix, value, left), s.temporary('srl' + suffix, value, right))
  return true
}

function compare(s: Selector, x: Instruction, operation: string, a: Instruction, b: Instruction, constant: bigint | undefined): boolean {
  const op = operation.endsWith('_u') ? 'sltu' : 'slt'
  const rd = s.register(x)
  // a > b is b < a; a <= b is not (b < a).
  const swapped = operation.startsWith('gt') || operation.startsWith('le')
  const inverted = operation.startsWith('ge') || operation.startsWith('le')
  const target = inverted ? s.newRegister() : rd
  if (!swapped && constant !== undefined && isShort(constant))
    s.emit(op === 'slt' ? 'slti' : 'sltiu', target, s.register(a), -1, Number(constant))
  else s.emit(op, target, s.register(swapped ? b : a), s.register(swapped ? a : b))
  if (inverted) s.emit('xori', rd, target, -1, 1)
  return true
}

function zeroExtend(s: Selector, x: Instruction, a: Instruction): boolean {
  s.emit('srli', s.register(x), s.temporary('slli', s.low32(a), -1, 32), -1, 32)
  return true
}
