/** Places whose value is known only when all addresses are: what is resolved here, and what is left to the linker. */
import { immI, immS, fieldMask, fitsField, insertField, type Field } from '../../isa/fields.ts'
import { applyRelocation, pcRelative } from '../link/relocation.ts'
import type { Relocation, RelocationType } from '../object.ts'
import { evaluate, type Value } from './expression.ts'
import { AssemblyError } from './position.ts'
import type { Fixup, Fragment, SectionBuilder } from './section.ts'
import type { AssemblySymbol } from './symbol.ts'

/** A relocation, a datum of some bytes, or an immediate that must turn out to be a plain number. */
export type FixupType = RelocationType | 'DATA1' | 'DATA2' | 'DATA4' | 'DATA8' | 'IMMEDIATE_I' | 'IMMEDIATE_S'

/** The name relocations use for a target that is a number, not a symbol. */
export const absoluteSymbol = '*ABS*'

/**
 * Resolves one fixup: patches the section's `bytes` and adds to `relocations` what the linker must finish.
 * @throws AssemblyError when the value does not fit or no relocation expresses it.
 */
export function resolveFixup(
  section: SectionBuilder,
  fragment: Fragment,
  fixup: Fixup,
  bytes: Uint8Array,
  relocations: Relocation[],
): void {
  const offset = fragment.address + fixup.offset
  const value = evaluate(fixup.expression, 'final')
  const relocate = (type: RelocationType, symbol: AssemblySymbol | undefined, addend: bigint): void => {
    if (symbol) symbol.referenced = true
    relocations.push({ offset, type, symbol: symbol?.name ?? absoluteSymbol, addend: Number(addend) })
  }
  if (fixup.type.startsWith('DATA')) {
    resolveData(fixup, value, bytes, offset, relocate)
  } else if (fixup.type === 'IMMEDIATE_I' || fixup.type === 'IMMEDIATE_S') {
    patchImmediate(fixup, value, bytes, offset)
  } else {
    resolveInstruction(section, fixup, fixup.type as RelocationType, value, bytes, offset, relocate)
  }
}

type Relocate = (type: RelocationType, symbol: AssemblySymbol | undefined, addend: bigint) => void

function resolveData(fixup: Fixup, value: Value, bytes: Uint8Array, offset: number, relocate: Relocate): void {
  const size = Number(fixup.type.slice(4))
  const { difference } = splitDifference(fixup, value)
  if (difference) {
    const bits = (size * 8) as 8 | 16 | 32 | 64
    relocate(`R_RISCV_ADD${bits}`, difference.plus, difference.constant)
    relocate(`R_RISCV_SUB${bits}`, difference.minus, 0n)
    return
  }
  if (value.plus) {
    if (size < 4) {
      throw new AssemblyError('asm/no-relocation', `an address does not fit in ${size * 8} bits`, fixup.span, 'use .word or .dword')
    }
    relocate(size === 4 ? 'R_RISCV_32' : 'R_RISCV_64', value.plus, value.constant)
    return
  }
  if (value.minus) throw new AssemblyError('asm/no-relocation', `cannot negate the address of ${value.minus.name}`, fixup.span)
  for (let i = 0; i < size; i++) bytes[offset + i] = Number((value.constant >> BigInt(8 * i)) & 255n)
}

/**
 * A difference that stays one in the object: of different sections, or of labels in code, which GNU leaves to the linker
 * because the linker may shorten code between them.
 */
function splitDifference(fixup: Fixup, value: Value): { difference?: Value } {
  if (value.plus && value.minus) return { difference: value }
  const { expression } = fixup
  if (expression.kind !== 'binary' || expression.operator !== '-' || value.plus || value.minus) return {}
  const left = evaluate(expression.left, 'final')
  const right = evaluate(expression.right, 'final')
  if (!left.plus || left.minus || !right.plus || right.minus || left.plus === right.plus) return {}
  if (!left.plus.place?.section.shape.flags.execute) return {}
  return { difference: { constant: left.constant - right.constant, plus: left.plus, minus: right.plus } }
}

function patchImmediate(fixup: Fixup, value: Value, bytes: Uint8Array, offset: number): void {
  const field: Field = fixup.type === 'IMMEDIATE_I' ? immI : immS
  const symbol = value.plus ?? value.minus
  if (symbol) {
    const hint = `an immediate must be a number; for an address use %lo(${symbol.name}), la or lla`
    throw new AssemblyError('asm/not-constant', `the value of ${symbol.name} is not a constant`, fixup.span, hint)
  }
  const number = Number(value.constant)
  if (!fitsField(field, number)) throw new AssemblyError('asm/immediate-range', `${number} is outside -2048..2047`, fixup.span)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  view.setUint32(offset, ((view.getUint32(offset, true) & ~fieldMask(field)) | insertField(field, number)) >>> 0, true)
}

const nearTypes: ReadonlySet<string> = new Set(['R_RISCV_BRANCH', 'R_RISCV_JAL', 'R_RISCV_RVC_BRANCH', 'R_RISCV_RVC_JUMP'])

function resolveInstruction(
  section: SectionBuilder,
  fixup: Fixup,
  type: RelocationType,
  value: Value,
  bytes: Uint8Array,
  offset: number,
  relocate: Relocate,
): void {
  if (value.minus) {
    throw new AssemblyError('asm/no-relocation', `no relocation holds a difference with ${value.minus.name}`, fixup.span)
  }
  if (!value.plus && !pcRelative.has(type)) {
    const problem = applyRelocation(bytes, offset, type, value.constant)
    if (problem) throw new AssemblyError('asm/immediate-range', problem, fixup.span)
    return
  }
  if (value.plus && nearTypes.has(type)) {
    const { place, binding } = value.plus
    const here = place !== undefined && place.section === section
    const target = here ? BigInt(place.fragment.address + place.offset) : 0n
    // A target that the linker will fill in is written too, as GNU does: it helps a reader of the unlinked object.
    if (here || !place) {
      const problem = applyRelocation(bytes, offset, type, target + value.constant - BigInt(offset))
      if (problem && here) throw new AssemblyError('asm/branch-range', `the target is too far: ${problem}`, fixup.span)
    }
    if (here && binding === 'local') return
  }
  relocate(type, value.plus, value.constant)
}
