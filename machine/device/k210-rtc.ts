/**
 * The K210's real-time clock (register layout as in the vendor SDK's rtc.h): calendar registers that count seconds of the crystal,
 * a tick interrupt each second, minute, hour or day, and an alarm. It starts where the board says, so that a run never depends on the
 * day it is made.
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Clock, Device, DeviceLog, DeviceState, InterruptLine, Timer } from './device.ts'
import { DEFAULT_EPOCH } from './rtc.ts'

const DATE = 0x00 // {2:0 day of the week, 12:8 day, 19:16 month, 31:20 year of the century}
const TIME = 0x04 // {15:10 second, 21:16 minute, 28:24 hour}
const ALARM_DATE = 0x08
const ALARM_TIME = 0x0c
const INITIAL_COUNT = 0x10 // clocks of a second
const CURRENT_COUNT = 0x14
const INTERRUPT_CONTROL = 0x18 // {0 tick, 1 alarm, 3:2 tick each second, minute, hour, day, 31:24 fields that the alarm compares}
const REGISTER_CONTROL = 0x1c // {0 reading enabled, 1 writing enabled, …masks}
const EXTENDED = 0x28 // {4:0 century, 5 leap year}

const TICK_ENABLE = 1
const ALARM_ENABLE = 2
const READ_ENABLE = 1
const WRITE_ENABLE = 2

/** Bits of the alarm's mask: second, minute, hour, day of the week, day, month, year. */
const MASK_BITS = { second: 1, minute: 2, hour: 3, week: 4, day: 5, month: 6, year: 7 } as const

const MILLISECONDS = 1000

export class K210Rtc implements Device {
  /** Milliseconds since 1970 at cycle `since`; it stands still while registers are being set. */
  private base = DEFAULT_EPOCH * MILLISECONDS
  private since = 0
  private alarmDate = 0
  private alarmTime = 0
  private initialCount = 26_000_000
  private interruptControl = 0
  private registerControl = READ_ENABLE
  private tickAt = Infinity
  private readonly timer: Timer
  private readonly unknown: AccessLog

  constructor(
    readonly name: string,
    private readonly clock: Clock,
    private readonly line: InterruptLine,
    log: DeviceLog,
  ) {
    this.unknown = new AccessLog(name, log)
    this.timer = clock.timer(() => this.tick())
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4) return this.unknown.unknownRead(offset, size)
    const now = new Date(this.now())
    switch (offset) {
      case DATE:
        return dateWord(now)
      case TIME:
        return timeWord(now)
      case ALARM_DATE:
        return this.alarmDate
      case ALARM_TIME:
        return this.alarmTime
      case INITIAL_COUNT:
        return this.initialCount
      case CURRENT_COUNT:
        return Math.floor(((this.now() % MILLISECONDS) / MILLISECONDS) * this.initialCount)
      case INTERRUPT_CONTROL:
        return this.interruptControl
      case REGISTER_CONTROL:
        return this.registerControl
      case EXTENDED: {
        const year = now.getUTCFullYear()
        const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
        return Math.floor(year / 100) | (leap ? 32 : 0)
      }
      case 0x20:
      case 0x24:
        return 0
      default:
        return this.unknown.unknownRead(offset, size)
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4) return this.unknown.unknownWrite(offset, value, size)
    const now = new Date(this.now())
    switch (offset) {
      case DATE: {
        const year = Math.floor(now.getUTCFullYear() / 100) * 100 + (value >>> 20)
        this.setNow(Date.UTC(year, ((value >>> 16) & 15) - 1, (value >>> 8) & 31) + (this.now() % 86_400_000))
        return
      }
      case TIME: {
        const seconds = ((value >>> 24) & 31) * 3600 + ((value >>> 16) & 63) * 60 + ((value >>> 10) & 63)
        this.setNow(Math.floor(this.now() / 86_400_000) * 86_400_000 + seconds * MILLISECONDS)
        return
      }
      case EXTENDED: {
        const moved = new Date(now)
        moved.setUTCFullYear((value & 31) * 100 + (now.getUTCFullYear() % 100))
        this.setNow(moved.getTime())
        return
      }
      case ALARM_DATE:
        this.alarmDate = value
        return
      case ALARM_TIME:
        this.alarmTime = value
        return
      case INITIAL_COUNT:
        this.initialCount = value
        return
      case CURRENT_COUNT: // part of a second
        this.setNow(Math.floor(this.now() / MILLISECONDS) * MILLISECONDS)
        return
      case INTERRUPT_CONTROL:
        this.interruptControl = value
        this.schedule()
        return
      case REGISTER_CONTROL: {
        const stopped = this.now()
        this.registerControl = value
        this.setNow(stopped)
        return
      }
      default:
        if (offset !== 0x20 && offset !== 0x24) this.unknown.unknownWrite(offset, value, size)
    }
  }

  /** What the reset bit of the system controller does: interrupts off; the time goes on. */
  reset(): void {
    this.interruptControl = 0
    this.schedule()
  }

  save(): DeviceState {
    const { base, since, alarmDate, alarmTime, initialCount, interruptControl, registerControl, tickAt } = this
    return { base, since, alarmDate, alarmTime, initialCount, interruptControl, registerControl, tickAt }
  }

  load(state: DeviceState): void {
    Object.assign(this, state)
  }

  private now(): number {
    // While writing is enabled the SDK expects time to stand still.
    if (this.registerControl & WRITE_ENABLE) return this.base
    return this.base + Math.floor(((this.clock.now - this.since) * MILLISECONDS) / this.clock.frequency)
  }

  private setNow(milliseconds: number): void {
    // Registers that name no day leave the time as it was.
    if (Number.isFinite(milliseconds)) this.base = milliseconds
    this.since = this.clock.now
    this.schedule()
  }

  /** Once a second, while an interrupt is wanted. */
  private schedule(): void {
    const wanted = (this.interruptControl & (TICK_ENABLE | ALARM_ENABLE)) !== 0 && !(this.registerControl & WRITE_ENABLE)
    const left = MILLISECONDS - (this.now() % MILLISECONDS)
    this.tickAt = wanted ? this.clock.now + (left * this.clock.frequency) / MILLISECONDS : Infinity
    if (wanted) this.timer.at(this.tickAt)
    else this.timer.cancel()
  }

  private tick(): void {
    const now = new Date(this.now())
    const control = this.interruptControl
    const [second, minute, hour] = [now.getUTCSeconds(), now.getUTCMinutes(), now.getUTCHours()]
    const mode = (control >>> 2) & 3
    const due = mode === 0 || (second === 0 && (mode === 1 || (minute === 0 && (mode === 2 || hour === 0))))
    // The registers have no pending bit: what the source gives is a pulse.
    if ((control & TICK_ENABLE && due) || (control & ALARM_ENABLE && this.alarmMatches(now))) {
      this.line.set(true)
      this.line.set(false)
    }
    this.schedule()
  }

  private alarmMatches(now: Date): boolean {
    const mask = this.interruptControl >>> 24
    const has = (bit: number) => (mask & (1 << bit)) !== 0
    const [date, time] = [dateWord(now) ^ this.alarmDate, timeWord(now) ^ this.alarmTime]
    const differs =
      (has(MASK_BITS.second) && (time >>> 10) & 63) ||
      (has(MASK_BITS.minute) && (time >>> 16) & 63) ||
      (has(MASK_BITS.hour) && (time >>> 24) & 31) ||
      (has(MASK_BITS.week) && date & 7) ||
      (has(MASK_BITS.day) && (date >>> 8) & 31) ||
      (has(MASK_BITS.month) && (date >>> 16) & 15) ||
      (has(MASK_BITS.year) && date >>> 20)
    return mask !== 0 && !differs
  }
}

function dateWord(now: Date): number {
  return (now.getUTCDay() | (now.getUTCDate() << 8) | ((now.getUTCMonth() + 1) << 16) | ((now.getUTCFullYear() % 100) << 20)) >>> 0
}

function timeWord(now: Date): number {
  return (now.getUTCSeconds() << 10) | (now.getUTCMinutes() << 16) | (now.getUTCHours() << 24)
}
