import { describe, expect, it } from 'vitest'
import { ConsoleStream } from '../backend/console.ts'
import { checkRandomAccess } from './random-access.test-support.ts'
import { MockClock, MockLine, MockLog, MockMemory } from './testing.test-support.ts'
import { VirtioConsole } from './virtio-console.ts'
import { R, TestDriver, TestQueue } from './virtio-driver.test-support.ts'
import { VirtioMmio } from './virtio-mmio.ts'

const BUFFER = 0x8004_0000

function make() {
  const clock = new MockClock()
  const memory = new MockMemory()
  const line = new MockLine()
  let output = ''
  const stream = new ConsoleStream((bytes) => (output += new TextDecoder().decode(bytes)))
  const model = new VirtioConsole(clock, stream, { latency: 1e-6, rate: 1e6 })
  const device = new VirtioMmio('virtio1', model, { memory, line, log: new MockLog() })
  const driver = new TestDriver(device, memory).start(2)
  const sent = () => {
    stream.flush()
    return output
  }
  return { clock, memory, line, stream, driver, sent, type: (text: string, at?: number) => stream.push(new TextEncoder().encode(text), at) }
}

describe('virtio console (virtio 1.2, 5.3)', () => {
  it('sends what the transmit queue holds, at its rate', () => {
    const { clock, memory, driver, sent } = make()
    memory.write(BUFFER, new TextEncoder().encode('hello'))
    driver.queues[1].offer([{ address: BUFFER, length: 5 }])
    driver.kick(1)
    clock.advanceBy(599)
    expect(sent()).toBe('')
    clock.advanceBy(1)
    expect(sent()).toBe('hello')
    expect(driver.queues[1].takeUsed()).toEqual([{ head: 0, written: 0 }])
  })

  it('fills a receive buffer with what has arrived, not before', () => {
    const { clock, memory, driver, type, line } = make()
    type('abc', 5000)
    driver.queues[0].offer([{ address: BUFFER, length: 64, write: true }])
    driver.kick(0)
    clock.advanceTo(5000)
    expect(driver.queues[0].takeUsed()).toEqual([])
    clock.advanceTo(6000)
    expect(driver.queues[0].takeUsed()).toEqual([{ head: 0, written: 3 }])
    expect(new TextDecoder().decode(memory.read(BUFFER, 3))).toBe('abc')
    expect(line.level).toBe(true)
  })

  it('keeps input until the driver gives a buffer, and splits it over small ones', () => {
    const { clock, memory, driver, type } = make()
    type('abcd')
    clock.advanceBy(10_000)
    for (const offset of [0, 16, 32]) driver.queues[0].offer([{ address: BUFFER + offset, length: 3, write: true }])
    driver.kick(0)
    clock.advanceBy(10_000)
    expect(driver.queues[0].takeUsed().map(({ written }) => written)).toEqual([3, 1])
    expect(memory.read(BUFFER + 16, 1)![0]).toBe('d'.charCodeAt(0))
    type('e', clock.now)
    clock.advanceBy(10_000)
    expect(driver.queues[0].takeUsed().map(({ written }) => written)).toEqual([1])
    type('f', clock.now)
    clock.advanceBy(10_000)
    driver.queues[0].offer([{ address: BUFFER, length: 3, write: true }])
    driver.kick(0)
    clock.advanceBy(10_000)
    expect(driver.queues[0].takeUsed()).toHaveLength(1)
  })

  it('writes emergency characters without a queue (5.3.4)', () => {
    const { driver, sent } = make()
    driver.set(R.config + 8, 0x21)
    expect(sent()).toBe('!')
  })

  it('withstands any access, with buffers given', () => {
    checkRandomAccess(
      () => {
        const { clock, line, memory, driver, type } = make()
        type('some text', 3000)
        return { device: driver.device, clock, lines: [line], memory }
      },
      {
        window: 0x1000,
        registers: [...Object.values(R), R.queueNotify, R.queueNotify],
        values: [0, 1, 2, 3, 11, 15, 0x8000_8000],
        wait: 2000,
        runs: 60,
        prepare: ({ memory, device }) => {
          for (const index of [0, 1]) {
            const queue = new TestQueue(memory!, memory!.base + 0x8000 * (index + 1))
            for (let i = 0; i < 3; i++) queue.offer([{ address: BUFFER + 16 * i, length: 4, write: index === 0 }])
            device.write(R.queueNotify, index, 4)
          }
        },
      },
    )
  })
})
