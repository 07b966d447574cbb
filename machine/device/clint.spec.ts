import { describe, expect, it } from 'vitest'
import { Clint, type ClintHarts } from './clint.ts'
import { checkRandomAccess } from './random-access.test-support.ts'
import { MockClock, MockLog } from './testing.test-support.ts'

class MockHarts implements ClintHarts {
  software: boolean[] = []
  compare: bigint[] = []
  time = 0n
  setSoftware(hart: number, level: boolean): void {
    this.software[hart] = level
  }
  setTimerCompare(hart: number, mtimecmp: bigint): void {
    this.compare[hart] = mtimecmp
  }
  mtime(): bigint {
    return this.time
  }
  setMtime(mtime: bigint): void {
    this.time = mtime
  }
}

function make() {
  const harts = new MockHarts()
  const log = new MockLog()
  return { harts, log, clint: new Clint('clint', 2, harts, log) }
}

describe('CLINT (SiFive FU540-C000 manual, "Core-Local Interruptor")', () => {
  it('drives MSIP of the addressed hart from bit 0 alone', () => {
    const { clint, harts } = make()
    clint.write(0x4, 0xffff_ffff, 4)
    expect(harts.software).toEqual([undefined, true])
    expect(clint.read(0x4, 4)).toBe(1)
    clint.write(0x4, 0, 4)
    expect(harts.software[1]).toBe(false)
    expect(clint.read(0x0, 4)).toBe(0)
  })

  it('takes mtimecmp in halves and hands the whole to the hart', () => {
    const { clint, harts } = make()
    clint.write(0x4008, 0x9abc_def0, 4)
    clint.write(0x400c, 0x1234_5678, 4)
    expect(harts.compare[1]).toBe(0x1234_5678_9abc_def0n)
    expect([clint.read(0x4008, 4), clint.read(0x400c, 4)]).toEqual([0x9abc_def0, 0x1234_5678])
  })

  it('raises no timer interrupt out of reset', () => {
    const { clint } = make()
    expect([clint.read(0x4000, 4), clint.read(0x4004, 4)]).toEqual([0xffff_ffff, 0xffff_ffff])
  })

  it('reads and writes mtime in halves', () => {
    const { clint, harts } = make()
    harts.time = 0x1_0000_0005n
    expect([clint.read(0xbff8, 4), clint.read(0xbffc, 4)]).toEqual([5, 1])
    clint.write(0xbffc, 7, 4)
    expect(harts.time).toBe(0x7_0000_0005n)
  })

  it('reports a hart that does not exist once', () => {
    const { clint, log } = make()
    clint.write(0x8, 1, 4)
    clint.write(0x8, 1, 4)
    expect(log.texts).toEqual(['clint: write of 0x1 (4 bytes) at offset 0x8 is not modelled: ignored'])
  })

  it('withstands any access', () => {
    checkRandomAccess(() => ({ device: make().clint, clock: new MockClock(), lines: [] }), {
      window: 0x10000,
      registers: [0, 4, 8, 0x4000, 0x4004, 0x4008, 0x400c],
    })
  })
})
