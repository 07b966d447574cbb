/**
 * Global value numbering over the dominator tree, with load forwarding along single-predecessor paths.
 * Needs: SSA, dominators. Gives: SSA in which equal pure values are computed once where one dominates the other;
 * every constant exists once, in the entry block.
 */
import { applyForwarding, effectOf, isConstant, resolve, type Block, type Instruction, type IrFunction } from './ir.ts'
import { dominatorTree } from './dominators.ts'

const commutative = /\.(add|mul|and|or|xor|eq|ne)$/

/** Runs the pass; dominators must be up to date. */
export function numberValues(fn: IrFunction): void {
  const constants = new Map<string, Instruction>()
  for (const block of fn.blocks) {
    block.body = block.body.filter((instruction) => {
      if (!isConstant(instruction)) return true
      const key = instruction.op + instruction.value
      const known = constants.get(key)
      if (known) instruction.forward = known
      else {
        constants.set(key, instruction)
        instruction.block = fn.entry
      }
      return false
    })
  }
  const firstReal = fn.entry.body.findIndex((instruction) => instruction.op !== 'param')
  fn.entry.body.splice(firstReal < 0 ? fn.entry.body.length : firstReal, 0, ...constants.values())

  const children = dominatorTree(fn)
  const table = new Map<string, Instruction>()
  /** Versions of memory and of globals at the end of each block. */
  const versions = new Map<Block, { memory: number; globals: number }>()
  let fresh = 0
  type Step = { block: Block } | { undo: [string, Instruction | undefined][] }
  const stack: Step[] = [{ block: fn.entry }]
  while (stack.length) {
    const step = stack.pop()!
    if ('undo' in step) {
      for (const [key, previous] of step.undo.reverse()) {
        if (previous) table.set(key, previous)
        else table.delete(key)
      }
      continue
    }
    const { block } = step
    const undo: [string, Instruction | undefined][] = []
    const set = (key: string, value: Instruction): void => {
      undo.push([key, table.get(key)])
      table.set(key, value)
    }
    const single = block.predecessors.length === 1 ? versions.get(block.predecessors[0].from) : undefined
    const version = single ? { ...single } : { memory: ++fresh, globals: ++fresh }
    block.body = block.body.filter((instruction) => {
      const { args } = instruction
      for (let i = 0; i < args.length; i++) args[i] = resolve(args[i])
      const effect = effectOf(instruction)
      if (effect === 'effect') {
        if (instruction.op === 'global.set') {
          version.globals = ++fresh
          set(`global.get ${instruction.index} ${version.globals}`, args[0])
          return true
        }
        const width = instruction.op.startsWith('store', 4)
        version.memory = ++fresh
        if (!width) version.globals = ++fresh
        else if (instruction.op.length === 9)
          set(`${instruction.op.slice(0, 3)}.load ${args[0].id} +${instruction.offset} ${version.memory}`, args[1])
        return true
      }
      const key = keyOf(instruction, version)
      if (key === undefined) return true
      const known = table.get(key)
      if (!known) {
        set(key, instruction)
        return true
      }
      if (instruction.type !== 'void') {
        if (known.variable < 0) known.variable = instruction.variable
        instruction.forward = known
      }
      return false
    })
    const { terminator } = block
    for (let i = 0; i < terminator.args.length; i++) terminator.args[i] = resolve(terminator.args[i])
    versions.set(block, version)
    stack.push({ undo })
    for (const child of children.get(block)!) stack.push({ block: child })
  }
  applyForwarding(fn)
}

function keyOf(instruction: Instruction, version: { memory: number; globals: number }): string | undefined {
  const { op, args } = instruction
  if (op === 'param' || op === 'phi') return undefined
  let ids: string
  if (args.length === 2 && args[0].id > args[1].id && commutative.test(op)) ids = `${args[1].id} ${args[0].id}`
  else ids = args.map((arg) => arg.id).join(' ')
  if (isConstant(instruction)) return `${op} ${instruction.value}`
  if (op === 'global.get') return `${op} ${instruction.index} ${version.globals}`
  if (effectOf(instruction) === 'load') return `${op} ${ids} +${instruction.offset} ${version.memory}`
  return `${op} ${ids} #${instruction.index} +${instruction.offset}`
}
