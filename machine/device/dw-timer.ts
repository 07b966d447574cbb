/**
 * The K210's timers (DesignWare DW_apb_timers; register layout as in the vendor SDK's timer.h): four counters that run down at the
 * clock the system controller gives them, with one interrupt source for the first two and one for the others.
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Clock, Device, DeviceLog, DeviceState, InterruptLine, Timer } from './device.ts'

// Of each channel, 0x14 bytes apart
const LOAD_COUNT = 0x00
const CURRENT = 0x04
const CONTROL = 0x08 // {0 enabled, 1 reload LOAD_COUNT rather than all ones, 2 interrupt masked, 3 PWM}
const END_OF_INTERRUPT = 0x0c // a read clears
const INTERRUPT_STATUS = 0x10
const CHANNEL_BYTES = 0x14
const CHANNELS = 4

// Of all channels
const ALL_STATUS = 0xa0
const ALL_END_OF_INTERRUPT = 0xa4
const ALL_RAW_STATUS = 0xa8
const VERSION = 0xac
const LOAD_COUNT2 = 0xb0 // the high phase in PWM mode, 4 bytes each

const ENABLED = 1
const USER_MODE = 2
const MASKED = 4
const PWM = 8

const WRAP = 2 ** 32
const VERSION_VALUE = 0x3231_322a

interface Channel {
  load: number
  load2: number
  control: number
  pending: boolean
  /** While enabled: the cycle at which the count now under way began, and from where it counts. */
  since: number
  from: number
  /** PWM: the phase of LOAD_COUNT2 is under way. */
  second: boolean
}

export class DwTimer implements Device {
  private channels: Channel[] = Array.from({ length: CHANNELS }, stopped)
  private readonly timer: Timer
  private readonly unknown: AccessLog

  /** `lines` are the sources of channels 0 and 1, and of 2 and 3; `inputClock` is in Hz. */
  constructor(
    readonly name: string,
    private readonly clock: Clock,
    private readonly lines: readonly [InterruptLine, InterruptLine],
    private readonly inputClock: () => number,
    log: DeviceLog,
  ) {
    this.unknown = new AccessLog(name, log)
    this.timer = clock.timer(() => this.advance())
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4) return this.unknown.unknownRead(offset, size)
    this.advance()
    if (offset < CHANNELS * CHANNEL_BYTES) {
      const channel = this.channels[Math.floor(offset / CHANNEL_BYTES)]
      switch (offset % CHANNEL_BYTES) {
        case LOAD_COUNT:
          return channel.load
        case CURRENT:
          return this.current(channel)
        case CONTROL:
          return channel.control
        case END_OF_INTERRUPT:
          channel.pending = false
          this.update()
          return 0
        case INTERRUPT_STATUS:
          return asks(channel) ? 1 : 0
      }
    }
    if (offset >= LOAD_COUNT2 && offset < LOAD_COUNT2 + 4 * CHANNELS) return this.channels[(offset - LOAD_COUNT2) / 4].load2
    switch (offset) {
      case ALL_STATUS:
        return bits(this.channels.map(asks))
      case ALL_RAW_STATUS:
        return bits(this.channels.map(({ pending }) => pending))
      case ALL_END_OF_INTERRUPT:
        for (const channel of this.channels) channel.pending = false
        this.update()
        return 0
      case VERSION:
        return VERSION_VALUE
      default:
        return this.unknown.unknownRead(offset, size)
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4) return this.unknown.unknownWrite(offset, value, size)
    this.advance()
    if (offset < CHANNELS * CHANNEL_BYTES) {
      const channel = this.channels[Math.floor(offset / CHANNEL_BYTES)]
      switch (offset % CHANNEL_BYTES) {
        case LOAD_COUNT:
          channel.load = value
          break
        case CONTROL: {
          const starts = (value & ~channel.control & ENABLED) !== 0
          channel.control = value & 0xf
          if (!(value & ENABLED)) channel.pending = false
          if (starts) Object.assign(channel, { since: this.clock.now, from: channel.load, second: false })
          break
        }
        default:
          return // read-only
      }
    } else if (offset >= LOAD_COUNT2 && offset < LOAD_COUNT2 + 4 * CHANNELS) this.channels[(offset - LOAD_COUNT2) / 4].load2 = value
    else if (offset < ALL_STATUS || offset > VERSION) return this.unknown.unknownWrite(offset, value, size)
    this.advance()
  }

  /** What the reset bit of the system controller does. */
  reset(): void {
    this.channels = Array.from({ length: CHANNELS }, stopped)
    this.advance()
  }

  save(): DeviceState {
    return { channels: structuredClone(this.channels) }
  }

  load(state: DeviceState): void {
    this.channels = structuredClone(state.channels as Channel[])
  }

  private advance(): void {
    const now = this.clock.now
    let next = Infinity
    for (const channel of this.channels) {
      if (!(channel.control & ENABLED)) continue
      while (this.endOf(channel) <= now) this.wrap(channel)
      next = Math.min(next, this.endOf(channel))
    }
    this.update()
    if (next === Infinity) this.timer.cancel()
    else this.timer.at(next)
  }

  /** From 0 to what comes next: that is where the interrupt is. */
  private wrap(channel: Channel): void {
    channel.since = this.endOf(channel)
    channel.pending = true
    if (channel.control & PWM) channel.second = !channel.second
    channel.from = channel.second ? channel.load2 : channel.control & USER_MODE ? channel.load : WRAP - 1
  }

  /** The cycle at which a channel that counts from N has seen N + 1 clocks. */
  private endOf(channel: Channel): number {
    return channel.since + ((channel.from + 1) * this.clock.frequency) / this.inputClock()
  }

  private current(channel: Channel): number {
    if (!(channel.control & ENABLED)) return 0
    const counted = Math.floor(((this.clock.now - channel.since) * this.inputClock()) / this.clock.frequency)
    return Math.max(channel.from - counted, 0)
  }

  private update(): void {
    const [a, b, c, d] = this.channels.map(asks)
    this.lines[0].set(a || b)
    this.lines[1].set(c || d)
  }
}

function stopped(): Channel {
  return { load: 0, load2: 0, control: 0, pending: false, since: 0, from: 0, second: false }
}

function asks({ pending, control }: Channel): boolean {
  return pending && (control & MASKED) === 0
}

function bits(flags: readonly boolean[]): number {
  return flags.reduce((sum, flag, index) => sum | (flag ? 1 << index : 0), 0)
}
