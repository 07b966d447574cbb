import { expect, test } from 'vitest'
import { describeWith } from '../../testing/oracles.ts'
import { opcodeNamed, opcodeOf, type Opcode } from '../wasm/opcodes.ts'
import type { NumberType } from '../wasm/types.ts'
import { runCompiled, runV8, type Call } from './differential.test-support.ts'
import { applying, moduleOf, type TestFunction } from './wasm-builder.test-support.ts'

const interesting: Record<NumberType, bigint[]> = {
  i32: [
    0n,
    1n,
    -1n,
    2n,
    7n,
    31n,
    32n,
    33n,
    255n,
    -128n,
    2047n,
    2048n,
    -2049n,
    0x7fffn,
    0x12345678n,
    0x7fffffffn,
    -0x80000000n,
    -0x7fffffffn,
  ],
  i64: [
    0n,
    1n,
    -1n,
    3n,
    63n,
    64n,
    65n,
    0xffn,
    0x7fffffffn,
    0x80000000n,
    0xffffffffn,
    -0x80000000n,
    -0x80000001n,
    0x123456789abcdef0n,
    0x7fffffffffffffffn,
    -0x8000000000000000n,
  ],
  f32: [
    0n,
    0x80000000n,
    0x3f800000n,
    0xbf800000n,
    0x3f000000n,
    0x3fc00000n,
    0x40200000n,
    0x4f000000n,
    0xcf000000n,
    0x4effffffn,
    0x5f000000n,
    0x7f800000n,
    0xff800000n,
    0x7fc00000n,
    0x7fa00000n,
    0xffc00001n,
    1n,
    0x4b000001n,
    0xbf7fffffn,
    0x4f800000n,
    0xcf000001n,
  ],
  f64: [
    0n,
    1n << 63n,
    0x3ff0000000000000n,
    0xbff0000000000000n,
    0x3fe0000000000000n,
    0x4004000000000000n,
    0x41e0000000000000n,
    0xc1e0000000000000n,
    0xc1e0000000200000n,
    0xc1e00000001fffffn,
    0x41dfffffffc00000n,
    0x41dfffffffe00000n,
    0x41efffffffffffffn,
    0x43e0000000000000n,
    0xc3e0000000000000n,
    0x7ff0000000000000n,
    0xfff0000000000000n,
    0x7ff8000000000000n,
    0x7ff4000000000000n,
    1n,
    0x4330000000000001n,
    0x3fefffffffffffffn,
  ],
}

const pureOpcodes: Opcode[] = []
for (let code = 0x45; code <= 0xfc07; code++) {
  const opcode = opcodeOf(code)
  if (opcode?.immediate === 'none' && opcode.params?.length && opcode.results?.length) pureOpcodes.push(opcode)
}

/** The result is a NaN whose payload the specification leaves open. */
function isArithmetic(opcode: Opcode): boolean {
  return /^f\d\d\.(add|sub|mul|div|sqrt|min|max|ceil|floor|trunc|nearest|promote|demote)/.test(opcode.name)
}

function anyNan(opcode: Opcode, line: string): string {
  if (!isArithmetic(opcode)) return line
  const value = /^(i32|i64):(-?\d+)$/.exec(line)
  if (!value) return line
  const bits = BigInt.asUintN(64, BigInt(value[2]))
  const nan =
    value[1] === 'i32' ? (BigInt.asUintN(32, bits) & 0x7fffffffn) > 0x7f800000n : (bits & 0x7fffffffffffffffn) > 0x7ff0000000000000n
  return nan ? 'nan' : line
}

function product(types: readonly NumberType[]): bigint[][] {
  return types.reduce<bigint[][]>((rows, type) => rows.flatMap((row) => interesting[type].map((value) => [...row, value])), [[]])
}

for (const level of [0, 2] as const)
  describeWith(['qemu-riscv64'], `every numeric instruction at level ${level}`, () => {
    test('gives what V8 gives for all pairs of interesting operands', () => {
      const functions: TestFunction[] = []
      const calls: { opcode: Opcode; call: Call }[] = []
      for (const opcode of pureOpcodes) {
        functions.push(applying(opcode, opcode.name, []))
        for (const args of product(opcode.params!)) calls.push({ opcode, call: { name: opcode.name, args } })
      }
      compare(moduleOf(functions), calls, level)
    })

    test('gives the same with one operand constant', () => {
      const functions: TestFunction[] = []
      const calls: { opcode: Opcode; call: Call }[] = []
      for (const opcode of pureOpcodes.filter((candidate) => candidate.params!.length === 2)) {
        const type = opcode.params![0]
        interesting[type].forEach((value, index) => {
          for (const side of [0, 1]) {
            const name = `${opcode.name}/${side}/${index}`
            functions.push(applying(opcode, name, side ? [undefined, value] : [value, undefined]))
            for (const args of product([type])) calls.push({ opcode, call: { name, args } })
          }
        })
      }
      compare(moduleOf(functions), calls, level)
    })
  })

function compare(bytes: Uint8Array, calls: { opcode: Opcode; call: Call }[], level: 0 | 2): void {
  const plain = calls.map((entry) => entry.call)
  const expected = runV8(bytes, plain)
  const actual = runCompiled(bytes, plain, level)
  const different = calls
    .map(({ opcode, call }, index) => ({
      call: `${call.name} ${call.args.join(' ')}`,
      expected: anyNan(opcode, expected[index]),
      actual: anyNan(opcode, actual[index] ?? ''),
    }))
    .filter((row) => row.expected !== row.actual)
  expect(different.slice(0, 20)).toEqual([])
  expect(actual).toHaveLength(calls.length)
}

test('the table names what it numbers', () => {
  expect(opcodeNamed('i32.add').code).toBe(0x6a)
})
