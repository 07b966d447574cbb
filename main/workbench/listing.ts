/** A program instruction by instruction, each with the source line it came from: what the stage view and stepping read. */
import { BOARD_TIMING, type HartCosts } from '../../machine/board/timing.ts'
import { readElf, type ElfFile } from '../../machine/toolchain/elf/index.ts'
import type { ObjectFile } from '../../machine/toolchain/object.ts'
import { csrs } from '../../machine/isa/csrs.ts'
import { decode, isFullLength, type Decoded } from '../../machine/isa/codec.ts'
import { floatRegisterNames, integerRegisterNames, roundingModeNames } from '../../machine/isa/registers.ts'
import type { CostClass } from '../../machine/isa/instructions.ts'
import type { Timing } from '../protocol/index.ts'

export interface ListedLine {
  readonly address: bigint
  readonly word: number
  readonly length: 2 | 4
  readonly text: string
  readonly cost: CostClass
  readonly file?: string
  readonly line?: number
  readonly symbol?: string
}

/** Lists at most this many instructions. */
const MOST_LINES = 50_000

export function listProgram(bytes: Uint8Array, objects: readonly ObjectFile[]): ListedLine[] {
  const elf = readElf(bytes)
  const symbols = new Map<bigint, string>()
  for (const symbol of elf.symbols) {
    if (typeof symbol.section === 'number' && symbol.type !== 'section' && symbol.name && !symbol.name.startsWith('__'))
      symbols.set(symbol.value, symbol.name)
  }
  const rows = lineRows(elf, objects)
  const lines: ListedLine[] = []
  for (const section of elf.sections) {
    if (!section.flags.execute || section.bytes.length === 0) continue
    const view = new DataView(section.bytes.buffer, section.bytes.byteOffset, section.bytes.byteLength)
    let row: { file: string; line: number } | undefined
    for (let at = 0; at + 2 <= section.bytes.length && lines.length < MOST_LINES;) {
      const half = view.getUint16(at, true)
      const length = isFullLength(half) && at + 4 <= section.bytes.length ? 4 : 2
      const word = length === 4 ? view.getUint32(at, true) : half
      const address = section.address + BigInt(at)
      row = rows.get(address) ?? row
      const decoded = decode(word)
      lines.push({
        address,
        word,
        length,
        text: decoded ? describe(decoded, address, symbols) : `.${length}byte 0x${word.toString(16)}`,
        cost: decoded?.instruction.cost ?? 'alu',
        ...row,
        symbol: symbols.get(address),
      })
      at += length
    }
  }
  return lines
}

/** Where each object's sections went, told by a symbol that the object defines in them. */
function lineRows(elf: ElfFile, objects: readonly ObjectFile[]): Map<bigint, { file: string; line: number }> {
  const places = new Map<string, bigint[]>()
  for (const symbol of elf.symbols) if (symbol.name) places.set(symbol.name, [...(places.get(symbol.name) ?? []), symbol.value])
  const rows = new Map<bigint, { file: string; line: number }>()
  for (const object of objects) {
    const bases = new Map<string, bigint>()
    for (const symbol of object.symbols) {
      const values = places.get(symbol.name)
      if (symbol.section && values?.length === 1 && !bases.has(symbol.section)) bases.set(symbol.section, values[0] - BigInt(symbol.value))
    }
    for (const { section, offset, file, line } of object.lines) {
      const base = bases.get(section)
      if (base !== undefined) rows.set(base + BigInt(offset), { file, line })
    }
  }
  return rows
}

const csrNames = new Map(csrs.map((csr) => [csr.number, csr.name]))

function describe(decoded: Decoded, address: bigint, symbols: ReadonlyMap<bigint, string>): string {
  const { instruction, operands } = decoded
  const names = new Map<string, string>()
  for (const { operand, kind } of instruction.fields) {
    const value = operands[operand]!
    if (kind === 'x') names.set(operand, integerRegisterNames[value])
    else if (kind === 'f') names.set(operand, floatRegisterNames[value])
    else if (kind === 'csr') names.set(operand, csrNames.get(value) ?? `0x${value.toString(16)}`)
    else if (kind === 'rounding') names.set(operand, roundingModeNames[value] ?? String(value))
    else if (operand === 'imm' && (instruction.cost === 'branch' || (instruction.cost === 'jump' && !instruction.syntax.includes('rs1')))) {
      const target = address + BigInt(value)
      names.set(operand, symbols.get(target) ?? `0x${target.toString(16)}`)
    } else names.set(operand, Math.abs(value) > 4096 ? `0x${(value >>> 0).toString(16)}` : String(value))
  }
  const text = instruction.syntax
    .replace(/\b(rd|rs1|rs2|rs3|imm|csr|rm|pred|succ)\b/g, (name) => names.get(name) ?? name)
    .replace(/, dyn$/, '')
  const suffix = operands.aq && operands.rl ? '.aqrl' : operands.aq ? '.aq' : operands.rl ? '.rl' : ''
  return `${instruction.name}${suffix} ${text}`.trim()
}

const COST: Partial<Record<CostClass, keyof HartCosts>> = {
  load: 'load',
  store: 'store',
  branch: 'branchTaken',
  jump: 'jump',
  mul: 'mul',
  div: 'div',
  fpAdd: 'fpAdd',
  fpMul: 'fpMul',
  fpDiv: 'fpDiv',
  fpSqrt: 'fpSqrt',
  fpMove: 'fpMove',
  fpConvert: 'fpConvert',
  amo: 'amo',
  csr: 'csr',
  fence: 'fence',
}

/** Cycles of an instruction in a timing profile: a branch counts as taken; misses, devices and traps come on top. */
export function cyclesOf(cost: CostClass, timing: Timing): number {
  const name = COST[cost]
  return 1 + (name ? BOARD_TIMING[timing].costs[name] : 0)
}
