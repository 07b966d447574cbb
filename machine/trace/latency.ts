/**
 * Latencies from trace events, computed next to the board: percentiles over time, a histogram, the requests behind a bar.
 * A latency is the value of a `sample` event, or the cycles from `request-begin` to the `request-end` of the same request;
 * requests are told apart by their class, the operand of `request-begin`.
 */
import { EVENT_BYTES, traceKinds } from '../isa/trace-kinds.ts'

export type RequestClass = 'sample' | number

const kindOf = (name: string) => traceKinds.find((kind) => kind.name === name)!.kind
const REQUEST_BEGIN = kindOf('request-begin')
const REQUEST_END = kindOf('request-end')
const SAMPLE = kindOf('sample')

/** The kinds that a recorder needs. */
export const LATENCY_KINDS: readonly number[] = [REQUEST_BEGIN, REQUEST_END, SAMPLE]

/** Requests begun and not ended that are remembered; a guest that never ends any must not fill the host's memory. */
const MOST_OPEN = 65_536
/** Latencies kept one by one, per class; older ones then only count. */
const MOST_KEPT = 262_144
const MOST_CLASSES = 64
/** Buckets of time in a series. */
const MOST_BUCKETS = 240
/** Percentiles of a bucket come from at most this many of its latencies, spread evenly. */
const BUCKET_SAMPLES = 512
/** Latencies behind one point of a series, where there are that many. */
const POINT_SAMPLES = 32
/** A short run still shows a line. */
const FEWEST_POINTS = 8
const BARS = 24

export interface LatencySummary {
  readonly class: RequestClass
  readonly count: number
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly series: {
    readonly seconds: number[]
    readonly p50: number[]
    readonly p90: number[]
    readonly p99: number[]
    readonly max: number[]
    readonly count: number[]
  }
  readonly histogram: { readonly start: number; readonly width: number; readonly counts: number[] }
}

export interface LatencyRow {
  readonly id: bigint
  /** Cycle at which it ended. */
  readonly end: number
  readonly cycles: number
}

export class LatencyRecorder {
  private readonly open = new Map<bigint, { cycle: number; class: number }>()
  private readonly classes = new Map<RequestClass, LatencyClass>()

  /** `frequency`: cycles per second of virtual time. */
  constructor(private readonly frequency: number) {}

  /** Takes events as the collector hands them on. */
  take(events: Uint8Array): void {
    const view = new DataView(events.buffer, events.byteOffset, events.byteLength)
    for (let at = 0; at < events.length; at += EVENT_BYTES) {
      const kind = view.getUint16(at + 26, true)
      if (kind !== SAMPLE && kind !== REQUEST_BEGIN && kind !== REQUEST_END) continue
      const cycle = Number(view.getBigUint64(at, true))
      const a = view.getBigUint64(at + 8, true)
      const id = view.getBigUint64(at + 16, true)
      if (kind === SAMPLE) this.add('sample', id, cycle, Number(a))
      else if (kind === REQUEST_BEGIN) {
        if (this.open.size >= MOST_OPEN) this.open.delete(this.open.keys().next().value!)
        this.open.set(id, { cycle, class: Number(a & 0xffff_ffffn) })
      } else {
        const begin = this.open.get(id)
        if (!begin) continue
        this.open.delete(id)
        this.add(begin.class, id, cycle, cycle - begin.cycle)
      }
    }
  }

  private add(name: RequestClass, id: bigint, cycle: number, latency: number): void {
    let found = this.classes.get(name)
    if (!found) {
      if (this.classes.size >= MOST_CLASSES) return
      this.classes.set(name, (found = new LatencyClass()))
    }
    found.add(id, cycle, latency)
  }

  /** Forgets what ended after a cycle, and all requests under way: the machine goes back to there. */
  rewind(cycle: number): void {
    this.open.clear()
    for (const [name, old] of this.classes) {
      const fresh = new LatencyClass()
      for (const { id, end, cycles } of old.rows(0, Infinity)) if (end <= cycle) fresh.add(id, end, cycles)
      if (fresh.count > 0) this.classes.set(name, fresh)
      else this.classes.delete(name)
    }
  }

  summaries(): LatencySummary[] {
    return [...this.classes].map(([name, kept]) => ({ class: name, ...kept.summary(this.frequency) }))
  }

  /** The statistic a check asks for; undefined when there is no such class. */
  statistic(name: RequestClass, percentile?: number): { value: number; count: number } | undefined {
    const kept = this.classes.get(name)
    if (!kept) return undefined
    return { value: percentile === undefined ? kept.mean : kept.percentile(percentile), count: kept.count }
  }

  /** Requests from `from` to below `to` cycles, slowest first. */
  rows(name: RequestClass, from: number, to: number, most: number): { total: number; rows: LatencyRow[] } {
    const all = this.classes.get(name)?.rows(from, to) ?? []
    return { total: all.length, rows: all.sort((x, y) => y.cycles - x.cycles).slice(0, most) }
  }
}

/** Nearest-rank percentile of ascending values. */
export function percentileOf(sorted: ArrayLike<number>, percentile: number): number {
  if (sorted.length === 0) return 0
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((percentile / 100) * sorted.length) - 1))]
}

class LatencyClass {
  count = 0
  private total = 0
  private min = Infinity
  private max = 0
  private ids = new BigUint64Array(1024)
  private ends = new Float64Array(1024)
  private values = new Float64Array(1024)
  private sorted: Float64Array | undefined
  private readonly series = new Series()

  get mean(): number {
    return this.count === 0 ? 0 : this.total / this.count
  }

  add(id: bigint, cycle: number, latency: number): void {
    let index = this.count
    if (index >= this.values.length && this.values.length < MOST_KEPT) this.grow()
    index %= this.values.length
    this.ids[index] = id
    this.ends[index] = cycle
    this.values[index] = latency
    this.count++
    this.total += latency
    this.min = Math.min(this.min, latency)
    this.max = Math.max(this.max, latency)
    this.sorted = undefined
    this.series.add(cycle, latency)
  }

  percentile(percentile: number): number {
    this.sorted ??= this.values.slice(0, this.kept).sort()
    return percentileOf(this.sorted, percentile)
  }

  rows(from: number, to: number): LatencyRow[] {
    const rows: LatencyRow[] = []
    for (let i = 0; i < this.kept; i++) {
      if (this.values[i] >= from && this.values[i] < to) rows.push({ id: this.ids[i], end: this.ends[i], cycles: this.values[i] })
    }
    return rows
  }

  summary(frequency: number): Omit<LatencySummary, 'class'> {
    return {
      count: this.count,
      min: this.count ? this.min : 0,
      max: this.max,
      mean: this.mean,
      p50: this.percentile(50),
      p90: this.percentile(90),
      p99: this.percentile(99),
      series: this.series.summary(frequency),
      histogram: this.histogram(),
    }
  }

  private get kept(): number {
    return Math.min(this.count, this.values.length)
  }

  /** Bars of a round width. A few far outliers share the last bar, so that they do not flatten the others. */
  private histogram(): { start: number; width: number; counts: number[] } {
    if (this.kept === 0) return { start: 0, width: 1, counts: [] }
    const low = this.percentile(0)
    const high = Math.max(this.percentile(99.5), low + 1)
    const width = roundWidth((high - low) / (BARS - 2))
    const start = Math.floor(low / width) * width
    const bars = Math.min(BARS, Math.floor((this.percentile(100) - start) / width) + 1)
    const counts = new Array<number>(bars).fill(0)
    for (const value of this.sorted!) counts[Math.min(bars - 1, Math.floor((value - start) / width))]++
    return { start, width, counts }
  }

  private grow(): void {
    const size = Math.min(this.values.length * 2, MOST_KEPT)
    const copy = <T extends Float64Array | BigUint64Array>(old: T, fresh: T): T => (fresh.set(old as never), fresh)
    this.ids = copy(this.ids, new BigUint64Array(size))
    this.ends = copy(this.ends, new Float64Array(size))
    this.values = copy(this.values, new Float64Array(size))
  }
}

/** 1, 2 or 5 times a power of ten, at least 1. */
function roundWidth(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(wanted, 1)))
  return [1, 2, 5, 10].map((step) => step * power).find((width) => width >= wanted) ?? power
}

interface Bucket {
  count: number
  max: number
  /** A latency is kept when its number is a multiple of `stride`. */
  stride: number
  values: number[]
}

/** Latencies by time; when there are too many buckets, neighbours merge. */
class Series {
  private buckets = new Map<number, Bucket>()
  /** Cycles per bucket. */
  private width = 100_000

  add(cycle: number, latency: number): void {
    const index = Math.floor(cycle / this.width)
    const bucket = this.buckets.get(index)
    if (bucket) return keep(bucket, latency)
    this.buckets.set(index, { count: 1, max: latency, stride: 1, values: [latency] })
    if (this.buckets.size > MOST_BUCKETS) this.merge()
  }

  private merge(): void {
    this.width *= 2
    const merged = new Map<number, Bucket>()
    for (const [index, bucket] of this.buckets) {
      const half = index >> 1
      const other = merged.get(half)
      if (!other) {
        merged.set(half, bucket)
        continue
      }
      other.count += bucket.count
      other.max = Math.max(other.max, bucket.max)
      other.stride = Math.max(other.stride, bucket.stride)
      other.values.push(...bucket.values)
      thin(other)
    }
    this.buckets = merged
  }

  /** Neighbouring buckets together until there are enough latencies for percentiles to mean something. */
  private points(): { index: number; bucket: Bucket }[] {
    const ordered = [...this.buckets].sort((x, y) => x[0] - y[0])
    const total = ordered.reduce((sum, [, bucket]) => sum + bucket.count, 0)
    const enough = Math.min(POINT_SAMPLES, Math.ceil(total / FEWEST_POINTS))
    const points: { index: number; bucket: Bucket }[] = []
    let gathered: Bucket | undefined
    let weighted = 0
    for (const [index, bucket] of ordered) {
      if (!gathered) {
        gathered = { ...bucket, values: [...bucket.values] }
        weighted = (index + 0.5) * bucket.count
      } else {
        weighted += (index + 0.5) * bucket.count
        gathered.count += bucket.count
        gathered.max = Math.max(gathered.max, bucket.max)
        gathered.values.push(...bucket.values)
      }
      if (gathered.count < enough) continue
      points.push({ index: weighted / gathered.count, bucket: gathered })
      gathered = undefined
    }
    return points
  }

  summary(frequency: number): LatencySummary['series'] {
    const series = {
      seconds: [] as number[],
      p50: [] as number[],
      p90: [] as number[],
      p99: [] as number[],
      max: [] as number[],
      count: [] as number[],
    }
    for (const { index, bucket } of this.points()) {
      const sorted = bucket.values.slice().sort((x, y) => x - y)
      series.seconds.push((index * this.width) / frequency)
      series.p50.push(percentileOf(sorted, 50))
      series.p90.push(percentileOf(sorted, 90))
      series.p99.push(percentileOf(sorted, 99))
      series.max.push(bucket.max)
      series.count.push(bucket.count)
    }
    return series
  }
}

function keep(bucket: Bucket, latency: number): void {
  bucket.count++
  bucket.max = Math.max(bucket.max, latency)
  if (bucket.count % bucket.stride === 0) bucket.values.push(latency)
  if (bucket.values.length > BUCKET_SAMPLES) thin(bucket)
}

function thin(bucket: Bucket): void {
  while (bucket.values.length > BUCKET_SAMPLES) {
    bucket.values = bucket.values.filter((_, index) => index % 2 === 0)
    bucket.stride *= 2
  }
}
