/** Division at its edges: by zero, and the quotient that does not fit (Unprivileged, "M", table of results). */
import { describe, expect, it } from 'vitest'
import { logOf } from '../testing/programs.ts'

const LEAST64 = -(2n ** 63n)
const LEAST32 = -(2n ** 31n)
const OPERANDS = [
  0n,
  1n,
  -1n,
  2n,
  -2n,
  7n,
  LEAST64,
  LEAST64 + 1n,
  2n ** 63n - 1n,
  LEAST32,
  2n ** 31n,
  LEAST32 + 1n,
  2n ** 32n,
  2n ** 32n - 1n,
]

const divide = (a: bigint, b: bigint) => (b === 0n ? -1n : a / b)
const remainder = (a: bigint, b: bigint) => (b === 0n ? a : a % b)
const { asIntN, asUintN } = BigInt

/** Operands as the instruction sees them go in; the result is cut to its width and sign-extended. */
const expected: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  div: divide,
  rem: remainder,
  divu: (a, b) => divide(asUintN(64, a), asUintN(64, b)),
  remu: (a, b) => remainder(asUintN(64, a), asUintN(64, b)),
  divw: (a, b) => asIntN(32, divide(asIntN(32, a), asIntN(32, b))),
  remw: (a, b) => asIntN(32, remainder(asIntN(32, a), asIntN(32, b))),
  divuw: (a, b) => asIntN(32, divide(asUintN(32, a), asUintN(32, b))),
  remuw: (a, b) => asIntN(32, remainder(asUintN(32, a), asUintN(32, b))),
}

describe('division', () => {
  for (const [name, model] of Object.entries(expected)) {
    it(name, () => {
      const pairs = OPERANDS.flatMap((a) => OPERANDS.map((b) => [a, b] as const))
      const log = logOf(`
main:
  la s0, pairs
  li s1, ${pairs.length}
1:
  ld a0, 0(s0)
  ld a1, 8(s0)
  addi s0, s0, 16
  ${name} a2, a0, a1
  log a2
  addi s1, s1, -1
  bnez s1, 1b
  exit 0
.data
.balign 8
pairs:
${pairs.map(([a, b]) => `.dword 0x${asUintN(64, a).toString(16)}, 0x${asUintN(64, b).toString(16)}`).join('\n')}
`)
      expect(log.map((value) => asIntN(64, value))).toEqual(pairs.map(([a, b]) => asIntN(64, model(a, b))))
    })
  }
})
