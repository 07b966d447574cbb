/**
 * Writes a trace as Chrome JSON, which Perfetto and chrome://tracing read ("Trace Event Format"): a track a hart with traps,
 * waits and spans as slices; a track a task with the times it ran; requests as async slices; wakes as flows.
 */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { NO_HART } from '../isa/trace-kinds.ts'
import type { ElfFile } from '../toolchain/elf/reader.ts'
import { causeName, traceEvents, traceKind, traceKindName, type TraceEvent } from './kinds.ts'
import { SymbolTable } from './symbols.ts'

const HARTS = 1
const TASKS = 2
const DEVICES = 3
/** Events written at a time. */

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
  interruptLine: traceKind('interrupt-line'),
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
  /** Kinds of the slices open on each hart, outermost first. */
  private readonly open = new Map<number, number[]>()
  /** The task that names are for: created or switched to last on that hart. */
  private readonly named = new Map<number, bigint>()
  private latest = 0
  private readonly wakes = new Map<bigint, TraceEvent>()
  private flows = 0
  private devices = false

  private readonly records: Uint8Array[] = []

  /** `frequency` is the board's, in cycles per second. */
  constructor(
    private readonly frequency: number,
    elf?: ElfFile,
  ) {
    this.symbols = new SymbolTable(elf)
  }

  /** Takes 32-byte records in order. They are kept as they are: a run that is traced must not wait for their conversion. */
  add(records: Uint8Array): void {
    this.records.push(records.slice())
  }

  /** Converts and writes everything, once: an interrupted run leaves no half a trace. */
  write(file: string): void {
    const temporary = `${file}.partial`
    const descriptor = openSync(temporary, 'w')
    try {
      writeSync(descriptor, '{"displayTimeUnit":"ns","traceEvents":[\n')
      let first = true
      const put = (lines: readonly string[]) => {
        if (lines.length === 0) return
        writeSync(descriptor, (first ? '' : ',\n') + lines.join(',\n'))
        first = false
      }
      for (const records of this.records) {
        for (const event of traceEvents(records)) this.one(event)
        put(this.parts.splice(0))
      }
      // Names and ends are known only now; the order of events in the file means nothing.
      put([...this.closing(), ...this.nameEvents()].map((event) => JSON.stringify(event)))
      writeSync(descriptor, '\n]}\n')
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
      ...(this.devices ? [meta('process_name', DEVICES, 0, 'devices'), meta('thread_name', DEVICES, 0, 'transfers')] : []),
      ...(this.taskNames.size > 0 ? [meta('process_name', TASKS, 0, 'tasks')] : []),
      ...[...this.taskNames].map(([task, name]) => meta('thread_name', TASKS, Number(task), name)),
    ]
  }

  /** Interrupt wires are counters of 0 and 1; transfers are marks on a track of their own. */
  private device(event: TraceEvent): void {
    const { kind, a, b } = event
    this.devices = true
    const place = { pid: DEVICES, tid: 0 }
    if (kind === K.interruptLine)
      return this.push(event, { ...place, ph: 'C', name: `interrupt ${a >> 1n}`, args: { level: Number(a & 1n) } })
    this.push(event, { ...place, ph: 'i', s: 't', name: traceKindName(kind), args: { at: `0x${a.toString(16)}`, bytes: Number(b) } })
  }

  private push(event: TraceEvent, fields: Json): void {
    const ts = (event.cycle / this.frequency) * 1e6
    this.latest = Math.max(this.latest, ts)
    this.parts.push(JSON.stringify({ ts, pid: HARTS, tid: event.hart, ...fields }))
  }

  private begin(event: TraceEvent, name: string, args: Json = {}): void {
    const open = this.open.get(event.hart)
    if (open) open.push(event.kind)
    else this.open.set(event.hart, [event.kind])
    this.push(event, { ph: 'B', name, args })
  }

  /** Ends the innermost slice that an event of kind `begun` opened, and what was left open inside it. */
  private end(event: TraceEvent, begun: number, args: Json = {}): void {
    const open = this.open.get(event.hart)
    const depth = open?.lastIndexOf(begun) ?? -1
    // The first return of a boot answers no trap that was seen.
    if (!open || depth < 0) return
    while (open.length - 1 > depth) {
      open.pop()
      this.push(event, { ph: 'E' })
    }
    open.pop()
    this.push(event, { ph: 'E', args })
  }

  /** What ends slices that are still open where the trace ends. */
  private closing(): Json[] {
    const ts = this.latest
    return [
      ...[...this.open].flatMap(([hart, kinds]) => kinds.map(() => ({ ph: 'E', ts, pid: HARTS, tid: hart }))),
      ...[...this.running].map(([, task]) => ({ ph: 'E', ts, pid: TASKS, tid: Number(task) })),
    ]
  }

  private place(address: bigint): string {
    return this.symbols.nameAt(address) ?? `0x${address.toString(16)}`
  }

  private one(event: TraceEvent): void {
    const { kind, a, b } = event
    if (event.hart === NO_HART) return this.device(event)
    this.harts.add(event.hart)
    switch (kind) {
      case K.trap:
        return this.begin(event, causeName(a), { at: this.place(b) })
      case K.trapReturn:
        return this.end(event, K.trap)
      case K.wfi:
        return this.begin(event, 'wfi', { at: this.place(b) })
      case K.wfiEnd:
        return this.end(event, K.wfi, { cycles: Number(a) })
      case K.taskName:
        return this.nameTask(event)
      case K.taskCreate:
        this.taskNames.set(a, this.taskNames.get(a) ?? `task ${a}`)
        this.named.set(event.hart, a)
        return
      case K.taskSwitch:
        return this.switchTask(event)
      case K.pollBegin:
        this.begin(event, `poll ${this.taskNames.get(a) ?? a}`)
        return this.finishWake(event, a)
      case K.pollEnd:
        return this.end(event, K.pollBegin, { ready: a !== 0n })
      case K.syscallBegin:
        return this.begin(event, `system call ${a}`, { request: `0x${b.toString(16)}` })
      case K.driverBegin:
        return this.begin(event, `driver ${a}`, { request: `0x${b.toString(16)}` })
      case K.spanBegin:
        return this.begin(event, `span ${a}`, { request: `0x${b.toString(16)}` })
      case K.syscallEnd:
      case K.driverEnd:
      case K.spanEnd:
        // Begin and end are neighbours in the table.
        return this.end(event, kind - 1, { result: Number(BigInt.asIntN(64, a)) })
      case K.requestBegin:
        return this.push(event, { ph: 'b', cat: 'request', id: `0x${b.toString(16)}`, name: `request class ${a}` })
      case K.requestEnd:
        return this.push(event, { ph: 'e', cat: 'request', id: `0x${b.toString(16)}`, args: { result: Number(BigInt.asIntN(64, a)) } })
      case K.wake:
        this.wakes.set(a, event)
        return
      case K.ringDepth:
        return this.push(event, { ph: 'C', name: `ring ${a >> 32n} depth`, args: { entries: Number(a & 0xffffffffn) } })
      case K.sample:
        return this.push(event, { ph: 'C', name: 'sample', args: { cycles: Number(a) } })
      default:
        if (REQUEST_STEPS.has(kind) && b !== 0n)
          return this.push(event, { ph: 'n', cat: 'request', id: `0x${b.toString(16)}`, name: traceKindName(kind) })
        return this.push(event, {
          ph: 'i',
          s: 't',
          name: traceKindName(kind),
          args: { a: `0x${a.toString(16)}`, b: `0x${b.toString(16)}` },
        })
    }
  }

  /** Names come in chunks of eight bytes. */
  private nameTask(event: TraceEvent): void {
    const task = this.named.get(event.hart) ?? 0n
    const bytes = Array.from({ length: 8 }, (_, i) => Number((event.a >> BigInt(8 * i)) & 0xffn)).filter((byte) => byte !== 0)
    const earlier = this.taskNames.get(task)
    this.taskNames.set(task, (earlier?.startsWith('task ') ? '' : (earlier ?? '')) + String.fromCharCode(...bytes))
  }

  private switchTask(event: TraceEvent): void {
    const before = this.running.get(event.hart)
    if (before !== undefined) this.push(event, { ph: 'E', pid: TASKS, tid: Number(before) })
    this.running.set(event.hart, event.a)
    this.named.set(event.hart, event.a)
    if (!this.taskNames.has(event.a)) this.taskNames.set(event.a, `task ${event.a}`)
    this.push(event, { ph: 'B', pid: TASKS, tid: Number(event.a), name: `on hart ${event.hart}` })
    this.finishWake(event, event.a)
  }

  /** A flow from the last wake of a task to where it runs; a wake that nothing answers is no flow. */
  private finishWake(event: TraceEvent, task: bigint): void {
    const wake = this.wakes.get(task)
    if (!wake) return
    this.wakes.delete(task)
    const id = ++this.flows
    this.push(wake, { ph: 's', cat: 'wake', name: 'wake', id })
    this.push(event, { ph: 'f', bp: 'e', cat: 'wake', name: 'wake', id })
  }
}
