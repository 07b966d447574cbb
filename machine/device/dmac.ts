/**
 * The K210's DMA controller (DesignWare DW_axi_dmac; register layout as in the vendor SDK's dmac.h): six channels between memory and
 * peripherals, single blocks and linked lists of them. Peripherals pace it by their requests; which request a channel listens to is
 * chosen in the system controller. Registers are 64 bits wide and seen as pairs of words.
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Clock, Device, DeviceLog, DeviceState, GuestMemory, InterruptLine, Timer } from './device.ts'

export const DMA_CHANNELS = 6

const ID = 0x00
const VERSION = 0x08
const CONFIGURE = 0x10 // {0 controller on, 1 interrupts on}
const ENABLE = 0x18 // {5:0 enabled, 13:8 which of them are written}; high word {5:0 abort, 13:8 which}
const INTERRUPTS = 0x30 // one bit a channel
const COMMON_CLEAR = 0x38
const COMMON_STATUS = 0x50
const RESET = 0x58 // bit 0 clears itself
const CHANNEL = 0x100 // 0x100 bytes each

// Within a channel
const SOURCE = 0x00
const DESTINATION = 0x08
const BLOCK_ITEMS = 0x10 // items of the source's width, less one
const CONTROL = 0x18 // {4 6 fixed source, destination address, 10:8 13:11 their widths}; high word {30 last item, 31 valid item of a list}
const CONFIGURATION = 0x20 // {1:0 3:2 kinds of multi-block}; high {2:0 flow, 3 4 software handshake, 10:7 15:12 handshake interfaces}
const LIST = 0x28
const STATUS = 0x30 // items done
const STATUS_ENABLE = 0x80
const INTERRUPT_STATUS = 0x88
const SIGNAL_ENABLE = 0x90
const INTERRUPT_CLEAR = 0x98
const CHANNEL_BYTES = 0x100

const KEPT = [SOURCE, DESTINATION, BLOCK_ITEMS, CONTROL, CONFIGURATION, LIST, 0x38, 0x40, 0x50, 0x58, STATUS_ENABLE, SIGNAL_ENABLE]

const BLOCK_DONE = 1
const TRANSFER_DONE = 2
const SOURCE_ERROR = 1 << 5
const DESTINATION_ERROR = 1 << 6
const LIST_ERROR = 1 << 9

const FIXED_SOURCE = 1 << 4
const FIXED_DESTINATION = 1 << 6
const LAST_ITEM = 1 << 30
const LINKED_LIST = 3

/** Memory to memory, one item moves in so many cycles: a read and a write on the AXI bus. Chosen, not measured. */
const CYCLES_PER_ITEM = 4
/** From the last item to the interrupt. */
const COMPLETION_CYCLES = 16

export interface DmacPorts {
  readonly memory: GuestMemory
  /** Device registers: what `Bus` does. A read of -1 and a write of false say that nothing answered. */
  readonly devices: { read(address: number, size: AccessSize): number; write(address: number, value: number, size: AccessSize): boolean }
  readonly isMemory: (address: number) => boolean
  /** Whether the request that a handshake interface listens to is up. */
  readonly isRequested: (handshake: number) => boolean
}

interface Progress {
  /** Bytes of the block that were read and written. */
  read: number
  written: number
  /** Bytes on their way, where the widths differ. */
  buffer: number[]
}

export class Dmac implements Device {
  /** Words by offset / 4: common registers and channels. */
  private words = new Uint32Array((CHANNEL + DMA_CHANNELS * CHANNEL_BYTES) / 4)
  private enabled = 0
  private progress: Progress[] = []
  /** The cycle at which a channel's block ends, once all its items have moved. */
  private endsAt = new Array<number>(DMA_CHANNELS).fill(Infinity)
  private pumping = false
  private readonly timer: Timer
  private readonly unknown: AccessLog

  constructor(
    readonly name: string,
    private readonly clock: Clock,
    private readonly lines: readonly InterruptLine[],
    private readonly ports: DmacPorts,
    log: DeviceLog,
  ) {
    this.unknown = new AccessLog(name, log)
    this.timer = clock.timer(() => this.expire())
    this.reset()
  }

  /** A peripheral's request may have come up. */
  requestChanged(): void {
    if (this.enabled !== 0) this.pump()
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4 || offset >= this.words.length * 4) return this.unknown.unknownRead(offset, size)
    const high = (offset & 4) !== 0
    const register = offset & ~4
    if (register >= CHANNEL) {
      const inside = register % CHANNEL_BYTES
      const channel = Math.floor((register - CHANNEL) / CHANNEL_BYTES)
      if (inside === STATUS) return high ? 0 : Math.floor((this.progress[channel]?.written ?? 0) / this.sourceWidth(channel))
      if (KEPT.includes(inside) || inside === INTERRUPT_STATUS) return this.words[offset / 4]
      return inside === INTERRUPT_CLEAR || inside === 0x48 ? 0 : this.unknown.unknownRead(offset, size)
    }
    switch (register) {
      case ID:
      case VERSION:
      case COMMON_STATUS:
      case COMMON_CLEAR:
      case RESET:
        return 0
      case ENABLE:
        return high ? 0 : this.enabled
      case INTERRUPTS: {
        let pending = 0
        for (let channel = 0; channel < DMA_CHANNELS; channel++) if (this.signals(channel)) pending |= 1 << channel
        return high ? 0 : pending
      }
      case CONFIGURE:
      case 0x40:
      case 0x48:
        return this.words[offset / 4]
      default:
        return this.unknown.unknownRead(offset, size)
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4 || offset >= this.words.length * 4) return this.unknown.unknownWrite(offset, value, size)
    const high = (offset & 4) !== 0
    const register = offset & ~4
    if (register >= CHANNEL) this.writeChannel(offset, register % CHANNEL_BYTES, value, size)
    else {
      switch (register) {
        case CONFIGURE:
          this.words[offset / 4] = high ? 0 : value & 3
          break
        case ENABLE:
          this.enable(value, high)
          break
        case RESET:
          if (!high && value & 1) this.reset()
          break
        case COMMON_CLEAR:
        case 0x40: // the errors of common registers never happen here
        case 0x48:
          this.words[offset / 4] = value
          break
        default:
          return this.unknown.unknownWrite(offset, value, size)
      }
    }
    this.pump()
    this.update()
  }

  reset(): void {
    this.words.fill(0)
    for (let channel = 0; channel < DMA_CHANNELS; channel++) {
      this.set(channel, STATUS_ENABLE, 0xffff_ffff)
      this.set(channel, SIGNAL_ENABLE, 0xffff_ffff)
    }
    this.enabled = 0
    this.progress = Array.from({ length: DMA_CHANNELS }, nothing)
    this.endsAt.fill(Infinity)
    this.schedule()
    this.update()
  }

  save(): DeviceState {
    return { words: this.words.slice(), enabled: this.enabled, progress: structuredClone(this.progress), endsAt: [...this.endsAt] }
  }

  load(state: DeviceState): void {
    this.words = (state.words as Uint32Array).slice()
    this.enabled = state.enabled as number
    this.progress = structuredClone(state.progress as Progress[])
    this.endsAt = [...(state.endsAt as number[])]
  }

  private writeChannel(offset: number, inside: number, value: number, size: AccessSize): void {
    if (KEPT.includes(inside)) this.words[offset / 4] = value
    else if (inside === INTERRUPT_CLEAR) {
      if (!(offset & 4)) this.words[(offset - INTERRUPT_CLEAR + INTERRUPT_STATUS) / 4] &= ~value
    } else if (inside !== INTERRUPT_STATUS && inside !== STATUS && inside !== 0x48) this.unknown.unknownWrite(offset, value, size)
  }

  private enable(value: number, high: boolean): void {
    for (let channel = 0; channel < DMA_CHANNELS; channel++) {
      const bit = 1 << channel
      if (!(value & (bit << 8))) continue
      if (high ? value & bit : !(value & bit)) this.stop(channel)
      else if (!high && !(this.enabled & bit)) {
        this.enabled |= bit
        this.begin(channel)
      }
    }
  }

  private stop(channel: number): void {
    this.enabled &= ~(1 << channel)
    this.progress[channel] = nothing()
    this.endsAt[channel] = Infinity
    this.schedule()
  }

  /** A block starts: its registers come from the list where there is one. */
  private begin(channel: number): void {
    this.progress[channel] = nothing()
    const kinds = this.get(channel, CONFIGURATION)
    if ((kinds & 3) === LINKED_LIST || ((kinds >>> 2) & 3) === LINKED_LIST) {
      const item = this.ports.memory.read((this.get(channel, LIST) & ~63) >>> 0, 64)
      if (!item) return this.end(channel, LIST_ERROR)
      const view = new DataView(item.buffer, item.byteOffset)
      for (const [register, from] of [
        [SOURCE, 0],
        [DESTINATION, 8],
        [BLOCK_ITEMS, 16],
        [LIST, 24],
        [CONTROL, 32],
      ]) {
        this.set(channel, register, view.getUint32(from, true))
        this.set(channel, register + 4, view.getUint32(from + 4, true))
      }
    } else if (kinds & 15) this.unknown.once('multi-block', 'of multi-block transfers only linked lists are modelled: one block is moved')
    if (this.sourceHandshake(channel) === undefined && this.destinationHandshake(channel) === undefined) {
      this.endsAt[channel] = this.clock.now + (this.blockBytes(channel) / this.sourceWidth(channel)) * CYCLES_PER_ITEM
      this.schedule()
    }
  }

  /** Moves what peripherals ask for until none asks any more. */
  private pump(): void {
    if (this.pumping || !(this.words[CONFIGURE / 4] & 1)) return
    this.pumping = true
    for (let moved = true; moved;) {
      moved = false
      for (let channel = 0; channel < DMA_CHANNELS; channel++) {
        if (!(this.enabled & (1 << channel)) || this.endsAt[channel] !== Infinity) continue
        if (this.moveItem(channel)) moved = true
      }
    }
    this.pumping = false
  }

  /** One read or write on behalf of a channel; false when it must wait. */
  private moveItem(channel: number): boolean {
    const progress = this.progress[channel]
    const bytes = this.blockBytes(channel)
    const width = this.destinationWidth(channel)
    const source = this.sourceHandshake(channel)
    const destination = this.destinationHandshake(channel)
    const wanted = destination === undefined || this.ports.isRequested(destination)
    if (progress.buffer.length >= width || (progress.read === bytes && progress.buffer.length > 0)) {
      return wanted && this.writeItem(channel, Math.min(width, progress.buffer.length))
    }
    // Data is fetched for a peripheral only when it asks.
    if (progress.read < bytes && wanted && (source === undefined || this.ports.isRequested(source))) return this.readItem(channel)
    return false
  }

  private readItem(channel: number): boolean {
    const width = this.sourceWidth(channel)
    const progress = this.progress[channel]
    const item = this.fetch(this.address(channel, SOURCE, FIXED_SOURCE, progress.read), width)
    if (!item) {
      this.end(channel, SOURCE_ERROR)
      return true
    }
    progress.read += width
    progress.buffer.push(...item)
    return true
  }

  private writeItem(channel: number, width: number): boolean {
    const progress = this.progress[channel]
    const item = Uint8Array.from(progress.buffer.splice(0, width))
    const at = this.address(channel, DESTINATION, FIXED_DESTINATION, progress.written)
    if (!this.store(at, item)) {
      this.end(channel, DESTINATION_ERROR)
      return true
    }
    progress.written += width
    if (progress.written >= this.blockBytes(channel)) {
      this.endsAt[channel] = this.clock.now + COMPLETION_CYCLES
      this.schedule()
    }
    return true
  }

  private expire(): void {
    const now = this.clock.now
    for (let channel = 0; channel < DMA_CHANNELS; channel++) {
      if (this.endsAt[channel] > now) continue
      this.endsAt[channel] = Infinity
      const copied = this.progress[channel].written > 0 || this.copyBlock(channel)
      if (copied) this.blockEnded(channel)
    }
    this.schedule()
    this.pump()
    this.update()
  }

  /** Memory to memory in one go, at the end of the time that it takes. */
  private copyBlock(channel: number): boolean {
    const progress = this.progress[channel]
    while (progress.written < this.blockBytes(channel) && this.enabled & (1 << channel)) {
      if (progress.buffer.length >= this.destinationWidth(channel) || progress.read >= this.blockBytes(channel)) {
        const item = Uint8Array.from(progress.buffer.splice(0, this.destinationWidth(channel)))
        if (!this.store(this.address(channel, DESTINATION, FIXED_DESTINATION, progress.written), item)) this.end(channel, DESTINATION_ERROR)
        progress.written += item.length
      } else if (!this.readItem(channel)) return false
    }
    return (this.enabled & (1 << channel)) !== 0
  }

  private blockEnded(channel: number): void {
    const kinds = this.get(channel, CONFIGURATION)
    const listed = (kinds & 3) === LINKED_LIST || ((kinds >>> 2) & 3) === LINKED_LIST
    if (listed && !(this.get(channel, CONTROL + 4) & LAST_ITEM)) {
      this.note(channel, BLOCK_DONE)
      this.begin(channel)
    } else this.end(channel, BLOCK_DONE | TRANSFER_DONE)
  }

  private end(channel: number, status: number): void {
    this.note(channel, status)
    const { written, read } = this.progress[channel]
    this.enabled &= ~(1 << channel)
    this.endsAt[channel] = Infinity
    this.progress[channel] = { ...nothing(), written, read }
  }

  private note(channel: number, status: number): void {
    this.set(channel, INTERRUPT_STATUS, this.get(channel, INTERRUPT_STATUS) | (status & this.get(channel, STATUS_ENABLE)))
    this.update()
  }

  private fetch(address: number, width: number): Uint8Array | undefined {
    if (this.ports.isMemory(address)) return this.ports.memory.read(address, width)
    const bytes = new Uint8Array(width)
    for (let at = 0; at < width; at += 4) {
      const size = Math.min(4, width) as AccessSize
      const value = this.ports.devices.read(address + at, size)
      if (value < 0) return undefined
      for (let i = 0; i < size; i++) bytes[at + i] = value >>> (8 * i)
    }
    return bytes
  }

  private store(address: number, bytes: Uint8Array): boolean {
    if (this.ports.isMemory(address)) return this.ports.memory.write(address, bytes)
    for (let at = 0; at < bytes.length; at += 4) {
      const size = Math.min(4, bytes.length) as AccessSize
      let value = 0
      for (let i = 0; i < size; i++) value |= bytes[at + i] << (8 * i)
      if (!this.ports.devices.write(address + at, value >>> 0, size)) return false
    }
    return true
  }

  private address(channel: number, register: number, fixed: number, done: number): number {
    return this.get(channel, register) + (this.get(channel, CONTROL) & fixed ? 0 : done)
  }

  private blockBytes(channel: number): number {
    return ((this.get(channel, BLOCK_ITEMS) & 0x3f_ffff) + 1) * this.sourceWidth(channel)
  }

  private sourceWidth(channel: number): number {
    return 1 << Math.min((this.get(channel, CONTROL) >>> 8) & 7, 4)
  }

  private destinationWidth(channel: number): number {
    return 1 << Math.min((this.get(channel, CONTROL) >>> 11) & 7, 4)
  }

  /** The handshake interface of a peripheral source; undefined for memory and for handshakes by software, which nothing paces. */
  private sourceHandshake(channel: number): number | undefined {
    const high = this.get(channel, CONFIGURATION + 4)
    return [2, 3, 4, 5, 7].includes(high & 7) && !(high & 8) ? (high >>> 7) & 15 : undefined
  }

  private destinationHandshake(channel: number): number | undefined {
    const high = this.get(channel, CONFIGURATION + 4)
    return [1, 3, 5, 6, 7].includes(high & 7) && !(high & 16) ? (high >>> 12) & 15 : undefined
  }

  private signals(channel: number): boolean {
    return (this.words[CONFIGURE / 4] & 2) !== 0 && (this.get(channel, INTERRUPT_STATUS) & this.get(channel, SIGNAL_ENABLE)) !== 0
  }

  private update(): void {
    for (let channel = 0; channel < DMA_CHANNELS; channel++) this.lines[channel].set(this.signals(channel))
  }

  private schedule(): void {
    const next = Math.min(...this.endsAt)
    if (next === Infinity) this.timer.cancel()
    else this.timer.at(next)
  }

  private get(channel: number, register: number): number {
    return this.words[(CHANNEL + channel * CHANNEL_BYTES + register) / 4]
  }

  private set(channel: number, register: number, value: number): void {
    this.words[(CHANNEL + channel * CHANNEL_BYTES + register) / 4] = value
  }
}

function nothing(): Progress {
  return { read: 0, written: 0, buffer: [] }
}
