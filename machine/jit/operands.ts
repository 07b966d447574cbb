/** Which registers an instruction reads and writes, from machine/isa. */
import type { Field, OperandName } from '../isa/fields.ts'
import { instructions } from '../isa/instructions.ts'
import { identifier } from '../hart/operations.ts'
import type { Instruction } from './slots.ts'

const fieldsOf = new Map(instructions.filter(({ length }) => length === 4).map(({ name, fields }) => [identifier(name), fields]))

export interface Operands {
  readonly integer: readonly number[]
  readonly float: readonly number[]
  readonly writes: { readonly kind: 'x' | 'f'; readonly register: number } | undefined
}

/** The third source of fused operations: beside the rounding mode in a slot of its own, elsewhere in that of a group. */
export function thirdSource({ name, raw }: Instruction): number {
  return name === 'fmadd_d' ? (raw >>> 8) & 31 : (raw >>> 16) & 31
}

export function operandsOf(instruction: Instruction): Operands {
  const integer: number[] = []
  const float: number[] = []
  let writes: Operands['writes']
  const seen = new Set<OperandName>()
  const number: Partial<Record<OperandName, number>> = {
    rd: instruction.rd,
    rs1: instruction.rs1,
    rs2: instruction.rs2,
    rs3: thirdSource(instruction),
  }
  for (const { operand, kind } of fieldsOf.get(instruction.name) as readonly Field[]) {
    const register = number[operand]
    if (register === undefined || (kind !== 'x' && kind !== 'f') || seen.has(operand)) continue
    seen.add(operand)
    if (kind === 'x' && register === 0) continue
    ;(kind === 'x' ? integer : float).push(register)
    if (operand === 'rd') writes = { kind, register }
  }
  return { integer, float, writes }
}
