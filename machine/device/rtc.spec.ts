import { describe, expect, it } from 'vitest'
import { checkRandomAccess } from './random-access.test-support.ts'
import { GoldfishRtc } from './rtc.ts'
import { MockClock, MockLine, MockLog } from './testing.test-support.ts'

const EPOCH = 1_700_000_000
const SECOND = 1_000_000_000n

function make() {
  const clock = new MockClock(100_000_000)
  const line = new MockLine()
  const rtc = new GoldfishRtc('rtc', clock, line, new MockLog(), EPOCH)
  const time = () => BigInt(rtc.read(0, 4)) + (BigInt(rtc.read(4, 4)) << 32n)
  const alarm = (at: bigint) => {
    rtc.write(0x0c, Number(at >> 32n), 4)
    rtc.write(0x08, Number(at & 0xffff_ffffn), 4)
  }
  return { clock, line, rtc, time, alarm }
}

describe('Goldfish RTC', () => {
  it('counts nanoseconds of virtual time from its epoch', () => {
    const { clock, time } = make()
    expect(time()).toBe(BigInt(EPOCH) * SECOND)
    clock.advanceTo(150_000_001)
    expect(time()).toBe(BigInt(EPOCH) * SECOND + 1_500_000_010n)
  })

  it('reads TIME_HIGH as it was when TIME_LOW was read', () => {
    const { clock, rtc } = make()
    rtc.write(0x04, 5, 4)
    rtc.write(0x00, 0xffff_ffff, 4)
    expect(rtc.read(0, 4)).toBe(0xffff_ffff)
    clock.advanceBy(1)
    expect(rtc.read(4, 4)).toBe(5)
    expect(rtc.read(0, 4)).toBe(9)
    expect(rtc.read(4, 4)).toBe(6)
  })

  it('rings at the alarm, as an interrupt when enabled', () => {
    const { clock, line, rtc, alarm } = make()
    rtc.write(0x10, 1, 4)
    alarm(BigInt(EPOCH + 2) * SECOND)
    expect(rtc.read(0x18, 4)).toBe(1)
    clock.advanceTo(199_999_999)
    expect(line.level).toBe(false)
    clock.advanceTo(200_000_000)
    expect(line.level).toBe(true)
    expect(rtc.read(0x18, 4)).toBe(0)
    rtc.write(0x1c, 1, 4)
    expect(line.level).toBe(false)
  })

  it('rings at once for an alarm in the past, and not after CLEAR_ALARM', () => {
    const { clock, line, rtc, alarm } = make()
    rtc.write(0x10, 1, 4)
    alarm(5n)
    expect(line.level).toBe(true)
    rtc.write(0x1c, 1, 4)
    alarm(BigInt(EPOCH + 1) * SECOND)
    rtc.write(0x14, 1, 4)
    clock.advanceTo(1_000_000_000)
    expect(line.level).toBe(false)
  })

  it('withstands any access', () => {
    checkRandomAccess(
      () => {
        const { rtc, clock, line } = make()
        return { device: rtc, clock, lines: [line] }
      },
      { window: 0x1000, registers: [0, 4, 8, 0xc, 0x10, 0x14, 0x18, 0x1c], wait: 1_000_000 },
    )
  })
})
