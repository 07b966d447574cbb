/**
 * A 16550A serial port (National Semiconductor PC16550D data sheet; section numbers below are of its chapter 8,
 * "Registers"). Characters take the time of their bits, in both directions; the receiver takes its next character from
 * the host as soon as it has room, so that input is never overrun.
 */
import type { ConsoleState, SerialPort } from '../backend/console.ts'
import { AccessLog } from './access-log.ts'
import type { AccessSize, Clock, Device, DeviceLog, DeviceState, InterruptLine, Timer } from './device.ts'
import { cyclesOf, type DeviceTiming } from './timing.ts'

const RBR_THR = 0 // receiver buffer, transmitter holding; with DLAB the divisor's low byte
const IER = 1 // with DLAB the divisor's high byte
const IIR_FCR = 2
const LCR = 3
const MCR = 4
const LSR = 5
const MSR = 6
const SCR = 7

const IER_RECEIVE = 0x01
const IER_THRE = 0x02
const IER_LINE_STATUS = 0x04
const IER_MODEM = 0x08
const IER_MASK = 0x0f

const IIR_NONE = 0x01
const IIR_MODEM = 0x00
const IIR_THRE = 0x02
const IIR_RECEIVE = 0x04
const IIR_LINE_STATUS = 0x06
const IIR_TIMEOUT = 0x0c
const IIR_FIFOS = 0xc0

const FCR_ENABLE = 0x01
const FCR_CLEAR_RECEIVE = 0x02
const FCR_CLEAR_TRANSMIT = 0x04
const TRIGGER_LEVELS = [1, 4, 8, 14]

const LCR_DLAB = 0x80

const MCR_MASK = 0x1f
const MCR_LOOPBACK = 0x10

const LSR_DATA_READY = 0x01
const LSR_OVERRUN = 0x02
const LSR_THRE = 0x20
const LSR_IDLE = 0x40

/** Carrier, data set ready, clear to send: a terminal is there. */
const MSR_CONNECTED = 0xb0

const FIFO_DEPTH = 16
/** Reset leaves the divisor undefined. With QEMU's clock of 3.6864 MHz this one is 115,200 baud. */
const RESET_DIVISOR = 2
/** The receive timeout in character times (8.11). */
const TIMEOUT_CHARACTERS = 4
/** Software written for instant serial ports writes without looking at THRE: keep what real hardware would lose. */
const MOST_QUEUED = 65_536

export interface UartOptions {
  /** The input clock of the baud rate generator in Hz: clock-frequency in the device tree. */
  readonly clockFrequency: number
  readonly timing: Pick<DeviceTiming, 'uartCharacter'>
  /** Registers lie 1 << registerShift bytes apart: 0 on `virt`, 2 in most chips. */
  readonly registerShift?: number
}

export class Uart16550 implements Device {
  protected ier = 0
  protected lcr = 0
  private mcr = 0
  private scr = 0
  protected divisor = RESET_DIVISOR
  protected fifoEnabled = false
  private trigger = 1
  private modemDelta = 0
  private overrun = false
  /** THR became empty and neither was IIR read nor THR written since (8.6). */
  private threPending = false
  private receiveTimeout = false
  /** A cause of interrupt is new since the wire was last driven. */
  private newCause = false
  /** The bits that IER has. */
  protected readonly interruptMask: number = IER_MASK
  protected received: number[] = []
  protected transmitting: number[] = []
  /** The cycle at which the character at the front of `transmitting` has left; Infinity when the line is idle. */
  private transmitDone = Infinity
  /** The character on its way in and the cycle at which it is complete. */
  private incoming: { byte: number; done: number } | null = null
  private timeoutAt = Infinity
  /** The cycle at which the next of these is due: a register read between two expiries sees it happen in time. */
  private due = Infinity
  private readonly shift: number
  private readonly timer: Timer
  protected readonly unknown: AccessLog

  constructor(
    readonly name: string,
    protected readonly clock: Clock,
    private readonly line: InterruptLine,
    private readonly stream: SerialPort,
    log: DeviceLog,
    protected readonly options: UartOptions,
  ) {
    this.shift = options.registerShift ?? 0
    this.unknown = new AccessLog(name, log)
    this.timer = clock.timer(() => this.advance())
    stream.onInput(() => this.advance())
  }

  read(offset: number, size: AccessSize): number {
    if (this.due <= this.clock.now) this.advance()
    switch (this.register(offset)) {
      case RBR_THR:
        return this.lcr & LCR_DLAB ? this.divisor & 0xff : this.receive()
      case IER:
        return this.lcr & LCR_DLAB ? this.divisor >> 8 : this.ier
      case IIR_FCR: {
        const cause = this.cause()
        if (cause === IIR_THRE) {
          this.threPending = false
          this.update()
        }
        return cause | (this.fifoEnabled ? IIR_FIFOS : 0)
      }
      case LCR:
        return this.lcr
      case MCR:
        return this.mcr
      case LSR: {
        const status = this.lineStatus()
        this.overrun = false
        this.update()
        return status
      }
      case MSR: {
        const status = this.modemLines() | this.modemDelta
        this.modemDelta = 0
        this.update()
        return status
      }
      case SCR:
        return this.scr
      default:
        return this.unknown.unknownRead(offset, size)
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    const byte = value & 0xff
    switch (this.register(offset)) {
      case RBR_THR:
        if (this.lcr & LCR_DLAB) this.divisor = (this.divisor & 0xff00) | byte
        else this.transmit(byte)
        break
      case IER:
        if (this.lcr & LCR_DLAB) this.divisor = (this.divisor & 0x00ff) | (byte << 8)
        else {
          // Enabling the interrupt while THR is empty requests it at once (8.7); Linux' start-up test relies on it.
          if (byte & ~this.ier & IER_THRE && this.holdingEmpty()) this.holdingEmptied()
          this.newCause = true
          this.ier = byte & this.interruptMask
        }
        break
      case IIR_FCR:
        this.controlFifos(byte)
        break
      case LCR:
        this.lcr = byte
        break
      case MCR: {
        const before = this.modemLines()
        this.mcr = byte & MCR_MASK
        this.noteModemChange(before)
        break
      }
      case LSR: // factory test only (8.4)
      case MSR:
        break
      case SCR:
        this.scr = byte
        break
      default:
        return this.unknown.unknownWrite(offset, value, size)
    }
    this.advance()
  }

  /** Sends what still waits, now: the machine stops and the characters would never leave. */
  drain(): void {
    if (!(this.mcr & MCR_LOOPBACK)) for (const byte of this.transmitting) this.stream.write(byte)
    this.transmitting = []
    this.transmitDone = Infinity
    this.stream.flush()
  }

  save(): DeviceState {
    const { ier, lcr, mcr, scr, divisor, fifoEnabled, trigger, modemDelta, overrun, threPending, receiveTimeout, due } = this
    return {
      ...{ ier, lcr, mcr, scr, divisor, fifoEnabled, trigger, modemDelta, overrun, threPending, receiveTimeout, due },
      received: [...this.received],
      transmitting: [...this.transmitting],
      transmitDone: this.transmitDone,
      incoming: this.incoming && { ...this.incoming },
      timeoutAt: this.timeoutAt,
      stream: this.stream.save(),
    }
  }

  load(state: DeviceState): void {
    const { stream, received, transmitting, incoming, ...rest } = state
    Object.assign(this, rest)
    this.received = [...(received as number[])]
    this.transmitting = [...(transmitting as number[])]
    this.incoming = incoming ? { ...(incoming as { byte: number; done: number }) } : null
    this.stream.load(stream as ConsoleState)
  }

  private register(offset: number): number {
    const register = offset >> this.shift
    return register << this.shift === offset ? register : -1
  }

  /** Brings everything up to now: characters that have left or arrived, the timeout, the wire, the next expiry. */
  protected advance(): void {
    const now = this.clock.now
    while (this.transmitDone <= now) this.characterLeft(this.transmitDone)
    if (this.incoming && this.incoming.done <= now) {
      const { byte, done } = this.incoming
      this.incoming = null
      this.characterArrived(byte, done)
    }
    this.startReceiving()
    if (this.timeoutAt <= now) {
      this.timeoutAt = Infinity
      this.receiveTimeout = this.received.length > 0
      this.newCause = true
    }
    this.update()
    this.schedule()
  }

  private schedule(): void {
    let next = Math.min(this.transmitDone, this.timeoutAt)
    if (this.incoming) next = Math.min(next, this.incoming.done)
    else if (this.hasRoom()) next = Math.min(next, this.stream.nextArrival())
    this.due = next
    if (next === Infinity) this.timer.cancel()
    else this.timer.at(next)
  }

  private transmit(byte: number): void {
    if (this.transmitting.length > this.capacity()) {
      this.unknown.once('transmit', 'the guest writes characters without waiting for LSR.THRE: real hardware would lose some')
      if (this.transmitting.length >= MOST_QUEUED) return
    }
    this.threPending = false
    this.transmitting.push(byte)
    if (this.transmitDone === Infinity) {
      this.transmitDone = this.clock.now + this.characterCycles()
      // The shift register takes the character at once, so THR is empty again.
      this.holdingEmptied()
    }
  }

  private holdingEmptied(): void {
    this.threPending = true
    this.newCause = true
  }

  private characterLeft(at: number): void {
    const byte = this.transmitting.shift()!
    if (this.transmitting.length === 0) this.transmitDone = Infinity
    else {
      this.transmitDone = at + this.characterCycles()
      if (this.holdingEmpty()) this.holdingEmptied()
    }
    if (this.mcr & MCR_LOOPBACK) this.characterArrived(byte, at)
    else this.stream.write(byte)
  }

  private startReceiving(): void {
    if (this.incoming || !this.hasRoom() || this.stream.nextArrival() > this.clock.now) return
    this.incoming = { byte: this.stream.take(), done: this.clock.now + this.characterCycles() }
  }

  private hasRoom(): boolean {
    return !(this.mcr & MCR_LOOPBACK) && this.received.length < this.capacity()
  }

  private characterArrived(byte: number, at: number): void {
    if (this.received.length >= this.capacity()) this.overrun = true
    else this.received.push(byte)
    this.newCause = true
    this.restartTimeout(at)
  }

  private receive(): number {
    const byte = this.received.shift() ?? 0
    // What is left asks again.
    this.newCause = true
    this.restartTimeout(this.clock.now)
    this.advance()
    return byte
  }

  private restartTimeout(from: number): void {
    this.receiveTimeout = false
    const counts = this.fifoEnabled && this.received.length > 0
    this.timeoutAt = counts ? from + TIMEOUT_CHARACTERS * this.characterCycles() : Infinity
  }

  protected controlFifos(byte: number): void {
    const enable = (byte & FCR_ENABLE) !== 0
    const toggled = enable !== this.fifoEnabled
    this.fifoEnabled = enable
    this.trigger = enable ? TRIGGER_LEVELS[byte >> 6] : 1
    if (toggled || (enable && byte & FCR_CLEAR_RECEIVE)) {
      // Bytes the guest never saw are still the host's: start-up code clears the FIFOs, and typed text must not vanish.
      if (!(this.mcr & MCR_LOOPBACK)) this.stream.giveBack(Uint8Array.from(this.received))
      this.received = []
      this.restartTimeout(this.clock.now)
    }
    if (toggled || (enable && byte & FCR_CLEAR_TRANSMIT)) {
      // The character in the shift register leaves all the same (8.5).
      const wasEmpty = this.holdingEmpty()
      this.transmitting.length = Math.min(this.transmitting.length, 1)
      if (!wasEmpty) this.holdingEmptied()
    }
  }

  protected lineStatus(): number {
    let status = 0
    if (this.received.length > 0) status |= LSR_DATA_READY
    if (this.overrun) status |= LSR_OVERRUN
    if (this.holdingEmpty()) status |= LSR_THRE
    if (this.transmitting.length === 0) status |= LSR_IDLE
    return status
  }

  /** In loopback the modem inputs are the outputs of MCR: DTR to DSR, RTS to CTS, OUT1 to RI, OUT2 to DCD (8.8). */
  private modemLines(): number {
    if (!(this.mcr & MCR_LOOPBACK)) return MSR_CONNECTED
    return ((this.mcr & 0x01) << 5) | ((this.mcr & 0x02) << 3) | ((this.mcr & 0x0c) << 4)
  }

  /** MSR bits 0, 1 and 3 note a change; bit 2 only the falling edge of RI (8.9). */
  private noteModemChange(before: number): void {
    const after = this.modemLines()
    const changed = (before ^ after) >> 4
    const ringEnded = (before & ~after & 0x40) >> 4
    this.modemDelta |= (changed & 0x0b) | ringEnded
  }

  protected cause(): number {
    if (this.ier & IER_LINE_STATUS && this.overrun) return IIR_LINE_STATUS
    if (this.ier & IER_RECEIVE) {
      if (this.received.length >= this.trigger) return IIR_RECEIVE
      if (this.receiveTimeout) return IIR_TIMEOUT
    }
    if (this.ier & IER_THRE && this.transmitterAsks()) return IIR_THRE
    if (this.ier & IER_MODEM && this.modemDelta !== 0) return IIR_MODEM
    return IIR_NONE
  }

  /**
   * Drives the wire. A new cause makes an edge even when an older one holds the wire up: behind an edge-triggered gateway it
   * must not be lost, and one that was served without a read of IIR must not come again. Level-sensitive gateways see no difference.
   */
  private update(): void {
    const level = this.cause() !== IIR_NONE
    if (level && this.newCause) this.line.set(false)
    this.newCause = false
    this.line.set(level)
  }

  /** Whether the transmitter has a cause of interrupt. */
  protected transmitterAsks(): boolean {
    return this.threPending
  }

  /** Bits of a character: one start bit, 5 to 8 data bits, parity if enabled, 1 or 2 stop bits (8.1). */
  protected characterBits(): number {
    const { lcr } = this
    return 1 + 5 + (lcr & 3) + (lcr & 8 ? 1 : 0) + (lcr & 4 ? 2 : 1)
  }

  /** The front of `transmitting` is in the shift register; the rest waits in THR or the FIFO. */
  protected holdingEmpty(): boolean {
    return this.transmitting.length <= 1
  }

  protected capacity(): number {
    return this.fifoEnabled ? FIFO_DEPTH : 1
  }

  protected characterCycles(): number {
    const { timing, clockFrequency } = this.options
    if (timing.uartCharacter !== 'baud') return cyclesOf(timing.uartCharacter, this.clock.frequency)
    // A divisor of 0 stops a real port's clock; here it counts as 1.
    return cyclesOf((this.characterBits() * 16 * Math.max(this.divisor, 1)) / clockFrequency, this.clock.frequency)
  }
}
