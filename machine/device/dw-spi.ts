/**
 * The K210's SPI controllers (DesignWare DW_apb_ssi; register layout as in the vendor SDK's spi.h): FIFOs of 32 words, frames of 4 to
 * 32 bits, four transfer modes, requests to the DMA controller. Frames cross on one lane; they take the time of their bits.
 *
 * A receiver that nobody empties stops the clock here, where hardware would lose frames: harts of the slower profiles must not lose
 * data that the real ones fetch in time.
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Clock, Device, DeviceLog, DeviceState, InterruptLine, Timer } from './device.ts'
import { cyclesOf } from './timing.ts'

const CTRLR0 = 0x00 // frame size, transfer mode and frame format at places that differ by controller
const CTRLR1 = 0x04 // frames to receive, less one
const SSIENR = 0x08
const SER = 0x10 // selected targets, one bit each
const BAUDR = 0x14 // the bit clock is the input divided by this even number
const TXFTLR = 0x18
const RXFTLR = 0x1c
const TXFLR = 0x20
const RXFLR = 0x24
const SR = 0x28
const IMR = 0x2c
const ISR = 0x30
const RISR = 0x34
const TXOICR = 0x38 // reads clear causes
const ICR = 0x48
const DMACR = 0x4c // {0 receive, 1 transmit}
const DMATDLR = 0x50
const DMARDLR = 0x54
const IDR = 0x58
const VERSION = 0x5c
const DR = 0x60 // 36 words, all the same FIFO
const DR_END = 0xf0

/** Registers that only keep what is written, and the bits that they have. */
const PLAIN: Readonly<Record<number, number>> = {
  [CTRLR0]: 0xffff_ffff,
  [CTRLR1]: 0xffff,
  [SSIENR]: 1,
  [0x0c]: 7, // MWCR
  [SER]: 0xf,
  [BAUDR]: 0xfffe,
  [TXFTLR]: 31,
  [RXFTLR]: 31,
  [IMR]: 0x3f,
  [DMACR]: 3,
  [DMATDLR]: 31,
  [DMARDLR]: 31,
  [0xf0]: 0xff, // RX_SAMPLE_DELAY
  [0xf4]: 0xffff_ffff, // SPI_CTRLR0
  [0xfc]: 0xffff, // XIP_MODE_BITS
  [0x100]: 0xffff,
  [0x104]: 0xffff,
  [0x108]: 0xffff_ffff,
  [0x10c]: 0xf,
  [0x114]: 0xff,
  [0x118]: 0xffff_ffff, // ENDIAN
}
const RESET_VALUES: Readonly<Record<number, number>> = { [IMR]: 0x3f }

const STATUS_BUSY = 1
const STATUS_NOT_FULL = 2
const STATUS_EMPTY = 4
const STATUS_RECEIVED = 8
const STATUS_RECEIVER_FULL = 16

const CAUSE_EMPTY = 1
const CAUSE_OVERFLOW = 2
const CAUSE_UNDERFLOW = 4
const CAUSE_RECEIVED = 16

const TRANSMIT_ONLY = 1
const RECEIVE_ONLY = 2
const EEPROM_READ = 3

const FIFO_DEPTH = 32
/** "4.01*", of the version whose registers the SDK names. */
const VERSION_VALUE = 0x3430_312a

export interface DwSpiOptions {
  /** Where CTRLR0 has the frame's size, the transfer mode and the frame format: SPI3 is of a later version than the others. */
  readonly fields: { readonly size: number; readonly mode: number; readonly format: number }
  /** The input clock in Hz. */
  readonly inputClock: () => number
  /** The wires: one byte each way, complete at `cycle`. */
  readonly exchange: (byte: number, cycle: number) => number
  /** The targets selected from now on, one bit each; 0 between transfers. */
  readonly select: (targets: number) => void
  /** The wishes for DMA may have changed. */
  readonly onRequest: () => void
}

interface Frame {
  readonly word: number
  /** The cycle at which it is complete. */
  readonly done: number
  readonly keepAnswer: boolean
}

export class DwSpi implements Device {
  private registers: Record<number, number> = { ...RESET_VALUES }
  private transmit: number[] = []
  private received: number[] = []
  private frame: Frame | null = null
  /** Frames still to receive, and the word that is sent meanwhile. */
  private toReceive = 0
  private filler = 0
  private overflow = 0
  private selected = 0
  private readonly timer: Timer
  private readonly unknown: AccessLog

  constructor(
    readonly name: string,
    private readonly clock: Clock,
    private readonly line: InterruptLine,
    log: DeviceLog,
    private readonly options: DwSpiOptions,
  ) {
    this.unknown = new AccessLog(name, log)
    this.timer = clock.timer(() => this.advance())
  }

  get wantsData(): boolean {
    return (this.register(DMACR) & 2) !== 0 && this.isEnabled() && this.transmit.length <= this.register(DMATDLR)
  }

  get hasData(): boolean {
    return (this.register(DMACR) & 1) !== 0 && this.received.length > this.register(DMARDLR)
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4) return this.unknown.unknownRead(offset, size)
    this.advance()
    if (offset >= DR && offset < DR_END) {
      const word = this.received.shift()
      if (word === undefined) this.overflow |= CAUSE_UNDERFLOW
      this.advance()
      return word ?? 0
    }
    switch (offset) {
      case TXFLR:
        return this.transmit.length
      case RXFLR:
        return this.received.length
      case SR:
        return this.status()
      case ISR:
        return this.causes() & this.register(IMR)
      case RISR:
        return this.causes()
      case TXOICR:
      case TXOICR + 4:
      case TXOICR + 8:
      case TXOICR + 12:
      case ICR: {
        const causes = this.overflow
        this.overflow = 0
        this.update()
        return causes === 0 ? 0 : 1
      }
      case IDR:
        return 0xffff_ffff
      case VERSION:
        return VERSION_VALUE
      default:
        return offset in PLAIN ? this.register(offset) : this.unknown.unknownRead(offset, size)
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4) return this.unknown.unknownWrite(offset, value, size)
    this.advance()
    if (offset >= DR && offset < DR_END) {
      if (!this.isEnabled()) return
      if (this.transmit.length >= FIFO_DEPTH) this.overflow |= CAUSE_OVERFLOW
      else this.transmit.push(value)
    } else if (offset in PLAIN) {
      this.registers[offset] = (value & PLAIN[offset]) >>> 0
      if (offset === SSIENR && !(value & 1)) this.stop()
      if (offset === CTRLR0 && ((value >>> this.options.fields.format) & 3) !== 0) {
        this.unknown.once('format', 'only frames on one lane are modelled: nothing answers on two, four or eight')
      }
    } else if (offset < TXFLR || offset > VERSION) return this.unknown.unknownWrite(offset, value, size)
    this.advance()
  }

  /** What the reset bit of the system controller does. */
  reset(): void {
    this.registers = { ...RESET_VALUES }
    this.stop()
    this.advance()
  }

  save(): DeviceState {
    const { toReceive, filler, overflow, selected } = this
    return {
      registers: { ...this.registers },
      transmit: [...this.transmit],
      received: [...this.received],
      frame: this.frame && { ...this.frame },
      ...{ toReceive, filler, overflow, selected },
    }
  }

  load(state: DeviceState): void {
    Object.assign(this, structuredClone(state))
  }

  /** Disabling empties the FIFOs and ends the transfer under way. */
  private stop(): void {
    this.transmit = []
    this.received = []
    this.frame = null
    this.toReceive = 0
    this.overflow = 0
  }

  private advance(): void {
    const now = this.clock.now
    while (this.frame && this.frame.done <= now) {
      const { word, done, keepAnswer } = this.frame
      const answer = this.exchange(word, done)
      if (keepAnswer) this.received.push(answer)
      this.frame = null
      this.start(done)
    }
    this.start(now)
    const selected = this.frame ? this.register(SER) : 0
    if (selected !== this.selected) {
      this.selected = selected
      this.options.select(selected)
    }
    if (this.frame) this.timer.at(this.frame.done)
    else this.timer.cancel()
    this.update()
    this.options.onRequest()
  }

  /** Puts the next frame on the wires if there is one to send and room for its answer. */
  private start(cycle: number): void {
    if (this.frame || !this.isEnabled() || this.register(SER) === 0 || this.register(BAUDR) === 0) return
    const mode = this.mode()
    if (mode === RECEIVE_ONLY && this.toReceive === 0 && this.transmit.length > 0) {
      // The one word written starts the transfer, and is sent again and again.
      this.filler = this.transmit.shift()!
      this.toReceive = this.register(CTRLR1) + 1
    }
    if (this.toReceive > 0) {
      if (this.received.length >= FIFO_DEPTH) return
      this.toReceive--
      this.frame = { word: this.filler, done: cycle + this.frameCycles(), keepAnswer: true }
    } else if (this.transmit.length > 0 && mode !== RECEIVE_ONLY) {
      const keepAnswer = mode !== TRANSMIT_ONLY && mode !== EEPROM_READ
      if (keepAnswer && this.received.length >= FIFO_DEPTH) return
      this.frame = { word: this.transmit.shift()!, done: cycle + this.frameCycles(), keepAnswer }
      if (mode === EEPROM_READ && this.transmit.length === 0) {
        this.filler = 0xffff_ffff
        this.toReceive = this.register(CTRLR1) + 1
      }
    }
  }

  /** A frame byte by byte, high bits first; a size that is no whole number of bytes is rounded up. */
  private exchange(word: number, cycle: number): number {
    if (((this.register(CTRLR0) >>> this.options.fields.format) & 3) !== 0) return 0xffff_ffff
    let answer = 0
    for (let bits = Math.ceil(this.frameBits() / 8) * 8 - 8; bits >= 0; bits -= 8) {
      answer = (answer << 8) | this.options.exchange((word >>> bits) & 0xff, cycle)
    }
    return answer >>> 0
  }

  private status(): number {
    let status = this.frame || this.toReceive > 0 ? STATUS_BUSY : 0
    if (this.transmit.length < FIFO_DEPTH) status |= STATUS_NOT_FULL
    if (this.transmit.length === 0) status |= STATUS_EMPTY
    if (this.received.length > 0) status |= STATUS_RECEIVED
    if (this.received.length >= FIFO_DEPTH) status |= STATUS_RECEIVER_FULL
    return status
  }

  private causes(): number {
    const empty = this.isEnabled() && this.transmit.length <= this.register(TXFTLR) ? CAUSE_EMPTY : 0
    return empty | this.overflow | (this.received.length > this.register(RXFTLR) ? CAUSE_RECEIVED : 0)
  }

  private update(): void {
    this.line.set((this.causes() & this.register(IMR)) !== 0)
  }

  private isEnabled(): boolean {
    return (this.register(SSIENR) & 1) !== 0
  }

  private mode(): number {
    return (this.register(CTRLR0) >>> this.options.fields.mode) & 3
  }

  private frameBits(): number {
    return ((this.register(CTRLR0) >>> this.options.fields.size) & 31) + 1
  }

  private frameCycles(): number {
    return cyclesOf((this.frameBits() * this.register(BAUDR)) / this.options.inputClock(), this.clock.frequency)
  }

  private register(offset: number): number {
    return this.registers[offset] ?? 0
  }
}
