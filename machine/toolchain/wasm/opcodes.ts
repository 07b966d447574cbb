/** The one table of WebAssembly instructions: binary code, name, immediates, stack signature (specification, appendix A). */
import type { NumberType } from './types.ts'

export type Immediate =
  | 'none'
  | 'block'
  | 'label'
  | 'labels'
  | 'function'
  | 'type-table'
  | 'types'
  | 'local'
  | 'global'
  | 'table'
  | 'memarg'
  | 'memory'
  | 'memory-memory'
  | 'i32'
  | 'i64'
  | 'f32'
  | 'f64'
  | 'reftype'
  | 'data-memory'
  | 'data'
  | 'element-table'
  | 'element'
  | 'table-table'
  | 'fence'

export interface Opcode {
  /** One byte, or prefix * 256 + the number after the prefix (0xFC, 0xFE). */
  readonly code: number
  readonly name: string
  readonly immediate: Immediate
  /** Undefined for instructions whose signature depends on context. */
  readonly params: readonly NumberType[] | undefined
  readonly results: readonly NumberType[] | undefined
  /** Bytes accessed by a memory instruction, else 0. */
  readonly width: number
  readonly atomic: boolean
}

const letters: Record<string, NumberType> = { i: 'i32', l: 'i64', f: 'f32', d: 'f64' }
const table = new Map<number, Opcode>()
const named = new Map<string, Opcode>()

function define(code: number, name: string, immediate: Immediate = 'none', signature?: string, width = 0, atomic = false): void {
  const [params, results] = signature === undefined ? [undefined, undefined] : signature.split(':')
  const opcode: Opcode = {
    code,
    name,
    immediate,
    params: params === undefined ? undefined : [...params].map((letter) => letters[letter]),
    results: results === undefined ? undefined : [...results].map((letter) => letters[letter]),
    width,
    atomic,
  }
  table.set(code, opcode)
  named.set(name, opcode)
}

/** Consecutive codes with one signature. */
function run(first: number, type: string, names: string, signature: string): void {
  names.split(' ').forEach((name, index) => define(first + index, `${type}.${name}`, 'none', signature))
}

define(0x00, 'unreachable')
define(0x01, 'nop', 'none', ':')
define(0x02, 'block', 'block')
define(0x03, 'loop', 'block')
define(0x04, 'if', 'block')
define(0x05, 'else')
define(0x0b, 'end')
define(0x0c, 'br', 'label')
define(0x0d, 'br_if', 'label')
define(0x0e, 'br_table', 'labels')
define(0x0f, 'return')
define(0x10, 'call', 'function')
define(0x11, 'call_indirect', 'type-table')
define(0x1a, 'drop')
define(0x1b, 'select')
define(0x1c, 'select_t', 'types')
define(0x20, 'local.get', 'local')
define(0x21, 'local.set', 'local')
define(0x22, 'local.tee', 'local')
define(0x23, 'global.get', 'global')
define(0x24, 'global.set', 'global')
define(0x25, 'table.get', 'table')
define(0x26, 'table.set', 'table')

const loads: [number, string, string, number][] = [
  [0x28, 'i32.load', 'i:i', 4],
  [0x29, 'i64.load', 'i:l', 8],
  [0x2a, 'f32.load', 'i:f', 4],
  [0x2b, 'f64.load', 'i:d', 8],
  [0x2c, 'i32.load8_s', 'i:i', 1],
  [0x2d, 'i32.load8_u', 'i:i', 1],
  [0x2e, 'i32.load16_s', 'i:i', 2],
  [0x2f, 'i32.load16_u', 'i:i', 2],
  [0x30, 'i64.load8_s', 'i:l', 1],
  [0x31, 'i64.load8_u', 'i:l', 1],
  [0x32, 'i64.load16_s', 'i:l', 2],
  [0x33, 'i64.load16_u', 'i:l', 2],
  [0x34, 'i64.load32_s', 'i:l', 4],
  [0x35, 'i64.load32_u', 'i:l', 4],
  [0x36, 'i32.store', 'ii:', 4],
  [0x37, 'i64.store', 'il:', 8],
  [0x38, 'f32.store', 'if:', 4],
  [0x39, 'f64.store', 'id:', 8],
  [0x3a, 'i32.store8', 'ii:', 1],
  [0x3b, 'i32.store16', 'ii:', 2],
  [0x3c, 'i64.store8', 'il:', 1],
  [0x3d, 'i64.store16', 'il:', 2],
  [0x3e, 'i64.store32', 'il:', 4],
]
for (const [code, name, signature, width] of loads) define(code, name, 'memarg', signature, width)
define(0x3f, 'memory.size', 'memory', ':i')
define(0x40, 'memory.grow', 'memory', 'i:i')
define(0x41, 'i32.const', 'i32', ':i')
define(0x42, 'i64.const', 'i64', ':l')
define(0x43, 'f32.const', 'f32', ':f')
define(0x44, 'f64.const', 'f64', ':d')

const compare = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'
const floatCompare = 'eq ne lt gt le ge'
const integerUnary = 'clz ctz popcnt'
const integerBinary = 'add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr'
const floatUnary = 'abs neg ceil floor trunc nearest sqrt'
const floatBinary = 'add sub mul div min max copysign'
run(0x45, 'i32', 'eqz', 'i:i')
run(0x46, 'i32', compare, 'ii:i')
run(0x50, 'i64', 'eqz', 'l:i')
run(0x51, 'i64', compare, 'll:i')
run(0x5b, 'f32', floatCompare, 'ff:i')
run(0x61, 'f64', floatCompare, 'dd:i')
run(0x67, 'i32', integerUnary, 'i:i')
run(0x6a, 'i32', integerBinary, 'ii:i')
run(0x79, 'i64', integerUnary, 'l:l')
run(0x7c, 'i64', integerBinary, 'll:l')
run(0x8b, 'f32', floatUnary, 'f:f')
run(0x92, 'f32', floatBinary, 'ff:f')
run(0x99, 'f64', floatUnary, 'd:d')
run(0xa0, 'f64', floatBinary, 'dd:d')
const conversions: [number, string, string][] = [
  [0xa7, 'i32.wrap_i64', 'l:i'],
  [0xa8, 'i32.trunc_f32_s', 'f:i'],
  [0xa9, 'i32.trunc_f32_u', 'f:i'],
  [0xaa, 'i32.trunc_f64_s', 'd:i'],
  [0xab, 'i32.trunc_f64_u', 'd:i'],
  [0xac, 'i64.extend_i32_s', 'i:l'],
  [0xad, 'i64.extend_i32_u', 'i:l'],
  [0xae, 'i64.trunc_f32_s', 'f:l'],
  [0xaf, 'i64.trunc_f32_u', 'f:l'],
  [0xb0, 'i64.trunc_f64_s', 'd:l'],
  [0xb1, 'i64.trunc_f64_u', 'd:l'],
  [0xb2, 'f32.convert_i32_s', 'i:f'],
  [0xb3, 'f32.convert_i32_u', 'i:f'],
  [0xb4, 'f32.convert_i64_s', 'l:f'],
  [0xb5, 'f32.convert_i64_u', 'l:f'],
  [0xb6, 'f32.demote_f64', 'd:f'],
  [0xb7, 'f64.convert_i32_s', 'i:d'],
  [0xb8, 'f64.convert_i32_u', 'i:d'],
  [0xb9, 'f64.convert_i64_s', 'l:d'],
  [0xba, 'f64.convert_i64_u', 'l:d'],
  [0xbb, 'f64.promote_f32', 'f:d'],
  [0xbc, 'i32.reinterpret_f32', 'f:i'],
  [0xbd, 'i64.reinterpret_f64', 'd:l'],
  [0xbe, 'f32.reinterpret_i32', 'i:f'],
  [0xbf, 'f64.reinterpret_i64', 'l:d'],
  [0xc0, 'i32.extend8_s', 'i:i'],
  [0xc1, 'i32.extend16_s', 'i:i'],
  [0xc2, 'i64.extend8_s', 'l:l'],
  [0xc3, 'i64.extend16_s', 'l:l'],
  [0xc4, 'i64.extend32_s', 'l:l'],
  [0xfc00, 'i32.trunc_sat_f32_s', 'f:i'],
  [0xfc01, 'i32.trunc_sat_f32_u', 'f:i'],
  [0xfc02, 'i32.trunc_sat_f64_s', 'd:i'],
  [0xfc03, 'i32.trunc_sat_f64_u', 'd:i'],
  [0xfc04, 'i64.trunc_sat_f32_s', 'f:l'],
  [0xfc05, 'i64.trunc_sat_f32_u', 'f:l'],
  [0xfc06, 'i64.trunc_sat_f64_s', 'd:l'],
  [0xfc07, 'i64.trunc_sat_f64_u', 'd:l'],
]
for (const [code, name, signature] of conversions) define(code, name, 'none', signature)
define(0xd0, 'ref.null', 'reftype')
define(0xd1, 'ref.is_null')
define(0xd2, 'ref.func', 'function')
define(0xfc08, 'memory.init', 'data-memory', 'iii:')
define(0xfc09, 'data.drop', 'data', ':')
define(0xfc0a, 'memory.copy', 'memory-memory', 'iii:')
define(0xfc0b, 'memory.fill', 'memory', 'iii:')
define(0xfc0c, 'table.init', 'element-table', 'iii:')
define(0xfc0d, 'elem.drop', 'element', ':')
define(0xfc0e, 'table.copy', 'table-table', 'iii:')
define(0xfc0f, 'table.grow', 'table')
define(0xfc10, 'table.size', 'table', ':i')
define(0xfc11, 'table.fill', 'table')

// Threads proposal: the atomics that AssemblyScript and clang emit.
define(0xfe00, 'memory.atomic.notify', 'memarg', 'ii:i', 4, true)
define(0xfe01, 'memory.atomic.wait32', 'memarg', 'iil:i', 4, true)
define(0xfe02, 'memory.atomic.wait64', 'memarg', 'ill:i', 8, true)
define(0xfe03, 'atomic.fence', 'fence', ':')
const atomicShapes: [string, string, string, number][] = [
  ['i32', '', 'i', 4],
  ['i64', '', 'l', 8],
  ['i32', '8', 'i', 1],
  ['i32', '16', 'i', 2],
  ['i64', '8', 'l', 1],
  ['i64', '16', 'l', 2],
  ['i64', '32', 'l', 4],
]
atomicShapes.forEach(([type, bits, letter, width], index) => {
  const suffix = bits === '' ? '' : '_u'
  define(0xfe10 + index, `${type}.atomic.load${bits}${suffix}`, 'memarg', `i:${letter}`, width, true)
  define(0xfe17 + index, `${type}.atomic.store${bits}`, 'memarg', `i${letter}:`, width, true)
  ;['add', 'sub', 'and', 'or', 'xor', 'xchg'].forEach((operation, row) =>
    define(0xfe1e + row * 7 + index, `${type}.atomic.rmw${bits}.${operation}${suffix}`, 'memarg', `i${letter}:${letter}`, width, true),
  )
  define(0xfe48 + index, `${type}.atomic.rmw${bits}.cmpxchg${suffix}`, 'memarg', `i${letter}${letter}:${letter}`, width, true)
})

/** The instruction with this code (prefix * 256 + number for prefixed ones), if there is one. */
export function opcodeOf(code: number): Opcode | undefined {
  return table.get(code)
}

/** The instruction of this name; asking for one that does not exist is a mistake in the caller. */
export function opcodeNamed(name: string): Opcode {
  const opcode = named.get(name)
  if (!opcode) throw new Error(`no WebAssembly instruction is called ${name}`)
  return opcode
}
