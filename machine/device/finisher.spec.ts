import { describe, expect, it } from 'vitest'
import { Finisher } from './finisher.ts'
import { checkRandomAccess } from './random-access.test-support.ts'
import { MockClock, MockLog } from './testing.test-support.ts'

function make() {
  const seen: (number | 'reset')[] = []
  const log = new MockLog()
  return { seen, log, finisher: new Finisher('test', { exit: (code) => seen.push(code), reset: () => seen.push('reset') }, log) }
}

describe('SiFive test finisher', () => {
  it('passes, fails with the code in the upper half, and resets', () => {
    const { finisher, seen } = make()
    finisher.write(0, 0x5555, 4)
    finisher.write(0, 0x0007_3333, 4)
    finisher.write(0, 0x3333, 4)
    finisher.write(0, 0x7777, 2)
    expect(seen).toEqual([0, 7, 1, 'reset'])
  })

  it('reports any other command', () => {
    const { finisher, seen, log } = make()
    finisher.write(0, 0x1234, 4)
    expect(seen).toEqual([])
    expect(log.texts).toEqual(['test: write of 0x1234 (4 bytes) at offset 0x0 is not modelled: ignored'])
  })

  it('withstands any access', () => {
    checkRandomAccess(() => ({ device: make().finisher, clock: new MockClock(), lines: [] }), { window: 0x1000, registers: [0, 4] })
  })
})
