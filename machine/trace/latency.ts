/**
 * Latencies of requests, computed beside the board: a histogram for each request class (from request-begin to request-end) and
 * one for values that the guest measured itself (`sample`). Values are cycles, kept to three significant digits up to 2^40.
 */
import { build, type Histogram } from 'hdr-histogram-js'
import { traceEvents, traceKind } from './kinds.ts'

const REQUEST_BEGIN = traceKind('request-begin')
const REQUEST_END = traceKind('request-end')
const SAMPLE = traceKind('sample')
const MOST_CYCLES = 2 ** 40
/** Requests that never end must not fill memory: the oldest are forgotten. */
const MOST_OPEN = 100_000

/** The class under which samples are kept. */
export const SAMPLES = 'sample'

export interface LatencySummary {
  readonly count: number
  readonly min: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** One finished request, for charts and for finding it again. */
export interface LatencySample {
  readonly requestClass: string
  readonly request: number
  /** When it ended. */
  readonly cycle: number
  readonly cycles: number
}

export class LatencyCollector {
  private readonly open = new Map<bigint, { cycle: number; requestClass: string }>()
  private readonly histograms = new Map<string, Histogram>()
  /** By class, then by bar. */
  private readonly counts = new Map<string, Map<number, number>>()

  /** `onSample` sees each request as it ends. */
  constructor(private readonly onSample: (sample: LatencySample) => void = () => {}) {}

  /** Takes 32-byte records in order. */
  add(records: Uint8Array): void {
    for (const { kind, cycle, a, b } of traceEvents(records)) {
      if (kind === REQUEST_BEGIN) {
        if (this.open.size >= MOST_OPEN) this.open.delete(this.open.keys().next().value!)
        this.open.set(b, { cycle, requestClass: String(a) })
      } else if (kind === REQUEST_END) {
        const begun = this.open.get(b)
        if (!begun) continue
        this.open.delete(b)
        this.record(begun.requestClass, Number(b), cycle, cycle - begun.cycle)
      } else if (kind === SAMPLE) this.record(SAMPLES, Number(b), cycle, Number(a))
    }
  }

  /** Classes seen so far, with their percentiles in cycles. */
  summaries(): ReadonlyMap<string, LatencySummary> {
    return new Map([...this.histograms].map(([requestClass, histogram]) => [requestClass, summarize(histogram)]))
  }

  /** Counts of a class in bars of equal ratio: `[from, to)` in cycles; empty bars between others are kept. */
  bars(requestClass: string): { from: number; to: number; count: number }[] {
    const counts = this.counts.get(requestClass)
    if (!counts) return []
    const used = [...counts.keys()]
    const bars: { from: number; to: number; count: number }[] = []
    for (let bar = Math.min(...used); bar <= Math.max(...used); bar++) {
      bars.push({ from: barStart(bar), to: barStart(bar + 1), count: counts.get(bar) ?? 0 })
    }
    return bars
  }

  clear(): void {
    this.open.clear()
    this.histograms.clear()
    this.counts.clear()
  }

  private record(requestClass: string, request: number, cycle: number, cycles: number): void {
    let histogram = this.histograms.get(requestClass)
    if (!histogram) {
      histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: MOST_CYCLES, numberOfSignificantValueDigits: 3 })
      this.histograms.set(requestClass, histogram)
    }
    histogram.recordValue(Math.min(cycles, MOST_CYCLES))
    const counts = this.counts.get(requestClass) ?? new Map<number, number>()
    this.counts.set(requestClass, counts)
    counts.set(barOf(cycles), (counts.get(barOf(cycles)) ?? 0) + 1)
    this.onSample({ requestClass, request, cycle, cycles })
  }
}

/** Two bars for each doubling; values below 1 share the first. */
function barOf(cycles: number): number {
  return cycles < 1 ? 0 : Math.floor(Math.log2(cycles) * 2 + 1e-9) + 1
}

function barStart(bar: number): number {
  return bar <= 0 ? 0 : Math.ceil(2 ** ((bar - 1) / 2) - 1e-9)
}

function summarize(histogram: Histogram): LatencySummary {
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile)
  return {
    count: histogram.totalCount,
    min: histogram.totalCount === 0 ? 0 : histogram.minNonZeroValue,
    mean: histogram.mean,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: histogram.maxValue,
  }
}
