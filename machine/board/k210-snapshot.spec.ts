/** A K210 board runs the same every time, and goes on from a snapshot as if it had not been stopped. */
import { describe, expect, it } from 'vitest'
import { memoryImage } from '../backend/disk-image.ts'
import { K210Run } from '../testing/k210-programs.ts'
import { boardTraceKinds } from '../trace/kinds.ts'
import type { K210Options } from './k210.ts'
import { decodeSnapshot, encodeSnapshot, restoreSnapshot, takeSnapshot } from './snapshot.ts'

/**
 * Both harts busy: hart 0 initialises the card in SPI0's slot with CMD0 again and again, prints each answer on the UARTHS and takes
 * the interrupts of TIMER0; hart 1 answers its IPIs.
 */
const PROGRAM = `
main:
  li s0, 0x02000000
  bnez a0, second
  li t0, 0x502b0000
  li t1, 5 | (1 << 20)
  sw t1, 104(t0)
  li t1, 17 | (1 << 12)
  sw t1, 108(t0)
  li t1, 4 | (1 << 12)
  sw t1, 112(t0)
  li t1, 15 | (1 << 12)
  sw t1, 116(t0)
  li s1, 0x38000000
  li t1, 1
  sw t1, 8(s1)
  li s2, 0x52000000
  li t1, 20
  sw t1, 20(s2)
  li t1, 7 << 16
  sw t1, 0(s2)
  li t1, 1
  sw t1, 8(s2)
  li t0, 0x502d0000
  li t1, 2000
  sw t1, 0(t0)
  li t1, 3
  sw t1, 8(t0)
  li t0, 0x0c000000
  li t1, 1
  sw t1, 56(t0)
  li t0, 0x0c002000
  li t1, 1 << 14
  sw t1, 0(t0)
  vector mtvec tick
  li t1, 1 << 11
  csrw mie, t1
  csrsi mstatus, 8
again:
  la s3, command
  li s4, 8
next:
  lbu t1, 0(s3)
  sw t1, 96(s2)
  addi s3, s3, 1
  addi s4, s4, -1
  bnez s4, next
  li t1, 8
  sw t1, 16(s2)
wait:
  lw t1, 36(s2)
  li t2, 8
  bltu t1, t2, wait
  sw zero, 16(s2)
  li s4, 8
drain:
  lw t1, 96(s2)
  addi s4, s4, -1
  bnez s4, drain
  andi t1, t1, 15
  addi t1, t1, 'A'
  sw t1, 0(s1)
  li t1, 1
  sw t1, 4(s0)
  j again
.balign 4
tick:
  li t5, 0x502d0000
  lw t6, 12(t5)
  li t5, 0x0c200004
  lw t6, 0(t5)
  sw t6, 0(t5)
  addi s5, s5, 1
  mret
second:
  li t1, 8
  csrw mie, t1
sleep:
  wfi
  sw zero, 4(s0)
  addi s5, s5, 1
  j sleep
.data
command: .byte 0x40, 0, 0, 0, 0, 0x95, 0xff, 0xff
.text
`

function make(engine?: K210Options['engine']): K210Run {
  const run = new K210Run(PROGRAM, { harts: 2, timing: 'k210', engine, sd: memoryImage(new Uint8Array(1 << 20)) })
  run.machine.trace.enable(boardTraceKinds)
  return run
}

const END = 6_000_000

/** What a run has come to. */
function outcome(run: K210Run) {
  run.machine.trace.drain()
  const { machine } = run
  const counts = [0, 1].map((hart) => [machine.retired, machine.core.clock(hart), machine.core.register(hart, 21)])
  return { counts, hash: machine.trace.hash, events: machine.trace.count }
}

describe('a K210 board', () => {
  it('does what this test expects of it', () => {
    const run = make()
    run.machine.run(END)
    expect(run.text).toMatch(/^(B){10}/)
    expect(Number(run.machine.core.register(0, 21))).toBeGreaterThan(50)
    expect(Number(run.machine.core.register(1, 21))).toBeGreaterThan(10)
    expect(run.warnings).toEqual([])
  })

  it('runs the same every time, wherever the host interrupts it', () => {
    const whole = make()
    whole.machine.run(END)
    const pieces = make()
    for (let at = 77_777; at < END; at += 77_777) pieces.machine.run(at)
    pieces.machine.run(END)
    expect(outcome(pieces)).toEqual(outcome(whole))
    expect(pieces.text).toBe(whole.text)
  })

  it('runs the same on either engine', () => {
    const [interpreter, jit] = (['interpreter', 'jit'] as const).map((engine) => {
      const run = make(engine)
      run.machine.run(END)
      return run
    })
    expect(outcome(jit)).toEqual(outcome(interpreter))
    expect(jit.text).toBe(interpreter.text)
  })

  it.each([10_001, 1_234_567, 3_000_003])('goes on from a snapshot at cycle %i', (at) => {
    const first = make()
    first.machine.run(at)
    const before = first.text
    const file = encodeSnapshot(takeSnapshot(first.board))
    first.machine.run(END)
    const second = make()
    restoreSnapshot(second.board, decodeSnapshot(file))
    second.machine.run(END)
    expect(outcome(second)).toEqual(outcome(first))
    expect(before + second.text).toBe(first.text)
  })
})
