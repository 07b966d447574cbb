/**
 * The memory-mapped virtio transport (virtio 1.2, section 4.2): registers, feature negotiation, queue set-up and
 * interrupts of one device. What the device does is a `VirtioModel`. Version 2 unless the board asks for legacy (4.2.4).
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Device, DeviceLog, DeviceState, GuestMemory, InterruptLine } from './device.ts'
import { type Chain, QueueError, Virtqueue } from './virtqueue.ts'

const MAGIC_VALUE = 0x000
const VERSION = 0x004
const DEVICE_ID = 0x008
const VENDOR_ID = 0x00c
const DEVICE_FEATURES = 0x010
const DEVICE_FEATURES_SEL = 0x014
const DRIVER_FEATURES = 0x020
const DRIVER_FEATURES_SEL = 0x024
const GUEST_PAGE_SIZE = 0x028 // legacy
const QUEUE_SEL = 0x030
const QUEUE_NUM_MAX = 0x034
const QUEUE_NUM = 0x038
const QUEUE_ALIGN = 0x03c // legacy
const QUEUE_PFN = 0x040 // legacy
const QUEUE_READY = 0x044
const QUEUE_NOTIFY = 0x050
const INTERRUPT_STATUS = 0x060
const INTERRUPT_ACK = 0x064
const STATUS = 0x070
const QUEUE_DESC_LOW = 0x080
const QUEUE_DESC_HIGH = 0x084
const QUEUE_DRIVER_LOW = 0x090
const QUEUE_DRIVER_HIGH = 0x094
const QUEUE_DEVICE_LOW = 0x0a0
const QUEUE_DEVICE_HIGH = 0x0a4
const SHM_SEL = 0x0ac
const SHM_LEN_LOW = 0x0b0
const SHM_LEN_HIGH = 0x0b4
const SHM_BASE_LOW = 0x0b8
const SHM_BASE_HIGH = 0x0bc
const CONFIG_GENERATION = 0x0fc
const CONFIG = 0x100

const MAGIC = 0x7472_6976 // 'virt'
/** xv6 refuses any vendor but QEMU's. */
const VENDOR = 0x554d_4551

const STATUS_DRIVER_OK = 4
const STATUS_FEATURES_OK = 8
const STATUS_NEEDS_RESET = 64

const INTERRUPT_USED = 1
const INTERRUPT_CONFIG = 2

export const VIRTIO_F_ANY_LAYOUT = 1n << 27n // legacy only: any framing of requests is understood
export const VIRTIO_F_INDIRECT_DESC = 1n << 28n
export const VIRTIO_F_EVENT_IDX = 1n << 29n
export const VIRTIO_F_VERSION_1 = 1n << 32n

const LEGACY_FEATURES = 0xffff_ffffn

/** What a virtio device does behind its transport. */
export interface VirtioModel {
  /** The number of section 5; 0 says that the slot is empty. */
  readonly deviceId: number
  /** The device's own feature bits. */
  readonly features: bigint
  /** The largest size of each queue. */
  readonly queueSizes: readonly number[]
  /** The configuration space as it is now. */
  readonly config: Uint8Array
  /** Called once, before anything else. */
  attach(transport: VirtioTransport): void
  /** The driver has made buffers available in a queue. */
  notify(queue: number): void
  writeConfig(offset: number, value: number, size: AccessSize): void
  /** Forgets all requests of a queue: it was stopped or the device reset. They are not answered. */
  abandon(queue: number): void
  save(): DeviceState
  load(state: DeviceState): void
}

/** What the transport does for its model. */
export interface VirtioTransport {
  readonly memory: GuestMemory
  readonly log: DeviceLog
  readonly name: string
  /** The next available buffer of at most `limit` bytes; undefined if there is none or the device is broken. */
  pop(queue: number, limit: number): Chain | undefined
  /** Returns a buffer with `written` bytes in it and interrupts the driver if it wants that. */
  push(queue: number, chain: Chain, written: number): void
  /** Was the feature negotiated? */
  has(feature: bigint): boolean
  /** Runs what touches the guest's rings and buffers; a `QueueError` in it breaks the device until it is reset. */
  guarded(action: () => void): void
}

export interface VirtioMmioOptions {
  readonly memory: GuestMemory
  readonly line: InterruptLine
  readonly log: DeviceLog
  readonly legacy?: boolean
}

export class VirtioMmio implements Device, VirtioTransport {
  readonly memory: GuestMemory
  readonly log: DeviceLog
  private readonly legacy: boolean
  private readonly line: InterruptLine
  private readonly queues: readonly Virtqueue[]
  private readonly offered: bigint
  private status = 0
  private accepted = 0n
  private deviceFeaturesSel = 0
  private driverFeaturesSel = 0
  private queueSel = 0
  private interruptStatus = 0
  private configGeneration = 0
  private guestPageSize = 4096
  private queueAlign = 4096
  private readonly unknown: AccessLog

  constructor(
    readonly name: string,
    private readonly model: VirtioModel,
    options: VirtioMmioOptions,
  ) {
    this.memory = options.memory
    this.log = options.log
    this.line = options.line
    this.legacy = options.legacy ?? false
    this.unknown = new AccessLog(name, options.log)
    this.queues = model.queueSizes.map((size) => new Virtqueue(size, options.memory))
    const ring = VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX
    this.offered = model.deviceId === 0 ? 0n : model.features | ring | (this.legacy ? VIRTIO_F_ANY_LAYOUT : VIRTIO_F_VERSION_1)
    if (this.legacy) this.offered &= LEGACY_FEATURES
    model.attach(this)
  }

  read(offset: number, size: AccessSize): number {
    if (offset >= CONFIG) return this.readConfig(offset - CONFIG, size)
    // All registers below the configuration space are 32 bits wide (4.2.2.2).
    if (size !== 4) return this.unknown.unknownRead(offset, size)
    switch (offset) {
      case MAGIC_VALUE:
        return MAGIC
      case VERSION:
        return this.legacy ? 1 : 2
      case DEVICE_ID:
        return this.model.deviceId
      case VENDOR_ID:
        return VENDOR
      case DEVICE_FEATURES:
        return this.deviceFeaturesSel > 1 ? 0 : word(this.offered, this.deviceFeaturesSel)
      case QUEUE_NUM_MAX:
        return this.queue()?.maximum ?? 0
      case QUEUE_READY:
        if (this.legacy) break
        return this.queue()?.ready ? 1 : 0
      case QUEUE_PFN:
        if (!this.legacy) break
        return this.queue()?.ready ? Math.floor(this.queue()!.descriptors.low / this.guestPageSize) : 0
      case INTERRUPT_STATUS:
        return this.interruptStatus
      case STATUS:
        return this.status
      case CONFIG_GENERATION:
        return this.configGeneration
      case SHM_LEN_LOW: // no shared memory: all ones (4.2.2)
      case SHM_LEN_HIGH:
      case SHM_BASE_LOW:
      case SHM_BASE_HIGH:
        return 0xffff_ffff
    }
    return this.unknown.unknownRead(offset, size)
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (offset >= CONFIG) return this.model.writeConfig(offset - CONFIG, value, size)
    if (size !== 4) return this.unknown.unknownWrite(offset, value, size)
    switch (offset) {
      case DEVICE_FEATURES_SEL:
        this.deviceFeaturesSel = value
        return
      case DRIVER_FEATURES_SEL:
        this.driverFeaturesSel = value
        return
      case DRIVER_FEATURES:
        return this.acceptFeatures(value)
      case QUEUE_SEL:
        this.queueSel = value
        return
      case QUEUE_NUM:
        return this.setUp((queue) => (queue.size = value))
      case QUEUE_NOTIFY:
        return this.notify(value & 0xffff)
      case INTERRUPT_ACK:
        this.interruptStatus &= ~value
        return this.update()
      case STATUS:
        return this.setStatus(value & 0xff)
      case SHM_SEL:
        return
    }
    if (this.legacy) {
      switch (offset) {
        case GUEST_PAGE_SIZE:
          if (isPowerOfTwo(value)) this.guestPageSize = value
          return
        case QUEUE_ALIGN:
          if (isPowerOfTwo(value)) this.queueAlign = value
          return
        case QUEUE_PFN:
          return value === 0 ? this.stopQueue() : this.startLegacyQueue(value)
      }
    } else {
      switch (offset) {
        case QUEUE_READY:
          return (value & 1) === 0 ? this.stopQueue() : this.setUp((queue) => this.startQueue(queue))
        case QUEUE_DESC_LOW:
          return this.setUp((queue) => (queue.descriptors.low = value))
        case QUEUE_DESC_HIGH:
          return this.setUp((queue) => (queue.descriptors.high = value))
        case QUEUE_DRIVER_LOW:
          return this.setUp((queue) => (queue.available.low = value))
        case QUEUE_DRIVER_HIGH:
          return this.setUp((queue) => (queue.available.high = value))
        case QUEUE_DEVICE_LOW:
          return this.setUp((queue) => (queue.used.low = value))
        case QUEUE_DEVICE_HIGH:
          return this.setUp((queue) => (queue.used.high = value))
      }
    }
    this.unknown.unknownWrite(offset, value, size)
  }

  save(): DeviceState {
    const { status, accepted, deviceFeaturesSel, driverFeaturesSel, queueSel, interruptStatus, configGeneration } = this
    return {
      ...{ status, accepted, deviceFeaturesSel, driverFeaturesSel, queueSel, interruptStatus, configGeneration },
      guestPageSize: this.guestPageSize,
      queueAlign: this.queueAlign,
      queues: this.queues.map((queue) => queue.save()),
      model: this.model.save(),
    }
  }

  load(state: DeviceState): void {
    const { queues, model, ...rest } = state
    Object.assign(this, rest)
    for (const [index, queue] of (queues as DeviceState[]).entries()) this.queues[index].load(queue)
    this.model.load(model as DeviceState)
  }

  // For the model

  pop(queue: number, limit: number): Chain | undefined {
    let chain: Chain | undefined
    if (this.alive()) this.guarded(() => (chain = this.queues[queue].pop(limit)))
    return chain
  }

  push(queue: number, chain: Chain, written: number): void {
    if (!this.alive() || !this.queues[queue].ready) return
    this.guarded(() => {
      if (!this.queues[queue].push(chain.head, written)) return
      this.interruptStatus |= INTERRUPT_USED
      this.update()
    })
  }

  has(feature: bigint): boolean {
    return (this.accepted & feature) !== 0n
  }

  guarded(action: () => void): void {
    try {
      action()
    } catch (error) {
      if (!(error instanceof QueueError)) throw error
      this.fail(error.message)
    }
  }

  // The rest is between the driver and the transport

  /** Before DRIVER_OK a modern device touches no buffer (3.1.1); a legacy driver may start earlier (3.1.2). */
  private alive(): boolean {
    return (this.status & STATUS_NEEDS_RESET) === 0 && (this.legacy || (this.status & STATUS_DRIVER_OK) !== 0)
  }

  /** Stops the device until the driver resets it (2.1.2). */
  private fail(reason: string): void {
    if (this.status & STATUS_NEEDS_RESET) return
    this.log.warn(`${this.name}: the driver broke a queue, the device needs a reset: ${reason}`)
    this.status |= STATUS_NEEDS_RESET
    if (this.status & STATUS_DRIVER_OK) this.interruptStatus |= INTERRUPT_CONFIG
    this.configGeneration = (this.configGeneration + 1) >>> 0
    this.queues.forEach((_, index) => this.model.abandon(index))
    this.update()
  }

  private setStatus(value: number): void {
    if (value === 0) return this.reset()
    const started = value & ~this.status & STATUS_DRIVER_OK
    // A device that cannot work with the accepted features leaves FEATURES_OK clear (2.2.2). Version 1 is not insisted
    // on (6.2 leaves that open): xv6 accepts the low word alone.
    if (value & ~this.status & STATUS_FEATURES_OK && (this.accepted & ~this.offered) !== 0n) value &= ~STATUS_FEATURES_OK
    this.status = value | (this.status & STATUS_NEEDS_RESET)
    if (started) this.queues.forEach((queue, index) => queue.ready && this.notify(index))
  }

  private reset(): void {
    this.status = 0
    this.accepted = 0n
    this.deviceFeaturesSel = this.driverFeaturesSel = this.queueSel = 0
    this.interruptStatus = 0
    this.queues.forEach((queue, index) => {
      queue.reset()
      this.model.abandon(index)
    })
    this.update()
  }

  private acceptFeatures(value: number): void {
    if (this.status & STATUS_FEATURES_OK) return
    const shift = BigInt(Math.min(this.driverFeaturesSel, 2)) * 32n
    this.accepted = (this.accepted & ~(0xffff_ffffn << shift)) | (BigInt(value) << shift)
  }

  private queue(): Virtqueue | undefined {
    return this.queues[this.queueSel]
  }

  /** Changes the selected queue, which must not be in use (4.2.2.2). */
  private setUp(change: (queue: Virtqueue) => void): void {
    const queue = this.queue()
    if (queue && !queue.ready) change(queue)
  }

  private startQueue(queue: Virtqueue): void {
    this.guarded(() => {
      queue.indirect = this.has(VIRTIO_F_INDIRECT_DESC)
      queue.eventIndex = this.has(VIRTIO_F_EVENT_IDX)
      queue.start()
    })
  }

  private stopQueue(): void {
    const queue = this.queue()
    if (!queue) return
    queue.ready = false
    if (this.legacy) queue.reset()
    this.model.abandon(this.queueSel)
  }

  /** One contiguous area: descriptors, available ring, and the used ring at the next multiple of QueueAlign (2.7.2). */
  private startLegacyQueue(pfn: number): void {
    this.setUp((queue) => {
      const descriptors = pfn * this.guestPageSize
      const available = descriptors + 16 * queue.size
      const used = Math.ceil((available + 6 + 2 * queue.size) / this.queueAlign) * this.queueAlign
      place(queue.descriptors, descriptors)
      place(queue.available, available)
      place(queue.used, used)
      this.startQueue(queue)
    })
  }

  private notify(queue: number): void {
    if (queue < this.queues.length && this.queues[queue].ready && this.alive()) this.model.notify(queue)
  }

  private readConfig(offset: number, size: AccessSize): number {
    let value = 0
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (this.model.config[offset + i] ?? 0)
    return value
  }

  private update(): void {
    this.line.set(this.interruptStatus !== 0)
  }
}

/** An empty slot: drivers see device number 0 and leave it alone (4.2.2.2). */
export class NoVirtioDevice implements VirtioModel {
  readonly deviceId = 0
  readonly features = 0n
  readonly queueSizes = []
  readonly config = new Uint8Array()
  attach(): void {}
  notify(): void {}
  writeConfig(): void {}
  abandon(): void {}
  save(): DeviceState {
    return {}
  }
  load(): void {}
}

function word(value: bigint, index: number): number {
  return Number((value >> BigInt(index * 32)) & 0xffff_ffffn)
}

function place(area: { low: number; high: number }, address: number): void {
  area.low = address % 2 ** 32
  area.high = Math.floor(address / 2 ** 32)
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0
}
