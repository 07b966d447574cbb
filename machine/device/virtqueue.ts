/**
 * A split virtqueue from the device's side (virtio 1.2, section 2.7), indirect descriptors and event indices included.
 * Everything in it is the guest's, so nothing is believed: a ring that breaks the rules is a `QueueError`.
 *
 *     descriptor  16 bytes  {u64 address, u32 length, u16 flags, u16 next}
 *     available   {u16 flags, u16 idx, u16 ring[size], u16 used_event}
 *     used        {u16 flags, u16 idx, {u32 head, u32 written}[size], u16 avail_event}
 */
import { hex } from './access-log.ts'
import type { DeviceState, GuestMemory } from './device.ts'

const DESCRIPTOR_BYTES = 16
const DESCRIPTOR_NEXT = 1
const DESCRIPTOR_WRITE = 2
const DESCRIPTOR_INDIRECT = 4
const AVAILABLE_NO_INTERRUPT = 1

/** The longest indirect table: well above the queue size, to which 2.7.5.3.1 limits a chain. */
const MOST_DESCRIPTORS = 1024

export interface Segment {
  readonly address: number
  readonly length: number
}

/** One buffer that the driver made available. */
export interface Chain {
  readonly head: number
  /** What the device reads, in order. */
  readonly readable: readonly Segment[]
  /** What the device writes, in order, after everything readable (2.7.4.2). */
  readonly writable: readonly Segment[]
}

export class QueueError extends Error {}

export class Virtqueue {
  size: number
  ready = false
  /** The three areas' addresses as {low, high} words, for drivers write them in halves. */
  readonly descriptors = { low: 0, high: 0 }
  readonly available = { low: 0, high: 0 }
  readonly used = { low: 0, high: 0 }
  /** Negotiated features that change the ring. */
  indirect = false
  eventIndex = false
  private lastAvailable = 0
  private usedIndex = 0

  constructor(
    readonly maximum: number,
    private readonly memory: GuestMemory,
  ) {
    this.size = maximum
  }

  reset(): void {
    this.size = this.maximum
    this.ready = false
    for (const area of [this.descriptors, this.available, this.used]) area.low = area.high = 0
    this.lastAvailable = this.usedIndex = 0
  }

  /** Starts the queue with both indices at 0. */
  start(): void {
    if (this.size < 1 || this.size > this.maximum || (this.size & (this.size - 1)) !== 0)
      throw new QueueError(`queue size ${this.size} is not a power of two up to ${this.maximum} (2.7)`)
    this.lastAvailable = this.usedIndex = 0
    this.ready = true
  }

  /** The next available buffer of at most `limit` bytes, or undefined if there is none. */
  pop(limit: number): Chain | undefined {
    if (!this.ready) return undefined
    const available = address(this.available)
    const index = this.read16(available + 2)
    const waiting = (index - this.lastAvailable) & 0xffff
    if (waiting > this.size) throw new QueueError(`${waiting} buffers available in a queue of ${this.size}`)
    if (waiting === 0) return undefined
    const head = this.read16(available + 4 + 2 * (this.lastAvailable % this.size))
    this.lastAvailable = (this.lastAvailable + 1) & 0xffff
    // Asks to be told of the very next buffer (2.7.10).
    if (this.eventIndex) this.write16(address(this.used) + 4 + 8 * this.size, this.lastAvailable)
    return this.walk(head, limit)
  }

  /** Returns a buffer with `written` bytes in it. Says whether the driver wants an interrupt for it (2.7.7.2). */
  push(head: number, written: number): boolean {
    const used = address(this.used)
    const element = new Uint8Array(8)
    const view = new DataView(element.buffer)
    view.setUint32(0, head, true)
    view.setUint32(4, written, true)
    this.write(used + 4 + 8 * (this.usedIndex % this.size), element)
    this.usedIndex = (this.usedIndex + 1) & 0xffff
    this.write16(used + 2, this.usedIndex)
    const available = address(this.available)
    if (!this.eventIndex) return (this.read16(available) & AVAILABLE_NO_INTERRUPT) === 0
    // The index moved by one, so it passed used_event just if it stood there before.
    return this.read16(available + 4 + 2 * this.size) === ((this.usedIndex - 1) & 0xffff)
  }

  save(): DeviceState {
    const { size, ready, indirect, eventIndex, lastAvailable, usedIndex } = this
    const areas = [this.descriptors, this.available, this.used].map((area) => ({ ...area }))
    return { size, ready, indirect, eventIndex, lastAvailable, usedIndex, areas }
  }

  load(state: DeviceState): void {
    const { areas, ...rest } = state
    Object.assign(this, rest)
    const [descriptors, available, used] = areas as { low: number; high: number }[]
    Object.assign(this.descriptors, descriptors)
    Object.assign(this.available, available)
    Object.assign(this.used, used)
  }

  private walk(head: number, limit: number): Chain {
    const readable: Segment[] = []
    const writable: Segment[] = []
    let table = address(this.descriptors)
    let count = this.size
    let index = head
    let total = 0
    let insideIndirect = false
    for (let steps = 0; ; steps++) {
      if (index >= count) throw new QueueError(`descriptor ${index} of a table of ${count}`)
      if (steps >= count) throw new QueueError(`descriptor chain of buffer ${head} is a loop`)
      const view = this.view(table + DESCRIPTOR_BYTES * index, DESCRIPTOR_BYTES)
      const segment = { address: Number(view.getBigUint64(0, true)), length: view.getUint32(8, true) }
      const flags = view.getUint16(12, true)
      if (flags & DESCRIPTOR_INDIRECT) {
        if (!this.indirect) throw new QueueError('indirect descriptor although the feature was not negotiated')
        if (insideIndirect || flags & DESCRIPTOR_NEXT) throw new QueueError('indirect descriptor inside a chain it must end (2.7.5.3.1)')
        count = segment.length / DESCRIPTOR_BYTES
        if (!Number.isInteger(count) || count < 1 || count > MOST_DESCRIPTORS)
          throw new QueueError(`indirect table of ${segment.length} bytes`)
        table = segment.address
        index = 0
        steps = -1
        insideIndirect = true
        continue
      }
      total += segment.length
      if (total > limit) throw new QueueError(`buffer ${head} has more than ${limit} bytes`)
      if (flags & DESCRIPTOR_WRITE) writable.push(segment)
      else if (writable.length > 0) throw new QueueError('readable descriptor after a writable one (2.7.4.2)')
      else readable.push(segment)
      if (!(flags & DESCRIPTOR_NEXT)) return { head, readable, writable }
      index = view.getUint16(14, true)
    }
  }

  private view(at: number, length: number): DataView {
    const bytes = this.memory.read(at, length)
    if (!bytes) throw new QueueError(`${length} bytes at ${hex(at)} are not RAM`)
    return new DataView(bytes.buffer, bytes.byteOffset, length)
  }

  private read16(at: number): number {
    return this.view(at, 2).getUint16(0, true)
  }

  private write16(at: number, value: number): void {
    this.write(at, Uint8Array.of(value & 0xff, value >> 8))
  }

  private write(at: number, bytes: Uint8Array): void {
    if (!this.memory.write(at, bytes)) throw new QueueError(`${bytes.length} bytes at ${hex(at)} are not RAM`)
  }
}

export function segmentBytes(segments: readonly Segment[]): number {
  return segments.reduce((sum, { length }) => sum + length, 0)
}

/** Copies `length` bytes from offset `from` of the segments. They hold that many. */
export function gather(memory: GuestMemory, segments: readonly Segment[], from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  visit(segments, from, length, (at, offset, count) => {
    const part = memory.read(at, count)
    if (!part) throw new QueueError(`buffer of ${count} bytes at ${hex(at)} is not RAM`)
    bytes.set(part, offset)
  })
  return bytes
}

/** Copies `bytes` to offset `from` of the segments. They have that much room. */
export function scatter(memory: GuestMemory, segments: readonly Segment[], from: number, bytes: Uint8Array): void {
  visit(segments, from, bytes.length, (at, offset, count) => {
    if (!memory.write(at, bytes.subarray(offset, offset + count))) throw new QueueError(`buffer of ${count} bytes at ${hex(at)} is not RAM`)
  })
}

function visit(
  segments: readonly Segment[],
  from: number,
  length: number,
  part: (at: number, offset: number, count: number) => void,
): void {
  let skip = from
  let done = 0
  for (const segment of segments) {
    if (done === length) return
    if (skip >= segment.length) {
      skip -= segment.length
      continue
    }
    const count = Math.min(segment.length - skip, length - done)
    part(segment.address + skip, done, count)
    skip = 0
    done += count
  }
}

function address(area: { low: number; high: number }): number {
  return area.high * 2 ** 32 + area.low
}
