/** Runs a lab's checks on boards of their own, beside the one in the window. */
import type { Worker } from 'node:worker_threads'
import type { BoardOptions, Check, CheckResult, LabDefinition } from '../protocol/index.ts'
import type { CheckWorkerData, FromCheckWorker } from './check-worker.ts'
import { loadFirmware } from './firmware.ts'
import { loadHartModule } from './hart-module.ts'
import { CHECK_WORKER, startWorker } from './worker-thread.ts'

export interface CheckRun {
  readonly results: Promise<CheckResult[]>
  cancel(): void
}

/** Grades all checks of a lab; `onChange` sees the whole list each time something changes. */
export function runChecks(
  definition: LabDefinition,
  program: { name: string; bytes: Uint8Array },
  onChange: (results: CheckResult[]) => void = () => {},
): CheckRun {
  const results = definition.checks.map((check) => waiting(check))
  const board: BoardOptions = definition.board
  const data: CheckWorkerData = { hartModule: loadHartModule(), firmware: loadFirmware(), program, board, checks: definition.checks }
  let worker: Worker | undefined = startWorker(CHECK_WORKER, data)
  let finish: (results: CheckResult[]) => void
  const done = new Promise<CheckResult[]>((resolve) => (finish = resolve))
  const set = (id: string, change: Partial<CheckResult>) => {
    const index = results.findIndex((result) => result.id === id)
    results[index] = { ...results[index], ...change }
    // The one after a verdict runs now.
    const next = results.find((result) => result.state === 'waiting')
    if (next && !results.some((result) => result.state === 'running')) results[results.indexOf(next)] = { ...next, state: 'running' }
    onChange([...results])
  }
  /** Whatever has no verdict yet gets this one. */
  const end = (rest: Partial<CheckResult>) => {
    if (!worker) return
    const thread = worker
    worker = undefined
    for (const [index, result] of results.entries()) {
      if (result.state === 'waiting' || result.state === 'running') results[index] = { ...result, ...rest }
    }
    onChange([...results])
    void thread.terminate()
    finish([...results])
  }
  const crash = (reason: string) => end({ state: 'failed', failure: { kind: 'crash', reason } })
  results[0] = { ...results[0], state: 'running' }
  onChange([...results])
  worker.on('message', (message: FromCheckWorker) => {
    if (!worker) return
    if (message.kind === 'progress') set(message.id, { progress: message.seconds })
    else if (message.kind === 'result') set(message.result.id, message.result)
    else end({ state: 'cancelled' })
  })
  worker.on('error', (error) => crash((error as Error).message))
  worker.on('exit', (code) => crash(`the thread ended with status ${code}`))
  return { results: done, cancel: () => end({ state: 'cancelled' }) }
}

export function waiting(check: Check): CheckResult {
  return { id: check.id, state: 'waiting', points: check.points, earned: 0, progress: 0, limit: check.limit, evidence: [] }
}

/** The verdict on a program that does not build. */
export function notBuilt(definition: LabDefinition, errors: readonly { file: string; line: number; message: string }[]): CheckResult[] {
  const evidence = errors.slice(0, 2).map(({ file, line, message }) => ({ source: 'build' as const, text: `${file}:${line}: ${message}` }))
  return definition.checks.map((check) => ({
    ...waiting(check),
    state: 'failed',
    failure: { kind: 'build', errors: errors.length },
    evidence,
  }))
}
