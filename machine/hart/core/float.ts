/** F and D: one function per shape of instruction. An invalid rounding mode or disabled float state is an illegal instruction. */
import { COST_FP_ADD, COST_FP_CONVERT, COST_FP_DIV, COST_FP_MOVE, COST_FP_MUL, COST_FP_SQRT, H_FFLAGS, H_FRM, H_FS } from '../layout'
import {
  doubleResult,
  fastAdd,
  fastAddSingle,
  fastDivide,
  fastDivideSingle,
  fastFusedMultiplyAdd,
  fastMultiply,
  fastMultiplySingle,
  fastSquareRoot,
  singleResult,
} from './fastfloat'
import { Float } from './generated/decoder'
import * as soft from './softfloat'
import { addFlags, addStall, cost, floatReg, reg, setFloatReg, setReg, setSingleReg, singleReg } from './state'

const D: i32 = 53
const S: i32 = 24

/** The rounding mode of an instruction, dynamic ones resolved; above 4 when invalid. */
@inline export function roundingMode(h: usize, field: u32): u32 {
  return field == 7 ? load<u32>(h, H_FRM) : field
}

@inline function sticky(h: usize): u32 {
  return load<u32>(h, H_FFLAGS)
}

/** Stores a soft result and its flags. */
@inline function finish(h: usize, rd: u32, bits: u64, precision: i32): void {
  if (precision == D) setFloatReg(h, rd, bits)
  else setSingleReg(h, rd, <u32>bits)
  if (soft.flags != 0) addFlags(h, soft.flags)
}

export function addDouble(h: usize, rd: u32, a: u64, b: u64, negate: u64, mode: u32): void {
  const y = b ^ (negate << 63)
  if (fastAdd(reinterpret<f64>(a), reinterpret<f64>(y), mode, sticky(h))) {
    setFloatReg(h, rd, reinterpret<u64>(doubleResult))
    return
  }
  soft.clearFlags()
  finish(h, rd, soft.add(a, b, negate, D, mode), D)
}

export function multiplyDouble(h: usize, rd: u32, a: u64, b: u64, mode: u32): void {
  if (fastMultiply(reinterpret<f64>(a), reinterpret<f64>(b), mode, sticky(h))) {
    setFloatReg(h, rd, reinterpret<u64>(doubleResult))
    return
  }
  soft.clearFlags()
  finish(h, rd, soft.multiply(a, b, D, mode), D)
}

export function addSingle(h: usize, rd: u32, a: u32, b: u32, negate: u32, mode: u32): void {
  const y = b ^ (negate << 31)
  if (fastAddSingle(reinterpret<f32>(a), reinterpret<f32>(y), mode, sticky(h))) {
    setSingleReg(h, rd, reinterpret<u32>(singleResult))
    return
  }
  soft.clearFlags()
  finish(h, rd, soft.add(a, b, negate, S, mode), S)
}

export function multiplySingle(h: usize, rd: u32, a: u32, b: u32, mode: u32): void {
  if (fastMultiplySingle(reinterpret<f32>(a), reinterpret<f32>(b), mode, sticky(h))) {
    setSingleReg(h, rd, reinterpret<u32>(singleResult))
    return
  }
  soft.clearFlags()
  finish(h, rd, soft.multiply(a, b, S, mode), S)
}

/** rd = +-(a * b) +- c. */
export function fusedDouble(h: usize, rd: u32, a: u64, b: u64, c: u64, negateProduct: u64, negateAddend: u64, mode: u32): void {
  const x = reinterpret<f64>(a ^ (negateProduct << 63))
  if (fastFusedMultiplyAdd(x, reinterpret<f64>(b), reinterpret<f64>(c ^ (negateAddend << 63)), mode, sticky(h))) {
    setFloatReg(h, rd, reinterpret<u64>(doubleResult))
    return
  }
  soft.clearFlags()
  finish(h, rd, soft.fusedMultiplyAdd(a, b, c, negateProduct, negateAddend, D, mode), D)
}

function fusedSingle(h: usize, rd: u32, a: u32, b: u32, c: u32, negateProduct: u64, negateAddend: u64, mode: u32): void {
  soft.clearFlags()
  finish(h, rd, soft.fusedMultiplyAdd(a, b, c, negateProduct, negateAddend, S, mode), S)
}

@inline function setCompare(h: usize, rd: u32, value: bool): void {
  setReg(h, rd, value ? 1 : 0)
  if (soft.flags != 0) addFlags(h, soft.flags)
}

/** Executes a grouped float instruction; false when it is illegal. `immediate` = number | rs3 << 16 | rm << 24. */
export function executeFloat(h: usize, rd: u32, rs1: u32, rs2: u32, immediate: u32): bool {
  if (load<u8>(h, H_FS) == 0) return false
  const mode = roundingMode(h, immediate >>> 24)
  const rs3 = (immediate >>> 16) & 31
  soft.clearFlags()
  switch (<i32>(immediate & 0xff)) {
    // ---- exact: no rounding mode ----
    case Float.fsgnj_s: {
      const a = singleReg(h, rs1)
      const b = singleReg(h, rs2)
      setSingleReg(h, rd, (a & 0x7fff_ffff) | (b & 0x8000_0000))
      break
    }
    case Float.fsgnjn_s: {
      const a = singleReg(h, rs1)
      const b = singleReg(h, rs2)
      setSingleReg(h, rd, (a & 0x7fff_ffff) | (~b & 0x8000_0000))
      break
    }
    case Float.fsgnjx_s: {
      const a = singleReg(h, rs1)
      const b = singleReg(h, rs2)
      setSingleReg(h, rd, a ^ (b & 0x8000_0000))
      break
    }
    case Float.fsgnjn_d:
      setFloatReg(h, rd, (floatReg(h, rs1) & 0x7fff_ffff_ffff_ffff) | (~floatReg(h, rs2) & 0x8000_0000_0000_0000))
      break
    case Float.fsgnjx_d:
      setFloatReg(h, rd, floatReg(h, rs1) ^ (floatReg(h, rs2) & 0x8000_0000_0000_0000))
      break
    case Float.fmin_s:
      finish(h, rd, soft.minimumMaximum(singleReg(h, rs1), singleReg(h, rs2), false, S), S)
      break
    case Float.fmax_s:
      finish(h, rd, soft.minimumMaximum(singleReg(h, rs1), singleReg(h, rs2), true, S), S)
      break
    case Float.fmin_d:
      finish(h, rd, soft.minimumMaximum(floatReg(h, rs1), floatReg(h, rs2), false, D), D)
      break
    case Float.fmax_d:
      finish(h, rd, soft.minimumMaximum(floatReg(h, rs1), floatReg(h, rs2), true, D), D)
      break
    case Float.feq_s:
      setCompare(h, rd, soft.equal(singleReg(h, rs1), singleReg(h, rs2), S))
      break
    case Float.flt_s:
      setCompare(h, rd, soft.less(singleReg(h, rs1), singleReg(h, rs2), false, S))
      break
    case Float.fle_s:
      setCompare(h, rd, soft.less(singleReg(h, rs1), singleReg(h, rs2), true, S))
      break
    case Float.feq_d:
      setCompare(h, rd, soft.equal(floatReg(h, rs1), floatReg(h, rs2), D))
      break
    case Float.flt_d:
      setCompare(h, rd, soft.less(floatReg(h, rs1), floatReg(h, rs2), false, D))
      break
    case Float.fle_d:
      setCompare(h, rd, soft.less(floatReg(h, rs1), floatReg(h, rs2), true, D))
      break
    case Float.fclass_s:
      setReg(h, rd, soft.classify(singleReg(h, rs1), S))
      break
    case Float.fclass_d:
      setReg(h, rd, soft.classify(floatReg(h, rs1), D))
      break
    case Float.fmv_x_w:
      setReg(h, rd, <u64>(<i64>(<i32>floatReg(h, rs1))))
      break
    case Float.fmv_w_x:
      setSingleReg(h, rd, <u32>reg(h, rs1))
      break
    default:
      // ---- rounded ----
      if (mode > 4) return false
      return executeRounded(h, rd, rs1, rs2, rs3, <i32>(immediate & 0xff), mode)
  }
  addStall(h, cost(COST_FP_MOVE))
  return true
}

function executeRounded(h: usize, rd: u32, rs1: u32, rs2: u32, rs3: u32, operation: i32, mode: u32): bool {
  let extra: usize = COST_FP_CONVERT
  switch (operation) {
    case Float.fdiv_s: {
      const a = singleReg(h, rs1)
      const b = singleReg(h, rs2)
      extra = COST_FP_DIV
      if (fastDivideSingle(reinterpret<f32>(a), reinterpret<f32>(b), mode, sticky(h))) setSingleReg(h, rd, reinterpret<u32>(singleResult))
      else finish(h, rd, soft.divide(a, b, S, mode), S)
      break
    }
    case Float.fdiv_d: {
      const a = floatReg(h, rs1)
      const b = floatReg(h, rs2)
      extra = COST_FP_DIV
      if (fastDivide(reinterpret<f64>(a), reinterpret<f64>(b), mode, sticky(h))) setFloatReg(h, rd, reinterpret<u64>(doubleResult))
      else finish(h, rd, soft.divide(a, b, D, mode), D)
      break
    }
    case Float.fsqrt_s:
      extra = COST_FP_SQRT
      finish(h, rd, soft.squareRoot(singleReg(h, rs1), S, mode), S)
      break
    case Float.fsqrt_d:
      extra = COST_FP_SQRT
      if (fastSquareRoot(reinterpret<f64>(floatReg(h, rs1)), mode, sticky(h))) setFloatReg(h, rd, reinterpret<u64>(doubleResult))
      else finish(h, rd, soft.squareRoot(floatReg(h, rs1), D, mode), D)
      break
    case Float.fmadd_s:
      extra = COST_FP_MUL
      fusedSingle(h, rd, singleReg(h, rs1), singleReg(h, rs2), singleReg(h, rs3), 0, 0, mode)
      break
    case Float.fmsub_s:
      extra = COST_FP_MUL
      fusedSingle(h, rd, singleReg(h, rs1), singleReg(h, rs2), singleReg(h, rs3), 0, 1, mode)
      break
    case Float.fnmsub_s:
      extra = COST_FP_MUL
      fusedSingle(h, rd, singleReg(h, rs1), singleReg(h, rs2), singleReg(h, rs3), 1, 0, mode)
      break
    case Float.fnmadd_s:
      extra = COST_FP_MUL
      fusedSingle(h, rd, singleReg(h, rs1), singleReg(h, rs2), singleReg(h, rs3), 1, 1, mode)
      break
    case Float.fmsub_d:
      extra = COST_FP_MUL
      fusedDouble(h, rd, floatReg(h, rs1), floatReg(h, rs2), floatReg(h, rs3), 0, 1, mode)
      break
    case Float.fnmsub_d:
      extra = COST_FP_MUL
      fusedDouble(h, rd, floatReg(h, rs1), floatReg(h, rs2), floatReg(h, rs3), 1, 0, mode)
      break
    case Float.fnmadd_d:
      extra = COST_FP_MUL
      fusedDouble(h, rd, floatReg(h, rs1), floatReg(h, rs2), floatReg(h, rs3), 1, 1, mode)
      break
    case Float.fcvt_s_d:
      finish(h, rd, soft.convertFormat(floatReg(h, rs1), D, S, mode), S)
      break
    case Float.fcvt_d_s:
      finish(h, rd, soft.convertFormat(singleReg(h, rs1), S, D, mode), D)
      break
    case Float.fcvt_w_s:
      toInteger(h, rd, singleReg(h, rs1), S, mode, true, 32)
      break
    case Float.fcvt_wu_s:
      toInteger(h, rd, singleReg(h, rs1), S, mode, false, 32)
      break
    case Float.fcvt_l_s:
      toInteger(h, rd, singleReg(h, rs1), S, mode, true, 64)
      break
    case Float.fcvt_lu_s:
      toInteger(h, rd, singleReg(h, rs1), S, mode, false, 64)
      break
    case Float.fcvt_w_d:
      toInteger(h, rd, floatReg(h, rs1), D, mode, true, 32)
      break
    case Float.fcvt_wu_d:
      toInteger(h, rd, floatReg(h, rs1), D, mode, false, 32)
      break
    case Float.fcvt_l_d:
      toInteger(h, rd, floatReg(h, rs1), D, mode, true, 64)
      break
    case Float.fcvt_lu_d:
      toInteger(h, rd, floatReg(h, rs1), D, mode, false, 64)
      break
    case Float.fcvt_s_w:
      fromSigned(h, rd, <i64>(<i32>reg(h, rs1)), S, mode)
      break
    case Float.fcvt_s_wu:
      finish(h, rd, soft.fromInteger(0, reg(h, rs1) & 0xffff_ffff, S, mode), S)
      break
    case Float.fcvt_s_l:
      fromSigned(h, rd, <i64>reg(h, rs1), S, mode)
      break
    case Float.fcvt_s_lu:
      finish(h, rd, soft.fromInteger(0, reg(h, rs1), S, mode), S)
      break
    case Float.fcvt_d_w:
      // Exact.
      setFloatReg(h, rd, reinterpret<u64>(<f64>(<i32>reg(h, rs1))))
      break
    case Float.fcvt_d_wu:
      setFloatReg(h, rd, reinterpret<u64>(<f64>(<u32>reg(h, rs1))))
      break
    case Float.fcvt_d_l:
      fromSigned(h, rd, <i64>reg(h, rs1), D, mode)
      break
    case Float.fcvt_d_lu:
      finish(h, rd, soft.fromInteger(0, reg(h, rs1), D, mode), D)
      break
    default:
      return false
  }
  addStall(h, cost(extra))
  return true
}

function toInteger(h: usize, rd: u32, bits: u64, precision: i32, mode: u32, isSigned: bool, width: i32): void {
  setReg(h, rd, soft.toInteger(bits, precision, mode, isSigned, width))
  if (soft.flags != 0) addFlags(h, soft.flags)
}

function fromSigned(h: usize, rd: u32, value: i64, precision: i32, mode: u32): void {
  const sign: u64 = value < 0 ? 1 : 0
  finish(h, rd, soft.fromInteger(sign, value < 0 ? <u64>(0 - value) : <u64>value, precision, mode), precision)
}
