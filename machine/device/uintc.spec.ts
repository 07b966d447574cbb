import { describe, expect, it } from 'vitest'
import { checkRandomAccess } from './random-access.test-support.ts'
import { MockClock, MockLine, MockLog } from './testing.test-support.ts'
import { Uintc, UINTC_SIZE } from './uintc.ts'

const ACTIVE = 1
const SUPERVISOR = 2

function make() {
  const outputs = [0, 1].map(() => ({ user: new MockLine(), supervisor: new MockLine() }))
  return { uintc: new Uintc('uintc', outputs, new MockLog()), outputs }
}
const SEND = 0x00
const LOW = 0x08
const HIGH = 0x10
const ACT = 0x18

describe('UINTC (registers in the head of uintc.ts)', () => {
  it('posts a vector and raises the user wire of the hart the receiver is on', () => {
    const { uintc, outputs } = make()
    uintc.write(3 * 0x20 + LOW, (1 << 16) | ACTIVE, 4)
    uintc.write(3 * 0x20 + SEND, 40, 4)
    uintc.write(3 * 0x20 + SEND + 4, 0, 4)
    expect(outputs[1].user.level).toBe(true)
    expect(outputs[1].supervisor.level).toBe(false)
    expect(outputs[0].user.level).toBe(false)
    expect([uintc.read(3 * 0x20 + HIGH, 4), uintc.read(3 * 0x20 + HIGH + 4, 4)]).toEqual([0, 1 << 8])
    expect(outputs[1].user.level).toBe(false)
    expect(uintc.readPending(3)).toBe(0n)
  })

  it('drives the supervisor wire for mode 1', () => {
    const { uintc, outputs } = make()
    uintc.write(LOW, ACTIVE | SUPERVISOR, 4)
    uintc.send(0, 0)
    expect([outputs[0].user.level, outputs[0].supervisor.level]).toEqual([false, true])
  })

  it('remembers what is posted to an inactive receiver', () => {
    const { uintc, outputs } = make()
    uintc.send(511, 63)
    expect(outputs[0].user.level).toBe(false)
    uintc.write(511 * 0x20 + ACT, 1, 4)
    expect(outputs[0].user.level).toBe(true)
    uintc.setActive(511, false)
    expect(outputs[0].user.level).toBe(false)
    expect(uintc.read(511 * 0x20 + ACT, 4)).toBe(0)
    expect(uintc.readPending(511)).toBe(1n << 63n)
  })

  it('keeps the wire high until the last receiver on it has been read', () => {
    const { uintc, outputs } = make()
    for (const receiver of [1, 2]) {
      uintc.setActive(receiver, true)
      uintc.send(receiver, 5)
    }
    uintc.readPending(1)
    expect(outputs[0].user.level).toBe(true)
    uintc.readPending(2)
    expect(outputs[0].user.level).toBe(false)
  })

  it('moves the request with the receiver to another hart', () => {
    const { uintc, outputs } = make()
    uintc.setActive(1, true)
    uintc.send(1, 5)
    uintc.write(0x20 + LOW, (1 << 16) | ACTIVE, 4)
    expect([outputs[0].user.level, outputs[1].user.level]).toEqual([false, true])
    uintc.write(0x20 + LOW, (9 << 16) | ACTIVE, 4)
    expect([outputs[0].user.level, outputs[1].user.level]).toEqual([false, false])
  })

  it('replaces the pending vectors by a write to HIGH', () => {
    const { uintc } = make()
    uintc.send(0, 1)
    uintc.write(HIGH, 0x8000_0000, 4)
    uintc.write(HIGH + 4, 3, 4)
    expect(uintc.readPending(0)).toBe(0x3_8000_0000n)
    uintc.writePending(0, 0xf000_0000_0000_0001n)
    expect(uintc.readPending(0)).toBe(0xf000_0000_0000_0001n)
  })

  it('ignores vectors and receivers that do not exist', () => {
    const { uintc } = make()
    uintc.setActive(0, true)
    uintc.write(SEND, 64, 4)
    uintc.send(512, 1)
    uintc.setActive(-1, true)
    expect([uintc.readPending(0), uintc.readPending(512)]).toEqual([0n, 0n])
  })

  it('withstands any access', () => {
    checkRandomAccess(
      () => {
        const { uintc, outputs } = make()
        return { device: uintc, clock: new MockClock(), lines: outputs.flatMap((output) => [output.user, output.supervisor]) }
      },
      {
        window: UINTC_SIZE,
        registers: [0, 4, 8, 0x10, 0x14, 0x18, 0x20, 0x28, 0x30, 0x34, 0x38],
        values: [0, 1, 3, 63, 64, 0x1_0001, 0x1_0003],
      },
    )
  })
})
