/**
 * C's stack in a coroutine. What clang puts on its own stack (variables with an address, all of them at level 0) would be
 * overwritten while the coroutine waits, so it goes to the coroutine's frame: `co.area` is where that part of the frame ends.
 * Needs: freshly built IR. Gives: no use of the stack pointer in coroutines; callees keep theirs.
 */
import { WasmError } from '../wasm/types.ts'
import { isConstant, type Instruction, type IrFunction } from './ir.ts'

/** Rewrites a coroutine in place; `stackPointer` is the number of clang's global. Throws for stack of a size that is not constant. */
export function moveStackToFrame(fn: IrFunction, stackPointer: number): void {
  if (!fn.coroutine) return
  const all = fn.blocks.flatMap((block) => [...block.body, block.terminator])
  const tops = new Set(all.filter(({ op, index }) => op === 'global.get' && index === stackPointer))
  if (tops.size === 0) return
  const isSet = ({ op, index }: Instruction): boolean => op === 'global.set' && index === stackPointer
  const bottoms = new Set<Instruction>()
  const fail = (position: number): never => {
    throw new WasmError(
      'wasm/unsupported',
      'a coroutine has a stack whose size is known at run time only: use an array of fixed size',
      position,
    )
  }
  for (const instruction of all) {
    const [from, by] = instruction.args
    if (!tops.has(from) || isSet(instruction)) continue
    const bytes = by && isConstant(by) ? (instruction.op === 'i32.sub' ? by.value : instruction.op === 'i32.add' ? -by.value : -1n) : -1n
    if (bytes < 0n || bytes > 1n << 20n) fail(instruction.position)
    fn.areaBytes = Math.max(fn.areaBytes, Math.ceil(Number(bytes) / 16) * 16)
    bottoms.add(instruction)
  }
  const isPlain = (value: Instruction): boolean =>
    tops.has(value) || bottoms.has(value) || (value.op === 'i32.add' && bottoms.has(value.args[0]) && isConstant(value.args[1]))
  for (const top of tops) top.op = 'co.area'
  for (const block of fn.blocks) {
    for (const instruction of block.body) if (isSet(instruction) && !isPlain(instruction.args[0])) fail(instruction.position)
    block.body = block.body.filter((instruction) => !isSet(instruction))
  }
}
