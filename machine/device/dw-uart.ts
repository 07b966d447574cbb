/**
 * The K210's UART1 to UART3 (DesignWare DW_apb_uart; register layout as in the vendor SDK's uart.h): a 16550A with registers behind
 * its eight, a fraction to its divisor, and a mode in which LSR bit 5 says the opposite: with IER bit 7 and the FIFOs on, that the
 * transmit FIFO is full (DW_apb_uart data book, "Programmable THRE Interrupt").
 */
import type { SerialPort } from '../backend/console.ts'
import type { AccessSize, Clock, DeviceLog, DeviceState, InterruptLine } from './device.ts'
import { cyclesOf, type DeviceTiming } from './timing.ts'
import { Uart16550 } from './uart16550.ts'

const FCR = 0x08
const SRBR_STHR = 0x30 // 16 words, all the same: RBR and THR for bursts
const SRBR_END = 0x70
const USR = 0x7c // {0 busy, 1 room to transmit, 2 transmit FIFO empty, 3 something received, 4 receive FIFO full}
const TFL = 0x80
const RFL = 0x84
const SRR = 0x88 // {0 reset, 1 clear receive, 2 clear transmit FIFO}
const SFE = 0x98 // shadows of FCR's enable and triggers
const SRT = 0x9c
const STET = 0xa0
const DLF = 0xc0 // sixteenths of the divisor
const CPR = 0xf4
const UCV = 0xf8
const CTR = 0xfc

/** Registers that only keep what is written: power, flow control, RS-485 and nine-bit modes, none of which the console needs. */
const KEPT = [0x20, 0x24, 0x70, 0x8c, 0x90, 0x94, 0xa4, 0xac, 0xb0, 0xb4, 0xb8, 0xbc, DLF, 0xc4, 0xc8, 0xcc]

const PROGRAMMABLE = 0x80 // IER
const LSR_THRE = 0x20
const TRANSMIT_TRIGGERS = [0, 2, 4, 8]
/** "DW", the data book's constant; version and parameters: 4.0, FIFOs of 16. */
const COMPONENT_TYPE = 0x4457_0110
const COMPONENT_VERSION = 0x3430_302a
const COMPONENT_PARAMETERS = 0x0001_3f32

export interface DwUartOptions {
  readonly timing: Pick<DeviceTiming, 'uartCharacter'>
  /** The input clock in Hz. */
  readonly inputClock: () => number
  /** The wishes for DMA may have changed. */
  readonly onRequest: () => void
}

export class DwUart extends Uart16550 {
  protected override readonly interruptMask: number = 0x8f
  private extra: Record<number, number> = {}
  /** FCR's bits, for their shadows. */
  private control = 0

  constructor(
    name: string,
    clock: Clock,
    line: InterruptLine,
    stream: SerialPort,
    log: DeviceLog,
    private readonly settings: DwUartOptions,
  ) {
    super(name, clock, line, stream, log, { clockFrequency: 1, timing: settings.timing, registerShift: 2 })
  }

  get wantsData(): boolean {
    return this.waiting() < this.capacity()
  }

  get hasData(): boolean {
    return this.received.length > 0
  }

  override read(offset: number, size: AccessSize): number {
    if (offset < 0x20) return super.read(offset, size)
    if (offset >= SRBR_STHR && offset < SRBR_END) return super.read(0, size)
    this.advance()
    switch (offset) {
      case USR: {
        const room = this.waiting() < this.capacity() ? 2 : 0
        const received = (this.received.length > 0 ? 8 : 0) | (this.received.length >= this.capacity() ? 16 : 0)
        return (this.transmitting.length > 0 ? 1 : 0) | room | (this.waiting() === 0 ? 4 : 0) | received
      }
      case TFL:
        return this.waiting()
      case RFL:
        return this.received.length
      case SRR:
        return 0
      case SFE:
        return this.control & 1
      case SRT:
        return this.control >> 6
      case STET:
        return (this.control >> 4) & 3
      case CPR:
        return COMPONENT_PARAMETERS
      case UCV:
        return COMPONENT_VERSION
      case CTR:
        return COMPONENT_TYPE
      default:
        return KEPT.includes(offset) ? (this.extra[offset] ?? 0) : this.unknown.unknownRead(offset, size)
    }
  }

  override write(offset: number, value: number, size: AccessSize): void {
    if (offset === FCR) this.control = value & 0xff
    if (offset < 0x20) return super.write(offset, value, size)
    if (offset >= SRBR_STHR && offset < SRBR_END) return super.write(0, value, size)
    switch (offset) {
      case SRR:
        if (value & 1) return this.reset()
        return super.write(FCR, this.control | (value & 6), 4)
      case SFE:
        return this.write(FCR, (this.control & ~1) | (value & 1), 4)
      case SRT:
        return this.write(FCR, (this.control & 0x3f) | ((value & 3) << 6), 4)
      case STET:
        return this.write(FCR, (this.control & 0xcf) | ((value & 3) << 4), 4)
      case USR:
      case TFL:
      case RFL:
      case CPR:
      case UCV:
      case CTR:
        return // read-only
      default:
        if (!KEPT.includes(offset)) return this.unknown.unknownWrite(offset, value, size)
        this.extra[offset] = value
    }
  }

  /** What the reset bit of the system controller does. */
  reset(): void {
    this.extra = {}
    this.control = 0
    this.divisor = 0
    super.write(3 * 4, 0, 4)
    super.write(4, 0, 4)
    super.write(4 * 4, 0, 4)
    this.controlFifos(1)
    this.controlFifos(0)
    this.advance()
  }

  override save(): DeviceState {
    return { ...super.save(), extra: { ...this.extra }, control: this.control }
  }

  override load(state: DeviceState): void {
    super.load({ ...state, extra: { ...(state.extra as Record<number, number>) } })
  }

  protected override advance(): void {
    super.advance()
    this.settings.onRequest()
  }

  protected override lineStatus(): number {
    const status = super.lineStatus()
    if (!this.isProgrammable()) return status
    return (status & ~LSR_THRE) | (this.waiting() >= this.capacity() ? LSR_THRE : 0)
  }

  protected override transmitterAsks(): boolean {
    return this.isProgrammable() ? this.waiting() <= TRANSMIT_TRIGGERS[(this.control >> 4) & 3] : super.transmitterAsks()
  }

  /** The divisor has four more bits behind the point. */
  protected override characterCycles(): number {
    const { timing, inputClock } = this.settings
    if (timing.uartCharacter !== 'baud') return cyclesOf(timing.uartCharacter, this.clock.frequency)
    const sixteenths = Math.max(this.divisor * 16 + ((this.extra[DLF] ?? 0) & 15), 1)
    return cyclesOf((this.characterBits() * sixteenths) / inputClock(), this.clock.frequency)
  }

  private isProgrammable(): boolean {
    return this.fifoEnabled && (this.ier & PROGRAMMABLE) !== 0
  }

  /** Characters in the FIFO: the one in the shift register has left it. */
  private waiting(): number {
    return Math.max(this.transmitting.length - 1, 0)
  }
}
