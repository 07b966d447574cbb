/** Latencies from events, against a computation that anyone believes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EVENT_BYTES } from '../isa/trace-kinds.ts'
import { traceKind } from './kinds.ts'
import { LatencyRecorder } from './latency.ts'

const FREQUENCY = 100_000_000

interface Event {
  readonly cycle: number
  readonly kind: number
  readonly a: bigint
  readonly b: bigint
}

function recorded(events: readonly Event[]): LatencyRecorder {
  const recorder = new LatencyRecorder(FREQUENCY)
  const bytes = new Uint8Array(events.length * EVENT_BYTES)
  const view = new DataView(bytes.buffer)
  events.forEach(({ cycle, kind, a, b }, index) => {
    view.setBigUint64(index * EVENT_BYTES, BigInt(cycle), true)
    view.setBigUint64(index * EVENT_BYTES + 8, a, true)
    view.setBigUint64(index * EVENT_BYTES + 16, b, true)
    view.setUint16(index * EVENT_BYTES + 26, kind, true)
  })
  recorder.take(bytes)
  return recorder
}

const begin = (cycle: number, id: bigint, name = 1n): Event => ({ cycle, kind: traceKind('request-begin'), a: name, b: id })
const end = (cycle: number, id: bigint): Event => ({ cycle, kind: traceKind('request-end'), a: 0n, b: id })
const sample = (cycle: number, value: number, id = 0n): Event => ({ cycle, kind: traceKind('sample'), a: BigInt(value), b: id })

/** The smallest value that at least so many percent do not exceed. */
function nearestRank(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((x, y) => x - y)
  return sorted.find((value) => sorted.filter((other) => other <= value).length * 100 >= percent * sorted.length)!
}

describe('latencies', () => {
  it('percentiles, mean, extremes and histogram agree with the plain computation', () => {
    const value = fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 1_000_000 }))
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (values) => {
        const recorder = recorded(values.map((each, index) => sample(index * 1000, each)))
        const [summary] = recorder.summaries()
        expect(summary.class).toBe('sample')
        expect(summary.count).toBe(values.length)
        expect([summary.min, summary.max]).toEqual([Math.min(...values), Math.max(...values)])
        expect(summary.mean).toBeCloseTo(values.reduce((sum, each) => sum + each, 0) / values.length, 6)
        for (const [percent, got] of [
          [50, summary.p50],
          [90, summary.p90],
          [99, summary.p99],
        ])
          expect(got).toBe(nearestRank(values, percent))
        expect(recorder.statistic('sample', 75)).toEqual({ value: nearestRank(values, 75), count: values.length })
        const { start, width, counts } = summary.histogram
        expect(counts.reduce((sum, each) => sum + each, 0)).toBe(values.length)
        const bar = (each: number) => Math.min(counts.length - 1, Math.floor((each - start) / width))
        expect(counts).toEqual(counts.map((_, index) => values.filter((each) => bar(each) === index).length))
        expect(summary.series.count.reduce((sum, each) => sum + each, 0)).toBe(values.length)
        expect(Math.max(...summary.series.max)).toBe(summary.max)
      }),
      { numRuns: 100, seed: 1 },
    )
  })

  it('a request counts from its begin to its end, by its class, however requests overlap', () => {
    const request = fc.record({
      start: fc.integer({ min: 0, max: 10_000 }),
      cycles: fc.integer({ min: 1, max: 10_000 }),
      name: fc.integer({ min: 0, max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 60 }), (requests) => {
        const events = requests
          .flatMap(({ start, cycles, name }, id) => [begin(start, BigInt(id), BigInt(name)), end(start + cycles, BigInt(id))])
          .sort((x, y) => x.cycle - y.cycle)
        const recorder = recorded(events)
        for (const name of new Set(requests.map((each) => each.name))) {
          const expected = requests.filter((each) => each.name === name).map(({ cycles }) => cycles)
          const { total, rows } = recorder.rows(name, 0, Infinity, 1000)
          expect(total).toBe(expected.length)
          expect(rows.map(({ cycles }) => cycles)).toEqual([...expected].sort((x, y) => y - x))
        }
        expect(recorder.summaries().length).toBe(new Set(requests.map((each) => each.name)).size)
      }),
      { numRuns: 100, seed: 2 },
    )
  })

  it('ends without a begin, and begins without an end, count for nothing', () => {
    expect(recorded([end(5, 1n), begin(6, 2n)]).summaries()).toEqual([])
  })

  it('the requests behind a bar are found by their latency, slowest first', () => {
    const recorder = recorded([10, 30, 20, 40].map((value, index) => sample(100 * index, value, BigInt(index))))
    expect(recorder.rows('sample', 15, 40, 10)).toEqual({
      total: 2,
      rows: [
        { id: 1n, end: 100, cycles: 30 },
        { id: 2n, end: 200, cycles: 20 },
      ],
    })
    expect(recorder.rows('sample', 0, 100, 1)).toMatchObject({ total: 4, rows: [{ cycles: 40 }] })
    expect(recorder.rows(7, 0, 100, 1)).toEqual({ total: 0, rows: [] })
  })

  it('a long run keeps its time series short', () => {
    const recorder = recorded(Array.from({ length: 5000 }, (_, index) => sample(index * 1_000_000, index % 100)))
    const [{ series, count }] = recorder.summaries()
    expect(series.seconds.length).toBeLessThanOrEqual(240)
    expect(series.count.reduce((sum, each) => sum + each, 0)).toBe(count)
    expect([...series.seconds].sort((x, y) => x - y)).toEqual(series.seconds)
  })
})
