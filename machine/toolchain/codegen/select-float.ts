/** Selection of floating point. RISC-V differs from WebAssembly in min/max of NaNs, in rounding to integers and in saturation of NaN. */
import type { Instruction } from '../ir/ir.ts'
import { bitsOf } from '../ir/build.ts'
import type { Selector } from './select.ts'
import { zero } from './machine.ts'

/** Rounding mode fields (Unprivileged, 11.2). */
const nearest = 0
const towardsZero = 1
const down = 2
const up = 3
const dynamic = 7

const binary: Record<string, string> = { add: 'fadd', sub: 'fsub', mul: 'fmul', div: 'fdiv' }
const rounding: Record<string, number> = { ceil: up, floor: down, trunc: towardsZero, nearest }

/** Emits code for `x` if it is one of this file's; false otherwise. */
export function selectFloat(s: Selector, x: Instruction): boolean {
  const type = x.op.slice(0, 3)
  const operation = x.op.slice(4)
  const [a, b] = x.args
  if (type === 'i32' || type === 'i64') return toInteger(s, x, type, operation, a)
  if (type !== 'f32' && type !== 'f64') return false
  const suffix = type === 'f32' ? '.s' : '.d'
  switch (operation) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      s.emit(binary[operation] + suffix, s.register(x), s.register(a), s.register(b)).rm = dynamic
      return true
    case 'sqrt':
      s.emit('fsqrt' + suffix, s.register(x), s.register(a)).rm = dynamic
      return true
    case 'abs':
    case 'neg':
      s.emit((operation === 'abs' ? 'fsgnjx' : 'fsgnjn') + suffix, s.register(x), s.register(a), s.register(a))
      return true
    case 'copysign':
      s.emit('fsgnj' + suffix, s.register(x), s.register(a), s.register(b))
      return true
    case 'min':
    case 'max':
      return minimum(s, x, operation, suffix)
    case 'ceil':
    case 'floor':
    case 'trunc':
    case 'nearest':
      return round(s, x, type, suffix, rounding[operation])
    case 'eq':
    case 'lt':
    case 'le':
      s.emit(`f${operation}${suffix}`, s.register(x), s.register(a), s.register(b))
      return true
    case 'gt':
    case 'ge':
      s.emit(`${operation === 'gt' ? 'flt' : 'fle'}${suffix}`, s.register(x), s.register(b), s.register(a))
      return true
    case 'ne':
      s.emit('xori', s.register(x), s.temporary('feq' + suffix, s.register(a), s.register(b)), -1, 1)
      return true
    case 'demote_f64':
      s.emit('fcvt.s.d', s.register(x), s.register(a)).rm = dynamic
      return true
    case 'promote_f32':
      s.emit('fcvt.d.s', s.register(x), s.register(a)).rm = nearest
      return true
    case 'reinterpret_i32':
      s.emit('fmv.w.x', s.register(x), s.low32(a))
      return true
    case 'reinterpret_i64':
      s.emit('fmv.d.x', s.register(x), s.register(a))
      return true
  }
  const conversion = /^convert_(i32|i64)_(s|u)$/.exec(operation)
  if (!conversion) return false
  const source = (conversion[1] === 'i32' ? 'w' : 'l') + (conversion[2] === 'u' ? 'u' : '')
  const exact = type === 'f64' && conversion[1] === 'i32'
  s.emit(`fcvt${suffix}.${source}`, s.register(x), conversion[1] === 'i32' ? s.low32(a) : s.register(a)).rm = exact ? nearest : dynamic
  return true
}

/** fmin and fmax prefer the number to the NaN: add the operands instead when one is NaN. */
function minimum(s: Selector, x: Instruction, operation: string, suffix: string): boolean {
  const [a, b] = x.args.map((value) => s.register(value))
  const rd = s.register(x)
  const numbers = s.temporary('and', s.temporary('feq' + suffix, a, a), s.temporary('feq' + suffix, b, b))
  const nan = s.newRegister(true)
  s.emit('fadd' + suffix, nan, a, b).rm = dynamic
  const result = s.temporary((operation === 'min' ? 'fmin' : 'fmax') + suffix, a, b, 0, true)
  choose(s, rd, numbers, result, nan)
  return true
}

/** rd = condition ? first : second */
function choose(s: Selector, rd: number, condition: number, first: number, second: number): void {
  s.parallel([{ to: rd, from: first }])
  const made = s.emit('select.f', rd, condition, zero)
  made.rs3 = second
  made.condition = 'bne'
  made.tied = true
}

/** Through a 64-bit integer, unless the magnitude says that the number is an integer (or a NaN) already. */
function round(s: Selector, x: Instruction, type: 'f32' | 'f64', suffix: string, mode: number): boolean {
  const a = s.register(x.args[0])
  const rd = s.register(x)
  const magnitude = s.temporary('fsgnjx' + suffix, a, a, 0, true)
  const limit = s.constantRegister(type, bitsOf(type, type === 'f32' ? 2 ** 23 : 2 ** 52))
  const small = s.temporary('flt' + suffix, magnitude, limit)
  const integer = s.newRegister()
  s.emit('fcvt.l' + suffix, integer, a).rm = mode
  const back = s.newRegister(true)
  s.emit(`fcvt${suffix}.l`, back, integer).rm = dynamic
  const withSign = s.temporary('fsgnj' + suffix, back, a, 0, true)
  // Adding zero makes a signalling NaN quiet and changes nothing else here.
  const quiet = s.newRegister(true)
  s.emit('fadd' + suffix, quiet, a, s.constantRegister(type, 0n)).rm = dynamic
  choose(s, rd, small, withSign, quiet)
  return true
}

function toInteger(s: Selector, x: Instruction, type: string, operation: string, a: Instruction): boolean {
  if (operation === 'reinterpret_f32') s.emit('fmv.x.w', s.register(x), s.register(a))
  else if (operation === 'reinterpret_f64') s.emit('fmv.x.d', s.register(x), s.register(a))
  else {
    const truncation = /^trunc(_sat)?_(f32|f64)_(s|u)$/.exec(operation)
    if (!truncation) return false
    const suffix = truncation[2] === 'f32' ? '.s' : '.d'
    const op = `fcvt.${type === 'i32' ? 'w' : 'l'}${truncation[3] === 'u' ? 'u' : ''}${suffix}`
    const source = s.register(a)
    if (!truncation[1]) s.emit(op, s.register(x), source).rm = towardsZero
    else {
      // RISC-V saturates NaN to the maximum, WebAssembly to 0.
      const value = s.newRegister()
      s.emit(op, value, source).rm = towardsZero
      const mask = s.temporary('sub', zero, s.temporary('feq' + suffix, source, source))
      s.emit('and', s.register(x), value, mask)
    }
  }
  return true
}
