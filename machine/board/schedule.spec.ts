/** Time on a board of several harts: the same inputs give the same run to the cycle, however the host slices it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { busyProgram } from '../testing/busy-program.ts'
import { ProgramRun, runProgram, type TestBoardOptions } from '../testing/programs.ts'
import { boardTraceKinds, traceEvents, traceKind, type TraceEvent } from '../trace/kinds.ts'

const END = 60_000

/** The console as a device that interrupts: an echo by interrupts on hart 0, among everything else. */
const ECHO = `
main:
  vector mtvec handler
  bnez a0, others
  li t0, 0x0c000000
  li t1, 7
  sw t1, 40(t0)
  li t0, 0x0c002000
  li t1, 1 << 10
  sw t1, 0(t0)
  li t0, 0x10000000
  li t1, 1
  sb t1, 1(t0)
  li t0, 0x800
  csrw mie, t0
  csrsi mstatus, 8
1:
  wfi
  j 1b
others:
  la s0, counter
2:
  amoadd.d t0, a0, (s0)
  j 2b
.balign 4
handler:
  li t0, 0x0c200004
  lw t1, 0(t0)
  li t2, 0x10000000
  lbu t3, 0(t2)
  addi t3, t3, 1
  sb t3, 0(t2)
  sw t1, 0(t0)
  la s0, counter
  ld t3, 0(s0)
  csrw 0x800, t3
  mret
.data
.balign 8
counter: .dword 0
`

const PROGRAMS: Readonly<Record<string, (harts: number) => string>> = {
  'timers, calls between harts, waiting, atomics': busyProgram,
  'a device that interrupts': () => ECHO,
}

function start(source: string, options: TestBoardOptions): ProgramRun {
  const run = new ProgramRun(source, options)
  run.machine.trace.enable(boardTraceKinds)
  for (let i = 0; i < 12; i++) run.input.push(Uint8Array.of(65 + i), 2000 + i * 3700)
  return run
}

function fingerprint(run: ProgramRun) {
  const { core } = run.machine
  const harts = Array.from({ length: run.options.harts ?? 1 }, (_, hart) => hart)
  return {
    hash: run.machine.trace.hash,
    clocks: harts.map((hart) => core.clock(hart)),
    retired: harts.map((hart) => core.retired(hart)),
    text: run.text,
  }
}

describe('the same run again', () => {
  for (const [name, source] of Object.entries(PROGRAMS)) {
    for (const harts of [1, 2, 4]) {
      it(`${name}, ${harts} harts: same events, however the host slices it`, () => {
        for (const timing of ['ideal', 'rocket100'] as const) {
          const options = { harts, timing }
          const once = start(source(harts), options)
          once.machine.run(END)
          const expected = fingerprint(once)
          expect(once.machine.trace.count).toBeGreaterThan(20)
          fc.assert(
            fc.property(
              fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 9000 })), { maxLength: 60 }),
              (slices) => {
                const run = start(source(harts), options)
                for (const cycles of slices) {
                  const until = run.machine.now + cycles
                  // The last slice ends where the whole run did.
                  if (until >= END - 10_000) break
                  run.machine.run(until)
                  // Looking does not disturb.
                  void [run.machine.now, run.text, run.machine.clock.glimpse, run.machine.trace.hash]
                }
                run.machine.run(END)
                expect(fingerprint(run)).toEqual(expected)
              },
            ),
            { numRuns: 40, seed: 99 },
          )
        }
      })
    }
  }

  it('another quantum, another run', () => {
    const hashes = [20, 50, 500].map((quantum) => {
      const run = start(busyProgram(2), { harts: 2, quantum })
      run.machine.run(END)
      return run.machine.trace.hash
    })
    expect(new Set(hashes).size).toBe(3)
  })

  it('other input, another run', () => {
    const run = (cycle: number) => {
      const board = new ProgramRun(ECHO)
      board.machine.trace.enable(boardTraceKinds)
      board.input.push(Uint8Array.of(65), cycle)
      board.machine.run(END)
      return board.machine.trace.hash
    }
    expect(run(5000)).toBe(run(5000))
    expect(run(5000)).not.toBe(run(5001))
  })
})

describe('rounds', () => {
  const SPIN = 'main:\n1:\n  addi s0, s0, 1\n  j 1b'

  it('keep running harts within a quantum and a straight piece of code of each other', () => {
    for (const quantum of [1, 50, 500]) {
      const run = new ProgramRun(SPIN, { harts: 4, quantum })
      for (let until = 1000; until < 20_000; until += 977) {
        run.machine.run(until)
        const clocks = [0, 1, 2, 3].map((hart) => run.machine.core.clock(hart))
        expect(Math.max(...clocks) - Math.min(...clocks)).toBeLessThanOrEqual(quantum + 40)
      }
    }
  })

  it('a hart sees what another wrote at most a quantum later', () => {
    for (const quantum of [20, 200]) {
      const run = runProgram(
        `
main:
  la s0, stamp
  bnez a0, watch
  li t0, 3000
1:
  addi t0, t0, -1
  bnez t0, 1b
  csrr t1, mcycle
  sd t1, 0(s0)
  j .
watch:
  ld t1, 0(s0)
  beqz t1, watch
  csrr t2, mcycle
  sub t2, t2, t1
  log t2
  exit 0
.data
.balign 8
stamp: .dword 0
`,
        { harts: 2, quantum },
      )
      const delay = BigInt.asIntN(64, run.log(1)[0])
      expect(delay).toBeLessThanOrEqual(BigInt(quantum + 40))
      expect(delay).toBeGreaterThanOrEqual(BigInt(-quantum - 40))
    }
  })
})

describe('calls between harts', () => {
  /** Hart 1 waits, in wfi or spinning with interrupts on; hart 0 calls it after a while. */
  const call = (waiting: string) => `
main:
  vector mtvec handler
  bnez a0, called
  li t0, 5000
1:
  addi t0, t0, -1
  bnez t0, 1b
  li t0, 0x2000004
  li t1, 1
  sw t1, 0(t0)
  j .
called:
  csrwi mie, 8
  csrsi mstatus, 8
2:
  ${waiting}
  j 2b
.balign 4
handler:
  exit 0
`

  function delay(waiting: string, options: TestBoardOptions): number {
    const run = new ProgramRun(call(waiting), { harts: 2, ...options })
    const events: TraceEvent[] = []
    run.machine.trace.subscribe((records) => events.push(...traceEvents(records)))
    run.machine.trace.enable([traceKind('mmio-write'), traceKind('trap')])
    run.toExit()
    run.machine.trace.drain()
    const sent = events.find(({ kind, a }) => kind === traceKind('mmio-write') && (a & 0xff_ffffn) === 4n)!
    const taken = events.find(({ kind, hart }) => kind === traceKind('trap') && hart === 1)!
    return taken.cycle - sent.cycle
  }

  it('arrive at a waiting hart after the delay of the timing profile, to the cycle', () => {
    expect(delay('wfi', { timing: 'ideal' })).toBe(10)
    expect(delay('wfi', { timing: 'rocket100' })).toBe(40)
  })

  it('do so whatever the quantum', () => {
    for (const quantum of [1, 33, 500, 5000]) expect(delay('wfi', { quantum })).toBe(10)
  })

  it('reach a hart that runs not before the delay, and not later than a quantum after it', () => {
    for (const timing of ['ideal', 'rocket100'] as const) {
      const ipi = timing === 'ideal' ? 10 : 40
      for (const quantum of [1, 50, 500]) {
        const taken = delay('nop', { timing, quantum })
        expect(taken).toBeGreaterThanOrEqual(ipi)
        expect(taken).toBeLessThanOrEqual(ipi + quantum + 40)
      }
    }
  })

  it('that are taken back before they arrive do not', () => {
    const run = new ProgramRun(
      `
main:
  vector mtvec handler
  bnez a0, called
  li t0, 500
1:
  addi t0, t0, -1
  bnez t0, 1b
  li t0, 0x2000004
  li t1, 1
  sw t1, 0(t0)
  sw x0, 0(t0)
  li t0, 500
1:
  addi t0, t0, -1
  bnez t0, 1b
  exit 0
called:
  csrwi mie, 8
  csrsi mstatus, 8
2:
  wfi
  j 2b
.balign 4
handler:
  exit 1
`,
      { harts: 2 },
    )
    expect(run.toExit().status).toBe(0)
  })
})

describe('waiting', () => {
  it('costs no instructions, and a board where nothing can happen any more says so', () => {
    const run = new ProgramRun('main:\n  wfi\n  j main', { harts: 2 })
    expect(run.machine.run()).toEqual({ kind: 'idle' })
    expect(run.machine.retired).toBeLessThan(100)
  })

  it('ends at the cycle of the timer, even minutes later', () => {
    const ticks = 10_000_000n * 60n
    const run = new ProgramRun(
      `
main:
  li t0, 0x80
  csrw mie, t0
  li t0, 0x2004000
  li t1, ${ticks}
  sd t1, 0(t0)
  wfi
  logcsr time
  exit 0
`,
    ).toExit(10_000_000_000)
    expect(run.log()).toEqual([ticks])
  })

  it('is counted', () => {
    const run = runProgram('main:\n  li t0, 0x80\n  csrw mie, t0\n  li t0, 0x2004000\n  li t1, 1000\n  sd t1, 0(t0)\n  wfi\n  exit 0')
    expect(run.machine.waited(0)).toBeGreaterThan(9900)
    expect(run.machine.waited(0) + run.machine.core.retired(0)).toBe(run.machine.core.clock(0))
  })
})
