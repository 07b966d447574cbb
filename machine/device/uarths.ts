/**
 * The K210's high-speed UART: a SiFive UART at other addresses (SiFive FE310-G000 manual, "Universal Asynchronous
 * Receiver/Transmitter"; register layout as in the vendor SDK's uarths.h). Its clock is the CPU's.
 */
import type { ConsoleState, SerialPort } from '../backend/console.ts'
import { AccessLog } from './access-log.ts'
import type { AccessSize, Clock, Device, DeviceLog, DeviceState, InterruptLine, Timer } from './device.ts'
import { cyclesOf, type DeviceTiming } from './timing.ts'

const TXDATA = 0x00 // {7:0 data, 31 full}
const RXDATA = 0x04 // {7:0 data, 31 empty}; a read takes the character
const TXCTRL = 0x08 // {0 enable, 1 two stop bits, 18:16 watermark}
const RXCTRL = 0x0c // {0 enable, 18:16 watermark}
const IE = 0x10
const IP = 0x14
const DIV = 0x18 // bit time in clocks, less one

const FLAG = 0x8000_0000
const ENABLE = 1
const TWO_STOP_BITS = 2
const TRANSMIT_WATERMARK = 1
const RECEIVE_WATERMARK = 2

const FIFO_DEPTH = 8

/** Registers that only keep what is written, and the bits that they have. */
const PLAIN: Readonly<Record<number, number>> = { [TXCTRL]: 0x7_0003, [RXCTRL]: 0x7_0001, [IE]: 3, [DIV]: 0xffff }

/**
 * As the boot ROM leaves it, which sets it up as the SDK's uarths_init does: both directions on, the receiver's interrupt enabled
 * (teaching kernels count on that), 115,200 baud from 396.5 MHz.
 */
const BOOT_VALUES: Readonly<Record<number, number>> = { [TXCTRL]: 1, [RXCTRL]: 1, [IE]: RECEIVE_WATERMARK, [DIV]: 3440 }

export interface UarthsOptions {
  readonly timing: Pick<DeviceTiming, 'uartCharacter'>
  /** The input clock in Hz. */
  readonly inputClock: () => number
}

export class Uarths implements Device {
  private registers: Record<number, number> = { ...BOOT_VALUES }
  private transmitting: number[] = []
  private received: number[] = []
  /** The cycle at which the character at the front of `transmitting` has left; Infinity when the line is idle. */
  private transmitDone = Infinity
  /** The character on its way in and the cycle at which it is complete. */
  private incoming: { byte: number; done: number } | null = null
  private readonly timer: Timer
  private readonly unknown: AccessLog

  constructor(
    readonly name: string,
    private readonly clock: Clock,
    private readonly line: InterruptLine,
    private readonly stream: SerialPort,
    log: DeviceLog,
    private readonly options: UarthsOptions,
  ) {
    this.unknown = new AccessLog(name, log)
    this.timer = clock.timer(() => this.advance())
    stream.onInput(() => this.advance())
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4) return this.unknown.unknownRead(offset, size)
    this.advance()
    switch (offset) {
      case TXDATA:
        return this.isFull() ? FLAG : 0
      case RXDATA: {
        const byte = this.received.shift()
        this.advance()
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
    this.advance()
    switch (offset) {
      case TXDATA:
        // Writes to a full FIFO are ignored.
        if (!this.isFull()) this.transmitting.push(value & 0xff)
        break
      case RXDATA:
      case IP:
        return // read-only
      default:
        if (!(offset in PLAIN)) return this.unknown.unknownWrite(offset, value, size)
        this.registers[offset] = (value & PLAIN[offset]) >>> 0
    }
    this.advance()
  }

  /** Sends what still waits, now: the machine stops and the characters would never leave. */
  drain(): void {
    for (const byte of this.transmitting) this.stream.write(byte)
    this.transmitting = []
    this.transmitDone = Infinity
  }

  save(): DeviceState {
    return {
      registers: { ...this.registers },
      transmitting: [...this.transmitting],
      received: [...this.received],
      transmitDone: this.transmitDone,
      incoming: this.incoming && { ...this.incoming },
      stream: this.stream.save(),
    }
  }

  load(state: DeviceState): void {
    const { registers, transmitting, received, transmitDone, incoming, stream } = state
    this.registers = { ...(registers as Record<number, number>) }
    this.transmitting = [...(transmitting as number[])]
    this.received = [...(received as number[])]
    this.transmitDone = transmitDone as number
    this.incoming = incoming ? { ...(incoming as { byte: number; done: number }) } : null
    this.stream.load(stream as ConsoleState)
  }

  /** Brings everything up to now: characters that have left or arrived, the wire, the next expiry. */
  private advance(): void {
    const now = this.clock.now
    while (this.transmitDone <= now) {
      const done = this.transmitDone
      this.stream.write(this.transmitting.shift()!)
      this.transmitDone = Infinity
      this.startTransmitting(done)
    }
    this.startTransmitting(now)
    if (this.incoming && this.incoming.done <= now) {
      this.received.push(this.incoming.byte)
      this.incoming = null
    }
    // Only what there is room for is taken from the host: input is never overrun.
    if (!this.incoming && this.canReceive() && this.stream.nextArrival() <= now) {
      this.incoming = { byte: this.stream.take(), done: now + this.characterCycles() }
    }
    this.line.set((this.pending() & this.register(IE)) !== 0)
    let next = Math.min(this.transmitDone, this.incoming?.done ?? Infinity)
    if (!this.incoming && this.canReceive()) next = Math.min(next, this.stream.nextArrival())
    if (next === Infinity) this.timer.cancel()
    else this.timer.at(next)
  }

  private startTransmitting(cycle: number): void {
    if (this.transmitDone !== Infinity || this.transmitting.length === 0 || !(this.register(TXCTRL) & ENABLE)) return
    this.transmitDone = cycle + this.characterCycles()
  }

  private canReceive(): boolean {
    return (this.register(RXCTRL) & ENABLE) !== 0 && this.received.length < FIFO_DEPTH
  }

  /** The character on the wire has left the FIFO. */
  private waiting(): number {
    return this.transmitting.length - (this.transmitDone === Infinity ? 0 : 1)
  }

  private isFull(): boolean {
    return this.waiting() >= FIFO_DEPTH
  }

  private pending(): number {
    const transmit = this.waiting() < this.register(TXCTRL) >>> 16 ? TRANSMIT_WATERMARK : 0
    return transmit | (this.received.length > this.register(RXCTRL) >>> 16 ? RECEIVE_WATERMARK : 0)
  }

  private register(offset: number): number {
    return this.registers[offset] ?? 0
  }

  /** One start bit, eight data bits, one or two stop bits. */
  private characterCycles(): number {
    const { timing, inputClock } = this.options
    if (timing.uartCharacter !== 'baud') return cyclesOf(timing.uartCharacter, this.clock.frequency)
    const bits = this.register(TXCTRL) & TWO_STOP_BITS ? 11 : 10
    return cyclesOf((bits * (this.register(DIV) + 1)) / inputClock(), this.clock.frequency)
  }
}
