/** User interrupts as user-interrupts.md specifies them; the titles name its sections. */
import { describe, expect, it } from 'vitest'
import { logOf, ProgramRun, runProgram } from '../testing/programs.ts'

const N = { userInterrupts: { n: true, uintc: false } }
const BOTH = { userInterrupts: { n: true, uintc: true } }

const INTERRUPT = 1n << 63n
const ILLEGAL = 2n
const USI = INTERRUPT
const SSI = INTERRUPT | 1n
const UTI = INTERRUPT | 4n
const UEI = INTERRUPT | 8n

const USER_CSRS = ['ustatus', 'uie', 'utvec', 'uscratch', 'uepc', 'ucause', 'utval', 'uip', 'utimecmp']
const N_CSRS = [...USER_CSRS, 'sedeleg', 'sideleg']
const UINTC_CSRS = ['suist', 'suirs', 'suicfg']
const UINTC_INSTRUCTIONS = ['uipi.send x0', 'uipi.read a0', 'uipi.write x0', 'uipi.activate', 'uipi.deactivate']

/** Runs instructions in a mode, logging what traps in M; mcause and mtval of each. */
function traps(instructions: readonly string[], mode: 'USER' | 'SUPERVISOR' | 'MACHINE', options = {}): bigint[] {
  return logOf(
    `
main:
  vector mtvec skip_trap
  enter ${mode} go
go:
${instructions.map((text) => `  ${text}`).join('\n')}
  exit 0
`,
    options,
  )
}

/** Everything delegated to U that can be, handlers in place, UIE set, then `user` in user mode. */
const DELEGATED = `
  li t0, 0x333
  csrw mideleg, t0
  csrw sideleg, t0
  li t0, -1
  csrw medeleg, t0
  vector mtvec skip_trap
  vector utvec handler
  csrwi ustatus, 1
`

describe('without the extensions', () => {
  it('every register and instruction is illegal', () => {
    const instructions = [...N_CSRS, ...UINTC_CSRS].map((name) => `csrr a0, ${name}`).concat('uret', UINTC_INSTRUCTIONS)
    const log = traps(instructions, 'MACHINE')
    expect(log.filter((_, index) => index % 2 === 0)).toEqual(instructions.map(() => ILLEGAL))
    expect(new Set(log.filter((_, index) => index % 2 === 1)).size).toBe(instructions.length)
  })

  it('the bits read as 0', () => {
    const log = logOf(`
main:
  li t0, 0x111
  csrs mideleg, t0
  csrs mie, t0
  csrs mip, t0
  csrsi mstatus, 0x11
${['mideleg', 'mie', 'mip', 'mstatus', 'sstatus', 'misa'].map((name) => `  logcsr ${name}`).join('\n')}
  exit 0
`)
    expect(log.slice(0, 3).map((value) => value & 0x111n)).toEqual([0n, 0n, 0n])
    expect(log.slice(3, 5).map((value) => value & 0x11n)).toEqual([0n, 0n])
    expect(log[5] & (1n << 13n)).toBe(0n)
  })

  it('--ext n does not bring the UINTC', () => {
    const log = traps([...UINTC_CSRS.map((name) => `csrr a0, ${name}`), ...UINTC_INSTRUCTIONS], 'MACHINE', N)
    expect(log.filter((_, index) => index % 2 === 0)).toEqual(Array(8).fill(ILLEGAL))
  })
})

describe('1: registers', () => {
  it('misa shows N', () => expect(logOf('main:\n  logcsr misa\n  exit 0', N)[0] & (1n << 13n)).toBe(1n << 13n))

  it('the user registers can be used in U, the delegation and controller registers cannot', () => {
    expect(traps([...USER_CSRS.map((name) => `csrr a0, ${name}`)], 'USER', BOTH)).toEqual([])
    const supervisor = ['sedeleg', 'sideleg', ...UINTC_CSRS]
    const reads = supervisor.map((name) => `csrr a0, ${name}`)
    expect(traps(reads, 'USER', BOTH).filter((_, i) => i % 2 === 0)).toEqual(reads.map(() => ILLEGAL))
    expect(traps(reads, 'SUPERVISOR', BOTH)).toEqual([])
  })

  it('ustatus shows UIE and UPIE, which are those of sstatus and mstatus', () => {
    const log = logOf(
      `
main:
  li t1, -1
  csrw ustatus, t1
  logcsr ustatus
  logcsr sstatus
  logcsr mstatus
  csrci sstatus, 1
  logcsr ustatus
  li t1, 0x10
  csrc mstatus, t1
  logcsr ustatus
  exit 0
`,
      N,
    )
    expect(log[0]).toBe(0x11n)
    expect(log[1] & 0x1ffn).toBe(0x11n)
    expect(log[2] & 0x1ffn).toBe(0x11n)
    expect(log[3]).toBe(0x10n)
    expect(log[4]).toBe(0n)
  })

  it('uie and uip show what both levels delegated', () => {
    const log = logOf(
      `
main:
  li t1, 0x111
  csrw mie, t1
  csrw mip, t1
  logcsr uie
  csrw mideleg, t1
  logcsr uie
  li t2, 0x110
  csrw sideleg, t2
  logcsr uie
  logcsr uip
  csrw uie, x0      # the bit not delegated stays
  logcsr mie
  csrw sideleg, t1
  csrw uip, x0      # only USIP is writable
  logcsr mip
  li t1, -1
  csrw uip, t1
  logcsr mip
  exit 0
`,
      N,
    )
    expect(log).toEqual([0n, 0n, 0x110n, 0x110n, 1n, 0x110n, 0x111n])
  })

  it('S writes only USIP of the user bits in sip', () => {
    const log = logOf(
      `
main:
  li t1, 0x111
  csrw mideleg, t1
  csrw sip, t1
  logcsr mip
  csrc sip, t1
  logcsr mip
  exit 0
`,
      N,
    )
    expect(log).toEqual([1n, 0n])
  })

  it('utvec, uscratch, uepc, ucause and utval hold what their supervisor twins would', () => {
    const write = (name: string) => `  csrw ${name}, t1\n  logcsr ${name}`
    const names = ['utvec', 'uscratch', 'uepc', 'ucause', 'utval', 'utimecmp']
    const value = 0x8123_4567_89ab_cdefn
    const log = logOf(
      `
main:
  li t1, 0x123456789abcd001
  csrw utvec, t1
  li t1, 0x${value.toString(16)}
${names.map(write).join('\n')}
  exit 0
`,
      N,
    )
    // Mode 3 is reserved: the write changes nothing.
    expect(log).toEqual([0x1234_5678_9abc_d001n, value, value & ~1n, value, value, value])
  })

  it('S passes on what M delegated, and no calls from S', () => {
    const log = logOf(
      `
main:
  li t1, -1
  csrw sedeleg, t1
  csrw sideleg, t1
  logcsr sedeleg
  logcsr sideleg
  li t2, 0x108
  csrw medeleg, t2
  csrw mideleg, t2
  logcsr sedeleg
  logcsr sideleg
  csrw medeleg, t1
  csrw mideleg, t1
  logcsr sedeleg
  logcsr sideleg
  exit 0
`,
      N,
    )
    expect(log).toEqual([0n, 0n, 0x108n, 0x100n, 0xb1ffn, 0x111n])
  })
})

describe('1: traps and uret', () => {
  it('an exception delegated twice is handled in U', () => {
    const run = runProgram(
      `
main:
  ${DELEGATED}
  li t0, 1 << 3
  csrw sedeleg, t0
  enter USER user
user:
  csrsi ustatus, 1
breaks:
  ebreak
  logcsr ustatus
  exit 0
.balign 4
handler:
  logcsr ucause
  logcsr uepc
  logcsr utval
  logcsr ustatus
  csrr t6, uepc
  addi t6, t6, 4
  csrw uepc, t6
  uret
`,
      N,
    )
    expect(run.log()).toEqual([3n, run.symbol('breaks'), 0n, 0x10n, 0x11n])
  })

  it('one delegated once goes to S, one not delegated to M; the state of S and M stays', () => {
    const run = runProgram(
      `
main:
  vector mtvec skip_trap
  vector stvec supervisor
  vector utvec handler
  li t0, 1 << 3 | 1 << 8
  csrw medeleg, t0
  li t0, 1 << 3 | 1 << 2
  csrw sedeleg, t0
  enter USER user
user:
  .4byte 0xffffffff       # to M: sedeleg alone does not count
  ecall                   # to S
  ebreak                  # to U
  exit 0
.balign 4
supervisor:
  logcsr scause
  csrr t6, sepc
  addi t6, t6, 4
  csrw sepc, t6
  sret
.balign 4
handler:
  logcsr ucause
  csrr t6, uepc
  addi t6, t6, 4
  csrw uepc, t6
  uret
`,
      N,
    )
    expect(run.log()).toEqual([ILLEGAL, 0xffffffffn, 8n, 3n])
  })

  it('a trap in S is never handled in U', () => {
    const log = logOf(
      `
main:
  ${DELEGATED}
  li t0, -1
  csrw sedeleg, t0
  vector stvec supervisor
  enter SUPERVISOR go
go:
  ebreak
  exit 1
.balign 4
supervisor:
  logcsr scause
  exit 0
.balign 4
handler:
  exit 2
`,
      N,
    )
    expect(log).toEqual([3n])
  })

  it('uret moves UPIE to UIE and sets it, goes to uepc, in U from whichever mode', () => {
    const run = runProgram(
      `
main:
  vector mtvec skip_trap
  csrwi ustatus, 0
  la t0, user
  addi t0, t0, 1
  csrw uepc, t0
  uret
  exit 1
user:
  logcsr ustatus
  csrr a0, mhartid        # illegal here
  exit 0
`,
      N,
    )
    expect(run.status).toBe(0)
    expect(run.log()).toEqual([0x10n, ILLEGAL, 0xf1402573n])
  })

  it('a handler may be interrupted once it has set UIE again, and returns level by level', () => {
    const log = logOf(
      `
main:
  ${DELEGATED}
  li t0, 0x11
  csrw mie, t0
  enter USER user
user:
  li a0, 1
  log a0
  csrsi uip, 1
  li a0, 4
  log a0
  logcsr ustatus
  exit 0
.balign 4
handler:
  csrr a1, ucause
  slli a1, a1, 1
  srli a1, a1, 1
  bnez a1, timer
  csrci uip, 1
  li a0, 2
  log a0
  csrr s0, uepc
  csrw utimecmp, x0
  csrsi ustatus, 1        # UTI arrives here
  li a0, 3
  log a0
  csrci ustatus, 1
  csrw uepc, s0
  csrsi ustatus, 0x10
  uret
timer:
  logcsr ucause
  li t6, -1
  csrw utimecmp, t6
  uret
`,
      N,
    )
    expect(log).toEqual([1n, 2n, UTI, 3n, 4n, 0x11n])
  })

  it('the vectored mode spreads interrupts, not exceptions', () => {
    const log = logOf(
      `
main:
  ${DELEGATED}
  li t0, 1 << 3
  csrw sedeleg, t0
  la t0, handler
  addi t0, t0, 1
  csrw utvec, t0
  li t0, 0x111
  csrw mie, t0
  enter USER user
user:
  ebreak
  csrsi uip, 1
  csrw utimecmp, x0
  exit 0
.balign 64
handler:
  j software              # also exceptions
  nop
  nop
  nop
  j timer
software:
  logcsr ucause
  csrr t5, ucause
  bltz t5, 1f
  csrr t6, uepc
  addi t6, t6, 4
  csrw uepc, t6
1:
  csrci uip, 1
  uret
timer:
  li a0, 77
  log a0
  li t6, -1
  csrw utimecmp, t6
  uret
`,
      N,
    )
    expect(log).toEqual([3n, USI, 77n])
  })

  it('takes no interrupt without UIE, and takes a pending one as soon as UIE is set', () => {
    const log = logOf(
      `
main:
  ${DELEGATED}
  csrwi ustatus, 0
  csrwi mie, 1
  enter USER user
user:
  csrsi uip, 1
  li a0, 1
  log a0
  csrsi ustatus, 1
  exit 0
.balign 4
handler:
  csrci uip, 1
  logcsr ucause
  uret
`,
      N,
    )
    expect(log).toEqual([1n, USI])
  })

  it('one that is delegated to U waits while the hart is in S or M, but ends their wfi', () => {
    const log = logOf(
      `
main:
  ${DELEGATED}
  csrwi mie, 1
  csrwi mip, 1
  csrsi mstatus, 0xb
  wfi
  li a0, 1
  log a0
  enter SUPERVISOR supervisor
supervisor:
  csrsi sstatus, 3
  wfi
  li a0, 2
  log a0
  la t0, user
  csrw sepc, t0
  li t0, 1 << 8
  csrc sstatus, t0
  sret
user:
  exit 0
.balign 4
handler:
  logcsr ucause
  csrci uip, 1
  uret
`,
      N,
    )
    expect(log).toEqual([1n, 2n, USI])
  })

  it('one delegated to S is taken there, in U whatever UIE and SIE say', () => {
    const log = logOf(
      `
main:
  ${DELEGATED}
  csrw sideleg, x0
  vector stvec supervisor
  csrwi ustatus, 0
  csrwi mie, 1
  csrwi mip, 1
  enter USER user
user:
  exit 0
.balign 4
supervisor:
  logcsr scause
  csrci sip, 1
  sret
.balign 4
handler:
  exit 1
`,
      N,
    )
    expect(log).toEqual([USI])
  })

  it('order: machine, supervisor, then UEI, USI, UTI', () => {
    const log = logOf(
      `
main:
  ${DELEGATED}
  li t0, 0x111
  csrw sideleg, t0
  vector mtvec machine
  vector stvec supervisor
  li t0, 0xaaa | 0x111
  csrw mie, t0
  li t0, 0x333
  csrw mip, t0
  li t0, 0x2000000
  li t1, 1
  sw t1, 0(t0)            # MSIP
  li t0, 2000
  busy: addi t0, t0, -1
  bnez t0, busy
  enter USER user
user:
  exit 0
.balign 4
machine:
  csrr a0, mcause
  log a0
  slli a0, a0, 1
  srli a0, a0, 1
  li a1, 8
  bgeu a0, a1, 1f
  li t5, 0x2000000
  sw x0, 0(t5)
  mret
1:
  # A break from user mode: clear UEIP or UTIP for it.
  csrr a0, mcause
  mret
.balign 4
supervisor:
  logcsr scause
  csrr a0, scause
  li a1, 1
  sll a1, a1, a0
  # SEIP and STIP are M's to clear; mask them instead.
  csrc sie, a1
  csrc sip, a1
  sret
.balign 4
handler:
  csrr a0, ucause
  log a0
  li a1, 1
  sll a1, a1, a0
  csrc uie, a1
  uret
`,
      N,
    )
    const bits = log.map((cause) => cause & ~INTERRUPT)
    expect(bits).toEqual([3n, 9n, 1n, 5n, 8n, 0n, 4n])
  })

  it('wfi is illegal in U', () => expect(traps(['wfi'], 'USER', N)).toEqual([ILLEGAL, 0x10500073n]))
})

describe('2: external interrupts', () => {
  /** The UART's transmitter (source 10) asks; the U contexts of a board of n harts are 2n and following. */
  const program = (harts: number, hart: number) => `
main:
  li t0, ${hart}
  beq a0, t0, mine
  wfi
  j .
mine:
  ${DELEGATED}
  li t0, 0x100
  csrw mie, t0
  li t0, 0x0c000000
  li t1, 7
  sw t1, 40(t0)
  li t0, 0x0c002000 + 0x80 * ${2 * harts + hart}
  li t1, 1 << 10
  sw t1, 0(t0)
  li t0, 0x10000000
  li t1, 2
  sb t1, 1(t0)
  enter USER user
user:
  j user
.balign 4
handler:
  logcsr ucause
  logcsr uip
  li t0, 0x0c200004 + 0x1000 * ${2 * harts + hart}
  lw t1, 0(t0)
  log t1
  logcsr uip
  exit 0
`
  for (const [harts, hart] of [
    [1, 0],
    [2, 0],
    [2, 1],
    [4, 3],
  ]) {
    it(`reach hart ${hart} of ${harts} through its U context`, () => {
      expect(runProgram(program(harts, hart), { ...N, harts }).log(hart)).toEqual([UEI, 0x100n, 10n, 0n])
    })
  }

  it('without --ext n the PLIC has no such contexts', () => {
    const run = runProgram('main:\n  li t0, 0x0c002100\n  lw t1, 0(t0)\n  exit 0')
    expect(run.warnings.length).toBe(1)
  })
})

describe('3: user timer', () => {
  it('UTIP follows time >= utimecmp', () => {
    const log = logOf(
      `
main:
  logcsr mip
  csrw utimecmp, x0
  logcsr mip
  li t1, -1
  csrw utimecmp, t1
  logcsr mip
  csrr t1, time
  addi t1, t1, 50
  csrw utimecmp, t1
1:
  csrr t2, mip
  beqz t2, 1b
  csrr t3, time
  log t2
  sltu t3, t3, t1
  log t3
  exit 0
`,
      N,
    )
    expect(log).toEqual([0n, 0x10n, 0n, 0x10n, 0n])
  })

  it('interrupts U at its time', () => {
    const log = logOf(
      `
main:
  ${DELEGATED}
  li t0, 0x10
  csrw mie, t0
  li t0, -1
  csrw mcounteren, t0
  csrw scounteren, t0
  enter USER user
user:
  csrr s0, time
  addi s0, s0, 100
  csrw utimecmp, s0
1:
  j 1b
.balign 4
handler:
  csrr t0, time
  logcsr ucause
  sub t0, t0, s0
  log t0
  exit 0
`,
      N,
    )
    expect(log).toEqual([UTI, 0n])
  })

  it('ends a wfi of S', () => {
    const log = logOf(
      `
main:
  ${DELEGATED}
  li t0, 0x10
  csrw mie, t0
  csrr t0, time
  addi s0, t0, 1000
  csrw utimecmp, s0
  wfi
  csrr t0, time
  sub t0, t0, s0
  log t0
  exit 0
.balign 4
handler:
  exit 1
`,
      N,
    )
    expect(log).toEqual([0n])
  })
})

/** A sender table of four entries in one page; receivers 0 to 3, vectors 1, 5, 63 and (invalid entry) 7. */
const TABLE = `
.data
.balign 4096
table:
  .dword 1 | 1 << 16 | 0 << 48
  .skip 56
  .dword 1 | 5 << 16 | 1 << 48
  .skip 56
  .dword 1 | 63 << 16 | 2 << 48
  .skip 56
  .dword 0 | 7 << 16 | 0 << 48
  .skip 56
  .dword 1 | 64 << 16 | 0 << 48
  .skip 56
  .dword 1 | 7 << 16 | 512 << 48
  .balign 4096
.text
.macro usetable
  la t0, table
  srli t0, t0, 12
  li t1, 1 << 63 | 1 << 44
  or t0, t0, t1
  csrw suist, t0
.endm
# Names a receiver this hart's own. Clobbers t0, t1.
.macro usereceiver index
  li t0, 1 << 63
  li t1, \\index
  or t0, t0, t1
  csrw suirs, t0
.endm
# Writes a receiver's first word over MMIO: its hart and mode, inactive.
.macro setreceiver index hart mode
  li t0, 0x2f10008 + 0x20 * \\index
  li t1, \\hart << 16 | \\mode << 1
  sd t1, 0(t0)
.endm
`

describe('4: registers and instructions of the UINTC', () => {
  it('suist and suicfg hold 64 bits, suirs its enable bit and index', () => {
    const log = logOf(
      `
main:
  li t1, -1
  csrw suist, t1
  csrw suirs, t1
  csrw suicfg, t1
  logcsr suist
  logcsr suirs
  logcsr suicfg
  exit 0
`,
      BOTH,
    )
    expect(log).toEqual([2n ** 64n - 1n, 0x8000_0000_0000_ffffn, 2n ** 64n - 1n])
  })

  for (const mode of ['USER', 'SUPERVISOR', 'MACHINE'] as const) {
    it(`work in ${mode} mode: post, read, write`, () => {
      const log = logOf(
        `${TABLE}
main:
  vector mtvec skip_trap
  usetable
  usereceiver 0
  enter ${mode} go
go:
  li a0, 0
  uipi.send a0
  uipi.read a1
  log a1
  uipi.read a1
  log a1
  li a0, 0xa5a5000000000001
  uipi.write a0
  uipi.activate
  uipi.deactivate
  uipi.read a1
  log a1
  exit 0
`,
        BOTH,
      )
      expect(log).toEqual([2n, 0n, 0xa5a5_0000_0000_0001n])
    })
  }

  it('are illegal when not enabled; the trap value is the instruction', () => {
    expect(traps(UINTC_INSTRUCTIONS, 'USER', BOTH)).toEqual([
      ILLEGAL,
      0x0000207bn,
      ILLEGAL,
      0x0200257bn,
      ILLEGAL,
      0x0400207bn,
      ILLEGAL,
      0x0600207bn,
      ILLEGAL,
      0x0800207bn,
    ])
  })

  it('other encodings are illegal', () => {
    // funct3 other than 010, funct7 5, fields that must be 0
    const words = ['0x0000007b', '0x0000307b', '0x0a00207b', '0x001020fb', '0x0600a07b']
    const log = traps(
      words.map((word) => `.4byte ${word}`),
      'USER',
      BOTH,
    )
    expect(log).toEqual(words.flatMap((word) => [ILLEGAL, BigInt(word)]))
  })

  it('send is illegal with an index behind the table, an invalid entry, or a table outside RAM', () => {
    const log = logOf(
      `${TABLE}
main:
  vector mtvec skip_trap
  usetable
  li a0, 63               # the last one of the page: invalid, but there
  uipi.send a0
  li a0, 64
  uipi.send a0
  li a0, 3
  uipi.send a0
  li a0, -1
  uipi.send a0
  li t0, 1 << 63 | 1 << 44 | 0x10000
  csrw suist, t0
  li a0, 0
  uipi.send a0
  exit 0
`,
      BOTH,
    )
    expect(log).toEqual(Array.from({ length: 5 }, () => [ILLEGAL, 0x5207bn]).flat())
  })

  it('a vector above 63 and a receiver above 511 are ignored', () => {
    const log = logOf(
      `${TABLE}
main:
  vector mtvec skip_trap
  usetable
  usereceiver 0
  li a0, 4
  uipi.send a0
  li a0, 5
  uipi.send a0
  uipi.read a0
  log a0
  usereceiver 512
  li a0, -1
  uipi.write a0
  uipi.activate
  uipi.read a0
  log a0
  exit 0
`,
      BOTH,
    )
    expect(log).toEqual([0n, 0n])
  })

  it('the receivers can be reached over MMIO', () => {
    const log = logOf(
      `
main:
  li s0, 0x2f10000 + 0x20 * 511
  li t0, 5
  sd t0, 0(s0)            # SEND
  li t0, 40
  sw t0, 0(s0)            # and by its low half
  sw t0, 4(s0)            # the high half posts nothing
  ld t0, 0(s0)
  log t0
  li t0, 3 << 16 | 0xff02
  sd t0, 8(s0)            # LOW
  ld t0, 8(s0)
  log t0
  li t0, 1
  sd t0, 24(s0)           # ACTIVE
  ld t0, 8(s0)
  log t0
  ld t0, 24(s0)
  log t0
  ld t0, 16(s0)           # HIGH, clears
  log t0
  ld t0, 16(s0)
  log t0
  li t0, 0x8000000000000001
  sd t0, 16(s0)
  lwu t0, 20(s0)
  log t0
  ld t0, 16(s0)
  log t0
  exit 0
`,
      BOTH,
    )
    expect(log).toEqual([0n, 0x30002n, 0x30003n, 1n, (1n << 40n) | 0x20n, 0n, 0x8000_0000n, 1n])
  })
})

describe('4: receivers', () => {
  /** A user program that handles USI by reading its receiver. */
  const receiver = (user: string) => `${TABLE}
main:
  ${DELEGATED}
  csrwi mie, 1
  usetable
  usereceiver 0
  setreceiver 0 0 0
  enter USER user
user:
${user}
  exit 0
.balign 4
handler:
  logcsr ucause
  uipi.read a0
  log a0
  uret
`

  it('on core: a posted vector interrupts U, and reading it lowers USIP', () => {
    const log = logOf(
      receiver(`
  uipi.activate
  li a0, 0
  uipi.send a0
  li t0, 100
1:
  addi t0, t0, -1
  bnez t0, 1b
  logcsr uip
`),
      BOTH,
    )
    expect(log).toEqual([USI, 2n, 0n])
  })

  it('off core: the vector stays pending and is delivered at the activation', () => {
    const log = logOf(
      receiver(`
  li a0, 0
  uipi.send a0
  li t0, 100
1:
  addi t0, t0, -1
  bnez t0, 1b
  logcsr uip
  uipi.activate
  li t0, 100
1:
  addi t0, t0, -1
  bnez t0, 1b
`),
      BOTH,
    )
    expect(log).toEqual([0n, USI, 2n])
  })

  it('deactivating lowers the wire and keeps the vectors', () => {
    const log = logOf(
      receiver(`
  csrci ustatus, 1
  uipi.activate
  li a0, 0
  uipi.send a0
  li t0, 100
1:
  addi t0, t0, -1
  bnez t0, 1b
  logcsr uip
  csrci uip, 1            # not what holds the wire
  logcsr uip
  uipi.deactivate
  logcsr uip
  uipi.read a0
  log a0
`),
      BOTH,
    )
    expect(log).toEqual([1n, 1n, 0n, 2n])
  })

  it('writing pending vectors raises and lowers the wire', () => {
    const log = logOf(
      receiver(`
  csrci ustatus, 1
  uipi.activate
  li a0, 0x100
  uipi.write a0
  li t0, 100
1:
  addi t0, t0, -1
  bnez t0, 1b
  logcsr uip
  uipi.write x0
  logcsr uip
`),
      BOTH,
    )
    expect(log).toEqual([1n, 0n])
  })

  it('mode 1 raises SSIP', () => {
    const log = logOf(
      `${TABLE}
main:
  li t0, 2
  csrw mideleg, t0
  csrw mie, t0
  vector stvec supervisor
  usetable
  usereceiver 0
  setreceiver 0 0 1
  uipi.activate
  enter SUPERVISOR go
go:
  csrsi sstatus, 2
  li a0, 0
  uipi.send a0
1:
  j 1b
.balign 4
supervisor:
  logcsr scause
  uipi.read a0
  log a0
  logcsr sip
  exit 0
`,
      BOTH,
    )
    expect(log).toEqual([SSI, 2n, 0n])
  })

  it('several receivers hold one wire; it falls with the last', () => {
    const log = logOf(
      `${TABLE}
main:
  usetable
  .irp index, 0, 1
  setreceiver \\index 0 0
  usereceiver \\index
  uipi.activate
  li a0, \\index
  uipi.send a0
  .endr
  li t0, 100
1:
  addi t0, t0, -1
  bnez t0, 1b
  uipi.read a0            # of receiver 1
  log a0
  logcsr mip
  usereceiver 0
  uipi.read a0
  log a0
  logcsr mip
  exit 0
`,
      BOTH,
    )
    expect(log).toEqual([32n, 1n, 2n, 0n])
  })

  it('moves to another hart with what is pending', () => {
    const run = runProgram(
      `${TABLE}
main:
  vector mtvec skip_trap
  bnez a0, second
  usetable
  usereceiver 2
  setreceiver 2 0 0
  uipi.activate
  li a0, 2
  uipi.send a0
1:
  csrr t0, mip
  beqz t0, 1b
  log t0
  li t0, 0x2f10008 + 0x40
  li t1, 1 << 16 | 1
  sw t1, 0(t0)
  logcsr mip
  j .
second:
  csrr t0, mip
  beqz t0, second
  log t0
  usereceiver 2
  uipi.read t0
  log t0
  exit 0
`,
      { ...BOTH, harts: 2 },
    )
    expect(run.log(0)).toEqual([1n, 0n])
    expect(run.log(1)).toEqual([1n, 1n << 63n])
  })
})

describe('4: harts that send to each other', () => {
  /** Each hart owns the receiver of its number and posts to the next hart whenever it was posted to. Round trips as hart 0 counts them. */
  const pingPong = (harts: number, rounds: number) => `
.data
.balign 4096
table:
${Array.from({ length: harts }, (_, hart) => `  .dword 1 | ${hart} << 16 | ${hart}  << 48\n  .skip 56`).join('\n')}
  .balign 4096
count: .dword 0
.text
main:
  mv s0, a0
  addi s1, a0, 1
  li t0, ${harts}
  bne s1, t0, 1f
  li s1, 0
1:
  li t0, 0x333
  csrw mideleg, t0
  csrw sideleg, t0
  vector mtvec skip_trap
  vector utvec handler
  csrwi mie, 1
  la t0, table
  srli t0, t0, 12
  li t1, 1 << 63 | 1 << 44
  or t0, t0, t1
  csrw suist, t0
  li t0, 1 << 63
  or t0, t0, s0
  csrw suirs, t0
  slli t0, s0, 5
  li t1, 0x2f10008
  add t0, t0, t1
  slli t1, s0, 16
  sd t1, 0(t0)
  uipi.activate
  csrwi ustatus, 1
  enter USER user
user:
  bnez s0, 2f
  li t0, 2000
1:
  addi t0, t0, -1
  bnez t0, 1b
  uipi.send s1
2:
  addi s4, s4, 1
  j 2b
.balign 4
handler:
  uipi.read a0
  li a1, 1
  sll a1, a1, s0
  bne a0, a1, wrong
  addi s2, s2, 1
  bnez s0, 3f
  li t0, ${rounds}
  beq s2, t0, done
3:
  uipi.send s1
  uret
done:
  log s2
  exit 0
wrong:
  exit 1
`
  for (const harts of [2, 4]) {
    it(`${harts} harts in a ring: nothing is lost`, () => {
      const run = runProgram(pingPong(harts, 100), { ...BOTH, harts })
      expect(run.status).toBe(0)
      expect(run.log(0)).toEqual([100n])
      for (let hart = 1; hart < harts; hart++) expect(run.machine.core.register(hart, 18)).toBe(100n)
    })
  }

  it('no interrupt arrives before the IPI delay has passed, in either direction', () => {
    for (const harts of [2, 4]) {
      const run = new ProgramRun(pingPong(harts, 50), { ...BOTH, harts, timing: 'rocket100', quantum: 50 }).toExit()
      const perHop = run.machine.now / (50 * harts)
      expect(perHop).toBeGreaterThan(run.machine.timing.ipiDelay + run.machine.timing.costs.uipi + run.machine.timing.costs.trap)
    }
  })
})

describe('rocket100', () => {
  /** Cycles between two reads of the counter, less what reading it costs. */
  const cycles = (between: string, handler: string) =>
    Number(
      logOf(
        `${TABLE}
main:
  ${DELEGATED}
  csrwi mie, 1
  li t0, -1
  csrw mcounteren, t0
  csrw scounteren, t0
  usetable
  usereceiver 0
  setreceiver 0 0 0
  uipi.activate
  enter USER user
user:
  rdcycle s0
  rdcycle s1
  rdcycle s2
  ${between}
  rdcycle s3
  sub s1, s1, s0
  sub s3, s3, s2
  sub s3, s3, s1
  log s3
  exit 0
.balign 4
handler:
${handler}
`,
        { ...BOTH, timing: 'rocket100' },
      )[0],
    )

  it('a user software interrupt with an empty handler takes 66 to 72 cycles', () => {
    const taken = cycles('csrsi uip, 1', '  csrci uip, 1\n  uret')
    expect(taken).toBeGreaterThanOrEqual(66)
    expect(taken).toBeLessThanOrEqual(72)
  })

  it('from uipi.send to the first instruction of the handler are about 100 cycles', () => {
    const taken = cycles('li a0, 0\n  uipi.send a0\n  j .', '  rdcycle s3\n  sub s3, s3, s2\n  log s3\n  exit 0')
    expect(taken).toBeGreaterThanOrEqual(90)
    expect(taken).toBeLessThanOrEqual(110)
  })
})
