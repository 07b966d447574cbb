/** Writes a relocation's value into the bytes it belongs to (psABI, "Relocations"). */
import * as F from '../../isa/fields.ts'
import type { RelocationType } from '../object.ts'

/** Relocations whose value counts from the place that holds it. */
export const pcRelative: ReadonlySet<RelocationType> = new Set<RelocationType>([
  'R_RISCV_BRANCH',
  'R_RISCV_JAL',
  'R_RISCV_RVC_BRANCH',
  'R_RISCV_RVC_JUMP',
  'R_RISCV_CALL_PLT',
  'R_RISCV_PCREL_HI20',
  'R_RISCV_GOT_HI20',
  'R_RISCV_32_PCREL',
])

const directFields: Partial<Record<RelocationType, F.Field>> = {
  R_RISCV_BRANCH: F.immB,
  R_RISCV_JAL: F.immJ,
  R_RISCV_RVC_BRANCH: F.cImmB,
  R_RISCV_RVC_JUMP: F.cImmJ,
}
const highTypes: ReadonlySet<string> = new Set(['R_RISCV_HI20', 'R_RISCV_PCREL_HI20', 'R_RISCV_GOT_HI20'])
const lowFields: Partial<Record<RelocationType, F.Field>> = {
  R_RISCV_LO12_I: F.immI,
  R_RISCV_PCREL_LO12_I: F.immI,
  R_RISCV_LO12_S: F.immS,
  R_RISCV_PCREL_LO12_S: F.immS,
}
const arithmetic = /^R_RISCV_(ADD|SUB|SET)(6|8|16|32|64)$/

/** The upper 20 bits that, with a sign-extended low part, make `value`. */
export function highPart(value: bigint): number {
  return Number(BigInt.asIntN(32, (value + 0x800n) & ~0xfffn))
}

/** The sign-extended low 12 bits. */
export function lowPart(value: bigint): number {
  return Number(BigInt.asIntN(12, value))
}

/** How many bytes the relocation changes. */
export function relocationWidth(type: RelocationType): number {
  if (type === 'R_RISCV_64' || type === 'R_RISCV_CALL_PLT') return 8
  if (type === 'R_RISCV_RVC_BRANCH' || type === 'R_RISCV_RVC_JUMP') return 2
  const match = arithmetic.exec(type)
  return match ? Math.ceil(Number(match[2]) / 8) : 4
}

/**
 * Applies one relocation. `value` is S + A, less P for the types in `pcRelative`; for a `PCREL_LO12` it is the value of the
 * matching `PCREL_HI20`.
 * @returns what is wrong (`bytes` is then unchanged), or undefined.
 */
export function applyRelocation(bytes: Uint8Array, offset: number, type: RelocationType, value: bigint): string | undefined {
  const width = relocationWidth(type)
  if (offset < 0 || offset + width > bytes.length) return `the relocation at ${offset} lies outside its section`
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

  const field = directFields[type]
  if (field) return patch(view, offset, field, value, width)
  if (highTypes.has(type)) {
    if (!reachesHigh(value)) return `${value} does not fit in 32 bits`
    return patch(view, offset, F.immU, BigInt(highPart(value)), 4)
  }
  const low = lowFields[type]
  if (low) return patch(view, offset, low, BigInt(lowPart(value)), 4)
  if (type === 'R_RISCV_CALL_PLT') {
    if (!reachesHigh(value)) return `${value} does not fit in 32 bits`
    return patch(view, offset, F.immU, BigInt(highPart(value)), 4) ?? patch(view, offset + 4, F.immI, BigInt(lowPart(value)), 4)
  }
  if (type === 'R_RISCV_64') {
    view.setBigUint64(offset, BigInt.asUintN(64, value), true)
    return undefined
  }
  if (type === 'R_RISCV_32' || type === 'R_RISCV_32_PCREL') {
    if (value < -(1n << 31n) || value >= 1n << 32n) return `${value} does not fit in 32 bits`
    view.setUint32(offset, Number(BigInt.asUintN(32, value)), true)
    return undefined
  }
  return applyArithmetic(view, offset, type, value)
}

function applyArithmetic(view: DataView, offset: number, type: RelocationType, value: bigint): string | undefined {
  const match = arithmetic.exec(type)
  if (!match) return `unknown relocation ${type}`
  const bits = Number(match[2])
  const size = Math.ceil(bits / 8)
  let old = 0n
  for (let i = 0; i < size; i++) old |= BigInt(view.getUint8(offset + i)) << BigInt(8 * i)
  const operation = match[1]
  const next = operation === 'ADD' ? old + value : operation === 'SUB' ? old - value : value
  // SUB6 and SET6 keep the two high bits: they are the opcode of DW_CFA_advance_loc.
  const kept = bits === 6 ? old & 0xc0n : 0n
  const result = kept | BigInt.asUintN(bits, next)
  for (let i = 0; i < size; i++) view.setUint8(offset + i, Number((result >> BigInt(8 * i)) & 255n))
  return undefined
}

/** `auipc` and `lui` sign-extend: the reach is ±2 GiB, shifted down by the low part's sign. */
function reachesHigh(value: bigint): boolean {
  return value >= -(1n << 31n) - 0x800n && value < (1n << 31n) - 0x800n
}

function patch(view: DataView, offset: number, field: F.Field, value: bigint, width: number): string | undefined {
  const number = Number(value)
  if (!F.fitsField(field, number)) {
    const reach = 2 ** (F.fieldWidth(field) - 1)
    const step = F.fieldScale(field)
    return number % step !== 0 ? `${value} is not a multiple of ${step}` : `${value} is out of reach (${-reach}..${reach - step})`
  }
  const word = width === 2 ? view.getUint16(offset, true) : view.getUint32(offset, true)
  const next = ((word & ~F.fieldMask(field)) | F.insertField(field, number)) >>> 0
  if (width === 2) view.setUint16(offset, next & 0xffff, true)
  else view.setUint32(offset, next, true)
  return undefined
}
