/** Labs without a window: what `pollen lab list` and `pollen lab check` print. The verdicts are the window's own. */
import type { CheckResult, LabDefinition, Locale } from '../protocol/index.ts'
import { notBuilt, runChecks } from './check-service.ts'
import { LabStore, layered } from './lab-store.ts'
import { Toolchain } from './toolchain.ts'
import { Workspace } from './workspace.ts'

export interface LabVerdict {
  readonly lab: string
  readonly passed: boolean
  readonly earned: number
  readonly points: number
  readonly checks: readonly CheckResult[]
}

export interface CheckLabOptions {
  /** Check the solution instead of the files in `workspace`. */
  readonly solution?: boolean
  /** The folder that holds one folder a lab; without it, and without `solution`, the start files are checked. */
  readonly workspace?: string
  readonly onChange?: (results: readonly CheckResult[]) => void
  /** One that is warm already; it stays open. */
  readonly toolchain?: Toolchain
}

export async function listLabs(store = new LabStore()): Promise<LabDefinition[]> {
  return Promise.all((await store.ids()).map((id) => store.definition(id)))
}

/** @throws WorkbenchError when there is no such lab or its definition is wrong. */
export async function checkLab(id: string, options: CheckLabOptions = {}, store = new LabStore()): Promise<LabVerdict> {
  const definition = await store.definition(id)
  const workspace = options.workspace === undefined ? undefined : new Workspace(options.workspace)
  const own = !options.solution && workspace && (await workspace.has(id)) ? workspace : undefined
  const files = own ? await own.readAll(id) : await store.files(id, options.solution ? 'solution' : 'start')
  const toolchain = options.toolchain ?? new Toolchain()
  try {
    const program = await toolchain.build(layered(await store.base(id), files))
    const results = program.elf
      ? await runChecks(definition, { name: id, bytes: program.elf }, options.onChange).results
      : notBuilt(
          definition,
          program.diagnostics.filter((diagnostic) => diagnostic.severity === 'error'),
        )
    const earned = results.reduce((sum, result) => sum + result.earned, 0)
    const points = results.reduce((sum, result) => sum + result.points, 0)
    return { lab: id, passed: results.every((result) => result.state === 'passed'), earned, points, checks: results }
  } finally {
    if (!options.toolchain) await toolchain.close()
  }
}

/** One line a check and its evidence, for a terminal. */
export function describeVerdict(definition: LabDefinition, verdict: LabVerdict, locale: Locale = 'en'): string {
  const lines = verdict.checks.flatMap((result) => {
    const title = definition.checks.find((check) => check.id === result.id)!.title[locale]
    const mark = result.state === 'passed' ? 'passed' : result.state
    const reason = result.failure ? [`  ${describeFailure(result)}`] : []
    const quotes = result.state === 'failed' ? result.evidence.map((quote) => `  | ${quoteSource(quote)}: ${quote.text}`) : []
    return [`${mark}  ${result.earned}/${result.points}  ${title}`, ...reason, ...quotes]
  })
  return [...lines, `${verdict.earned} of ${verdict.points} points`].join('\n')
}

function quoteSource({ source, seconds, request }: CheckResult['evidence'][number]): string {
  return [source, request && `request ${request}`, seconds !== undefined && `at ${seconds.toFixed(6)} s`].filter(Boolean).join(' ')
}

export function describeFailure({ failure }: CheckResult): string {
  switch (failure?.kind) {
    case 'missing-text':
      return `expected on the console: ${failure.text}`
    case 'forbidden-text':
      return `must not appear on the console: ${failure.text}`
    case 'test-failed':
      return `the test failed: ${failure.test}`
    case 'test-missing':
      return `the test did not run to its end: ${failure.test}`
    case 'too-high':
      return `measured ${number(failure.measured)} over ${failure.count} requests, ${number(failure.measured - failure.limit)} too many`
    case 'too-low':
      return `measured ${number(failure.measured)} over ${failure.count} requests, ${number(failure.limit - failure.measured)} too few`
    case 'too-few-samples':
      return `${failure.count} requests were seen, at least ${failure.wanted} are needed`
    case 'build':
      return `the program does not build: ${failure.errors} errors`
    case 'crash':
      return `the board stopped: ${failure.reason}`
    default:
      return ''
  }
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 })
}
