import { describe, expect, it } from 'vitest'
import { ConsoleStream } from '../backend/console.ts'
import type { Device } from './device.ts'
import { checkRandomAccess } from './random-access.test-support.ts'
import { MockClock, MockLine, MockLog } from './testing.test-support.ts'
import { DEVICE_TIMING, type TimingProfile } from './timing.ts'
import { Uart16550 } from './uart16550.ts'

const [RBR, IER, FCR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7]
const THR = RBR
const IIR = FCR

function make(profile: TimingProfile = 'rocket100') {
  const clock = new MockClock(100_000_000)
  const line = new MockLine()
  const log = new MockLog()
  let output = ''
  const stream = new ConsoleStream((bytes) => (output += new TextDecoder().decode(bytes)))
  const uart = new Uart16550('uart0', clock, line, stream, log, { clockFrequency: 3_686_400, timing: DEVICE_TIMING[profile] })
  uart.write(LCR, 0x03, 1)
  return {
    clock,
    line,
    log,
    stream,
    uart,
    type: (text: string, cycle?: number) => stream.push(new TextEncoder().encode(text), cycle),
    sent: () => {
      stream.flush()
      return output
    },
  }
}

/** 10 bits at 115,200 baud in cycles of 100 MHz. */
const CHARACTER = Math.ceil((10 * 100_000_000) / 115_200)

describe('16550A transmitter (PC16550D, chapter 8)', () => {
  it('takes the time of the bits at the programmed rate', () => {
    const { uart, clock, sent } = make()
    uart.write(THR, 0x41, 1)
    expect(uart.read(LSR, 1)).toBe(0x20)
    clock.advanceTo(CHARACTER - 1)
    expect(sent()).toBe('')
    clock.advanceTo(CHARACTER)
    expect(sent()).toBe('A')
    expect(uart.read(LSR, 1)).toBe(0x60)
    uart.write(LCR, 0x83, 1)
    uart.write(0, 24, 1) // 9,600 baud
    uart.write(1, 0, 1)
    expect([uart.read(0, 1), uart.read(1, 1)]).toEqual([24, 0])
    uart.write(LCR, 0x03, 1)
    uart.write(THR, 0x42, 1)
    clock.advanceBy(CHARACTER * 11)
    expect(sent()).toBe('A')
    clock.advanceBy(CHARACTER)
    expect(sent()).toBe('AB')
  })

  it('says THR is full without FIFO after two characters, with it after seventeen', () => {
    const { uart } = make()
    uart.write(THR, 0x41, 1)
    uart.write(THR, 0x42, 1)
    expect(uart.read(LSR, 1) & 0x20).toBe(0)
    const other = make().uart
    other.write(FCR, 0x01, 1)
    other.write(THR, 0x41, 1)
    expect(other.read(LSR, 1) & 0x20).toBe(0x20)
    other.write(THR, 0x42, 1)
    expect(other.read(LSR, 1) & 0x20).toBe(0)
  })

  it('keeps characters of a guest that does not wait, and says so', () => {
    const { uart, clock, log, sent } = make()
    for (const character of 'hello') uart.write(THR, character.charCodeAt(0), 1)
    clock.advanceBy(CHARACTER * 5)
    expect(sent()).toBe('hello')
    expect(log.texts).toHaveLength(1)
  })

  it('interrupts when THR becomes empty; reading IIR or writing THR withdraws it (8.6)', () => {
    const { uart, clock, line } = make()
    uart.write(IER, 0x02, 1)
    expect(line.level).toBe(true)
    expect(uart.read(IIR, 1)).toBe(0x02)
    expect(line.level).toBe(false)
    uart.write(THR, 0x41, 1)
    uart.write(THR, 0x42, 1)
    expect(line.level).toBe(false)
    clock.advanceBy(CHARACTER)
    expect(line.level).toBe(true)
    uart.write(THR, 0x43, 1)
    expect(line.level).toBe(false)
  })

  it('makes an edge of each new cause, although an older one still holds the wire up', () => {
    const { uart, clock, line, type } = make()
    const risesAfter = (act: () => void) => {
      const before = line.rises
      act()
      return line.rises - before
    }
    expect(risesAfter(() => uart.write(IER, 0x03, 1))).toBe(1)
    expect(risesAfter(() => uart.read(LSR, 1))).toBe(0)
    type('a')
    expect(risesAfter(() => clock.advanceBy(CHARACTER))).toBe(1)
    expect(risesAfter(() => uart.read(RBR, 1))).toBe(1)
    expect(risesAfter(() => uart.write(THR, 0x41, 1))).toBe(1)
    expect(line.level).toBe(true)
  })

  it('requests the interrupt anew each time it is enabled with THR empty: what the 8250 driver of Linux tests', () => {
    const { uart } = make()
    for (let i = 0; i < 3; i++) {
      uart.write(IER, 0x02, 1)
      expect(uart.read(IIR, 1) & 0x0f).toBe(0x02)
      uart.write(IER, 0x00, 1)
      expect(uart.read(IIR, 1) & 0x0f).toBe(0x01)
    }
  })

  it('sends at once what waits when the machine stops', () => {
    const { uart, sent } = make()
    for (const character of 'bye') uart.write(THR, character.charCodeAt(0), 1)
    uart.drain()
    expect(sent()).toBe('bye')
  })
})

describe('16550A receiver', () => {
  it('takes one character at a time without FIFO, and none is ever overrun', () => {
    const { uart, clock, type } = make()
    type('abc')
    clock.advanceBy(CHARACTER * 10)
    expect(uart.read(LSR, 1)).toBe(0x61)
    expect(uart.read(RBR, 1)).toBe(0x61)
    expect(uart.read(LSR, 1) & 1).toBe(0)
    clock.advanceBy(CHARACTER)
    expect(uart.read(RBR, 1)).toBe(0x62)
  })

  it('delivers input not before the cycle at which it arrived', () => {
    const { uart, clock, type } = make()
    type('x', 1_000_000)
    clock.advanceTo(1_000_000 + CHARACTER - 1)
    expect(uart.read(LSR, 1) & 1).toBe(0)
    clock.advanceTo(1_000_000 + CHARACTER)
    expect(uart.read(LSR, 1) & 1).toBe(1)
  })

  it('interrupts at the trigger level, and for fewer characters after four idle character times (8.11)', () => {
    const { uart, clock, line, type } = make()
    uart.write(FCR, 0x41, 1) // trigger at 4
    uart.write(IER, 0x01, 1)
    type('abcde')
    clock.advanceBy(CHARACTER * 3)
    expect(line.level).toBe(false)
    clock.advanceBy(CHARACTER)
    expect(line.level).toBe(true)
    expect(uart.read(IIR, 1)).toBe(0xc4)
    for (let i = 0; i < 4; i++) uart.read(RBR, 1)
    expect(line.level).toBe(false)
    clock.advanceBy(CHARACTER * 4)
    expect(line.level).toBe(false)
    clock.advanceBy(CHARACTER)
    expect(uart.read(IIR, 1)).toBe(0xcc)
    expect(uart.read(RBR, 1)).toBe(0x65)
    expect(uart.read(IIR, 1)).toBe(0xc1)
  })

  it('leaves typed text with the host when start-up code clears the FIFO', () => {
    const { uart, clock, type } = make()
    type('ls\n')
    clock.advanceBy(CHARACTER * 2)
    uart.write(FCR, 0x07, 1)
    let text = ''
    for (let i = 0; i < 5; i++) {
      clock.advanceBy(CHARACTER)
      if (uart.read(LSR, 1) & 1) text += String.fromCharCode(uart.read(RBR, 1))
    }
    expect(text).toBe('ls\n')
  })
})

describe('16550A as drivers probe it', () => {
  it('looks like a 16550A to the autoconfiguration of Linux', () => {
    const { uart } = make()
    uart.write(IER, 0xff, 1)
    expect(uart.read(IER, 1)).toBe(0x0f)
    uart.write(IER, 0, 1)
    uart.write(MCR, 0x1a, 1) // loopback: RTS and OUT2 come back as CTS and DCD
    expect(uart.read(MSR, 1) & 0xf0).toBe(0x90)
    uart.write(MCR, 0, 1)
    uart.write(SCR, 0x5a, 1)
    expect(uart.read(SCR, 1)).toBe(0x5a)
    uart.write(FCR, 0x01, 1)
    expect(uart.read(IIR, 1) >> 6).toBe(3)
    uart.write(FCR, 0x21, 1)
    expect(uart.read(IIR, 1) & 0x20).toBe(0) // no 64-byte FIFO
  })

  it('loops characters back, overrun and line status interrupt included', () => {
    const { uart, clock, line, sent } = make()
    uart.write(MCR, 0x10, 1)
    uart.write(IER, 0x04, 1)
    uart.write(THR, 0x41, 1)
    uart.write(THR, 0x42, 1)
    clock.advanceBy(CHARACTER)
    expect(uart.read(LSR, 1) & 3).toBe(1)
    clock.advanceBy(CHARACTER)
    expect(uart.read(IIR, 1)).toBe(0x06)
    expect(uart.read(LSR, 1) & 3).toBe(3)
    expect(line.level).toBe(false)
    expect(uart.read(RBR, 1)).toBe(0x41)
    expect(sent()).toBe('')
  })

  it('notes modem changes until MSR is read (8.9)', () => {
    const { uart, line } = make()
    expect(uart.read(MSR, 1)).toBe(0xb0)
    uart.write(IER, 0x08, 1)
    uart.write(MCR, 0x10, 1)
    expect(line.level).toBe(true)
    expect(uart.read(IIR, 1)).toBe(0x00)
    expect(uart.read(MSR, 1)).toBe(0x0b)
    expect(line.level).toBe(false)
  })

  it('takes one microsecond a character with the ideal profile', () => {
    const { uart, clock, sent } = make('ideal')
    uart.write(THR, 0x41, 1)
    clock.advanceBy(100)
    expect(sent()).toBe('A')
  })

  it('resumes with a character on its way in, one on its way out and the receive timeout running', () => {
    const first = make()
    first.uart.write(FCR, 0xc1, 1)
    first.uart.write(IER, 0x03, 1)
    first.uart.read(IIR, 1)
    first.type('ab')
    first.type('c', 4 * CHARACTER)
    first.clock.advanceTo(4.5 * CHARACTER)
    first.uart.write(THR, 0x41, 1)
    first.uart.read(IIR, 1)
    first.uart.write(THR, 0x42, 1)
    const second = make()
    second.uart.load(structuredClone(first.uart.save()))
    second.clock.copy(first.clock)
    for (let i = 0; i < 40; i++) {
      for (const { clock } of [first, second]) clock.advanceBy(CHARACTER / 4)
      expect(second.line.level).toBe(first.line.level)
      expect(second.uart.read(LSR, 1)).toBe(first.uart.read(LSR, 1))
      expect(second.uart.read(IIR, 1)).toBe(first.uart.read(IIR, 1))
    }
    expect(second.uart.read(IIR, 1)).toBe(0xcc)
    expect(second.sent()).toBe('AB')
    expect([0, 1, 2].map(() => second.uart.read(RBR, 1))).toEqual([0x61, 0x62, 0x63])
  })

  it('withstands any access', () => {
    const streams = new Map<Device, ConsoleStream>()
    checkRandomAccess(
      () => {
        const { uart, clock, line, stream } = make()
        streams.set(uart, stream)
        return { device: uart, clock, lines: [line] }
      },
      {
        window: 0x100,
        registers: [RBR, RBR, RBR, IER, IIR, IIR, LCR, MCR, LSR, LSR, MSR, SCR],
        values: [0, 1, 2, 3, 7, 0x0f, 0x10, 0x1a, 0x41, 0x80, 0xc7, 20_000, 90_000],
        wait: 100_000,
        prepare: ({ device }) => {
          device.write(FCR, 0x41, 1)
          device.write(IER, 0x03, 1)
        },
        stimulate: ({ device, clock }, value) => streams.get(device)!.push(new Uint8Array(value % 7).fill(value), clock.now),
      },
    )
  })
})
