/**
 * Writes the allocation into the code. Needs: every piece in a register or in memory. Gives: machine code over real
 * registers, with moves where a value changes its place, `slot.load`/`slot.store` for memory, and no parallel moves.
 */
import { intersection, type Interval, type Root } from './interval.ts'
import type { Intervals } from './build-intervals.ts'
import type { Liveness } from './liveness.ts'
import {
  FIRST_FLOAT,
  FIRST_VIRTUAL,
  floatScratch,
  forEachDefinition,
  MachineInstruction,
  scratch,
  type MachineBlock,
  type MachineFunction,
} from './machine.ts'

/** A place: a register, FIRST_VIRTUAL + slot, or a constant to be made again. */
type Place = number | { readonly op: string; readonly value: bigint }

interface PlaceMove {
  to: number
  from: Place
  float: boolean
}

export interface Assignment {
  /** Number of 8-byte slots in the stack frame. */
  readonly stackSlots: number
  /** Number of 8-byte slots in the coroutine frame; they follow the stack's in numbering. */
  readonly frameSlots: number
}

/** Second scratch register: memory to memory, while `scratch` may hold the value that breaks a cycle. */
const copyScratch = 30

/** Rewrites the function in place. */
export function assign(fn: MachineFunction, intervals: Intervals, liveness: Liveness): Assignment {
  const roots = [...new Set(intervals.roots)]
  const assignment = assignSlots(roots)
  const before = new Map<number, PlaceMove[]>()
  const starts = new Set(fn.blocks.map((block) => block.from))
  for (const root of roots) {
    root.pieces = root.pieces.filter((piece) => piece.ranges.length > 0)
    if (root.pieces.length < 2) continue
    root.pieces.sort((a, b) => a.start - b.start)
    for (let i = 1; i < root.pieces.length; i++) {
      const [previous, piece] = [root.pieces[i - 1], root.pieces[i]]
      if (previous.end !== piece.start || starts.has(piece.start) || piece.inMemory) continue
      const list = before.get(piece.start) ?? []
      before.set(piece.start, list)
      list.push({ to: piece.register, from: placeOf(previous), float: root.float })
    }
  }
  const rewriter = new Rewriter(intervals)
  for (const block of fn.blocks) rewriter.block(block, before)
  resolveEdges(fn, intervals, liveness)
  return assignment
}

function placeOf(piece: Interval): Place {
  if (piece.register >= 0) return piece.register
  return piece.root.remake ?? FIRST_VIRTUAL + piece.root.slot
}

/** Webs whose lives do not meet share a slot; those that cross a suspension live in the coroutine frame. */
function assignSlots(roots: readonly Root[]): Assignment {
  const needing = roots.filter((root) => root.pieces.some((piece) => piece.inMemory) && !root.remake)
  const color = (members: readonly Root[], first: number): number => {
    const slots: number[][][] = []
    for (const root of members) {
      const ranges = root.pieces.map((piece) => piece.ranges)
      let slot = slots.findIndex((taken) => taken.every((other) => ranges.every((own) => intersection(other, own) === Infinity)))
      if (slot < 0) slot = slots.push([]) - 1
      slots[slot].push(...ranges)
      root.slot = first + slot
    }
    return slots.length
  }
  const stackSlots = color(
    needing.filter((root) => !root.crossesSuspend),
    0,
  )
  const frameSlots = color(
    needing.filter((root) => root.crossesSuspend),
    stackSlots,
  )
  return { stackSlots, frameSlots }
}

class Rewriter {
  constructor(private readonly intervals: Intervals) {}

  block(block: MachineBlock, before: Map<number, PlaceMove[]>): void {
    const result: MachineInstruction[] = []
    block.instructions.forEach((instruction, index) => {
      const at = block.from + 2 * index
      const first = result.length
      const moves = before.get(at)
      if (moves) result.push(...sequence(moves, instruction.position))
      const stores: MachineInstruction[] = []
      forEachDefinition(instruction, (register) => {
        if (register < FIRST_VIRTUAL) return
        const root = this.root(register)
        const place = root.at(instruction.early ? at : at + 1).register
        if (root.slot >= 0 && place >= 0) stores.push(slotAccess('slot.store', place, root.slot, instruction.position))
      })
      if (instruction.op === 'parallel') {
        const parallel = instruction.moves!.map((move): PlaceMove => {
          const float = move.to >= FIRST_VIRTUAL ? this.root(move.to).float : move.to >= FIRST_FLOAT
          return {
            to: this.target(move.to, at + 1),
            from: move.from < 0 ? { op: 'li', value: move.value! } : this.place(move.from, at),
            float,
          }
        })
        result.push(...sequence(parallel, instruction.position))
      } else {
        this.rewrite(instruction, at)
        result.push(instruction)
      }
      result.push(...stores)
      for (let place = first; place < result.length; place++) result[place].at = at
    })
    block.instructions = result
  }

  private root(register: number): Root {
    return this.intervals.roots[register - FIRST_VIRTUAL]
  }

  private place(register: number, at: number): Place {
    return register < FIRST_VIRTUAL ? register : placeOf(this.root(register).at(at))
  }

  private target(register: number, at: number): number {
    return this.place(register, at) as number
  }

  private rewrite(instruction: MachineInstruction, at: number): void {
    const use = (register: number): number => {
      const place = this.place(register, at)
      if (typeof place !== 'number' || place >= FIRST_VIRTUAL)
        throw new Error(`${instruction.op} at ${at}: an operand is not in a register`)
      return place
    }
    if (instruction.rs1 >= 0) instruction.rs1 = use(instruction.rs1)
    if (instruction.rs2 >= 0) instruction.rs2 = use(instruction.rs2)
    if (instruction.rs3 >= 0) instruction.rs3 = use(instruction.rs3)
    if (instruction.temps) instruction.temps = instruction.temps.map(use)
    if (instruction.rd >= 0) instruction.rd = this.target(instruction.rd, instruction.early ? at : at + 1)
  }
}

function slotAccess(op: string, register: number, slot: number, position: number): MachineInstruction {
  const made = new MachineInstruction(op, position)
  if (op === 'slot.load') made.rd = register
  else made.rs2 = register
  made.imm = slot
  return made
}

/** Simultaneous moves, one after another. */
export function sequence(moves: readonly PlaceMove[], position: number): MachineInstruction[] {
  const result: MachineInstruction[] = []
  const pending = moves.filter((move) => move.to !== move.from)
  const emit = (to: number, from: Place, float: boolean): void => {
    const make = (op: string, rd: number): MachineInstruction => {
      const made = new MachineInstruction(op, position)
      made.rd = rd
      result.push(made)
      return made
    }
    if (typeof from !== 'number') {
      if (to < FIRST_VIRTUAL) make(from.op, to).value = from.value
      else {
        // A float in a wider slot is boxed (Unprivileged, 12.2).
        make('li', copyScratch).value = from.op === 'fli.s' ? from.value | 0xffff_ffff_0000_0000n : from.value
        result.push(slotAccess('slot.store', copyScratch, to - FIRST_VIRTUAL, position))
      }
    } else if (from < FIRST_VIRTUAL && to < FIRST_VIRTUAL) make(float ? 'fmv' : 'mv', to).rs1 = from
    else if (to < FIRST_VIRTUAL) result.push(slotAccess('slot.load', to, from - FIRST_VIRTUAL, position))
    else if (from < FIRST_VIRTUAL) result.push(slotAccess('slot.store', from, to - FIRST_VIRTUAL, position))
    else {
      result.push(slotAccess('slot.load', copyScratch, from - FIRST_VIRTUAL, position))
      result.push(slotAccess('slot.store', copyScratch, to - FIRST_VIRTUAL, position))
    }
  }
  // Constants read nothing: they come last, when nothing needs their target's old value.
  const constants = pending.filter((move) => typeof move.from !== 'number')
  const real = pending.filter((move) => typeof move.from === 'number')
  while (real.length) {
    const ready = real.findIndex((move) => !real.some((other) => other !== move && other.from === move.to))
    if (ready >= 0) {
      const [move] = real.splice(ready, 1)
      emit(move.to, move.from, move.float)
      continue
    }
    // Everything waits for something, so going from a move to one that waits for it ends in a cycle: put a value of it aside.
    let move = real[0]
    for (const seen = new Set<PlaceMove>(); !seen.has(move);) {
      seen.add(move)
      move = real.find((other) => other !== move && other.from === move.to)!
    }
    const { to, float } = move
    const aside = float ? floatScratch : scratch
    emit(aside, to, float)
    for (const other of real) if (other.from === to) other.from = aside
  }
  for (const move of constants) emit(move.to, move.from, move.float)
  return result
}

/** Where a value's place at the end of a block differs from the one its successor expects, moves go on the edge. */
function resolveEdges(fn: MachineFunction, intervals: Intervals, liveness: Liveness): void {
  for (const block of fn.blocks) {
    for (const successor of block.successors) {
      const moves: PlaceMove[] = []
      const seen = new Set<Root>()
      liveness.liveIn.get(successor)!.forEach((index) => {
        const root = intervals.roots[index]
        if (root.pieces.length < 2 || seen.has(root)) return
        seen.add(root)
        const to = root.at(successor.from)
        const from = root.at(block.to - 1)
        if (to === from || to.inMemory) return
        const place = placeOf(from)
        if (place !== to.register) moves.push({ to: to.register, from: place, float: root.float })
      })
      if (moves.length === 0) continue
      if (block.successors.length === 1) block.instructions.splice(block.instructions.length - 1, 0, ...sequence(moves, -1))
      else successor.instructions.unshift(...sequence(moves, -1))
    }
  }
}
