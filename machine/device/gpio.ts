/**
 * The K210's eight ordinary GPIO pins (DesignWare APB GPIO; register layout as in the vendor SDK's gpio.h), with one interrupt
 * source for all. Which pin of the chip a bit is on is FPIOA's business.
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Device, DeviceLog, DeviceState, InterruptLine } from './device.ts'
import { type Fpioa, PIN_FUNCTION } from './fpioa.ts'

const DATA_OUTPUT = 0x00
const DIRECTION = 0x04 // 1: output
const SOURCE = 0x08
const INTERRUPT_ENABLE = 0x30
const INTERRUPT_MASK = 0x34
const INTERRUPT_EDGE = 0x38 // 1: edge, 0: level
const INTERRUPT_POLARITY = 0x3c // 1: rising or high
const INTERRUPT_STATUS = 0x40
const RAW_STATUS = 0x44
const DEBOUNCE = 0x48
const CLEAR = 0x4c
const DATA_INPUT = 0x50
const SYNC_LEVEL = 0x60
const ID_CODE = 0x64
const BOTH_EDGES = 0x68

const BITS = 8
const MASK = 0xff

const PLAIN = [
  ...[DATA_OUTPUT, DIRECTION, SOURCE, INTERRUPT_ENABLE, INTERRUPT_MASK, INTERRUPT_EDGE],
  ...[INTERRUPT_POLARITY, DEBOUNCE, SYNC_LEVEL, BOTH_EDGES],
]

export class Gpio implements Device {
  private registers: Record<number, number> = {}
  private input = 0
  /** Edges noted and not yet cleared. */
  private edges = 0
  private readonly unknown: AccessLog

  constructor(
    readonly name: string,
    private readonly fpioa: Fpioa,
    private readonly line: InterruptLine,
    log: DeviceLog,
  ) {
    this.unknown = new AccessLog(name, log)
    for (let bit = 0; bit < BITS; bit++) {
      fpioa.drive(PIN_FUNCTION.gpio + bit, () =>
        this.register(DIRECTION) & (1 << bit) ? (this.register(DATA_OUTPUT) & (1 << bit)) !== 0 : undefined,
      )
    }
    fpioa.onChange(() => this.sample())
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4) return this.unknown.unknownRead(offset, size)
    switch (offset) {
      case DATA_INPUT:
        return this.input
      case RAW_STATUS:
        return this.raw()
      case INTERRUPT_STATUS:
        return this.raw() & ~this.register(INTERRUPT_MASK)
      case CLEAR:
      case ID_CODE:
        return 0
      default:
        return PLAIN.includes(offset) ? this.register(offset) : this.unknown.unknownRead(offset, size)
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4) return this.unknown.unknownWrite(offset, value, size)
    switch (offset) {
      case CLEAR:
        this.edges &= ~value
        break
      case DATA_INPUT:
      case RAW_STATUS:
      case INTERRUPT_STATUS:
      case ID_CODE:
        return // read-only
      default:
        if (!PLAIN.includes(offset)) return this.unknown.unknownWrite(offset, value, size)
        this.registers[offset] = value & MASK
    }
    if (offset === DATA_OUTPUT || offset === DIRECTION) this.fpioa.changed()
    else this.sample()
  }

  /** What the reset bit of the system controller does. */
  reset(): void {
    this.registers = {}
    this.edges = 0
    this.fpioa.changed()
  }

  save(): DeviceState {
    return { registers: { ...this.registers }, input: this.input, edges: this.edges }
  }

  load(state: DeviceState): void {
    this.registers = { ...(state.registers as Record<number, number>) }
    this.input = state.input as number
    this.edges = state.edges as number
  }

  private sample(): void {
    const before = this.input
    this.input = 0
    for (let bit = 0; bit < BITS; bit++) if (this.fpioa.input(PIN_FUNCTION.gpio + bit)) this.input |= 1 << bit
    const rising = this.input & ~before
    const falling = ~this.input & before
    const both = this.register(BOTH_EDGES)
    const polarity = this.register(INTERRUPT_POLARITY)
    const noted = (rising & (polarity | both)) | (falling & (~polarity | both))
    this.edges |= noted & (this.register(INTERRUPT_EDGE) | both) & MASK
    this.line.set((this.raw() & ~this.register(INTERRUPT_MASK)) !== 0)
  }

  private raw(): number {
    const edge = this.register(INTERRUPT_EDGE) | this.register(BOTH_EDGES)
    const polarity = this.register(INTERRUPT_POLARITY)
    const levels = ((this.input & polarity) | (~this.input & ~polarity)) & ~edge & MASK
    return (levels | this.edges) & this.register(INTERRUPT_ENABLE)
  }

  private register(offset: number): number {
    return this.registers[offset] ?? 0
  }
}
