/**
 * Loop-invariant code motion. Needs: SSA, dominators, pure instructions that never trap (checks are separate).
 * Gives: pure values that do not change in a loop computed before it, when they cost an instruction there.
 * Only pure instructions move, so no guard is needed; loads and checks stay where the program put them.
 */
import { effectOf, isConstant, type Instruction, type IrFunction } from './ir.ts'
import type { Loop } from './dominators.ts'

/** More than this many values kept alive across one loop would only be spilled. */
const maximumHoisted = 10

/** Runs the pass over `loops` (inner before outer). */
export function hoistInvariants(_fn: IrFunction, loops: readonly Loop[]): void {
  for (const loop of loops) {
    const entries = loop.header.predecessors.filter((edge) => !loop.blocks.has(edge.from))
    if (entries.length !== 1 || entries[0].from.successors.length !== 1) continue
    const preheader = entries[0].from
    const outside = (value: Instruction): boolean => !loop.blocks.has(value.block) || isConstant(value)
    let hoisted = 0
    for (const block of loop.blocks) {
      if (block.cold) continue
      block.body = block.body.filter((instruction) => {
        if (
          hoisted >= maximumHoisted ||
          effectOf(instruction) !== 'pure' ||
          !instruction.args.every(outside) ||
          !worthHoisting(instruction)
        )
          return true
        instruction.block = preheader
        preheader.body.push(instruction)
        hoisted++
        return false
      })
    }
  }
}

/** Comparisons fuse with their branch and free conversions cost nothing: moving them only lengthens lives. */
function worthHoisting(instruction: Instruction): boolean {
  if (isConstant(instruction)) return false
  const operation = instruction.op.slice(4)
  return !/^(eq|ne|lt|gt|le|ge)/.test(operation) && operation !== 'extend_i32_s' && instruction.op !== 'param'
}
