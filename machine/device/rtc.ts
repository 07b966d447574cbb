/**
 * The Goldfish real-time clock: nanoseconds since 1970 and one alarm (register names as in the Android emulator's
 * goldfish timer documentation and Linux' timer-goldfish.h). Time is the board's virtual time after a start epoch
 * given at construction, so that a run never depends on the day it is made.
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Clock, Device, DeviceLog, DeviceState, InterruptLine, Timer } from './device.ts'

const TIME_LOW = 0x00 // reading it latches TIME_HIGH
const TIME_HIGH = 0x04
const ALARM_LOW = 0x08 // writing it arms the alarm at {ALARM_HIGH, value}
const ALARM_HIGH = 0x0c
const IRQ_ENABLED = 0x10
const CLEAR_ALARM = 0x14
const ALARM_STATUS = 0x18
const CLEAR_INTERRUPT = 0x1c

const LOW_HALF = 0xffff_ffffn
const SECOND = 1_000_000_000n

/** 2020-01-01 00:00:00 UTC in seconds: recent enough for file systems and certificates. */
export const DEFAULT_EPOCH = 1_577_836_800

export class GoldfishRtc implements Device {
  /** Nanoseconds since 1970 at cycle 0. */
  private base: bigint
  private latchedHigh = 0
  private alarm = 0n
  private alarmArmed = false
  private pending = false
  private enabled = false
  private readonly timer: Timer
  private readonly unknown: AccessLog

  /** `epoch` is the time at cycle 0 in whole seconds since 1970. */
  constructor(
    readonly name: string,
    private readonly clock: Clock,
    private readonly line: InterruptLine,
    log: DeviceLog,
    epoch = DEFAULT_EPOCH,
  ) {
    this.unknown = new AccessLog(name, log)
    this.base = BigInt(epoch) * SECOND
    this.timer = clock.timer(() => this.expire())
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4) return this.unknown.unknownRead(offset, size)
    switch (offset) {
      case TIME_LOW: {
        const time = this.time()
        this.latchedHigh = Number((time >> 32n) & LOW_HALF)
        return Number(time & LOW_HALF)
      }
      case TIME_HIGH:
        return this.latchedHigh
      case ALARM_LOW:
        return Number(this.alarm & LOW_HALF)
      case ALARM_HIGH:
        return Number(this.alarm >> 32n)
      case IRQ_ENABLED:
        return this.enabled ? 1 : 0
      case ALARM_STATUS:
        return this.alarmArmed ? 1 : 0
      case CLEAR_ALARM:
      case CLEAR_INTERRUPT:
        return 0 // write-only
      default:
        return this.unknown.unknownRead(offset, size)
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4) return this.unknown.unknownWrite(offset, value, size)
    switch (offset) {
      case TIME_LOW:
        this.setTime((this.time() & ~LOW_HALF) | BigInt(value))
        break
      case TIME_HIGH:
        this.setTime((this.time() & LOW_HALF) | (BigInt(value) << 32n))
        break
      case ALARM_LOW:
        this.alarm = (this.alarm & ~LOW_HALF) | BigInt(value)
        this.alarmArmed = true
        this.schedule()
        break
      case ALARM_HIGH:
        this.alarm = (this.alarm & LOW_HALF) | (BigInt(value) << 32n)
        break
      case IRQ_ENABLED:
        this.enabled = (value & 1) !== 0
        break
      case CLEAR_ALARM:
        this.alarmArmed = false
        this.schedule()
        break
      case CLEAR_INTERRUPT:
        this.pending = false
        break
      default:
        return this.unknown.unknownWrite(offset, value, size)
    }
    this.update()
  }

  save(): DeviceState {
    const { base, latchedHigh, alarm, alarmArmed, pending, enabled } = this
    return { base, latchedHigh, alarm, alarmArmed, pending, enabled }
  }

  load(state: DeviceState): void {
    const { base, latchedHigh, alarm, alarmArmed, pending, enabled } = state
    Object.assign(this, { base, latchedHigh, alarm, alarmArmed, pending, enabled })
  }

  private time(): bigint {
    return this.base + (BigInt(this.clock.now) * SECOND) / BigInt(this.clock.frequency)
  }

  private setTime(time: bigint): void {
    this.base += time - this.time()
    this.schedule()
  }

  /** An alarm in the past rings at once. */
  private schedule(): void {
    this.timer.cancel()
    if (!this.alarmArmed) return
    if (this.alarm <= this.time()) return this.ring()
    const frequency = BigInt(this.clock.frequency)
    const cycle = Number(((this.alarm - this.base) * frequency + SECOND - 1n) / SECOND)
    // Beyond what a number counts exactly the alarm is years of virtual time away.
    if (Number.isSafeInteger(cycle)) this.timer.at(cycle)
  }

  private expire(): void {
    if (this.alarmArmed) this.ring()
    this.update()
  }

  private ring(): void {
    this.alarmArmed = false
    this.pending = true
  }

  private update(): void {
    this.line.set(this.pending && this.enabled)
  }
}
