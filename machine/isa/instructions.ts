/**
 * The one table of instructions: RV64GC, the privileged instructions, and the user-interrupt extensions.
 * Assembler, disassembler, decoder, JIT, code generator and random-program generator read it; nothing else spells an opcode.
 * Encodings: RISC-V Unprivileged 20191213 and Privileged 1.12; `uret` and `uipi`: machine/hart/user-interrupts.md.
 */
import * as F from './fields.ts'
import type { Field, OperandName } from './fields.ts'

export type Extension = 'I' | 'M' | 'A' | 'F' | 'D' | 'C' | 'Zicsr' | 'Zifencei' | 'Priv' | 'N' | 'Uintc' | 'Priv1.9'

/** What an instruction costs is looked up by class in a timing profile (machine/board/timing.ts). */
export type CostClass =
  | 'alu'
  | 'load'
  | 'store'
  | 'branch'
  | 'jump'
  | 'mul'
  | 'div'
  | 'fpAdd'
  | 'fpMul'
  | 'fpDiv'
  | 'fpSqrt'
  | 'fpMove'
  | 'fpConvert'
  | 'amo'
  | 'csr'
  | 'fence'
  | 'system'

export interface Instruction {
  readonly name: string
  readonly extension: Extension
  /** Instruction length in bytes. */
  readonly length: 2 | 4
  /** A word is this instruction when `(word & mask) === match`, all of `nonzero` hold, and no earlier row matches. */
  readonly match: number
  readonly mask: number
  readonly fields: readonly Field[]
  /** Assembly operands, e.g. `rd, imm(rs1)`. A trailing `rm` is optional in assembly and defaults to `dyn`. */
  readonly syntax: string
  readonly cost: CostClass
  /** Operands that must not be zero for this encoding to be valid. */
  readonly nonzero: readonly OperandName[]
  /** Compressed: the instruction it stands for, with the operands its encoding implies. */
  readonly expands?: { readonly name: string; readonly implied: Partial<Record<OperandName, number>> }
}

interface Format {
  readonly mask: number
  readonly fields: readonly Field[]
  readonly syntax: string
}

const { rd, rs1, rs2, frd, frs1, frs2, frs3, rm, aq, rl } = F

/** Fixed bits are whatever no field covers, unless `mask` narrows them. */
function format(syntax: string, fields: readonly Field[], mask?: number): Format {
  const covered = fields.reduce((bits, f) => bits | F.fieldMask(f), 0)
  return { syntax, fields, mask: mask ?? ~covered >>> 0 }
}

const R = format('rd, rs1, rs2', [rd, rs1, rs2])
const I = format('rd, rs1, imm', [rd, rs1, F.immI])
const LOAD = format('rd, imm(rs1)', [rd, rs1, F.immI])
const STORE = format('rs2, imm(rs1)', [rs1, rs2, F.immS])
const B = format('rs1, rs2, imm', [rs1, rs2, F.immB])
const U = format('rd, imm', [rd, F.immU])
const J = format('rd, imm', [rd, F.immJ])
const SHIFT64 = format('rd, rs1, imm', [rd, rs1, F.shamt6])
const SHIFT32 = format('rd, rs1, imm', [rd, rs1, F.shamt5])
const FENCE = format('pred, succ', [F.pred, F.succ, F.fm], 0x0000_707f)
const FENCE_I = format('', [], 0x0000_707f)
const NONE = format('', [])
const SFENCE = format('rs1, rs2', [rs1, rs2])
const SFENCE_VM = format('rs1', [rs1])
const CSR = format('rd, csr, rs1', [rd, F.csr, rs1])
const CSRI = format('rd, csr, imm', [rd, F.csr, F.zimm])
const LR = format('rd, (rs1)', [rd, rs1, aq, rl])
const AMO = format('rd, rs2, (rs1)', [rd, rs2, rs1, aq, rl])
const FLOAD = format('rd, imm(rs1)', [frd, rs1, F.immI])
const FSTORE = format('rs2, imm(rs1)', [rs1, frs2, F.immS])
const FR = format('rd, rs1, rs2', [frd, frs1, frs2])
const FR_RM = format('rd, rs1, rs2, rm', [frd, frs1, frs2, rm])
const F4_RM = format('rd, rs1, rs2, rs3, rm', [frd, frs1, frs2, frs3, rm])
const F1_RM = format('rd, rs1, rm', [frd, frs1, rm])
const FCMP = format('rd, rs1, rs2', [rd, frs1, frs2])
const F_TO_X = format('rd, rs1', [rd, frs1])
const F_TO_X_RM = format('rd, rs1, rm', [rd, frs1, rm])
const X_TO_F = format('rd, rs1', [frd, rs1])
const X_TO_F_RM = format('rd, rs1, rm', [frd, rs1, rm])
const UIPI_RS1 = format('rs1', [rs1])
const UIPI_RD = format('rd', [rd])

const table: Instruction[] = []

/** Adds rows of one extension and format: `[name, match, cost]`. */
function rows(extension: Extension, f: Format, list: readonly (readonly [string, number, CostClass])[]): void {
  for (const [name, match, cost] of list) {
    table.push({ name, extension, length: 4, match: match >>> 0, mask: f.mask, fields: f.fields, syntax: f.syntax, cost, nonzero: [] })
  }
}

rows('I', U, [
  ['lui', 0x37, 'alu'],
  ['auipc', 0x17, 'alu'],
])
rows('I', J, [['jal', 0x6f, 'jump']])
rows('I', format('rd, imm(rs1)', [rd, rs1, F.immI]), [['jalr', 0x67, 'jump']])
rows('I', B, [
  ['beq', 0x0063, 'branch'],
  ['bne', 0x1063, 'branch'],
  ['blt', 0x4063, 'branch'],
  ['bge', 0x5063, 'branch'],
  ['bltu', 0x6063, 'branch'],
  ['bgeu', 0x7063, 'branch'],
])
rows('I', LOAD, [
  ['lb', 0x0003, 'load'],
  ['lh', 0x1003, 'load'],
  ['lw', 0x2003, 'load'],
  ['ld', 0x3003, 'load'],
  ['lbu', 0x4003, 'load'],
  ['lhu', 0x5003, 'load'],
  ['lwu', 0x6003, 'load'],
])
rows('I', STORE, [
  ['sb', 0x0023, 'store'],
  ['sh', 0x1023, 'store'],
  ['sw', 0x2023, 'store'],
  ['sd', 0x3023, 'store'],
])
rows('I', I, [
  ['addi', 0x0013, 'alu'],
  ['slti', 0x2013, 'alu'],
  ['sltiu', 0x3013, 'alu'],
  ['xori', 0x4013, 'alu'],
  ['ori', 0x6013, 'alu'],
  ['andi', 0x7013, 'alu'],
  ['addiw', 0x001b, 'alu'],
])
rows('I', SHIFT64, [
  ['slli', 0x0000_1013, 'alu'],
  ['srli', 0x0000_5013, 'alu'],
  ['srai', 0x4000_5013, 'alu'],
])
rows('I', SHIFT32, [
  ['slliw', 0x0000_101b, 'alu'],
  ['srliw', 0x0000_501b, 'alu'],
  ['sraiw', 0x4000_501b, 'alu'],
])
rows('I', R, [
  ['add', 0x0000_0033, 'alu'],
  ['sub', 0x4000_0033, 'alu'],
  ['sll', 0x0000_1033, 'alu'],
  ['slt', 0x0000_2033, 'alu'],
  ['sltu', 0x0000_3033, 'alu'],
  ['xor', 0x0000_4033, 'alu'],
  ['srl', 0x0000_5033, 'alu'],
  ['sra', 0x4000_5033, 'alu'],
  ['or', 0x0000_6033, 'alu'],
  ['and', 0x0000_7033, 'alu'],
  ['addw', 0x0000_003b, 'alu'],
  ['subw', 0x4000_003b, 'alu'],
  ['sllw', 0x0000_103b, 'alu'],
  ['srlw', 0x0000_503b, 'alu'],
  ['sraw', 0x4000_503b, 'alu'],
])
rows('I', FENCE, [['fence', 0x000f, 'fence']])
rows('I', NONE, [
  ['ecall', 0x0000_0073, 'system'],
  ['ebreak', 0x0010_0073, 'system'],
])
rows('Zifencei', FENCE_I, [['fence.i', 0x100f, 'fence']])

rows('M', R, [
  ['mul', 0x0200_0033, 'mul'],
  ['mulh', 0x0200_1033, 'mul'],
  ['mulhsu', 0x0200_2033, 'mul'],
  ['mulhu', 0x0200_3033, 'mul'],
  ['div', 0x0200_4033, 'div'],
  ['divu', 0x0200_5033, 'div'],
  ['rem', 0x0200_6033, 'div'],
  ['remu', 0x0200_7033, 'div'],
  ['mulw', 0x0200_003b, 'mul'],
  ['divw', 0x0200_403b, 'div'],
  ['divuw', 0x0200_503b, 'div'],
  ['remw', 0x0200_603b, 'div'],
  ['remuw', 0x0200_703b, 'div'],
])

rows('A', LR, [
  ['lr.w', 0x1000_202f, 'amo'],
  ['lr.d', 0x1000_302f, 'amo'],
])
rows('A', AMO, [
  ['sc.w', 0x1800_202f, 'amo'],
  ['sc.d', 0x1800_302f, 'amo'],
  ['amoswap.w', 0x0800_202f, 'amo'],
  ['amoswap.d', 0x0800_302f, 'amo'],
  ['amoadd.w', 0x0000_202f, 'amo'],
  ['amoadd.d', 0x0000_302f, 'amo'],
  ['amoxor.w', 0x2000_202f, 'amo'],
  ['amoxor.d', 0x2000_302f, 'amo'],
  ['amoand.w', 0x6000_202f, 'amo'],
  ['amoand.d', 0x6000_302f, 'amo'],
  ['amoor.w', 0x4000_202f, 'amo'],
  ['amoor.d', 0x4000_302f, 'amo'],
  ['amomin.w', 0x8000_202f, 'amo'],
  ['amomin.d', 0x8000_302f, 'amo'],
  ['amomax.w', 0xa000_202f, 'amo'],
  ['amomax.d', 0xa000_302f, 'amo'],
  ['amominu.w', 0xc000_202f, 'amo'],
  ['amominu.d', 0xc000_302f, 'amo'],
  ['amomaxu.w', 0xe000_202f, 'amo'],
  ['amomaxu.d', 0xe000_302f, 'amo'],
])

rows('Zicsr', CSR, [
  ['csrrw', 0x1073, 'csr'],
  ['csrrs', 0x2073, 'csr'],
  ['csrrc', 0x3073, 'csr'],
])
rows('Zicsr', CSRI, [
  ['csrrwi', 0x5073, 'csr'],
  ['csrrsi', 0x6073, 'csr'],
  ['csrrci', 0x7073, 'csr'],
])

/** F and D differ in one format bit (word bit 25) and in the load/store width. */
function floatRows(extension: 'F' | 'D', suffix: 's' | 'd', fmt: number): void {
  rows(extension, F4_RM, [
    [`fmadd.${suffix}`, 0x43 | fmt, 'fpMul'],
    [`fmsub.${suffix}`, 0x47 | fmt, 'fpMul'],
    [`fnmsub.${suffix}`, 0x4b | fmt, 'fpMul'],
    [`fnmadd.${suffix}`, 0x4f | fmt, 'fpMul'],
  ])
  rows(extension, FR_RM, [
    [`fadd.${suffix}`, 0x0000_0053 | fmt, 'fpAdd'],
    [`fsub.${suffix}`, 0x0800_0053 | fmt, 'fpAdd'],
    [`fmul.${suffix}`, 0x1000_0053 | fmt, 'fpMul'],
    [`fdiv.${suffix}`, 0x1800_0053 | fmt, 'fpDiv'],
  ])
  rows(extension, F1_RM, [[`fsqrt.${suffix}`, 0x5800_0053 | fmt, 'fpSqrt']])
  rows(extension, FR, [
    [`fsgnj.${suffix}`, 0x2000_0053 | fmt, 'fpMove'],
    [`fsgnjn.${suffix}`, 0x2000_1053 | fmt, 'fpMove'],
    [`fsgnjx.${suffix}`, 0x2000_2053 | fmt, 'fpMove'],
    [`fmin.${suffix}`, 0x2800_0053 | fmt, 'fpMove'],
    [`fmax.${suffix}`, 0x2800_1053 | fmt, 'fpMove'],
  ])
  rows(extension, FCMP, [
    [`feq.${suffix}`, 0xa000_2053 | fmt, 'fpMove'],
    [`flt.${suffix}`, 0xa000_1053 | fmt, 'fpMove'],
    [`fle.${suffix}`, 0xa000_0053 | fmt, 'fpMove'],
  ])
  rows(extension, F_TO_X, [[`fclass.${suffix}`, 0xe000_1053 | fmt, 'fpMove']])
  rows(extension, F_TO_X_RM, [
    [`fcvt.w.${suffix}`, 0xc000_0053 | fmt, 'fpConvert'],
    [`fcvt.wu.${suffix}`, 0xc010_0053 | fmt, 'fpConvert'],
    [`fcvt.l.${suffix}`, 0xc020_0053 | fmt, 'fpConvert'],
    [`fcvt.lu.${suffix}`, 0xc030_0053 | fmt, 'fpConvert'],
  ])
  rows(extension, X_TO_F_RM, [
    [`fcvt.${suffix}.w`, 0xd000_0053 | fmt, 'fpConvert'],
    [`fcvt.${suffix}.wu`, 0xd010_0053 | fmt, 'fpConvert'],
    [`fcvt.${suffix}.l`, 0xd020_0053 | fmt, 'fpConvert'],
    [`fcvt.${suffix}.lu`, 0xd030_0053 | fmt, 'fpConvert'],
  ])
}

rows('F', FLOAD, [['flw', 0x2007, 'load']])
rows('F', FSTORE, [['fsw', 0x2027, 'store']])
floatRows('F', 's', 0)
rows('F', F_TO_X, [['fmv.x.w', 0xe000_0053, 'fpMove']])
rows('F', X_TO_F, [['fmv.w.x', 0xf000_0053, 'fpMove']])

rows('D', FLOAD, [['fld', 0x3007, 'load']])
rows('D', FSTORE, [['fsd', 0x3027, 'store']])
floatRows('D', 'd', 0x0200_0000)
rows('D', F_TO_X, [['fmv.x.d', 0xe200_0053, 'fpMove']])
rows('D', X_TO_F, [['fmv.d.x', 0xf200_0053, 'fpMove']])
rows('D', F1_RM, [
  ['fcvt.s.d', 0x4010_0053, 'fpConvert'],
  ['fcvt.d.s', 0x4200_0053, 'fpConvert'],
])

rows('Priv', NONE, [
  ['sret', 0x1020_0073, 'system'],
  ['mret', 0x3020_0073, 'system'],
  ['wfi', 0x1050_0073, 'system'],
])
rows('Priv', SFENCE, [['sfence.vma', 0x1200_0073, 'fence']])
rows('Priv1.9', SFENCE_VM, [['sfence.vm', 0x1040_0073, 'fence']])
rows('N', NONE, [['uret', 0x0020_0073, 'system']])
rows('Uintc', UIPI_RS1, [
  ['uipi.send', 0x0000_207b, 'system'],
  ['uipi.write', 0x0400_207b, 'system'],
])
rows('Uintc', UIPI_RD, [['uipi.read', 0x0200_207b, 'system']])
rows('Uintc', NONE, [
  ['uipi.activate', 0x0600_207b, 'system'],
  ['uipi.deactivate', 0x0800_207b, 'system'],
])

interface Compressed {
  readonly match: number
  readonly mask: number
  readonly fields: readonly Field[]
  readonly syntax: string
  readonly expands: string
  readonly implied?: Partial<Record<OperandName, number>>
  readonly nonzero?: readonly OperandName[]
  readonly extension?: Extension
}

/** Compressed rows come in matching order: narrower encodings first. */
function compressed(name: string, c: Compressed): void {
  const base = table.find((row) => row.name === c.expands)
  if (!base) throw new Error(`${name} expands to unknown ${c.expands}`)
  const { match, mask, fields, syntax } = c
  const expands = { name: c.expands, implied: c.implied ?? {} }
  table.push({
    name,
    extension: c.extension ?? 'C',
    length: 2,
    match,
    mask,
    fields,
    syntax,
    cost: base.cost,
    nonzero: c.nonzero ?? [],
    expands,
  })
}

const { cRd, cRs1, cRs2, cFrd, cFrs2, cRdShortLow, cRdShortHigh, cRs1Short, cRs2Short, cFrdShort, cFrs2Short } = F
const sp = 2

compressed('c.addi4spn', {
  match: 0x0000,
  mask: 0xe003,
  fields: [cRdShortLow, F.cImmAddi4spn],
  syntax: 'rd, sp, imm',
  expands: 'addi',
  implied: { rs1: sp },
  nonzero: ['imm'],
})
compressed('c.fld', { match: 0x2000, mask: 0xe003, fields: [cFrdShort, cRs1Short, F.cImmD], syntax: 'rd, imm(rs1)', expands: 'fld' })
compressed('c.lw', { match: 0x4000, mask: 0xe003, fields: [cRdShortLow, cRs1Short, F.cImmW], syntax: 'rd, imm(rs1)', expands: 'lw' })
compressed('c.ld', { match: 0x6000, mask: 0xe003, fields: [cRdShortLow, cRs1Short, F.cImmD], syntax: 'rd, imm(rs1)', expands: 'ld' })
compressed('c.fsd', { match: 0xa000, mask: 0xe003, fields: [cFrs2Short, cRs1Short, F.cImmD], syntax: 'rs2, imm(rs1)', expands: 'fsd' })
compressed('c.sw', { match: 0xc000, mask: 0xe003, fields: [cRs2Short, cRs1Short, F.cImmW], syntax: 'rs2, imm(rs1)', expands: 'sw' })
compressed('c.sd', { match: 0xe000, mask: 0xe003, fields: [cRs2Short, cRs1Short, F.cImmD], syntax: 'rs2, imm(rs1)', expands: 'sd' })

compressed('c.nop', { match: 0x0001, mask: 0xef83, fields: [F.cImm6], syntax: '', expands: 'addi', implied: { rd: 0, rs1: 0 } })
compressed('c.addi', { match: 0x0001, mask: 0xe003, fields: [cRd, cRs1, F.cImm6], syntax: 'rd, imm', expands: 'addi' })
compressed('c.addiw', { match: 0x2001, mask: 0xe003, fields: [cRd, cRs1, F.cImm6], syntax: 'rd, imm', expands: 'addiw', nonzero: ['rd'] })
compressed('c.li', { match: 0x4001, mask: 0xe003, fields: [cRd, F.cImm6], syntax: 'rd, imm', expands: 'addi', implied: { rs1: 0 } })
compressed('c.addi16sp', {
  match: 0x6101,
  mask: 0xef83,
  fields: [F.cImmAddi16sp],
  syntax: 'sp, imm',
  expands: 'addi',
  implied: { rd: sp, rs1: sp },
  nonzero: ['imm'],
})
compressed('c.lui', { match: 0x6001, mask: 0xe003, fields: [cRd, F.cImmLui], syntax: 'rd, imm', expands: 'lui', nonzero: ['imm'] })
compressed('c.srli', { match: 0x8001, mask: 0xec03, fields: [cRdShortHigh, cRs1Short, F.cShamt], syntax: 'rd, imm', expands: 'srli' })
compressed('c.srai', { match: 0x8401, mask: 0xec03, fields: [cRdShortHigh, cRs1Short, F.cShamt], syntax: 'rd, imm', expands: 'srai' })
compressed('c.andi', { match: 0x8801, mask: 0xec03, fields: [cRdShortHigh, cRs1Short, F.cImm6], syntax: 'rd, imm', expands: 'andi' })
compressed('c.sub', { match: 0x8c01, mask: 0xfc63, fields: [cRdShortHigh, cRs1Short, cRs2Short], syntax: 'rd, rs2', expands: 'sub' })
compressed('c.xor', { match: 0x8c21, mask: 0xfc63, fields: [cRdShortHigh, cRs1Short, cRs2Short], syntax: 'rd, rs2', expands: 'xor' })
compressed('c.or', { match: 0x8c41, mask: 0xfc63, fields: [cRdShortHigh, cRs1Short, cRs2Short], syntax: 'rd, rs2', expands: 'or' })
compressed('c.and', { match: 0x8c61, mask: 0xfc63, fields: [cRdShortHigh, cRs1Short, cRs2Short], syntax: 'rd, rs2', expands: 'and' })
compressed('c.subw', { match: 0x9c01, mask: 0xfc63, fields: [cRdShortHigh, cRs1Short, cRs2Short], syntax: 'rd, rs2', expands: 'subw' })
compressed('c.addw', { match: 0x9c21, mask: 0xfc63, fields: [cRdShortHigh, cRs1Short, cRs2Short], syntax: 'rd, rs2', expands: 'addw' })
compressed('c.j', { match: 0xa001, mask: 0xe003, fields: [F.cImmJ], syntax: 'imm', expands: 'jal', implied: { rd: 0 } })
compressed('c.beqz', { match: 0xc001, mask: 0xe003, fields: [cRs1Short, F.cImmB], syntax: 'rs1, imm', expands: 'beq', implied: { rs2: 0 } })
compressed('c.bnez', { match: 0xe001, mask: 0xe003, fields: [cRs1Short, F.cImmB], syntax: 'rs1, imm', expands: 'bne', implied: { rs2: 0 } })

compressed('c.slli', { match: 0x0002, mask: 0xe003, fields: [cRd, cRs1, F.cShamt], syntax: 'rd, imm', expands: 'slli' })
compressed('c.fldsp', {
  match: 0x2002,
  mask: 0xe003,
  fields: [cFrd, F.cImmLdsp],
  syntax: 'rd, imm(sp)',
  expands: 'fld',
  implied: { rs1: sp },
})
compressed('c.lwsp', {
  match: 0x4002,
  mask: 0xe003,
  fields: [cRd, F.cImmLwsp],
  syntax: 'rd, imm(sp)',
  expands: 'lw',
  implied: { rs1: sp },
  nonzero: ['rd'],
})
compressed('c.ldsp', {
  match: 0x6002,
  mask: 0xe003,
  fields: [cRd, F.cImmLdsp],
  syntax: 'rd, imm(sp)',
  expands: 'ld',
  implied: { rs1: sp },
  nonzero: ['rd'],
})
compressed('c.jr', {
  match: 0x8002,
  mask: 0xf07f,
  fields: [cRs1],
  syntax: 'rs1',
  expands: 'jalr',
  implied: { rd: 0, imm: 0 },
  nonzero: ['rs1'],
})
compressed('c.mv', {
  match: 0x8002,
  mask: 0xf003,
  fields: [cRd, cRs2],
  syntax: 'rd, rs2',
  expands: 'add',
  implied: { rs1: 0 },
  nonzero: ['rs2'],
})
compressed('c.ebreak', { match: 0x9002, mask: 0xffff, fields: [], syntax: '', expands: 'ebreak' })
compressed('c.jalr', {
  match: 0x9002,
  mask: 0xf07f,
  fields: [cRs1],
  syntax: 'rs1',
  expands: 'jalr',
  implied: { rd: 1, imm: 0 },
  nonzero: ['rs1'],
})
compressed('c.add', { match: 0x9002, mask: 0xf003, fields: [cRd, cRs1, cRs2], syntax: 'rd, rs2', expands: 'add', nonzero: ['rs2'] })
compressed('c.fsdsp', {
  match: 0xa002,
  mask: 0xe003,
  fields: [cFrs2, F.cImmSdsp],
  syntax: 'rs2, imm(sp)',
  expands: 'fsd',
  implied: { rs1: sp },
})
compressed('c.swsp', {
  match: 0xc002,
  mask: 0xe003,
  fields: [cRs2, F.cImmSwsp],
  syntax: 'rs2, imm(sp)',
  expands: 'sw',
  implied: { rs1: sp },
})
compressed('c.sdsp', {
  match: 0xe002,
  mask: 0xe003,
  fields: [cRs2, F.cImmSdsp],
  syntax: 'rs2, imm(sp)',
  expands: 'sd',
  implied: { rs1: sp },
})

/** All rows, in matching order. */
export const instructions: readonly Instruction[] = table

const byName = new Map(table.map((row) => [row.name, row]))

/** The row of a mnemonic, or undefined. */
export function findInstruction(name: string): Instruction | undefined {
  return byName.get(name)
}
