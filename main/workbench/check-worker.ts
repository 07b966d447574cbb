/** A thread that grades the checks of a lab, one after the other; ending the thread cancels them. */
import { parentPort, workerData } from 'node:worker_threads'
import type { BootFile } from '../../machine/board/boot.ts'
import type { BoardOptions, Check, CheckResult } from '../protocol/index.ts'
import { grade } from './grade.ts'

export interface CheckWorkerData {
  readonly hartModule: WebAssembly.Module
  readonly program: BootFile
  readonly firmware: BootFile
  readonly board: BoardOptions
  readonly checks: readonly Check[]
}

export type FromCheckWorker =
  | { readonly kind: 'progress'; readonly id: string; readonly seconds: number }
  | { readonly kind: 'result'; readonly result: CheckResult }
  | { readonly kind: 'done' }

if (parentPort) {
  const { checks, ...options } = workerData as CheckWorkerData
  for (const check of checks) {
    let told = -1
    const result = grade({ ...options, check }, (seconds) => {
      // A hundred steps are enough for a progress bar.
      if (Math.floor((seconds / check.limit) * 100) === told) return
      told = Math.floor((seconds / check.limit) * 100)
      parentPort!.postMessage({ kind: 'progress', id: check.id, seconds } satisfies FromCheckWorker)
    })
    parentPort.postMessage({ kind: 'result', result } satisfies FromCheckWorker)
  }
  parentPort.postMessage({ kind: 'done' } satisfies FromCheckWorker)
}
