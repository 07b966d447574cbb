/** The task control block, with which every coroutine frame begins (contracts.md, "Task control block"). */

import type { Type } from '../ir/ir.ts'

/** Numbers of variables' types in `.pollen.frames`; a constant has FRAME_CONSTANT added. */
export const frameVariableTypes: readonly Type[] = ['i32', 'i64', 'f32', 'f64']
export const FRAME_CONSTANT = 16

export interface TaskMember {
  readonly name: string
  readonly offset: number
  /** Bytes. */
  readonly size: 1 | 2 | 4 | 8
}

/** Fields in order of their offset. While a task runs, `result` holds its deferred calls (low half) and the task it awaits (high half). */
export const taskHeaderMembers: readonly TaskMember[] = [
  { name: 'resume', offset: 0, size: 4 },
  { name: 'state', offset: 4, size: 1 },
  { name: 'priority', offset: 5, size: 1 },
  { name: 'flags', offset: 6, size: 2 },
  { name: 'owner', offset: 8, size: 4 },
  { name: 'continuation', offset: 12, size: 4 },
  { name: 'request', offset: 16, size: 8 },
  { name: 'result', offset: 24, size: 8 },
  { name: 'frame_type', offset: 32, size: 4 },
  { name: 'queue_link', offset: 36, size: 4 },
  { name: 'home_hart', offset: 40, size: 2 },
  { name: 'saved_stack', offset: 44, size: 4 },
]

/** The name of a coroutine's frame as a type: `main/Counter#add` gives `Counter_add$frame`. */
export function frameStructName(symbol: string): string {
  return `${symbol.slice(symbol.lastIndexOf('/') + 1).replace(/[^\w$]+/g, '_')}$frame`
}
