/**
 * The host's end of a serial device: bytes for the guest, each with the cycle from which the device may take it, and
 * the bytes that the guest sent, in batches. A file is pushed at cycle 0, so that the receiver takes it as fast as it
 * has room; terminal input is pushed at the cycle at which it arrived, and a replay pushes it at the recorded cycle.
 */

/** Output is handed on at the latest when this many bytes have gathered. */
const BATCH_BYTES = 65_536

interface Chunk {
  readonly cycle: number
  readonly bytes: Uint8Array
  /** How many of `bytes` were taken. */
  taken: number
}

export interface ConsoleState {
  readonly chunks: readonly Chunk[]
}

export class ConsoleStream {
  private chunks: Chunk[] = []
  private wake: () => void = () => {}
  private readonly batch = new Uint8Array(BATCH_BYTES)
  private batched = 0

  /** `output` receives the guest's bytes when `flush` is called or a batch is full. */
  constructor(private readonly output: (bytes: Uint8Array) => void = () => {}) {}

  // The host's side

  /** Queues input that arrives at `cycle`; a cycle before that of earlier input counts as that one. */
  push(bytes: Uint8Array, cycle = 0): void {
    if (bytes.length === 0) return
    const last = this.chunks[this.chunks.length - 1]
    this.chunks.push({ cycle: last ? Math.max(cycle, last.cycle) : cycle, bytes: bytes.slice(), taken: 0 })
    this.wake()
  }

  /** Hands on the output gathered so far. */
  flush(): void {
    if (this.batched === 0) return
    const bytes = this.batch.slice(0, this.batched)
    this.batched = 0
    this.output(bytes)
  }

  // The device's side

  /** `wake` is called whenever input was queued. */
  onInput(wake: () => void): void {
    this.wake = wake
  }

  /** The cycle from which the next byte may be taken; Infinity while there is none. */
  nextArrival(): number {
    return this.chunks.length === 0 ? Infinity : this.chunks[0].cycle
  }

  /** Takes the next byte: only when `nextArrival()` is finite. */
  take(): number {
    const chunk = this.chunks[0]
    const byte = chunk.bytes[chunk.taken++]
    if (chunk.taken === chunk.bytes.length) this.chunks.shift()
    return byte
  }

  /** Puts back bytes that the guest has not seen, in front of the others. */
  giveBack(bytes: Uint8Array): void {
    if (bytes.length > 0) this.chunks.unshift({ cycle: 0, bytes: bytes.slice(), taken: 0 })
  }

  write(byte: number): void {
    this.batch[this.batched++] = byte
    if (this.batched === BATCH_BYTES) this.flush()
  }

  /** Input not yet taken. The chunks' bytes never change, so they are shared. Output belongs to the host: flush before a snapshot. */
  save(): ConsoleState {
    return { chunks: this.chunks.map((chunk) => ({ ...chunk })) }
  }

  load(state: ConsoleState): void {
    this.chunks = state.chunks.map((chunk) => ({ ...chunk }))
  }
}

/** What a serial device needs of its host's end. */
export type SerialPort = Pick<ConsoleStream, 'onInput' | 'nextArrival' | 'take' | 'giveBack' | 'write' | 'flush' | 'save' | 'load'>
