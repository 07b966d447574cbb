/** Experiments: a folder each in labs/experiments. A guest program measures, the board records its samples, and here they become percentiles and ratios. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { ConsoleStream } from '../../machine/backend/console.ts'
import { boot } from '../../machine/board/boot.ts'
import { VirtBoard } from '../../machine/board/virt.ts'
import { EVENT_BYTES, traceKinds } from '../../machine/isa/trace-kinds.ts'
import { buildImage, type ProgramConfiguration } from '../../machine/toolchain/build.ts'
import type { Diagnostic } from '../../machine/toolchain/diagnostic.ts'
import { percentileOf } from '../../machine/trace/latency.ts'
import { loadFirmware } from './firmware.ts'
import { loadHartModule } from './hart-module.ts'
import { DiskProgramCache } from './program-cache.ts'
import { programFolder } from './program-folder.ts'
import { projectRoot } from './worker-thread.ts'

/** `experiment.json`. */
export const experimentSchema = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  title: z.string(),
  question: z.string(),
  /** What was published, with its source. */
  claim: z.string(),
  board: z.strictObject({
    harts: z.number().int().min(1).max(8),
    timing: z.enum(['ideal', 'rocket100', 'k210']),
    ramMiB: z.number().int().min(6).max(1024),
    quantum: z.number().int().min(1),
  }),
  /** Whole numbers that the program gets as NAME=VALUE. */
  parameters: z.record(z.string(), z.number().int().nonnegative()),
  sources: z.array(z.string()).min(1),
  /** Medians of two series; `most` is the goal. */
  ratios: z.array(z.strictObject({ name: z.string(), of: z.string(), over: z.string(), most: z.number().optional() })).default([]),
  /** A series' median has a goal in cycles. */
  limits: z.array(z.strictObject({ series: z.string(), most: z.number() })).default([]),
  /** Instructions of the whole machine between two lines of the console, less so many seconds at both ends, in which those are printed. */
  window: z.strictObject({ from: z.string(), to: z.string(), margin: z.number().nonnegative(), most: z.number().optional() }).optional(),
})
export type Experiment = z.output<typeof experimentSchema>

/** Something about an experiment cannot be used; the message is for the user. */
export class ExperimentError extends Error {
  constructor(
    message: string,
    readonly diagnostics: readonly Diagnostic[] = [],
  ) {
    super(message)
  }
}

export interface SeriesResult {
  readonly name: string
  readonly count: number
  readonly min: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface Finding {
  readonly name: string
  readonly value: number
  readonly goal?: number
  /** Absent without a goal. */
  readonly met?: boolean
}

export interface ExperimentResult {
  readonly id: string
  readonly title: string
  readonly question: string
  readonly claim: string
  readonly board: Experiment['board']
  readonly seed: string
  readonly image: string
  readonly parameters: Readonly<Record<string, number>>
  readonly seconds: number
  readonly instructions: number
  /** Cycles. */
  readonly series: readonly SeriesResult[]
  readonly findings: readonly Finding[]
}

const SERIES = traceKinds.find(({ name }) => name === 'mark')!.kind
const SAMPLE = traceKinds.find(({ name }) => name === 'sample')!.kind
/** Cycles between two looks at the console. */
const SLICE = 20_000
/** Virtual seconds. */
const MOST_SECONDS = 600

function folderOf(): string {
  return path.join(projectRoot(), 'labs/experiments')
}

export function listExperiments(): Experiment[] {
  const names = readdirSync(folderOf(), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return names.filter(({ name }) => existsSync(path.join(folderOf(), name, 'experiment.json'))).map(({ name }) => readExperiment(name))
}

/** @throws ExperimentError naming what is wrong with its description. */
export function readExperiment(id: string): Experiment {
  const file = path.join(folderOf(), id, 'experiment.json')
  if (!/^[a-z0-9-]+$/.test(id) || !existsSync(file)) throw new ExperimentError(`there is no experiment called ${id}`)
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ExperimentError(`${file}: ${(error as Error).message}`)
  }
  const parsed = experimentSchema.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new ExperimentError(`${file}: ${issue.path.join('.')}: ${issue.message}`)
  }
  if (parsed.data.id !== id) throw new ExperimentError(`${file}: the id must be ${id}`)
  return parsed.data
}

/** Pollen OS with nothing but the experiment's program in its root. */
async function build(experiment: Experiment): Promise<Uint8Array> {
  const folder = path.join(projectRoot(), 'labs/os')
  const kernel = JSON.parse(readFileSync(path.join(folder, 'pollen.json'), 'utf8')) as ProgramConfiguration
  const sources = experiment.sources.map((name) => path.posix.relative('os', path.posix.join('experiments', experiment.id, name)))
  const configuration: ProgramConfiguration = { ...kernel, root: { '/bin/experiment': sources }, tests: undefined }
  const { elf, diagnostics } = await buildImage({ configuration, ...programFolder(folder), programs: new DiskProgramCache(folder) })
  if (!elf) throw new ExperimentError(`${experiment.id} does not build`, diagnostics)
  return elf
}

/** Runs an experiment. @throws ExperimentError when it cannot be built or does not end well. */
export async function runExperiment(id: string, set: Readonly<Record<string, number>> = {}, seed = 0n): Promise<ExperimentResult> {
  const experiment = readExperiment(id)
  const unknown = Object.keys(set).find((name) => !(name in experiment.parameters))
  if (unknown !== undefined)
    throw new ExperimentError(`${id} has no parameter ${unknown}; it has: ${Object.keys(experiment.parameters).join(', ')}`)
  const parameters = { ...experiment.parameters, ...set }
  const elf = await build(experiment)
  const { samples, names, seconds, instructions, within } = measure(experiment, elf, parameters, seed)
  const series = [...names].map(([number, name]) => summary(name, samples.get(number) ?? []))
  const missing = [...experiment.ratios.flatMap(({ of, over }) => [of, over]), ...experiment.limits.map((limit) => limit.series)].find(
    (name) => !series.some((one) => one.name === name && one.count > 0),
  )
  if (missing !== undefined && Object.keys(set).length === 0) throw new ExperimentError(`${id} measured nothing for ${missing}`)
  return {
    id,
    title: experiment.title,
    question: experiment.question,
    claim: experiment.claim,
    board: experiment.board,
    seed: String(seed),
    image: createHash('sha256').update(elf).digest('hex'),
    parameters,
    seconds,
    instructions,
    series,
    findings: findings(experiment, series, within),
  }
}

function findings(experiment: Experiment, series: readonly SeriesResult[], within: number | undefined): Finding[] {
  const median = (name: string) => series.find((one) => one.name === name && one.count > 0)?.p50
  const judge = (name: string, value: number | undefined, goal: number | undefined): Finding[] =>
    value === undefined ? [] : [{ name, value, ...(goal === undefined ? {} : { goal, met: value <= goal }) }]
  return [
    ...experiment.ratios.flatMap(({ name, of, over, most }) => {
      const [a, b] = [median(of), median(over)]
      return judge(name, a === undefined || !b ? undefined : a / b, most)
    }),
    ...experiment.limits.flatMap(({ series: name, most }) => judge(`${name}, cycles`, median(name), most)),
    ...(experiment.window ? judge('instructions while idle', within, experiment.window.most) : []),
  ]
}

function summary(name: string, values: readonly number[]): SeriesResult {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (percentile: number) => (sorted.length ? percentileOf(sorted, percentile) : 0)
  const mean = sorted.length ? sorted.reduce((sum, value) => sum + value, 0) / sorted.length : 0
  return {
    name,
    count: sorted.length,
    min: sorted[0] ?? 0,
    mean,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: sorted.at(-1) ?? 0,
  }
}

function measure(experiment: Experiment, elf: Uint8Array, parameters: Readonly<Record<string, number>>, seed: bigint) {
  const { harts, timing, ramMiB, quantum } = experiment.board
  let text = ''
  const decoder = new TextDecoder()
  const stream = new ConsoleStream((bytes) => (text += decoder.decode(bytes, { stream: true })))
  const board = new VirtBoard({ hartModule: loadHartModule(), harts, timing, quantum, ramSize: ramMiB << 20, seed, console: stream })
  const { machine } = board
  const samples = new Map<number, number[]>()
  let current: number[] = []
  machine.trace.enable([SERIES, SAMPLE])
  machine.trace.subscribe((events) => {
    const view = new DataView(events.buffer, events.byteOffset, events.byteLength)
    for (let at = 0; at < events.length; at += EVENT_BYTES) {
      const value = Number(view.getBigUint64(at + 8, true))
      if (view.getUint16(at + 26, true) === SAMPLE) current.push(value)
      else samples.set(value, (current = samples.get(value) ?? []))
    }
  })
  const bootArguments = ['init=/bin/experiment', ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`)].join(' ')
  boot(board, { firmware: loadFirmware(), kernel: { name: 'the operating system', bytes: elf }, bootArguments })
  /** From the first line of the window to the last. */
  const looks: { seconds: number; retired: number }[] = []
  let closed = false
  for (;;) {
    const result = machine.run(machine.now + SLICE)
    if (result.kind === 'exit') board.uart.drain()
    stream.flush()
    const { window } = experiment
    if (window && !closed && text.includes(window.from)) looks.push({ seconds: machine.seconds, retired: machine.retired })
    closed ||= window !== undefined && text.includes(window.to)
    if (result.kind === 'exit' && result.status === 0) break
    const why = result.kind === 'exit' ? `ended with status ${result.status}` : machine.seconds > MOST_SECONDS ? 'did not end' : undefined
    if (why !== undefined)
      throw new ExperimentError(`${experiment.id} ${why}; its console:\n${text.split('\n').slice(-8).join('\n').trimEnd()}`)
  }
  machine.trace.drain()
  const names = new Map([...text.matchAll(/^series (\d+) (.+?)\r?$/gm)].map(([, number, name]) => [Number(number), name]))
  return {
    samples,
    names,
    seconds: machine.seconds,
    instructions: machine.retired,
    within: closed ? retiredWithin(looks, experiment.window!.margin) : undefined,
  }
}

function retiredWithin(looks: readonly { seconds: number; retired: number }[], margin: number): number | undefined {
  const first = looks.find(({ seconds }) => seconds >= looks[0].seconds + margin)
  const last = looks.findLast(({ seconds }) => seconds <= looks.at(-1)!.seconds - margin)
  return first && last && last.seconds > first.seconds ? last.retired - first.retired : undefined
}
