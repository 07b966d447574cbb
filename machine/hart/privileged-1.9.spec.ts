/** Where a hart of privileged specification 1.9.1 differs from one of 1.12: what software for the K210 depends on. */
import { describe, expect, it } from 'vitest'
import { k210LogOf } from '../testing/k210-programs.ts'
import { logOf } from '../testing/programs.ts'

const ILLEGAL = 2n
const [FETCH_ACCESS, LOAD_ACCESS, STORE_ACCESS] = [1n, 5n, 7n]

/** Sv39 with two leaves of 1 GiB: RAM where it is, for S, and once more at 0xc0000000 with other flags. */
const PAGING = `
.section .bss
.balign 4096
root: .skip 4096
.text
.macro paging flags
  la t0, root
  li t1, (0x80000000 >> 2) | 0xcf
  sd t1, 16(t0)
  li t1, (0x80000000 >> 2) | \\flags
  sd t1, 24(t0)
  srli t0, t0, 12
  csrw satp, t0
  li t0, 9 << 24
  csrs mstatus, t0
  .word 0x10400073
.endm
`
const VM = 31n << 24n

describe('fences of the address translation (Privileged 1.9.1, 4.2.1)', () => {
  it('are sfence.vm; sfence.vma does not exist', () => {
    expect(k210LogOf('main: .word 0x10400073\n.word 0x12000073\n exit 0')).toEqual([ILLEGAL, 0n])
    expect(logOf('main: vector mtvec skip_trap\n .word 0x12000073\n .word 0x10400073\n exit 0')).toEqual([ILLEGAL, 0x10400073n])
  })

  it('are not for user mode', () => {
    expect(k210LogOf('main: vector mtvec handler\n enter USER user\nuser: .word 0x10400073\nhandler: logcsr mcause\n exit 0')).toEqual([
      ILLEGAL,
    ])
  })
})

describe('translation (Privileged 1.9.1, 3.1.8 and 4.1.10)', () => {
  it('is chosen by mstatus.VM, which holds Mbare or Sv39 and ignores the rest', () => {
    const program = (mode: number) => `main: li t0, ${mode} << 24\n csrs mstatus, t0\n csrr t1, mstatus\n log t1\n exit 0`
    expect(k210LogOf(program(9))[0] & VM).toBe(9n << 24n)
    for (const mode of [1, 8, 10, 31]) expect(k210LogOf(program(mode))[0] & VM).toBe(0n)
  })

  it('starts at sptbr, which holds a page number and nothing else', () => {
    expect(
      k210LogOf(
        'main: li t0, -1\n csrw satp, t0\n logcsr satp\n li t0, (8 << 60) | (77 << 44) | 0x80123\n csrw satp, t0\n logcsr satp\n exit 0',
      ),
    ).toEqual([0xfffffn, 0x80123n])
  })

  it('is off while VM says so, whatever sptbr holds, and on with Sv39', () => {
    expect(
      k210LogOf(`${PAGING}
      main: paging 0xcf
        vector mtvec back
        enter SUPERVISOR translated
      translated: la t0, value
        li t1, 0x40000000
        add t0, t0, t1
        ld s3, 0(t0)
        log s3
        ecall
      .balign 4
      back: li t0, 31 << 24
        csrc mstatus, t0
        .word 0x10400073
        vector mtvec out
        enter SUPERVISOR bare
      bare: la t0, value
        ld s3, 0(t0)
        log s3
        la t0, value
        li t1, 0x40000000
        add t0, t0, t1
        ld s3, 0(t0)
      .balign 4
      out: logcsr mcause
        exit 0
      .data
      value: .dword 0x1234`),
    ).toEqual([0x1234n, 0x1234n, LOAD_ACCESS])
  })

  it('has no page faults: access faults name the address instead', () => {
    const program = (instruction: string) => `${PAGING}
      main: paging 0
        vector mtvec fault
        enter SUPERVISOR supervisor
      supervisor: li t1, 0xc0001000
        ${instruction}
      .balign 4
      fault: logcsr mcause
        logcsr mtval
        exit 0`
    expect(k210LogOf(program('ld t0, 0(t1)'))).toEqual([LOAD_ACCESS, 0xc0001000n])
    expect(k210LogOf(program('sd t0, 0(t1)'))).toEqual([STORE_ACCESS, 0xc0001000n])
    expect(k210LogOf(program('jr t1'))).toEqual([FETCH_ACCESS, 0xc0001000n])
  })
})

describe('PUM stands in the place of SUM, the other way round (Privileged 1.9.1, 3.1.9)', () => {
  const U = 0xdf
  const access = (pum: boolean, instruction: string) =>
    k210LogOf(`${PAGING}
      main: paging ${U}
        li t0, 1 << 18
        csr${pum ? 's' : 'c'} mstatus, t0
        vector mtvec fault
        enter SUPERVISOR supervisor
      supervisor: la t1, value
        li t2, 0x40000000
        add t1, t1, t2
        ${instruction}
        log t0
        ecall
      .balign 4
      fault: logcsr mcause
        exit 0
      .balign 4
      value: li t0, 42
        ecall`)

  it("clear, the supervisor reads and runs what is the user's", () => {
    expect(access(false, 'lw t0, 0(t1)').at(-1)).toBe(9n)
    expect(access(false, 'jr t1').at(-1)).toBe(9n)
  })

  it('set, it may not, from one instruction to the next', () => {
    expect(access(true, 'lw t0, 0(t1)')).toEqual([LOAD_ACCESS])
    expect(access(true, 'jr t1')).toEqual([FETCH_ACCESS])
    const between = 'lw t0, 0(t1)\n li t2, 1 << 18\n csrs sstatus, t2\n lw t0, 0(t1)'
    expect(access(false, between)).toEqual([LOAD_ACCESS])
  })
})

describe('counters (Privileged 1.9.1, 3.1.17)', () => {
  it('have no time: rdtime traps even in M-mode', () => {
    expect(k210LogOf('main: rdtime t0\n exit 0')[0]).toBe(ILLEGAL)
  })

  it('are opened to each lower mode by a register of its own, 0x320 for U and 0x321 for S', () => {
    const read = (mode: string, register: string, bits: number) =>
      k210LogOf(`main: li t0, ${bits}
        csrw ${register}, t0
        logcsr ${register}
        vector mtvec fault
        enter ${mode} lower
      lower: rdcycle t1
        ecall
      .balign 4
      fault: logcsr mcause
        exit 0`)
    const [userCall, supervisorCall] = [8n, 9n]
    expect(read('USER', '0x320', 1)).toEqual([1n, userCall])
    expect(read('USER', '0x321', 1)).toEqual([1n, ILLEGAL])
    expect(read('SUPERVISOR', '0x321', 1)).toEqual([1n, supervisorCall])
    expect(read('SUPERVISOR', '0x320', 1)).toEqual([1n, ILLEGAL])
  })
})

describe('registers that came later', () => {
  it.each(['mcounteren', 'scounteren', 'menvcfg', 'senvcfg', 'pmpcfg0', 'pmpaddr0', 'stimecmp'])('%s is not there', (name) => {
    expect(k210LogOf(`main: csrr t0, ${name}\n csrw ${name}, zero\n exit 0`)).toEqual([ILLEGAL, 0n, ILLEGAL, 0n])
  })

  it('physical memory is open to all modes', () => {
    expect(
      k210LogOf(
        'main: vector mtvec fault\n enter USER user\nuser: la t0, user\n lw t1, 0(t0)\n ecall\n.balign 4\nfault: logcsr mcause\n exit 0',
      ),
    ).toEqual([8n])
  })
})

describe('traps', () => {
  it('leave mbadaddr alone unless an address is at fault (Privileged 1.9.1, 3.1.19)', () => {
    expect(k210LogOf('main: li t0, 0x55\n csrw mtval, t0\n ecall\n .word 0\n li t1, 0x10000000\n lw t1, 0(t1)\n exit 0')).toEqual([
      ...[11n, 0x55n],
      ...[ILLEGAL, 0x55n],
      ...[LOAD_ACCESS, 0x10000000n],
    ])
  })

  it('know no supervisor external interrupt that software could raise', () => {
    expect(k210LogOf('main: li t0, 0x222\n csrw mip, t0\n logcsr mip\n exit 0')).toEqual([0x22n])
  })

  it('keep MPRV on return', () => {
    expect(
      k210LogOf(
        'main: li t0, 1 << 17\n csrs mstatus, t0\n vector mtvec back\n enter USER user\nuser: ecall\n.balign 4\nback: csrr t0, mstatus\n srli t0, t0, 17\n andi t0, t0, 1\n log t0\n exit 0',
      ),
    ).toEqual([1n])
  })
})
