/**
 * The task control block, with which every coroutine frame begins (contracts.md, "Task control block"), and how a task and its
 * awaiter meet, on whatever harts they run.
 *
 * `continuation` decides it, and after a task has suspended once it is only changed by atomic swaps (aq and rl):
 *
 *     0 nobody yet   1 ended without ever suspending   2 ended   3 detached   else the awaiter's frame
 *
 * Await: 1 means the result is there. Otherwise the awaiter saves its registers and its resume address, and only then
 * swaps itself in (`co.suspendUntil`); what comes out tells whether it has to stop (0) or may go on at once (2).
 * So nobody can resume an awaiter that has not suspended yet.
 *
 * End: the result and the state are stored first. A task that has never suspended (its resume address is 0) is known to nobody
 * but its caller, and stores 1. Any other swaps 2 in (`co.exchange`); what comes out is the awaiter to wake, 3 (the task frees itself),
 * or 0. The awaiter is put back for debuggers and for cancel, since whoever awaits does not look before it is woken.
 *
 * Detach: swaps 3 in; whoever finds that the task has ended already frees it. Whoever holds a promise polls `continuation`,
 * not `state`, which is there before the frame may be freed. `cancel` is not part of this: the caller makes sure that neither the
 * task nor what it awaits runs or ends meanwhile. Where `__wake` resumes or queues the awaiter is the program's choice.
 */

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

/** What `continuation` holds when it is no awaiter. */
export const continuations = { none: 0, endedAtOnce: 1, ended: 2, detached: 3 } as const

export const CONTINUATION_OFFSET = 12

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
