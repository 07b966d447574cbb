/** Physical memory protection (Privileged 1.12, 3.7). */
import { describe, expect, it } from 'vitest'
import { logOf, runProgram } from '../testing/programs.ts'

const R = 1
const W = 2
const X = 4
const TOR = 0x08
const NA4 = 0x10
const NAPOT = 0x18
const L = 0x80

const LOAD = 5n
const STORE = 7n
const FETCH = 1n

interface Entry {
  /** Byte offset from `area`. */
  readonly at: number
  /** For NAPOT, in bytes. */
  readonly size?: number
  readonly config: number
}

/** Entries from 0 on for `area`, then one that opens everything. */
function setUp(entries: readonly Entry[], open = NAPOT | R | W | X): string {
  const address = ({ at, size }: Entry, index: number) => `
  la t0, area + ${at}
  srli t0, t0, 2
  ${size ? `ori t0, t0, ${size / 8 - 1}` : ''}
  csrw pmpaddr${index}, t0`
  const configs = [...entries.map(({ config }) => config), open]
  const packed = configs.reduce((sum, config, index) => sum | (BigInt(config) << BigInt(8 * index)), 0n)
  return `${entries.map(address).join('')}
  li t0, -1
  csrw pmpaddr${entries.length}, t0
  li t0, 0x${packed.toString(16)}
  csrw pmpcfg0, t0`
}

const AREA = `
.data
.balign 4096
area: .skip 8192
.text
`

/** Accesses in a mode: cause and offset from `area` of each one that trapped. */
function faults(
  entries: readonly Entry[],
  accesses: readonly string[],
  mode: 'USER' | 'SUPERVISOR' | 'MACHINE' = 'SUPERVISOR',
  before = '',
): [bigint, number][] {
  const run = runProgram(`${AREA}
main:
  vector mtvec skip_trap
  la s0, area
  ${before}
  ${setUp(entries)}
  enter ${mode} go
go:
${accesses.map((text) => `  ${text}`).join('\n')}
  exit 0
`)
  const log = run.log()
  return log.flatMap((cause, index): [bigint, number][] => (index % 2 === 0 ? [[cause, Number(log[index + 1] - run.symbol('area'))]] : []))
}

describe('matching (3.7.1.1)', () => {
  it('NA4 covers four bytes', () => {
    const accesses = ['lw a0, 4(s0)', 'lw a0, 8(s0)', 'lb a0, 11(s0)', 'lw a0, 12(s0)', 'sb a0, 9(s0)']
    expect(faults([{ at: 8, config: NA4 }], accesses)).toEqual([
      [LOAD, 8],
      [LOAD, 11],
      [STORE, 9],
    ])
  })

  it('NAPOT covers a power of two from 8 bytes on', () => {
    for (const size of [8, 16, 64, 2048]) {
      const accesses = [`lw a0, ${2048 - 4}(s0)`, 'li t1, 2048', 'add s1, s0, t1', 'lw a0, 0(s1)', `lw a0, ${size - 4}(s1)`]
      const behind = size === 2048 ? ['add s1, s1, t1', 'lw a0, 0(s1)'] : [`lw a0, ${size}(s1)`]
      expect(faults([{ at: 2048, size, config: NAPOT }], [...accesses, ...behind])).toEqual([
        [LOAD, 2048],
        [LOAD, 2048 + size - 4],
      ])
    }
  })

  it('TOR covers from the address before to its own', () => {
    const entries = [
      { at: 20, config: 0 },
      { at: 40, config: TOR | R },
    ]
    const accesses = ['lw a0, 16(s0)', 'sw a0, 16(s0)', 'lw a0, 20(s0)', 'sw a0, 20(s0)', 'sw a0, 36(s0)', 'sw a0, 40(s0)']
    expect(faults(entries, accesses)).toEqual([
      [STORE, 20],
      [STORE, 36],
    ])
  })

  it('TOR of entry 0 begins at address 0; an empty range matches nothing', () => {
    const first = [
      { at: 16, config: TOR | R | W | X },
      { at: 0, size: 4096, config: NAPOT },
    ]
    expect(faults(first, ['lw a0, 12(s0)', 'sw a0, 12(s0)', 'sw a0, 16(s0)'])).toEqual([[STORE, 16]])
    const empty = [
      { at: 40, config: 0 },
      { at: 40, config: TOR },
    ]
    expect(faults(empty, ['lw a0, 36(s0)', 'lw a0, 40(s0)'])).toEqual([])
  })

  it('the lowest entry that matches decides', () => {
    const entries = [
      { at: 8, config: NA4 | R },
      { at: 0, size: 32, config: NAPOT },
    ]
    expect(faults(entries, ['lw a0, 8(s0)', 'lw a0, 4(s0)', 'lw a0, 12(s0)', 'sw a0, 8(s0)'])).toEqual([
      [LOAD, 4],
      [LOAD, 12],
      [STORE, 8],
    ])
  })

  it('an access that an entry covers in part fails, whatever the permissions', () => {
    expect(faults([{ at: 8, config: NA4 | R | W | X }], ['lw a0, 8(s0)', 'ld a0, 8(s0)', 'ld a0, 4(s0)', 'sd a0, 8(s0)'])).toEqual([
      [LOAD, 8],
      [LOAD, 4],
      [STORE, 8],
    ])
  })

  it('nothing matches: M may, S and U may not', () => {
    const closed = (mode: string) => `${AREA}
main:
  vector mtvec handler
  la s0, area
  ${setUp([{ at: 0, config: 0 }], 0)}
  lw a0, 0(s0)
  li a0, 1
  log a0
  enter ${mode} go
go:
  lw a0, 0(s0)
  exit 1
.balign 4
handler:
  logcsr mcause
  exit 0
`
    for (const mode of ['SUPERVISOR', 'USER']) expect(logOf(closed(mode))).toEqual([1n, FETCH])
  })
})

describe('permissions', () => {
  it('read, write and execute by themselves', () => {
    const call = ['la ra, 1f', 'jr s0', '1: nop']
    const program = ['lw a0, 0(s0)', 'sw a1, 0(s0)', ...call]
    const before = '  li a1, 0x00008067\n  sw a1, 0(s0)'
    const causes = (config: number) => {
      // A fetch that faults goes on behind the jump's target: the next word of the area returns too.
      const log = faults([{ at: 0, config: NA4 | config }], program, 'SUPERVISOR', `${before}\n  sw a1, 4(s0)`)
      return log.map(([cause]) => cause)
    }
    expect(causes(R | W | X)).toEqual([])
    expect(causes(R | W)).toEqual([FETCH])
    expect(causes(R)).toEqual([STORE, FETCH])
    expect(causes(X)).toEqual([LOAD, STORE])
    expect(causes(0)).toEqual([LOAD, STORE, FETCH])
  })

  it('write without read is reserved and never held', () => {
    const log = logOf('main:\n  li t0, 0x18 | 2\n  csrw pmpcfg2, t0\n  logcsr pmpcfg2\n  exit 0')
    expect(log[0] & 3n).not.toBe(2n)
  })

  it('atomics need both', () => {
    const log = faults(
      [{ at: 0, size: 8, config: NAPOT | R }],
      ['lr.w a0, (s0)', 'amoadd.w a0, a0, (s0)', 'lr.w a0, (s0)', 'sc.w a0, a0, (s0)'],
    )
    expect(log).toEqual([
      [STORE, 0],
      [STORE, 0],
    ])
  })

  it('fetches see four-byte regions too, and both halves of an instruction are checked', () => {
    const run = runProgram(`${AREA}
main:
  vector mtvec handler
  la s0, area
  li a1, 0x00100493       # li s1, 1
  sw a1, 0(s0)
  li a1, 0x00200493       # li s1, 2
  sw a1, 4(s0)
  li a1, 0x00300493       # li s1, 3, of which only the first half may be fetched
  sw a1, 10(s0)
  li a1, 0x0001           # c.nop
  sh a1, 8(s0)
  ${setUp([
    { at: 12, config: NA4 | R | W },
    { at: 0, size: 4096, config: NAPOT | R | W | X },
  ])}
  enter SUPERVISOR go
go:
  jr s0
.balign 4
handler:
  logcsr mcause
  logcsr mepc
  logcsr mtval
  log s1
  exit 0
`)
    const area = run.symbol('area')
    expect(run.log()).toEqual([FETCH, area + 10n, area + 12n, 2n])
  })

  it('do not bind M unless locked', () => {
    const accesses = ['lw a0, 0(s0)', 'sw a0, 0(s0)']
    expect(faults([{ at: 0, config: NA4 }], accesses, 'MACHINE')).toEqual([])
    expect(faults([{ at: 0, config: NA4 | L | R }], accesses, 'MACHINE')).toEqual([[STORE, 0]])
    expect(faults([{ at: 0, config: NA4 | L | R }], accesses, 'USER')).toEqual([[STORE, 0]])
  })
})

describe('locking (3.7.1.2)', () => {
  const log = (writes: string) =>
    logOf(`
main:
  li t0, 0x1000
  csrw pmpaddr1, t0
  li t0, 0x2000
  csrw pmpaddr2, t0
  li t1, -1
${writes}
  logcsr pmpcfg0
  logcsr pmpaddr1
  logcsr pmpaddr2
  exit 0
`)

  it('holds configuration and address until reset', () => {
    expect(
      log('  li t0, 0x99001f\n  csrw pmpcfg0, t0\n  li t0, 0x1f\n  csrw pmpcfg0, t0\n  csrw pmpaddr2, t1\n  csrw pmpaddr1, x0'),
    ).toEqual([0x99001fn, 0n, 0x2000n])
  })

  it('of a TOR entry holds the address before, too', () => {
    expect(log('  li t0, 0x89001f\n  csrw pmpcfg0, t0\n  csrw pmpaddr1, t1\n  csrw pmpaddr2, t1')).toEqual([0x89001fn, 0x1000n, 0x2000n])
  })
})

describe('registers', () => {
  it('addresses have 54 bits; configurations no bits 5 and 6; odd configuration registers do not exist', () => {
    const log = logOf(`
main:
  vector mtvec skip_trap
  li t0, -1
  csrw pmpaddr15, t0
  logcsr pmpaddr15
  li t0, 0x7f
  csrw pmpcfg2, t0
  logcsr pmpcfg2
  csrr t0, 0x3a1
  exit 0
`)
    expect(log.slice(0, 3)).toEqual([0x3f_ffff_ffff_ffffn, 0x1fn, 2n])
  })

  it('belong to M', () => {
    expect(faults([], ['csrr a0, pmpcfg0', 'csrr a0, pmpaddr0']).map(([cause]) => cause)).toEqual([2n, 2n])
  })
})

describe('changes', () => {
  it('take effect at once, also for addresses checked before', () => {
    const run = runProgram(`${AREA}
main:
  vector mtvec skip_trap
  la s0, area
  li s1, 4096
  add s1, s1, s0
  ${setUp([{ at: 0, size: 4096, config: NAPOT | R }])}
  # Loads and stores act as S or U from here on.
  li t0, 3 << 11
  csrc mstatus, t0
  li t0, 1 << 17
  csrs mstatus, t0
  lw a0, 0(s0)
  lw a0, 0(s1)
  sw a0, 0(s0)
  sw a0, 0(s1)
  li t0, 0x1f00 | ${NAPOT | W | R}
  csrw pmpcfg0, t0
  sw a0, 0(s0)
  # The entry moves on by a page.
  csrr t0, pmpaddr0
  addi t0, t0, 1024
  li t1, 0x1f00 | ${NAPOT}
  csrw pmpcfg0, t1
  csrw pmpaddr0, t0
  lw a0, 0(s0)
  lw a0, 0(s1)
  lw a0, 0(s0)
  lw a0, 0(s1)
  exit 0
`)
    const area = run.symbol('area')
    expect(run.log()).toEqual([STORE, area, LOAD, area + 4096n, LOAD, area + 4096n])
  })
})

describe('with translation', () => {
  it('page tables are read with the rights of S', () => {
    const run = runProgram(`${AREA}
.data
.balign 4096
root:
  .dword 0, 0
  .dword 0x200000cf
  .balign 4096
.text
main:
  vector mtvec handler
  la s0, area
  la t0, root
  srli t1, t0, 12
  li t2, 8 << 60
  or t1, t1, t2
  csrw satp, t1
  # The root page is nobody's.
  srli t0, t0, 2
  ori t0, t0, 0x1ff
  csrw pmpaddr0, t0
  li t0, -1
  csrw pmpaddr1, t0
  li t0, 0x1f18
  csrw pmpcfg0, t0
  li t0, 1 << 17 | 1 << 11
  csrs mstatus, t0
  li t0, 1 << 12
  csrc mstatus, t0
  lw a0, 0(s0)
  exit 1
.balign 4
handler:
  li t0, 1 << 17
  csrc mstatus, t0
  logcsr mcause
  logcsr mtval
  exit 0
`)
    expect(run.log()).toEqual([LOAD, run.symbol('area')])
  })
})
