/** The Chrome JSON that Perfetto reads: well-formed, slices balanced and nested, flows with both their ends. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { EVENT_BYTES, NO_HART, traceKinds } from '../isa/trace-kinds.ts'
import { busyProgram } from '../testing/busy-program.ts'
import { ProgramRun } from '../testing/programs.ts'
import { boardTraceKinds, traceKind } from './kinds.ts'
import { PerfettoRecorder } from './perfetto.ts'

const directory = mkdtempSync(path.join(os.tmpdir(), 'pollen-perfetto-'))
afterAll(() => rmSync(directory, { recursive: true }))

interface Row {
  readonly ph: string
  readonly ts: number
  readonly pid: number
  readonly tid: number
  readonly name?: string
  readonly cat?: string
  readonly id?: number | string
  readonly args?: Record<string, unknown>
}

interface Event {
  readonly cycle: number
  readonly kind: number
  readonly hart?: number
  readonly a?: bigint
  readonly b?: bigint
}

function records(events: readonly Event[]): Uint8Array {
  const bytes = new Uint8Array(events.length * EVENT_BYTES)
  const view = new DataView(bytes.buffer)
  events.forEach(({ cycle, kind, hart = 0, a = 0n, b = 0n }, index) => {
    const at = index * EVENT_BYTES
    view.setBigUint64(at, BigInt(cycle), true)
    view.setBigUint64(at + 8, a, true)
    view.setBigUint64(at + 16, b, true)
    view.setUint8(at + 24, hart)
    view.setUint16(at + 26, kind, true)
  })
  return bytes
}

function written(recorder: PerfettoRecorder): Row[] {
  const file = path.join(directory, 'trace.json')
  recorder.write(file)
  expect(readdirSync(directory)).toEqual(['trace.json'])
  return (JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: Row[] }).traceEvents
}

function exported(events: readonly Event[]): Row[] {
  const recorder = new PerfettoRecorder(1_000_000)
  recorder.add(records(events))
  return written(recorder)
}

/** Slices end in the order in which they nest, and all do; flows and requests have both ends, in order. */
function check(rows: readonly Row[]): void {
  const depth = new Map<string, number>()
  for (const { ph, pid, tid } of rows) {
    const track = `${pid}/${tid}`
    if (ph === 'B') depth.set(track, (depth.get(track) ?? 0) + 1)
    if (ph === 'E') {
      expect(depth.get(track) ?? 0).toBeGreaterThan(0)
      depth.set(track, depth.get(track)! - 1)
    }
  }
  expect([...depth.values()].every((open) => open === 0)).toBe(true)
  const ends = (phase: string) => rows.filter(({ ph }) => ph === phase).map(({ id }) => id)
  expect(ends('f')).toEqual(ends('s'))
  expect(new Set(ends('s')).size).toBe(ends('s').length)
}

const kind = traceKind

describe('slices', () => {
  it('traps, waits and spans of a hart', () => {
    const rows = exported([
      { cycle: 10, kind: kind('trap'), a: 8n, b: 0x8000_0000n },
      { cycle: 12, kind: kind('span-begin'), a: 3n },
      { cycle: 20, kind: kind('span-end'), a: 3n },
      { cycle: 30, kind: kind('trap-return') },
      { cycle: 40, kind: kind('wfi'), b: 0x8000_0010n },
      { cycle: 50, kind: kind('wfi-end'), a: 10n },
    ])
    check(rows)
    expect(rows.filter(({ ph }) => 'BE'.includes(ph)).map(({ ph, ts, name }) => [ph, ts, name])).toEqual([
      ['B', 10, 'call from user mode'],
      ['B', 12, 'span 3'],
      ['E', 20, undefined],
      ['E', 30, undefined],
      ['B', 40, 'wfi'],
      ['E', 50, undefined],
    ])
  })

  it('an end without a begin is left out, a begin without an end ends with the trace', () => {
    const rows = exported([
      { cycle: 5, kind: kind('trap-return') },
      { cycle: 6, kind: kind('poll-end') },
      { cycle: 10, kind: kind('poll-begin'), a: 1n },
      { cycle: 99, kind: kind('mark') },
    ])
    check(rows)
    expect(rows.filter(({ ph }) => 'BE'.includes(ph)).map(({ ph, ts }) => [ph, ts])).toEqual([
      ['B', 10],
      ['E', 99],
    ])
  })

  it('a return from a trap ends what was left open inside it', () => {
    const rows = exported([
      { cycle: 1, kind: kind('trap'), a: 8n },
      { cycle: 2, kind: kind('syscall-begin'), a: 64n },
      { cycle: 3, kind: kind('trap-return') },
      { cycle: 4, kind: kind('syscall-end') },
    ])
    check(rows)
    expect(rows.filter(({ ph }) => ph === 'E').map(({ ts }) => ts)).toEqual([3, 3])
  })
})

describe('tasks', () => {
  it('have a track each, named in chunks of eight bytes', () => {
    const chunk = (text: string) => [...text].reduce((sum, char, i) => sum | (BigInt(char.charCodeAt(0)) << BigInt(8 * i)), 0n)
    const rows = exported([
      { cycle: 1, kind: kind('task-create'), a: 7n },
      { cycle: 1, kind: kind('task-name'), a: chunk('echo-ser') },
      { cycle: 1, kind: kind('task-name'), a: chunk('ver') },
      { cycle: 2, kind: kind('task-switch'), a: 7n },
      { cycle: 9, kind: kind('task-switch'), a: 8n },
    ])
    check(rows)
    expect(rows.find(({ ph, tid, pid }) => ph === 'M' && tid === 7 && pid === 2)?.args).toEqual({ name: 'echo-server' })
    expect(rows.filter(({ ph, tid }) => ph === 'B' && tid === 7)).toMatchObject([{ ts: 2, name: 'on hart 0' }])
  })

  it('a wake points to the poll that answers it', () => {
    const rows = exported([
      { cycle: 1, kind: kind('wake'), hart: 1, a: 7n },
      { cycle: 2, kind: kind('wake'), hart: 1, a: 9n },
      { cycle: 5, kind: kind('poll-begin'), hart: 0, a: 7n },
      { cycle: 6, kind: kind('poll-end'), hart: 0 },
    ])
    check(rows)
    expect(rows.filter(({ ph }) => ph === 's')).toMatchObject([{ ts: 1, tid: 1 }])
    expect(rows.filter(({ ph }) => ph === 'f')).toMatchObject([{ ts: 5, tid: 0, bp: 'e' }])
  })
})

describe('requests and devices', () => {
  it('requests are async slices with their steps; ids keep all their 64 bits', () => {
    const id = 0xffff_ffff_ffff_fff1n
    const rows = exported([
      { cycle: 1, kind: kind('request-begin'), a: 2n, b: id },
      { cycle: 2, kind: kind('submit'), b: id },
      { cycle: 3, kind: kind('request-end'), a: 2n ** 64n - 1n, b: id },
    ])
    expect(rows.filter(({ cat }) => cat === 'request').map(({ ph, id }) => [ph, id])).toEqual([
      ['b', '0xfffffffffffffff1'],
      ['n', '0xfffffffffffffff1'],
      ['e', '0xfffffffffffffff1'],
    ])
    expect(rows.find(({ ph }) => ph === 'e')?.args).toEqual({ result: -1 })
  })

  it('interrupt wires are counters, transfers marks, both on a track of the devices', () => {
    const rows = exported([
      { cycle: 1, kind: kind('interrupt-line'), hart: NO_HART, a: 21n },
      { cycle: 2, kind: kind('dma-write'), hart: NO_HART, a: 0x8000_0000n, b: 512n },
    ])
    expect(rows.filter(({ ph }) => ph !== 'M')).toMatchObject([
      { ph: 'C', name: 'interrupt 10', args: { level: 1 }, pid: 3 },
      { ph: 'i', name: 'dma-write', args: { at: '0x80000000', bytes: 512 }, pid: 3 },
    ])
    expect(rows.some(({ ph, args }) => ph === 'M' && args?.name === `hart ${NO_HART}`)).toBe(false)
  })
})

describe('any trace', () => {
  it('of events in any order comes out well-formed', () => {
    const event = fc.record({
      kind: fc.constantFrom(...traceKinds.map((row) => row.kind), 40),
      hart: fc.integer({ min: 0, max: 2 }),
      a: fc.oneof(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      b: fc.bigInt({ min: 0n, max: 2n }),
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => check(exported(events.map((each, cycle) => ({ ...each, cycle }))))),
      { numRuns: 100, seed: 1 },
    )
  })

  it('of none at all, too', () => expect(exported([]).every(({ ph }) => ph === 'M')).toBe(true))

  it('of a board of two harts, longer than a batch', () => {
    const run = new ProgramRun(busyProgram(2), { harts: 2 })
    const recorder = new PerfettoRecorder(run.machine.timing.frequency, run.elf)
    run.machine.trace.subscribe((events) => recorder.add(events))
    run.machine.trace.enable(boardTraceKinds)
    run.machine.run(200_000)
    run.machine.trace.drain()
    const rows = written(recorder)
    expect(rows.length).toBeGreaterThan(5000)
    check(rows)
    expect(rows.filter(({ name }) => name === 'machine software interrupt').length).toBeGreaterThan(10)
    expect(rows.some(({ args }) => String(args?.at).startsWith('work'))).toBe(true)
  })
})
