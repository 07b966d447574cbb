/** One instruction as text, with ABI register names, as objdump writes it and as the assembler reads it back. */
import { csrName } from '../../isa/csrs.ts'
import { decode, encode, expand, isFullLength, type Decoded, type Operands } from '../../isa/codec.ts'
import { cImmB, cImmJ, immB, immJ, immU, type Field } from '../../isa/fields.ts'
import type { Instruction } from '../../isa/instructions.ts'
import { floatRegisterNames, integerRegisterNames, roundingModeNames } from '../../isa/registers.ts'
import { pseudoForm } from './pseudo.ts'

export interface FormatOptions {
  /** `ret` for `jalr zero, 0(ra)`, `mv` for `addi rd, rs, 0` and so on; default true. */
  readonly pseudo?: boolean
  /** What to call a jump's target; default `. + distance`, which the assembler reads. */
  readonly target?: (address: bigint, distance: number) => string
}

export interface FormattedInstruction {
  readonly mnemonic: string
  readonly operands: string
  readonly length: 2 | 4
  /** Where a branch or jump goes. */
  readonly target?: bigint
}

const targetFields: ReadonlySet<Field> = new Set([immB, immJ, cImmB, cImmJ])

/** The text of an instruction word at `address`; a word that is none becomes data: `.half` or `.word`. */
export function formatInstruction(word: number, address: bigint, options: FormatOptions = {}): FormattedInstruction {
  const decoded = decode(word)
  if (!decoded || !isWritable(decoded, word)) return formatData(word)
  const targetField = decoded.instruction.fields.find((field) => targetFields.has(field))
  const distance = targetField ? decoded.operands.imm! : undefined
  const target = distance === undefined ? undefined : BigInt.asUintN(64, address + BigInt(distance))
  const describe = (): string => {
    if (options.target) return options.target(target!, distance!)
    return distance! < 0 ? `. - ${-distance!}` : `. + ${distance!}`
  }
  const { mnemonic, operands } = (options.pseudo === false ? undefined : pseudoText(decoded, describe)) ?? plainText(decoded, describe)
  return { mnemonic, operands, length: decoded.instruction.length, ...(target === undefined ? {} : { target }) }
}

/** False for encodings that decode but have no text: reserved rounding modes, and reserved bits that the decoder ignores. */
function isWritable({ instruction, operands }: Decoded, word: number): boolean {
  const written = instruction.length === 2 ? word & 0xffff : word >>> 0
  if (operands.rm !== undefined && roundingModeNames[operands.rm] === undefined) return false
  if (operands.fm && !(operands.fm === 8 && operands.pred === 3 && operands.succ === 3)) return false
  return encode(instruction, operands) === written
}

function formatData(word: number): FormattedInstruction {
  if (isFullLength(word)) return { mnemonic: '.word', operands: `0x${(word >>> 0).toString(16).padStart(8, '0')}`, length: 4 }
  const half = word & 0xffff
  return half === 0
    ? { mnemonic: 'c.unimp', operands: '', length: 2 }
    : { mnemonic: '.half', operands: `0x${half.toString(16).padStart(4, '0')}`, length: 2 }
}

interface Text {
  readonly mnemonic: string
  readonly operands: string
}

/** The full-length meaning of an instruction under its best-known name. */
function pseudoText(decoded: Decoded, target: () => string): Text | undefined {
  const full = expand(decoded)
  const operands: Operands = { ...full.operands }
  const known = pseudoForm(full.instruction.name, operands)
  if (!known) return decoded.instruction === full.instruction ? undefined : plainText(full, target)
  const kinds = new Map(full.instruction.fields.map((field) => [field.operand, field]))
  const texts = known.operands.map((name) => (name === 'target' ? target() : fieldText(kinds.get(name)!, operands[name]!)))
  return { mnemonic: known.mnemonic, operands: texts.join(', ') }
}

function plainText(decoded: Decoded, target: () => string): Text {
  const { instruction, operands } = decoded
  const ordering = `${operands.aq ? 'aq' : ''}${operands.rl ? 'rl' : ''}`
  const mnemonic = ordering ? `${instruction.name}.${ordering}` : instruction.name
  if (instruction.name === 'fence') return fenceText(operands)
  const elements = instruction.syntax === '' ? [] : instruction.syntax.split(', ')
  // What the assembler supplies when no rounding mode is written.
  const silent = silentRounding(instruction, operands)
  const written = elements
    .filter((element) => element !== 'rm' || !silent)
    .map((element) => elementText(instruction, element, operands, target))
  // c.nop's immediate is a hint that its syntax does not show.
  if (instruction.name === 'c.nop' && operands.imm) written.push(String(operands.imm))
  return { mnemonic, operands: written.join(', ') }
}

function fenceText(operands: Operands): Text {
  const { fm = 0, pred = 0, succ = 0 } = operands
  if (fm === 8 && pred === 3 && succ === 3) return { mnemonic: 'fence.tso', operands: '' }
  return { mnemonic: 'fence', operands: `${setText(pred)}, ${setText(succ)}` }
}

function setText(bits: number): string {
  return ['i', 'o', 'r', 'w'].filter((_, index) => bits & (8 >> index)).join('') || '0'
}

function silentRounding(instruction: Instruction, operands: Operands): boolean {
  const preset = ['fcvt.d.s', 'fcvt.d.w', 'fcvt.d.wu'].includes(instruction.name) ? 0 : roundingModeNames.indexOf('dyn')
  return operands.rm === preset
}

function elementText(instruction: Instruction, element: string, operands: Operands, target: () => string): string {
  const memory = /^(imm)?\((\w+)\)$/.exec(element)
  const find = (name: string): Field => instruction.fields.find((field) => field.operand === name)!
  if (memory) {
    const base = memory[2] === 'sp' ? 'sp' : fieldText(find(memory[2]), operands[memory[2] as 'rs1']!)
    return `${memory[1] ? fieldText(find('imm'), operands.imm!) : ''}(${base})`
  }
  const field = instruction.fields.find((candidate) => candidate.operand === element)
  if (!field) return element
  if (targetFields.has(field)) return target()
  return fieldText(field, operands[field.operand]!, instruction.name)
}

function fieldText(field: Field, value: number, mnemonic = ''): string {
  switch (field.kind) {
    case 'x':
      return integerRegisterNames[value]
    case 'f':
      return floatRegisterNames[value]
    case 'csr':
      return csrText(value)
    case 'rounding':
      return roundingModeNames[value] ?? String(value)
    default:
      // Written as the upper 20 bits.
      if (field === immU || mnemonic === 'c.lui') return `0x${(value >>> 12).toString(16)}`
      return String(value)
  }
}

function csrText(number: number): string {
  const name = csrName(number)
  // Names with a dot are ours alone.
  return name !== undefined && !name.includes('.') ? name : `0x${number.toString(16)}`
}
