/**
 * The board's worker thread: the only place where the board meets a message port. It runs the board in slices, so that a
 * request is answered between two of them, and sends what the board says in batches that the other side acknowledges.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { BootFile } from './board/boot.ts'
import { BoardSession, type ConsoleText, type RegisterValues } from './board/session.ts'
import type { InterruptView } from './board/interrupt-view.ts'
import type { RunResult } from './board/machine.ts'
import type { Snapshot } from './board/snapshot.ts'
import { Stepper, type Goal, type LineRange, type StepResult } from './board/stepper.ts'
import type { Watchpoint } from './debug/debugger.ts'
import type { PageWalk } from './debug/page-walk.ts'
import { LoadError } from './board/loader.ts'
import type { TimingProfile } from './device/timing.ts'
import type { LatencyRow, LatencySummary, RequestClass } from './trace/latency.ts'
import type { HartShare } from './trace/hart-shares.ts'

export interface BoardWorkerData {
  readonly hartModule: WebAssembly.Module
  readonly harts: number
  readonly timing: TimingProfile
  readonly ramBytes: number
  readonly program: BootFile
  readonly firmware: BootFile
  readonly paced: boolean
}

export interface WorkerStatus {
  readonly phase: 'running' | 'paused' | 'idle' | 'stopped'
  readonly seconds: number
  readonly cycles: number
  readonly retired: number
  readonly mips: number
  /** Part of the instructions lately that compiled code executed. */
  readonly compiled: number
  readonly harts: HartShare[]
  readonly exit?: number
  readonly stop?: WorkerStop
  /** Virtual seconds of the snapshot that is kept. */
  readonly snapshot?: number
}

export interface WorkerStop {
  readonly hart: number
  readonly pc: bigint
  readonly reason: 'pause' | 'step' | 'breakpoint' | 'watchpoint' | 'restore'
  /** What was about to be read or written. */
  readonly address?: bigint
}

/** Requests, each answered once. */
export interface BoardCalls {
  run: { request: object; response: WorkerStatus }
  pause: { request: object; response: WorkerStatus }
  /** `lines`: step until the hart leaves the source line it is on. */
  step: { request: { hart: number; lines?: LineRange[]; over: boolean }; response: WorkerStatus }
  runTo: { request: { hart: number; goal: Goal }; response: WorkerStatus }
  pace: { request: { paced: boolean }; response: WorkerStatus }
  input: { request: { bytes: Uint8Array }; response: undefined }
  breakpoints: { request: { addresses: bigint[] }; response: undefined }
  registers: { request: { hart: number }; response: RegisterValues }
  writeRegister: { request: { hart: number; name: string; value: bigint }; response: boolean }
  memory: { request: { hart: number; address: bigint; length: number }; response: (number | undefined)[] }
  writeMemory: { request: { hart: number; address: bigint; bytes: number[] }; response: boolean }
  requests: { request: { class: RequestClass; from: number; to: number }; response: { total: number; rows: LatencyRow[] } }
  watchpoints: { request: { watchpoints: Watchpoint[] }; response: undefined }
  walk: { request: { hart: number; address: bigint }; response: PageWalk }
  interrupts: { request: object; response: InterruptView }
  snapshot: { request: object; response: WorkerStatus }
  restore: { request: object; response: WorkerStatus }
  /** For checks: a statistic over everything so far. */
  statistic: { request: { class: RequestClass; percentile?: number }; response: { value: number; count: number } | undefined }
}
export type BoardCallName = keyof BoardCalls

export type ToBoard =
  | { readonly kind: 'call'; readonly id: number; readonly name: BoardCallName; readonly request: unknown }
  /** The other side has passed on this many characters. */
  | { readonly kind: 'printed'; readonly characters: number }

export type FromBoard =
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string }
  | { readonly kind: 'ready'; readonly status: WorkerStatus }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'console'; readonly chunk: ConsoleText }
  | { readonly kind: 'status'; readonly status: WorkerStatus }
  | { readonly kind: 'charts'; readonly seconds: number; readonly classes: LatencySummary[] }

/** Milliseconds of the host's time: a slice, a batch of output, a status, a frame of the charts. */
const SLICE = 8
const BATCH = 16
const STATUS = 200
const CHARTS = 100
/** The board waits while more than this has not been passed on. */
const MOST_UNPRINTED = 262_144
const STATUS_AND_CONTROL_SLICE = 20_000
/** A step that takes no longer is answered with its end. */
const STEP_AT_ONCE = 100

class BoardWorker {
  private phase: WorkerStatus['phase'] = 'paused'
  private paced: boolean
  private exit: number | undefined
  private readonly stepper: Stepper
  private kept: { seconds: number; snapshot: Snapshot } | undefined
  private stop: WorkerStatus['stop']
  private sliceCycles = STATUS_AND_CONTROL_SLICE
  private unprinted = 0
  private scheduled = false
  /** Where pacing counts from: host milliseconds and virtual seconds. */
  private origin = { host: 0, virtual: 0 }
  private sent = { output: 0, status: 0, charts: 0 }
  private measured = { host: 0, retired: 0, compiled: 0, mips: 0, share: 0 }
  private shares: HartShare[] = []

  constructor(
    private readonly session: BoardSession,
    private readonly send: (message: FromBoard) => void,
    data: BoardWorkerData,
  ) {
    this.paced = data.paced
    this.stepper = new Stepper(session)
  }

  status(): WorkerStatus {
    return {
      phase: this.phase,
      seconds: this.session.seconds,
      cycles: this.session.cycles,
      retired: this.session.retired,
      mips: this.phase === 'running' ? this.measured.mips : 0,
      compiled: this.phase === 'running' ? this.measured.share : 0,
      harts: this.shares,
      exit: this.exit,
      stop: this.stop,
      snapshot: this.kept?.seconds,
    }
  }

  handle(name: BoardCallName, request: never): unknown {
    const handlers: { [N in BoardCallName]: (request: BoardCalls[N]['request']) => BoardCalls[N]['response'] } = {
      run: () => this.resume(),
      pause: () => this.pause('pause'),
      step: ({ hart, lines, over }) => this.stepping(hart, () => this.stepper.step(hart, lines, over)),
      runTo: ({ hart, goal }) => this.stepping(hart, () => this.stepper.runTo(hart, goal)),
      pace: ({ paced }) => {
        this.paced = paced
        this.restartPace()
        return this.status()
      },
      input: ({ bytes }) => {
        this.session.type(bytes)
        if (this.phase === 'idle') this.resume()
        return undefined
      },
      breakpoints: ({ addresses }) => {
        this.session.setBreakpoints(addresses)
        return undefined
      },
      registers: ({ hart }) => this.session.registers(hart),
      writeRegister: ({ hart, name: register, value }) => this.session.writeRegister(hart, register, value),
      memory: ({ hart, address, length }) => this.session.memory(hart, address, length),
      writeMemory: ({ hart, address, bytes }) => this.session.writeMemory(hart, address, bytes),
      requests: ({ class: name_, from, to }) => this.session.latency.rows(name_, from, to, 500),
      watchpoints: ({ watchpoints }) => {
        this.session.setWatchpoints(watchpoints)
        return undefined
      },
      walk: ({ hart, address }) => this.session.walk(hart, address),
      interrupts: () => this.session.interrupts(),
      snapshot: () => {
        this.kept = { seconds: this.session.seconds, snapshot: this.session.snapshot() }
        return this.status()
      },
      restore: () => this.restore(),
      statistic: ({ class: name_, percentile }) => this.session.latency.statistic(name_, percentile),
    }
    return (handlers[name] as (request: never) => unknown)(request)
  }

  printed(characters: number): void {
    this.unprinted = Math.max(0, this.unprinted - characters)
    this.schedule()
  }

  private resume(): WorkerStatus {
    if (this.phase === 'stopped') return this.status()
    this.stop = undefined
    this.phase = 'running'
    this.session.passBreakpoints()
    this.restartPace()
    this.measured = { host: performance.now(), retired: this.session.retired, compiled: this.session.compiled, mips: 0, share: 0 }
    this.schedule()
    return this.status()
  }

  private pause(reason: WorkerStop['reason'], hart = 0, address?: bigint): WorkerStatus {
    this.stepper.giveUp()
    if (this.phase === 'running' || this.phase === 'idle') this.phase = 'paused'
    if (this.phase === 'paused') this.stop = { hart, pc: this.session.pc(hart), reason, address }
    this.flush(true)
    return this.status()
  }

  private stepping(hart: number, begin: () => StepResult): WorkerStatus {
    if (this.phase === 'stopped') return this.status()
    this.stepper.giveUp()
    this.phase = 'paused'
    this.afterStep(hart, begin())
    const until = performance.now() + STEP_AT_ONCE
    while (this.busy && performance.now() < until) this.slice()
    return this.status()
  }

  private afterStep(hart: number, result: StepResult): void {
    if (result === 'running') {
      if (this.phase !== 'running') this.resume()
    } else if (result === 'done') {
      this.phase = 'running'
      this.pause('step', hart)
    } else {
      this.phase = 'running'
      this.stopped(result)
      if (this.busy) this.pause('step', hart)
      this.flush(true)
    }
  }

  private get busy(): boolean {
    return this.phase === 'running'
  }

  private restore(): WorkerStatus {
    if (!this.kept) return this.status()
    this.session.restore(this.kept.snapshot)
    this.exit = undefined
    this.phase = 'running'
    this.restartPace()
    return this.pause('restore')
  }

  private restartPace(): void {
    this.origin = { host: performance.now(), virtual: this.session.seconds }
  }

  private schedule(delay = 0): void {
    if (this.scheduled || this.phase !== 'running' || this.unprinted > MOST_UNPRINTED) return
    this.scheduled = true
    const next = () => {
      this.scheduled = false
      this.slice()
    }
    if (delay > 1) setTimeout(next, delay)
    else setImmediate(next)
  }

  private slice(): void {
    if (this.phase !== 'running') return
    const begin = performance.now()
    let cycles = this.sliceCycles
    if (this.paced) {
      const { frequency } = this.session.board.machine.timing
      const allowed = (begin - this.origin.host + SLICE) / 1000 - (this.session.seconds - this.origin.virtual)
      if (allowed <= 0) {
        this.flush(false)
        return this.schedule(Math.min(50, -allowed * 1000 + 1))
      }
      cycles = Math.min(cycles, Math.max(1000, Math.ceil(allowed * frequency)))
      // After the host slept, or while the board is slower than the wall clock, time is not made up for.
      if (allowed > 0.5) this.restartPace()
    }
    const result = this.session.advance(cycles)
    const spent = performance.now() - begin
    if (spent < SLICE / 2) this.sliceCycles = Math.min(this.sliceCycles * 2, 50_000_000)
    else if (spent > SLICE * 1.5) this.sliceCycles = Math.max(Math.floor(this.sliceCycles / 2), 10_000)
    this.stopped(result)
    this.flush(this.phase !== 'running')
    this.schedule()
  }

  /** What the end of a slice means for the board. */
  private stopped(result: RunResult): void {
    const step = this.stepper.stopped(result)
    if (step !== undefined) return this.afterStep('hart' in result ? result.hart : 0, step)
    if (result.kind === 'exit') this.end(result.status)
    else if (result.kind === 'reset') this.end(0)
    else if (result.kind === 'idle') this.phase = 'idle'
    else if (result.kind === 'breakpoint') this.pause('breakpoint', result.hart)
    else if (result.kind === 'watchpoint') this.pause('watchpoint', result.hart, result.address)
  }

  private end(status: number): void {
    this.phase = 'stopped'
    this.exit = status
  }

  /** Sends what is due, or everything. */
  flush(everything: boolean): void {
    const now = performance.now()
    if (everything || now - this.sent.output >= BATCH) {
      const chunk = this.session.takeOutput()
      if (chunk) {
        this.sent.output = now
        this.unprinted += chunk.text.length
        this.send({ kind: 'console', chunk })
      }
    }
    if (everything || now - this.sent.charts >= CHARTS) {
      this.sent.charts = now
      const classes = this.session.latency.summaries()
      if (classes.length) this.send({ kind: 'charts', seconds: this.session.seconds, classes })
    }
    if (everything || now - this.sent.status >= STATUS) {
      this.sent.status = now
      const elapsed = now - this.measured.host
      if (elapsed > 0) {
        const { retired, compiled } = this.session
        const done = retired - this.measured.retired
        const share = done > 0 ? Math.min(1, (compiled - this.measured.compiled) / done) : 0
        this.measured = { host: now, retired, compiled, mips: done / elapsed / 1000, share }
      }
      this.shares = this.session.hartShares()
      this.send({ kind: 'status', status: this.status() })
    }
  }
}

function start(): void {
  const port = parentPort
  if (!port) return
  const data = workerData as BoardWorkerData
  const send = (message: FromBoard) => port.postMessage(message)
  let worker: BoardWorker
  try {
    worker = new BoardWorker(new BoardSession(data), send, data)
  } catch (error) {
    if (!(error instanceof LoadError)) throw error
    send({ kind: 'refused', message: error.message })
    return
  }
  port.on('message', (message: ToBoard) => {
    if (message.kind === 'printed') return worker.printed(message.characters)
    try {
      send({ kind: 'result', id: message.id, value: worker.handle(message.name, message.request as never) })
    } catch (error) {
      send({ kind: 'failure', id: message.id, message: (error as Error).message })
    }
  })
  worker.flush(true)
  send({ kind: 'ready', status: worker.status() })
}

start()
