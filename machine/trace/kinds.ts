/** Event kinds by number and name, from the one table, and the record they arrive in. */
import { EVENT_BYTES, traceKinds } from '../isa/trace-kinds.ts'

/** Everything that can be recorded. */
export const boardTraceKinds: readonly number[] = traceKinds.map(({ kind }) => kind)

const names = new Map(traceKinds.map(({ kind, name }) => [kind, name]))
const numbers = new Map(traceKinds.map(({ kind, name }) => [name, kind]))

export function traceKindName(kind: number): string {
  return names.get(kind) ?? `kind ${kind}`
}

/** @throws Error for a name that is not in the table. */
export function traceKind(name: string): number {
  const kind = numbers.get(name)
  if (kind === undefined) throw new Error(`no trace kind is called ${name}`)
  return kind
}

export interface TraceEvent {
  readonly cycle: number
  readonly hart: number
  readonly privilege: number
  readonly kind: number
  readonly a: bigint
  readonly b: bigint
}

/** The events of a buffer of 32-byte records, in order. */
export function* traceEvents(records: Uint8Array): Generator<TraceEvent> {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength)
  for (let at = 0; at + EVENT_BYTES <= records.length; at += EVENT_BYTES) {
    yield {
      cycle: view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32,
      a: view.getBigUint64(at + 8, true),
      b: view.getBigUint64(at + 16, true),
      hart: view.getUint8(at + 24),
      privilege: view.getUint8(at + 25),
      kind: view.getUint16(at + 26, true),
    }
  }
}

const INTERRUPT = 1n << 63n

const EXCEPTIONS: Readonly<Record<number, string>> = {
  0: 'instruction address misaligned',
  1: 'instruction access fault',
  2: 'illegal instruction',
  3: 'breakpoint',
  4: 'load address misaligned',
  5: 'load access fault',
  6: 'store address misaligned',
  7: 'store access fault',
  8: 'call from user mode',
  9: 'call from supervisor mode',
  11: 'call from machine mode',
  12: 'instruction page fault',
  13: 'load page fault',
  15: 'store page fault',
}

const INTERRUPTS: Readonly<Record<number, string>> = {
  0: 'user software interrupt',
  1: 'supervisor software interrupt',
  3: 'machine software interrupt',
  4: 'user timer interrupt',
  5: 'supervisor timer interrupt',
  7: 'machine timer interrupt',
  8: 'user external interrupt',
  9: 'supervisor external interrupt',
  11: 'machine external interrupt',
}

/** A cause register in words (Privileged 1.12, table 3.6). */
export function causeName(cause: bigint): string {
  const code = Number(cause & ~INTERRUPT)
  return (cause & INTERRUPT ? INTERRUPTS[code] : EXCEPTIONS[code]) ?? `${cause & INTERRUPT ? 'interrupt' : 'exception'} ${code}`
}
