/**
 * Where the source's variables are. Needs: webs that know their variable, code that knows its positions, offsets of items.
 * Gives: ranges of code with a register or slot for each variable, and the slots that hold variables at a suspension.
 */
import type { Type } from '../ir/ir.ts'
import type { DebugLocation } from '../object.ts'
import type { Intervals } from './build-intervals.ts'
import type { Item } from './encode.ts'
import type { Root } from './interval.ts'
import { FIRST_VIRTUAL, type MachineFunction, type MachineInstruction } from './machine.ts'

export interface EmittedVariable {
  readonly name: string
  readonly type: Type
  readonly parameter: boolean
  readonly ranges: readonly { readonly start: number; readonly end: number; readonly location: DebugLocation }[]
}

/** A variable in a suspended frame: at an offset of the frame, or a constant (bits of a float). */
export interface SuspendedSlot {
  readonly name: string
  readonly type: Type
  readonly offset?: number
  readonly value?: bigint
}

export interface Suspension {
  /** Code offset at which it continues. */
  readonly resume: number
  /** Byte in the wasm module. */
  readonly position: number
  readonly slots: readonly SuspendedSlot[]
}

interface Life {
  readonly start: number
  readonly end: number
  readonly location: DebugLocation
}

/** Ranges of code for every named variable that is in a register or slot anywhere. */
export function variableRanges(
  fn: MachineFunction,
  intervals: Intervals,
  items: readonly Item[],
  codeEnd: number,
  placeOfSlot: (slot: number) => DebugLocation,
): EmittedVariable[] {
  const lives = new Map<number, Life[]>()
  for (const root of new Set(intervals.roots)) {
    if (root.variable < 0 || !fn.variables[root.variable]) continue
    const list = lives.get(root.variable) ?? []
    lives.set(root.variable, list)
    list.push(...livesOf(root, placeOfSlot))
  }
  const code = items.filter((item) => item.at >= 0 && item.size > 0)
  const result: EmittedVariable[] = []
  for (const [variable, list] of [...lives].sort(([a], [b]) => a - b)) {
    // Where two values of a variable are alive, the later one is what it holds.
    list.sort((a, b) => a.start - b.start)
    const ranges: { start: number; end: number; location: DebugLocation }[] = []
    for (const item of code) {
      const life = list.findLast(({ start, end }) => start <= item.at && item.at < end)
      if (!life) continue
      const end = Math.min(item.offset + item.size, codeEnd)
      const last = ranges[ranges.length - 1]
      if (last && last.end === item.offset && last.location === life.location) last.end = end
      else ranges.push({ start: item.offset, end, location: life.location })
    }
    if (ranges.length) result.push({ ...fn.variables[variable]!, ranges })
  }
  return result
}

function livesOf(root: Root, placeOfSlot: (slot: number) => DebugLocation): Life[] {
  return root.pieces.flatMap((piece) => {
    const { register, ranges } = piece
    let location: DebugLocation
    if (register >= 0) location = { kind: 'register', register }
    else if (root.remake && root.remake.op === 'li') location = { kind: 'constant', value: Number(root.remake.value) }
    else if (root.slot >= 0) location = placeOfSlot(root.slot)
    else return []
    const lives: Life[] = []
    for (let at = 0; at < ranges.length; at += 2) lives.push({ start: ranges[at], end: ranges[at + 1], location })
    return lives
  })
}

/** The variables that the frame holds at a suspension. */
export function suspendedSlots(
  fn: MachineFunction,
  intervals: Intervals,
  suspend: MachineInstruction,
  offsetOfSlot: (slot: number) => number,
): SuspendedSlot[] {
  return (suspend.locals ?? []).flatMap(({ variable, register, value }): SuspendedSlot[] => {
    const { name, type } = fn.variables[variable]!
    if (register < 0) return [{ name, type, value }]
    const root = intervals.roots[register - FIRST_VIRTUAL]
    if (root.remake) return [{ name, type, value: root.remake.value }]
    const alive = root.pieces.some((piece) => piece.covers(suspend.at + 1))
    return alive && root.slot >= 0 && root.crossesSuspend ? [{ name, type, offset: offsetOfSlot(root.slot) }] : []
  })
}
