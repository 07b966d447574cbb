/**
 * The module `spectest`, the only one that a stand-alone program may import from: the specification's test suite has it,
 * and this is its contents. Functions do nothing; the console carries answers only.
 */
import { bitsOf } from '../ir/build.ts'
import { WasmError, type FunctionType, type Import, type Limits, type ValueType } from '../wasm/types.ts'

const functions = new Map<string, readonly ValueType[]>([
  ['print', []],
  ['print_i32', ['i32']],
  ['print_i64', ['i64']],
  ['print_f32', ['f32']],
  ['print_f64', ['f64']],
  ['print_i32_f32', ['i32', 'f32']],
  ['print_f64_f64', ['f64', 'f64']],
])

const globals = new Map<string, { readonly type: ValueType; readonly bits: bigint }>([
  ['global_i32', { type: 'i32', bits: 666n }],
  ['global_i64', { type: 'i64', bits: 666n }],
  ['global_f32', { type: 'f32', bits: bitsOf('f32', 666.6) }],
  ['global_f64', { type: 'f64', bits: bitsOf('f64', 666.6) }],
])

export const spectestTable: Limits = { minimum: 10, maximum: 20, shared: false }
export const spectestMemory: Limits = { minimum: 1, maximum: 2, shared: false }

function unknown(entry: Import): never {
  throw new WasmError(
    'wasm/unsupported',
    `unknown import ${entry.module}.${entry.name}: a stand-alone program has only spectest's`,
    entry.offset,
  )
}

function check(entry: Import, compatible: boolean): void {
  if (compatible) return
  throw new WasmError('wasm/unsupported', `incompatible import type: ${entry.module}.${entry.name} has another type`, entry.offset)
}

/** Import matching of limits (specification, 4.5.3.2). */
function matches(actual: Limits, wanted: Limits): boolean {
  return (
    actual.minimum >= wanted.minimum &&
    (wanted.maximum === undefined || (actual.maximum ?? Infinity) <= wanted.maximum) &&
    actual.shared === wanted.shared
  )
}

/** Throws WasmError for an import that spectest does not have, or has with another type. */
export function checkImport(entry: Import, types: readonly FunctionType[]): void {
  const { description } = entry
  if (entry.module !== 'spectest') unknown(entry)
  switch (description.kind) {
    case 'function': {
      const params = functions.get(entry.name) ?? unknown(entry)
      const type = types[description.typeIndex]
      return check(entry, type.results.length === 0 && type.params.join() === params.join())
    }
    case 'global': {
      const global = globals.get(entry.name) ?? unknown(entry)
      return check(entry, global.type === description.global.type && !description.global.mutable)
    }
    case 'table':
      if (entry.name !== 'table') unknown(entry)
      return check(entry, description.table.element === 'funcref' && matches(spectestTable, description.table.limits))
    case 'memory':
      if (entry.name !== 'memory') unknown(entry)
      return check(entry, matches(spectestMemory, description.memory))
  }
}

/** The value of an imported global that checkImport has let through. */
export function importedGlobal(entry: Import): bigint {
  return globals.get(entry.name)!.bits
}
