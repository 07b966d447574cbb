/**
 * Random but valid pieces of program. An item is a few instructions that stand alone: it can be left out without changing
 * what the others mean, which is what makes shrinking a matter of leaving items out.
 *
 * Registers: x1..x25 are the items'; x26 points at constants, x27 is where a wild jump returns to, x28 and x29 are the
 * trap handler's, x30 points at the data window, x31 at the trap log.
 */
import { encode, encodeNamed, type Operands } from '../../isa/codec.ts'
import { csrs } from '../../isa/csrs.ts'
import { fieldScale, fieldWidth, type Field } from '../../isa/fields.ts'
import { findInstruction, instructions, type Instruction } from '../../isa/instructions.ts'
import type { Choice } from './random.ts'

export type Mode = 'machine' | 'modified' | 'supervisor' | 'user'

export interface Item {
  /** Instruction words, 16-bit ones where the low bits say so. */
  readonly words: readonly number[]
  readonly about: string
}

export const WINDOW_BYTES = 16 * 4096
export const CONSTANT_COUNT = 64
const LAST_FREE_REGISTER = 25
const CONSTANTS = 26
const RETURN = 27
const WINDOW = 30

const bases = instructions.filter(({ extension }) => !['N', 'Uintc', 'Priv1.9'].includes(extension))
const SKIPPED = new Set([
  // Control flow and the environment get items of their own.
  ...['jal', 'jalr', 'c.j', 'c.jr', 'c.jalr', 'wfi', 'mret', 'sret', 'c.ebreak', 'ebreak', 'ecall', 'fence', 'fence.i', 'sfence.vma'],
])

export function randomItem(choice: Choice, mode: Mode): Item {
  const instruction = choice.of(bases)
  if (SKIPPED.has(instruction.name)) return special(choice, mode, instruction)
  const base = instruction.expands ? findInstruction(instruction.expands.name)! : instruction
  switch (base.cost) {
    case 'branch':
      return branch(choice, instruction)
    case 'load':
    case 'store':
      return access(choice, instruction)
    case 'amo':
      return atomic(choice, instruction)
    case 'csr':
      return csr(choice, mode, instruction)
    default:
      return choice.chance(6) ? constant(choice) : plain(choice, instruction)
  }
}

function register(choice: Choice, f: Field): number {
  if (f.bias) return f.bias + choice.below(8)
  return f.kind === 'f' ? choice.below(32) : choice.between(0, LAST_FREE_REGISTER)
}

/** Edge values as often as any. */
function immediate(choice: Choice, f: Field): number {
  const width = fieldWidth(f)
  const scale = fieldScale(f)
  const count = 2 ** width / scale
  const raw = choice.chance(3) ? choice.of([0, 1, count - 1, count / 2, Math.max(0, count / 2 - 1)]) : choice.below(count)
  const value = raw * scale
  return f.kind === 'signed' && value >= 2 ** (width - 1) ? value - 2 ** width : value
}

function operandsOf(choice: Choice, instruction: Instruction): Operands {
  const operands: Operands = {}
  for (const f of instruction.fields) {
    if (operands[f.operand] !== undefined) continue
    operands[f.operand] =
      f.kind === 'x' || f.kind === 'f' ? register(choice, f) : f.kind === 'rounding' ? rounding(choice) : immediate(choice, f)
  }
  for (const operand of instruction.nonzero) {
    const f = instruction.fields.find((candidate) => candidate.operand === operand)!
    operands[operand] ||= f.kind === 'x' ? choice.between(1, LAST_FREE_REGISTER) : fieldScale(f)
  }
  if (instruction.length === 2 && operands.rd !== undefined && operands.rs1 !== undefined && instruction.cost === 'alu')
    operands.rs1 = operands.rd
  // x2 stays near the window for the stack-pointer forms; c.addi16sp moves it a little.
  if (operands.rd === 2 && instruction.fields.some((f) => f.operand === 'rd' && f.kind === 'x')) {
    operands.rd = 3
    if (instruction.length === 2 && operands.rs1 === 2) operands.rs1 = 3
  }
  return operands
}

/** Mostly dynamic or valid; reserved ones must trap. */
function rounding(choice: Choice): number {
  return choice.chance(12) ? choice.of([5, 6]) : choice.of([0, 1, 2, 3, 4, 7, 7, 7])
}

function plain(choice: Choice, instruction: Instruction): Item {
  const operands = operandsOf(choice, instruction)
  if (instruction.name === 'c.lui' && operands.rd === 2) operands.rd = 3
  return { words: [encode(instruction, operands)], about: instruction.name }
}

function constant(choice: Choice): Item {
  const imm = 8 * choice.below(CONSTANT_COUNT)
  return choice.chance(2)
    ? { words: [encodeNamed('fld', { rd: choice.below(32), rs1: CONSTANTS, imm })], about: 'float constant' }
    : { words: [encodeNamed('ld', { rd: choice.between(3, LAST_FREE_REGISTER), rs1: CONSTANTS, imm })], about: 'constant' }
}

/** Puts window + offset into a register. */
function pointAt(pointer: number, offset: number): number[] {
  const low = ((offset & 0xfff) << 20) >> 20
  return [
    encodeNamed('lui', { rd: pointer, imm: offset - low }),
    encodeNamed('add', { rd: pointer, rs1: pointer, rs2: WINDOW }),
    encodeNamed('addi', { rd: pointer, rs1: pointer, imm: low }),
  ]
}

/** Anywhere in the window, with a liking for page ends. */
function windowOffset(choice: Choice): number {
  return choice.chance(4) ? 4096 * choice.between(1, 15) - choice.between(1, 8) : choice.below(WINDOW_BYTES - 2048 - 8)
}

function access(choice: Choice, instruction: Instruction): Item {
  const operands = operandsOf(choice, instruction)
  const spForm = instruction.expands?.implied.rs1 === 2
  if (spForm) return { words: [...pointAt(2, windowOffset(choice) & ~7), encode(instruction, operands)], about: instruction.name }
  operands.rs1 = instruction.length === 2 ? choice.between(8, 15) : choice.between(3, LAST_FREE_REGISTER)
  const offset = choice.chance(3) ? windowOffset(choice) : windowOffset(choice) & ~7
  return { words: [...pointAt(operands.rs1, offset), encode(instruction, operands)], about: instruction.name }
}

function atomic(choice: Choice, instruction: Instruction): Item {
  const operands = operandsOf(choice, instruction)
  operands.rs1 = choice.between(3, LAST_FREE_REGISTER)
  const offset = windowOffset(choice) & ~7
  const isStore = instruction.name.startsWith('sc.')
  const words = pointAt(operands.rs1, choice.chance(10) && !isStore ? offset + choice.between(1, 7) : offset)
  if (isStore) {
    // Reserved here, or elsewhere: what a reservation of another size is worth is left open (Unprivileged 20191213, 8.2).
    const reserve = encodeNamed(instruction.name.replace('sc', 'lr'), {
      rd: operands.rs1 === 24 ? 25 : 24,
      rs1: choice.chance(3) ? WINDOW : operands.rs1,
    })
    words.push(reserve)
  }
  // The result must not replace the pointer before it is used: it cannot, rd is written last.
  return { words: [...words, encode(instruction, operands)], about: instruction.name }
}

function branch(choice: Choice, instruction: Instruction): Item {
  const operands = operandsOf(choice, instruction)
  const skipped = plain(choice, findInstruction('addi')!).words[0]
  return { words: [encode(instruction, { ...operands, imm: instruction.length + 4 }), skipped], about: instruction.name }
}

/**
 * Registers whose value is the program's alone, by the privilege that may touch them; all kinds of access are tried. Left out are those
 * where QEMU 7.2 departs from the specification: bit 0 of xepc is writable there, and medeleg, mideleg and mie have bits of H.
 */
const FREE_CSRS: Readonly<Record<Mode, readonly string[]>> = {
  machine: [
    ...['fflags', 'frm', 'fcsr', 'mscratch', 'sscratch', 'mcause', 'scause', 'mtval', 'stval', 'stvec'],
    ...['sie', 'sip', 'misa', 'tselect'],
  ],
  modified: ['fflags', 'frm', 'fcsr', 'mscratch', 'sscratch', 'scause', 'stval'],
  supervisor: ['fflags', 'frm', 'fcsr', 'sscratch', 'scause', 'stval', 'stvec', 'sie', 'sip', 'mscratch'],
  user: ['fflags', 'frm', 'fcsr', 'sscratch', 'mscratch'],
}

/** Bits of mstatus and sstatus that a program may change without losing itself: FS, SUM, MXR, SPP, SPIE, MPIE. */
const STATUS_BITS = [1 << 13, 1 << 14, 1 << 18, 1 << 19, 1 << 8, 1 << 5, 1 << 7]

function csr(choice: Choice, mode: Mode, instruction: Instruction): Item {
  const operands = operandsOf(choice, instruction)
  const isWrite = instruction.name.startsWith('csrrw')
  if (mode !== 'user' && choice.chance(6) && !isWrite) {
    const name = mode === 'supervisor' ? 'sstatus' : 'mstatus'
    const bits = STATUS_BITS.reduce((sum, bit) => (choice.chance(3) ? sum | bit : sum), 0)
    const low = ((bits & 0xfff) << 20) >> 20
    const set = instruction.name.startsWith('csrrs')
    // Float stays on most of the time.
    const value = set || !choice.chance(8) ? bits | (set ? 0x6000 : 0) : bits
    const pointer = choice.between(3, LAST_FREE_REGISTER)
    const upper = (set ? value : value & ~0x6000) - low
    return {
      words: [
        encodeNamed('lui', { rd: pointer, imm: upper & ~0xfff }),
        encodeNamed('addi', { rd: pointer, rs1: pointer, imm: low }),
        encodeNamed(set ? 'csrrs' : 'csrrc', { rd: choice.between(3, 23), csr: numberOf(name), rs1: pointer }),
      ],
      about: `${set ? 'set' : 'clear'} ${name}`,
    }
  }
  const csrNumber = choice.chance(10) ? missingCsr(choice) : numberOf(choice.of(FREE_CSRS[mode]))
  return { words: [encode(instruction, { ...operands, csr: csrNumber })], about: `${instruction.name} 0x${csrNumber.toString(16)}` }
}

function numberOf(name: string): number {
  return csrs.find((row) => row.name === name)!.number
}

/** Numbers that no register of either machine has. */
function missingCsr(choice: Choice): number {
  return choice.of([0x0c0, 0x1c0, 0x5c0, 0x6c0, 0x9c0, 0xac0, 0xbc0, 0xcc8, 0xdc0, 0xfc0, 0x7c0, 0x3f5])
}

function special(choice: Choice, mode: Mode, instruction: Instruction): Item {
  const free = () => choice.between(3, LAST_FREE_REGISTER)
  const filler = plain(choice, findInstruction('xori')!).words[0]
  switch (instruction.name) {
    case 'jal':
      return { words: [encode(instruction, { rd: choice.between(3, 25), imm: 8 }), filler], about: 'jal' }
    case 'c.j':
      return { words: [encode(instruction, { imm: 6 }), filler], about: 'c.j' }
    case 'jalr': {
      if (choice.chance(3)) return wildJump(choice)
      const pointer = free()
      // Bit 0 of the target is dropped.
      const words = [
        encodeNamed('auipc', { rd: pointer, imm: 0 }),
        encode(instruction, { rd: free(), rs1: pointer, imm: 12 + choice.below(2) }),
        filler,
      ]
      return { words, about: 'jalr' }
    }
    case 'c.jr':
    case 'c.jalr': {
      const pointer = free()
      const words = [
        encodeNamed('auipc', { rd: pointer, imm: 0 }),
        encodeNamed('addi', { rd: pointer, rs1: pointer, imm: 14 }),
        encode(instruction, { rs1: pointer }),
        filler,
      ]
      return { words, about: instruction.name }
    }
    case 'ecall':
    case 'ebreak':
    case 'c.ebreak':
      return { words: [encode(instruction, {})], about: instruction.name }
    case 'fence':
      return { words: [encode(instruction, { pred: choice.below(16), succ: choice.below(16) })], about: 'fence' }
    case 'fence.i':
      // With MPRV in force QEMU 7.2 lets data accesses use the translation of a fetch, so stores to code are not compared there.
      return mode !== 'modified' && choice.chance(2) ? selfModify(choice) : { words: [encode(instruction, {})], about: 'fence.i' }
    case 'sfence.vma':
      return { words: [encode(instruction, { rs1: choice.chance(2) ? 0 : free(), rs2: 0 })], about: 'sfence.vma' }
    case 'sret':
    case 'mret':
      // Where it is allowed it would leave the program: only the trap is tried.
      return mode === 'user' || (mode === 'supervisor' && instruction.name === 'mret')
        ? { words: [encode(instruction, {})], about: instruction.name }
        : illegal(choice)
    default:
      return illegal(choice)
  }
}

/** To where nothing can be fetched: the handler comes back through x27. */
function wildJump(choice: Choice): Item {
  const pointer = choice.between(3, 22)
  return {
    words: [
      encodeNamed('auipc', { rd: RETURN, imm: 0 }),
      encodeNamed('addi', { rd: RETURN, rs1: RETURN, imm: 16 }),
      encodeNamed('lui', { rd: pointer, imm: choice.of([0x00800000, 0x00c00000, -0x40000000]) }),
      encodeNamed('jalr', { rd: 0, rs1: pointer, imm: 2 * choice.below(64) }),
    ],
    about: 'jump to nowhere',
  }
}

/** Overwrites an instruction just ahead, then fences and runs it. */
function selfModify(choice: Choice): Item {
  const value = encodeNamed('addi', { rd: choice.between(3, 20), rs1: 0, imm: choice.between(-2048, 2047) })
  const low = ((value & 0xfff) << 20) >> 20
  return {
    words: [
      encodeNamed('auipc', { rd: 22, imm: 0 }),
      encodeNamed('lui', { rd: 23, imm: (value - low) | 0 }),
      encodeNamed('addiw', { rd: 23, rs1: 23, imm: low }),
      encodeNamed('sw', { rs1: 22, rs2: 23, imm: 20 }),
      encodeNamed('fence.i', {}),
      encodeNamed('addi', { rd: 21, rs1: 0, imm: 1 }),
    ],
    about: 'self-modifying code',
  }
}

/** Words that no extension of either machine gives a meaning. */
function illegal(choice: Choice): Item {
  return { words: [choice.of([0x00000000, 0xffffffff, 0x0000700b, 0x0200707b, 0x9c41, 0x8000, 0x2000707f, 0x7c00007b])], about: 'illegal' }
}
