import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sequence } from './assign.ts'

/** Runs a move sequence on a register file whose registers hold their own numbers. */
function run(moves: { to: number; from: number }[]): number[] {
  const registers = Array.from({ length: 64 }, (_, index) => index)
  const slots = new Map<number, number>()
  for (const instruction of sequence(
    moves.map((move) => ({ ...move, float: false })),
    -1,
  )) {
    if (instruction.op === 'mv') registers[instruction.rd] = registers[instruction.rs1]
    else if (instruction.op === 'slot.store') slots.set(instruction.imm, registers[instruction.rs2])
    else if (instruction.op === 'slot.load') registers[instruction.rd] = slots.get(instruction.imm) ?? 1000 + instruction.imm
  }
  return registers
}

test('two registers are exchanged', () => {
  const registers = run([
    { to: 10, from: 11 },
    { to: 11, from: 10 },
  ])
  expect([registers[10], registers[11]]).toEqual([11, 10])
})

test('a chain that waits for a cycle elsewhere is moved too', () => {
  const registers = run([
    { to: 12, from: 13 },
    { to: 14, from: 12 },
    { to: 10, from: 11 },
    { to: 11, from: 10 },
    { to: 15, from: 10 },
  ])
  expect([10, 11, 12, 14, 15].map((register) => registers[register])).toEqual([11, 10, 13, 12, 10])
})

test('any set of simultaneous moves ends as if done at once', () => {
  const targets = fc.uniqueArray(fc.integer({ min: 5, max: 20 }), { maxLength: 12 })
  fc.assert(
    fc.property(targets, fc.array(fc.integer({ min: 5, max: 20 }), { minLength: 12, maxLength: 12 }), (to, from) => {
      const registers = run(to.map((target, index) => ({ to: target, from: from[index] })))
      to.forEach((target, index) => expect(registers[target]).toBe(from[index]))
    }),
  )
})
