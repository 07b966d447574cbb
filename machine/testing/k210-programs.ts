/** Small guest programs for tests of the `k210` board, and its bus as a test drives it while the harts go round in a loop. */
import type { BlockImage } from '../backend/block-image.ts'
import { ConsoleStream } from '../backend/console.ts'
import { bootK210 } from '../board/k210-boot.ts'
import { K210Board, type K210Options } from '../board/k210.ts'
import type { Machine } from '../board/machine.ts'
import type { TimingProfile } from '../device/timing.ts'
import { readElf } from '../toolchain/elf/reader.ts'
import { testHartModule } from './hart-module.ts'
import { linkProgram, MOST_CYCLES } from './programs.ts'

export interface K210TestOptions {
  readonly harts?: number
  readonly timing?: TimingProfile
  readonly sd?: BlockImage
  readonly resetCause?: K210Options['resetCause']
  readonly engine?: K210Options['engine']
}

/**
 * Before `main`, which each hart enters with its number in a0: a stack, and s11 pointing to the hart's log.
 *
 *     log REGISTER       appends a register to the hart's log
 *     logcsr NAME        appends a CSR; clobbers t6
 *     exit STATUS        ends the run with this status (HTIF); clobbers t5 and t6
 *     enter MODE LABEL   goes on at a label in MODE (USER, SUPERVISOR, MACHINE), from M; clobbers t0
 *     vector CSR LABEL   sets a trap vector; clobbers t0
 *
 * The M-mode handler `skip_trap` logs mcause and mbadaddr and goes on behind the instruction of four bytes; clobbers t6.
 */
const PRELUDE = `
.macro log register
  sd \\register, 0(s11)
  addi s11, s11, 8
.endm
.macro logcsr name
  csrr t6, \\name
  log t6
.endm
.macro exit status
  li t6, (\\status << 1) | 1
  la t5, tohost
  sd t6, 0(t5)
  j .
.endm
.equ USER, 0
.equ SUPERVISOR, 1
.equ MACHINE, 3
.macro enter mode label
  la t0, \\label
  csrw mepc, t0
  li t0, 3 << 11
  csrc mstatus, t0
  li t0, \\mode << 11
  csrs mstatus, t0
  mret
.endm
.macro vector register label
  la t0, \\label
  csrw \\register, t0
.endm
.text
.globl _start
_start:
  csrr a0, mhartid
  addi t0, a0, 1
  slli t0, t0, 12
  la sp, program_stacks
  add sp, sp, t0
  la s11, program_logs
  slli t0, a0, 12
  add s11, s11, t0
  vector mtvec skip_trap
  j main
.balign 4
skip_trap:
  logcsr mcause
  logcsr mtval
  csrr t6, mepc
  addi t6, t6, 4
  csrw mepc, t6
  mret
.data
.globl tohost
.balign 8
tohost: .dword 0
.section .bss
.balign 4096
program_logs: .skip 2 * 4096
program_stacks: .skip 2 * 4096
.text
`

export class K210Run {
  readonly board: K210Board
  readonly machine: Machine
  readonly input: ConsoleStream
  readonly warnings: string[] = []
  private printed = ''
  private readonly symbols: ReadonlyMap<string, bigint>

  constructor(source: string, options: K210TestOptions = {}) {
    this.input = new ConsoleStream((bytes) => (this.printed += Buffer.from(bytes).toString('latin1')))
    this.board = new K210Board({
      hartModule: testHartModule(),
      harts: 1,
      timing: 'ideal',
      ...options,
      console: this.input,
      onWarning: (text) => this.warnings.push(text),
    })
    this.machine = this.board.machine
    const bytes = linkProgram(PRELUDE + source)
    this.symbols = new Map(readElf(bytes).symbols.map(({ name, value }) => [name, value]))
    bootK210(this.board, { kernel: { name: 'program', bytes } })
  }

  /** Everything printed so far. */
  get text(): string {
    this.input.flush()
    return this.printed
  }

  /** Runs to the program's exit. @throws Error when it does not exit. */
  toExit(): this {
    const result = this.machine.run(this.machine.now + MOST_CYCLES)
    if (result.kind !== 'exit')
      throw new Error(`the program did not exit but: ${result.kind}, at 0x${this.machine.core.pc(0).toString(16)}`)
    this.board.drainConsole()
    return this
  }

  /** What a hart logged. */
  log(hart = 0): bigint[] {
    const start = this.symbols.get('program_logs')! + BigInt(hart * 4096)
    const count = Number(this.machine.core.register(hart, 27) - start) / 8
    const at = this.machine.ramAt(Number(start), count * 8)
    return Array.from({ length: count }, (_, index) => this.machine.core.view.getBigUint64(at + index * 8, true))
  }

  // The bus as a test drives it

  read(address: number, size: 1 | 2 | 4 = 4): number {
    return this.machine.bus.read(address, size)
  }

  write(address: number, value: number, size: 1 | 2 | 4 = 4): void {
    this.machine.bus.write(address, value >>> 0, size)
  }

  /** Lets so many seconds pass. */
  advance(seconds: number): void {
    this.machine.run(this.machine.now + Math.ceil(seconds * this.machine.timing.frequency))
  }
}

/** What a program logged until its exit. */
export function k210LogOf(source: string, options: K210TestOptions = {}): bigint[] {
  return new K210Run(source, options).toExit().log()
}

/** A board whose harts do nothing but let time pass: a test has its bus for itself. */
export function idleK210(options: K210TestOptions = {}): K210Run {
  return new K210Run('main: j main', options)
}
