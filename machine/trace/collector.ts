/** Takes trace events from the core's buffer: hashes them, counts them, hands them on. */
import { EVENT_BYTES, NO_HART } from '../isa/trace-kinds.ts'
import type { HartCore } from '../hart/core.ts'
import * as L from '../hart/layout.ts'

/** Receives events in order, as 32-byte records; the bytes are only valid during the call. */
export type TraceSink = (events: Uint8Array) => void

export class TraceCollector {
  private sinks: TraceSink[] = []
  private hashLow = 0x811c9dc5
  private hashHigh = 0x01000193
  /** Events taken so far. */
  count = 0

  constructor(private readonly core: HartCore) {}

  /** Chooses which kinds are recorded; none by default, which costs nothing. */
  enable(kinds: readonly number[]): void {
    let low = 0n
    let high = 0n
    for (const kind of kinds) {
      if (kind < 64) low |= 1n << BigInt(kind)
      else high |= 1n << BigInt(kind - 64)
    }
    this.core.setGlobal64(L.G_TRACE_MASK_LOW, low)
    this.core.setGlobal64(L.G_TRACE_MASK_HIGH, high)
  }

  /** Adds a receiver; the result removes it. */
  subscribe(sink: TraceSink): () => void {
    this.sinks.push(sink)
    return () => (this.sinks = this.sinks.filter((other) => other !== sink))
  }

  /** True when events of a kind are recorded. */
  enabled(kind: number): boolean {
    const at = kind < 64 ? L.G_TRACE_MASK_LOW : L.G_TRACE_MASK_HIGH
    return ((this.core.global32(at + (kind & 32 ? 4 : 0)) >>> (kind & 31)) & 1) !== 0
  }

  /** Adds an event that a device causes, behind those of the harts so far. */
  record(kind: number, cycle: number, a: bigint, b: bigint): void {
    if (!this.enabled(kind)) return
    if (this.core.global32(L.G_TRACE_COUNT) === L.TRACE_CAPACITY) this.drain()
    const count = this.core.global32(L.G_TRACE_COUNT)
    const at = L.TRACE_BUFFER + count * EVENT_BYTES
    const { view } = this.core
    view.setBigUint64(at, BigInt(cycle), true)
    view.setBigUint64(at + 8, a, true)
    view.setBigUint64(at + 16, b, true)
    view.setBigUint64(at + 24, BigInt(NO_HART | (kind << 16)), true)
    this.core.setGlobal32(L.G_TRACE_COUNT, count + 1)
  }

  /** Takes what has gathered. */
  drain(): void {
    const count = this.core.global32(L.G_TRACE_COUNT)
    if (count === 0) return
    const start = L.TRACE_BUFFER >>> 2
    const words = this.core.words
    let low = this.hashLow
    let high = this.hashHigh
    for (let i = start; i < start + count * 8; i++) {
      low = Math.imul(low ^ words[i], 0x01000193)
      high = Math.imul(high ^ words[i] ^ (low >>> 15), 0x85ebca6b)
    }
    this.hashLow = low
    this.hashHigh = high
    this.count += count
    const events = this.core.bytes.subarray(L.TRACE_BUFFER, L.TRACE_BUFFER + count * EVENT_BYTES)
    for (const sink of this.sinks) sink(events)
    this.core.setGlobal32(L.G_TRACE_COUNT, 0)
  }

  /** A hash of all events so far, in hexadecimal: equal runs have equal hashes. */
  get hash(): string {
    this.drain()
    return ((this.hashHigh >>> 0).toString(16).padStart(8, '0') + (this.hashLow >>> 0).toString(16).padStart(8, '0')).toLowerCase()
  }

  save(): { low: number; high: number; count: number } {
    this.drain()
    return { low: this.hashLow, high: this.hashHigh, count: this.count }
  }

  load(state: { low: number; high: number; count: number }): void {
    this.core.setGlobal32(L.G_TRACE_COUNT, 0)
    this.hashLow = state.low
    this.hashHigh = state.high
    this.count = state.count
  }
}
