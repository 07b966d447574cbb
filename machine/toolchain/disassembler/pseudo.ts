/** Which instructions have a better-known name: the inverse of the assembler's pseudo-instructions of one instruction. */
import type { Operands } from '../../isa/codec.ts'
import type { OperandName } from '../../isa/fields.ts'

export interface PseudoForm {
  readonly mnemonic: string
  /** Operands to write; `target` is the branch's destination. */
  readonly operands: readonly (OperandName | 'target')[]
}

interface Rule extends PseudoForm {
  readonly of: string
  /** Fixed operand values; a string says "the same as that operand". */
  readonly when: Partial<Record<OperandName, number | OperandName>>
}

const zero = 0
const ra = 1

function rule(of: string, when: Rule['when'], mnemonic: string, ...operands: PseudoForm['operands']): Rule {
  return { of, when, mnemonic, operands }
}

/** The first that matches counts. */
const rules: readonly Rule[] = [
  rule('addi', { rd: zero, rs1: zero, imm: 0 }, 'nop'),
  rule('addi', { rs1: zero }, 'li', 'rd', 'imm'),
  rule('addi', { imm: 0 }, 'mv', 'rd', 'rs1'),
  rule('add', { rs1: zero }, 'mv', 'rd', 'rs2'),
  rule('addiw', { imm: 0 }, 'sext.w', 'rd', 'rs1'),
  rule('xori', { imm: -1 }, 'not', 'rd', 'rs1'),
  rule('andi', { imm: 255 }, 'zext.b', 'rd', 'rs1'),
  rule('sub', { rs1: zero }, 'neg', 'rd', 'rs2'),
  rule('subw', { rs1: zero }, 'negw', 'rd', 'rs2'),
  rule('sltiu', { imm: 1 }, 'seqz', 'rd', 'rs1'),
  rule('sltu', { rs1: zero }, 'snez', 'rd', 'rs2'),
  rule('slt', { rs2: zero }, 'sltz', 'rd', 'rs1'),
  rule('slt', { rs1: zero }, 'sgtz', 'rd', 'rs2'),
  rule('beq', { rs2: zero }, 'beqz', 'rs1', 'target'),
  rule('bne', { rs2: zero }, 'bnez', 'rs1', 'target'),
  rule('bge', { rs1: zero }, 'blez', 'rs2', 'target'),
  rule('bge', { rs2: zero }, 'bgez', 'rs1', 'target'),
  rule('blt', { rs2: zero }, 'bltz', 'rs1', 'target'),
  rule('blt', { rs1: zero }, 'bgtz', 'rs2', 'target'),
  rule('jal', { rd: zero }, 'j', 'target'),
  rule('jal', { rd: ra }, 'jal', 'target'),
  rule('jalr', { rd: zero, rs1: ra, imm: 0 }, 'ret'),
  rule('jalr', { rd: zero, imm: 0 }, 'jr', 'rs1'),
  rule('jalr', { rd: ra, imm: 0 }, 'jalr', 'rs1'),
  rule('csrrs', { csr: 0xc00, rs1: zero }, 'rdcycle', 'rd'),
  rule('csrrs', { csr: 0xc01, rs1: zero }, 'rdtime', 'rd'),
  rule('csrrs', { csr: 0xc02, rs1: zero }, 'rdinstret', 'rd'),
  rule('csrrs', { rs1: zero }, 'csrr', 'rd', 'csr'),
  rule('csrrw', { rd: zero }, 'csrw', 'csr', 'rs1'),
  rule('csrrs', { rd: zero }, 'csrs', 'csr', 'rs1'),
  rule('csrrc', { rd: zero }, 'csrc', 'csr', 'rs1'),
  rule('csrrwi', { rd: zero }, 'csrwi', 'csr', 'imm'),
  rule('csrrsi', { rd: zero }, 'csrsi', 'csr', 'imm'),
  rule('csrrci', { rd: zero }, 'csrci', 'csr', 'imm'),
  ...['s', 'd'].flatMap((suffix) => [
    rule(`fsgnj.${suffix}`, { rs2: 'rs1' }, `fmv.${suffix}`, 'rd', 'rs1'),
    rule(`fsgnjn.${suffix}`, { rs2: 'rs1' }, `fneg.${suffix}`, 'rd', 'rs1'),
    rule(`fsgnjx.${suffix}`, { rs2: 'rs1' }, `fabs.${suffix}`, 'rd', 'rs1'),
  ]),
  rule('fence', { fm: 0, pred: 15, succ: 15 }, 'fence'),
  rule('sfence.vma', { rs1: zero, rs2: zero }, 'sfence.vma'),
  rule('sfence.vma', { rs2: zero }, 'sfence.vma', 'rs1'),
]

const byInstruction = new Map<string, Rule[]>()
for (const entry of rules) byInstruction.set(entry.of, [...(byInstruction.get(entry.of) ?? []), entry])

/** The pseudo-instruction that these operands make, or undefined. */
export function pseudoForm(name: string, operands: Operands): PseudoForm | undefined {
  return byInstruction
    .get(name)
    ?.find(({ when }) =>
      Object.entries(when).every(
        ([operand, value]) => (operands[operand as OperandName] ?? 0) === (typeof value === 'number' ? value : (operands[value] ?? 0)),
      ),
    )
}
