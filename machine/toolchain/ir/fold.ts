/** Arithmetic on constants as the IR defines it. Integers are signed bigints of their width. Floats are never folded. */

const width = (type: string): number => (type === 'i64' ? 64 : 32)

/** The result of an integer operation, or undefined when it is not for compile time (division that would trap). */
export function foldBinary(type: string, operation: string, a: bigint, b: bigint): bigint | undefined {
  const bits = width(type)
  const signed = (value: bigint): bigint => BigInt.asIntN(bits, value)
  const unsigned = (value: bigint): bigint => BigInt.asUintN(bits, value)
  const shift = BigInt.asUintN(bits === 64 ? 6 : 5, b)
  switch (operation) {
    case 'add':
      return signed(a + b)
    case 'sub':
      return signed(a - b)
    case 'mul':
      return signed(a * b)
    case 'and':
      return a & b
    case 'or':
      return a | b
    case 'xor':
      return a ^ b
    case 'shl':
      return signed(a << shift)
    case 'shr_s':
      return a >> shift
    case 'shr_u':
      return signed(unsigned(a) >> shift)
    case 'rotl':
      return signed((unsigned(a) << shift) | (unsigned(a) >> (BigInt(bits) - shift)))
    case 'rotr':
      return signed((unsigned(a) >> shift) | (unsigned(a) << (BigInt(bits) - shift)))
  }
  if (b === 0n) return undefined
  switch (operation) {
    case 'div_s':
      return signed(a / b)
    case 'div_u':
      return signed(unsigned(a) / unsigned(b))
    case 'rem_s':
      return a % b
    case 'rem_u':
      return signed(unsigned(a) % unsigned(b))
  }
  return undefined
}

/** The truth of an integer comparison. */
export function foldCompare(type: string, operation: string, a: bigint, b: bigint): boolean {
  const bits = width(type)
  const [left, right] = operation.endsWith('_u') ? [BigInt.asUintN(bits, a), BigInt.asUintN(bits, b)] : [a, b]
  switch (operation.slice(0, 2)) {
    case 'eq':
      return left === right
    case 'ne':
      return left !== right
    case 'lt':
      return left < right
    case 'gt':
      return left > right
    case 'le':
      return left <= right
    default:
      return left >= right
  }
}

/** The result of an integer operation with one operand, or undefined. */
export function foldUnary(op: string, a: bigint): bigint | undefined {
  const bits = width(op.slice(0, 3))
  switch (op) {
    case 'i32.eqz':
    case 'i64.eqz':
      return a === 0n ? 1n : 0n
    case 'i32.wrap_i64':
      return BigInt.asIntN(32, a)
    case 'i64.extend_i32_s':
      return a
    case 'i64.extend_i32_u':
      return BigInt.asUintN(32, a)
    case 'i32.extend8_s':
    case 'i64.extend8_s':
      return BigInt.asIntN(8, a)
    case 'i32.extend16_s':
    case 'i64.extend16_s':
      return BigInt.asIntN(16, a)
    case 'i64.extend32_s':
      return BigInt.asIntN(32, a)
    case 'i32.clz':
    case 'i64.clz':
      return BigInt(bits) - (a === 0n ? 0n : BigInt(BigInt.asUintN(bits, a).toString(2).length))
    case 'i32.popcnt':
    case 'i64.popcnt':
      return BigInt(BigInt.asUintN(bits, a).toString(2).replaceAll('0', '').length)
    case 'i32.ctz':
    case 'i64.ctz': {
      if (a === 0n) return BigInt(bits)
      let count = 0n
      for (let value = a; (value & 1n) === 0n; value >>= 1n) count++
      return count
    }
  }
  return undefined
}
