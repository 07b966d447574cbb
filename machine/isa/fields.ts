/**
 * Where each operand lives in an instruction word. A field is a list of bit slices; the assembler, the disassembler,
 * the decoder generator and the random-program generator all derive from it.
 */

/** `[low bit in the word, width, low bit in the value]`. */
export type BitSlice = readonly [wordLow: number, width: number, valueLow: number]

/**
 * What a field holds: an integer or float register, an integer or float register of the compressed set (x8..x15),
 * a signed or unsigned immediate, a CSR number, a rounding mode, or flag bits.
 */
export type FieldKind = 'x' | 'f' | 'signed' | 'unsigned' | 'csr' | 'rounding' | 'fence' | 'flag'

/** The operand of the (uncompressed) instruction that a field supplies. */
export type OperandName = 'rd' | 'rs1' | 'rs2' | 'rs3' | 'imm' | 'csr' | 'rm' | 'pred' | 'succ' | 'fm' | 'aq' | 'rl'

export interface Field {
  readonly operand: OperandName
  readonly kind: FieldKind
  readonly slices: readonly BitSlice[]
  /** Added to the decoded value: 8 for registers of the compressed set. */
  readonly bias: number
}

function field(operand: OperandName, kind: FieldKind, slices: readonly BitSlice[], bias = 0): Field {
  return { operand, kind, slices, bias }
}

export const rd = field('rd', 'x', [[7, 5, 0]])
export const rs1 = field('rs1', 'x', [[15, 5, 0]])
export const rs2 = field('rs2', 'x', [[20, 5, 0]])
export const frd = field('rd', 'f', [[7, 5, 0]])
export const frs1 = field('rs1', 'f', [[15, 5, 0]])
export const frs2 = field('rs2', 'f', [[20, 5, 0]])
export const frs3 = field('rs3', 'f', [[27, 5, 0]])
export const rm = field('rm', 'rounding', [[12, 3, 0]])
export const aq = field('aq', 'flag', [[26, 1, 0]])
export const rl = field('rl', 'flag', [[25, 1, 0]])
export const csr = field('csr', 'csr', [[20, 12, 0]])
export const zimm = field('imm', 'unsigned', [[15, 5, 0]])
export const immI = field('imm', 'signed', [[20, 12, 0]])
export const immS = field('imm', 'signed', [
  [7, 5, 0],
  [25, 7, 5],
])
export const immB = field('imm', 'signed', [
  [8, 4, 1],
  [25, 6, 5],
  [7, 1, 11],
  [31, 1, 12],
])
/** The value is the full 32-bit constant with its low 12 bits zero, sign-extended. */
export const immU = field('imm', 'signed', [[12, 20, 12]])
export const immJ = field('imm', 'signed', [
  [21, 10, 1],
  [20, 1, 11],
  [12, 8, 12],
  [31, 1, 20],
])
export const shamt5 = field('imm', 'unsigned', [[20, 5, 0]])
export const shamt6 = field('imm', 'unsigned', [[20, 6, 0]])
export const pred = field('pred', 'fence', [[24, 4, 0]])
export const succ = field('succ', 'fence', [[20, 4, 0]])
export const fm = field('fm', 'unsigned', [[28, 4, 0]])

// Compressed: registers.
export const cRd = field('rd', 'x', [[7, 5, 0]])
export const cRs1 = field('rs1', 'x', [[7, 5, 0]])
export const cRs2 = field('rs2', 'x', [[2, 5, 0]])
export const cFrd = field('rd', 'f', [[7, 5, 0]])
export const cFrs2 = field('rs2', 'f', [[2, 5, 0]])
/** Three-bit registers: x8..x15. */
export const cRdShortLow = field('rd', 'x', [[2, 3, 0]], 8)
export const cRs2Short = field('rs2', 'x', [[2, 3, 0]], 8)
export const cRdShortHigh = field('rd', 'x', [[7, 3, 0]], 8)
export const cRs1Short = field('rs1', 'x', [[7, 3, 0]], 8)
export const cFrdShort = field('rd', 'f', [[2, 3, 0]], 8)
export const cFrs2Short = field('rs2', 'f', [[2, 3, 0]], 8)

// Compressed: immediates (Unprivileged 20191213, chapter 16).
export const cImm6 = field('imm', 'signed', [
  [2, 5, 0],
  [12, 1, 5],
])
export const cShamt = field('imm', 'unsigned', [
  [2, 5, 0],
  [12, 1, 5],
])
export const cImmLui = field('imm', 'signed', [
  [2, 5, 12],
  [12, 1, 17],
])
export const cImmAddi16sp = field('imm', 'signed', [
  [6, 1, 4],
  [2, 1, 5],
  [5, 1, 6],
  [3, 2, 7],
  [12, 1, 9],
])
export const cImmAddi4spn = field('imm', 'unsigned', [
  [6, 1, 2],
  [5, 1, 3],
  [11, 2, 4],
  [7, 4, 6],
])
export const cImmW = field('imm', 'unsigned', [
  [6, 1, 2],
  [10, 3, 3],
  [5, 1, 6],
])
export const cImmD = field('imm', 'unsigned', [
  [10, 3, 3],
  [5, 2, 6],
])
export const cImmLwsp = field('imm', 'unsigned', [
  [4, 3, 2],
  [12, 1, 5],
  [2, 2, 6],
])
export const cImmLdsp = field('imm', 'unsigned', [
  [5, 2, 3],
  [12, 1, 5],
  [2, 3, 6],
])
export const cImmSwsp = field('imm', 'unsigned', [
  [9, 4, 2],
  [7, 2, 6],
])
export const cImmSdsp = field('imm', 'unsigned', [
  [10, 3, 3],
  [7, 3, 6],
])
export const cImmB = field('imm', 'signed', [
  [3, 2, 1],
  [10, 2, 3],
  [2, 1, 5],
  [5, 2, 6],
  [12, 1, 8],
])
export const cImmJ = field('imm', 'signed', [
  [3, 3, 1],
  [11, 1, 4],
  [2, 1, 5],
  [7, 1, 6],
  [6, 1, 7],
  [9, 2, 8],
  [8, 1, 10],
  [12, 1, 11],
])

/** Number of significant bits of a field's value, counted from bit 0 (so it includes implied low zeros). */
export function fieldWidth(f: Field): number {
  return Math.max(...f.slices.map(([, width, valueLow]) => valueLow + width))
}

/** The value's granularity: 2 for a branch offset, 8 for a doubleword offset, 4096 for `lui`. */
export function fieldScale(f: Field): number {
  return 2 ** Math.min(...f.slices.map(([, , valueLow]) => valueLow))
}

/** Reads a field of an instruction word. Signed fields are sign-extended to a 32-bit integer. */
export function extractField(f: Field, word: number): number {
  let value = 0
  for (const [wordLow, width, valueLow] of f.slices) value |= ((word >>> wordLow) & ((1 << width) - 1)) << valueLow
  if (f.kind === 'signed') {
    const shift = 32 - fieldWidth(f)
    return (value << shift) >> shift
  }
  return (value >>> 0) + f.bias
}

/** True when `value` can be stored in the field exactly. */
export function fitsField(f: Field, value: number): boolean {
  if (!Number.isInteger(value)) return false
  const width = fieldWidth(f)
  const scaled = value - f.bias
  if (scaled % fieldScale(f) !== 0) return false
  return f.kind === 'signed' ? scaled >= -(2 ** (width - 1)) && scaled < 2 ** (width - 1) : scaled >= 0 && scaled < 2 ** width
}

/** The bits of a word that hold `value`. The caller has checked `fitsField`. */
export function insertField(f: Field, value: number): number {
  const scaled = value - f.bias
  let word = 0
  for (const [wordLow, width, valueLow] of f.slices) word |= ((scaled >> valueLow) & ((1 << width) - 1)) << wordLow
  return word >>> 0
}

/** The bits of a word that the field occupies. */
export function fieldMask(f: Field): number {
  let mask = 0
  for (const [wordLow, width] of f.slices) mask |= (width === 32 ? -1 : (1 << width) - 1) << wordLow
  return mask >>> 0
}
