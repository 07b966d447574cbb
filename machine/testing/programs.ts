/** Small guest programs for tests: assembly text -> ELF -> a `virt` board -> what it printed, logged and exited with. */
import { ConsoleStream } from '../backend/console.ts'
import type { BlockImage } from '../backend/block-image.ts'
import { boot, type BootFile } from '../board/boot.ts'
import type { Engine, Machine, RunResult } from '../board/machine.ts'
import { VirtBoard } from '../board/virt.ts'
import type { TimingProfile } from '../device/timing.ts'
import { type ElfFile, readElf } from '../toolchain/elf/reader.ts'
import { assemble } from '../toolchain/assembler/index.ts'
import { flatLayout, link } from '../toolchain/link/index.ts'
import { testHartModule } from './hart-module.ts'

export interface TestBoardOptions {
  readonly harts?: number
  readonly ramSize?: number
  readonly timing?: TimingProfile
  readonly quantum?: number
  readonly engine?: Engine
  readonly userInterrupts?: { readonly n: boolean; readonly uintc: boolean }
  readonly disks?: readonly BlockImage[]
  readonly seed?: bigint
  /** Assemble with compressed instructions; off unless asked for, so that every instruction is four bytes. */
  readonly compressed?: boolean
}

/** Start of RAM, where programs without firmware are linked. */
export const RAM = 0x8000_0000
/** Nothing in a test takes longer. */
export const MOST_CYCLES = 50_000_000

/**
 * Before `main`: memory open to all privileges (PMP), a stack, and s11 pointing to the hart's log, on every hart.
 *
 *     log REGISTER      appends a register to the hart's log
 *     logcsr NAME       appends a CSR; clobbers t6
 *     exit STATUS       ends the run with this status; clobbers t5 and t6
 *     enter MODE LABEL  goes on at a label in MODE (USER, SUPERVISOR, MACHINE), from M; clobbers t0
 *     vector CSR LABEL  sets a trap vector; clobbers t0
 *
 * The M-mode handler `skip_trap` logs mcause and mtval and goes on behind the instruction of four bytes; clobbers t6.
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
  li t5, 0x100000
  .if \\status
  li t6, (\\status << 16) | 0x3333
  .else
  li t6, 0x5555
  .endif
  sw t6, 0(t5)
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
.balign 4
skip_trap:
  logcsr mcause
  logcsr mtval
  csrr t6, mepc
  addi t6, t6, 4
  csrw mepc, t6
  mret
.globl _start
_start:
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  csrr a0, mhartid
  addi t0, a0, 1
  slli t0, t0, 12
  la sp, program_stacks
  add sp, sp, t0
  la s11, program_logs
  slli t0, a0, 12
  add s11, s11, t0
  j main
.section .bss
.balign 4096
program_logs: .skip 8 * 4096
program_stacks: .skip 8 * 4096
.text
`

/** Linked programs by text: tests with random inputs run the same one many times. */
const linked = new Map<string, Uint8Array>()

/** Assembles and links a text as it is, with its start at `_start`. @throws Error with the assembler's or linker's messages. */
export function linkProgram(source: string, options: { readonly origin?: number; readonly compressed?: boolean } = {}): Uint8Array {
  const key = JSON.stringify([source, options])
  const known = linked.get(key)
  if (known) return known
  const { object, diagnostics } = assemble(source, { file: 'program.s', compressed: options.compressed ?? false })
  if (!object) throw new Error(diagnostics.map(({ line, message }) => `${source.split('\n')[(line ?? 1) - 1]}: ${message}`).join('\n'))
  const result = link([object], flatLayout(BigInt(options.origin ?? RAM), { entry: '_start' }))
  if (result.elf.length === 0) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'))
  linked.set(key, result.elf)
  return result.elf
}

/** A board with its console gathered as text, before anything was loaded. */
export class TestBoard {
  readonly board: VirtBoard
  readonly machine: Machine
  readonly input: ConsoleStream
  readonly warnings: string[] = []
  private printed = ''

  constructor(readonly options: TestBoardOptions = {}) {
    this.input = new ConsoleStream((bytes) => (this.printed += Buffer.from(bytes).toString('latin1')))
    this.board = new VirtBoard({
      hartModule: testHartModule(),
      ramSize: 16 << 20,
      ...options,
      console: this.input,
      onWarning: (text) => this.warnings.push(text),
    })
    this.machine = this.board.machine
  }

  /** Everything printed so far. */
  get text(): string {
    this.input.flush()
    return this.printed
  }

  /** Runs the machine; at its exit what the UART still holds is printed. */
  run(untilCycle?: number): RunResult {
    const result = this.machine.run(untilCycle)
    if (result.kind === 'exit') this.board.uart.drain()
    return result
  }

  /** Runs in pieces of virtual time until the console shows `text` behind `from`; the place behind it. */
  runUntilShown(text: string, from = 0, mostCycles = 2_000_000_000): number {
    const end = this.machine.now + mostCycles
    for (;;) {
      const at = this.text.indexOf(text, from)
      if (at >= 0) return at + text.length
      if (this.machine.now >= end) throw new Error(`the console never showed ${JSON.stringify(text)}:\n${this.text.slice(from)}`)
      const result = this.run(this.machine.now + 500_000)
      if (result.kind !== 'limit' && !this.text.includes(text, from))
        throw new Error(`the run ended (${result.kind}) before ${JSON.stringify(text)}:\n${this.text.slice(from)}`)
    }
  }
}

/** A program on a board. */
export class ProgramRun extends TestBoard {
  readonly elf: ElfFile
  result: RunResult | undefined

  constructor(source: string, options: TestBoardOptions = {}) {
    super(options)
    const bytes = linkProgram(PRELUDE + source, { compressed: options.compressed })
    this.elf = readElf(bytes)
    const kernel: BootFile = { name: 'program', bytes }
    boot(this.board, { kernel })
  }

  /** Runs to the program's exit. @throws Error when it does not exit. */
  toExit(mostCycles = MOST_CYCLES): this {
    this.result = this.run(this.machine.now + mostCycles)
    if (this.result.kind !== 'exit') {
      const where = Array.from({ length: this.options.harts ?? 1 }, (_, hart) => `0x${this.machine.core.pc(hart).toString(16)}`)
      throw new Error(`the program did not exit but: ${this.result.kind}, at ${where.join(', ')}`)
    }
    return this
  }

  /** Exit status; undefined before the exit. */
  get status(): number | undefined {
    return this.result?.kind === 'exit' ? this.result.status : undefined
  }

  /** What a hart logged. */
  log(hart = 0): bigint[] {
    const start = this.symbol('program_logs') + BigInt(hart * 4096)
    const count = Number(this.machine.core.register(hart, 27) - start) / 8
    return Array.from({ length: count }, (_, index) => this.doubleword(start + BigInt(index * 8)))
  }

  /** The address of a label. */
  symbol(name: string): bigint {
    const found = this.elf.symbols.find((symbol) => symbol.name === name)
    if (!found) throw new Error(`the program has no label ${name}`)
    return found.value
  }

  /** Memory at a label or physical address. */
  doubleword(at: string | bigint): bigint {
    const address = typeof at === 'string' ? this.symbol(at) : at
    const index = this.machine.ramAt(Number(address), 8)
    if (index < 0) throw new Error(`0x${address.toString(16)} is not in RAM`)
    return this.machine.core.view.getBigUint64(index, true)
  }
}

/** Runs a program to its exit. */
export function runProgram(source: string, options: TestBoardOptions = {}): ProgramRun {
  return new ProgramRun(source, options).toExit()
}

/** What a one-hart program logged until its exit. */
export function logOf(source: string, options: TestBoardOptions = {}): bigint[] {
  return runProgram(source, options).log()
}
