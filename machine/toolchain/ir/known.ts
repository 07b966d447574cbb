/** What is known about a value's bits without running it. Needs: SSA. Changes nothing. */
import type { Instruction } from './ir.ts'

const maximumDepth = 6

/** The smallest k this can show such that the value, read as unsigned, is below 2^k; 32 or 64 when nothing is known. */
export function unsignedBits(value: Instruction, depth = 0): number {
  const { op, args } = value
  const full = value.type === 'i64' ? 64 : 32
  if (depth > maximumDepth) return full
  const of = (index: number): number => unsignedBits(args[index], depth + 1)
  const operation = op.slice(4)
  switch (operation) {
    case 'const':
      return value.value < 0n ? full : value.value.toString(2).length - (value.value === 0n ? 1 : 0)
    case 'load8_u':
      return 8
    case 'load16_u':
      return 16
    case 'load32_u':
      return 32
    case 'extend_i32_u':
      return of(0)
    case 'extend_i32_s': {
      const bits = of(0)
      return bits < 32 ? bits : 64
    }
    case 'wrap_i64':
      return Math.min(32, of(0))
    case 'and':
      return Math.min(of(0), of(1))
    case 'or':
    case 'xor':
      return Math.max(of(0), of(1))
    case 'add':
      return Math.min(full, Math.max(of(0), of(1)) + 1)
    case 'mul':
      return Math.min(full, of(0) + of(1))
    case 'shl':
      return args[1].op === `${value.type}.const`
        ? Math.min(full, of(0) + Number(BigInt.asUintN(full === 32 ? 5 : 6, args[1].value)))
        : full
    case 'shr_u':
      return args[1].op === `${value.type}.const` ? Math.max(0, of(0) - Number(BigInt.asUintN(full === 32 ? 5 : 6, args[1].value))) : of(0)
    case 'shr_s': {
      const bits = of(0)
      return bits < full ? bits : full
    }
    case 'div_u':
      // Division by zero gives all ones here; a check stands before it, but code may have moved above the check.
      return args[1].op.endsWith('const') && args[1].value !== 0n ? of(0) : full
    case 'rem_u':
      return args[1].op.endsWith('const') && args[1].value !== 0n ? Math.min(of(0), of(1)) : full
    case 'popcnt':
    case 'clz':
    case 'ctz':
      return 7
    case 'eq':
    case 'ne':
    case 'eqz':
    case 'lt_s':
    case 'lt_u':
    case 'gt_s':
    case 'gt_u':
    case 'le_s':
    case 'le_u':
    case 'ge_s':
    case 'ge_u':
    case 'lt':
    case 'gt':
    case 'le':
    case 'ge':
      return 1
  }
  if (op === 'select') return Math.max(unsignedBits(args[1], depth + 1), unsignedBits(args[2], depth + 1))
  return full
}

/** True for comparisons: their value is 0 or 1. */
export function isComparison(value: Instruction): boolean {
  switch (value.op.slice(4)) {
    case 'eq':
    case 'ne':
    case 'eqz':
    case 'lt_s':
    case 'lt_u':
    case 'gt_s':
    case 'gt_u':
    case 'le_s':
    case 'le_u':
    case 'ge_s':
    case 'ge_u':
    case 'lt':
    case 'gt':
    case 'le':
    case 'ge':
      return true
    default:
      return false
  }
}

/** True when an i64 value equals the sign extension of its low 32 bits. */
export function isSignExtended32(value: Instruction, depth = 0): boolean {
  if (value.type === 'i32') return true
  const { op, args } = value
  switch (op) {
    case 'i64.const':
      return BigInt.asIntN(32, value.value) === value.value
    case 'i64.extend_i32_s':
    case 'i64.extend32_s':
    case 'i64.extend16_s':
    case 'i64.extend8_s':
    case 'i64.load32_s':
    case 'i64.load16_s':
    case 'i64.load8_s':
      return true
    case 'i64.and':
    case 'i64.or':
    case 'i64.xor':
      return depth < maximumDepth && isSignExtended32(args[0], depth + 1) && isSignExtended32(args[1], depth + 1)
    case 'i64.shr_s':
      return (args[1].op === 'i64.const' && (args[1].value & 63n) >= 32n) || (depth < maximumDepth && isSignExtended32(args[0], depth + 1))
  }
  return unsignedBits(value) < 32
}
