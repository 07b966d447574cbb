/**
 * The K210's pin multiplexer (vendor SDK, fpioa.h): any of 256 functions on any of 48 pins. It is also where the board's pins
 * meet: a peripheral whose function is on no pin reaches nothing outside.
 *
 *     pin   {7:0 function, 12 output enabled, 13 enable inverted, 15 output inverted, 16 pull up, 17 pull down,
 *            20 input enabled, 22 input inverted, 31 level at the pad (read-only)}
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Device, DeviceLog, DeviceState } from './device.ts'

export const PIN_COUNT = 48

const TIE_ENABLE = 0xc0 // one bit for each function: its input is not the pin but a bit of the eight words behind
const END = 0x100

const FUNCTION = 0xff
const OUTPUT_ENABLE = 1 << 12
const OUTPUT_INVERT = 1 << 15
const PULL_UP = 1 << 16
const INPUT_ENABLE = 1 << 20
const INPUT_INVERT = 1 << 22
const PAD_LEVEL = 0x8000_0000
const WRITABLE = 0x00fb_ffff

/** Numbers of functions (fpioa.h, fpioa_function_t). */
export const PIN_FUNCTION = {
  spi0Data: 4,
  spi0Select: 12,
  spi0Clock: 17,
  uarthsReceive: 18,
  uarthsTransmit: 19,
  gpiohs: 24,
  gpio: 56,
  uartReceive: 64,
  uartTransmit: 65,
  spi1Data: 70,
  spi1Select: 78,
  spi1Clock: 83,
  none: 120,
} as const

/** Pins are as the boot ROM leaves them: JTAG on 0 to 3, the serial console on 4 and 5, nothing on the others. */
const RESET_FUNCTIONS = [0, 1, 2, 3, PIN_FUNCTION.uarthsReceive, PIN_FUNCTION.uarthsTransmit]

function resetPin(pin: number): number {
  const role = RESET_FUNCTIONS[pin] ?? PIN_FUNCTION.none
  if (role === PIN_FUNCTION.none) return role
  return role | 0xf00 | (role === PIN_FUNCTION.uarthsTransmit || role === 3 ? OUTPUT_ENABLE : INPUT_ENABLE)
}

export class Fpioa implements Device {
  private pins = new Uint32Array(PIN_COUNT).map((_, pin) => resetPin(pin))
  private ties = new Uint32Array(16)
  /** What functions drive: a level, or undefined while the peripheral leaves the wire alone. */
  private readonly drivers = new Map<number, () => boolean | undefined>()
  /** What is soldered to a pin and pulls it when nobody drives. */
  private readonly pulls = new Map<number, boolean>()
  private readonly listeners: (() => void)[] = []
  private readonly unknown: AccessLog

  constructor(
    readonly name: string,
    log: DeviceLog,
  ) {
    this.unknown = new AccessLog(name, log)
  }

  /** Names the level that a function puts on its pins. */
  drive(role: number, level: () => boolean | undefined): void {
    this.drivers.set(role, level)
  }

  /** The board's resistor on a pin. */
  pull(pin: number, level: boolean): void {
    this.pulls.set(pin, level)
  }

  /** `listener` is called after every change of a pin's configuration or of what drives it. */
  onChange(listener: () => void): void {
    this.listeners.push(listener)
  }

  /** A driver's level changed. */
  changed(): void {
    for (const listener of this.listeners) listener()
  }

  /** True when a function's output reaches a pin. */
  sends(role: number, pin: number): boolean {
    return (this.pins[pin] & FUNCTION) === role && (this.pins[pin] & OUTPUT_ENABLE) !== 0
  }

  /** True when a pin's level reaches a function's input. */
  receives(role: number, pin: number): boolean {
    return (this.pins[pin] & FUNCTION) === role && (this.pins[pin] & INPUT_ENABLE) !== 0 && !hasBit(this.ties, 0, role)
  }

  /** The level at a pin: what drives it, or else what pulls it. */
  level(pin: number): boolean {
    const configuration = this.pins[pin]
    if (configuration & OUTPUT_ENABLE) {
      const driven = this.drivers.get(configuration & FUNCTION)?.()
      if (driven !== undefined) return driven !== ((configuration & OUTPUT_INVERT) !== 0)
    }
    return this.pulls.get(pin) ?? (configuration & PULL_UP) !== 0
  }

  /** The level at a function's input; false when no pin feeds it. */
  input(role: number): boolean {
    if (hasBit(this.ties, 0, role)) return hasBit(this.ties, 8, role)
    const pin = this.pins.findIndex((configuration) => (configuration & FUNCTION) === role && (configuration & INPUT_ENABLE) !== 0)
    return pin >= 0 && this.level(pin) !== ((this.pins[pin] & INPUT_INVERT) !== 0)
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4 || offset >= END) return this.unknown.unknownRead(offset, size)
    if (offset >= TIE_ENABLE) return this.ties[(offset - TIE_ENABLE) / 4]
    const pin = offset / 4
    return (this.pins[pin] | (this.level(pin) ? PAD_LEVEL : 0)) >>> 0
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4 || offset >= END) return this.unknown.unknownWrite(offset, value, size)
    if (offset >= TIE_ENABLE) this.ties[(offset - TIE_ENABLE) / 4] = value
    else this.pins[offset / 4] = value & WRITABLE
    this.changed()
  }

  /** What the reset bit of the system controller does. */
  reset(): void {
    this.pins = this.pins.map((_, pin) => resetPin(pin))
    this.ties.fill(0)
    this.changed()
  }

  save(): DeviceState {
    return { pins: this.pins.slice(), ties: this.ties.slice() }
  }

  load(state: DeviceState): void {
    this.pins = (state.pins as Uint32Array).slice()
    this.ties = (state.ties as Uint32Array).slice()
  }
}

function hasBit(words: Uint32Array, first: number, index: number): boolean {
  return (words[first + (index >>> 5)] & (1 << (index & 31))) !== 0
}
