// Owns what the kernel says of itself in traces (machine/isa/trace-kinds.ts has the kinds): which activity a hart runs, under which name, for
// which request. A task is known by its activity, so that a thread keeps one track whatever coroutines it is made of. Costs no cycle.
import { Csr } from '../../arch/csr'
import { Hart, hasTrace } from '../hart'

export namespace Trace {
  export const taskSwitch: u32 = 1
  export const taskName: u32 = 2
  export const taskCreate: u32 = 3
  export const taskExit: u32 = 4
  export const pollBegin: u32 = 5
  export const pollEnd: u32 = 6
  export const wake: u32 = 7
  export const requestBegin: u32 = 10
  export const requestEnd: u32 = 11
  export const dequeue: u32 = 13
  export const complete: u32 = 14
  export const callBegin: u32 = 18
  export const callEnd: u32 = 19
}

/** A new activity, with a name of at least 16 bytes, padded by zeros. */
export function traceActivity(activity: u32, name: usize): void {
  if (!hasTrace) return
  trace.emit(Trace.taskCreate, activity)
  trace.emit(Trace.taskName, load<u64>(name))
  if (load<u64>(name, 8) != 0) trace.emit(Trace.taskName, load<u64>(name, 8))
}

/** From here on the hart works for a request; 0 for none. Tasks made meanwhile inherit it. */
@inline export function workFor(hart: Hart, request: u64): void {
  hart.request = request
  if (hasTrace) cpu.csrWrite(Csr.requestId, request)
}
