/** One instruction statement to bytes: pseudo-instructions, the table's encoding, compression as GNU chooses it. */
import { compress, encode, encodeNamed, EncodingError, type Operands } from '../../isa/codec.ts'
import { findInstruction, type Instruction } from '../../isa/instructions.ts'
import type { Expression, ExpressionScope } from './expression.ts'
import type { FixupType } from './fixup.ts'
import { tokenize, type Token } from './lexer.ts'
import { isBranchTarget, isRegister, readOperands, splitMemory, type OperandText, type ParsedOperands } from './operand.ts'
import { AssemblyError, type SourceLine, type Span } from './position.ts'
import { findAlias, immediateForms, isAliasName } from './pseudo.ts'
import { assembleSequence, sequenceNames } from './sequences.ts'
import type { AssemblySymbol } from './symbol.ts'

/** Where instructions go; the assembler implements it. */
export interface InstructionSink extends ExpressionScope {
  /** `.option rvc` is on. */
  readonly compressed: boolean
  /** `.option pic` is on: `la` goes through the GOT. */
  readonly positionIndependent: boolean
  emit(word: number, length: 2 | 4, fixup?: { type: FixupType; expression: Expression; span: Span }): void
  branch(conditional: boolean, short: number | undefined, long: number, target: Expression, span: Span): void
  /** A hidden label at the current place. */
  mark(): AssemblySymbol
}

export interface Statement {
  readonly mnemonic: string
  readonly span: Span
  readonly operands: readonly OperandText[]
}

/**
 * Assembles one instruction or pseudo-instruction.
 * @throws AssemblyError with the position of the operand at fault.
 */
export function assembleInstruction(statement: Statement, sink: InstructionSink): void {
  if (assembleSequence(statement, sink)) return
  const alias = findAlias(statement.mnemonic, statement.operands.length)
  if (alias) {
    const operands = alias.operands.map((template) => instantiate(template, statement))
    assembleDirect({ mnemonic: alias.target, span: statement.span, operands }, sink, alias.shortJump)
    return
  }
  assembleDirect(statement, sink, false)
}

/** Fills `$n` of an alias's operand; what the alias itself adds points at the mnemonic. */
function instantiate(template: string, statement: Statement): OperandText {
  const source: SourceLine = { ...statement.span.source, text: template }
  const tokens: Token[] = tokenize(source, 0, template.length).flatMap((token): readonly Token[] => {
    const index = /^\$(\d)$/.exec(token.text)
    if (index) return statement.operands[Number(index[1]) - 1].tokens
    return [{ ...token, source: statement.span.source, start: statement.span.start, end: statement.span.end }]
  })
  const whole = /^\$(\d)$/.exec(template)
  return { tokens, span: whole ? statement.operands[Number(whole[1]) - 1].span : statement.span }
}

function assembleDirect(written: Statement, sink: InstructionSink, shortJump: boolean): void {
  const last = written.operands.at(-1)
  const immediate = immediateForms.get(written.mnemonic)
  const statement = immediate && last && !isRegister(last) ? { ...written, mnemonic: immediate } : written
  const { name, flags } = splitOrdering(statement.mnemonic)
  const instruction = findInstruction(name)
  if (!instruction) {
    const known = isAliasName(name) || sequenceNames().some((sequence) => sequence.name === name)
    if (!known) throw new AssemblyError('asm/unknown-mnemonic', `unknown instruction ${statement.mnemonic}`, statement.span)
    throw new AssemblyError('asm/operand-count', `${name} does not take ${statement.operands.length} operands`, statement.span)
  }
  const parsed = readOperands(instruction, jalrOperands(instruction, statement), sink, statement.span)
  Object.assign(parsed.values, flags)
  // `add rd, rs, 5` is compressed as an addition only, not as the moves that `addi` also stands for.
  const { rd, rs1, imm } = parsed.values
  if (statement !== written && instruction.name === 'addi' && sink.compressed && rd && rd === rs1 && imm === 0 && !parsed.fixup) {
    // And here GNU makes a `c.addi` that does nothing.
    sink.emit(encodeNamed('c.addi', parsed.values), 2)
    return
  }
  const plain = statement === written || instruction.name !== 'addi' || Boolean(rd && rs1 && imm)
  const jump = instruction.name === 'jalr' || instruction.name === 'jal'
  emitParsed(instruction, parsed, sink, statement.span, plain && (shortJump || !jump))
}

/** `jalr rd, rs, imm` and `jalr rd, rs` as `jalr rd, imm(rs)`. */
function jalrOperands(instruction: Instruction, statement: Statement): readonly OperandText[] {
  const [rd, base, offset] = statement.operands
  if (instruction.name !== 'jalr' || !base || splitMemory(base)) return statement.operands
  const bracket = (text: string): Token => ({ kind: 'punctuation', text, ...base.span })
  return [rd, { tokens: [...(offset?.tokens ?? []), bracket('('), ...base.tokens, bracket(')')], span: base.span }]
}

/** `.aq`, `.rl` and `.aqrl` of atomic instructions. */
function splitOrdering(mnemonic: string): { name: string; flags: Operands } {
  const match = /^((?:lr|sc|amo\w+)\.[wd])\.(aqrl|aq|rl)$/.exec(mnemonic)
  if (!match) return { name: mnemonic, flags: {} }
  return { name: match[1], flags: { aq: match[2].startsWith('aq') ? 1 : 0, rl: match[2].endsWith('rl') ? 1 : 0 } }
}

/** Emits an instruction whose operands are known. */
export function emitParsed(instruction: Instruction, parsed: ParsedOperands, sink: InstructionSink, span: Span, mayCompress = true): void {
  try {
    if (parsed.target) {
      emitBranch(instruction, parsed.values, parsed.target, sink, span, mayCompress)
      return
    }
    const short =
      sink.compressed && mayCompress && !parsed.fixup && instruction.length === 4
        ? compressAsGnu(instruction.name, parsed.values)
        : undefined
    if (short !== undefined) sink.emit(short, 2)
    else sink.emit(encode(instruction, parsed.values), instruction.length, parsed.fixup)
  } catch (error) {
    if (error instanceof EncodingError) throw new AssemblyError('asm/immediate-range', error.message, span)
    throw error
  }
}

/** Emits by mnemonic, compressing where GNU would. */
export function emitNamed(name: string, values: Operands, sink: InstructionSink, span: Span): void {
  emitParsed(findInstruction(name)!, { values }, sink, span)
}

const commutative: ReadonlySet<string> = new Set(['add', 'and', 'or', 'xor', 'addw'])

/** GNU's table has a few more roads to a short encoding than the plain inverse of expansion. */
function compressAsGnu(name: string, values: Operands): number | undefined {
  if (name === 'addi' && values.imm === 0 && values.rd && values.rs1) return compress('add', { rd: values.rd, rs1: 0, rs2: values.rs1 })
  const direct = compress(name, values)
  if (direct !== undefined || !commutative.has(name)) return direct
  return values.rd === values.rs2 ? compress(name, { ...values, rs1: values.rs2, rs2: values.rs1 }) : undefined
}

function emitBranch(
  instruction: Instruction,
  values: Operands,
  target: Expression,
  sink: InstructionSink,
  span: Span,
  mayCompress: boolean,
): void {
  const compact = instruction.length === 2
  const name = compact ? instruction.expands!.name : instruction.name
  const full: Operands = compact ? { ...values, ...instruction.expands!.implied } : values
  const short = compact || (sink.compressed && mayCompress) ? compressBranch(name, full) : undefined
  const row = findInstruction(name)!
  if (!row.fields.some(isBranchTarget)) throw new AssemblyError('asm/bad-target', `${name} has no target`, span)
  sink.branch(name !== 'jal', short, encode(row, full), target, target.span)
}

/** The short form with a target of 0, which the table's hint rules would refuse for nothing. */
function compressBranch(name: string, values: Operands): number | undefined {
  return compress(name, { ...values, imm: 0 })
}
