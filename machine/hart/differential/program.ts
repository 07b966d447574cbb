/** Whole programs for the differential tests: set-up, items, and a dump of everything that can differ over the serial port. */
import { assemble } from '../../toolchain/assembler/index.ts'
import { flatLayout, link } from '../../toolchain/link/index.ts'
import { CONSTANT_COUNT, type Item, type Mode, randomItem } from './items.ts'
import { Choice } from './random.ts'

export interface TestProgram {
  readonly seed: number
  readonly mode: Mode
  readonly levels: 3 | 4
  readonly items: readonly Item[]
  /** Leaf entries' low ten bits, and reserved high bits, of the window's pages. */
  readonly pages: readonly bigint[]
  readonly constants: readonly bigint[]
  /** mstatus bits set before the items run. */
  readonly status: number
  /** Assembly that runs in the place of the items. */
  readonly text?: string
}

export const MODES: readonly Mode[] = ['machine', 'modified', 'supervisor', 'user']

/** A program of `length` items; the seed decides everything. */
export function randomProgram(seed: number, length: number): TestProgram {
  const choice = new Choice(seed)
  const mode = choice.of(MODES)
  const status = [1 << 18, 1 << 19, 1 << 20, 1 << 22].reduce((sum, bit) => (choice.chance(2) ? sum | bit : sum), 0)
  return {
    seed,
    mode,
    levels: choice.chance(2) ? 3 : 4,
    items: Array.from({ length }, () => randomItem(choice, mode)),
    pages: Array.from({ length: 16 }, (_, page) => pageFlags(choice, page)),
    constants: Array.from({ length: CONSTANT_COUNT }, () => constantValue(choice)),
    status,
  }
}

function pageFlags(choice: Choice, page: number): bigint {
  const user = 0x10
  // Mostly usable, some of every other kind.
  const flags =
    page < 4 ? 0xc7 | (choice.chance(2) ? user : 0) : choice.below(256) | (choice.chance(4) ? 0 : 1) | (choice.chance(3) ? 0 : 6)
  return BigInt(flags) | (choice.chance(12) ? 1n << BigInt(54 + choice.below(10)) : 0n)
}

const DOUBLES = [
  ...[
    '0000000000000000',
    '8000000000000000',
    '3ff0000000000000',
    'bff0000000000000',
    '7ff0000000000000',
    'fff0000000000000',
    '7ff8000000000000',
  ],
  ...[
    '7ff0000000000001',
    'fff8000000000001',
    '0000000000000001',
    '000fffffffffffff',
    '0010000000000000',
    '7fefffffffffffff',
    '43e0000000000000',
  ],
  ...[
    'c3e0000000000000',
    '41dfffffffc00000',
    '41efffffffe00000',
    '3fe0000000000000',
    '3fdfffffffffffff',
    '4340000000000000',
    '36a0000000000000',
  ],
  ...['380fffffe0000000', '3810000000000000', '47efffffe0000000', '47effffff0000000'],
]
const SINGLES =
  '00000000 80000000 3f800000 bf800000 7f800000 ff800000 7fc00000 7f800001 ffc00001 00000001 007fffff 00800000 7f7fffff 5f000000 df000000 4effffff 4f7fffff 3f000000 3effffff 4b000000'.split(
    ' ',
  )

function constantValue(choice: Choice): bigint {
  const kind = choice.below(6)
  if (kind === 0) return BigInt(`0x${choice.of(DOUBLES)}`)
  if (kind === 1) return BigInt(`0xffffffff${choice.of(SINGLES)}`)
  if (kind === 2) return 0xffffffff00000000n | BigInt(choice.below(2 ** 32))
  if (kind === 3)
    return choice.of([0n, 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 63n - 1n, 0x7fffffffn, 0x80000000n, 0xffffffff80000000n, 64n, 31n])
  // Doubles of moderate size, so that sums and products stay interesting.
  if (kind === 4) return (choice.bits64() & 0x800fffffffffffffn) | (BigInt(choice.between(1000, 1050)) << 52n)
  return choice.bits64()
}

const WINDOW_PHYSICAL = 0x8040_0000
const WINDOW_VIRTUAL = 0x4000_0000

/** CSRs that are compared at the end. */
const COMPARED_CSRS = [
  ...[
    'mstatus',
    'sstatus',
    'mscratch',
    'sscratch',
    'sepc',
    'scause',
    'stval',
    'stvec',
    'mie',
    'sie',
    'medeleg',
    'mideleg',
    'sip',
    'fcsr',
    'satp',
  ],
  ...['pmpaddr4', 'pmpaddr15', 'misa', 'mcountinhibit', 'senvcfg'],
]

/** The program as an ELF file for RAM at 0x80000000, without firmware. */
export function buildProgram(program: TestProgram): Uint8Array {
  const { object, diagnostics } = assemble(source(program), { file: 'differential.s', compressed: false })
  if (!object) throw new Error(diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'))
  const result = link([object], flatLayout(0x8000_0000n, { entry: '_start' }), { strip: true })
  if (result.elf.length === 0) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'))
  return result.elf
}

function source(program: TestProgram): string {
  const { mode } = program
  const paged = mode !== 'machine'
  const window = paged ? WINDOW_VIRTUAL : WINDOW_PHYSICAL
  const previous = { machine: 3, modified: program.seed & 1, supervisor: 1, user: 0 }[mode]
  const status = program.status | 0x6000 | (mode === 'modified' ? 1 << 17 : 0)
  const body = program.text ?? itemsText(program.items)
  return `
.text
.globl _start
_start:
  csrr t0, mhartid
  bnez t0, park
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  csrw medeleg, x0
  csrw mideleg, x0
  csrw mie, x0
  la t0, handler
  csrw mtvec, t0
  csrw stvec, x0
  csrw mcounteren, x0
${paged ? pageTables(program) : ''}
  li x31, 0x80600000
  li x30, ${window}
  la x26, constants
  li t0, 0x6000
  csrs mstatus, t0
  fscsr x0
${Array.from({ length: 32 }, (_, i) => `  fld f${i}, ${8 * ((i * 2 + 1) % CONSTANT_COUNT)}(x26)`).join('\n')}
${Array.from({ length: 25 }, (_, i) => `  ld x${i + 1}, ${8 * ((i * 2) % CONSTANT_COUNT)}(x26)`).join('\n')}
  mv x2, x30
  # Into the mode under test.
  li x29, 3 << 11 | 1 << 17 | 0x1e22
  csrc mstatus, x29
  la x28, items
  csrw mepc, x28
  li x29, ${mode === 'modified' ? status | (3 << 11) : status | (previous << 11)}
  csrs mstatus, x29
${mode === 'modified' ? `  li x29, ${0x1800 - (previous << 11)}\n  la x28, items\n  csrc mstatus, x29\n  jr x28` : '  mret'}
items:
${body}
  # Out again: a call with a number that the handler knows.
  li x29, 0x5afe
  ecall
park:
  wfi
  j park

.balign 4
handler:
  csrr x28, mcause
  addi x28, x28, -8
  andi x28, x28, -4
  bnez x28, 1f
  li x28, 0x5afe
  beq x28, x29, dump
1:
  csrr x29, mcause
  sd x29, 0(x31)
  csrr x28, mtval
  sd x28, 8(x31)
  csrr x28, mepc
  sd x28, 16(x31)
  csrr x28, mstatus
  sd x28, 24(x31)
  addi x31, x31, 32
  # A failed fetch goes on at x27, anything else behind the instruction.
  li x28, 1
  beq x29, x28, 2f
  li x28, 12
  beq x29, x28, 2f
  csrr x29, mepc
  lhu x28, 0(x29)
  andi x28, x28, 3
  addi x28, x28, -3
  addi x29, x29, 2
  bnez x28, 3f
  addi x29, x29, 2
3:
  csrw mepc, x29
  j 4f
2:
  csrw mepc, x27
4:
  li x28, 0x6000
  csrs mstatus, x28
${mode === 'modified' ? `  # MPRV acts with MPP: put back what the trap replaced, and jump instead of returning.\n  csrr x29, mepc\n  li x28, ${0x1800 - (previous << 11)}\n  csrc mstatus, x28\n  li x28, 1 << 17\n  csrs mstatus, x28\n  li x28, 0\n  jr x29` : '  li x28, 0\n  li x29, 0\n  mret'}

dump:
  li x29, 1 << 17
  csrc mstatus, x29
  la x30, results
${Array.from({ length: 25 }, (_, i) => `  sd x${i + 1}, ${8 * i}(x30)`).join('\n')}
  addi x30, x30, 200
  li x29, 0x6000
  csrs mstatus, x29
${Array.from({ length: 32 }, (_, i) => `  fsd f${i}, ${8 * i}(x30)`).join('\n')}
  addi x30, x30, 256
${COMPARED_CSRS.map((name, i) => `  csrr x29, ${name}\n  sd x29, ${8 * i}(x30)`).join('\n')}
  addi x30, x30, ${8 * COMPARED_CSRS.length}
  # A hash of each page of the window, then its page table entries.
  li x5, ${WINDOW_PHYSICAL}
  li x6, 16
5:
  li x7, 512
  li x8, 0
6:
  ld x9, 0(x5)
  add x8, x8, x9
  slli x10, x8, 7
  srli x11, x8, 57
  or x8, x10, x11
  xor x8, x8, x7
  addi x5, x5, 8
  addi x7, x7, -1
  bnez x7, 6b
  sd x8, 0(x30)
  addi x30, x30, 8
  addi x6, x6, -1
  bnez x6, 5b
${paged ? `  la x5, leaves\n  li x6, 16\n7:\n  ld x7, 0(x5)\n  sd x7, 0(x30)\n  addi x5, x5, 8\n  addi x30, x30, 8\n  addi x6, x6, -1\n  bnez x6, 7b` : ''}
  # How many traps, then what they were.
  li x5, 0x80600000
  sub x6, x31, x5
  sd x6, 0(x30)
  addi x30, x30, 8
  la x5, results
  mv x6, x30
  jal x1, send
  li x5, 0x80600000
  mv x6, x31
  jal x1, send
  li x5, 0x100000
  li x6, 0x5555
  sw x6, 0(x5)
  j park

# Sends the bytes from x5 to x6.
send:
  li x7, 0x10000000
8:
  bgeu x5, x6, 9f
  lbu x8, 5(x7)
  andi x8, x8, 0x20
  beqz x8, 8b
  lbu x8, 0(x5)
  sb x8, 0(x7)
  addi x5, x5, 1
  j 8b
9:
  ret

.data
.balign 4096
root: .skip 4096
upper: .skip 4096
middle: .skip 4096
leaves: .skip 4096
constants:
${program.constants.map((value) => `  .dword 0x${value.toString(16)}`).join('\n')}
flags:
${program.pages.map((value) => `  .dword 0x${value.toString(16)}`).join('\n')}
results: .skip 4096
`
}

/** Memory one to one by a gigapage, and the window's sixteen pages with the flags of the program. */
function pageTables({ mode, levels }: TestProgram): string {
  const identity = mode === 'user' || mode === 'modified' ? 0xdf : 0xcf
  const code = mode === 'user' ? 0xdf : mode === 'supervisor' ? 0xcf : identity
  const link = (from: string, index: number, to: string) =>
    `  la t0, ${from}\n  la t1, ${to}\n  srli t1, t1, 2\n  ori t1, t1, 1\n  sd t1, ${index * 8}(t0)`
  const top = levels === 4 ? 'upper' : 'root'
  return `
${levels === 4 ? link('root', 0, 'upper') : ''}
${link(top, 1, 'middle')}
${link('middle', 0, 'leaves')}
  la t0, ${top}
  li t1, (0x80000000 >> 2) | ${code}
  sd t1, 16(t0)
  la t0, leaves
  la t1, flags
  li t2, ${WINDOW_PHYSICAL} >> 2
  li t3, 16
1:
  ld t4, 0(t1)
  or t4, t4, t2
  sd t4, 0(t0)
  addi t0, t0, 8
  addi t1, t1, 8
  addi t2, t2, 1024
  addi t3, t3, -1
  bnez t3, 1b
  la t0, root
  srli t0, t0, 12
  li t1, ${levels === 4 ? 9 : 8} << 60
  or t0, t0, t1
  csrw satp, t0
  sfence.vma
`
}

/** Items as lines of assembly. */
export function itemsText(items: readonly Item[]): string {
  return items.map(({ words, about }) => words.map(directive).join('\n') + `  # ${about}`).join('\n')
}

function directive(word: number): string {
  return (word & 3) === 3 ? `  .4byte 0x${(word >>> 0).toString(16)}` : `  .2byte 0x${(word & 0xffff).toString(16)}`
}

/** The dump as named values, for messages. */
export function describeDump(program: TestProgram, dump: Uint8Array): string[] {
  const names = [
    ...Array.from({ length: 25 }, (_, i) => `x${i + 1}`),
    ...Array.from({ length: 32 }, (_, i) => `f${i}`),
    ...COMPARED_CSRS,
    ...Array.from({ length: 16 }, (_, i) => `hash of page ${i}`),
    ...(program.mode === 'machine' ? [] : Array.from({ length: 16 }, (_, i) => `page table entry ${i}`)),
    'bytes of trap log',
  ]
  const view = new DataView(dump.buffer, dump.byteOffset, dump.byteLength)
  return Array.from({ length: Math.floor(dump.length / 8) }, (_, i) => {
    const trap = i - names.length
    const name = names[i] ?? `trap ${Math.floor(trap / 4)} ${['mcause', 'mtval', 'mepc', 'mstatus'][trap % 4]}`
    return `${name} = 0x${view.getBigUint64(i * 8, true).toString(16)}`
  })
}
