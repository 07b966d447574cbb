/** The virtio block device (virtio 1.2, section 5.2). Requests are carried out when they complete, in that order. */
import { type BlockImage, type BlockImageState, DiskImageError, SECTOR_BYTES } from '../backend/block-image.ts'
import type { Clock, DeviceState } from './device.ts'
import { InFlight } from './in-flight.ts'
import type { TransferTiming } from './timing.ts'
import type { VirtioModel, VirtioTransport } from './virtio-mmio.ts'
import { type Chain, gather, QueueError, scatter, segmentBytes } from './virtqueue.ts'

const DEVICE_ID = 2

const F_SEG_MAX = 1n << 2n
const F_RO = 1n << 5n
const F_BLK_SIZE = 1n << 6n
const F_FLUSH = 1n << 9n
const F_DISCARD = 1n << 13n
const F_WRITE_ZEROES = 1n << 14n

// Configuration space (5.2.4)
const CAPACITY = 0 // u64, in sectors
const SEG_MAX = 12
const BLK_SIZE = 20
const NUM_QUEUES = 34 // u16
const MAX_DISCARD_SECTORS = 36
const MAX_DISCARD_SEG = 40
const DISCARD_SECTOR_ALIGNMENT = 44
const MAX_WRITE_ZEROES_SECTORS = 48
const MAX_WRITE_ZEROES_SEG = 52
const WRITE_ZEROES_MAY_UNMAP = 56 // u8
const CONFIG_BYTES = 60

// Request types (5.2.6)
const IN = 0
const OUT = 1
const FLUSH = 4
const GET_ID = 8
const DISCARD = 11
const WRITE_ZEROES = 13

const OK = 0
const IO_ERROR = 1
const UNSUPPORTED = 2

const HEADER_BYTES = 16 // {u32 type, u32 reserved, u64 sector}
const RANGE_BYTES = 16 // {u64 sector, u32 count, u32 flags}
const RANGE_UNMAP = 1
const ID_BYTES = 20

const QUEUE_SIZE = 128
const MOST_RANGES = 16
const MOST_RANGE_SECTORS = 0x40_0000
/** U-Boot loads a whole file by one request; nothing useful is larger than this. */
const MOST_REQUEST_BYTES = 2 ** 30
/** Data moves in pieces, so that a large request needs no large copy. */
const PIECE_SECTORS = 256

export class VirtioBlock implements VirtioModel {
  readonly deviceId = DEVICE_ID
  readonly features: bigint
  readonly queueSizes = [QUEUE_SIZE]
  readonly config = new Uint8Array(CONFIG_BYTES)
  private transport!: VirtioTransport
  private readonly inFlight: InFlight<Chain>

  /** `id` is what GET_ID answers, at most 20 ASCII characters. */
  constructor(
    clock: Clock,
    private readonly image: BlockImage,
    timing: TransferTiming,
    private readonly id = 'pollen-disk',
  ) {
    this.inFlight = new InFlight(clock, timing, (chain) => this.complete(chain))
    this.features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | (image.readOnly ? F_RO : F_DISCARD | F_WRITE_ZEROES)
    const view = new DataView(this.config.buffer)
    view.setBigUint64(CAPACITY, BigInt(image.sectors), true)
    view.setUint32(SEG_MAX, QUEUE_SIZE - 2, true)
    view.setUint32(BLK_SIZE, SECTOR_BYTES, true)
    view.setUint16(NUM_QUEUES, 1, true)
    view.setUint32(MAX_DISCARD_SECTORS, MOST_RANGE_SECTORS, true)
    view.setUint32(MAX_DISCARD_SEG, MOST_RANGES, true)
    view.setUint32(DISCARD_SECTOR_ALIGNMENT, 1, true)
    view.setUint32(MAX_WRITE_ZEROES_SECTORS, MOST_RANGE_SECTORS, true)
    view.setUint32(MAX_WRITE_ZEROES_SEG, MOST_RANGES, true)
    view.setUint8(WRITE_ZEROES_MAY_UNMAP, 1)
  }

  attach(transport: VirtioTransport): void {
    this.transport = transport
  }

  notify(): void {
    // The bound keeps a driver that offers the same buffer again and again from growing the list for ever.
    while (this.inFlight.count < QUEUE_SIZE) {
      const chain = this.transport.pop(0, MOST_REQUEST_BYTES)
      if (!chain) return
      const data = segmentBytes(chain.readable) + segmentBytes(chain.writable)
      this.inFlight.submit(chain, Math.max(0, data - HEADER_BYTES - 1))
    }
  }

  writeConfig(): void {}

  abandon(): void {
    this.inFlight.drop(() => true)
  }

  save(): DeviceState {
    return { inFlight: this.inFlight.save(), image: this.image.save() }
  }

  load(state: DeviceState): void {
    this.inFlight.load(state.inFlight as DeviceState)
    this.image.load(state.image as BlockImageState)
  }

  private complete(chain: Chain): void {
    this.transport.guarded(() => {
      const room = segmentBytes(chain.writable) - 1
      if (segmentBytes(chain.readable) < HEADER_BYTES || room < 0) throw new QueueError('block request without header or status byte')
      const { status, written } = this.carryOut(chain, room)
      scatter(this.transport.memory, chain.writable, room, Uint8Array.of(status))
      // The status byte comes last; the length covers it just if everything before it was written (2.7.8.2).
      this.transport.push(0, chain, written === room ? room + 1 : written)
    })
    this.notify()
  }

  private carryOut(chain: Chain, room: number): { status: number; written: number } {
    const header = new DataView(gather(this.transport.memory, chain.readable, 0, HEADER_BYTES).buffer)
    const type = header.getUint32(0, true)
    const sector = Number(header.getBigUint64(8, true))
    const payload = segmentBytes(chain.readable) - HEADER_BYTES
    try {
      switch (type) {
        case IN:
          return this.in(chain, sector, room)
        case OUT:
          return { status: this.out(chain, sector, payload), written: 0 }
        case FLUSH:
          this.image.flush()
          return { status: OK, written: 0 }
        case GET_ID:
          return this.getId(chain, room)
        case DISCARD:
        case WRITE_ZEROES:
          return { status: this.clear(chain, payload, type), written: 0 }
        default:
          return { status: UNSUPPORTED, written: 0 }
      }
    } catch (error) {
      if (!(error instanceof DiskImageError)) throw error
      this.transport.log.warn(`${this.transport.name}: ${error.message}`)
      return { status: IO_ERROR, written: 0 }
    }
  }

  private in(chain: Chain, sector: number, room: number): { status: number; written: number } {
    if (room % SECTOR_BYTES !== 0 || !this.inside(sector, room / SECTOR_BYTES)) return { status: IO_ERROR, written: 0 }
    const count = room / SECTOR_BYTES
    for (let done = 0; done < count; done += PIECE_SECTORS) {
      const bytes = this.image.read(sector + done, Math.min(PIECE_SECTORS, count - done))
      scatter(this.transport.memory, chain.writable, done * SECTOR_BYTES, bytes)
    }
    return { status: OK, written: room }
  }

  private out(chain: Chain, sector: number, payload: number): number {
    if (this.image.readOnly) return IO_ERROR
    if (payload % SECTOR_BYTES !== 0 || !this.inside(sector, payload / SECTOR_BYTES)) return IO_ERROR
    const count = payload / SECTOR_BYTES
    for (let done = 0; done < count; done += PIECE_SECTORS) {
      const length = Math.min(PIECE_SECTORS, count - done) * SECTOR_BYTES
      this.image.write(sector + done, gather(this.transport.memory, chain.readable, HEADER_BYTES + done * SECTOR_BYTES, length))
    }
    return OK
  }

  private getId(chain: Chain, room: number): { status: number; written: number } {
    const bytes = new Uint8Array(Math.min(room, ID_BYTES))
    new TextEncoder().encodeInto(this.id, bytes)
    scatter(this.transport.memory, chain.writable, 0, bytes)
    return { status: OK, written: bytes.length }
  }

  /** Discarded sectors read as zeros, too. Flags other than unmap, and unmap in a discard, are refused (5.2.6.2). */
  private clear(chain: Chain, payload: number, type: number): number {
    if (this.image.readOnly) return IO_ERROR
    if (payload === 0 || payload % RANGE_BYTES !== 0 || payload / RANGE_BYTES > MOST_RANGES) return UNSUPPORTED
    const ranges = new DataView(gather(this.transport.memory, chain.readable, HEADER_BYTES, payload).buffer)
    const checked: { sector: number; count: number }[] = []
    for (let at = 0; at < payload; at += RANGE_BYTES) {
      const sector = Number(ranges.getBigUint64(at, true))
      const count = ranges.getUint32(at + 8, true)
      const flags = ranges.getUint32(at + 12, true)
      if (flags & ~(type === WRITE_ZEROES ? RANGE_UNMAP : 0)) return UNSUPPORTED
      if (count > MOST_RANGE_SECTORS || !this.inside(sector, count)) return IO_ERROR
      checked.push({ sector, count })
    }
    for (const { sector, count } of checked) this.image.zero(sector, count)
    return OK
  }

  private inside(sector: number, count: number): boolean {
    return sector + count <= this.image.sectors
  }
}
