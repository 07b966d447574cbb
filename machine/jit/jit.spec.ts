/** The JIT on programs that change what it compiled: code, page tables, breakpoints, memory from outside. It must never be noticed. */
import { describe, expect, it } from 'vitest'
import { Debugger } from '../debug/debugger.ts'
import { restoreSnapshot, takeSnapshot } from '../board/snapshot.ts'
import { busyProgram } from '../testing/busy-program.ts'
import { ProgramRun, type TestBoardOptions } from '../testing/programs.ts'
import { advance, memoryDifference } from './lockstep/compare.ts'

const THRESHOLD = 5

function start(source: string, options: TestBoardOptions = {}): ProgramRun {
  const run = new ProgramRun(source, { engine: 'jit', ...options })
  if (run.machine.jit) run.machine.jit.threshold = THRESHOLD
  return run
}

/** Runs a program by both engines in steps of so many cycles; returns what the JIT did. @throws when they differ. */
function compare(source: string, { cycles, step, ...options }: TestBoardOptions & { cycles: number; step: number }) {
  const runs = { interpreter: start(source, { ...options, engine: 'interpreter' }), jit: start(source, options) }
  const boards = { interpreter: runs.interpreter.board, jit: runs.jit.board }
  for (let cycle = step; cycle <= cycles; cycle += step) {
    const { result, difference } = advance(boards, cycle)
    expect(difference).toBeUndefined()
    if (result.kind === 'exit') break
  }
  expect(memoryDifference(boards)).toBeUndefined()
  return { report: runs.jit.machine.jit!.report(), run: runs.jit }
}

/** For ever: sums with a call, a division, floats and memory in each round. */
const WORK = `
main:
  la s0, area
  li t0, 0x2000
  csrs mstatus, t0
  li s1, 1
1:
  jal step
  fcvt.d.l fa0, s1
  fmul.d fa1, fa0, fa0
  fadd.d fa2, fa2, fa1
  fsd fa2, 8(s0)
  addi s1, s1, 1
  j 1b
step:
  ld t0, 0(s0)
  add t0, t0, s1
  li t1, 7
  remu t1, t0, t1
  add t0, t0, t1
change:
  addi t0, t0, 1
  sd t0, 0(s0)
  ret
.bss
.balign 4096
area: .skip 4096
`

describe('compiled code', () => {
  it('does nearly all of a loop', () => {
    const { report, run } = compare(WORK, { cycles: 300_000, step: 20_000 })
    expect(report.regions).toBeGreaterThan(0)
    expect(report.compiledInstructions / run.machine.retired).toBeGreaterThan(0.9)
  })

  it.each(['ideal', 'rocket100', 'k210'] as const)('costs what interpreted code does: %s', (timing) => {
    compare(WORK, { cycles: 200_000, step: 777, timing })
  })

  it('reads cycle, time and instret exactly', () => {
    const source = `
main:
  la s0, area
1: csrr t0, cycle
  csrr t1, instret
  csrr t2, time
  add t3, t0, t1
  xor t3, t3, t2
  ld t4, 0(s0)
  slli t5, t4, 3
  add t4, t5, t3
  sd t4, 0(s0)
  csrr t0, mcycle
  csrw 0x800, t0
  j 1b
.bss
.balign 8
area: .skip 8`
    const { report } = compare(source, { cycles: 60_000, step: 999, timing: 'rocket100' })
    expect(report.compiledInstructions).toBeGreaterThan(5_000)
  })

  it.each([
    [1, 500],
    [2, 50],
    [2, 500],
    [4, 500],
  ])('interleaves with timers, interrupts and atomics alike: %i harts, quantum %i', (harts, quantum) => {
    const { report } = compare(busyProgram(harts), { cycles: 1_000_000, step: 10_000, harts, quantum, timing: 'rocket100' })
    expect(report.compiledInstructions).toBeGreaterThan(1000)
  })
})

describe('code that changes', () => {
  it('by the very loop that runs it, without a fence', () => {
    const source = `
main:
  la s0, patch
  li s1, 3000
  li a1, 0
  lw s2, 0(s0)
1: andi t0, s1, 63
  bnez t0, patch
  # Every 64th time round the immediate grows.
  li t0, 1 << 20
  add s2, s2, t0
  sw s2, 0(s0)
patch:
  addi a1, a1, 1
  addi s1, s1, -1
  bnez s1, 1b
  log a1
  exit 0`
    const { report, run } = compare(source, { cycles: 100_000, step: 500 })
    expect(report.droppedRegions).toBeGreaterThan(1)
    // 3000, 2999, ...: with each multiple of 64 from 2944 on, the step is one larger.
    let sum = 0n
    for (let left = 3000; left > 0; left--) sum += BigInt(1 + (Math.floor(2999 / 64) - Math.ceil(left / 64) + 1))
    expect(run.log()[0]).toBe(sum)
  })

  it('in the half of an instruction that lies on the next page', () => {
    const source = `
main:
  li s1, 3000
  li a1, 0
  la s0, crossing + 2
  lhu s2, 0(s0)
  j loop
.balign 4096
  .skip 4096 - 20
loop:
  andi t0, s1, 63
  bnez t0, 1f
  addi s2, s2, 16
  sh s2, 0(s0)
1: .2byte 1
crossing:
  lui a2, 16
  add a1, a1, a2
  addi s1, s1, -1
  bnez s1, loop
  log a1
  exit 0`
    const { report, run } = compare(source, { cycles: 100_000, step: 500 })
    expect(run.symbol('crossing') % 4096n).toBe(4094n)
    expect(report.droppedRegions).toBeGreaterThan(1)
    expect(report.compiledInstructions).toBeGreaterThan(500)
    let sum = 0n
    for (let left = 3000; left > 0; left--) sum += BigInt(65536 + 2 ** 20 * (Math.floor(3000 / 64) - Math.ceil(left / 64) + 1))
    expect(run.log()[0]).toBe(sum)
  })

  it('by another hart', () => {
    const source = `
main:
  la s0, patch
  lw s2, 0(s0)
  bnez a0, writer
1:
patch:
  addi a1, a1, 1
  addi a2, a2, 1
  j 1b
writer:
  li t0, 1 << 20
  xor s2, s2, t0
  sw s2, 0(s0)
  li t1, 700
2: addi t1, t1, -1
  bnez t1, 2b
  j writer`
    const { report } = compare(source, { cycles: 200_000, step: 1000, harts: 2, quantum: 100 })
    expect(report.droppedRegions).toBeGreaterThan(1)
  })

  it('from outside, by the debugger', () => {
    const run = start(WORK)
    const other = start(WORK, { engine: 'interpreter' })
    for (const { machine, board } of [run, other]) {
      machine.run(50_000)
      // addi t0, t0, 2
      new Debugger(board.machine).writeMemory(run.symbol('change'), Uint8Array.of(0x93, 0x82, 0x22, 0), 'physical')
      machine.run(100_000)
    }
    expect(run.machine.jit!.report().droppedRegions).toBeGreaterThan(0)
    expect(memoryDifference({ interpreter: other.board, jit: run.board })).toBeUndefined()
  })

  it.each([
    ['through a register', 'jalr s7'],
    ['from the page before', 'jal first'],
  ])('by mapping other pages to the same addresses, called %s', (_how, call) => {
    // The loop runs at 0x40000000; the page behind it is one of two, in turns.
    const source = `
main:
  la s0, root
  la s1, middle
  la s2, leaves
  srli t0, s1, 2
  ori t0, t0, 1
  sd t0, 8(s0)
  srli t0, s2, 2
  ori t0, t0, 1
  sd t0, 0(s1)
  li t0, 0xcf
  sd t0, 0(s0)
  li t0, (0x80000000 >> 2) | 0xcf
  sd t0, 16(s0)
  la t0, loop
  srli t0, t0, 2
  ori t0, t0, 0xcf
  sd t0, 0(s2)
  la s3, first
  srli s3, s3, 2
  ori s3, s3, 0xcf
  la s4, second
  srli s4, s4, 2
  ori s4, s4, 0xcf
  srli t0, s0, 12
  li t1, 8 << 60
  or s5, t0, t1
  enter SUPERVISOR 1f
1: csrw satp, s5
  li s6, 2000
  li a1, 0
  li t0, 0x40000000
  li s7, 0x40001000
  jr t0
.balign 4096
loop:
  sd s3, 8(s2)
  sfence.vma
  li s8, 3
1: ${call}
  addi s8, s8, -1
  bnez s8, 1b
  xor s3, s3, s4
  xor s4, s3, s4
  xor s3, s3, s4
  addi s6, s6, -1
  bnez s6, loop
  exit 0
.balign 4096
first:
  li t0, 10
3: addi a1, a1, 1
  addi t0, t0, -1
  bnez t0, 3b
  ret
.balign 4096
second:
  li t0, 10
4: addi a1, a1, 3
  addi t0, t0, -1
  bnez t0, 4b
  ret
.bss
.balign 4096
root: .skip 4096
middle: .skip 4096
leaves: .skip 4096`
    const { run, report } = compare(source, { cycles: 600_000, step: 1500 })
    expect(run.machine.core.register(0, 11)).toBe(BigInt(1000 * 3 * 10 * (1 + 3)))
    expect(report.compiledInstructions).toBeGreaterThan(50_000)
  })
})

describe('who looks at the machine', () => {
  it('stops at a breakpoint and at a watchpoint within compiled code, at the same cycle', () => {
    const stops = (['interpreter', 'jit'] as const).map((engine) => {
      const run = start(WORK, { engine })
      run.machine.run(40_000)
      const hands = new Debugger(run.machine)
      hands.addBreakpoint(run.symbol('change'))
      const first = hands.resume(run.machine.now + 10_000)
      const at = run.machine.now
      const second = hands.resume(run.machine.now + 10_000)
      const gap = run.machine.now - at
      hands.clear()
      run.machine.run(run.machine.now + 20_000)
      hands.addWatchpoint({ address: run.symbol('area') + 8n, length: 8, access: 'write' })
      const third = hands.resume(run.machine.now + 10_000)
      return { first, second, third, at, gap, now: run.machine.now, s1: run.machine.core.register(0, 9) }
    })
    expect(stops[0].third.kind).toBe('watchpoint')
    expect(stops[1]).toEqual(stops[0])
  })

  it('gets the same machine from a snapshot taken elsewhere', () => {
    const whole = start(WORK)
    whole.machine.run(200_000)
    const first = start(WORK)
    first.machine.run(90_000)
    const snapshot = takeSnapshot(first.board)
    const second = start(WORK.replace('addi t0, t0, 1\n  sd', 'addi t0, t0, 5\n  sd'))
    second.machine.run(50_000)
    restoreSnapshot(second.board, snapshot)
    // What became hot is compiled between runs.
    for (let cycle = 100_000; cycle <= 200_000; cycle += 10_000) second.machine.run(cycle)
    expect(second.machine.jit!.report().compiledInstructions).toBeGreaterThan(80_000)
    expect(memoryDifference({ interpreter: whole.board, jit: second.board })).toBeUndefined()
  })

  it('bounds the code cache: the oldest regions make room and come back', () => {
    const functions = Array.from(
      { length: 40 },
      (_, i) => `work${i}:\n  li t0, 20\n1: addi a1, a1, ${i}\n  addi t0, t0, -1\n  bnez t0, 1b\n  ret`,
    )
    const source = `main:\n1:${functions.map((_, i) => `  la t1, work${i}\n  jalr t1`).join('\n')}\n  j 1b\n${functions.join('\n')}`
    const run = start(source)
    run.machine.jit!.mostBytes = 4000
    run.machine.run(500_000)
    const other = start(source, { engine: 'interpreter' })
    other.machine.run(500_000)
    const report = run.machine.jit!.report()
    expect(report.evictedRegions).toBeGreaterThan(10)
    expect(report.liveRegions).toBeLessThan(30)
    expect(run.machine.core.register(0, 11)).toBe(other.machine.core.register(0, 11))
  })
})
