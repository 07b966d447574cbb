/** Every K210 device withstands any access, and goes on from its saved state as if nothing had been. */
import { describe, it } from 'vitest'
import { ConsoleStream } from '../backend/console.ts'
import { memoryImage } from '../backend/disk-image.ts'
import type { Device } from './device.ts'
import { Dmac } from './dmac.ts'
import { DwSpi } from './dw-spi.ts'
import { DwTimer } from './dw-timer.ts'
import { DwUart } from './dw-uart.ts'
import { DwWatchdog } from './dw-watchdog.ts'
import { Fpioa } from './fpioa.ts'
import { Gpio } from './gpio.ts'
import { GpioHs } from './gpiohs.ts'
import { K210Rtc } from './k210-rtc.ts'
import { checkRandomAccess } from './random-access.test-support.ts'
import { SdCard } from './sdcard.ts'
import { Sysctl } from './sysctl.ts'
import { MockClock, MockLine, MockLog, MockMemory } from './testing.test-support.ts'
import { DEVICE_TIMING } from './timing.ts'
import { Uarths } from './uarths.ts'
import { WordRegisters } from './word-registers.ts'

interface Bench {
  readonly clock: MockClock
  readonly log: MockLog
  readonly memory: MockMemory
  line(): MockLine
}

const timing = DEVICE_TIMING.ideal
const inputClock = () => 50_000_000
const nothing = () => {}

/** Devices of registers `step` bytes apart up to `window`. */
const DEVICES: Record<string, { window: number; values?: number[]; make: (bench: Bench) => Device }> = {
  uarths: {
    window: 0x1c,
    values: [0, 1, 3, 0x1_0001, 0x41],
    make: ({ clock, log, line }) => {
      const stream = new ConsoleStream()
      stream.push(new TextEncoder().encode('typed'), 100)
      return new Uarths('uarths', clock, line(), stream, log, { timing, inputClock })
    },
  },
  uart: {
    window: 0x100,
    values: [0, 1, 0x80, 0x81, 0x83, 7, 0x39, 0x41],
    make: ({ clock, log, line }) => {
      const stream = new ConsoleStream()
      stream.push(new TextEncoder().encode('typed'), 100)
      return new DwUart('uart1', clock, line(), stream, log, { timing, inputClock, onRequest: nothing })
    },
  },
  spi: {
    window: 0x11c,
    values: [0, 1, 2, 16, 0x7_0000, 0x7_0100, 0x7_0200, 0x7_0300, 0xff, 0x40, 0x95],
    make: ({ clock, log, line }) => {
      const card = new SdCard('sd', memoryImage(new Uint8Array(1 << 20)), timing.sd, clock.frequency, log)
      return new DwSpi('spi0', clock, line(), log, {
        fields: { size: 16, mode: 8, format: 21 },
        inputClock,
        exchange: (byte, cycle) => card.exchange(byte, cycle),
        select: nothing,
        onRequest: nothing,
      })
    },
  },
  dmac: {
    window: 0x300,
    values: [0, 1, 3, 0x101, 0x303, 0x8000_0000, 0x8000_1000, 0x1200, 0x1240, 15, 2, 0x12, 9],
    make: ({ clock, log, line, memory }) =>
      new Dmac(
        'dmac',
        clock,
        Array.from({ length: 6 }, line),
        {
          memory,
          devices: { read: (address) => address & 0xff, write: () => true },
          isMemory: (address) => address >= 0x8000_0000,
          isRequested: (handshake) => handshake === 0,
        },
        log,
      ),
  },
  timer: {
    window: 0xc0,
    values: [0, 1, 3, 7, 11, 100],
    make: ({ clock, log, line }) => new DwTimer('timer0', clock, [line(), line()], inputClock, log),
  },
  watchdog: {
    window: 0x100,
    values: [0, 1, 3, 0x76, 0xff],
    make: ({ clock, log, line }) => new DwWatchdog('wdt0', clock, line(), inputClock, nothing, log),
  },
  rtc: { window: 0x2c, values: [0, 1, 2, 3, 0x0140_1000], make: ({ clock, log, line }) => new K210Rtc('rtc', clock, line(), log) },
  sysctl: { window: 0x80, make: ({ clock, log }) => new Sysctl('sysctl', clock, { resetChip: nothing, resetPeripheral: nothing }, log) },
  fpioa: { window: 0x100, values: [120, 0x10_1018, 24 | (1 << 12)], make: ({ log }) => new Fpioa('fpioa', log) },
  gpiohs: {
    window: 0x44,
    values: [0, 1, 0x80, 0xffff_ffff],
    make: ({ log, line }) => new GpioHs('gpiohs', new Fpioa('fpioa', log), Array.from({ length: 32 }, line), log),
  },
  gpio: { window: 0x6c, values: [0, 1, 0x80, 0xff], make: ({ log, line }) => new Gpio('gpio', new Fpioa('fpioa', log), line(), log) },
}

describe('K210 devices withstand any access', () => {
  it.each(Object.keys(DEVICES))('%s', (name) => {
    const { window, values, make } = DEVICES[name]
    checkRandomAccess(
      () => {
        const clock = new MockClock()
        const lines: MockLine[] = []
        const memory = new MockMemory(0x8000_0000, 0x1_0000)
        const line = () => {
          lines.push(new MockLine())
          return lines[lines.length - 1]
        }
        const device = new WordRegisters(make({ clock, log: new MockLog(), memory, line }), true)
        return { device, clock, lines, memory }
      },
      { window, registers: Array.from({ length: window / 4 }, (_, index) => index * 4), values },
    )
  })
})
