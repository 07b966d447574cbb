/** Pseudo-instructions that become several instructions, or that choose one by their operands. */
import { encodeNamed } from '../../isa/codec.ts'
import { findInstruction, type Instruction } from '../../isa/instructions.ts'
import type { RelocationType } from '../object.ts'
import { constantNow, parseExpression, type Expression } from './expression.ts'
import { emitNamed, emitParsed, type InstructionSink, type Statement } from './instruction.ts'
import { readRegister, splitMemory, type OperandText } from './operand.ts'
import { AssemblyError, type Span } from './position.ts'

const ra = 1
const t1 = 6

type Handler = (statement: Statement, sink: InstructionSink) => void

/** Assembles `statement` if it is one of these. */
export function assembleSequence(statement: Statement, sink: InstructionSink): boolean {
  const { mnemonic, operands } = statement
  const handler = handlers.get(`${mnemonic}/${operands.length}`)
  if (handler) {
    handler(statement, sink)
    return true
  }
  return assembleSymbolAccess(statement, sink)
}

const handlers = new Map<string, Handler>()

function define(name: string, operandCount: number, handler: Handler): void {
  handlers.set(`${name}/${operandCount}`, handler)
}

/** Every name here with its operand count: for tests and for the editor. */
export function sequenceNames(): { name: string; operandCount: number }[] {
  return [...handlers.keys()].map((key) => ({
    name: key.slice(0, key.lastIndexOf('/')),
    operandCount: Number(key.slice(key.lastIndexOf('/') + 1)),
  }))
}

define('li', 2, ({ operands: [rd, value], span }, sink) => {
  const expression = parseExpression(value.tokens, sink, value.span)
  const constant = constantNow(expression)
  if (constant === undefined) {
    const hint = 'li needs a number known here; use la or lla for an address'
    throw new AssemblyError('asm/not-constant', 'the value is not a constant', value.span, hint)
  }
  loadImmediate(readRegister(rd, 'x'), constant, sink, span)
})

/** GNU's choice: one instruction where one does, else `loadConstant`. */
function loadImmediate(rd: number, value: bigint, sink: InstructionSink, span: Span): void {
  if (value >= -2048n && value < 2048n)
    emitParsed(findInstruction('addi')!, { values: { rd, rs1: 0, imm: Number(value) } }, sink, span, rd !== 0)
  else loadConstant(rd, value, sink, span)
}

/** Builds a constant from the top: the sign-extended low 12 bits are split off until 32 bits are left. */
function loadConstant(rd: number, value: bigint, sink: InstructionSink, span: Span): void {
  const low = Number(BigInt.asIntN(12, value))
  const upper = BigInt.asIntN(64, value - BigInt(low))
  if (BigInt.asIntN(32, value) !== value) {
    let shift = 12
    while (((upper >> BigInt(shift)) & 1n) === 0n) shift++
    loadConstant(rd, upper >> BigInt(shift), sink, span)
    emitNamed('slli', { rd, rs1: rd, imm: shift }, sink, span)
    if (low !== 0) emitNamed('addi', { rd, rs1: rd, imm: low }, sink, span)
    return
  }
  let base = 0
  if (BigInt.asIntN(32, upper) !== 0n) {
    emitNamed('lui', { rd, imm: Number(BigInt.asIntN(32, upper)) }, sink, span)
    base = rd
  }
  if (low !== 0 || base === 0) emitNamed('addiw', { rd, rs1: base, imm: low }, sink, span)
}

for (const name of ['mv', 'move']) {
  define(name, 2, ({ operands: [rd, rs], span }, sink) => {
    const values = { rd: readRegister(rd, 'x'), rs1: readRegister(rs, 'x'), imm: 0 }
    // GNU does not make `c.li rd, 0` of a move from zero.
    emitParsed(findInstruction('addi')!, { values }, sink, span, values.rs1 !== 0)
  })
}

function shiftPair(name: string, right: 'srli' | 'srai', amount: number): void {
  define(name, 2, ({ operands: [rd, rs], span }, sink) => {
    const target = readRegister(rd, 'x')
    emitNamed('slli', { rd: target, rs1: readRegister(rs, 'x'), imm: amount }, sink, span)
    emitNamed(right, { rd: target, rs1: target, imm: amount }, sink, span)
  })
}
shiftPair('sext.b', 'srai', 56)
shiftPair('sext.h', 'srai', 48)
shiftPair('zext.h', 'srli', 48)
shiftPair('zext.w', 'srli', 32)

/** `jr` and one-operand `jalr`: compressed only when written without an offset. */
function registerJump(name: string, rd: number): void {
  const jalr = (values: { rs1: number; imm: number }, sink: InstructionSink, span: Span, short: boolean): void =>
    emitParsed(findInstruction('jalr')!, { values: { rd, ...values } }, sink, span, short)
  define(name, 1, ({ operands: [target], span }, sink) => {
    const memory = splitMemory(target)
    if (!memory) jalr({ rs1: readRegister(target, 'x'), imm: 0 }, sink, span, true)
    else jalr({ rs1: readRegister(memory.base, 'x'), imm: readOffset(memory.offset, sink) }, sink, span, memory.offset.tokens.length === 0)
  })
  if (rd === 0) {
    define(name, 2, ({ operands: [target, offset], span }, sink) => {
      jalr({ rs1: readRegister(target, 'x'), imm: readOffset(offset, sink) }, sink, span, false)
    })
  }
}
registerJump('jr', 0)
registerJump('jalr', ra)

function readOffset(operand: OperandText, sink: InstructionSink): number {
  if (operand.tokens.length === 0) return 0
  const value = constantNow(parseExpression(operand.tokens, sink, operand.span))
  if (value === undefined) throw new AssemblyError('asm/not-constant', 'a number is needed here', operand.span)
  return Number(value)
}

// Addresses.

/** `name@plt` is GNU's spelling for calls in position-independent code; the psABI has one relocation for both. */
function readTarget(operand: OperandText, sink: InstructionSink): Expression {
  const { tokens } = operand
  const plt = tokens.at(-1)?.text === 'plt' && tokens.at(-2)?.text === '@'
  return parseExpression(plt ? tokens.slice(0, -2) : tokens, sink, operand.span)
}

function emitPair(
  sink: InstructionSink,
  base: number,
  high: RelocationType,
  low: RelocationType,
  target: Expression,
  second: number,
  span: Span,
): void {
  const mark = sink.mark()
  sink.emit(encodeNamed('auipc', { rd: base, imm: 0 }), 4, { type: high, expression: target, span })
  sink.emit(second, 4, { type: low, expression: { kind: 'symbol', symbol: mark, span }, span })
}

function loadAddress(viaTable: (sink: InstructionSink) => boolean): Handler {
  return ({ operands: [rd, address], span }, sink) => {
    const register = readRegister(rd, 'x')
    const target = parseExpression(address.tokens, sink, address.span)
    const constant = constantNow(target)
    if (constant !== undefined) {
      loadConstant(register, constant, sink, span)
    } else if (viaTable(sink)) {
      const load = encodeNamed('ld', { rd: register, rs1: register, imm: 0 })
      emitPair(sink, register, 'R_RISCV_GOT_HI20', 'R_RISCV_PCREL_LO12_I', target, load, span)
    } else {
      const add = encodeNamed('addi', { rd: register, rs1: register, imm: 0 })
      emitPair(sink, register, 'R_RISCV_PCREL_HI20', 'R_RISCV_PCREL_LO12_I', target, add, span)
    }
  }
}
define(
  'la',
  2,
  loadAddress((sink) => sink.positionIndependent),
)
define(
  'lla',
  2,
  loadAddress(() => false),
)
define(
  'la.pcrel',
  2,
  loadAddress(() => false),
)
define(
  'lga',
  2,
  loadAddress(() => true),
)

function emitCall(sink: InstructionSink, link: number, scratch: number, target: Expression, span: Span): void {
  sink.emit(encodeNamed('auipc', { rd: scratch, imm: 0 }), 4, { type: 'R_RISCV_CALL_PLT', expression: target, span })
  sink.emit(encodeNamed('jalr', { rd: link, rs1: scratch, imm: 0 }), 4)
}
define('call', 1, ({ operands: [target], span }, sink) => emitCall(sink, ra, ra, readTarget(target, sink), span))
define('call', 2, ({ operands: [rd, target], span }, sink) => {
  emitCall(sink, readRegister(rd, 'x'), t1, readTarget(target, sink), span)
})
define('tail', 1, ({ operands: [target], span }, sink) => emitCall(sink, 0, t1, readTarget(target, sink), span))
define('jump', 2, ({ operands: [target, scratch], span }, sink) => {
  emitCall(sink, 0, readRegister(scratch, 'x'), readTarget(target, sink), span)
})

/** A load or store whose address is a symbol: `lw a0, name`, `sw a0, name, t0`, `fld fa0, name, t0`. */
function assembleSymbolAccess({ mnemonic, operands, span }: Statement, sink: InstructionSink): boolean {
  const row = findInstruction(mnemonic)
  if (!row || row.length !== 4 || (row.cost !== 'load' && row.cost !== 'store')) return false
  const [data, address, scratch] = operands
  if (!data || !address || splitMemory(address)) return false
  const float = row.fields.some((f) => f.kind === 'f')
  if (operands.length !== (row.cost === 'store' || float ? 3 : 2)) return false
  const target = parseExpression(address.tokens, sink, address.span)
  if (constantNow(target) !== undefined) {
    throw new AssemblyError('asm/bad-address', 'an address needs a base register', address.span, 'write it as offset(register)')
  }
  emitSymbolAccess(row, readRegister(data, float ? 'f' : 'x'), target, scratch ? readRegister(scratch, 'x') : undefined, sink, span)
  return true
}

function emitSymbolAccess(
  row: Instruction,
  data: number,
  target: Expression,
  scratch: number | undefined,
  sink: InstructionSink,
  span: Span,
): void {
  const base = scratch ?? data
  const store = row.cost === 'store'
  const second = encodeNamed(row.name, store ? { rs2: data, rs1: base, imm: 0 } : { rd: data, rs1: base, imm: 0 })
  emitPair(sink, base, 'R_RISCV_PCREL_HI20', store ? 'R_RISCV_PCREL_LO12_S' : 'R_RISCV_PCREL_LO12_I', target, second, span)
}

// Fences and traps.

define('fence', 0, ({ span }, sink) => emitNamed('fence', { pred: 15, succ: 15 }, sink, span))
// Unprivileged 20191213, 2.7: fm = 1000, predecessor and successor sets rw.
define('fence.tso', 0, ({ span }, sink) => emitNamed('fence', { fm: 8, pred: 3, succ: 3 }, sink, span))
define('pause', 0, ({ span }, sink) => emitNamed('fence', { pred: 1, succ: 0 }, sink, span))
/** Illegal on purpose: all zeros where that is 16 bits long, else a write to the read-only `cycle`. */
define('unimp', 0, ({ span }, sink) => {
  if (sink.compressed) sink.emit(0, 2)
  else emitNamed('csrrw', { rd: 0, csr: 0xc00, rs1: 0 }, sink, span)
})
define('c.unimp', 0, (_, sink) => sink.emit(0, 2))
