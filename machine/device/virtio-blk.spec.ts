import { describe, expect, it } from 'vitest'
import { DiskImageError } from '../backend/block-image.ts'
import { memoryImage } from '../backend/disk-image.ts'
import { checkRandomAccess } from './random-access.test-support.ts'
import { MockClock, MockLine, MockLog, MockMemory } from './testing.test-support.ts'
import { VirtioBlock } from './virtio-blk.ts'
import { R, TestDriver, TestQueue } from './virtio-driver.test-support.ts'
import { VirtioMmio } from './virtio-mmio.ts'

const HEADER = 0x8004_0000
const DATA = 0x8005_0000
const STATUS = 0x8004_f000
const SECTORS = 64

function make(readOnly = false) {
  const clock = new MockClock()
  const line = new MockLine()
  const log = new MockLog()
  const memory = new MockMemory()
  const bytes = new Uint8Array(SECTORS * 512).map((_, at) => Math.floor(at / 512))
  const image = memoryImage(bytes, readOnly)
  const model = new VirtioBlock(clock, image, { latency: 10e-6, rate: 512e6 })
  const device = new VirtioMmio('virtio0', model, { memory, line, log })
  const driver = new TestDriver(device, memory).start(1)
  let slot = 0
  /** Offers a request; its header and status byte are placed anew each time. Returns a function that reads the status. */
  const request = (type: number, sector: number, data: { length: number; write?: boolean }[], dataAddress = DATA) => {
    const header = HEADER + 16 * slot
    const status = STATUS + slot++
    const view = new DataView(memory.bytes.buffer)
    view.setUint32(header - memory.base, type, true)
    view.setBigUint64(header - memory.base + 8, BigInt(sector), true)
    memory.bytes[status - memory.base] = 0xee
    let at = dataAddress
    driver.queues[0].offer([
      { address: header, length: 16 },
      ...data.map(({ length, write }) => ({ address: (at += length) - length, length, write })),
      { address: status, length: 1, write: true },
    ])
    driver.kick()
    return () => memory.bytes[status - memory.base]
  }
  const config = (offset: number, size: 1 | 2 | 4) => device.read(R.config + offset, size)
  return { clock, line, log, memory, image, driver, request, config }
}

describe('virtio block device (virtio 1.2, 5.2)', () => {
  it('describes itself in the configuration space (5.2.4)', () => {
    const { config, driver } = make()
    expect([config(0, 4), config(4, 4), config(20, 4), config(34, 2)]).toEqual([SECTORS, 0, 512, 1])
    expect(config(12, 4)).toBe(126)
    expect(driver.offered() & 0xffn).toBe((1n << 2n) | (1n << 6n))
    expect(make(true).driver.offered() & (1n << 5n)).toBe(1n << 5n)
  })

  it('reads sectors into scattered buffers after latency and transfer', () => {
    const { clock, memory, request, driver, line } = make()
    const status = request(0, 5, [
      { length: 100, write: true },
      { length: 924, write: true },
    ])
    clock.advanceBy(1199)
    expect(status()).toBe(0xee)
    clock.advanceBy(2)
    expect(status()).toBe(0)
    expect(driver.queues[0].takeUsed()).toEqual([{ head: 0, written: 1025 }])
    expect(line.level).toBe(true)
    expect(memory.read(DATA + 511, 2)).toEqual(Uint8Array.of(5, 6))
  })

  it('writes, and reads back', () => {
    const { clock, memory, request, image } = make()
    memory.bytes.fill(0xab, DATA - memory.base, DATA - memory.base + 512)
    const status = request(1, 63, [{ length: 512 }])
    clock.advanceBy(10_000)
    expect(status()).toBe(0)
    expect(image.read(63, 1)).toEqual(new Uint8Array(512).fill(0xab))
  })

  it('has several requests in flight: latencies overlap, transfers take turns', () => {
    const { clock, request, driver } = make()
    request(0, 0, [{ length: 512, write: true }])
    request(0, 1, [{ length: 512, write: true }])
    clock.advanceBy(1100)
    expect(driver.queues[0].takeUsed()).toHaveLength(1)
    clock.advanceBy(100)
    expect(driver.queues[0].takeUsed()).toHaveLength(1)
  })

  it.each([
    ['beyond the end', 0, 63, { length: 1024, write: true }, 1],
    ['far beyond the end', 0, 2 ** 52, { length: 512, write: true }, 1],
    ['not whole sectors', 0, 0, { length: 100, write: true }, 1],
    ['of unknown type', 99, 0, { length: 512, write: true }, 2],
  ])('answers a request %s with IOERR or UNSUPP (5.2.6)', (_, type, sector, data, expected) => {
    const { clock, request } = make()
    const status = request(type, sector, [data])
    clock.advanceBy(100_000)
    expect(status()).toBe(expected)
  })

  it('flushes, and tells its name', () => {
    const { clock, memory, request } = make()
    const flushed = request(4, 0, [])
    const named = request(8, 0, [{ length: 20, write: true }])
    clock.advanceBy(10_000)
    expect([flushed(), named()]).toEqual([0, 0])
    expect(new TextDecoder().decode(memory.read(DATA, 20)).replace(/\0+$/, '')).toBe('pollen-disk')
  })

  it('discards and writes zeros by ranges (5.2.6.2)', () => {
    const { clock, memory, image, request } = make()
    const view = new DataView(memory.bytes.buffer, DATA - memory.base)
    view.setBigUint64(0, 10n, true)
    view.setUint32(8, 3, true)
    view.setUint32(12, 1, true) // unmap
    const unmap = request(13, 0, [{ length: 16 }])
    clock.advanceBy(10_000)
    expect(unmap()).toBe(0)
    expect(image.read(10, 3).every((byte) => byte === 0)).toBe(true)
    expect([image.read(9, 1)[0], image.read(13, 1)[0]]).toEqual([9, 13])
    const refused = request(11, 0, [{ length: 16 }])
    clock.advanceBy(10_000)
    expect(refused()).toBe(2)
    view.setBigUint64(0, 63n, true)
    view.setUint32(12, 0, true)
    const outside = request(11, 0, [{ length: 16 }])
    clock.advanceBy(10_000)
    expect(outside()).toBe(1)
  })

  it('keeps a read-only image as it is', () => {
    const { clock, image, request } = make(true)
    const status = request(1, 3, [{ length: 512 }])
    clock.advanceBy(10_000)
    expect(status()).toBe(1)
    expect(image.read(3, 1)[0]).toBe(3)
  })

  it('breaks on a request without a status byte', () => {
    const { clock, driver, log } = make()
    driver.queues[0].offer([{ address: HEADER, length: 16 }])
    driver.kick()
    clock.advanceBy(10_000)
    expect(driver.get(R.status) & 64).toBe(64)
    expect(log.texts[0]).toMatch(/without header or status byte/)
  })

  it('answers IOERR when the host cannot read', () => {
    const { clock, image, log, request } = make()
    image.read = () => {
      throw new DiskImageError('disk.img: cannot be read: EIO')
    }
    const status = request(0, 0, [{ length: 512, write: true }])
    clock.advanceBy(10_000)
    expect(status()).toBe(1)
    expect(log.texts).toEqual(['virtio0: disk.img: cannot be read: EIO'])
  })

  it('resumes with requests in flight', () => {
    const first = make()
    const status = first.request(0, 7, [{ length: 512, write: true }])
    const second = make()
    second.driver.device.load(structuredClone(first.driver.device.save()))
    second.clock.copy(first.clock)
    second.memory.bytes.set(first.memory.bytes)
    for (const { clock } of [first, second]) clock.advanceBy(10_000)
    expect(status()).toBe(0)
    expect(Buffer.compare(second.memory.bytes, first.memory.bytes)).toBe(0)
    expect(second.line.level).toBe(true)
  })

  it('withstands any access, with requests in flight', () => {
    checkRandomAccess(
      () => {
        const { clock, line, memory, driver } = make()
        return { device: driver.device, clock, lines: [line], memory }
      },
      {
        window: 0x1000,
        registers: [...Object.values(R), R.queueNotify, R.queueNotify],
        values: [0, 1, 2, 3, 11, 15, 0x8000_8000, 0x8000_8080],
        wait: 2000,
        runs: 60,
        prepare: ({ memory, device }) => {
          // A ring whose every descriptor leads somewhere: header, data, status.
          const queue = new TestQueue(memory!, memory!.base + 0x8000)
          for (let head = 0; head < 6; head += 3) {
            queue.describe(queue.desc, head, HEADER + head * 16, 16, 1, head + 1)
            queue.describe(queue.desc, head + 1, DATA, 512, 3, head + 2)
            queue.describe(queue.desc, head + 2, STATUS + head, 1, 2, 0)
            queue.makeAvailable(head)
          }
          device.write(R.queueNotify, 0, 4)
        },
      },
    )
  })
})
