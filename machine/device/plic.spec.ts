import { describe, expect, it } from 'vitest'
import { Plic, plicContext, plicContextCount, type PlicOptions } from './plic.ts'
import { checkRandomAccess } from './random-access.test-support.ts'
import { MockClock, MockLine, MockLog } from './testing.test-support.ts'

const VIRT: PlicOptions = { sources: 96, harts: 2 }

function make(options = VIRT) {
  const log = new MockLog()
  const lines = Array.from({ length: plicContextCount(options) }, () => new MockLine())
  const plic = new Plic('plic', options, lines, log)
  const enable = (context: number, source: number) => plic.write(0x2000 + 0x80 * context + 4 * (source >> 5), 2 ** (source & 31), 4)
  const claim = (context: number) => plic.read(0x20_0004 + 0x1000 * context, 4)
  const complete = (context: number, source: number) => plic.write(0x20_0004 + 0x1000 * context, source, 4)
  return { plic, lines, log, enable, claim, complete }
}

describe('PLIC (RISC-V PLIC specification 1.0.0)', () => {
  it('numbers contexts M and S for each hart, then U for each', () => {
    const options = { ...VIRT, userContexts: true }
    expect(plicContextCount(options)).toBe(6)
    expect(plicContext(options, 1, 'machine')).toBe(2)
    expect(plicContext(options, 1, 'supervisor')).toBe(3)
    expect(plicContext(options, 1, 'user')).toBe(5)
    const { plic, lines, enable, claim } = make(options)
    plic.write(4 * 10, 1, 4)
    enable(5, 10)
    plic.source(10).set(true)
    expect(lines.map((line) => line.level)).toEqual([false, false, false, false, false, true])
    expect(claim(5)).toBe(10)
  })

  it('interrupts only contexts that enable the source, above their threshold ("Interrupt Enables", "Priority Thresholds")', () => {
    const { plic, lines, enable } = make()
    plic.write(4 * 10, 3, 4)
    plic.source(10).set(true)
    expect(plic.read(0x1000, 4)).toBe(1 << 10)
    expect(lines.some((line) => line.level)).toBe(false)
    enable(1, 10)
    expect(lines.map((line) => line.level)).toEqual([false, true, false, false])
    plic.write(0x20_1000, 3, 4)
    expect(lines[1].level).toBe(false)
    plic.write(0x20_1000, 2, 4)
    expect(lines[1].level).toBe(true)
  })

  it('claims the highest priority, and of equals the lowest number ("Interrupt Priorities")', () => {
    const { plic, claim } = make()
    plic.write(0x2000, 0xffff_ffff, 4)
    for (const [source, priority] of [
      [5, 2],
      [7, 6],
      [9, 6],
    ]) {
      plic.write(4 * source, priority, 4)
      plic.source(source).set(true)
    }
    expect([claim(0), claim(0), claim(0), claim(0)]).toEqual([7, 9, 5, 0])
  })

  it('never interrupts at priority 0, and source 0 does not exist ("Interrupt Priorities")', () => {
    const { plic, lines, claim } = make()
    plic.write(0, 7, 4)
    plic.write(0x2000, 0xffff_ffff, 4)
    plic.source(3).set(true)
    expect(plic.read(0x2000, 4)).toBe(0xffff_fffe)
    expect(plic.read(0, 4)).toBe(0)
    expect(lines[0].level).toBe(false)
    expect(claim(0)).toBe(0)
  })

  it('holds a claimed source back until its completion, then asks again while the wire is high ("Interrupt Claim Process", "Interrupt Completion")', () => {
    const { plic, lines, enable, claim, complete } = make()
    plic.write(4 * 10, 1, 4)
    enable(0, 10)
    const wire = plic.source(10)
    wire.set(true)
    expect(claim(0)).toBe(10)
    expect(lines[0].level).toBe(false)
    wire.set(false)
    wire.set(true)
    expect(claim(0)).toBe(0)
    complete(0, 10)
    expect(lines[0].level).toBe(true)
    wire.set(false)
    expect(claim(0)).toBe(10)
    complete(0, 10)
    expect(lines[0].level).toBe(false)
  })

  it('keeps a request whose wire falls before the claim ("Interrupt Gateways")', () => {
    const { plic, enable, claim } = make()
    plic.write(4 * 10, 1, 4)
    enable(0, 10)
    plic.source(10).set(true)
    plic.source(10).set(false)
    expect(claim(0)).toBe(10)
  })

  it('takes edges only of a source with an edge-triggered gateway, one in service included ("Interrupt Gateways")', () => {
    const { plic, lines, enable, claim, complete } = make({ ...VIRT, edgeTriggered: [10] })
    plic.write(4 * 10, 1, 4)
    enable(0, 10)
    plic.source(10).set(true)
    expect(claim(0)).toBe(10)
    complete(0, 10)
    expect(lines[0].level).toBe(false)
    plic.source(10).set(false)
    plic.source(10).set(true)
    expect(claim(0)).toBe(10)
    plic.source(10).set(false)
    plic.source(10).set(true)
    expect(lines[0].level).toBe(false)
    expect(claim(0)).toBe(0)
    complete(0, 10)
    expect(lines[0].level).toBe(true)
    expect(claim(0)).toBe(10)
  })

  it('ignores a completion by a context that does not enable the source ("Interrupt Completion")', () => {
    const { plic, enable, claim, complete } = make()
    plic.write(4 * 10, 1, 4)
    enable(0, 10)
    plic.source(10).set(true)
    claim(0)
    complete(1, 10)
    expect(claim(0)).toBe(0)
    complete(0, 10)
    expect(claim(0)).toBe(10)
  })

  it('claims regardless of the threshold ("Interrupt Claim Process")', () => {
    const { plic, lines, enable, claim } = make()
    plic.write(4 * 64, 1, 4)
    enable(0, 64)
    plic.write(0x20_0000, 7, 4)
    plic.source(64).set(true)
    expect(lines[0].level).toBe(false)
    expect(claim(0)).toBe(64)
  })

  it('has the sources and priorities it says, no more', () => {
    const { plic, log } = make()
    plic.write(4 * 95, 0xffff_ffff, 4)
    expect(plic.read(4 * 95, 4)).toBe(7)
    plic.write(4 * 96, 1, 4)
    expect(plic.read(4 * 96, 4)).toBe(0)
    expect(log.texts).toHaveLength(2)
    expect(() => plic.source(96)).toThrow('plic: no interrupt source 96')
  })

  it('withstands any access', () => {
    checkRandomAccess(
      () => {
        const { plic, lines } = make()
        return { device: plic, clock: new MockClock(), lines }
      },
      {
        window: 0x60_0000,
        registers: [4, 8, 40, 0x1000, 0x2000, 0x2080, 0x2100, 0x20_0000, 0x20_0004, 0x20_1000, 0x20_1004],
        values: [0, 1, 2, 7, 10, 0xffff_ffff],
        prepare: ({ device }) => {
          for (const source of [1, 2, 10]) {
            device.write(4 * source, 1, 4)
            ;(device as Plic).source(source).set(true)
          }
          device.write(0x2000, 0xffff_ffff, 4)
        },
        stimulate: ({ device }, value) => {
          const wire = (device as Plic).source([1, 2, 10][value % 3])
          wire.set(false)
          wire.set(value % 2 === 0)
        },
      },
    )
  })
})
