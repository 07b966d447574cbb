import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DiskImageError } from '../backend/block-image.ts'
import { memoryImage } from '../backend/disk-image.ts'
import { crc16, crc7 } from './sdcard-registers.ts'
import { SdCard, type SdCardOptions } from './sdcard.ts'
import { MockLog } from './testing.test-support.ts'
import { DEVICE_TIMING } from './timing.ts'

const TIMING = DEVICE_TIMING.rocket100.sd
const FREQUENCY = 100_000_000
/** One byte at 25 MHz in cycles of 100 MHz. */
const BYTE = 32

/** A host that clocks bytes as an SPI driver does. */
class Host {
  cycle = 0
  readonly log = new MockLog()
  readonly image
  readonly card: SdCard
  crc = true

  constructor(sectors = 2048, options: SdCardOptions = {}) {
    this.image = memoryImage(new Uint8Array(sectors * 512).map((_, at) => (at / 512) & 0xff))
    this.card = new SdCard('sd0', this.image, TIMING, FREQUENCY, this.log, options)
    this.card.select(true)
  }

  byte(out = 0xff): number {
    this.cycle += BYTE
    return this.card.exchange(out, this.cycle)
  }

  /** Sends a command and returns R1: the first byte whose top bit is clear, within 8 (7.5.1). */
  command(number: number, argument = 0): number {
    const frame = [0x40 | number, (argument >>> 24) & 0xff, (argument >>> 16) & 0xff, (argument >>> 8) & 0xff, argument & 0xff]
    for (const byte of [...frame, this.crc ? (crc7(frame) << 1) | 1 : 0xff]) this.byte(byte)
    for (let i = 0; i < 9; i++) {
      const answer = this.byte()
      if ((answer & 0x80) === 0) return answer
    }
    throw new Error(`no answer to CMD${number}`)
  }

  application(number: number, argument = 0): number {
    this.command(55)
    return this.command(number, argument)
  }

  bytes(count: number): number[] {
    return Array.from({ length: count }, () => this.byte())
  }

  /** Waits for another byte than 0xff, at most a second. */
  token(): number {
    for (let i = 0; i < FREQUENCY / BYTE; i++) {
      const byte = this.byte()
      if (byte !== 0xff) return byte
    }
    throw new Error('no token')
  }

  block(length = 512): Uint8Array {
    expect(this.token()).toBe(0xfe)
    const bytes = Uint8Array.from(this.bytes(length))
    const [high, low] = this.bytes(2)
    expect((high << 8) | low).toBe(crc16(bytes))
    return bytes
  }

  sendBlock(token: number, bytes: Uint8Array, checksum = crc16(bytes)): number {
    this.byte()
    for (const byte of [token, ...bytes, checksum >> 8, checksum & 0xff]) this.byte(byte)
    return this.byte() & 0x1f
  }

  /** Cycles until the card is no longer busy. */
  busy(): number {
    const from = this.cycle
    while (this.byte() !== 0xff);
    return this.cycle - from
  }

  /** What Linux, U-Boot and small kernels do first (7.2.1). */
  initialise(): this {
    this.card.select(false)
    this.bytes(10)
    this.card.select(true)
    expect(this.command(0)).toBe(1)
    expect(this.command(8, 0x1aa)).toBe(1)
    expect(this.bytes(4)).toEqual([0, 0, 1, 0xaa])
    while (this.application(41, 0x4000_0000) !== 0);
    return this
  }
}

describe('SD card in SPI mode: initialisation (Physical Layer 6.00, 7.2.1)', () => {
  it('becomes ready after its time, and says what kind it is', () => {
    const host = new Host()
    host.command(0)
    expect(host.command(58)).toBe(1)
    expect(host.bytes(4)).toEqual([0x00, 0xff, 0x80, 0x00])
    const start = host.cycle
    host.initialise()
    expect(host.cycle - start).toBeGreaterThanOrEqual(TIMING.initialise * FREQUENCY)
    expect(host.command(58)).toBe(0)
    expect(host.bytes(4)).toEqual([0xc0, 0xff, 0x80, 0x00])
  })

  it('keeps a host waiting that does not know high capacity cards', () => {
    const host = new Host()
    host.command(0)
    for (let i = 0; i < 20; i++) {
      host.cycle += FREQUENCY / 10
      expect(host.application(41, 0)).toBe(1)
    }
    const standard = new Host(2048, { kind: 'SDSC' })
    standard.command(0)
    standard.application(41, 0)
    standard.cycle += FREQUENCY
    expect(standard.application(41, 0)).toBe(0)
  })

  it('refuses other commands while idle, and unknown ones at any time', () => {
    const host = new Host()
    host.command(0)
    expect(host.command(17, 0)).toBe(0x05)
    host.initialise()
    expect(host.command(6)).toBe(0x04)
  })

  it('always checks CMD0 and CMD8, others after CMD59 (7.2.2)', () => {
    const host = new Host()
    host.crc = false
    expect(host.command(0)).toBe(0x09)
    expect(host.command(55)).toBe(1)
    host.crc = true
    host.command(0)
    expect(host.command(59, 1)).toBe(1)
    host.crc = false
    expect(host.command(55)).toBe(0x09)
  })

  it('has the checksum of CMD0 and CMD8 that every driver spells out', () => {
    expect((crc7([0x40, 0, 0, 0, 0]) << 1) | 1).toBe(0x95)
    expect((crc7([0x48, 0, 0, 1, 0xaa]) << 1) | 1).toBe(0x87)
    expect(crc16(new Uint8Array(512).fill(0xff))).toBe(0x7fa1)
  })
})

describe('SD card: registers (5)', () => {
  it('counts its size in the CSD: units of 512 KiB, or as version 1 does', () => {
    const host = new Host(2050).initialise()
    host.command(9)
    const csd = host.block(16)
    expect(csd[0] >> 6).toBe(1)
    expect(((csd[7] & 0x3f) << 16) | (csd[8] << 8) | csd[9]).toBe(2)
    expect(csd[15]).toBe((crc7(csd.subarray(0, 15)) << 1) | 1)
    const standard = new Host(100).initialise()
    standard.command(9)
    const old = standard.block(16)
    const size = ((old[6] & 3) << 10) | (old[7] << 2) | (old[8] >> 6)
    const multiplier = ((old[9] & 3) << 1) | (old[10] >> 7)
    expect(old[0] >> 6).toBe(0)
    expect((size + 1) * 2 ** (multiplier + 2) * 2 ** (old[5] & 15)).toBe(100 * 512)
  })

  it('answers CID, SCR and SD status', () => {
    const host = new Host().initialise()
    host.command(10)
    expect(new TextDecoder().decode(host.block(16).subarray(1, 8))).toBe('POPOLLN')
    expect(host.application(51)).toBe(0)
    expect(host.block(8)[0]).toBe(2)
    expect(host.application(13)).toBe(0)
    expect(host.byte()).toBe(0)
    host.block(64)
    expect([host.command(13), host.byte()]).toEqual([0, 0])
  })
})

describe('SD card: reading (7.2.3)', () => {
  it('sends a block after its access time', () => {
    const host = new Host().initialise()
    expect(host.command(17, 5)).toBe(0)
    const start = host.cycle
    expect(host.block()).toEqual(new Uint8Array(512).fill(5))
    expect(host.cycle - start).toBeGreaterThanOrEqual(TIMING.readAccess * FREQUENCY)
    expect(host.cycle - start).toBeLessThan(TIMING.readAccess * FREQUENCY + 600 * BYTE)
    expect(host.bytes(20)).toEqual(new Array(20).fill(0xff))
  })

  it('sends blocks until CMD12, even in the middle of one', () => {
    const host = new Host().initialise()
    expect(host.command(18, 7)).toBe(0)
    for (const sector of [7, 8, 9]) expect(host.block()[0]).toBe(sector)
    expect(host.token()).toBe(0xfe)
    host.bytes(100)
    const frame = [0x4c, 0, 0, 0, 0]
    for (const byte of [...frame, (crc7(frame) << 1) | 1]) host.byte(byte)
    host.byte() // the stuff byte (7.2.3)
    expect(host.byte()).toBe(0)
    expect(host.bytes(600)).toEqual(new Array(600).fill(0xff))
    expect(host.command(13)).toBe(0)
  })

  it('addresses standard capacity by bytes, and reads parts of a block', () => {
    const host = new Host(100).initialise()
    host.command(17, 3 * 512)
    expect(host.block()[0]).toBe(3)
    expect(host.command(16, 16)).toBe(0)
    host.command(17, 3 * 512 + 32)
    expect(host.block(16)).toEqual(new Uint8Array(16).fill(3))
    expect(host.command(17, 3 * 512 + 500)).toBe(0x20)
    expect(host.command(16, 513)).toBe(0x40)
  })

  it('refuses addresses outside, and ends a long read there with an error token (7.3.3.3)', () => {
    const host = new Host(1024).initialise()
    expect(host.command(17, 1024)).toBe(0x40)
    host.command(18, 1023)
    host.block()
    expect(host.token()).toBe(0x08)
  })

  it('makes the errors it is asked to make, once', () => {
    const host = new Host().initialise()
    host.card.fail({ kind: 'read', sector: 5 })
    host.command(17, 5)
    expect(host.token()).toBe(0x04)
    host.command(17, 5)
    expect(host.block()[0]).toBe(5)
    host.card.fail({ kind: 'checksum', sector: 6 })
    host.command(17, 6)
    expect(host.token()).toBe(0xfe)
    const bytes = Uint8Array.from(host.bytes(512))
    const [high, low] = host.bytes(2)
    expect((high << 8) | low).toBe(crc16(bytes) ^ 1)
  })

  it('takes longer than a card may when told to, and then goes on', () => {
    const host = new Host().initialise()
    host.card.fail({ kind: 'timeout', sector: 3 })
    expect(host.command(17, 3)).toBe(0)
    expect(() => host.token()).toThrow('no token')
    host.block()
    expect(host.command(17, 3)).toBe(0)
    host.block()
    host.card.fail({ kind: 'timeout' })
    expect(host.command(24, 3)).toBe(0)
    expect(host.sendBlock(0xfe, new Uint8Array(512))).toBe(5)
    expect(host.busy()).toBeGreaterThan(0.25 * FREQUENCY)
  })

  it('can be pulled out: at a sector, or at a time', () => {
    const host = new Host().initialise()
    host.card.fail({ kind: 'removed', sector: 4 })
    expect(host.command(18, 3)).toBe(0)
    host.block()
    expect(() => host.token()).toThrow('no token')
    expect(() => host.command(0)).toThrow('no answer')
    const later = new Host()
    later.card.fail({ kind: 'removed', seconds: 1 })
    later.initialise()
    later.cycle = FREQUENCY
    expect(() => later.command(13)).toThrow('no answer')
  })

  it('turns a failing host file into an error token and one log line', () => {
    const host = new Host().initialise()
    host.image.read = () => {
      throw new DiskImageError('card.img: cannot be read: EIO')
    }
    host.command(17, 5)
    expect(host.token()).toBe(0x04)
    expect(host.log.texts).toEqual(['sd0: card.img: cannot be read: EIO'])
  })
})

describe('SD card: writing (7.2.4)', () => {
  const data = new Uint8Array(512).fill(0xa5)

  it('takes a block, is busy, and has it then', () => {
    const host = new Host().initialise()
    expect(host.command(24, 5)).toBe(0)
    expect(host.sendBlock(0xfe, data)).toBe(0x05)
    expect(host.byte()).toBe(0)
    expect(host.busy()).toBeGreaterThan(TIMING.program * FREQUENCY * 0.9)
    expect(host.image.read(5, 1)).toEqual(data)
  })

  it('takes blocks until the stop token, and counts them', () => {
    const host = new Host().initialise()
    host.application(23, 2)
    expect(host.command(25, 5)).toBe(0)
    for (const value of [1, 2]) {
      expect(host.sendBlock(0xfc, new Uint8Array(512).fill(value))).toBe(0x05)
      expect(host.busy()).toBeLessThan(TIMING.program * FREQUENCY)
    }
    host.byte(0xfd)
    host.byte()
    expect(host.busy()).toBeGreaterThan(TIMING.program * FREQUENCY * 0.9)
    expect([...host.image.read(5, 2)].filter((_, at) => at % 512 === 0)).toEqual([1, 2])
    expect(host.application(22)).toBe(0)
    expect([...host.block(4)]).toEqual([0, 0, 0, 2])
  })

  it('refuses a block whose checksum is wrong, once checking is on (7.3.3.1)', () => {
    const host = new Host().initialise()
    host.command(24, 5)
    expect(host.sendBlock(0xfe, data, 0)).toBe(0x05)
    host.busy()
    host.command(59, 1)
    host.command(24, 6)
    expect(host.sendBlock(0xfe, data, 0)).toBe(0x0b)
    expect(host.image.read(6, 1)[0]).toBe(6)
  })

  it('says so when it cannot write', () => {
    const host = new Host().initialise()
    host.card.fail({ kind: 'write', sector: 5 })
    host.command(24, 5)
    expect(host.sendBlock(0xfe, data)).toBe(0x0d)
    host.busy()
    expect(host.image.read(5, 1)[0]).toBe(5)
    expect(host.command(24, 2048)).toBe(0x40)
  })
})

describe('SD card: the wire', () => {
  it('refuses a block that the line damaged, once', () => {
    const host = new Host().initialise()
    host.card.fail({ kind: 'checksum', sector: 9 })
    expect(host.command(24, 9)).toBe(0)
    expect(host.sendBlock(0xfe, new Uint8Array(512).fill(7))).toBe(0x0b)
    expect(host.command(24, 9)).toBe(0)
    expect(host.sendBlock(0xfe, new Uint8Array(512).fill(7))).toBe(5)
  })

  it('takes no notice of malformed commands: wrong start bits, no transmission bit, garbage between', () => {
    const host = new Host().initialise()
    for (const first of [0x00, 0x3f, 0x80, 0xbf, 0xc0, 0xff]) {
      for (const byte of [first, 0, 0, 0, 0, 0x95]) host.byte(byte)
      expect(host.bytes(16).every((byte) => byte === 0xff)).toBe(true)
    }
    host.crc = true
    expect(host.command(59, 1)).toBe(0)
    for (const byte of [0x40 | 17, 0, 0, 0, 3, 0x01]) host.byte(byte)
    expect(host.bytes(9).find((byte) => byte !== 0xff)).toBe(0x08)
    expect(host.command(17, 3)).toBe(0)
    expect(host.block()).toEqual(new Uint8Array(512).fill(3))
  })

  it('refuses parameters that make no sense: block lengths, addresses, commands that do not exist', () => {
    const host = new Host(2048, { kind: 'SDSC' }).initialise()
    for (const length of [0, 513, 0xffff_ffff]) expect(host.command(16, length)).toBe(0x40)
    expect(host.command(24, 1)).toBe(0x20)
    expect(host.command(17, 0xffff_fe00)).toBe(0x40)
    for (const number of [2, 3, 4, 5, 7, 11, 14, 15, 19, 26, 31, 63]) expect(host.command(number)).toBe(0x04)
    expect(host.application(50)).toBe(0x04)
  })

  it('is silent while not selected, and drops a command cut short', () => {
    const host = new Host().initialise()
    host.byte(0x51)
    host.card.select(false)
    expect(host.bytes(3)).toEqual([0xff, 0xff, 0xff])
    host.card.select(true)
    expect(host.command(13)).toBe(0)
  })

  it('goes on from a snapshot at any byte, whatever the host sends', () => {
    const command = fc
      .tuple(fc.constantFrom(0, 8, 9, 12, 13, 16, 17, 18, 24, 25, 41, 51, 55, 58, 59), fc.constantFrom(0, 1, 5, 512, 0x1aa, 0x4000_0000))
      .map(([number, argument]) => {
        const frame = [0x40 | number, argument >>> 24, (argument >>> 16) & 0xff, (argument >>> 8) & 0xff, argument & 0xff]
        return [...frame, (crc7(frame) << 1) | 1]
      })
    const stuff = fc.oneof(
      command,
      fc.constantFrom(1, 4, 20, 520).map((count) => new Array<number>(count).fill(0xff)),
      fc.constantFrom([0xfe], [0xfc], [0xfd]),
      fc.array(fc.nat(255), { maxLength: 8 }),
    )
    fc.assert(
      fc.property(fc.array(stuff, { maxLength: 20 }), fc.array(stuff, { maxLength: 10 }), fc.boolean(), (before, after, ready) => {
        const first = new Host()
        if (ready) first.initialise()
        for (const byte of before.flat()) first.byte(byte)
        const second = new Host()
        second.card.load(structuredClone(first.card.save()))
        second.cycle = first.cycle
        for (const byte of after.flat()) expect(second.byte(byte)).toBe(first.byte(byte))
      }),
      { numRuns: 100 },
    )
  })
})
