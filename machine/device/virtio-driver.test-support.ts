/** The driver's side of a virtio device, as a guest would write it: registers and rings in RAM, nothing else. */
import type { MockMemory } from './testing.test-support.ts'
import type { VirtioMmio } from './virtio-mmio.ts'

export const R = {
  magic: 0x000,
  version: 0x004,
  deviceId: 0x008,
  vendor: 0x00c,
  deviceFeatures: 0x010,
  deviceFeaturesSel: 0x014,
  driverFeatures: 0x020,
  driverFeaturesSel: 0x024,
  guestPageSize: 0x028,
  queueSel: 0x030,
  queueNumMax: 0x034,
  queueNum: 0x038,
  queueAlign: 0x03c,
  queuePfn: 0x040,
  queueReady: 0x044,
  queueNotify: 0x050,
  interruptStatus: 0x060,
  interruptAck: 0x064,
  status: 0x070,
  desc: 0x080,
  driver: 0x090,
  device: 0x0a0,
  generation: 0x0fc,
  config: 0x100,
}

export const INDIRECT = 1 << 28
export const EVENT_IDX = 1 << 29

export interface Piece {
  readonly address: number
  readonly length: number
  readonly write?: boolean
}

export class TestQueue {
  private next = 0
  private seen = 0
  readonly desc: number
  readonly avail: number
  readonly used: number
  private freeDescriptor = 0

  constructor(
    readonly memory: MockMemory,
    readonly base: number,
    readonly size = 8,
  ) {
    this.desc = base
    this.avail = base + 16 * size
    this.used = Math.ceil((this.avail + 6 + 2 * size) / 4096) * 4096
  }

  private get view(): DataView {
    return new DataView(this.memory.bytes.buffer)
  }

  put16(address: number, value: number): void {
    this.view.setUint16(address - this.memory.base, value, true)
  }
  get16(address: number): number {
    return this.view.getUint16(address - this.memory.base, true)
  }
  get32(address: number): number {
    return this.view.getUint32(address - this.memory.base, true)
  }

  describe(table: number, index: number, address: number, length: number, flags: number, next: number): void {
    const at = table + 16 * index - this.memory.base
    this.view.setBigUint64(at, BigInt(address), true)
    this.view.setUint32(at + 8, length, true)
    this.view.setUint16(at + 12, flags, true)
    this.view.setUint16(at + 14, next, true)
  }

  /** Writes a chain and makes it available. Returns its head. */
  offer(pieces: readonly Piece[]): number {
    const indices = pieces.map(() => this.freeDescriptor++ % this.size)
    pieces.forEach(({ address, length, write }, i) => {
      const last = i === pieces.length - 1
      this.describe(this.desc, indices[i], address, length, (write ? 2 : 0) | (last ? 0 : 1), last ? 0 : indices[i + 1])
    })
    this.makeAvailable(indices[0])
    return indices[0]
  }

  makeAvailable(head: number): void {
    this.put16(this.avail + 4 + 2 * (this.next % this.size), head)
    this.next = (this.next + 1) & 0xffff
    this.put16(this.avail + 2, this.next)
  }

  /** Buffers returned since the last call. */
  takeUsed(): { head: number; written: number }[] {
    const returned = []
    for (; this.seen !== this.get16(this.used + 2); this.seen = (this.seen + 1) & 0xffff) {
      const at = this.used + 4 + 8 * (this.seen % this.size)
      returned.push({ head: this.get32(at), written: this.get32(at + 4) })
    }
    return returned
  }
}

export class TestDriver {
  readonly queues: TestQueue[] = []
  constructor(
    readonly device: VirtioMmio,
    readonly memory: MockMemory,
  ) {}

  get(register: number): number {
    return this.device.read(register, 4)
  }
  set(register: number, value: number): void {
    this.device.write(register, value, 4)
  }

  offered(): bigint {
    this.set(R.deviceFeaturesSel, 0)
    const low = this.get(R.deviceFeatures)
    this.set(R.deviceFeaturesSel, 1)
    return BigInt(low) | (BigInt(this.get(R.deviceFeatures)) << 32n)
  }

  accept(features: bigint): void {
    for (const half of [0, 1]) {
      this.set(R.driverFeaturesSel, half)
      this.set(R.driverFeatures, Number((features >> BigInt(32 * half)) & 0xffff_ffffn))
    }
  }

  /** The steps of 3.1.1, with VERSION_1 and the given low features. */
  start(queueCount: number, lowFeatures = 0): this {
    this.set(R.status, 0)
    this.set(R.status, 1)
    this.set(R.status, 3)
    this.accept((1n << 32n) | BigInt(lowFeatures >>> 0))
    this.set(R.status, 11)
    if ((this.get(R.status) & 8) === 0) throw new Error('features refused')
    for (let index = 0; index < queueCount; index++) this.addQueue(index)
    this.set(R.status, 15)
    return this
  }

  addQueue(index: number): TestQueue {
    const queue = new TestQueue(this.memory, this.memory.base + 0x8000 * (index + 1))
    this.queues[index] = queue
    this.set(R.queueSel, index)
    this.set(R.queueNum, queue.size)
    for (const [register, address] of [
      [R.desc, queue.desc],
      [R.driver, queue.avail],
      [R.device, queue.used],
    ]) {
      this.set(register, address % 2 ** 32)
      this.set(register + 4, Math.floor(address / 2 ** 32))
    }
    this.set(R.queueReady, 1)
    return queue
  }

  kick(queue = 0): void {
    this.set(R.queueNotify, queue)
  }
}
