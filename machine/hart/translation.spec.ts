/** Sv39 and Sv48, satp, and code that changes (Privileged 1.12, 4.1.11, 4.3 to 4.5; Unprivileged, "Zifencei"). */
import { describe, expect, it } from 'vitest'
import { logOf, runProgram } from '../testing/programs.ts'

const V = 0x01
const R = 0x02
const W = 0x04
const X = 0x08
const U = 0x10
const G = 0x20
const A = 0x40
const D = 0x80
const ALL = V | R | W | X | A | D

const FETCH = 12n
const LOAD = 13n
const STORE = 15n

/** Where the window's pages appear: 4 KiB pages by entries 0, 1, … of the last level. */
const WINDOW = 0x4000_0000n

interface Tables {
  readonly levels?: 3 | 4
  /** Flags of the window's pages, which map `pages`, `pages` + 4096, … */
  readonly flags: readonly (number | bigint)[]
  /** Flags of the gigapage at 0x80000000, where the program is. */
  readonly identity?: number
}

/** Builds the tables and sets satp, in M. Clobbers t0 to t2. */
function setUp({ levels = 3, flags, identity = ALL }: Tables): string {
  const link = (from: string, index: number, to: string) => `
  la t0, ${from} + ${index * 8}
  la t1, ${to}
  srli t1, t1, 2
  ori t1, t1, ${V}
  sd t1, 0(t0)`
  const top = levels === 4 ? 'upper' : 'root'
  return `${levels === 4 ? link('root', 0, 'upper') : ''}
${link(top, 1, 'middle')}
${link('middle', 0, 'leaves')}
  la t0, ${top} + 16
  li t1, 0x80000000 >> 2 | ${identity}
  sd t1, 0(t0)
${flags
  .map(
    (bits, index) => `
  la t0, leaves + ${index * 8}
  la t1, pages + ${index * 4096}
  srli t1, t1, 2
  li t2, 0x${bits.toString(16)}
  or t1, t1, t2
  sd t1, 0(t0)`,
  )
  .join('')}
  la t0, root
  srli t0, t0, 12
  li t1, ${levels === 4 ? 9 : 8} << 60
  or t0, t0, t1
  csrw satp, t0
  sfence.vma
  li s0, 0x${WINDOW.toString(16)}`
}

const SPACE = `
.data
.balign 4096
root: .skip 4096
upper: .skip 4096
middle: .skip 4096
leaves: .skip 4096
pages: .skip 4 * 4096
.text
`

/** Runs instructions in a mode: cause and trap value of what traps. An illegal instruction ends the run: the finisher is not mapped. */
function faults(tables: Tables, instructions: string, options: { mode?: 'USER' | 'SUPERVISOR' | 'MACHINE'; before?: string } = {}) {
  const log = logOf(`${SPACE}
main:
  vector mtvec handler
  ${options.before ?? ''}
  ${setUp(tables)}
  enter ${options.mode ?? 'SUPERVISOR'} go
go:
${instructions}
  .4byte 0xffffffff
.balign 4
handler:
  csrr t6, mcause
  addi t5, t6, -2
  beqz t5, 1f
  log t6
  logcsr mtval
  csrr t6, mepc
  addi t6, t6, 4
  csrw mepc, t6
  mret
1:
  exit 0
`)
  return log.flatMap((cause, index): [bigint, bigint][] => (index % 2 === 0 ? [[cause, log[index + 1]]] : []))
}

describe('satp (4.1.11)', () => {
  it('takes Bare, Sv39 and Sv48; a write of another mode changes nothing', () => {
    const log = logOf(`
main:
  li t0, 9 << 60 | 0xabcd << 44 | 0x80001
  csrw satp, t0
  logcsr satp
  li t1, 10 << 60 | 1
  csrw satp, t1
  logcsr satp
  li t1, 1 << 60
  csrw satp, t1
  logcsr satp
  li t0, 8 << 60 | 0x80002
  csrw satp, t0
  logcsr satp
  csrw satp, x0
  logcsr satp
  exit 0
`)
    const sv48 = (9n << 60n) | (0xabcdn << 44n) | 0x80001n
    expect(log).toEqual([sv48, sv48, sv48, (8n << 60n) | 0x80002n, 0n])
  })

  it('does not bind M, but for loads and stores under MPRV', () => {
    expect(faults({ flags: [0] }, '  lw a0, 0(s0)', { mode: 'MACHINE' })).toEqual([[5n, WINDOW]])
  })
})

for (const levels of [3, 4] as const) {
  describe(`Sv${12 + 9 * levels}`, () => {
    it('permissions of pages', () => {
      const body = '  lw a0, 0(s0)\n  sw a0, 0(s0)'
      const causes = (flags: number | bigint) => faults({ levels, flags: [flags] }, body).map(([cause]) => cause)
      expect(causes(ALL)).toEqual([])
      expect(causes(V | R | A | D)).toEqual([STORE])
      expect(causes(V | X | A | D)).toEqual([LOAD, STORE])
      expect(causes(ALL & ~V)).toEqual([LOAD, STORE])
      expect(causes(V | W | A | D)).toEqual([LOAD, STORE])
      expect(causes(V)).toEqual([LOAD, STORE])
      expect(causes(ALL | G)).toEqual([])
      // Reserved bits (4.3.1): without Svpbmt and Svnapot they must be 0.
      expect(causes(BigInt(ALL) | (1n << 54n))).toEqual([LOAD, STORE])
      expect(causes(BigInt(ALL) | (1n << 61n))).toEqual([LOAD, STORE])
      expect(causes(BigInt(ALL) | (1n << 63n))).toEqual([LOAD, STORE])
    })

    it('addresses must be sign-extended', () => {
      const bits = 12 + 9 * levels
      const log = faults({ levels, flags: [ALL] }, `  li s1, 1 << ${bits - 1}\n  add s1, s1, s0\n  lw a0, 0(s1)`)
      expect(log).toEqual([[LOAD, WINDOW + (1n << BigInt(bits - 1))]])
    })

    it('a misaligned superpage faults', () => {
      const log = faults(
        { levels, flags: [] },
        `
  lw a0, 0(s0)
  lw a0, 0(s1)`,
        {
          before: `
  la t0, middle
  li t1, 0x80001000 >> 2 | ${ALL}
  sd t1, 8(t0)
  li t1, 0x80000000 >> 2 | ${ALL}
  sd t1, 16(t0)
  li s1, 0x40200000`,
        },
      )
      expect(log).toEqual([
        [LOAD, WINDOW],
        [LOAD, WINDOW + 0x20_0000n],
      ])
    })

    it('U pages: S needs SUM and never executes them; U sees no others', () => {
      const flags = [ALL | U, ALL]
      const load = '  lw a0, 0(s0)\n  li t2, 4096\n  add t2, t2, s0\n  lw a0, 0(t2)'
      expect(faults({ levels, flags }, load)).toEqual([[LOAD, WINDOW]])
      expect(faults({ levels, flags }, load, { before: '  li t0, 1 << 18\n  csrs mstatus, t0' })).toEqual([])
      expect(faults({ levels, flags, identity: ALL | U }, load, { mode: 'USER' })).toEqual([[LOAD, WINDOW + 4096n]])
      const jump = '  la ra, 1f\n  jr s0\n1:'
      const fetch = faults({ levels, flags }, jump, { before: '  li t0, 1 << 18\n  csrs mstatus, t0' })
      expect(fetch[0]).toEqual([FETCH, WINDOW])
    })

    it('MXR lets loads read what may be executed', () => {
      expect(faults({ levels, flags: [V | X | A | D] }, '  lw a0, 0(s0)', { before: '  li t0, 1 << 19\n  csrs mstatus, t0' })).toEqual([])
    })

    it('a load sets A, a store A and D, a fetch A; nothing else touches the entry', () => {
      const leaf = (instruction: string) => {
        const program = runProgram(`${SPACE}
main:
  vector mtvec handler
  la t0, pages
  li t1, 0x00008067
  sw t1, 0(t0)
  ${setUp({ levels, flags: [V | R | W | X] })}
  enter SUPERVISOR go
go:
  ${instruction}
  .4byte 0xffffffff
.balign 4
handler:
  exit 0
`)
        return Number(program.doubleword('leaves') & 0xffn)
      }
      expect(leaf('lw a0, 0(s0)')).toBe(V | R | W | X | A)
      expect(leaf('sw x0, 0(s0)')).toBe(V | R | W | X | A | D)
      expect(leaf('la ra, 1f\n  jr s0\n1:')).toBe(V | R | W | X | A)
      expect(leaf('lr.w a0, (s0)')).toBe(V | R | W | X | A)
      expect(leaf('amoor.w a0, x0, (s0)')).toBe(V | R | W | X | A | D)
      expect(leaf('lw a0, 0(s0)\n  sw x0, 0(s0)')).toBe(V | R | W | X | A | D)
      // Without a reservation nothing is stored, and nothing is marked.
      expect(leaf('sc.w a0, x0, (s0)')).toBe(V | R | W | X)
      expect(leaf('nop')).toBe(V | R | W | X)
    })
  })
}

describe('accesses that cross a page', () => {
  it('a fault names the first byte that it concerns', () => {
    const body = '  li t2, 4092\n  add s1, s0, t2\n  ld a0, 0(s1)\n  sd a0, 0(s1)'
    expect(faults({ flags: [ALL, 0] }, body)).toEqual([
      [LOAD, WINDOW + 4096n],
      [STORE, WINDOW + 4096n],
    ])
    expect(faults({ flags: [0, ALL] }, body)).toEqual([
      [LOAD, WINDOW + 4092n],
      [STORE, WINDOW + 4092n],
    ])
    expect(faults({ flags: [ALL, ALL] }, body)).toEqual([])
  })

  it('a store that faults on its second page has changed nothing on the first', () => {
    const program = runProgram(`${SPACE}
main:
  vector mtvec handler
  ${setUp({ flags: [ALL, V | R | A] })}
  enter SUPERVISOR go
go:
  li t2, 4092
  add s1, s0, t2
  li a0, -1
  sd a0, 0(s1)
  .4byte 0xffffffff
.balign 4
handler:
  exit 0
`)
    expect(program.doubleword(program.symbol('pages') + 4088n)).toBe(0n)
  })

  it('an instruction whose second half is absent: pc is its start, the value its second half', () => {
    const log = logOf(`${SPACE}
main:
  vector mtvec handler
  la t0, pages + 4094
  li t1, 0x0513           # first half of li a0, 0
  sh t1, 0(t0)
  ${setUp({ flags: [ALL, 0] })}
  enter SUPERVISOR go
go:
  li t2, 4094
  add s1, s0, t2
  jr s1
.balign 4
handler:
  logcsr mcause
  logcsr mepc
  logcsr mtval
  exit 0
`)
    expect(log).toEqual([FETCH, WINDOW + 4094n, WINDOW + 4096n])
  })

  it('an instruction across two pages far apart in memory is executed', () => {
    const log = logOf(`${SPACE}
main:
  vector mtvec handler
  la t0, pages + 4094
  li t1, 0x0513
  sh t1, 0(t0)
  la t0, pages + 8192     # where the window's second page leads to
  li t1, 0x07b0           # second half of li a0, 123
  sh t1, 0(t0)
  li t1, 0xffffffff
  sh t1, 2(t0)
  sh t1, 4(t0)
  ${setUp({ flags: [ALL, ALL] })}
  la t0, leaves + 8
  la t1, pages + 8192
  srli t1, t1, 2
  ori t1, t1, ${ALL}
  sd t1, 0(t0)
  sfence.vma
  enter SUPERVISOR go
go:
  li t2, 4094
  add s1, s0, t2
  jr s1
.balign 4
handler:
  log a0
  logcsr mepc
  exit 0
`)
    expect(log).toEqual([123n, WINDOW + 4098n])
  })
})

describe('sfence.vma (4.2.1)', () => {
  it('a new mapping is used after it', () => {
    const log = logOf(`${SPACE}
main:
  vector mtvec handler
  la t0, pages
  li t1, 11
  sd t1, 0(t0)
  la t0, pages + 4096
  li t1, 22
  sd t1, 0(t0)
  ${setUp({ flags: [ALL] })}
  enter SUPERVISOR go
go:
  ld a0, 0(s0)
  log a0
  la t0, leaves
  la t1, pages + 4096
  srli t1, t1, 2
  ori t1, t1, ${ALL}
  sd t1, 0(t0)
  sfence.vma s0, x0
  ld a0, 0(s0)
  log a0
  .4byte 0xffffffff
.balign 4
handler:
  exit 0
`)
    expect(log).toEqual([11n, 22n])
  })
})

describe('code that changes', () => {
  it('a store to the next instructions of the same hart is seen after fence.i', () => {
    const log = logOf(`
main:
  la t0, patched
  li t1, 0x00700513       # li a0, 7
  li s0, 3
again:
  call patched_function
  log a0
  sw t1, 0(t0)
  fence.i
  li t2, 0x00100000       # the next number
  add t1, t1, t2
  addi s0, s0, -1
  bnez s0, again
  exit 0
patched_function:
patched:
  li a0, 1
  ret
`)
    expect(log).toEqual([1n, 7n, 8n])
  })

  it('this machine sees it even without fence.i, on the same page and straight ahead', () => {
    const log = logOf(`
main:
  li s0, 2
  la t0, patched
  li t1, 0x00700513
again:
  addi s0, s0, -1
  bnez s0, patched
  sw t1, 0(t0)
patched:
  li a0, 1
  log a0
  bnez s0, again
  exit 0
`)
    expect(log).toEqual([1n, 7n])
  })

  it('half of an instruction can change', () => {
    const log = logOf(`
main:
  la t0, patched
  call patched
  log a0
  li t1, 0x07b0
  sh t1, 2(t0)
  fence.i
  call patched
  log a0
  exit 0
patched:
  li a0, 1
  ret
`)
    expect(log).toEqual([1n, 123n])
  })

  it('another hart sees it', () => {
    const run = runProgram(
      `
main:
  la s0, flag
  bnez a0, other
  la t0, patched
  li t1, 0x00700513
  sw t1, 0(t0)
  fence
  li t0, 1
  sw t0, 0(s0)
  j .
other:
  call patched
  log a0
1:
  lw t0, 0(s0)
  beqz t0, 1b
  fence.i
  call patched
  log a0
  exit 0
patched:
  li a0, 1
  ret
.data
.balign 4
flag: .word 0
`,
      { harts: 2, quantum: 50 },
    )
    // Hart 0 goes first, so that hart 1 may find the new instruction at once.
    expect(run.log(1).at(-1)).toBe(7n)
  })
})
