/**
 * The K210's watchdogs (DesignWare DW_apb_wdt; register layout as in the vendor SDK's wdt.h). When a count runs out the chip is
 * reset, or, in response mode 1, an interrupt comes first and the reset only when it is not cleared within one more count.
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Clock, Device, DeviceLog, DeviceState, InterruptLine, Timer } from './device.ts'

const CONTROL = 0x00 // {0 enabled, 1 response mode, 4:2 length of the reset pulse}
const TIMEOUT = 0x04 // {3:0 period, 7:4 first period}: 2^(16 + n) clocks
const CURRENT = 0x08
const RESTART = 0x0c // takes only 0x76
const STATUS = 0x10
const END_OF_INTERRUPT = 0x14 // a read clears; the SDK reads it, too, before it writes it back
const PROTECTION = 0x1c
const PARAMETERS = 0xe4 // 0xe4 to 0xfc

const ENABLED = 1
const INTERRUPT_FIRST = 2
const RESTART_KEY = 0x76

export class DwWatchdog implements Device {
  private control = 0
  private timeout = 0
  private protection = 0
  private pending = false
  /** While enabled: the cycles at which the count began and at which it runs out. */
  private since = 0
  private due = Infinity
  private readonly timer: Timer
  private readonly unknown: AccessLog

  /** `inputClock` is in Hz; `expired` resets the chip. */
  constructor(
    readonly name: string,
    private readonly clock: Clock,
    private readonly line: InterruptLine,
    private readonly inputClock: () => number,
    private readonly expired: () => void,
    log: DeviceLog,
  ) {
    this.unknown = new AccessLog(name, log)
    this.timer = clock.timer(() => this.expire())
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4) return this.unknown.unknownRead(offset, size)
    switch (offset) {
      case CONTROL:
        return this.control
      case TIMEOUT:
        return this.timeout
      case CURRENT: {
        if (!(this.control & ENABLED)) return this.period() - 1
        const counted = Math.floor(((this.clock.now - this.since) * this.inputClock()) / this.clock.frequency)
        return Math.max(this.period() - 1 - counted, 0)
      }
      case RESTART:
        return 0
      case STATUS:
        return this.pending ? 1 : 0
      case END_OF_INTERRUPT:
        this.clear()
        return 0
      case PROTECTION:
        return this.protection
      default:
        return offset >= PARAMETERS && offset <= 0xfc ? 0 : this.unknown.unknownRead(offset, size)
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4) return this.unknown.unknownWrite(offset, value, size)
    switch (offset) {
      case CONTROL: {
        const starts = value & ~this.control & ENABLED
        this.control = value & 0x1f
        if (starts) this.restart()
        else if (!(value & ENABLED)) this.stop()
        return
      }
      case TIMEOUT:
        this.timeout = value & 0xff
        return
      case RESTART:
        if ((value & 0xff) !== RESTART_KEY) return
        this.clear()
        if (this.control & ENABLED) this.restart()
        return
      case PROTECTION:
        this.protection = value & 7
        return
      case CURRENT:
      case STATUS:
      case END_OF_INTERRUPT:
        return // read-only
      default:
        this.unknown.unknownWrite(offset, value, size)
    }
  }

  /** What the reset bit of the system controller does. */
  reset(): void {
    this.control = 0
    this.timeout = 0
    this.protection = 0
    this.clear()
    this.stop()
  }

  save(): DeviceState {
    const { control, timeout, protection, pending, since, due } = this
    return { control, timeout, protection, pending, since, due }
  }

  load(state: DeviceState): void {
    Object.assign(this, state)
  }

  private expire(): void {
    if (!(this.control & INTERRUPT_FIRST) || this.pending) return this.expired()
    this.pending = true
    this.line.set(true)
    this.restart()
  }

  private restart(): void {
    this.since = this.clock.now
    this.due = this.since + (this.period() * this.clock.frequency) / this.inputClock()
    this.timer.at(this.due)
  }

  private stop(): void {
    this.due = Infinity
    this.timer.cancel()
  }

  private clear(): void {
    this.pending = false
    this.line.set(false)
  }

  private period(): number {
    return 2 ** (16 + (this.timeout & 15))
  }
}
