/**
 * Trace event kinds: the one table read by the board, the kernel build, the charts and the exporter.
 * Kinds 0..63 are the guest's (one custom CSR each, 0x800 + kind); kinds from 64 on are what the board itself sees.
 * An event is 32 bytes: cycle u64, a u64, b u64, hart u8, privilege u8, kind u16, reserved u32.
 */
export interface TraceKind {
  readonly kind: number
  readonly name: string
  /** What the operands mean. For guest kinds b is always the current request id (CSR 0x840). */
  readonly a: string
  readonly b: string
}

/** Writing CSR `GUEST_TRACE_CSR + kind` emits an event with operand a = the value written. */
export const GUEST_TRACE_CSR = 0x800
/** Holds the id of the request on whose behalf the hart runs. */
export const REQUEST_ID_CSR = 0x840
export const GUEST_KIND_COUNT = 64
export const EVENT_BYTES = 32
/** The hart of events that devices cause. */
export const NO_HART = 255

const request = 'request id'

export const traceKinds: readonly TraceKind[] = [
  { kind: 0, name: 'mark', a: 'any value', b: request },
  { kind: 1, name: 'task-switch', a: 'task id', b: request },
  { kind: 2, name: 'task-name', a: 'up to 8 bytes of the name, little-endian; chunks follow each other', b: request },
  { kind: 3, name: 'task-create', a: 'task id', b: request },
  { kind: 4, name: 'task-exit', a: 'task id', b: request },
  { kind: 5, name: 'poll-begin', a: 'task id', b: request },
  { kind: 6, name: 'poll-end', a: '0 pending, 1 ready', b: request },
  { kind: 7, name: 'wake', a: 'task id', b: request },
  { kind: 8, name: 'suspend', a: 'frame type', b: request },
  { kind: 9, name: 'resume', a: 'frame type', b: request },
  { kind: 10, name: 'request-begin', a: 'request class', b: request },
  { kind: 11, name: 'request-end', a: 'result', b: request },
  { kind: 12, name: 'submit', a: 'ring id << 32 | operation', b: request },
  { kind: 13, name: 'dequeue', a: 'ring id << 32 | operation', b: request },
  { kind: 14, name: 'complete', a: 'ring id << 32 | result', b: request },
  { kind: 15, name: 'reap', a: 'ring id << 32 | result', b: request },
  { kind: 16, name: 'driver-begin', a: 'device id', b: request },
  { kind: 17, name: 'driver-end', a: 'device id', b: request },
  { kind: 18, name: 'syscall-begin', a: 'system call number', b: request },
  { kind: 19, name: 'syscall-end', a: 'result', b: request },
  { kind: 20, name: 'span-begin', a: 'span id', b: request },
  { kind: 21, name: 'span-end', a: 'span id', b: request },
  { kind: 22, name: 'ring-depth', a: 'ring id << 32 | entries in flight', b: request },
  { kind: 23, name: 'sample', a: 'value in cycles', b: request },
  { kind: 64, name: 'trap', a: 'cause (mcause form, interrupt bit 63)', b: 'pc' },
  { kind: 65, name: 'trap-return', a: 'privilege returned to', b: 'pc' },
  { kind: 66, name: 'satp', a: 'value written', b: 'pc' },
  { kind: 67, name: 'wfi', a: '0', b: 'pc' },
  { kind: 68, name: 'wfi-end', a: 'cycles waited', b: 'pc' },
  { kind: 69, name: 'mmio-read', a: 'physical address | size << 56', b: 'value' },
  { kind: 70, name: 'mmio-write', a: 'physical address | size << 56', b: 'value' },
  { kind: 71, name: 'dma-read', a: 'physical address', b: 'bytes' },
  { kind: 72, name: 'dma-write', a: 'physical address', b: 'bytes' },
  { kind: 73, name: 'interrupt-line', a: 'PLIC source << 1 | level', b: '0' },
]
