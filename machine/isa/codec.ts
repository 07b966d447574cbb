/** Words to instructions and back, straight from the table. */
import { extractField, fieldScale, fieldWidth, fitsField, insertField, type OperandName } from './fields.ts'
import { findInstruction, instructions, type Instruction } from './instructions.ts'

export type Operands = Partial<Record<OperandName, number>>

export interface Decoded {
  readonly instruction: Instruction
  readonly operands: Operands
}

/** True when the word starts an instruction of four bytes: its two low bits are set. */
export function isFullLength(word: number): boolean {
  return (word & 3) === 3
}

const buckets = new Map<number, Instruction[]>()
for (const row of instructions) {
  const key = bucketOf(row.match)
  buckets.set(key, [...(buckets.get(key) ?? []), row])
}

/** Major opcode of a full-length word; quadrant and funct3 of a compressed one. */
function bucketOf(word: number): number {
  return isFullLength(word) ? word & 0x7f : 0x100 | (word & 0xe003)
}

/** Decodes a word (the low 16 bits count for a compressed one); undefined when no row matches. */
export function decode(word: number): Decoded | undefined {
  const bits = isFullLength(word) ? word >>> 0 : word & 0xffff
  for (const instruction of buckets.get(bucketOf(bits)) ?? []) {
    if ((bits & instruction.mask) >>> 0 !== instruction.match) continue
    const operands: Operands = {}
    for (const f of instruction.fields) operands[f.operand] = extractField(f, bits)
    if (instruction.nonzero.some((operand) => operands[operand] === 0)) continue
    return { instruction, operands }
  }
  return undefined
}

/** A compressed instruction as the full-length one it stands for; others as they are. */
export function expand(decoded: Decoded): Decoded {
  const { instruction, operands } = decoded
  if (!instruction.expands) return decoded
  return { instruction: findInstruction(instruction.expands.name)!, operands: { ...operands, ...instruction.expands.implied } }
}

/** An operand that does not fit, in words a person can act on. */
export class EncodingError extends Error {
  constructor(
    readonly operand: OperandName | undefined,
    message: string,
  ) {
    super(message)
  }
}

/**
 * Encodes an instruction; operands not given count as 0.
 * @throws EncodingError when an operand is out of its field's range, misaligned, or zero where it must not be.
 */
export function encode(instruction: Instruction, operands: Operands): number {
  for (const f of instruction.fields) {
    const value = operands[f.operand] ?? 0
    if (!fitsField(f, value)) throw new EncodingError(f.operand, rangeMessage(f.operand, value, f))
  }
  for (const operand of instruction.nonzero) {
    if ((operands[operand] ?? 0) === 0) throw new EncodingError(operand, `${operand} must not be zero in ${instruction.name}`)
  }
  const word = pack(instruction, operands)
  // c.addi and its like have rd and rs1 in the same bits.
  for (const f of instruction.fields) {
    if (extractField(f, word) !== (operands[f.operand] ?? 0)) {
      throw new EncodingError(f.operand, `${instruction.name} needs rd and rs1 to be the same register`)
    }
  }
  return word
}

/** The word of operands that fit. */
function pack(instruction: Instruction, operands: Operands): number {
  return instruction.fields.reduce((word, f) => word | insertField(f, operands[f.operand] ?? 0), instruction.match) >>> 0
}

function rangeMessage(operand: OperandName, value: number, f: Parameters<typeof fitsField>[0]): string {
  if (f.kind === 'x' || f.kind === 'f') return `${operand} must be a register x${f.bias}..x${f.bias + 2 ** fieldWidth(f) - 1}`
  const width = fieldWidth(f)
  const scale = fieldScale(f)
  const low = f.kind === 'signed' ? -(2 ** (width - 1)) : 0
  const high = (f.kind === 'signed' ? 2 ** (width - 1) : 2 ** width) - scale
  const step = scale === 1 ? '' : ` in steps of ${scale}`
  return `${operand} ${value} is outside ${low}..${high}${step}`
}

/** Encodes by mnemonic, for code generators that know their operands fit. */
export function encodeNamed(name: string, operands: Operands): number {
  const instruction = findInstruction(name)
  if (!instruction) throw new EncodingError(undefined, `unknown instruction ${name}`)
  return encode(instruction, operands)
}

/**
 * Compressed rows by the instruction they stand for.
 * c.addi and friends fix rd = rs1 through two fields over the same bits, so `encode` alone would merge differing registers:
 * `compress` checks the round trip.
 */
const compressedForms = new Map<string, Instruction[]>()
for (const row of instructions) {
  if (row.expands) compressedForms.set(row.expands.name, [...(compressedForms.get(row.expands.name) ?? []), row])
}

/** The 16-bit encoding of a full-length instruction, or undefined when it has none. Hints (such as `c.nop` with an immediate) are never made. */
export function compress(name: string, operands: Operands): number | undefined {
  for (const form of compressedForms.get(name) ?? []) {
    const implied = form.expands!.implied
    if (Object.entries(implied).some(([operand, value]) => (operands[operand as OperandName] ?? 0) !== value)) continue
    if (form.fields.some((f) => !fitsField(f, operands[f.operand] ?? 0))) continue
    if (form.nonzero.some((operand) => (operands[operand] ?? 0) === 0)) continue
    if (form.name === 'c.nop' && operands.imm) continue
    const word = pack(form, operands)
    const back = decode(word)
    if (!back) continue
    const expanded = expand(back)
    if (expanded.instruction.name !== name) continue
    if (Object.entries(operands).some(([operand, value]) => (expanded.operands[operand as OperandName] ?? 0) !== value)) continue
    if (isHint(form.name, expanded.operands)) continue
    return word
  }
  return undefined
}

/** Encodings that the specification reserves as hints: no assembler makes them unasked. */
function isHint(form: string, operands: Operands): boolean {
  if (form === 'c.addi') return operands.rd === 0 || operands.imm === 0
  if (form === 'c.li' || form === 'c.lui' || form === 'c.mv' || form === 'c.add') return operands.rd === 0
  if (form === 'c.slli') return operands.rd === 0 || operands.imm === 0
  if (form === 'c.srli' || form === 'c.srai') return operands.imm === 0
  return false
}
