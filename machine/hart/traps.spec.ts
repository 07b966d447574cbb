/** Traps, returns, delegation, mstatus and waiting (Privileged 1.12, 3.1.6 to 3.3.3 and 4.1). */
import { describe, expect, it } from 'vitest'
import { logOf, runProgram } from '../testing/programs.ts'

const INTERRUPT = 1n << 63n
const ILLEGAL = 2n
const MIE = 1n << 3n
const MPIE = 1n << 7n
const SPP = 1n << 8n
const MPRV = 1n << 17n
const mpp = (status: bigint) => (status >> 11n) & 3n

/** Runs instructions in a mode after `before` in M, logging what traps in M: mcause and mtval of each. */
function traps(mode: 'USER' | 'SUPERVISOR' | 'MACHINE', instructions: string, before = ''): bigint[] {
  return logOf(`
main:
  vector mtvec skip_trap
  ${before}
  enter ${mode} go
go:
${instructions}
  exit 0
`)
}

describe('trap vectors (3.1.7, 4.1.2)', () => {
  for (const [mode, csr, cause, back] of [
    ['MACHINE', 'mtvec', 'mcause', 'mret'],
    ['SUPERVISOR', 'stvec', 'scause', 'sret'],
  ] as const) {
    it(`${csr} in mode 1 sends interrupts to base + 4 * cause, exceptions to base`, () => {
      const bit = mode === 'MACHINE' ? 3 : 1
      const log = logOf(`
main:
  li t0, 2
  csrw mideleg, t0
  li t0, 1 << 3
  ${mode === 'SUPERVISOR' ? 'csrw medeleg, t0' : ''}
  la t0, vectors
  addi t0, t0, 1
  csrw ${csr}, t0
  li t0, 0xa
  csrw mie, t0
  enter ${mode} go
go:
  ${mode === 'MACHINE' ? 'csrsi mstatus, 8' : 'csrsi sstatus, 2'}
  ebreak
  ${mode === 'MACHINE' ? 'li t0, 0x2000000\n  li t1, 1\n  sw t1, 0(t0)' : 'csrsi sip, 2'}
  li t0, 100
1:
  addi t0, t0, -1
  bnez t0, 1b
  exit 0
.balign 256
vectors:
  j exception
  j ${bit === 1 ? 'interrupt' : 'wrong'}
  j wrong
  j ${bit === 3 ? 'interrupt' : 'wrong'}
wrong:
  exit 1
exception:
  li a0, 100
  log a0
  csrr t6, ${csr === 'mtvec' ? 'mepc' : 'sepc'}
  addi t6, t6, 4
  csrw ${csr === 'mtvec' ? 'mepc' : 'sepc'}, t6
  ${back}
interrupt:
  logcsr ${cause}
  ${mode === 'MACHINE' ? 'li t5, 0x2000000\n  sw x0, 0(t5)' : 'csrci sip, 2'}
  ${back}
`)
      expect(log).toEqual([100n, INTERRUPT | BigInt(bit)])
    })

    it(`${csr} keeps its value when mode 2 or 3 is written`, () => {
      const log = logOf(`
main:
  li t0, 0x80001001
  csrw ${csr}, t0
  li t1, 0x90000002
  csrw ${csr}, t1
  logcsr ${csr}
  li t1, 0x90000003
  csrw ${csr}, t1
  logcsr ${csr}
  exit 0
`)
      expect(log).toEqual([0x80001001n, 0x80001001n])
    })
  }
})

describe('delegation (3.1.8)', () => {
  it('medeleg holds all exceptions but calls from M, mideleg the interrupts of S', () => {
    const log = logOf(`
main:
  li t0, -1
  csrw medeleg, t0
  csrw mideleg, t0
  csrw mie, t0
  csrw sie, t0
  logcsr medeleg
  logcsr mideleg
  logcsr mie
  logcsr sie
  exit 0
`)
    expect(log).toEqual([0xb3ffn, 0x222n, 0xaaan, 0x222n])
  })

  it('a delegated exception goes to S from U and S, to M from M', () => {
    const run = runProgram(`
main:
  vector mtvec skip_trap
  vector stvec supervisor
  li t0, 1 << 3
  csrw medeleg, t0
machine_break:
  ebreak
  enter USER user
user:
user_break:
  ebreak
  ecall
  la t0, go
  csrw mepc, t0
  exit 1
go:
supervisor_break:
  ebreak
  exit 0
.balign 4
supervisor:
  logcsr scause
  logcsr sepc
  csrr t0, sstatus
  andi t0, t0, 0x100
  log t0
  bnez t0, 1f
  # Leave user mode for S on the second time.
  la t0, go
  csrw sepc, t0
  li t0, 0x100
  csrs sstatus, t0
  sret
1:
  csrr t6, sepc
  addi t6, t6, 4
  csrw sepc, t6
  sret
`)
    expect(run.log()).toEqual([3n, 0n, 3n, run.symbol('user_break'), 0n, 3n, run.symbol('supervisor_break'), SPP])
  })

  it('a delegated interrupt waits while the hart is in M', () => {
    const log = logOf(`
main:
  vector stvec supervisor
  vector mtvec skip_trap
  li t0, 2
  csrw mideleg, t0
  csrw mie, t0
  csrsi mstatus, 0xa
  csrsi mip, 2
  li a0, 1
  log a0
  enter USER user
user:
  exit 1
.balign 4
supervisor:
  logcsr scause
  exit 0
`)
    expect(log).toEqual([1n, INTERRUPT | 1n])
  })

  it('sip and sie show what is delegated, and S may write SSIP only', () => {
    const log = logOf(`
main:
  li t0, 0x222
  csrw mip, t0
  csrw mie, t0
  logcsr sip
  logcsr sie
  li t1, 0x22
  csrw mideleg, t1
  logcsr sip
  logcsr sie
  csrw sip, x0
  logcsr sip
  csrw sie, x0
  logcsr mie
  exit 0
`)
    expect(log).toEqual([0n, 0n, 0x22n, 0x22n, 0x20n, 0x200n])
  })

  it('order among machine interrupts: external, software, timer; then those of S not delegated', () => {
    const log = logOf(`
main:
  vector mtvec machine
  li t0, 0x2000000
  li t1, 1
  sw t1, 0(t0)
  li t0, 0x2004000
  sd x0, 0(t0)
  li t0, 0x222
  csrw mip, t0
  li t0, 0x0c000000
  li t1, 7
  sw t1, 40(t0)
  li t0, 0x0c002000
  li t1, 1 << 10
  sw t1, 0(t0)
  li t0, 0x10000000
  li t1, 2
  sb t1, 1(t0)
  li t0, 1000
1:
  addi t0, t0, -1
  bnez t0, 1b
  li t0, 0xaaa
  csrw mie, t0
  csrsi mstatus, 8
  exit 0
.balign 4
machine:
  csrr a0, mcause
  slli a0, a0, 1
  srli a0, a0, 1
  log a0
  li a1, 1
  sll a1, a1, a0
  csrc mie, a1
  mret
`)
    expect(log).toEqual([11n, 3n, 7n, 9n, 1n, 5n])
  })
})

describe('mret and sret (3.1.6.1, 4.1.1)', () => {
  it('mret: MIE <- MPIE, MPIE <- 1, MPP <- U, and MPRV falls when it leaves M', () => {
    const log = logOf(`
main:
  vector mtvec handler
  li t0, 1 << 17 | 1 << 11
  csrs mstatus, t0
  li t0, 1 << 12 | 1 << 7
  csrc mstatus, t0
  csrsi mstatus, 8
  la t0, go
  csrw mepc, t0
  mret
go:
  ecall
.balign 4
handler:
  logcsr mcause
  logcsr mstatus
  # Back to M: MPRV stays.
  li t0, 1 << 17 | 3 << 11
  csrs mstatus, t0
  la t0, 1f
  csrw mepc, t0
  mret
1:
  logcsr mstatus
  exit 0
`)
    expect(log[0]).toBe(9n)
    expect(log[1] & (MIE | MPIE | MPRV)).toBe(0n)
    expect(mpp(log[1])).toBe(1n)
    expect(log[2] & (MIE | MPIE | MPRV)).toBe(MPIE | MPRV)
    expect(mpp(log[2])).toBe(0n)
  })

  it('sret: SIE <- SPIE, SPIE <- 1, SPP <- U, MPRV falls even from M', () => {
    const log = logOf(`
main:
  vector mtvec handler
  li t0, 1 << 17 | 1 << 8 | 1 << 5 | 3 << 11
  csrs mstatus, t0
  la t0, go
  csrw sepc, t0
  sret
go:
  logcsr sstatus
  ecall
.balign 4
handler:
  logcsr mcause
  logcsr mstatus
  exit 0
`)
    expect(log[0] & 0x122n).toBe(0x22n)
    expect(log[1]).toBe(9n)
    expect(log[2] & MPRV).toBe(0n)
  })

  it('MPP never holds 2', () => {
    const log = logOf(`
main:
  li t0, 3 << 11
  csrc mstatus, t0
  li t0, 2 << 11
  csrw mstatus, t0
  logcsr mstatus
  exit 0
`)
    expect(mpp(log[0])).not.toBe(2n)
  })

  it('are illegal below their privilege', () => {
    expect(traps('USER', '  mret\n  sret')).toEqual([ILLEGAL, 0x30200073n, ILLEGAL, 0x10200073n])
    expect(traps('SUPERVISOR', '  mret')).toEqual([ILLEGAL, 0x30200073n])
  })

  it('mepc and sepc keep bit 0 clear', () => {
    expect(logOf('main:\n  li t0, -1\n  csrw mepc, t0\n  csrw sepc, t0\n  logcsr mepc\n  logcsr sepc\n  exit 0')).toEqual([
      2n ** 64n - 2n,
      2n ** 64n - 2n,
    ])
  })
})

describe('MPRV (3.1.6.3)', () => {
  it('loads and stores act with MPP, fetches do not', () => {
    const log = logOf(`
main:
  vector mtvec handler
  la s0, secret
  # One page for nobody but M.
  srli t0, s0, 2
  ori t0, t0, 0x1ff
  li t1, -1
  csrw pmpaddr1, t1
  csrw pmpaddr0, t0
  li t1, 0x1f18
  csrw pmpcfg0, t1
  ld a0, 0(s0)
  log a0
  li t0, 3 << 11
  csrc mstatus, t0
  li t0, 1 << 17
  csrs mstatus, t0
  ld a0, 0(s0)
  ld a0, 0(s0)
  sd a0, 0(s0)
  exit 0
.balign 4
handler:
  logcsr mcause
  csrr t6, mepc
  addi t6, t6, 4
  csrw mepc, t6
  # Where it was, with MPP as before.
  csrr t6, mepc
  li t5, 3 << 11
  csrc mstatus, t5
  jr t6
.data
.balign 4096
secret: .dword 42
.balign 4096
`)
    expect(log).toEqual([42n, 5n, 5n, 7n])
  })
})

describe('TVM, TW, TSR (3.1.6.5)', () => {
  it('TVM: satp and sfence.vma are illegal in S', () => {
    const body = '  csrr a0, satp\n  csrw satp, x0\n  sfence.vma'
    expect(traps('SUPERVISOR', body)).toEqual([])
    const log = traps('SUPERVISOR', body, '  li t0, 1 << 20\n  csrs mstatus, t0')
    expect(log.filter((_, index) => index % 2 === 0)).toEqual([ILLEGAL, ILLEGAL, ILLEGAL])
    expect(traps('MACHINE', body, '  li t0, 1 << 20\n  csrs mstatus, t0')).toEqual([])
  })

  it('TW: wfi is illegal in S; it always is in U', () => {
    const pending = '  li t0, 2\n  csrw mie, t0\n  csrw mip, t0\n'
    expect(traps('SUPERVISOR', '  wfi', `${pending}  csrw mideleg, t0`)).toEqual([])
    expect(traps('SUPERVISOR', '  wfi', '  li t0, 1 << 21\n  csrs mstatus, t0')).toEqual([ILLEGAL, 0x10500073n])
    expect(traps('USER', '  wfi')).toEqual([ILLEGAL, 0x10500073n])
  })

  it('TSR: sret is illegal in S, not in M', () => {
    expect(traps('SUPERVISOR', '  sret', '  li t0, 1 << 22\n  csrs mstatus, t0')).toEqual([ILLEGAL, 0x10200073n])
    const log = logOf(`
main:
  li t0, 1 << 22 | 1 << 8
  csrs mstatus, t0
  vector sepc go
  sret
go:
  exit 0
`)
    expect(log).toEqual([])
  })
})

describe('trap values (3.1.16)', () => {
  it('an illegal instruction shows itself, whole or compressed', () => {
    expect(traps('MACHINE', '  .4byte 0xffffffff\n  csrw mhartid, x0\n  .2byte 0\n  .2byte 0x0001')).toEqual([
      ILLEGAL,
      0xffffffffn,
      ILLEGAL,
      0xf1401073n,
      ILLEGAL,
      0n,
    ])
  })

  it('calls show nothing, each privilege its cause', () => {
    expect(traps('MACHINE', '  ecall')).toEqual([11n, 0n])
    expect(traps('SUPERVISOR', '  ecall')).toEqual([9n, 0n])
    expect(traps('USER', '  ecall')).toEqual([8n, 0n])
  })

  it('access faults and misaligned atomics show the address', () => {
    const log = traps(
      'MACHINE',
      `
  lw a0, 0x10(x0)
  sw a0, 0x14(x0)
  la a1, _start
  lr.w a0, (a1)
  addi a1, a1, 2
  lr.w a0, (a1)
  amoadd.w a0, a0, (a1)
  sc.w a0, a0, (a1)
`,
    )
    const start = 0x80000000n
    expect(log.filter((_, index) => index % 2 === 0)).toEqual([5n, 7n, 4n, 6n, 6n])
    expect(log[1]).toBe(0x10n)
    expect(log[3]).toBe(0x14n)
    expect(log[5]).toBeGreaterThan(start)
    expect(new Set([log[5], log[7], log[9]]).size).toBe(1)
  })

  it('a jump to where nothing is traps at its target', () => {
    const log = logOf(`
main:
  vector mtvec handler
  li t0, 0x40000000
  jr t0
.balign 4
handler:
  logcsr mcause
  logcsr mepc
  logcsr mtval
  exit 0
`)
    expect(log).toEqual([1n, 0x40000000n, 0x40000000n])
  })

  it('float instructions are illegal while FS is 0', () => {
    expect(traps('MACHINE', '  fmv.d.x fa0, x0', '  li t0, 3 << 13\n  csrc mstatus, t0')).toEqual([ILLEGAL, 0xf2000553n])
    expect(traps('MACHINE', '  csrr a0, fcsr', '  li t0, 3 << 13\n  csrc mstatus, t0')[0]).toBe(ILLEGAL)
  })
})

describe('wfi (3.3.3)', () => {
  it('ends when an enabled interrupt is pending, though none is taken', () => {
    const log = logOf(`
main:
  vector mtvec skip_trap
  li t0, 0x80
  csrw mie, t0
  li t0, 0x200bff8
  ld s0, 0(t0)
  addi s0, s0, 100
  li t0, 0x2004000
  sd s0, 0(t0)
  wfi
  csrr t0, time
  sub t0, t0, s0
  log t0
  exit 0
`)
    expect(log).toEqual([0n])
  })

  it('takes the interrupt behind itself when it can be taken', () => {
    const run = runProgram(`
main:
  vector mtvec handler
  csrsi mstatus, 8
  li t0, 0x80
  csrw mie, t0
  li t0, 0x200bff8
  ld s0, 0(t0)
  addi s0, s0, 100
  li t0, 0x2004000
  sd s0, 0(t0)
  wfi
behind:
  exit 1
.balign 4
handler:
  logcsr mcause
  logcsr mepc
  exit 0
`)
    expect(run.log()).toEqual([INTERRUPT | 7n, run.symbol('behind')])
  })

  it('is not ended by a pending interrupt that is not enabled', () => {
    const log = logOf(`
main:
  csrwi mip, 2
  li t0, 0x2004000
  sd x0, 0(t0)            # MTIP pending, not enabled
  li t0, 0x20
  csrw mie, t0
  li t0, 1 << 63
  csrw menvcfg, t0
  csrr s0, time
  addi s0, s0, 200
  csrw stimecmp, s0
  wfi
  csrr t0, time
  sub t0, t0, s0
  log t0
  exit 0
`)
    expect(log).toEqual([0n])
  })

  it('falls through when one is pending already', () => {
    const log = logOf('main:\n  csrwi mie, 2\n  csrwi mip, 2\n  wfi\n  logcsr mip\n  exit 0')
    expect(log).toEqual([2n])
  })
})
