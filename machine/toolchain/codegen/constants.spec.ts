import fc from 'fast-check'
import { expect, test } from 'vitest'
import { constantSteps } from './constants.ts'

/** What the steps leave in the register. */
function evaluate(value: bigint): bigint {
  let register = 0n
  for (const { op, imm, first } of constantSteps(value)) {
    const source = first ? 0n : register
    const amount = BigInt(imm)
    if (op === 'addi') register = BigInt.asIntN(64, source + amount)
    else if (op === 'addiw') register = BigInt.asIntN(32, source + amount)
    else if (op === 'lui') register = amount
    else if (op === 'slli') register = BigInt.asIntN(64, source << amount)
    else register = BigInt.asIntN(64, BigInt.asUintN(64, source) >> amount)
  }
  return register
}

test('every constant is made exactly', () => {
  fc.assert(fc.property(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), (value) => evaluate(value) === value))
  for (let bit = 0n; bit < 64n; bit++) {
    for (const near of [-2049n, -2048n, -1n, 0n, 1n, 2047n, 2048n]) {
      const value = BigInt.asIntN(64, (1n << bit) + near)
      expect(evaluate(value)).toBe(value)
    }
  }
})

test('short constants take one instruction and 32-bit ones two', () => {
  expect(constantSteps(-5n)).toHaveLength(1)
  expect(constantSteps(0x12345678n)).toHaveLength(2)
  expect(constantSteps(0xffff_ffffn).length).toBeLessThanOrEqual(2)
})
