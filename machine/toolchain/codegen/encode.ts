/**
 * Items to bytes: chooses compressed encodings, sizes of branches, distances.
 * Needs: real registers, labels. Gives: a function's bytes with relocations relative to its start.
 */
import { compress, encode, type Operands } from '../../isa/codec.ts'
import { findInstruction } from '../../isa/instructions.ts'
import type { RelocationType } from '../object.ts'

export interface Item {
  op: string
  operands: Operands
  position: number
  /** Label that starts here (`label`), or that this branch or `auipc` refers to. */
  label: number
  relocation?: { readonly type: RelocationType; readonly symbol: string; readonly addend: number }
  /** The `auipc` item whose low part this one adds. */
  low?: Item
  /** `data`: label differences for a jump table, or raw bytes. */
  table?: { readonly base: number; readonly labels: readonly number[] }
  bytes?: Uint8Array
  alignment?: number
  mark?: string
  /** Position among the intervals of the machine instruction it was made from, or -1. */
  at: number
  offset: number
  size: number
}

export interface EncodedFunction {
  readonly bytes: Uint8Array
  readonly alignment: number
  readonly relocations: readonly {
    readonly offset: number
    readonly type: RelocationType
    readonly symbol: string
    readonly addend: number
  }[]
  /** Relocations whose target is an `auipc` in this function: its offset. */
  readonly lows: readonly { readonly offset: number; readonly type: RelocationType; readonly high: number }[]
  /** From this offset on code belongs to this byte of the wasm module. */
  readonly positions: readonly { readonly offset: number; readonly position: number }[]
  /** Offsets of marked instructions, by mark. */
  readonly marks: readonly { readonly offset: number; readonly mark: string }[]
  readonly labels: readonly number[]
}

const encoded = new Map<string, number>()
const compressedCache = new Map<string, number>()

function keyOf(op: string, o: Operands): string {
  return `${op} ${o.rd} ${o.rs1} ${o.rs2} ${o.rs3} ${o.imm} ${o.csr} ${o.rm} ${o.aq} ${o.rl}`
}

function word(op: string, operands: Operands): number {
  const key = keyOf(op, operands)
  let value = encoded.get(key)
  if (value === undefined) {
    const row = findInstruction(op)
    if (!row) throw new Error(`the code generator made an unknown instruction ${op}`)
    try {
      value = encode(row, operands)
    } catch (error) {
      throw new Error(`${op} ${JSON.stringify(operands)}: ${(error as Error).message}`)
    }
    encoded.set(key, value)
  }
  return value
}

/** The 16-bit encoding, or -1. */
function short(op: string, operands: Operands): number {
  const key = keyOf(op, operands)
  let value = compressedCache.get(key)
  if (value === undefined) {
    value = compress(op, operands) ?? -1
    if (value < 0 && commutes.has(op)) value = compress(op, { ...operands, rs1: operands.rs2, rs2: operands.rs1 }) ?? -1
    compressedCache.set(key, value)
  }
  return value
}

const commutes = new Set(['add', 'addw', 'and', 'or', 'xor'])
const inverse: Record<string, string> = { beq: 'bne', bne: 'beq', blt: 'bge', bge: 'blt', bltu: 'bgeu', bgeu: 'bltu' }

/** Lays the items out and encodes them. `labelCount` labels are numbered from 0. */
export function encodeItems(items: readonly Item[], labelCount: number): EncodedFunction {
  const labels = new Array<number>(labelCount).fill(-1)
  let alignment = 2
  for (const item of items) {
    if (item.alignment) alignment = Math.max(alignment, item.alignment)
    item.size = initialSize(item)
  }
  for (let changed = true; changed;) {
    changed = false
    let offset = 0
    for (const item of items) {
      if (item.op === 'align') item.size = (item.alignment! - (offset % item.alignment!)) % item.alignment!
      item.offset = offset
      if (item.op === 'label') labels[item.label] = offset
      offset += item.size
    }
    for (const item of items) {
      const needed = branchSize(item, labels)
      if (needed > item.size) {
        item.size = needed
        changed = true
      }
    }
  }
  return write(items, labels, alignment)
}

function isLocalBranch(item: Item): boolean {
  return item.label >= 0 && item.op !== 'label' && item.op !== 'auipc' && !item.low
}

function initialSize(item: Item): number {
  if (item.op === 'label' || item.op === 'align') return 0
  if (item.bytes) return item.bytes.length
  if (item.table) return 4 * item.table.labels.length
  if (isLocalBranch(item)) return 2
  if (item.relocation || item.low || item.op === 'auipc' || item.mark) return 4
  return short(item.op, item.operands) >= 0 ? 2 : 4
}

function branchSize(item: Item, labels: readonly number[]): number {
  if (!isLocalBranch(item)) return item.size
  const distance = labels[item.label] - item.offset
  if (item.op === 'jal') return short('jal', { ...item.operands, imm: distance }) >= 0 ? 2 : 4
  // c.beqz and c.bnez reach 256 bytes.
  if (distance >= -4096 && distance < 4096) return short(item.op, { ...item.operands, imm: distance }) >= 0 ? 2 : 4
  return 8
}

function write(items: readonly Item[], labels: number[], alignment: number): EncodedFunction {
  const last = items[items.length - 1]
  const bytes = new Uint8Array(last ? last.offset + last.size : 0)
  const view = new DataView(bytes.buffer)
  const relocations: { offset: number; type: RelocationType; symbol: string; addend: number }[] = []
  const lows: { offset: number; type: RelocationType; high: number }[] = []
  const positions: { offset: number; position: number }[] = []
  const marks: { offset: number; mark: string }[] = []
  let position = -2
  for (const item of items) {
    const { offset } = item
    if (item.op === 'label') continue
    if (item.op === 'align') {
      // Between code and data: never run, but kept decodable.
      for (let at = offset; at + 2 <= offset + item.size; at += 2) view.setUint16(at, short('addi', { rd: 0, rs1: 0, imm: 0 }), true)
      continue
    }
    if (item.bytes) {
      bytes.set(item.bytes, offset)
      continue
    }
    if (item.table) {
      const { base } = item.table
      item.table.labels.forEach((label, index) => view.setInt32(offset + 4 * index, labels[label] - labels[base], true))
      continue
    }
    if (item.position >= 0 && item.position !== position) {
      position = item.position
      positions.push({ offset, position })
    }
    if (item.mark) marks.push({ offset, mark: item.mark })
    let { operands } = item
    if (item.op === 'auipc' && item.label >= 0) operands = { ...operands, imm: split(labels[item.label] - offset).high }
    if (item.low && item.low.label >= 0) operands = { ...operands, imm: split(labels[item.low.label] - item.low.offset).low }
    else if (item.low)
      lows.push({ offset, type: isStore(item.op) ? 'R_RISCV_PCREL_LO12_S' : 'R_RISCV_PCREL_LO12_I', high: item.low.offset })
    if (item.relocation) relocations.push({ offset, ...item.relocation })
    if (isLocalBranch(item)) {
      const distance = labels[item.label] - offset
      if (item.size === 8) {
        view.setUint32(offset, word(inverse[item.op], { ...operands, imm: 8 }), true)
        view.setUint32(offset + 4, word('jal', { rd: 0, imm: distance - 4 }), true)
        continue
      }
      operands = { ...operands, imm: distance }
    }
    if (item.size === 2) view.setUint16(offset, short(item.op, operands), true)
    else view.setUint32(offset, word(item.op, operands), true)
  }
  return { bytes, alignment, relocations, lows, positions, marks, labels }
}

function isStore(op: string): boolean {
  return op === 'sw' || op === 'sd' || op === 'sb' || op === 'sh' || op === 'fsw' || op === 'fsd'
}

function split(distance: number): { high: number; low: number } {
  const high = ((distance + 0x800) >> 12) << 12
  return { high, low: distance - high }
}
