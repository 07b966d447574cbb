/**
 * The K210's high-speed GPIO: 32 pins with an interrupt source each (SiFive FE310-G000 manual, "General Purpose Input/Output
 * Controller"; register layout as in the vendor SDK's gpiohs.h). Which pin of the chip a bit is on is FPIOA's business.
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Device, DeviceLog, DeviceState, InterruptLine } from './device.ts'
import { type Fpioa, PIN_FUNCTION } from './fpioa.ts'

const INPUT_VALUE = 0x00
const INPUT_ENABLE = 0x04
const OUTPUT_ENABLE = 0x08
const OUTPUT_VALUE = 0x0c
const RISE_ENABLE = 0x18 // each of the four is followed by its pending bits, which a 1 clears
const FALL_ENABLE = 0x20
const HIGH_ENABLE = 0x28
const LOW_ENABLE = 0x30
const OUTPUT_XOR = 0x40
const END = 0x44

const PENDING = [RISE_ENABLE + 4, FALL_ENABLE + 4, HIGH_ENABLE + 4, LOW_ENABLE + 4]

const BITS = 32

export class GpioHs implements Device {
  /** By offset / 4. */
  private registers = new Uint32Array(END / 4)
  private readonly unknown: AccessLog

  /** `lines[bit]` is the interrupt source of that bit. */
  constructor(
    readonly name: string,
    private readonly fpioa: Fpioa,
    private readonly lines: readonly InterruptLine[],
    log: DeviceLog,
  ) {
    this.unknown = new AccessLog(name, log)
    for (let bit = 0; bit < BITS; bit++) {
      fpioa.drive(PIN_FUNCTION.gpiohs + bit, () =>
        this.has(OUTPUT_ENABLE, bit) ? this.has(OUTPUT_VALUE, bit) !== this.has(OUTPUT_XOR, bit) : undefined,
      )
    }
    fpioa.onChange(() => this.sample())
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4 || offset >= END) return this.unknown.unknownRead(offset, size)
    return this.registers[offset / 4]
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4 || offset >= END) return this.unknown.unknownWrite(offset, value, size)
    if (offset === INPUT_VALUE) return // read-only
    if (PENDING.includes(offset)) this.registers[offset / 4] &= ~value
    else this.registers[offset / 4] = value
    if ([OUTPUT_ENABLE, OUTPUT_VALUE, OUTPUT_XOR].includes(offset)) this.fpioa.changed()
    else this.sample()
  }

  save(): DeviceState {
    return { registers: this.registers.slice() }
  }

  load(state: DeviceState): void {
    this.registers = (state.registers as Uint32Array).slice()
  }

  /** Takes over the pins' levels, notes edges and levels, drives the lines. */
  private sample(): void {
    const { registers } = this
    const before = registers[INPUT_VALUE / 4]
    let now = 0
    for (let bit = 0; bit < BITS; bit++) {
      if (this.has(INPUT_ENABLE, bit) && this.fpioa.input(PIN_FUNCTION.gpiohs + bit)) now |= 1 << bit
    }
    registers[INPUT_VALUE / 4] = now
    registers[RISE_ENABLE / 4 + 1] |= now & ~before
    registers[FALL_ENABLE / 4 + 1] |= ~now & before
    registers[HIGH_ENABLE / 4 + 1] |= now
    registers[LOW_ENABLE / 4 + 1] |= ~now
    let raised = 0
    for (const pending of PENDING) raised |= registers[pending / 4] & registers[pending / 4 - 1]
    for (let bit = 0; bit < BITS; bit++) this.lines[bit].set((raised & (1 << bit)) !== 0)
  }

  private has(register: number, bit: number): boolean {
    return (this.registers[register / 4] & (1 << bit)) !== 0
  }
}
