/**
 * The SiFive SPI controller without its flash interface (FU540-C000 manual, "Serial Peripheral Interface"), one target on
 * chip select 0. Frames take the time of their bits at the programmed clock; the delay registers are kept, their delays not modelled.
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Clock, Device, DeviceLog, DeviceState, InterruptLine, Timer } from './device.ts'
import type { SpiTarget } from './spi-target.ts'
import { cyclesOf } from './timing.ts'

const SCKDIV = 0x00 // 11:0
const SCKMODE = 0x04 // {0 phase, 1 polarity}
const CSID = 0x10
const CSDEF = 0x14 // inactive level of each chip select
const CSMODE = 0x18
const DELAY0 = 0x28
const DELAY1 = 0x2c
const FMT = 0x40 // {1:0 lanes, 2 least significant bit first, 3 transmit only, 19:16 bits}
const TXDATA = 0x48 // {7:0 data, 31 full}
const RXDATA = 0x4c // {7:0 data, 31 empty}
const TXMARK = 0x50
const RXMARK = 0x54
const FCTRL = 0x60 // 0: no memory-mapped flash
const FFMT = 0x64
const IE = 0x70
const IP = 0x74

/** Registers that only keep what is written, and the bits that they have. */
const PLAIN: Readonly<Record<number, number>> = {
  [SCKDIV]: 0xfff,
  [SCKMODE]: 3,
  [CSID]: 0,
  [CSDEF]: 1,
  [CSMODE]: 3,
  [DELAY0]: 0xff_00ff,
  [DELAY1]: 0xff_00ff,
  [FMT]: 0xf_000f,
  [TXMARK]: 7,
  [RXMARK]: 7,
  [FCTRL]: 0,
  [FFMT]: 0,
  [IE]: 3,
}
const RESET_VALUES: Readonly<Record<number, number>> = { [SCKDIV]: 3, [CSDEF]: 1, [DELAY0]: 0x1_0001, [DELAY1]: 1, [FMT]: 0x8_0000 }

const CSMODE_AUTO = 0 // selected for the time of the frames
const CSMODE_HOLD = 2 // selected until told otherwise

const FMT_LSB_FIRST = 4
const FMT_TRANSMIT_ONLY = 8

const TRANSMIT_WATERMARK = 1
const RECEIVE_WATERMARK = 2

const FIFO_DEPTH = 8
const FLAG = 0x8000_0000

/** The frame on the wire. A driver may set up the next transfer while it is still on its way. */
interface Frame {
  readonly byte: number
  /** The cycle at which it is complete. */
  readonly done: number
  readonly selected: boolean
  readonly keepAnswer: boolean
}

export class SiFiveSpi implements Device {
  private registers: Record<number, number> = { ...RESET_VALUES }
  private transmit: number[] = []
  private received: number[] = []
  private frame: Frame | null = null
  private readonly timer: Timer
  private readonly unknown: AccessLog

  /** `clockFrequency` is that of the controller's input clock in Hz; without `target` nothing answers. */
  constructor(
    readonly name: string,
    private readonly clock: Clock,
    private readonly line: InterruptLine,
    log: DeviceLog,
    private readonly clockFrequency: number,
    private readonly target?: SpiTarget,
  ) {
    this.unknown = new AccessLog(name, log)
    this.timer = clock.timer(() => this.advance())
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4) return this.unknown.unknownRead(offset, size)
    if (this.frame && this.frame.done <= this.clock.now) this.advance()
    switch (offset) {
      case TXDATA:
        return this.transmit.length >= FIFO_DEPTH ? FLAG : 0
      case RXDATA: {
        const byte = this.received.shift()
        this.update()
        return byte ?? FLAG
      }
      case IP:
        return this.pending()
      default:
        return offset in PLAIN ? this.register(offset) : this.unknown.unknownRead(offset, size)
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4) return this.unknown.unknownWrite(offset, value, size)
    if (this.frame && this.frame.done <= this.clock.now) this.advance()
    switch (offset) {
      case TXDATA:
        // Writes to a full FIFO are ignored.
        if (this.transmit.length < FIFO_DEPTH) this.transmit.push(value & 0xff)
        this.start(this.clock.now)
        break
      case RXDATA:
      case IP:
        return // read-only
      default:
        if (!(offset in PLAIN)) return this.unknown.unknownWrite(offset, value, size)
        this.registers[offset] = (value & PLAIN[offset]) >>> 0
        if (offset === FMT && (value & 0xf_0003) !== 0x8_0000) this.unknown.once('fmt', 'only frames of 8 bits on one lane are modelled')
    }
    this.select()
    this.update()
  }

  save(): DeviceState {
    return {
      registers: { ...this.registers },
      transmit: [...this.transmit],
      received: [...this.received],
      frame: this.frame && { ...this.frame },
      target: this.target?.save() ?? {},
    }
  }

  load(state: DeviceState): void {
    this.registers = { ...(state.registers as Record<number, number>) }
    this.transmit = [...(state.transmit as number[])]
    this.received = [...(state.received as number[])]
    this.frame = state.frame ? { ...(state.frame as Frame) } : null
    this.target?.load(state.target as DeviceState)
  }

  private advance(): void {
    while (this.frame && this.frame.done <= this.clock.now) {
      const { byte, done, keepAnswer } = this.frame
      const answer = this.order(this.target?.exchange(this.order(byte), done) ?? 0xff)
      if (keepAnswer && this.received.length < FIFO_DEPTH) this.received.push(answer)
      this.frame = null
      this.start(done)
    }
    this.select()
    this.update()
  }

  /** Puts the next frame on the wire if it is free. */
  private start(cycle: number): void {
    if (!this.frame && this.transmit.length > 0) {
      const mode = this.register(CSMODE)
      this.frame = {
        byte: this.transmit.shift()!,
        done: cycle + this.frameCycles(),
        selected: mode === CSMODE_HOLD || mode === CSMODE_AUTO,
        keepAnswer: (this.register(FMT) & FMT_TRANSMIT_ONLY) === 0,
      }
      this.select()
    }
    if (this.frame) this.timer.at(this.frame.done)
  }

  private select(): void {
    const active = this.register(CSMODE) === CSMODE_HOLD || (this.frame?.selected ?? false)
    // Targets are selected by a low wire. A driver that wants clocks without selection turns CSDEF around.
    const high = (this.register(CSDEF) & 1) !== 0 ? !active : active
    this.target?.select(!high)
  }

  /** The clock is the input divided by 2 * (SCKDIV + 1). */
  private frameCycles(): number {
    return cyclesOf((8 * 2 * (this.register(SCKDIV) + 1)) / this.clockFrequency, this.clock.frequency)
  }

  private pending(): number {
    const transmit = this.transmit.length < this.register(TXMARK) ? TRANSMIT_WATERMARK : 0
    return transmit | (this.received.length > this.register(RXMARK) ? RECEIVE_WATERMARK : 0)
  }

  private update(): void {
    this.line.set((this.pending() & this.register(IE)) !== 0)
  }

  private register(offset: number): number {
    return this.registers[offset] ?? 0
  }

  private order(byte: number): number {
    if ((this.register(FMT) & FMT_LSB_FIRST) === 0) return byte
    let reversed = 0
    for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) reversed |= 0x80 >> bit
    return reversed
  }
}
