/** Trace events: 32 bytes each (machine/isa/trace-kinds.ts), written only when their kind is asked for. */
import { GLOBAL, G_TRACE_COUNT, G_TRACE_MASK_HIGH, G_TRACE_MASK_LOW, H_ID, H_PRIVILEGE, TRACE_BUFFER, TRACE_CAPACITY } from '../layout'
import { drainTrace } from './host'
import { clock } from './state'

export const enum Kind {
  trap = 64,
  trapReturn = 65,
  satp = 66,
  wfi = 67,
  wfiEnd = 68,
  mmioRead = 69,
  mmioWrite = 70,
}

@inline export function tracing(kind: u32): bool {
  return kind < 64
    ? ((load<u64>(GLOBAL + G_TRACE_MASK_LOW) >>> kind) & 1) != 0
    : ((load<u64>(GLOBAL + G_TRACE_MASK_HIGH) >>> (kind - 64)) & 1) != 0
}

/** Records an event at the hart's clock. Call only when `tracing(kind)`. */
export function emit(h: usize, kind: u32, a: u64, b: u64): void {
  let count = load<u32>(GLOBAL + G_TRACE_COUNT)
  if (count == TRACE_CAPACITY) {
    drainTrace()
    count = load<u32>(GLOBAL + G_TRACE_COUNT)
  }
  const at = TRACE_BUFFER + <usize>count * 32
  store<i64>(at, clock(h))
  store<u64>(at, a, 8)
  store<u64>(at, b, 16)
  store<u8>(at, load<u32>(h, H_ID), 24)
  store<u8>(at, load<u32>(h, H_PRIVILEGE), 25)
  store<u16>(at, kind, 26)
  store<u32>(at, 0, 28)
  store<u32>(GLOBAL + G_TRACE_COUNT, count + 1)
}
