/** The board's thread from the workbench's side: typed calls, and what the thread says of itself. */
import type { Worker } from 'node:worker_threads'
import type { BoardCallName, BoardCalls, BoardWorkerData, FromBoard, ToBoard } from '../../machine/worker.ts'
import { WorkbenchError } from './errors.ts'
import { BOARD_WORKER, startWorker } from './worker-thread.ts'

export type BoardNews = Exclude<FromBoard, { kind: 'result' } | { kind: 'failure' } | { kind: 'ready' } | { kind: 'refused' }>

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

export class BoardClient {
  private readonly waiting = new Map<number, Waiting>()
  private next = 1
  private closed = false

  private constructor(
    private readonly worker: Worker,
    private readonly onCrash: (reason: string) => void,
  ) {}

  /**
   * Starts a board with its program loaded, paused.
   * @throws WorkbenchError when the program cannot be loaded or the thread does not start.
   */
  static start(data: BoardWorkerData, onNews: (news: BoardNews) => void, onCrash: (reason: string) => void): Promise<BoardClient> {
    const worker = startWorker(BOARD_WORKER, data)
    const client = new BoardClient(worker, onCrash)
    return new Promise((resolve, reject) => {
      let ready = false
      const gone = (reason: string) => {
        if (!ready) reject(new WorkbenchError('crashed', `the board did not start: ${reason}`))
        client.crashed(reason, ready)
      }
      worker.on('message', (message: FromBoard) => {
        if (message.kind === 'ready') {
          ready = true
          resolve(client)
        } else if (message.kind === 'refused') {
          reject(new WorkbenchError('failed', message.message))
          void client.close()
        } else if (message.kind === 'result') client.settle(message.id)?.resolve(message.value)
        else if (message.kind === 'failure') client.settle(message.id)?.reject(new WorkbenchError('failed', message.message))
        else onNews(message)
      })
      worker.on('error', (error) => gone((error as Error).message))
      worker.on('exit', (code) => gone(`its thread ended with status ${code}`))
    })
  }

  call<N extends BoardCallName>(name: N, request: BoardCalls[N]['request']): Promise<BoardCalls[N]['response']> {
    if (this.closed) return Promise.reject(new WorkbenchError('board-off', 'the board is off'))
    const id = this.next++
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.worker.postMessage({ kind: 'call', id, name, request } satisfies ToBoard)
    })
  }

  /** So many characters of output were passed on. */
  printed(characters: number): void {
    if (!this.closed) this.worker.postMessage({ kind: 'printed', characters } satisfies ToBoard)
  }

  async close(): Promise<void> {
    this.closed = true
    this.rejectAll(new WorkbenchError('board-off', 'the board was switched off'))
    await this.worker.terminate()
  }

  /** Ends the thread without a word to this side. */
  async killForTest(): Promise<void> {
    await this.worker.terminate()
  }

  private settle(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id)
    this.waiting.delete(id)
    return waiting
  }

  private crashed(reason: string, ready: boolean): void {
    if (this.closed) return
    this.closed = true
    this.rejectAll(new WorkbenchError('crashed', `the board stopped: ${reason}`))
    if (ready) this.onCrash(reason)
  }

  private rejectAll(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error)
    this.waiting.clear()
  }
}
