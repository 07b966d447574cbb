/** The order of the passes. Each names what it needs; this file is where those needs are met. */
import { computeDominators, findLoops, orderBlocks } from './dominators.ts'
import { removeDead } from './dead.ts'
import { hoistInvariants } from './hoist.ts'
import type { IrFunction } from './ir.ts'
import { numberValues } from './number.ts'
import { simplify } from './simplify.ts'

/** Optimises in place. Level 0 only removes what the builder left over. */
export function optimise(fn: IrFunction, level: 0 | 2): void {
  orderBlocks(fn)
  for (let round = 0; round < (level ? 4 : 1) && simplify(fn); round++);
  computeDominators(fn)
  if (level) {
    numberValues(fn)
    for (let round = 0; round < 2 && simplify(fn); round++);
    computeDominators(fn)
    markCold(fn)
    hoistInvariants(fn, findLoops(fn))
    numberValues(fn)
  }
  removeDead(fn)
  computeDominators(fn)
  markCold(fn)
  findLoops(fn)
}

/** Blocks that can only end in a trap are laid out after everything else. */
function markCold(fn: IrFunction): void {
  for (const block of [...fn.blocks].reverse()) {
    block.cold = block.terminator.op === 'unreachable' || (block.successors.length > 0 && block.successors.every((edge) => edge.to.cold))
  }
}
