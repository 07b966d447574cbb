import { describe, expect, it } from 'vitest'
import { ConsoleStream } from './console.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('console stream', () => {
  it('delivers input in order, each part not before its cycle', () => {
    const stream = new ConsoleStream()
    expect(stream.nextArrival()).toBe(Infinity)
    stream.push(bytes('a'), 100)
    stream.push(bytes('b'), 150)
    expect(stream.nextArrival()).toBe(100)
    expect(stream.take()).toBe(0x61)
    expect(stream.nextArrival()).toBe(150)
    expect(stream.take()).toBe(0x62)
    expect(stream.nextArrival()).toBe(Infinity)
  })

  it('never lets later input overtake earlier input', () => {
    const stream = new ConsoleStream()
    stream.push(bytes('a'), 100)
    stream.push(bytes('b'), 50)
    stream.take()
    expect(stream.nextArrival()).toBe(100)
  })

  it('wakes the device, and puts back what it gives back', () => {
    const stream = new ConsoleStream()
    let woken = 0
    stream.onInput(() => woken++)
    stream.push(bytes('xyz'), 7)
    expect(woken).toBe(1)
    stream.giveBack(Uint8Array.of(stream.take(), stream.take()))
    expect([stream.take(), stream.take(), stream.take()]).toEqual([...bytes('xyz')])
  })

  it('hands output on in batches of at most 64 KiB, and on flush', () => {
    const lengths: number[] = []
    const stream = new ConsoleStream((batch) => lengths.push(batch.length))
    for (let i = 0; i < 65_537; i++) stream.write(0x2e)
    expect(lengths).toEqual([65_536])
    stream.flush()
    stream.flush()
    expect(lengths).toEqual([65_536, 1])
  })

  it('resumes in the middle of a chunk', () => {
    const stream = new ConsoleStream()
    stream.push(bytes('hello'))
    stream.take()
    const state = structuredClone(stream.save())
    stream.take()
    const other = new ConsoleStream()
    other.load(state)
    expect(other.take()).toBe(0x65)
  })
})
