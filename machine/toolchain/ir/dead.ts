/** Removes values that nothing uses. Needs: SSA. Gives: SSA; phis included, so that a cycle of unused phis goes too. */
import { effectOf, type Instruction, type IrFunction } from './ir.ts'

/** Runs the pass. */
export function removeDead(fn: IrFunction): void {
  const live = new Set<Instruction>()
  const work: Instruction[] = []
  const use = (value: Instruction): void => {
    if (live.has(value)) return
    live.add(value)
    work.push(value)
  }
  for (const block of fn.blocks) {
    for (const instruction of block.body) {
      const effect = effectOf(instruction)
      if (effect === 'effect' || effect === 'check' || instruction.op === 'param') use(instruction)
    }
    use(block.terminator)
  }
  while (work.length) {
    const value = work.pop()!
    if (value.op === 'phi') {
      const index = value.block.phis.indexOf(value)
      for (const edge of value.block.predecessors) use(edge.args[index])
    } else for (const arg of value.args) use(arg)
  }
  for (const block of fn.blocks) {
    block.body = block.body.filter((instruction) => live.has(instruction))
    if (block.phis.every((phi) => live.has(phi))) continue
    const kept = block.phis.map((phi) => live.has(phi))
    for (const edge of block.predecessors) edge.args = edge.args.filter((_, index) => kept[index])
    block.phis = block.phis.filter((phi) => live.has(phi))
  }
}
