/** Division by zero and overflow as RISC-V defines them (Unprivileged, table 7.1), and signed high products. */
import { multiplyHigh } from './softfloat'

export function multiplyHighSigned(a: u64, b: u64): u64 {
  return multiplyHigh(a, b) - (<i64>a < 0 ? b : 0) - (<i64>b < 0 ? a : 0)
}

export function multiplyHighSignedUnsigned(a: u64, b: u64): u64 {
  return multiplyHigh(a, b) - (<i64>a < 0 ? b : 0)
}

export function divideSigned(a: i64, b: i64): u64 {
  if (b == 0) return <u64>-1
  if (b == -1) return <u64>(0 - a)
  return <u64>(a / b)
}

export function remainderSigned(a: i64, b: i64): u64 {
  if (b == 0) return <u64>a
  if (b == -1) return 0
  return <u64>(a % b)
}

export function divideSignedWord(a: i32, b: i32): u64 {
  if (b == 0) return <u64>-1
  if (b == -1) return <u64>(<i64>-a)
  return <u64>(<i64>(a / b))
}

export function remainderSignedWord(a: i32, b: i32): u64 {
  if (b == 0) return <u64>(<i64>a)
  if (b == -1) return 0
  return <u64>(<i64>(a % b))
}
