/**
 * Writes a trace as Chrome JSON, which Perfetto and chrome://tracing read ("Trace Event Format"): a track a hart with traps,
 * waits and spans as slices; a track a task with the times it ran; requests as async slices; wakes as flows.
 */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import type { ElfFile } from '../toolchain/elf/reader.ts'
import { causeName, traceEvents, traceKind, traceKindName, type TraceEvent } from './kinds.ts'
import { SymbolTable } from './symbols.ts'

const HARTS = 1
const TASKS = 2

const K = {
  mark: traceKind('mark'),
  taskSwitch: traceKind('task-switch'),
  taskName: traceKind('task-name'),
  taskCreate: traceKind('task-create'),
  taskExit: traceKind('task-exit'),
  pollBegin: traceKind('poll-begin'),
  pollEnd: traceKind('poll-end'),
  wake: traceKind('wake'),
  requestBegin: traceKind('request-begin'),
  requestEnd: traceKind('request-end'),
  driverBegin: traceKind('driver-begin'),
  driverEnd: traceKind('driver-end'),
  syscallBegin: traceKind('syscall-begin'),
  syscallEnd: traceKind('syscall-end'),
  spanBegin: traceKind('span-begin'),
  spanEnd: traceKind('span-end'),
  ringDepth: traceKind('ring-depth'),
  sample: traceKind('sample'),
  trap: traceKind('trap'),
  trapReturn: traceKind('trap-return'),
  wfi: traceKind('wfi'),
  wfiEnd: traceKind('wfi-end'),
} as const

/** Steps of a request between its begin and end. */
const REQUEST_STEPS = new Set(['submit', 'dequeue', 'complete', 'reap', 'suspend', 'resume'].map(traceKind))

type Json = Record<string, unknown>

export class PerfettoRecorder {
  private readonly parts: string[] = []
  private readonly symbols: SymbolTable
  private readonly running = new Map<number, bigint>()
  private readonly taskNames = new Map<bigint, string>()
  private readonly harts = new Set<number>()
  private readonly depth = new Map<number, number>()
  private readonly wakes = new Map<bigint, number>()
  private flows = 0

  /** `frequency` is the board's, in cycles per second. */
  constructor(
    private readonly frequency: number,
    elf?: ElfFile,
  ) {
    this.symbols = new SymbolTable(elf)
  }

  /** Takes 32-byte records in order. */
  add(records: Uint8Array): void {
    for (const event of traceEvents(records)) this.one(event)
  }

  /** Writes everything to a file at once: an interrupted run leaves no half a trace. */
  write(file: string): void {
    const temporary = `${file}.partial`
    const descriptor = openSync(temporary, 'w')
    try {
      writeSync(descriptor, '{"displayTimeUnit":"ns","traceEvents":[\n')
      const names = this.nameEvents()
      for (let i = 0; i < names.length; i++) writeSync(descriptor, `${JSON.stringify(names[i])}${i + 1 < names.length || this.parts.length ? ',' : ''}\n`)
      for (let i = 0; i < this.parts.length; i += 4096) {
        const batch = this.parts.slice(i, i + 4096).join(',\n')
        writeSync(descriptor, batch + (i + 4096 < this.parts.length ? ',\n' : '\n'))
      }
      writeSync(descriptor, ']}\n')
      closeSync(descriptor)
      renameSync(temporary, file)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
  }

  private nameEvents(): Json[] {
    const meta = (name: string, pid: number, tid: number, value: string): Json => ({ ph: 'M', name, pid, tid, args: { name: value } })
    return [
      meta('process_name', HARTS, 0, 'harts'),
      ...[...this.harts].sort((a, b) => a - b).map((hart) => meta('thread_name', HARTS, hart, `hart ${hart}`)),
      ...(this.taskNames.size > 0 ? [meta('process_name', TASKS, 0, 'tasks')] : []),
      ...[...this.taskNames].map(([task, name]) => meta('thread_name', TASKS, Number(task), name)),
    ]
  }

  private push(event: TraceEvent, fields: Json): void {
    this.parts.push(JSON.stringify({ ts: (event.cycle / this.frequency) * 1e6, pid: HARTS, tid: event.hart, ...fields }))
  }

  private begin(event: TraceEvent, name: string, args: Json = {}): void {
    this.depth.set(event.hart, (this.depth.get(event.hart) ?? 0) + 1)
    this.push(event, { ph: 'B', name, args })
  }

  private end(event: TraceEvent, args: Json = {}): void {
    const depth = this.depth.get(event.hart) ?? 0
    // The first return of a boot answers no trap that was seen.
    if (depth === 0) return
    this.depth.set(event.hart, depth - 1)
    this.push(event, { ph: 'E', args })
  }

  private place(address: bigint): string {
    return this.symbols.nameAt(address) ?? `0x${address.toString(16)}`
  }

  private one(event: TraceEvent): void {
    const { kind, a, b } = event
    this.harts.add(event.hart)
    switch (kind) {
      case K.trap:
        return this.begin(event, causeName(a), { at: this.place(b) })
      case K.trapReturn:
        return this.end(event)
      case K.wfi:
        return this.begin(event, 'wfi', { at: this.place(b) })
      case K.wfiEnd:
        return this.end(event, { cycles: Number(a) })
      case K.taskName:
        return this.nameTask(event)
      case K.taskCreate:
        this.taskNames.set(a, this.taskNames.get(a) ?? `task ${a}`)
        return
      case K.taskSwitch:
        return this.switchTask(event)
      case K.pollBegin:
        this.finishWake(event, a)
        return this.begin(event, `poll ${this.taskNames.get(a) ?? a}`)
      case K.pollEnd:
        return this.end(event, { ready: a !== 0n })
      case K.syscallBegin:
        return this.begin(event, `system call ${a}`, { request: Number(b) })
      case K.driverBegin:
        return this.begin(event, `driver ${a}`, { request: Number(b) })
      case K.spanBegin:
        return this.begin(event, `span ${a}`, { request: Number(b) })
      case K.syscallEnd:
      case K.driverEnd:
      case K.spanEnd:
        return this.end(event, { result: Number(BigInt.asIntN(64, a)) })
      case K.requestBegin:
        return this.push(event, { ph: 'b', cat: 'request', id: Number(b), name: `request class ${a}` })
      case K.requestEnd:
        return this.push(event, { ph: 'e', cat: 'request', id: Number(b), args: { result: Number(BigInt.asIntN(64, a)) } })
      case K.wake:
        this.wakes.set(a, ++this.flows)
        return this.push(event, { ph: 's', cat: 'wake', name: 'wake', id: this.flows })
      case K.ringDepth:
        return this.push(event, { ph: 'C', name: `ring ${a >> 32n} depth`, args: { entries: Number(a & 0xffffffffn) } })
      case K.sample:
        return this.push(event, { ph: 'C', name: 'sample', args: { cycles: Number(a) } })
      default:
        if (REQUEST_STEPS.has(kind) && b !== 0n) return this.push(event, { ph: 'n', cat: 'request', id: Number(b), name: traceKindName(kind) })
        return this.push(event, { ph: 'i', s: 't', name: traceKindName(kind), args: { a: `0x${a.toString(16)}`, b: `0x${b.toString(16)}` } })
    }
  }

  /** Names come in chunks of eight bytes for the task created last on this hart's word. */
  private nameTask(event: TraceEvent): void {
    const task = this.running.get(event.hart) ?? 0n
    const bytes = Array.from({ length: 8 }, (_, i) => Number((event.a >> BigInt(8 * i)) & 0xffn)).filter((byte) => byte !== 0)
    const earlier = this.taskNames.get(task)
    this.taskNames.set(task, (earlier?.startsWith('task ') ? '' : (earlier ?? '')) + String.fromCharCode(...bytes))
  }

  private switchTask(event: TraceEvent): void {
    const before = this.running.get(event.hart)
    if (before !== undefined) this.push(event, { ph: 'E', pid: TASKS, tid: Number(before) })
    this.running.set(event.hart, event.a)
    if (!this.taskNames.has(event.a)) this.taskNames.set(event.a, `task ${event.a}`)
    this.push(event, { ph: 'B', pid: TASKS, tid: Number(event.a), name: `on hart ${event.hart}` })
    this.finishWake(event, event.a)
  }

  private finishWake(event: TraceEvent, task: bigint): void {
    const flow = this.wakes.get(task)
    if (flow === undefined) return
    this.wakes.delete(task)
    this.push(event, { ph: 'f', bp: 'e', cat: 'wake', name: 'wake', id: flow })
  }
}
