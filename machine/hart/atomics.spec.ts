/** Atomics between harts (Unprivileged, "A"): nothing is lost, whatever the quantum. */
import { describe, expect, it } from 'vitest'
import { logOf, runProgram } from '../testing/programs.ts'

const EACH = 400

/** Every hart adds to `counter` by `increment`; hart 0 waits for all and exits. */
const contention = (increment: string) => `
main:
  la s0, counter
  la s1, finished
  li s2, ${EACH}
again:
${increment}
  addi s2, s2, -1
  bnez s2, again
  li t0, 1
  amoadd.w.rl x0, t0, (s1)
  csrr a0, mhartid
  bnez a0, .
1:
  lw t0, 0(s1)
  la t1, harts
  lw t1, 0(t1)
  bne t0, t1, 1b
  exit 0
`

const data = (harts: number) => `
.data
.balign 8
counter: .dword 0
lock: .dword 0
finished: .word 0
harts: .word ${harts}
.text
`

const INCREMENTS = {
  'lr.d/sc.d': `
2:
  lr.d t0, (s0)
  addi t0, t0, 1
  sc.d t1, t0, (s0)
  bnez t1, 2b`,
  'lr.w/sc.w with work between': `
2:
  lr.w t0, (s0)
  addi t0, t0, 1
  xor t2, t0, s2
  and t2, t2, s2
  sc.w t1, t0, (s0)
  bnez t1, 2b`,
  'amoadd.d': '  li t0, 1\n  amoadd.d x0, t0, (s0)',
  'a lock by amoswap, loads and stores inside': `
  la t3, lock
2:
  li t0, 1
  amoswap.w.aq t0, t0, (t3)
  bnez t0, 2b
  ld t0, 0(s0)
  addi t0, t0, 1
  sd t0, 0(s0)
  amoswap.w.rl x0, x0, (t3)`,
}

describe('contention', () => {
  for (const [name, increment] of Object.entries(INCREMENTS)) {
    for (const harts of [2, 4]) {
      it(`${harts} harts: ${name}`, () => {
        for (const quantum of [1, 7, 50, 500]) {
          for (const timing of ['ideal', 'rocket100'] as const) {
            const run = runProgram(data(harts) + contention(increment), { harts, quantum, timing })
            expect(run.doubleword('counter')).toBe(BigInt(harts * EACH))
          }
        }
      })
    }
  }
})

describe('reservations', () => {
  it('sc succeeds once, only at the reserved address, only with its size aligned', () => {
    const log = logOf(`
main:
  la s0, word
  lr.w a0, (s0)
  sc.w a1, s0, (s0)
  log a1
  sc.w a1, s0, (s0)
  log a1
  lr.w a0, (s0)
  addi s1, s0, 4
  sc.w a1, s0, (s1)
  log a1
  sc.w a1, s0, (s0)
  log a1
  exit 0
.data
.balign 8
word: .dword 0
`)
    expect(log).toEqual([0n, 1n, 1n, 1n])
  })

  it('is lost when another hart stores to it', () => {
    const run = runProgram(
      `
main:
  la s0, word
  la s1, step
  bnez a0, other
  lr.w t0, (s0)
  li t0, 1
  sw t0, 0(s1)
1:
  lw t0, 0(s1)
  addi t0, t0, -2
  bnez t0, 1b
  sc.w t0, x0, (s0)
  log t0
  lw t0, 0(s0)
  log t0
  exit 0
other:
  lw t0, 0(s1)
  beqz t0, other
  li t0, 5
  sw t0, 0(s0)
  li t0, 2
  sw t0, 0(s1)
  j .
.data
.balign 8
word: .dword 0
step: .dword 0
`,
      { harts: 2 },
    )
    expect(run.log()).toEqual([1n, 5n])
  })
})

describe('the cost of a line that another hart had', () => {
  it('is paid once per transfer', () => {
    const cycles = (first: string) =>
      Number(
        runProgram(
          `
main:
  la s0, word
  la s1, step
  bnez a0, other
1:
  lw t0, 0(s1)
  beqz t0, 1b
  rdcycle t0
  amoadd.w x0, x0, (s0)
  rdcycle t1
  sub t1, t1, t0
  log t1
  exit 0
other:
  ${first}
  li t0, 1
  sw t0, 0(s1)
  j .
.data
.balign 64
word: .dword 0
.balign 64
step: .dword 0
`,
          { harts: 2 },
        ).log()[0],
      )
    expect(cycles('nop')).toBe(2)
    expect(cycles('amoadd.w x0, x0, (s0)')).toBe(12)
  })
})
