/**
 * Grades one check: boots the program on a board of its own and watches it until the verdict is certain or the virtual time is
 * over. The host's speed has no part in it: the same program gets the same verdict everywhere.
 */
import type { BootFile } from '../../machine/board/boot.ts'
import { BoardSession } from '../../machine/board/session.ts'
import type { BoardOptions, Check, CheckResult, Evidence, Failure } from '../protocol/index.ts'

export interface GradeOptions {
  readonly hartModule: WebAssembly.Module
  readonly program: BootFile
  readonly firmware: BootFile
  readonly board: BoardOptions
  readonly check: Check
}

/** Virtual seconds between two looks: part of the verdict's definition, so it never follows the host. */
const SLICE_SECONDS = 0.005

interface Line {
  text: string
  seconds: number
}

export function grade(
  { hartModule, program, firmware, board, check }: GradeOptions,
  onProgress: (seconds: number) => void = () => {},
): CheckResult {
  const options = { ...board, ...check.board }
  const session = new BoardSession({
    hartModule,
    program,
    firmware,
    harts: options.harts,
    timing: options.timing,
    ramBytes: options.ramMiB << 20,
  })
  if (check.input) session.type(new TextEncoder().encode(check.input))
  const { frequency } = session.board.machine.timing
  const transcript = new Transcript()
  let ended = false
  let cursor = 0
  let met = 0
  let forbidden: string | undefined
  let test: TestLine | undefined
  while (!ended && session.seconds < check.limit) {
    const left = (check.limit - session.seconds) * frequency
    const result = session.advance(Math.max(1, Math.min(SLICE_SECONDS * frequency, Math.ceil(left))))
    // Nothing can happen any more: no input is left to come.
    ended = result.kind === 'exit' || result.kind === 'reset' || result.kind === 'idle'
    transcript.add(session.takeOutput())
    for (const wanted of (check.console ?? []).slice(met)) {
      const at = transcript.text.indexOf(wanted, cursor)
      if (at < 0) break
      cursor = at + wanted.length
      met++
    }
    forbidden = check.absent?.find((text) => transcript.text.includes(text))
    test ??= check.test === undefined ? undefined : transcript.test(check.test)
    const textsMet = met === (check.console?.length ?? 0) && (check.test === undefined || test !== undefined)
    if (forbidden !== undefined || test?.ok === false || (textsMet && !check.absent && !check.metric)) break
    onProgress(session.seconds)
  }
  const verdict = judge()
  const passed = verdict.failure === undefined
  return {
    id: check.id,
    state: passed ? 'passed' : 'failed',
    points: check.points,
    earned: passed ? check.points : 0,
    progress: Math.min(session.seconds, check.limit),
    limit: check.limit,
    ...verdict,
  }

  function judge(): { failure?: Failure; evidence: Evidence[]; measured?: { value: number; count: number } } {
    if (forbidden !== undefined) {
      return { failure: { kind: 'forbidden-text', text: forbidden }, evidence: transcript.quote(transcript.text.indexOf(forbidden)) }
    }
    if (test?.ok === false) return { failure: { kind: 'test-failed', test: check.test! }, evidence: test.evidence }
    if (check.test !== undefined && !test) return { failure: { kind: 'test-missing', test: check.test }, evidence: transcript.last() }
    const missing = check.console?.[met]
    if (missing !== undefined) return { failure: { kind: 'missing-text', text: missing }, evidence: transcript.last() }
    if (!check.metric) return { evidence: test?.evidence ?? transcript.quote(Math.max(0, cursor - 1)) }
    return judgeMetric(check.metric)
  }

  function judgeMetric(metric: NonNullable<Check['metric']>): {
    failure?: Failure
    evidence: Evidence[]
    measured?: { value: number; count: number }
  } {
    const measured = session.latency.statistic(metric.class, metric.percentile)
    const count = measured?.count ?? 0
    const wanted = check.samples ?? 1
    if (!measured || count < wanted) return { failure: { kind: 'too-few-samples', count, wanted }, evidence: transcript.last() }
    const base = metric.over === undefined ? undefined : session.latency.statistic(metric.over, metric.percentile)
    if (metric.over !== undefined && !base?.value)
      return { failure: { kind: 'too-few-samples', count: base?.count ?? 0, wanted }, evidence: transcript.last() }
    const value = base ? measured.value / base.value : measured.value
    const evidence: Evidence[] = []
    const [slow] = session.latency.rows(metric.class, measured.value, Infinity, 500).rows.slice(-1)
    if (slow) {
      const seconds = (slow.end - slow.cycles) / frequency
      evidence.push({ source: 'trace', request: String(slow.id), seconds, text: `${slow.cycles} cycles` }, ...transcript.near(seconds))
    }
    if (check.max !== undefined && value > check.max)
      return { failure: { kind: 'too-high', measured: value, limit: check.max, count }, evidence, measured: { value, count } }
    if (check.min !== undefined && value < check.min)
      return { failure: { kind: 'too-low', measured: value, limit: check.min, count }, evidence, measured: { value, count } }
    return { evidence, measured: { value, count } }
  }
}

/** What a guest test said of itself, in the Test Anything Protocol. */
interface TestLine {
  readonly ok: boolean
  readonly evidence: Evidence[]
}

class Transcript {
  text = ''
  private readonly starts: { at: number; seconds: number }[] = []

  add(chunk: { text: string; lines: readonly { at: number; seconds: number }[] } | undefined): void {
    if (!chunk) return
    for (const { at, seconds } of chunk.lines) this.starts.push({ at: this.text.length + at, seconds })
    this.text += chunk.text
  }

  /** The verdict on a test, once its line is complete; the diagnostics that follow a failure are its evidence. */
  test(name: string): TestLine | undefined {
    const complete = this.starts.length - (this.text.endsWith('\n') ? 0 : 1)
    for (let index = 0; index < complete; index++) {
      const found = /^(not )?ok \d+ - (.*?)\s*(#.*)?$/.exec(this.line(index).text)
      if (found?.[2] !== name) continue
      const evidence = [this.evidence(index)]
      for (let next = index + 1; found[1] && next < complete && this.line(next).text.startsWith('#'); next++)
        evidence.push(this.evidence(next))
      return { ok: !found[1], evidence: evidence.slice(0, 4) }
    }
    return undefined
  }

  /** The line around a position. */
  quote(position: number): Evidence[] {
    const index = this.starts.findLastIndex((start) => start.at <= position)
    return index < 0 ? [] : [this.evidence(index)]
  }

  /** The last lines that are not empty. */
  last(): Evidence[] {
    const lines = this.starts.map((_, index) => index).filter((index) => this.line(index).text.trim() !== '')
    return lines.slice(-2).map((index) => this.evidence(index))
  }

  /** The line that was begun at or next after a time. */
  near(seconds: number): Evidence[] {
    const index = this.starts.findIndex((start) => start.seconds >= seconds)
    return index < 0 ? [] : [this.evidence(index)]
  }

  private line(index: number): Line {
    const { at, seconds } = this.starts[index]
    return { text: this.text.slice(at, this.starts[index + 1]?.at).replace(/\r?\n$/, ''), seconds }
  }

  private evidence(index: number): Evidence {
    const { text, seconds } = this.line(index)
    return { source: 'console', seconds, text: text.slice(0, 500) }
  }
}
