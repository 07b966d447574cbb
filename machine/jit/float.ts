/**
 * F and D on the host's own arithmetic, under the conditions of core/fastfloat.ts; where they do not hold, the core does the instruction.
 * A shape says how the value comes about and when it may be used.
 */
import * as L from '../hart/layout.ts'
import { F64, type OpcodeName } from './code.ts'
import { callFloat, DYNAMIC, NEAREST_EVEN, pushPlain, pushSingle, requireFloat, setSingle, storeFloatDirty } from './float-state.ts'
import type { Frame } from './frame.ts'
import { thirdSource } from './operands.ts'
import { FLOAT_GROUP, type Instruction } from './slots.ts'

const LARGEST = 1.7976931348623157e308
const SAFE_SMALL = 4.450147717014403e-308
const LARGEST_SINGLE = 3.4028234663852886e38
const SAFE_SMALL_SINGLE = 2.350988701644575e-38

const COSTS: Readonly<Record<string, number>> = {
  fadd: L.COST_FP_ADD,
  fsub: L.COST_FP_ADD,
  fmul: L.COST_FP_MUL,
  fdiv: L.COST_FP_DIV,
  fsqrt: L.COST_FP_SQRT,
  fmadd: L.COST_FP_MUL,
  fmsub: L.COST_FP_MUL,
  fnmsub: L.COST_FP_MUL,
  fnmadd: L.COST_FP_MUL,
  fcvt: L.COST_FP_CONVERT,
}

const TOWARDS_ZERO = 1

function modeOf({ operation, raw }: Instruction): number {
  return operation === FLOAT_GROUP ? raw >>> 24 : raw & 255
}

/** Translates a float instruction that is no load or store; false when it is none. */
export function translateFloat(frame: Frame, instruction: Instruction): boolean {
  const { name } = instruction
  const [stem, kind] = name.split('_')
  if (!name.startsWith('f') || name.startsWith('fence')) return false
  requireFloat(frame, instruction)
  if (!translateInline(frame, instruction, stem, kind)) {
    callFloat(frame, instruction)
    for (const flag of frame.plain) flag.known = false
  }
  frame.charge(COSTS[stem] ?? L.COST_FP_MOVE)
  return true
}

function translateInline(frame: Frame, instruction: Instruction, stem: string, kind: string): boolean {
  const { name } = instruction
  if (stem in ARITHMETIC) return kind === 'd' ? arithmetic(frame, instruction, stem) : singleArithmetic(frame, instruction, stem)
  if (stem in FUSED && kind === 'd') return fused(frame, instruction, FUSED[stem])
  if (stem in COMPARISONS) return comparison(frame, instruction, stem, kind)
  if (stem === 'fmv') return move(frame, instruction)
  if (stem.startsWith('fsgnj') && kind === 'd') return signs(frame, instruction, stem)
  if (stem.startsWith('fsgnj')) return singleSigns(frame, instruction, stem)
  if ((stem === 'fmin' || stem === 'fmax') && kind === 'd') return extreme(frame, instruction, stem)
  return name in CONVERSIONS && CONVERSIONS[name](frame, instruction)
}

/** With the condition on the stack: the value where it holds, else the core. */
function guarded(frame: Frame, instruction: Instruction, value: () => void): void {
  const { code } = frame
  code.if(true)
  value()
  code.else()
  callFloat(frame, instruction)
  code.end()
}

// ---- arithmetic ----

const ARITHMETIC: Readonly<Record<string, { readonly double: OpcodeName; readonly single?: OpcodeName; readonly small: boolean }>> = {
  fadd: { double: 'f64_add', single: 'f32_add', small: false },
  fsub: { double: 'f64_sub', single: 'f32_sub', small: false },
  fmul: { double: 'f64_mul', single: 'f32_mul', small: true },
  fdiv: { double: 'f64_div', single: 'f32_div', small: true },
  fsqrt: { double: 'f64_sqrt', small: false },
}

const temporaries = new WeakMap<Frame, number[]>()
/** Locals for the doubles of one instruction. */
function doubles(frame: Frame, count: number): number[] {
  const known = temporaries.get(frame) ?? []
  while (known.length < count) known.push(frame.code.local(F64))
  temporaries.set(frame, known)
  return known.slice(0, count)
}

function arithmetic(frame: Frame, instruction: Instruction, stem: string): boolean {
  const { code } = frame
  const { rd, rs1, rs2 } = instruction
  const { double, small } = ARITHMETIC[stem]
  if (!pushPlain(frame, modeOf(instruction))) return false
  const [result] = doubles(frame, 1)
  frame.getF(rs1)
  if (stem !== 'fsqrt') frame.getF(rs2)
  code.op(double)
  code.tee(result)
  if (stem === 'fsqrt') {
    // Of a positive finite number: its root is, too. Zero, negative ones and infinity are the core's.
    code.f64(0)
    code.op('f64_gt', 'i32_and')
    code.get(result)
    code.f64(LARGEST)
    code.op('f64_le', 'i32_and')
  } else {
    code.op('f64_abs')
    code.f64(LARGEST)
    code.op('f64_le', 'i32_and')
    if (small) {
      code.get(result)
      code.op('f64_abs')
      code.f64(SAFE_SMALL)
      code.op('f64_ge', 'i32_and')
    }
  }
  guarded(frame, instruction, () => {
    code.get(result)
    frame.setF(rd)
  })
  storeFloatDirty(frame)
  return true
}

function singleArithmetic(frame: Frame, instruction: Instruction, stem: string): boolean {
  const { code } = frame
  const { rd, rs1, rs2 } = instruction
  const { single, small } = ARITHMETIC[stem]
  if (!single || !pushPlain(frame, modeOf(instruction))) return false
  const [result] = doubles(frame, 1)
  pushSingle(frame, rs1)
  pushSingle(frame, rs2)
  code.op(single, 'f64_promote_f32')
  code.tee(result)
  code.op('f64_abs')
  code.f64(LARGEST_SINGLE)
  code.op('f64_le', 'i32_and')
  if (small) {
    code.get(result)
    code.op('f64_abs')
    code.f64(SAFE_SMALL_SINGLE)
    code.op('f64_ge', 'i32_and')
  }
  guarded(frame, instruction, () => {
    code.get(result)
    code.op('f32_demote_f64')
    setSingle(frame, rd)
  })
  storeFloatDirty(frame)
  return true
}

/** Signs of the product and of the addend. */
const FUSED: Readonly<Record<string, { readonly product: boolean; readonly addend: boolean }>> = {
  fmadd: { product: false, addend: false },
  fmsub: { product: false, addend: true },
  fnmsub: { product: true, addend: false },
  fnmadd: { product: true, addend: true },
}

const FUSED_SMALL = 1e-120
const FUSED_LARGE = 1e120
const FUSED_LEAST = 1e-200
const SPLITTER = 134217729 // 2^27 + 1

/** As fastFusedMultiplyAdd of core/fastfloat.ts, step by step. */
function fused(frame: Frame, instruction: Instruction, signs_: { product: boolean; addend: boolean }): boolean {
  const { code } = frame
  const mode = modeOf(instruction)
  if (mode !== NEAREST_EVEN && mode !== DYNAMIC) return false
  const done = {}
  code.block(done)
  pushPlain(frame, mode)
  const [a, b, c, aHigh, aLow, bHigh, bLow, product, error, sum, sumError, high, tail, back, result] = doubles(frame, 15)
  const expression = (into: number, ...parts: (number | OpcodeName)[]) => {
    for (const part of parts) {
      if (typeof part === 'number') code.get(part)
      else code.op(part)
    }
    code.set(into)
  }
  frame.getF(instruction.rs1)
  if (signs_.product) code.op('f64_neg')
  code.set(a)
  frame.getF(instruction.rs2)
  code.set(b)
  frame.getF(thirdSource(instruction))
  if (signs_.addend) code.op('f64_neg')
  code.set(c)
  for (const operand of [a, b, c]) {
    code.get(operand)
    code.op('f64_abs')
    code.f64(FUSED_SMALL)
    code.op('f64_ge', 'i32_and')
    code.get(operand)
    code.op('f64_abs')
    code.f64(FUSED_LARGE)
    code.op('f64_le', 'i32_and')
  }
  code.if(true)
  expression(product, a, b, 'f64_mul')
  for (const [value, valueHigh, valueLow] of [
    [a, aHigh, aLow],
    [b, bHigh, bLow],
  ]) {
    code.get(value)
    code.f64(SPLITTER)
    code.op('f64_mul')
    code.set(back)
    expression(valueHigh, back, back, value, 'f64_sub', 'f64_sub')
    expression(valueLow, value, valueHigh, 'f64_sub')
  }
  // aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
  expression(back, product, aHigh, bHigh, 'f64_mul', 'f64_sub', aLow, bHigh, 'f64_mul', 'f64_sub', aHigh, bLow, 'f64_mul', 'f64_sub')
  expression(error, aLow, bLow, 'f64_mul', back, 'f64_sub')
  expression(sum, c, error, 'f64_add')
  expression(back, sum, c, 'f64_sub')
  expression(sumError, c, sum, back, 'f64_sub', 'f64_sub', error, back, 'f64_sub', 'f64_add')
  expression(high, product, sum, 'f64_add')
  expression(back, high, product, 'f64_sub')
  // highError, in `error`.
  expression(error, product, high, back, 'f64_sub', 'f64_sub', sum, back, 'f64_sub', 'f64_add')
  expression(tail, sumError, error, 'f64_add')
  expression(back, tail, sumError, 'f64_sub')
  // tailError, in `result`.
  expression(result, sumError, tail, back, 'f64_sub', 'f64_sub', error, back, 'f64_sub', 'f64_add')
  roundToOdd(frame, tail, result)
  expression(result, high, tail, 'f64_add')
  code.get(result)
  code.op('f64_abs')
  code.f64(FUSED_LEAST)
  code.op('f64_ge')
  code.if(true)
  code.get(result)
  frame.setF(instruction.rd)
  code.branch(done)
  code.end()
  code.end()
  callFloat(frame, instruction)
  code.end()
  storeFloatDirty(frame)
  return true
}

/** tail, which differs from what it stands for by `error`, becomes odd unless the error is zero. */
function roundToOdd(frame: Frame, tail: number, error: number): void {
  const { code } = frame
  code.get(error)
  code.f64(0)
  code.op('f64_ne')
  code.if()
  code.get(tail)
  code.op('i64_reinterpret_f64')
  code.tee(frame.wide)
  code.i64(1)
  code.op('i64_and', 'i64_eqz')
  code.if()
  code.get(frame.wide)
  code.i64(1)
  code.i64(-1)
  code.get(error)
  code.f64(0)
  code.op('f64_gt')
  code.get(tail)
  code.f64(0)
  code.op('f64_gt', 'i32_eq', 'select', 'i64_add', 'f64_reinterpret_i64')
  code.set(tail)
  code.end()
  code.end()
}

// ---- exact ones ----

const COMPARISONS: Readonly<Record<string, { readonly double: OpcodeName; readonly single: OpcodeName }>> = {
  feq: { double: 'f64_eq', single: 'f32_eq' },
  flt: { double: 'f64_lt', single: 'f32_lt' },
  fle: { double: 'f64_le', single: 'f32_le' },
}

/** Without a NaN there are no flags. */
function comparison(frame: Frame, instruction: Instruction, stem: string, kind: string): boolean {
  const { code } = frame
  const { rd, rs1, rs2 } = instruction
  const [a, b] = doubles(frame, 2)
  for (const [register, local] of [
    [rs1, a],
    [rs2, b],
  ]) {
    if (kind === 'd') frame.getF(register)
    else {
      pushSingle(frame, register)
      code.op('f64_promote_f32')
    }
    code.set(local)
  }
  code.get(a)
  code.get(a)
  code.op('f64_eq')
  code.get(b)
  code.get(b)
  code.op('f64_eq', 'i32_and')
  guarded(frame, instruction, () => {
    code.get(a)
    code.get(b)
    code.op(COMPARISONS[stem].double, 'i64_extend_i32_u')
    frame.setX(rd)
  })
  return true
}

function move(frame: Frame, { name, rd, rs1 }: Instruction): boolean {
  const { code } = frame
  if (name === 'fmv_x_d' || name === 'fmv_x_w') {
    frame.getF(rs1)
    code.op('i64_reinterpret_f64')
    if (name === 'fmv_x_w') code.op('i64_extend32_s')
    frame.setX(rd)
    return true
  }
  frame.getX(rs1)
  if (name === 'fmv_w_x') {
    code.i64(-(2 ** 32))
    code.op('i64_or')
  }
  code.op('f64_reinterpret_i64')
  frame.setF(rd)
  storeFloatDirty(frame)
  return true
}

function signs(frame: Frame, { rd, rs1, rs2 }: Instruction, stem: string): boolean {
  const { code } = frame
  if (stem === 'fsgnj' && rs1 === rs2) frame.getF(rs1)
  else {
    const sign = () => {
      frame.getF(rs2)
      code.op('i64_reinterpret_f64')
      if (stem === 'fsgnjn') {
        code.i64(-1)
        code.op('i64_xor')
      }
      // The sign bit alone: shifted down and up again, since it does not fit an exact number.
      code.i64(63)
      code.op('i64_shr_u')
      code.i64(63)
      code.op('i64_shl')
    }
    frame.getF(rs1)
    code.op('i64_reinterpret_f64')
    if (stem !== 'fsgnjx') {
      code.i64(1)
      code.op('i64_shl')
      code.i64(1)
      code.op('i64_shr_u')
    }
    sign()
    code.op(stem === 'fsgnjx' ? 'i64_xor' : 'i64_or', 'f64_reinterpret_i64')
  }
  frame.setF(rd)
  storeFloatDirty(frame)
  return true
}

function singleSigns(frame: Frame, { rd, rs1, rs2 }: Instruction, stem: string): boolean {
  const { code } = frame
  pushSingle(frame, rs1)
  code.op('i32_reinterpret_f32')
  if (stem !== 'fsgnjx') {
    code.i32(0x7fff_ffff)
    code.op('i32_and')
  }
  pushSingle(frame, rs2)
  code.op('i32_reinterpret_f32')
  if (stem === 'fsgnjn') {
    code.i32(-1)
    code.op('i32_xor')
  }
  code.i32(0x8000_0000)
  code.op('i32_and', stem === 'fsgnjx' ? 'i32_xor' : 'i32_or', 'f32_reinterpret_i32')
  setSingle(frame, rd)
  storeFloatDirty(frame)
  return true
}

/** Where one is less than the other: no NaN, no two zeros. */
function extreme(frame: Frame, instruction: Instruction, stem: string): boolean {
  const { code } = frame
  const { rd, rs1, rs2 } = instruction
  frame.getF(rs1)
  frame.getF(rs2)
  code.op('f64_ne')
  frame.getF(rs1)
  frame.getF(rs1)
  code.op('f64_eq', 'i32_and')
  frame.getF(rs2)
  frame.getF(rs2)
  code.op('f64_eq', 'i32_and')
  guarded(frame, instruction, () => {
    frame.getF(rs1)
    frame.getF(rs2)
    frame.getF(rs1)
    frame.getF(rs2)
    code.op(stem === 'fmin' ? 'f64_lt' : 'f64_gt', 'select')
    frame.setF(rd)
  })
  storeFloatDirty(frame)
  return true
}

// ---- conversions ----

type Conversion = (frame: Frame, instruction: Instruction) => boolean

/** Exact whatever the mode, but a reserved mode is illegal. */
function exactMode(instruction: Instruction): boolean {
  return modeOf(instruction) <= 4
}

const fromWord =
  (convert: OpcodeName): Conversion =>
  (frame, instruction) => {
    if (!exactMode(instruction)) return false
    frame.getX(instruction.rs1)
    frame.code.op('i32_wrap_i64', convert)
    frame.setF(instruction.rd)
    storeFloatDirty(frame)
    return true
  }

const fromLong: Conversion = (frame, instruction) => {
  if (!pushPlain(frame, modeOf(instruction))) return false
  guarded(frame, instruction, () => {
    frame.getX(instruction.rs1)
    frame.code.op('f64_convert_i64_s')
    frame.setF(instruction.rd)
  })
  storeFloatDirty(frame)
  return true
}

/** Towards zero, from within the range: inexact at most, and NX is set already. */
const truncate =
  (limit: number, convert: readonly OpcodeName[]): Conversion =>
  (frame, instruction) => {
    if (modeOf(instruction) !== TOWARDS_ZERO) return false
    const { code } = frame
    pushPlain(frame, NEAREST_EVEN)
    frame.getF(instruction.rs1)
    code.op('f64_abs')
    code.f64(limit)
    code.op('f64_lt', 'i32_and')
    guarded(frame, instruction, () => {
      frame.getF(instruction.rs1)
      code.op(...convert)
      frame.setX(instruction.rd)
    })
    return true
  }

const narrow: Conversion = (frame, instruction) => {
  if (!pushPlain(frame, modeOf(instruction))) return false
  const { code } = frame
  const [result] = doubles(frame, 1)
  frame.getF(instruction.rs1)
  code.op('f32_demote_f64', 'f64_promote_f32')
  code.tee(result)
  code.op('f64_abs')
  code.f64(LARGEST_SINGLE)
  code.op('f64_le', 'i32_and')
  code.get(result)
  code.op('f64_abs')
  code.f64(SAFE_SMALL_SINGLE)
  code.op('f64_ge', 'i32_and')
  guarded(frame, instruction, () => {
    code.get(result)
    code.op('f32_demote_f64')
    setSingle(frame, instruction.rd)
  })
  storeFloatDirty(frame)
  return true
}

const widen: Conversion = (frame, instruction) => {
  if (!exactMode(instruction)) return false
  const { code } = frame
  const [value] = doubles(frame, 1)
  pushSingle(frame, instruction.rs1)
  code.op('f64_promote_f32')
  code.tee(value)
  code.get(value)
  code.op('f64_eq')
  guarded(frame, instruction, () => {
    code.get(value)
    frame.setF(instruction.rd)
  })
  storeFloatDirty(frame)
  return true
}

const CONVERSIONS: Readonly<Record<string, Conversion>> = {
  fcvt_d_w: fromWord('f64_convert_i32_s'),
  fcvt_d_wu: fromWord('f64_convert_i32_u'),
  fcvt_d_l: fromLong,
  fcvt_w_d: truncate(2 ** 31, ['i32_trunc_f64_s', 'i64_extend_i32_s']),
  fcvt_l_d: truncate(2 ** 63, ['i64_trunc_f64_s']),
  fcvt_s_d: narrow,
  fcvt_d_s: widen,
}
