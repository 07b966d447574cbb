/**
 * The property every device has: whatever the guest does to its registers, it neither throws nor hangs, reads fit
 * their width, and a second device loaded from its state goes on exactly as the first does.
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import type { AccessSize, Device } from './device.ts'
import type { MockClock, MockLine, MockMemory } from './testing.test-support.ts'

export interface Rig {
  readonly device: Device
  readonly clock: MockClock
  readonly lines: readonly MockLine[]
  readonly memory?: MockMemory
}

interface Step {
  readonly kind: 'read' | 'write' | 'wait'
  readonly offset: number
  readonly size: AccessSize
  readonly value: number
}

export interface RandomAccessOptions {
  /** The bytes of the device's window. */
  readonly window: number
  /** Offsets of real registers, tried more often than others. */
  readonly registers: readonly number[]
  /** Values that mean something to the device, tried more often than others. */
  readonly values?: readonly number[]
  /** The longest wait in cycles. */
  readonly wait?: number
  readonly runs?: number
  /** Prepares both devices alike, for states that random writes hardly reach. */
  readonly prepare?: (rig: Rig) => void
  /** What else happens while the guest waits: wires change, the host sends. */
  readonly stimulate?: (rig: Rig, value: number) => void
}

export function checkRandomAccess(make: () => Rig, options: RandomAccessOptions): void {
  const offset = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...options.registers) },
    { weight: 1, arbitrary: fc.nat(options.window - 1) },
  )
  const value = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...(options.values ?? [0, 1, 2, 0xff])) },
    { weight: 1, arbitrary: fc.nat(0xffff_ffff) },
    { weight: 1, arbitrary: fc.nat(255) },
  )
  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom('read', 'read', 'write', 'write', 'write', 'wait'),
    offset,
    size: fc.oneof({ weight: 6, arbitrary: fc.constant<AccessSize>(4) }, { weight: 1, arbitrary: fc.constantFrom<AccessSize>(1, 2) }),
    value,
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.array(step, { maxLength: 60 }), (before, after) => {
      const first = make()
      options.prepare?.(first)
      run(first, before, options)
      checkPlain(first.device.save())
      const second = make()
      second.device.load(structuredClone(first.device.save()))
      second.clock.copy(first.clock)
      second.memory?.bytes.set(first.memory!.bytes)
      for (const [index, line] of second.lines.entries()) line.level = first.lines[index].level
      expect(run(second, after, options)).toEqual(run(first, after, options))
      expect(second.device.save()).toEqual(first.device.save())
    }),
    { numRuns: options.runs ?? 150 },
  )
}

/** What `DeviceState` promises, so that a snapshot can be written to a file. */
function checkPlain(value: unknown): void {
  if (value === null || ['number', 'string', 'boolean', 'bigint'].includes(typeof value) || ArrayBuffer.isView(value)) return
  const plain = Array.isArray(value) || (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
  if (!plain) throw new Error(`a device state holds ${String(value)}`)
  Object.values(value as object).forEach(checkPlain)
}

function run(rig: Rig, steps: readonly Step[], options: RandomAccessOptions): unknown[] {
  const seen: unknown[] = []
  for (const { kind, offset, size, value } of steps) {
    const limit = 2 ** (8 * size)
    const aligned = offset - (offset % size)
    if (kind === 'wait') {
      options.stimulate?.(rig, value)
      rig.clock.advanceBy(value % (options.wait ?? 1000))
    } else if (kind === 'write') rig.device.write(aligned, value % limit, size)
    else {
      const result = rig.device.read(aligned, size)
      if (!(Number.isInteger(result) && result >= 0 && result < limit)) throw new Error(`read of ${aligned} returned ${result}`)
      seen.push(result)
    }
    seen.push(rig.lines.map((line) => line.level))
  }
  return seen
}
