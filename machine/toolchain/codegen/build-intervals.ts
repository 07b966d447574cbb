/** Needs: machine code over virtual registers and its liveness. Gives: webs with their intervals, and when real registers are taken. */
import { Interval, Root, intersection, mergeRanges } from './interval.ts'
import type { Liveness } from './liveness.ts'
import {
  callerSaved,
  FIRST_VIRTUAL,
  floatPool,
  forEachDefinition,
  forEachUse,
  integerPool,
  type MachineFunction,
  type MachineInstruction,
} from './machine.ts'

export interface Intervals {
  /** Web of each virtual register (minus FIRST_VIRTUAL). */
  readonly roots: Root[]
  /** Ranges in which each real register is taken. */
  readonly fixed: number[][]
  /** Positions of suspensions. */
  readonly suspends: number[]
}

const allocatable = new Set([...integerPool, ...floatPool])
const everything = [...allocatable]

/** Numbers the instructions and builds the intervals; webs joined by a move that never conflict become one. */
export function buildIntervals(fn: MachineFunction, liveness: Liveness): Intervals {
  let position = 0
  for (const block of fn.blocks) {
    block.from = position
    position += 2 * block.instructions.length
    block.to = position
  }
  const count = fn.registers - FIRST_VIRTUAL
  const roots: Root[] = []
  for (let index = 0; index < count; index++) {
    const root = new Root(index, fn.isFloat[index])
    root.variable = fn.variable[index]
    root.pieces.push(new Interval(root))
    roots.push(root)
  }
  const fixed: number[][] = Array.from({ length: FIRST_VIRTUAL }, () => [])
  const suspends: number[] = []
  const moves: { depth: number; to: number; from: number }[] = []

  // Everything is collected backwards and turned round at the end.
  const addRange = (list: number[], start: number, end: number): void => {
    const n = list.length
    // Stored as end, start pairs, latest first.
    if (n && list[n - 1] <= end && list[n - 2] >= end) list[n - 1] = Math.min(list[n - 1], start)
    else if (end > start) list.push(end, start)
  }
  const open = new Map<number, number>()
  for (let b = fn.blocks.length - 1; b >= 0; b--) {
    const block = fn.blocks[b]
    liveness.liveOut.get(block)!.forEach((index) => addRange(roots[index].pieces[0].ranges, block.from, block.to))
    for (let i = block.instructions.length - 1; i >= 0; i--) {
      const instruction = block.instructions[i]
      const at = block.from + 2 * i
      const flexible = instruction.op === 'parallel'
      if (instruction.clobbers !== 'none') {
        for (const register of instruction.clobbers === 'all' ? everything : callerSaved)
          if (!open.has(register)) addRange(fixed[register], at + 1, at + 2)
        if (instruction.clobbers === 'all') suspends.push(at)
      }
      forEachDefinition(instruction, (register) => {
        const definedAt = instruction.early ? at : at + 1
        if (register < FIRST_VIRTUAL) {
          if (!allocatable.has(register)) return
          addRange(fixed[register], definedAt, open.get(register) ?? at + 2)
          open.delete(register)
          return
        }
        const root = roots[register - FIRST_VIRTUAL]
        root.definitions++
        if (instruction.op === 'li' || instruction.op === 'fli.s' || instruction.op === 'fli.d')
          root.remake = { op: instruction.op, value: instruction.value }
        else root.remake = undefined
        const interval = root.pieces[0]
        const { ranges } = interval
        if (ranges.length && ranges[ranges.length - 1] <= definedAt && ranges[ranges.length - 2] > definedAt)
          ranges[ranges.length - 1] = definedAt
        else addRange(ranges, definedAt, at + 2)
        interval.uses.push(definedAt)
        interval.needsRegister.push(!flexible)
      })
      for (const temp of instruction.temps ?? []) {
        const interval = roots[temp - FIRST_VIRTUAL].pieces[0]
        addRange(interval.ranges, at, at + 2)
        interval.uses.push(at)
        interval.needsRegister.push(true)
      }
      forEachUse(instruction, (register) => {
        if (register < FIRST_VIRTUAL) {
          if (allocatable.has(register) && !open.has(register)) open.set(register, at + 1)
          return
        }
        const interval = roots[register - FIRST_VIRTUAL].pieces[0]
        addRange(interval.ranges, block.from, at + 1)
        interval.uses.push(at)
        interval.needsRegister.push(!flexible)
      })
      for (const move of instruction.moves ?? []) if (move.from >= 0) moves.push({ depth: block.loopDepth, to: move.to, from: move.from })
    }
    for (const [register, end] of open) addRange(fixed[register], block.from, end)
    open.clear()
  }
  for (const root of roots) {
    const interval = root.pieces[0]
    interval.ranges.reverse()
    interval.uses.reverse()
    interval.needsRegister.reverse()
    if (root.definitions !== 1) root.remake = undefined
  }
  for (const list of fixed) list.reverse()
  coalesce(roots, moves)
  for (const root of new Set(roots))
    root.crossesSuspend = suspends.some((at) => root.pieces.some((piece) => piece.covers(at + 1) && piece.covers(at)))
  return { roots, fixed, suspends }
}

/** Joins the two sides of a move where they are never alive together; innermost loops first. What cannot be joined is a hint. */
function coalesce(roots: Root[], moves: { depth: number; to: number; from: number }[]): void {
  const parent = roots.map((_, index) => index)
  const find = (index: number): number => {
    while (parent[index] !== index) index = parent[index] = parent[parent[index]]
    return index
  }
  moves.sort((a, b) => b.depth - a.depth)
  for (const { to, from } of moves) {
    if (to < FIRST_VIRTUAL || from < FIRST_VIRTUAL) {
      if (from >= FIRST_VIRTUAL) roots[find(from - FIRST_VIRTUAL)].hints.push(to)
      else if (to >= FIRST_VIRTUAL) roots[find(to - FIRST_VIRTUAL)].hints.push(from)
      continue
    }
    const a = find(to - FIRST_VIRTUAL)
    const b = find(from - FIRST_VIRTUAL)
    if (a === b) continue
    const [left, right] = [roots[a], roots[b]]
    if (left.float !== right.float) continue
    const [x, y] = [left.pieces[0], right.pieces[0]]
    if (left.remake || right.remake || intersection(x.ranges, y.ranges) !== Infinity) {
      left.hints.push(right)
      right.hints.push(left)
      continue
    }
    parent[b] = a
    x.ranges = mergeRanges(x.ranges, y.ranges)
    const order = [
      ...x.uses.map((use, i) => ({ use, needs: x.needsRegister[i] })),
      ...y.uses.map((use, i) => ({ use, needs: y.needsRegister[i] })),
    ]
    order.sort((one, other) => one.use - other.use)
    x.uses = order.map((entry) => entry.use)
    x.needsRegister = order.map((entry) => entry.needs)
    left.definitions += right.definitions
    left.hints.push(...right.hints)
    if (left.variable < 0) left.variable = right.variable
  }
  for (let index = 0; index < roots.length; index++) roots[index] = roots[find(index)]
}

/** Positions of an instruction's block: used to find where splitting costs least. */
export function instructionAt(fn: MachineFunction, position: number): MachineInstruction | undefined {
  const block = fn.blocks.find((candidate) => candidate.from <= position && position < candidate.to)
  return block?.instructions[(position - block.from) >> 1]
}
