import type { LatencyClass } from '../../../main/protocol'

/** Buckets of time as rows: seconds of virtual time, then cycles. */
export function latencyCsv({ series }: LatencyClass): string {
  const head = 'seconds,p50,p90,p99,max,requests\n'
  return (
    head +
    series.seconds
      .map(
        (seconds, index) =>
          [seconds, ...(['p50', 'p90', 'p99', 'max', 'count'] as const).map((key) => series[key][index])].join(',') + '\n',
      )
      .join('')
  )
}
