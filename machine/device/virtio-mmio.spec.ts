import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkRandomAccess } from './random-access.test-support.ts'
import { MockClock, MockLine, MockLog, MockMemory } from './testing.test-support.ts'
import { EVENT_IDX, INDIRECT, R, TestDriver, TestQueue } from './virtio-driver.test-support.ts'
import { VirtioEntropy } from './virtio-entropy.ts'
import { NoVirtioDevice, VirtioMmio, type VirtioModel } from './virtio-mmio.ts'

const TIMING = { latency: 1e-6, rate: 100e6 }
const BUFFER = 0x8004_0000

function make(options: { legacy?: boolean; model?: (clock: MockClock) => VirtioModel } = {}) {
  const clock = new MockClock()
  const line = new MockLine()
  const log = new MockLog()
  const memory = new MockMemory()
  const model = options.model?.(clock) ?? new VirtioEntropy(clock, 1n, TIMING)
  const device = new VirtioMmio('virtio0', model, { memory, line, log, legacy: options.legacy })
  return { clock, line, log, memory, device, driver: new TestDriver(device, memory) }
}

describe('virtio-mmio registers (virtio 1.2, 4.2.2)', () => {
  it('identifies itself', () => {
    const { driver } = make()
    expect([driver.get(R.magic), driver.get(R.version), driver.get(R.deviceId), driver.get(R.vendor)]).toEqual([
      0x7472_6976, 2, 4, 0x554d_4551,
    ])
    expect(make({ legacy: true }).driver.get(R.version)).toBe(1)
  })

  it('shows an empty slot as device 0', () => {
    const { driver, log } = make({ model: () => new NoVirtioDevice() })
    expect([driver.get(R.magic), driver.get(R.deviceId), driver.get(R.queueNumMax)]).toEqual([0x7472_6976, 0, 0])
    driver.set(R.status, 0)
    expect(log.texts).toEqual([])
  })

  it('offers VERSION_1 and ring features; legacy offers the low word alone', () => {
    expect(make().driver.offered()).toBe((1n << 32n) | (1n << 29n) | (1n << 28n))
    expect(make({ legacy: true }).driver.offered()).toBe((1n << 29n) | (1n << 28n) | (1n << 27n))
  })

  it('refuses FEATURES_OK for a feature it did not offer (2.2.2, 3.1.1)', () => {
    const { driver } = make()
    driver.set(R.status, 3)
    driver.accept((1n << 32n) | (1n << 40n))
    driver.set(R.status, 11)
    expect(driver.get(R.status)).toBe(3)
    driver.accept(1n << 32n)
    driver.set(R.status, 11)
    expect(driver.get(R.status)).toBe(11)
  })

  it('accepts a driver that negotiates the low word alone, as xv6 does', () => {
    const { driver } = make()
    driver.set(R.status, 3)
    driver.set(R.driverFeatures, 0)
    driver.set(R.status, 11)
    expect(driver.get(R.status)).toBe(11)
  })

  it('forgets everything at reset (2.4)', () => {
    const { driver, clock, line } = make()
    driver.start(1)
    driver.queues[0].offer([{ address: BUFFER, length: 8, write: true }])
    driver.kick()
    clock.advanceBy(1000)
    expect(line.level).toBe(true)
    driver.queues[0].offer([{ address: BUFFER, length: 8, write: true }])
    driver.kick()
    driver.set(R.status, 0)
    expect(line.level).toBe(false)
    expect([driver.get(R.status), driver.get(R.interruptStatus), driver.get(R.queueReady)]).toEqual([0, 0, 0])
    clock.advanceBy(1000)
    expect(driver.queues[0].takeUsed()).toHaveLength(1)
  })

  it('consumes no buffer before DRIVER_OK, and those offered early after it (3.1.1)', () => {
    const { driver, clock } = make()
    driver.set(R.status, 3)
    driver.accept(1n << 32n)
    driver.set(R.status, 11)
    const queue = driver.addQueue(0)
    queue.offer([{ address: BUFFER, length: 8, write: true }])
    driver.kick()
    clock.advanceBy(1000)
    expect(queue.takeUsed()).toEqual([])
    driver.set(R.status, 15)
    clock.advanceBy(1000)
    expect(queue.takeUsed()).toEqual([{ head: 0, written: 8 }])
  })

  it('acknowledges interrupts bit by bit', () => {
    const { driver, clock, line } = make()
    driver.start(1)
    driver.queues[0].offer([{ address: BUFFER, length: 8, write: true }])
    driver.kick()
    clock.advanceBy(1000)
    expect(driver.get(R.interruptStatus)).toBe(1)
    driver.set(R.interruptAck, 2)
    expect(line.level).toBe(true)
    driver.set(R.interruptAck, 1)
    expect(line.level).toBe(false)
  })

  it('works through the legacy interface: page number and alignment instead of addresses (4.2.4)', () => {
    const { driver, memory, clock, line } = make({ legacy: true })
    driver.set(R.status, 3)
    driver.set(R.driverFeatures, 0)
    driver.set(R.guestPageSize, 4096)
    driver.set(R.queueSel, 0)
    expect(driver.get(R.queuePfn)).toBe(0)
    const queue = new TestQueue(memory, memory.base + 0x8000)
    driver.set(R.queueNum, queue.size)
    driver.set(R.queueAlign, 4096)
    driver.set(R.queuePfn, queue.desc / 4096)
    expect(driver.get(R.queuePfn)).toBe(queue.desc / 4096)
    driver.set(R.status, 7)
    queue.offer([{ address: BUFFER, length: 16, write: true }])
    driver.kick()
    clock.advanceBy(1000)
    expect(queue.takeUsed()).toEqual([{ head: 0, written: 16 }])
    expect(line.level).toBe(true)
  })
})

describe('split virtqueues (virtio 1.2, 2.7)', () => {
  it('returns buffers after their time, with the length written', () => {
    const { driver, clock, memory } = make()
    driver.start(1)
    const queue = driver.queues[0]
    queue.offer([
      { address: BUFFER, length: 3, write: true },
      { address: BUFFER + 0x100, length: 5, write: true },
    ])
    driver.kick()
    clock.advanceBy(107)
    expect(queue.takeUsed()).toEqual([])
    clock.advanceBy(1)
    expect(queue.takeUsed()).toEqual([{ head: 0, written: 8 }])
    expect(memory.read(BUFFER + 0x100, 8)!.subarray(5)).toEqual(new Uint8Array(3))
    expect(memory.read(BUFFER + 0x100, 5)!.some((byte) => byte !== 0)).toBe(true)
  })

  it('wraps its indices', () => {
    const { driver, clock } = make()
    driver.start(1)
    const queue = driver.queues[0]
    for (let i = 0; i < 70_000; i++) {
      const head = queue.offer([{ address: BUFFER, length: 1, write: true }])
      driver.kick()
      clock.advanceBy(200)
      const used = queue.takeUsed()
      if (used.length !== 1 || used[0].head !== head) throw new Error(`buffer ${i} came back as ${JSON.stringify(used)}`)
    }
  })

  it('holds the interrupt back when the driver asks for that (2.7.7)', () => {
    const { driver, clock, line } = make()
    driver.start(1)
    driver.queues[0].put16(driver.queues[0].avail, 1)
    driver.queues[0].offer([{ address: BUFFER, length: 8, write: true }])
    driver.kick()
    clock.advanceBy(1000)
    expect(driver.queues[0].takeUsed()).toHaveLength(1)
    expect(line.level).toBe(false)
  })

  it('interrupts when the used index passes used_event, and publishes avail_event (2.7.7, 2.7.10)', () => {
    const { driver, clock, line } = make()
    driver.start(1, EVENT_IDX)
    const queue = driver.queues[0]
    queue.put16(queue.avail + 4 + 2 * queue.size, 1)
    for (const expected of [false, true, false]) {
      queue.offer([{ address: BUFFER, length: 8, write: true }])
      driver.kick()
      clock.advanceBy(1000)
      expect(line.level).toBe(expected)
      driver.set(R.interruptAck, 1)
    }
    expect(queue.get16(queue.used + 4 + 8 * queue.size)).toBe(3)
  })

  it('follows an indirect table (2.7.5.3)', () => {
    const { driver, clock } = make()
    driver.start(1, INDIRECT)
    const queue = driver.queues[0]
    queue.describe(BUFFER, 0, BUFFER + 0x100, 4, 3, 1)
    queue.describe(BUFFER, 1, BUFFER + 0x200, 4, 2, 0)
    queue.describe(queue.desc, 5, BUFFER, 32, 4, 0)
    queue.makeAvailable(5)
    driver.kick()
    clock.advanceBy(1000)
    expect(queue.takeUsed()).toEqual([{ head: 5, written: 8 }])
  })
})

describe('a driver that breaks the rules (virtio 1.2, 2.1.2)', () => {
  const broken: [string, (rig: ReturnType<typeof make>) => void, RegExp][] = [
    ['a loop of descriptors', ({ driver: { queues } }) => queues[0].describe(queues[0].desc, 0, BUFFER, 8, 3, 0), /buffer 0 is a loop/],
    [
      'a descriptor outside the table',
      ({ driver: { queues } }) => queues[0].describe(queues[0].desc, 0, BUFFER, 8, 3, 8),
      /descriptor 8 of a table of 8/,
    ],
    ['a buffer outside RAM', ({ driver: { queues } }) => queues[0].describe(queues[0].desc, 0, 0x1000, 8, 2, 0), /not RAM/],
    [
      'a buffer across the end of the address space',
      ({ driver: { queues } }) => queues[0].describe(queues[0].desc, 0, 2 ** 63, 8, 2, 0),
      /not RAM/,
    ],
    [
      'an indirect descriptor without the feature',
      ({ driver: { queues } }) => queues[0].describe(queues[0].desc, 0, BUFFER, 16, 4, 0),
      /not negotiated/,
    ],
    [
      'a readable descriptor after a writable one',
      ({ driver: { queues } }) => {
        queues[0].describe(queues[0].desc, 0, BUFFER, 8, 3, 1)
        queues[0].describe(queues[0].desc, 1, BUFFER, 8, 0, 0)
      },
      /readable descriptor after/,
    ],
    ['an impossible available index', ({ driver: { queues } }) => queues[0].put16(queues[0].avail + 2, 100), /100 buffers available/],
    ['a buffer too large', ({ driver: { queues } }) => queues[0].describe(queues[0].desc, 0, BUFFER, 0xffff_ffff, 2, 0), /more than/],
  ]
  for (const [what, spoil, message] of broken) {
    it(`stops at ${what}, says so once, and works again after a reset`, () => {
      const rig = make()
      const { driver, clock, line, log } = rig
      driver.start(1)
      driver.queues[0].describe(driver.queues[0].desc, 0, BUFFER, 8, 2, 0)
      driver.queues[0].makeAvailable(0)
      spoil(rig)
      driver.kick()
      clock.advanceBy(1000)
      expect(driver.get(R.status)).toBe(15 | 64)
      expect(driver.get(R.interruptStatus)).toBe(2)
      expect(line.level).toBe(true)
      expect(log.texts).toHaveLength(1)
      expect(log.texts[0]).toMatch(message)
      driver.kick()
      clock.advanceBy(1000)
      expect(log.texts).toHaveLength(1)
      driver.memory.bytes.fill(0)
      driver.start(1)
      driver.queues[0].offer([{ address: BUFFER, length: 8, write: true }])
      driver.kick()
      clock.advanceBy(1000)
      expect(driver.queues[0].takeUsed()).toHaveLength(1)
    })
  }

  it('stops at a queue size that is no power of two, and at rings outside RAM', () => {
    const { driver, log } = make()
    driver.set(R.queueNum, 7)
    driver.set(R.queueReady, 1)
    expect(driver.get(R.status) & 64).toBe(64)
    expect(log.texts[0]).toMatch(/queue size 7/)
    const other = make().driver
    other.start(0)
    other.set(R.desc + 4, 0xffff_ffff)
    other.set(R.queueReady, 1)
    other.kick()
    expect(other.get(R.status) & 64).toBe(64)
  })

  it('neither hangs nor throws on rings full of noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), fc.array(fc.nat(511), { maxLength: 8 }), (noise, zeros) => {
        const { driver, clock, memory } = make()
        driver.start(1, INDIRECT | EVENT_IDX)
        const queue = driver.queues[0]
        for (let i = 0; i < queue.size; i++) {
          // Mostly addresses in RAM, with the flags and links that noise gives.
          queue.describe(
            queue.desc,
            i,
            memory.base + ((noise[i * 4] * 0x100) % 0x10_0000),
            noise[i * 4 + 1] * 16,
            noise[i * 4 + 2] & 7,
            noise[i * 4 + 3] & 15,
          )
        }
        memory.bytes.set(noise, BUFFER - memory.base)
        for (const at of zeros) memory.bytes[BUFFER - memory.base + at] = 0
        for (let i = 0; i < 6; i++) {
          queue.makeAvailable(noise[100 + i] & 7)
          driver.kick()
          clock.advanceBy(noise[200 + i] * 4)
        }
        clock.advanceBy(1_000_000)
      }),
    )
  })

  it.each([false, true])('withstands any access (legacy: %s)', (legacy) => {
    checkRandomAccess(
      () => {
        const { device, clock, line, memory } = make({ legacy })
        return { device, clock, lines: [line], memory }
      },
      {
        window: 0x1000,
        registers: Object.values(R),
        values: [0, 1, 2, 3, 8, 11, 15, 64, 0x80008, 0x8000_8000, 0x8000_8080, 0x8000_9000],
        prepare: (rig) => {
          const driver = new TestDriver(rig.device as VirtioMmio, rig.memory!)
          if (legacy) return
          driver.start(1)
          for (let i = 0; i < 5; i++) driver.queues[0].offer([{ address: BUFFER, length: 100, write: true }])
          driver.kick()
        },
      },
    )
  })
})
