/** Counters, their gates, and the supervisor timer (Privileged 1.12, 3.1.10 to 3.1.12, 4.1.4; Sstc 0.5.4). */
import { describe, expect, it } from 'vitest'
import { logOf } from '../testing/programs.ts'

const ILLEGAL = 2n

function traps(mode: 'USER' | 'SUPERVISOR' | 'MACHINE', instructions: readonly string[], before = ''): boolean[] {
  const log = logOf(`
main:
  vector mtvec handler
  ${before}
  enter ${mode} go
go:
${instructions.map((text, index) => `  li s1, ${index}\n  ${text}`).join('\n')}
  exit 0
.balign 4
handler:
  log s1
  csrr t6, mepc
  addi t6, t6, 4
  csrw mepc, t6
  mret
`)
  return instructions.map((_, index) => log.includes(BigInt(index)))
}

describe('mcycle and minstret', () => {
  it('count cycles and instructions', () => {
    const log = logOf(`
main:
  csrr s0, minstret
  csrr s1, mcycle
  nop
  nop
  csrr s2, minstret
  csrr s3, mcycle
  sub s2, s2, s0
  sub s3, s3, s1
  log s2
  log s3
  exit 0
`)
    expect(log).toEqual([4n, 4n])
  })

  it('can be written: the next instruction reads the value', () => {
    const log = logOf(`
main:
  li t0, 0x123456789abcdef0
  csrw minstret, t0
  csrr t1, minstret
  csrw mcycle, t0
  csrr t2, mcycle
  log t1
  log t2
  exit 0
`)
    expect(log).toEqual([0x1234_5678_9abc_def0n, 0x1234_5678_9abc_def0n])
  })

  it('a trapping instruction does not retire', () => {
    const log = logOf(`
main:
  vector mtvec handler
  csrr s0, minstret
  ecall
  csrr s1, minstret
  sub s1, s1, s0
  log s1
  exit 0
.balign 4
handler:
  csrr t6, mepc
  addi t6, t6, 4
  csrw mepc, t6
  mret
`)
    // csrr and the handler's four.
    expect(log).toEqual([5n])
  })

  it('mcountinhibit stops each by itself, and they go on from where they stood', () => {
    const log = logOf(`
main:
  li t0, -1
  csrw mcountinhibit, t0
  logcsr mcountinhibit
  csrw mcountinhibit, x0
  csrwi mcountinhibit, 1
  csrr s0, mcycle
  nop
  csrr s1, mcycle
  sub s1, s1, s0
  log s1
  csrr s0, minstret
  nop
  csrr s1, minstret
  sub s1, s1, s0
  log s1
  csrwi mcountinhibit, 4
  li t0, 1000
  csrw minstret, t0
  nop
  logcsr minstret
  csrw mcountinhibit, x0
  csrr t1, minstret
  addi t1, t1, -1000
  log t1
  exit 0
`)
    expect(log.slice(0, 4)).toEqual([5n, 0n, 2n, 1000n])
    expect(log[4]).toBeLessThanOrEqual(1n)
  })

  it('writing mcountinhibit leaves a counter alone whose bit does not change', () => {
    const log = logOf(`
main:
  csrr s0, minstret
  csrr s1, mcycle
  csrw mcountinhibit, x0
  csrr s2, minstret
  csrr s3, mcycle
  sub s2, s2, s0
  sub s3, s3, s1
  log s2
  log s3
  exit 0
`)
    expect(log).toEqual([3n, 3n])
  })

  it('time does not stop with mcycle', () => {
    const log = logOf(`
main:
  csrwi mcountinhibit, 1
  csrr s0, time
  li t0, 100
1:
  addi t0, t0, -1
  bnez t0, 1b
  csrr s1, time
  sub s1, s1, s0
  log s1
  exit 0
`)
    expect(log[0]).toBeGreaterThanOrEqual(20n)
  })

  it('the shadows are read-only', () => {
    expect(traps('MACHINE', ['csrw cycle, x0', 'csrw time, x0', 'csrs instret, t0', 'csrs cycle, x0'])).toEqual([true, true, true, false])
  })

  it('event counters read 0 and ignore writes', () => {
    const log = logOf(`
main:
  li t0, -1
  csrw mhpmcounter3, t0
  csrw mhpmevent31, t0
  logcsr mhpmcounter3
  logcsr mhpmevent31
  logcsr hpmcounter31
  exit 0
`)
    expect(log).toEqual([0n, 0n, 0n])
  })
})

describe('mcounteren and scounteren', () => {
  const reads = ['csrr a0, cycle', 'csrr a0, time', 'csrr a0, instret', 'csrr a0, hpmcounter3']
  const set = (m: number, s: number) => `  li t0, ${m}\n  csrw mcounteren, t0\n  li t0, ${s}\n  csrw scounteren, t0`

  it('M always reads them', () => expect(traps('MACHINE', reads, set(0, 0))).toEqual([false, false, false, false]))

  it('S needs mcounteren, whatever scounteren says', () => {
    expect(traps('SUPERVISOR', reads, set(0, -1))).toEqual([true, true, true, true])
    expect(traps('SUPERVISOR', reads, set(0b0101, 0))).toEqual([false, true, false, true])
    expect(traps('SUPERVISOR', reads, set(0b1010, 0))).toEqual([true, false, true, false])
  })

  it('U needs both', () => {
    expect(traps('USER', reads, set(-1, 0))).toEqual([true, true, true, true])
    expect(traps('USER', reads, set(0, -1))).toEqual([true, true, true, true])
    expect(traps('USER', reads, set(0b0111, 0b1110))).toEqual([true, false, false, true])
  })
})

describe('Sstc', () => {
  const access = ['csrr a0, stimecmp', 'csrw stimecmp, a0']
  const stce = '  li t0, 1 << 63\n  csrw menvcfg, t0\n'
  const tm = '  csrwi mcounteren, 2\n'

  it('S reaches stimecmp with menvcfg.STCE and mcounteren.TM, U never', () => {
    expect(traps('SUPERVISOR', access)).toEqual([true, true])
    expect(traps('SUPERVISOR', access, stce)).toEqual([true, true])
    expect(traps('SUPERVISOR', access, tm)).toEqual([true, true])
    expect(traps('SUPERVISOR', access, stce + tm)).toEqual([false, false])
    expect(traps('USER', access, stce + tm)).toEqual([true, true])
    expect(traps('MACHINE', access)).toEqual([false, false])
  })

  it('menvcfg holds STCE and FIOM only', () => {
    expect(logOf('main:\n  li t0, -1\n  csrw menvcfg, t0\n  logcsr menvcfg\n  exit 0')).toEqual([(1n << 63n) | 1n])
  })

  it('STIP is time >= stimecmp, and M cannot write it', () => {
    const log = logOf(`
main:
  ${stce}
  csrw stimecmp, x0
  li t0, 0x20
  csrc mip, t0
  logcsr mip
  li t0, -1
  csrw stimecmp, t0
  logcsr mip
  li t0, 0x20
  csrs mip, t0
  logcsr mip
  exit 0
`)
    expect(log).toEqual([0x20n, 0n, 0n])
  })

  it('without STCE STIP is software, and stimecmp does nothing', () => {
    const log = logOf(`
main:
  csrw stimecmp, x0
  logcsr mip
  li t0, 0x20
  csrs mip, t0
  logcsr mip
  ${stce}
  li t1, -1
  csrw stimecmp, t1
  logcsr mip
  exit 0
`)
    expect(log).toEqual([0n, 0x20n, 0n])
  })

  it('interrupts S at its time', () => {
    const log = logOf(`
main:
  ${stce}${tm}
  vector stvec handler
  li t0, 0x20
  csrw mideleg, t0
  csrw mie, t0
  enter SUPERVISOR go
go:
  csrsi sstatus, 2
  csrr s0, time
  addi s0, s0, 500
  csrw stimecmp, s0
1:
  wfi
  j 1b
.balign 4
handler:
  csrr s1, time
  logcsr scause
  sub s1, s1, s0
  log s1
  li t0, -1
  csrw stimecmp, t0
  logcsr sip
  exit 0
`)
    expect(log).toEqual([(1n << 63n) | 5n, 0n, 0n])
  })
})

describe('time', () => {
  it('is mtime, in ticks of the timebase', () => {
    const log = logOf(`
main:
  li t0, 0x200bff8
  ld s0, 0(t0)
  csrr s1, time
  csrr s2, mcycle
  sub s1, s1, s0
  log s1
  li t1, 10
  divu s2, s2, t1
  csrr s1, time
  sub s1, s1, s2
  log s1
  exit 0
`)
    expect(log[0]).toBeLessThanOrEqual(1n)
    expect(log[1]).toBeLessThanOrEqual(1n)
  })

  it('follows writes of mtime, and so do the compare registers', () => {
    const log = logOf(`
main:
  li t0, 0x2004000
  li t1, 1000000
  sd t1, 0(t0)
  logcsr mip
  li t0, 0x200bff8
  sd t1, 0(t0)
  csrr s1, time
  sub s1, s1, t1
  log s1
  logcsr mip
  exit 0
`)
    expect(log[0]).toBe(0n)
    expect(log[1]).toBeLessThanOrEqual(1n)
    expect(log[2]).toBe(0x80n)
  })

  it('an unknown CSR is illegal', () => {
    expect(logOf('main:\n  vector mtvec skip_trap\n  csrr a0, 0x5c0\n  exit 0')[0]).toBe(ILLEGAL)
  })
})
