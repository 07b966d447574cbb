/** What the board sees of a running program, and what the guest says for nothing. */
import { describe, expect, it } from 'vitest'
import { openDiskImage } from '../backend/disk-image.ts'
import { NO_HART } from '../isa/trace-kinds.ts'
import { ProgramRun, type TestBoardOptions } from '../testing/programs.ts'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { boardTraceKinds, traceEvents, traceKind, traceKindName, type TraceEvent } from './kinds.ts'

function traced(source: string, kinds: readonly number[] = boardTraceKinds, options: TestBoardOptions = {}) {
  const run = new ProgramRun(source, options)
  const events: TraceEvent[] = []
  run.machine.trace.subscribe((records) => events.push(...traceEvents(records)))
  run.machine.trace.enable(kinds)
  run.toExit()
  run.machine.trace.drain()
  return { run, events }
}

const named = (events: readonly TraceEvent[], ...names: string[]) => events.filter(({ kind }) => names.includes(traceKindName(kind)))

describe('events that the board sees', () => {
  it('traps and returns, with cause, place and privilege', () => {
    const { run, events } = traced(`
main:
  vector mtvec skip_trap
  enter USER user
user:
call:
  ecall
  exit 0
`)
    expect(named(events, 'trap', 'trap-return').map(({ kind, a, b, privilege }) => [traceKindName(kind), a, b, privilege])).toEqual([
      ['trap-return', 0n, run.symbol('user') - 4n, 3],
      ['trap', 8n, run.symbol('call'), 0],
      ['trap-return', 0n, run.symbol('skip_trap') + 36n, 3],
    ])
  })

  it('writes of satp', () => {
    const { run, events } = traced('main:\n  li t0, 8 << 60 | 5\nwrite:\n  csrw satp, t0\n  exit 0')
    expect(named(events, 'satp').map(({ a, b }) => [a, b])).toEqual([[(8n << 60n) | 5n, run.symbol('write')]])
  })

  it('waiting, with how long', () => {
    const { events } = traced(`
main:
  li t0, 0x80
  csrw mie, t0
  li t0, 0x2004000
  li t1, 300
  sd t1, 0(t0)
  wfi
  exit 0
`)
    const [begin, end] = named(events, 'wfi', 'wfi-end')
    expect(end.cycle).toBe(3000)
    expect(end.a).toBe(BigInt(end.cycle - begin.cycle))
  })

  it('device accesses, with address, size and value', () => {
    const { events } = traced('main:\n  li t0, 0x10000000\n  li t1, 0x5a\n  sb t1, 7(t0)\n  lbu t2, 7(t0)\n  exit 0')
    expect(named(events, 'mmio-write', 'mmio-read').map(({ a, b }) => [a, b])).toEqual([
      [(1n << 56n) | 0x1000_0007n, 0x5an],
      [(1n << 56n) | 0x1000_0007n, 0x5an],
      [(4n << 56n) | 0x10_0000n, 0x5555n],
    ])
  })

  it("devices' interrupt wires", () => {
    const { events } = traced(`
main:
  li t0, 0x10000000
  li t1, 2
  sb t1, 1(t0)            # the transmitter is empty: the UART asks
  sb x0, 1(t0)            # and no more
  exit 0
`)
    const lines = named(events, 'interrupt-line')
    expect(lines.map(({ a, b, hart }) => [a, b, hart])).toEqual([
      [(10n << 1n) | 1n, 0n, NO_HART],
      [10n << 1n, 0n, NO_HART],
    ])
    expect(lines[0].cycle).toBeLessThan(lines[1].cycle)
  })

  it('transfers between devices and memory', () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'pollen-trace-'))
    try {
      writeFileSync(path.join(directory, 'disk'), new Uint8Array(4096))
      const disk = openDiskImage(path.join(directory, 'disk'))
      const { run, events } = traced(READ_SECTOR, boardTraceKinds, { disks: [disk] })
      disk.close()
      const transfers = named(events, 'dma-read', 'dma-write').map(({ kind, a, b, hart }) => [traceKindName(kind), a, b, hart])
      expect(transfers).toContainEqual(['dma-write', run.symbol('buffer'), 512n, NO_HART])
      expect(transfers).toContainEqual(['dma-write', run.symbol('status'), 1n, NO_HART])
      expect(transfers.some(([name, address]) => name === 'dma-read' && address === run.symbol('descriptors'))).toBe(true)
      expect(named(events, 'interrupt-line').map(({ a }) => a)).toContain((1n << 1n) | 1n)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('only the kinds asked for', () => {
    const source = 'main:\n  vector mtvec skip_trap\n  ecall\n  csrw satp, x0\n  exit 0'
    expect(traced(source, [traceKind('satp')]).events.map(({ kind }) => traceKindName(kind))).toEqual(['satp'])
    expect(traced(source, []).events).toEqual([])
  })

  it('more of them than the buffer holds', () => {
    const { events } = traced('main:\n  li s0, 10000\n1:\n  csrw 0x800, s0\n  addi s0, s0, -1\n  bnez s0, 1b\n  exit 0', [0])
    expect(events.map(({ a }) => Number(a))).toEqual(Array.from({ length: 10_000 }, (_, i) => 10_000 - i))
  })
})

describe('events that the guest says', () => {
  const EVENTS = Array.from({ length: 64 }, (_, kind) => `  csrw 0x${(0x800 + kind).toString(16)}, a1`).join('\n')

  it('one CSR a kind, the value as a, the request as b', () => {
    const { events } = traced(`
main:
  li a1, 77
  csrw 0x840, a1
  li a1, 5
  csrw 0x807, a1
  csrwi 0x800, 3
  exit 0
`)
    expect(events.filter(({ kind }) => kind < 64).map(({ kind, a, b, hart }) => [traceKindName(kind), a, b, hart])).toEqual([
      ['wake', 5n, 77n, 0],
      ['mark', 3n, 77n, 0],
    ])
  })

  it('take no cycle on any profile, whether or not they are recorded, from any privilege', () => {
    for (const timing of ['ideal', 'rocket100'] as const) {
      for (const mode of ['USER', 'SUPERVISOR', 'MACHINE']) {
        const source = (between: string) => `
main:
  li t0, -1
  csrw mcounteren, t0
  csrw scounteren, t0
  enter ${mode} go
go:
  rdcycle s0
${between}
  rdcycle s1
  sub s1, s1, s0
  log s1
  exit 0
`
        const [nothing] = traced(source(''), [], { timing }).run.log()
        expect(traced(source(`${EVENTS}\n  csrw 0x840, a1`), [], { timing }).run.log()).toEqual([nothing])
        expect(traced(source(`${EVENTS}\n  csrw 0x840, a1`), boardTraceKinds, { timing }).run.log()).toEqual([nothing])
      }
    }
  })

  it('the request id can be read back; the event registers read 0', () => {
    const { run } = traced('main:\n  li a1, 99\n  csrw 0x840, a1\n  csrw 0x800, a1\n  logcsr 0x840\n  logcsr 0x800\n  exit 0')
    expect(run.log()).toEqual([99n, 0n])
  })

  it('each hart has its own request', () => {
    const { events } = traced(
      `
main:
  addi a1, a0, 10
  csrw 0x840, a1
  csrw 0x800, a0
  la t0, arrived
  li t1, 1
  amoadd.w t1, t1, (t0)
  beqz t1, .
  exit 0
.data
arrived: .word 0
`,
      [0],
      { harts: 2 },
    )
    expect(events.map(({ hart, a, b }) => [hart, a, b]).sort()).toEqual([
      [0, 0n, 10n],
      [1, 1n, 11n],
    ])
  })
})

describe('recording', () => {
  it('does not change the run', () => {
    const cycles = (kinds: readonly number[]) => {
      const { run } = traced(READ_LOOP, kinds, { harts: 2, timing: 'rocket100' })
      return [0, 1].flatMap((hart) => [run.machine.core.clock(hart), run.machine.core.retired(hart)])
    }
    expect(cycles(boardTraceKinds)).toEqual(cycles([]))
  })
})

/** Both harts print, take timer interrupts and wait; hart 0 exits. */
const READ_LOOP = `
main:
  vector mtvec handler
  li t0, 0x80
  csrw mie, t0
  csrsi mstatus, 8
  slli s2, a0, 3
  li t0, 0x2004000
  add s2, s2, t0
  li s3, 40
  sd x0, 0(s2)
1:
  wfi
  bgtz s3, 1b
  bnez a0, .
  exit 0
.balign 4
handler:
  csrr t0, time
  addi t0, t0, 20
  sd t0, 0(s2)
  addi s3, s3, -1
  li t0, 0x10000000
  li t1, '.'
  sb t1, 0(t0)
  li t1, 2
  sb t1, 1(t0)
  mret
`

/** Reads sector 0 with the virtio disk of slot 0 (virtio 1.1, 3.1 and 5.2), without interrupts taken, and exits when it is done. */
const READ_SECTOR = `
main:
  li s0, 0x10001000
  sw x0, 0x70(s0)
  li t0, 3
  sw t0, 0x70(s0)
  li t0, 1
  sw t0, 0x24(s0)         # the second word of features: version 1
  sw t0, 0x20(s0)
  li t0, 11
  sw t0, 0x70(s0)
  sw x0, 0x30(s0)
  li t0, 8
  sw t0, 0x38(s0)
  la t0, descriptors
  sw t0, 0x80(s0)
  sw x0, 0x84(s0)
  la t0, available
  sw t0, 0x90(s0)
  sw x0, 0x94(s0)
  la t0, used
  sw t0, 0xa0(s0)
  sw x0, 0xa4(s0)
  li t0, 1
  sw t0, 0x44(s0)
  li t0, 15
  sw t0, 0x70(s0)
  la t0, available
  li t1, 1
  sh t1, 2(t0)
  sw x0, 0x50(s0)
  la t0, used
1:
  lhu t1, 2(t0)
  beqz t1, 1b
  exit 0
.data
.balign 4096
descriptors:
  .dword request
  .word 16
  .half 1, 1
  .dword buffer
  .word 512
  .half 3, 2
  .dword status
  .word 1
  .half 2, 0
  .balign 128
available:
  .half 0, 0
  .skip 20
.balign 4096
used: .skip 128
request: .word 0, 0
  .dword 0
status: .dword 0xff
buffer: .skip 512
`
