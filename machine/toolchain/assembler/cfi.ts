/** Call frame information as written by `.cfi_*` (DWARF 5, 6.4), as rows for the debug information's writer. */
import type { DebugFrame, DebugFrameRow } from '../object.ts'
import type { Place } from './symbol.ts'

export interface CfiInstruction {
  readonly name: string
  readonly operands: readonly number[]
  readonly place: Place
}

const sp = 2

interface State {
  cfa: { register: number; offset: number }
  saved: Map<number, number>
}

const copy = (state: State): State => ({ cfa: { ...state.cfa }, saved: new Map(state.saved) })

/** The frames that the instructions between each `.cfi_startproc` and `.cfi_endproc` describe. Places must have their addresses. */
export function buildFrames(instructions: readonly CfiInstruction[]): DebugFrame[] {
  const frames: DebugFrame[] = []
  let open: { start: number; rows: DebugFrameRow[]; state: State; stack: State[] } | undefined
  for (const { name, operands, place } of instructions) {
    const address = place.fragment.address + place.offset
    if (name === 'startproc') {
      open = { start: address, rows: [], state: { cfa: { register: sp, offset: 0 }, saved: new Map() }, stack: [] }
    } else if (!open) {
      continue
    } else if (name === 'endproc') {
      frames.push({ section: place.section.name, offset: open.start, size: address - open.start, rows: open.rows })
      open = undefined
      continue
    } else if (name === 'remember_state') {
      open.stack.push(copy(open.state))
    } else if (name === 'restore_state') {
      open.state = open.stack.pop() ?? open.state
    } else {
      apply(open.state, name, operands)
    }
    const row: DebugFrameRow = {
      offset: address - open.start,
      cfa: { ...open.state.cfa },
      saved: [...open.state.saved].map(([register, offset]) => ({ register, offset })),
    }
    if (open.rows.at(-1)?.offset === row.offset) open.rows.pop()
    open.rows.push(row)
  }
  return frames
}

function apply(state: State, name: string, [first, second]: readonly number[]): void {
  switch (name) {
    case 'def_cfa':
      state.cfa = { register: first, offset: second }
      return
    case 'def_cfa_register':
      state.cfa.register = first
      return
    case 'def_cfa_offset':
      state.cfa.offset = first
      return
    case 'adjust_cfa_offset':
      state.cfa.offset += first
      return
    case 'offset':
      state.saved.set(first, second)
      return
    case 'rel_offset':
      state.saved.set(first, second - state.cfa.offset)
      return
    case 'restore':
    case 'same_value':
    case 'undefined':
      state.saved.delete(first)
  }
}
