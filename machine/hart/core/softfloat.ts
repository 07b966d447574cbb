/**
 * IEEE 754-2008 arithmetic in integers, exact in every rounding mode and flag, as RISC-V wants it (Unprivileged, chapters 11 and 12):
 * canonical NaNs, tininess detected after rounding.
 *
 * Finite values are unpacked to sign, exponent and a 64-bit significand with its leading one at bit 62:
 *   value = (-1)^sign * significand / 2^62 * 2^exponent
 * Bits shifted out to the right are ORed into bit 0 ("jammed"), which keeps every rounding decision right.
 */

export const NX: u32 = 1
export const UF: u32 = 2
export const OF: u32 = 4
export const DZ: u32 = 8
export const NV: u32 = 16

export const RNE: u32 = 0
export const RTZ: u32 = 1
export const RDN: u32 = 2
export const RUP: u32 = 3
export const RMM: u32 = 4

/** Flags raised since `clearFlags`. */
export let flags: u32 = 0

export function clearFlags(): void {
  flags = 0
}

export function raiseFlags(bits: u32): void {
  flags |= bits
}

export const CANONICAL_DOUBLE: u64 = 0x7ff8_0000_0000_0000
export const CANONICAL_SINGLE: u64 = 0x7fc0_0000

/** A format is known by its significand width: 53 or 24. */
@inline function isDouble(precision: i32): bool {
  return precision == 53
}

@inline export function canonicalNaN(precision: i32): u64 {
  return isDouble(precision) ? CANONICAL_DOUBLE : CANONICAL_SINGLE
}

@inline export function signOf(bits: u64, precision: i32): u64 {
  return isDouble(precision) ? bits >>> 63 : (bits >>> 31) & 1
}

@inline function magnitude(bits: u64, precision: i32): u64 {
  return isDouble(precision) ? bits & 0x7fff_ffff_ffff_ffff : bits & 0x7fff_ffff
}

@inline function infinityBits(precision: i32): u64 {
  return isDouble(precision) ? 0x7ff0_0000_0000_0000 : 0x7f80_0000
}

@inline export function isNaNBits(bits: u64, precision: i32): bool {
  return magnitude(bits, precision) > infinityBits(precision)
}

@inline export function isInfinity(bits: u64, precision: i32): bool {
  return magnitude(bits, precision) == infinityBits(precision)
}

@inline export function isZero(bits: u64, precision: i32): bool {
  return magnitude(bits, precision) == 0
}

@inline export function isSignaling(bits: u64, precision: i32): bool {
  const quiet: u64 = isDouble(precision) ? 0x0008_0000_0000_0000 : 0x0040_0000
  return isNaNBits(bits, precision) && (bits & quiet) == 0
}

@inline function withSign(sign: u64, bits: u64, precision: i32): u64 {
  return isDouble(precision) ? (sign << 63) | bits : (sign << 31) | bits
}

/** The canonical NaN, raising NV. */
export function invalid(precision: i32): u64 {
  flags |= NV
  return canonicalNaN(precision)
}

/** The result when an operand is a NaN: NV for a signaling one. */
function propagate(a: u64, b: u64, precision: i32): u64 {
  if (isSignaling(a, precision) || isSignaling(b, precision)) flags |= NV
  return canonicalNaN(precision)
}

// Unpacked finite non-zero value of the last `unpack`.
let exponentOut: i32 = 0
let significandOut: u64 = 0

function unpack(bits: u64, precision: i32): void {
  const fractionBits = precision - 1
  const bias = isDouble(precision) ? 1023 : 127
  const value = magnitude(bits, precision)
  const biased = <i32>(value >>> fractionBits)
  let significand = (value & ((<u64>1 << fractionBits) - 1)) << (62 - fractionBits)
  if (biased != 0) {
    exponentOut = biased - bias
    significandOut = significand | (<u64>1 << 62)
    return
  }
  const shift = <i32>clz(significand) - 1
  exponentOut = 1 - bias - shift
  significandOut = significand << shift
}

@inline function shiftRightJam(value: u64, distance: i32): u64 {
  if (distance == 0) return value
  if (distance >= 64) return value != 0 ? 1 : 0
  return (value >>> distance) | (value << (64 - distance) != 0 ? 1 : 0)
}

/** What rounding adds to a significand whose low `drop` bits go. */
@inline function increment(sign: u64, significand: u64, drop: i32, mode: u32): u64 {
  const half: u64 = <u64>1 << (drop - 1)
  const low = (half << 1) - 1
  if (mode == RNE) {
    // Halfway goes to even: add half, minus one when the kept bit is even.
    return half - 1 + ((significand >>> drop) & 1)
  }
  if (mode == RMM) return half
  if (mode == RTZ) return 0
  return (mode == RDN) == (sign != 0) ? low : 0
}

/** Rounds to a format and packs. The significand has its leading one at bit 62 and is not zero. */
export function roundPack(sign: u64, exponent: i32, significand: u64, precision: i32, mode: u32): u64 {
  const bias = isDouble(precision) ? 1023 : 127
  const minimum = 1 - bias
  const fractionBits = precision - 1
  const drop = 62 - fractionBits
  const low = (<u64>1 << drop) - 1
  if (exponent < minimum) {
    // Tiny unless rounding with unbounded exponent would reach the smallest normal.
    const carried = (significand + increment(sign, significand, drop, mode)) >>> 63 != 0
    const tiny = exponent < minimum - 1 || !carried
    const shifted = shiftRightJam(significand, minimum - exponent)
    if ((shifted & low) != 0) {
      flags |= NX
      if (tiny) flags |= UF
    }
    // A carry into the hidden bit makes the smallest normal by itself.
    return withSign(sign, (shifted + increment(sign, shifted, drop, mode)) >>> drop, precision)
  }
  if ((significand & low) != 0) flags |= NX
  let rounded = significand + increment(sign, significand, drop, mode)
  let e = exponent
  if (rounded >>> 63 != 0) {
    rounded >>>= 1
    e++
  }
  if (e > bias) {
    flags |= OF | NX
    const toInfinity = mode == RNE || mode == RMM || (mode == RDN) == (sign != 0) && mode != RTZ
    return withSign(sign, toInfinity ? infinityBits(precision) : infinityBits(precision) - 1, precision)
  }
  const fraction = (rounded >>> drop) & ((<u64>1 << fractionBits) - 1)
  return withSign(sign, (<u64>(e + bias) << fractionBits) | fraction, precision)
}

/** Normalises a non-zero significand (any leading one) and rounds. `exponent` is for a leading one at bit 62. */
function normalizeRoundPack(sign: u64, exponent: i32, significand: u64, precision: i32, mode: u32): u64 {
  const zeros = <i32>clz(significand)
  if (zeros == 0) return roundPack(sign, exponent + 1, shiftRightJam(significand, 1), precision, mode)
  return roundPack(sign, exponent - (zeros - 1), significand << (zeros - 1), precision, mode)
}

/** a + b, or a - b when `negate` is 1. */
export function add(a: u64, bIn: u64, negate: u64, precision: i32, mode: u32): u64 {
  if (isNaNBits(a, precision) || isNaNBits(bIn, precision)) return propagate(a, bIn, precision)
  const b = withSign(signOf(bIn, precision) ^ negate, magnitude(bIn, precision), precision)
  const signA = signOf(a, precision)
  const signB = signOf(b, precision)
  if (isInfinity(a, precision)) return isInfinity(b, precision) && signA != signB ? invalid(precision) : a
  if (isInfinity(b, precision)) return b
  const zeroSign: u64 = mode == RDN ? 1 : 0
  if (isZero(a, precision)) return isZero(b, precision) && signA != signB ? withSign(zeroSign, 0, precision) : b
  if (isZero(b, precision)) return a
  unpack(a, precision)
  let exponentA = exponentOut
  let significandA = significandOut
  unpack(b, precision)
  const exponentB = exponentOut
  let significandB = significandOut
  if (exponentA >= exponentB) significandB = shiftRightJam(significandB, exponentA - exponentB)
  else {
    significandA = shiftRightJam(significandA, exponentB - exponentA)
    exponentA = exponentB
  }
  if (signA == signB) return normalizeRoundPack(signA, exponentA, significandA + significandB, precision, mode)
  if (significandA == significandB) return withSign(zeroSign, 0, precision)
  return significandA > significandB
    ? normalizeRoundPack(signA, exponentA, significandA - significandB, precision, mode)
    : normalizeRoundPack(signB, exponentA, significandB - significandA, precision, mode)
}

/** High half of the 128-bit product. */
export function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffff_ffff
  const aHigh = a >>> 32
  const bLow = b & 0xffff_ffff
  const bHigh = b >>> 32
  const low = aLow * bLow
  const middle = aHigh * bLow + (low >>> 32)
  const middle2 = aLow * bHigh + (middle & 0xffff_ffff)
  return aHigh * bHigh + (middle >>> 32) + (middle2 >>> 32)
}

export function multiply(a: u64, b: u64, precision: i32, mode: u32): u64 {
  if (isNaNBits(a, precision) || isNaNBits(b, precision)) return propagate(a, b, precision)
  const sign = signOf(a, precision) ^ signOf(b, precision)
  if (isInfinity(a, precision) || isInfinity(b, precision)) {
    if (isZero(a, precision) || isZero(b, precision)) return invalid(precision)
    return withSign(sign, infinityBits(precision), precision)
  }
  if (isZero(a, precision) || isZero(b, precision)) return withSign(sign, 0, precision)
  unpack(a, precision)
  const exponentA = exponentOut
  const significandA = significandOut
  unpack(b, precision)
  // Leading ones at 63 give a product in [2^126, 2^128): its high half has the leading one at 62 or 63.
  const x = significandA << 1
  const y = significandOut << 1
  const high = multiplyHigh(x, y) | (x * y != 0 ? 1 : 0)
  return normalizeRoundPack(sign, exponentA + exponentOut, high, precision, mode)
}

export function divide(a: u64, b: u64, precision: i32, mode: u32): u64 {
  if (isNaNBits(a, precision) || isNaNBits(b, precision)) return propagate(a, b, precision)
  const sign = signOf(a, precision) ^ signOf(b, precision)
  if (isInfinity(a, precision)) return isInfinity(b, precision) ? invalid(precision) : withSign(sign, infinityBits(precision), precision)
  if (isInfinity(b, precision)) return withSign(sign, 0, precision)
  if (isZero(b, precision)) {
    if (isZero(a, precision)) return invalid(precision)
    flags |= DZ
    return withSign(sign, infinityBits(precision), precision)
  }
  if (isZero(a, precision)) return withSign(sign, 0, precision)
  unpack(a, precision)
  let exponent = exponentOut
  let remainder = significandOut
  unpack(b, precision)
  exponent -= exponentOut
  const divisor = significandOut
  if (remainder < divisor) {
    remainder <<= 1
    exponent--
  }
  // Both are below 2^63 with remainder < 2 * divisor: one quotient bit a step, 63 of them.
  let quotient: u64 = 0
  for (let i = 0; i < 63; i++) {
    quotient <<= 1
    if (remainder >= divisor) {
      remainder -= divisor
      quotient |= 1
    }
    remainder <<= 1
  }
  return roundPack(sign, exponent, quotient | (remainder != 0 ? 1 : 0), precision, mode)
}

export function squareRoot(a: u64, precision: i32, mode: u32): u64 {
  if (isNaNBits(a, precision)) return propagate(a, a, precision)
  if (isZero(a, precision)) return a
  if (signOf(a, precision) != 0) return invalid(precision)
  if (isInfinity(a, precision)) return a
  unpack(a, precision)
  let exponent = exponentOut
  // The radicand as a 2.124 fixed-point number in [1, 4): its root lies in [1, 2).
  let high = significandOut
  if (exponent & 1) {
    high <<= 1
    exponent--
  }
  // root = floor(sqrt(high * 2^62)), digit by digit: remainder and trial stay below 2^65, so the top is kept apart.
  let root: u64 = 0
  let remainder: u64 = 0
  for (let i = 0; i < 63; i++) {
    // Bring down the next two bits of the 126-bit radicand (`high`, then 62 zero bits).
    const pair = i < 32 ? (high >>> (62 - 2 * i)) & 3 : 0
    const wide = remainder >>> 62
    remainder = (remainder << 2) | pair
    const trial = (root << 2) | 1
    root <<= 1
    if (wide != 0 || remainder >= trial) {
      remainder -= trial
      root |= 1
    }
  }
  return roundPack(0, exponent >> 1, root | (remainder != 0 ? 1 : 0), precision, mode)
}

/** a * b + c with one rounding; the product is negated by `negateProduct`, the addend by `negateAddend`. */
export function fusedMultiplyAdd(a: u64, b: u64, c: u64, negateProduct: u64, negateAddend: u64, precision: i32, mode: u32): u64 {
  const productInvalid =
    (isInfinity(a, precision) && isZero(b, precision)) || (isZero(a, precision) && isInfinity(b, precision))
  if (isNaNBits(a, precision) || isNaNBits(b, precision) || isNaNBits(c, precision)) {
    // Infinity times zero raises NV even when the addend is a quiet NaN.
    if (productInvalid || isSignaling(a, precision) || isSignaling(b, precision) || isSignaling(c, precision)) flags |= NV
    return canonicalNaN(precision)
  }
  if (productInvalid) return invalid(precision)
  const sign = signOf(a, precision) ^ signOf(b, precision) ^ negateProduct
  const signC = signOf(c, precision) ^ negateAddend
  const addend = withSign(signC, magnitude(c, precision), precision)
  if (isInfinity(a, precision) || isInfinity(b, precision)) {
    if (isInfinity(c, precision) && signC != sign) return invalid(precision)
    return withSign(sign, infinityBits(precision), precision)
  }
  if (isInfinity(c, precision)) return addend
  const zeroSign: u64 = mode == RDN ? 1 : 0
  if (isZero(a, precision) || isZero(b, precision)) {
    if (!isZero(c, precision)) return addend
    return withSign(sign == signC ? sign : zeroSign, 0, precision)
  }
  unpack(a, precision)
  let exponent = exponentOut
  const significandA = significandOut
  unpack(b, precision)
  exponent += exponentOut
  // The product, as high:low with its leading one at bit 124 or 125 of 128.
  let high = multiplyHigh(significandA, significandOut)
  let low = significandA * significandOut
  if (isZero(c, precision)) return packWide(sign, exponent, high, low, precision, mode)
  unpack(c, precision)
  let exponentC = exponentOut
  let highC = significandOut >>> 2
  let lowC = significandOut << 62
  const distance = exponent - exponentC
  if (distance >= 0) {
    lowC = shiftWideLow(highC, lowC, distance)
    highC = distance >= 64 ? 0 : highC >>> distance
  } else {
    low = shiftWideLow(high, low, -distance)
    high = -distance >= 64 ? 0 : high >>> -distance
    exponent = exponentC
  }
  if (sign == signC) {
    const sum = low + lowC
    return packWide(sign, exponent, high + highC + (sum < low ? 1 : 0), sum, precision, mode)
  }
  if (high == highC && low == lowC) return withSign(zeroSign, 0, precision)
  if (high > highC || (high == highC && low > lowC)) {
    return packWide(sign, exponent, high - highC - (low < lowC ? 1 : 0), low - lowC, precision, mode)
  }
  return packWide(signC, exponent, highC - high - (lowC < low ? 1 : 0), lowC - low, precision, mode)
}

/** Low half of a 128-bit value shifted right, jamming. */
function shiftWideLow(high: u64, low: u64, distance: i32): u64 {
  if (distance == 0) return low
  if (distance < 64) return (high << (64 - distance)) | (low >>> distance) | (low << (64 - distance) != 0 ? 1 : 0)
  if (distance == 64) return high | (low != 0 ? 1 : 0)
  if (distance < 128) return (high >>> (distance - 64)) | ((high << (128 - distance)) | low ? 1 : 0)
  return (high | low) != 0 ? 1 : 0
}

/** Rounds a 128-bit significand; `exponent` is for a leading one at bit 124. */
function packWide(sign: u64, exponent: i32, high: u64, low: u64, precision: i32, mode: u32): u64 {
  if (high == 0) {
    const zeros = <i32>clz(low)
    // Leading one at bit 63 - zeros: 124 - (63 - zeros) below its place.
    const top = zeros == 0 ? shiftRightJam(low, 1) : low << (zeros - 1)
    return roundPack(sign, exponent - 61 - zeros, top, precision, mode)
  }
  const zeros = <i32>clz(high)
  // Leading one at bit 127 - zeros; bring it to bit 126, then the high half has it at 62.
  let top: u64
  let rest: u64
  if (zeros == 0) {
    top = high >>> 1
    rest = (high << 63) | low
  } else {
    const shift = zeros - 1
    top = shift == 0 ? high : (high << shift) | (low >>> (64 - shift))
    rest = low << shift
  }
  return roundPack(sign, exponent + 3 - zeros, top | (rest != 0 ? 1 : 0), precision, mode)
}

/** To another format. */
export function convertFormat(a: u64, from: i32, to: i32, mode: u32): u64 {
  if (isNaNBits(a, from)) {
    if (isSignaling(a, from)) flags |= NV
    return canonicalNaN(to)
  }
  const sign = signOf(a, from)
  if (isInfinity(a, from)) return withSign(sign, infinityBits(to), to)
  if (isZero(a, from)) return withSign(sign, 0, to)
  unpack(a, from)
  return roundPack(sign, exponentOut, significandOut, to, mode)
}

/** From an integer given as sign and magnitude. */
export function fromInteger(sign: u64, value: u64, precision: i32, mode: u32): u64 {
  if (value == 0) return 0
  return normalizeRoundPack(sign, 62, value, precision, mode)
}

/**
 * To an integer of 32 or 64 bits. Out of range and NaN saturate and raise NV alone (Unprivileged, table 11.4).
 * A 32-bit result is sign-extended, unsigned ones too.
 */
export function toInteger(a: u64, precision: i32, mode: u32, isSigned: bool, bits: i32): u64 {
  const sign = signOf(a, precision)
  const maximum: u64 = isSigned ? (<u64>1 << (bits - 1)) - 1 : bits == 64 ? <u64>-1 : 0xffff_ffff
  const minimumMagnitude: u64 = isSigned ? <u64>1 << (bits - 1) : 0
  if (isNaNBits(a, precision)) {
    flags |= NV
    return extend(maximum, bits)
  }
  if (isZero(a, precision)) return 0
  let overflow = isInfinity(a, precision)
  let result: u64 = 0
  let inexact = false
  if (!overflow) {
    unpack(a, precision)
    const exponent = exponentOut
    if (exponent > 63) overflow = true
    else if (exponent >= 62) result = significandOut << (exponent - 62)
    else {
      // Integer part above `drop` fraction bits.
      const drop = 62 - exponent
      let rounded: u64
      if (drop > 63) {
        inexact = true
        // Below one half: only directed rounding away from zero gives one.
        rounded = (mode == RDN && sign != 0) || (mode == RUP && sign == 0) ? 1 : 0
      } else {
        const low = (<u64>1 << drop) - 1
        inexact = (significandOut & low) != 0
        rounded = (significandOut + increment(sign, significandOut, drop, mode)) >>> drop
      }
      result = rounded
    }
    if (!overflow) overflow = sign != 0 ? result > minimumMagnitude : result > maximum
  }
  if (overflow) {
    flags |= NV
    return extend(sign != 0 ? 0 - minimumMagnitude : maximum, bits)
  }
  if (inexact) flags |= NX
  return extend(sign != 0 ? 0 - result : result, bits)
}

@inline function extend(value: u64, bits: i32): u64 {
  return bits == 32 ? <u64>(<i64>(<i32>value)) : value
}

/** a == b; quiet. */
export function equal(a: u64, b: u64, precision: i32): bool {
  if (isNaNBits(a, precision) || isNaNBits(b, precision)) {
    if (isSignaling(a, precision) || isSignaling(b, precision)) flags |= NV
    return false
  }
  return a == b || (isZero(a, precision) && isZero(b, precision))
}

/** a < b, or a <= b with `orEqual`; signaling. */
export function less(a: u64, b: u64, orEqual: bool, precision: i32): bool {
  if (isNaNBits(a, precision) || isNaNBits(b, precision)) {
    flags |= NV
    return false
  }
  if (isZero(a, precision) && isZero(b, precision)) return orEqual
  const signA = signOf(a, precision)
  const signB = signOf(b, precision)
  if (signA != signB) return signA != 0
  if (a == b) return orEqual
  return signA != 0 ? a > b : a < b
}

/** minimumNumber and maximumNumber of IEEE 754-2019: a number beats a NaN, -0 is below +0. */
export function minimumMaximum(a: u64, b: u64, maximum: bool, precision: i32): u64 {
  if (isSignaling(a, precision) || isSignaling(b, precision)) flags |= NV
  if (isNaNBits(a, precision)) return isNaNBits(b, precision) ? canonicalNaN(precision) : b
  if (isNaNBits(b, precision)) return a
  const signA = signOf(a, precision)
  const signB = signOf(b, precision)
  let aIsLess: bool
  if (signA != signB) aIsLess = signA != 0
  else aIsLess = signA != 0 ? a > b : a < b
  return aIsLess != maximum ? a : b
}

/** fclass: one bit of ten. */
export function classify(a: u64, precision: i32): u64 {
  const negative = signOf(a, precision) != 0
  if (isNaNBits(a, precision)) return isSignaling(a, precision) ? 1 << 8 : 1 << 9
  if (isInfinity(a, precision)) return negative ? 1 << 0 : 1 << 7
  if (isZero(a, precision)) return negative ? 1 << 3 : 1 << 4
  const normal = magnitude(a, precision) >>> (precision - 1) != 0
  if (normal) return negative ? 1 << 1 : 1 << 6
  return negative ? 1 << 2 : 1 << 5
}
