/** The toolchain from the workbench's side: a warm thread that is replaced when it dies. */
import type { Worker } from 'node:worker_threads'
import type { Stage, StageLine } from '../../machine/toolchain/build.ts'
import { WorkbenchError } from './errors.ts'
import type { FromToolchain, SentProgram, ToToolchain } from './toolchain-worker.ts'
import { TOOLCHAIN_WORKER, startWorker } from './worker-thread.ts'

interface Waiting {
  resolve(answer: never): void
  readonly onProgress?: (stage: string) => void
  reject(error: Error): void
}

export class Toolchain {
  private worker: Worker | undefined
  private readonly waiting = new Map<number, Waiting>()
  private next = 1

  /** True while somebody waits for it. */
  get busy(): boolean {
    return this.waiting.size > 0
  }

  /** Starts the thread ahead of the first build. */
  warm(): void {
    this.thread()
  }

  /** `own`: the learner's files, where others lie underneath. */
  build(files: ReadonlyMap<string, string>, onProgress?: (stage: string) => void, own?: readonly string[]): Promise<SentProgram> {
    return this.ask({ files, own }, onProgress)
  }

  /** Functions of a program that builds, as they are at a stage before machine code. */
  stage(files: ReadonlyMap<string, string>, stage: Stage): Promise<StageLine[][]> {
    return this.ask({ files, stage })
  }

  private ask<Answer>(request: Omit<ToToolchain, 'id'>, onProgress?: (stage: string) => void): Promise<Answer> {
    const id = this.next++
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, onProgress })
      this.thread().postMessage({ id, ...request } satisfies ToToolchain)
    })
  }

  /** Gives up what is being built; the thread goes with it, and a new one is warm for the next build. */
  async cancel(): Promise<void> {
    if (!this.busy) return
    await this.close()
    this.warm()
  }

  /** Ends the thread as a defect of it would: for tests of what the user then sees. */
  async killForTest(): Promise<void> {
    await this.worker?.terminate()
  }

  /** Gives up what is being built. */
  async close(): Promise<void> {
    const worker = this.worker
    this.worker = undefined
    this.fail('cancelled', 'the build was cancelled')
    await worker?.terminate()
  }

  private thread(): Worker {
    if (this.worker) return this.worker
    const worker = startWorker(TOOLCHAIN_WORKER)
    worker.unref()
    worker.on('message', (answer: FromToolchain) => {
      const waiting = this.waiting.get(answer.id)
      if ('progress' in answer) return waiting?.onProgress?.(answer.progress)
      this.waiting.delete(answer.id)
      if ('failure' in answer) waiting?.reject(new WorkbenchError('crashed', `the toolchain failed: ${answer.failure}`))
      else waiting?.resolve(('stage' in answer ? answer.stage : answer.program) as never)
      if (this.waiting.size === 0) worker.unref()
    })
    const gone = (reason: string) => {
      if (this.worker !== worker) return
      this.worker = undefined
      this.fail('crashed', `the toolchain stopped: ${reason}`)
    }
    worker.on('error', (error) => gone((error as Error).message))
    worker.on('exit', (code) => gone(`its thread ended with status ${code}`))
    return (this.worker = worker)
  }

  private fail(code: 'cancelled' | 'crashed', message: string): void {
    for (const { reject } of this.waiting.values()) reject(new WorkbenchError(code, message))
    this.waiting.clear()
  }
}
