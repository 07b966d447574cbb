/** UARTs, timers, watchdogs, clock and DMA of the K210 at their bus addresses. Registers: vendor SDK, uart.h, timer.h, wdt.h, rtc.h, dmac.h. */
import { describe, expect, it } from 'vitest'
import { idleK210 } from '../testing/k210-programs.ts'

const FPIOA = 0x502b_0000
const SYSCTL = 0x5044_0000
const PLIC_PENDING = 0x0c00_1000

const isPending = (board: ReturnType<typeof idleK210>, source: number) =>
  (board.read(PLIC_PENDING + 4 * (source >> 5)) & (1 << (source & 31))) !== 0

describe('UART3 as the SDK sets it up', () => {
  const UART3 = 0x5023_0000
  const [DATA, IER, FCR, LCR, LSR, USR, TFL, DLF] = [0, 4, 8, 0xc, 0x14, 0x7c, 0x80, 0xc0].map((offset) => UART3 + offset)
  const make = (timing: 'ideal' | 'k210' = 'ideal') => {
    const board = idleK210({ timing })
    board.write(FPIOA + 4 * 4, 68 | (1 << 20))
    board.write(FPIOA + 4 * 5, 69 | (1 << 12))
    // 115,200 baud at 396.5 MHz: 215 2/16
    board.write(LCR, 0x80)
    board.write(IER, 0)
    board.write(DATA, 215)
    board.write(DLF, 2)
    board.write(LCR, 3)
    board.write(IER, 0x80)
    board.write(FCR, 0x39)
    return board
  }

  it('prints on pin 5, and LSR bit 5 says that the FIFO is full', () => {
    const board = make()
    expect(board.read(LSR) & 0x20).toBe(0)
    for (let i = 0; i < 17; i++) board.write(DATA, 65 + i)
    expect(board.read(LSR) & 0x20).toBe(0x20)
    expect(board.read(TFL)).toBe(16)
    board.advance(1e-3)
    expect(board.read(LSR) & 0x60).toBe(0x40)
    expect(board.read(USR) & 7).toBe(6)
    expect(board.text).toBe('ABCDEFGHIJKLMNOPQ')
  })

  it('says the opposite, as a 16550 does, until IER bit 7 and the FIFOs are on', () => {
    const board = make()
    board.write(IER, 0)
    expect(board.read(LSR) & 0x20).toBe(0x20)
    board.write(DATA, 65)
    board.write(DATA, 66)
    expect(board.read(LSR) & 0x20).toBe(0)
  })

  it('takes the fraction of its divisor into account', () => {
    const seconds = (fraction: number) => {
      const board = make('k210')
      board.write(DLF, fraction)
      const start = board.machine.now
      board.write(DATA, 65)
      while (board.read(USR) & 1) board.advance(1e-8)
      return (board.machine.now - start) / board.machine.timing.frequency
    }
    expect(seconds(2)).toBeCloseTo((10 * (215 * 16 + 2)) / 396.5e6, 7)
    expect(seconds(15) - seconds(0)).toBeCloseTo((10 * 15) / 396.5e6, 7)
  })

  it('receives on pin 4 and interrupts (source 13)', () => {
    const board = make()
    board.write(IER, 0x81)
    board.input.push(Uint8Array.of(0x78), board.machine.now)
    board.advance(1e-4)
    expect(isPending(board, 13)).toBe(true)
    expect(board.read(LSR) & 1).toBe(1)
    expect(board.read(DATA)).toBe(0x78)
  })

  it('shares the console with the UARTHS: who is on the pins has it', () => {
    const board = make()
    board.write(0x3800_0008, 1)
    board.write(0x3800_0000, 72)
    board.write(DATA, 85)
    board.advance(1e-3)
    expect(board.text).toBe('U')
    board.write(FPIOA + 4 * 5, 19 | (1 << 12))
    board.write(0x3800_0000, 72)
    board.write(DATA, 85)
    board.advance(1e-3)
    expect(board.text).toBe('UH')
  })

  it('transmits and receives by DMA', () => {
    const board = make()
    const send = 0x5000_0100
    const words = Uint32Array.from('by DMA', (character) => character.charCodeAt(0))
    board.machine.dma.write(0x8010_0000, new Uint8Array(words.buffer))
    board.write(SYSCTL + 0x64, 19)
    board.write(0x5000_0010, 3)
    board.write(send + 0x24, 1 | (1 << 3))
    board.write(send, 0x8010_0000)
    board.write(send + 8, DATA)
    board.write(send + 0x18, (1 << 6) | (2 << 8) | (2 << 11))
    board.write(send + 0x10, words.length - 1)
    board.write(0x5000_0018, 0x101)
    board.advance(1e-3)
    expect(board.text).toBe('by DMA')
    expect(board.read(0x5000_0018)).toBe(0)
  })

  it('is set back by its reset bit', () => {
    const board = make()
    board.write(SYSCTL + 0x34, 1 << 18)
    expect(board.read(LCR)).toBe(0)
    expect(board.read(DLF)).toBe(0)
  })
})

describe('TIMER0', () => {
  const TIMER0 = 0x502d_0000
  const [LOAD, CURRENT, CONTROL, EOI] = [0, 4, 8, 0xc]

  it('counts down at 13 MHz and interrupts at the end of each period (sources 14 and 15)', () => {
    for (const channel of [0, 3]) {
      const board = idleK210()
      const base = TIMER0 + 0x14 * channel
      const source = channel < 2 ? 14 : 15
      board.write(base + LOAD, 13_000 - 1)
      board.write(base + CONTROL, 3)
      expect(board.read(base + CURRENT)).toBe(12_999)
      board.advance(0.5e-3)
      expect(board.read(base + CURRENT)).toBe(12_999 - 6500)
      expect(isPending(board, source)).toBe(false)
      board.advance(0.5e-3)
      expect(isPending(board, source)).toBe(true)
      expect(board.read(TIMER0 + 0xa0)).toBe(1 << channel)
      board.read(base + EOI)
      expect(board.read(TIMER0 + 0xa8)).toBe(0)
      board.advance(1e-3)
      expect(board.read(TIMER0 + 0xa8)).toBe(1 << channel)
    }
  })

  it('keeps a masked interrupt for the raw status', () => {
    const board = idleK210()
    board.write(TIMER0 + LOAD, 99)
    board.write(TIMER0 + CONTROL, 7)
    board.advance(1e-4)
    expect([board.read(TIMER0 + 0xa0), board.read(TIMER0 + 0xa8)]).toEqual([0, 1])
    expect(isPending(board, 14)).toBe(false)
  })

  it('runs from PLL0 when the system controller says so', () => {
    const board = idleK210()
    board.write(SYSCTL + 0x20, board.read(SYSCTL + 0x20) | (1 << 13))
    board.write(TIMER0 + LOAD, 396_500 - 1)
    board.write(TIMER0 + CONTROL, 3)
    board.advance(0.9e-3)
    expect(board.read(TIMER0 + 0xa0)).toBe(0)
    board.advance(0.2e-3)
    expect(board.read(TIMER0 + 0xa0)).toBe(1)
  })
})

describe('WDT0', () => {
  const WDT0 = 0x5040_0000
  const [CONTROL, CURRENT, RESTART, STATUS, EOI] = [0, 8, 0xc, 0x10, 0x14].map((offset) => WDT0 + offset)
  /** 2^16 clocks of 13 MHz. */
  const PERIOD = 65536 / 13e6

  it('resets the chip when it is not fed', () => {
    const board = idleK210()
    board.write(CONTROL, 1)
    board.advance(PERIOD * 0.9)
    board.write(RESTART, 0x76)
    board.advance(PERIOD * 0.9)
    expect(board.board.resetCause).toBe('pin')
    board.write(RESTART, 0x77)
    expect(board.machine.run(board.machine.now + PERIOD * 100e6)).toEqual({ kind: 'reset' })
    expect(board.board.resetCause).toBe('wdt0')
  })

  it('interrupts first in mode 1 (source 21), and resets the chip one period later', () => {
    const board = idleK210()
    board.write(CONTROL, 3)
    board.advance(PERIOD * 1.01)
    expect(board.read(STATUS)).toBe(1)
    expect(isPending(board, 21)).toBe(true)
    board.read(EOI)
    expect(board.read(STATUS)).toBe(0)
    board.advance(PERIOD)
    expect(board.read(STATUS)).toBe(1)
    expect(board.machine.run(board.machine.now + PERIOD * 101e6)).toEqual({ kind: 'reset' })
  })

  it('shows its count', () => {
    const board = idleK210()
    board.write(CONTROL, 1)
    board.advance(PERIOD / 2)
    expect(board.read(CURRENT)).toBeGreaterThan(32700)
    expect(board.read(CURRENT)).toBeLessThan(32769)
  })
})

describe('RTC', () => {
  const RTC = 0x5046_0000
  const [DATE, TIME, INTERRUPTS, CONTROL, EXTENDED] = [0, 4, 0x18, 0x1c, 0x28].map((offset) => RTC + offset)
  const date = (year: number, month: number, day: number) => (year << 20) | (month << 16) | (day << 8)
  const time = (hour: number, minute: number, second: number) => (hour << 24) | (minute << 16) | (second << 10)

  it('starts on the first of January 2020, a Wednesday', () => {
    const board = idleK210()
    expect([board.read(DATE), board.read(TIME), board.read(EXTENDED)]).toEqual([date(20, 1, 1) | 3, 0, 20 | 32])
  })

  it('counts from what was set, over the end of a year', () => {
    const board = idleK210()
    board.write(CONTROL, 2)
    board.write(DATE, date(99, 12, 31))
    board.write(TIME, time(23, 59, 59))
    board.write(CONTROL, 1)
    expect(board.read(TIME)).toBe(time(23, 59, 59))
    board.advance(1)
    expect([board.read(DATE) & ~7, board.read(TIME), board.read(EXTENDED) & 31]).toEqual([date(0, 1, 1), 0, 21])
  })

  it('ticks each second (source 20) while it is asked to', () => {
    const board = idleK210()
    board.advance(1.1)
    expect(isPending(board, 20)).toBe(false)
    board.write(INTERRUPTS, 1)
    board.advance(1)
    expect(isPending(board, 20)).toBe(true)
  })

  it('sounds its alarm when the fields that count agree', () => {
    const board = idleK210()
    board.write(RTC + 0xc, time(0, 0, 2))
    board.write(INTERRUPTS, 2 | (0b1110 << 24))
    board.advance(1.5)
    expect(isPending(board, 20)).toBe(false)
    board.advance(1)
    expect(isPending(board, 20)).toBe(true)
  })
})

describe('DMA between memories', () => {
  const CHANNEL5 = 0x5000_0600

  it('copies, by way of the uncached alias, too, and takes its time', () => {
    const board = idleK210()
    const bytes = Uint8Array.from({ length: 64 }, (_, index) => index)
    board.machine.dma.write(0x8010_0000, bytes)
    board.write(0x5000_0010, 3)
    board.write(CHANNEL5, 0x4010_0000)
    board.write(CHANNEL5 + 8, 0x8020_0000)
    board.write(CHANNEL5 + 0x10, 15)
    board.write(CHANNEL5 + 0x18, (2 << 8) | (3 << 11))
    board.write(0x5000_0018, 0x2020)
    expect(board.machine.dma.read(0x8020_0000, 1)).toEqual(Uint8Array.of(0))
    board.advance(1e-5)
    expect(board.machine.dma.read(0x8020_0000, 64)).toEqual(bytes)
    expect(isPending(board, 32)).toBe(true)
  })

  it('follows a list of blocks', () => {
    const board = idleK210()
    board.machine.dma.write(0x8010_0000, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))
    const item = (source: number, destination: number, next: number, control: number) => {
      const words = new Uint32Array(16)
      words.set([source, 0, destination, 0, 0, 0, next, 0, (2 << 8) | (2 << 11), control])
      return new Uint8Array(words.buffer)
    }
    board.machine.dma.write(0x8030_0000, item(0x8010_0004, 0x8020_0000, 0x8030_0040, 2 ** 31))
    board.machine.dma.write(0x8030_0040, item(0x8010_0000, 0x8020_0004, 0, 2 ** 31 + 2 ** 30))
    board.write(0x5000_0010, 3)
    board.write(CHANNEL5 + 0x20, 0b1111)
    board.write(CHANNEL5 + 0x28, 0x8030_0000)
    board.write(0x5000_0018, 0x2020)
    board.advance(1e-5)
    expect(board.machine.dma.read(0x8020_0000, 8)).toEqual(Uint8Array.of(5, 6, 7, 8, 1, 2, 3, 4))
    expect(board.read(0x5000_0018)).toBe(0)
  })

  it('reports a source that is not there, and its reset bit clears itself', () => {
    const board = idleK210()
    board.write(0x5000_0010, 3)
    board.write(CHANNEL5, 0x6000_0000)
    board.write(CHANNEL5 + 8, 0x8020_0000)
    board.write(0x5000_0018, 0x2020)
    board.advance(1e-5)
    expect(board.read(CHANNEL5 + 0x88) & 0x20).toBe(0x20)
    board.write(0x5000_0058, 1)
    expect([board.read(0x5000_0058), board.read(CHANNEL5 + 0x88), board.read(0x5000_0010)]).toEqual([0, 0, 0])
  })
})
