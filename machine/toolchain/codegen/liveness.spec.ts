import { expect, test } from 'vitest'
import { computeLiveness } from './liveness.ts'
import { FIRST_VIRTUAL, MachineFunction, MachineInstruction } from './machine.ts'

test('a value in bit 31 of a set that lives round a loop lets the iteration end', () => {
  const fn = new MachineFunction('loop')
  const [entry, body] = [fn.newBlock(), fn.newBlock()]
  for (let index = 0; index < 40; index++) fn.newRegister(false)
  const value = FIRST_VIRTUAL + 31
  const define = new MachineInstruction('li')
  define.rd = value
  entry.instructions = [define, new MachineInstruction('j')]
  const use = new MachineInstruction('sw')
  use.rs1 = use.rs2 = value
  body.instructions = [use, new MachineInstruction('j')]
  entry.successors = [body]
  body.successors = [body]
  body.predecessors = [entry, body]
  const { liveIn, liveOut } = computeLiveness(fn)
  expect(liveOut.get(body)!.has(31)).toBe(true)
  expect(liveIn.get(entry)!.has(31)).toBe(false)
})
