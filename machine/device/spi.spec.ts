import { describe, expect, it } from 'vitest'
import { memoryImage } from '../backend/disk-image.ts'
import type { DeviceState } from './device.ts'
import { checkRandomAccess } from './random-access.test-support.ts'
import { SdCard } from './sdcard.ts'
import type { SpiTarget } from './spi-target.ts'
import { SiFiveSpi } from './spi.ts'
import { MockClock, MockLine, MockLog } from './testing.test-support.ts'
import { DEVICE_TIMING } from './timing.ts'

const [SCKDIV, CSDEF, CSMODE, FMT, TXDATA, RXDATA, TXMARK, RXMARK, IE, IP] = [0x00, 0x14, 0x18, 0x40, 0x48, 0x4c, 0x50, 0x54, 0x70, 0x74]
const EMPTY = 0x8000_0000
const FULL = 0x8000_0000

/** Answers each byte with its complement, and writes down what it sees. */
class Echo implements SpiTarget {
  seen: string[] = []
  private selected = false
  select(selected: boolean): void {
    if (selected !== this.selected) this.seen.push(selected ? 'select' : 'release')
    this.selected = selected
  }
  exchange(byte: number, cycle: number): number {
    this.seen.push(`${byte.toString(16)}@${cycle}`)
    return ~byte & 0xff
  }
  save(): DeviceState {
    return { selected: this.selected }
  }
  load(state: DeviceState): void {
    this.selected = state.selected as boolean
  }
}

/** 50 MHz in, 100 MHz cycles: with SCKDIV 3 a frame takes 128 cycles. */
function make(target: SpiTarget = new Echo()) {
  const clock = new MockClock()
  const line = new MockLine()
  const log = new MockLog()
  const spi = new SiFiveSpi('spi0', clock, line, log, 50_000_000, target)
  return { clock, line, log, spi, target, seen: (target as Echo).seen }
}

describe('SiFive SPI (SiFive FU540-C000 manual, "Serial Peripheral Interface")', () => {
  it('shifts frames at the programmed clock and keeps the answers', () => {
    const { spi, clock, seen } = make()
    spi.write(TXDATA, 0x12, 4)
    spi.write(TXDATA, 0x34, 4)
    clock.advanceTo(127)
    expect(spi.read(RXDATA, 4)).toBe(EMPTY)
    clock.advanceTo(128)
    expect(spi.read(RXDATA, 4)).toBe(0xed)
    clock.advanceTo(256)
    expect(spi.read(RXDATA, 4)).toBe(0xcb)
    expect(seen).toEqual(['select', '12@128', '34@256', 'release'])
    spi.write(SCKDIV, 0, 4)
    spi.write(TXDATA, 0x56, 4)
    clock.advanceTo(256 + 32)
    expect(spi.read(RXDATA, 4)).toBe(0xa9)
  })

  it('holds eight frames besides the one on the wire, and ignores more', () => {
    const { spi, clock, seen } = make()
    for (let i = 0; i < 9; i++) {
      expect(spi.read(TXDATA, 4)).toBe(0)
      spi.write(TXDATA, i, 4)
    }
    expect(spi.read(TXDATA, 4)).toBe(FULL)
    spi.write(TXDATA, 99, 4)
    clock.advanceTo(10_000)
    expect(seen.filter((entry) => entry.includes('@'))).toHaveLength(9)
  })

  it('keeps the target selected in HOLD mode, never selects it in OFF mode', () => {
    const { spi, clock, seen } = make()
    spi.write(CSMODE, 2, 4)
    spi.write(TXDATA, 1, 4)
    clock.advanceTo(200)
    spi.write(TXDATA, 2, 4)
    clock.advanceTo(400)
    spi.write(CSMODE, 3, 4)
    spi.write(TXDATA, 3, 4)
    clock.advanceTo(600)
    expect(seen).toEqual(['select', '1@128', '2@328', 'release', '3@528'])
  })

  it('turns the wire around by CSDEF: how Linux clocks a card that is not selected', () => {
    const { spi, clock, seen } = make()
    spi.write(CSDEF, 0, 4)
    spi.write(CSMODE, 2, 4)
    spi.write(TXDATA, 0xff, 4)
    clock.advanceTo(200)
    expect(seen).toEqual(['select', 'release', 'ff@128'])
  })

  it('interrupts at its watermarks', () => {
    const { spi, clock, line } = make()
    spi.write(IE, 2, 4)
    spi.write(RXMARK, 1, 4)
    spi.write(TXDATA, 1, 4)
    spi.write(TXDATA, 2, 4)
    clock.advanceTo(128)
    expect(line.level).toBe(false)
    clock.advanceTo(256)
    expect(line.level).toBe(true)
    expect(spi.read(IP, 4)).toBe(2)
    spi.read(RXDATA, 4)
    expect(line.level).toBe(false)
    spi.write(TXMARK, 1, 4)
    spi.write(IE, 1, 4)
    expect(line.level).toBe(true)
  })

  it('keeps no answers when only transmitting, and turns bits around', () => {
    const { spi, clock, seen } = make()
    spi.write(FMT, 0x8_000c, 4)
    spi.write(TXDATA, 0x01, 4)
    clock.advanceTo(200)
    expect(spi.read(RXDATA, 4)).toBe(EMPTY)
    expect(seen).toContain('80@128')
  })

  it('ends the frame on the wire as it was begun, whatever the driver sets up meanwhile', () => {
    const { spi, clock, seen } = make()
    spi.write(CSMODE, 2, 4)
    spi.write(FMT, 0x8_0008, 4) // transmit only
    spi.write(TXDATA, 1, 4)
    clock.advanceTo(100)
    spi.write(CSMODE, 0, 4)
    spi.write(FMT, 0x8_0000, 4)
    clock.advanceTo(200)
    expect(seen).toEqual(['select', '1@128', 'release'])
    expect(spi.read(RXDATA, 4)).toBe(EMPTY)
  })

  it('reaches an SD card', () => {
    const clockRate = 100_000_000
    const card = new SdCard('sd0', memoryImage(new Uint8Array(1 << 20)), DEVICE_TIMING.ideal.sd, clockRate, new MockLog())
    const { spi, clock } = make(card)
    const transfer = (byte: number) => {
      spi.write(TXDATA, byte, 4)
      clock.advanceBy(128)
      return spi.read(RXDATA, 4)
    }
    spi.write(CSMODE, 2, 4)
    for (const byte of [0x40, 0, 0, 0, 0, 0x95]) transfer(byte)
    expect([transfer(0xff), transfer(0xff)]).toEqual([0xff, 0x01])
  })

  it('withstands any access', () => {
    checkRandomAccess(
      () => {
        const card = new SdCard('sd0', memoryImage(new Uint8Array(1 << 16)), DEVICE_TIMING.ideal.sd, 100_000_000, new MockLog())
        const { spi, clock, line } = make(card)
        return { device: spi, clock, lines: [line] }
      },
      {
        window: 0x1000,
        registers: [SCKDIV, CSDEF, CSMODE, FMT, TXDATA, TXDATA, TXDATA, TXDATA, RXDATA, RXDATA, TXMARK, RXMARK, IE, IP],
        values: [0, 1, 2, 3, 0x40, 0x48, 0x95, 0xfe, 0xff],
      },
    )
  })
})
