/**
 * Float operations on the host's own arithmetic where it provably gives RISC-V's result and flags. Each function returns
 * true and leaves the result in `doubleResult` or `singleResult`; on false the caller takes softfloat.
 *
 * The host rounds to nearest even and keeps no flags. So: only RNE, only results that cannot overflow, underflow or be
 * NaN, and, unless exactness is known, only while NX is already set (it is sticky, and most programs never clear it).
 */
import { NX, RNE } from './softfloat'

export let doubleResult: f64 = 0
export let singleResult: f32 = 0

const LARGEST: f64 = 1.7976931348623157e308
/** Twice the smallest normal: at or above it, rounding cannot have been from below the normal range. */
const SAFE_SMALL: f64 = 4.450147717014403e-308
const LARGEST_SINGLE: f32 = 3.4028234663852886e38
const SAFE_SMALL_SINGLE: f32 = 2.350988701644575e-38

/** Sums are never tiny and inexact at once, so only NX is in question: the error term tells. */
@inline export function fastAdd(a: f64, b: f64, mode: u32, sticky: u32): bool {
  if (mode != RNE) return false
  const sum = a + b
  if (!(abs(sum) <= LARGEST)) return false
  if ((sticky & NX) == 0) {
    const back = sum - a
    if (a - (sum - back) + (b - back) != 0) return false
  }
  doubleResult = sum
  return true
}

@inline export function fastMultiply(a: f64, b: f64, mode: u32, sticky: u32): bool {
  if (mode != RNE || (sticky & NX) == 0) return false
  const product = a * b
  const size = abs(product)
  if (!(size <= LARGEST) || size < SAFE_SMALL) return false
  doubleResult = product
  return true
}

@inline export function fastDivide(a: f64, b: f64, mode: u32, sticky: u32): bool {
  if (mode != RNE || (sticky & NX) == 0) return false
  const quotient = a / b
  const size = abs(quotient)
  // A finite quotient by infinity is zero, so small sizes leave; a division by zero gives infinity.
  if (!(size <= LARGEST) || size < SAFE_SMALL) return false
  doubleResult = quotient
  return true
}

@inline export function fastSquareRoot(a: f64, mode: u32, sticky: u32): bool {
  if (mode != RNE || (sticky & NX) == 0 || !(a > 0) || !(a <= LARGEST)) return false
  doubleResult = sqrt(a)
  return true
}

@inline export function fastAddSingle(a: f32, b: f32, mode: u32, sticky: u32): bool {
  if (mode != RNE) return false
  const sum: f32 = a + b
  if (!(abs(sum) <= LARGEST_SINGLE)) return false
  // A double holds the sum of two singles well enough to show whether it was rounded, except far apart: then it was.
  if ((sticky & NX) == 0 && (<f64>a + <f64>b != <f64>sum || <f64>sum - <f64>a != <f64>b)) return false
  singleResult = sum
  return true
}

@inline export function fastMultiplySingle(a: f32, b: f32, mode: u32, sticky: u32): bool {
  if (mode != RNE) return false
  const product: f32 = a * b
  const size = abs(product)
  if (!(size <= LARGEST_SINGLE) || size < SAFE_SMALL_SINGLE) return false
  // The product of two singles is exact as a double.
  if ((sticky & NX) == 0 && <f64>a * <f64>b != <f64>product) return false
  singleResult = product
  return true
}

@inline export function fastDivideSingle(a: f32, b: f32, mode: u32, sticky: u32): bool {
  if (mode != RNE || (sticky & NX) == 0) return false
  const quotient: f32 = a / b
  const size = abs(quotient)
  if (!(size <= LARGEST_SINGLE) || size < SAFE_SMALL_SINGLE) return false
  singleResult = quotient
  return true
}

/** Exponents within this range keep every intermediate of `fastFusedMultiplyAdd` normal and its error terms exact. */
const FUSED_SMALL: f64 = 1e-120
const FUSED_LARGE: f64 = 1e120
const SPLITTER: f64 = 134217729 // 2^27 + 1

@inline function fusedRange(value: f64): bool {
  const size = abs(value)
  return size >= FUSED_SMALL && size <= FUSED_LARGE
}

/**
 * a * b + c, correctly rounded: the product and the sums as pairs (Dekker, Knuth), the last addition to odd
 * (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008).
 */
export function fastFusedMultiplyAdd(a: f64, b: f64, c: f64, mode: u32, sticky: u32): bool {
  if (mode != RNE || (sticky & NX) == 0 || !fusedRange(a) || !fusedRange(b) || !fusedRange(c)) return false
  const product = a * b
  const aScaled = a * SPLITTER
  const aHigh = aScaled - (aScaled - a)
  const aLow = a - aHigh
  const bScaled = b * SPLITTER
  const bHigh = bScaled - (bScaled - b)
  const bLow = b - bHigh
  const productError = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
  // c + productError as a pair, then product + its high part as a pair.
  const sum = c + productError
  const sumBack = sum - c
  const sumError = c - (sum - sumBack) + (productError - sumBack)
  const high = product + sum
  const highBack = high - product
  const highError = product - (high - highBack) + (sum - highBack)
  // sumError + highError, rounded to odd.
  let tail = sumError + highError
  const tailBack = tail - sumError
  const tailError = sumError - (tail - tailBack) + (highError - tailBack)
  if (tailError != 0) {
    const bits = reinterpret<i64>(tail)
    if ((bits & 1) == 0) tail = reinterpret<f64>((tailError > 0) == (tail > 0) ? bits + 1 : bits - 1)
  }
  const result = high + tail
  // Cancellation to almost nothing leaves the safe range.
  if (!(abs(result) >= 1e-200)) return false
  doubleResult = result
  return true
}
