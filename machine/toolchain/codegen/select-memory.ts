/** Selection of loads, stores, atomics and globals. */
import { isConstant, type Instruction } from '../ir/ir.ts'
import { isShort, type Selector } from './select.ts'
import { tp, type MachineInstruction } from './machine.ts'

const loads: Record<string, string> = {
  'i32.load': 'lw',
  'i64.load': 'ld',
  'f32.load': 'flw',
  'f64.load': 'fld',
  'i32.load8_s': 'lb',
  'i32.load8_u': 'lbu',
  'i32.load16_s': 'lh',
  'i32.load16_u': 'lhu',
  'i64.load8_s': 'lb',
  'i64.load8_u': 'lbu',
  'i64.load16_s': 'lh',
  'i64.load16_u': 'lhu',
  'i64.load32_s': 'lw',
  'i64.load32_u': 'lwu',
}
const stores: Record<string, string> = {
  'i32.store': 'sw',
  'i64.store': 'sd',
  'f32.store': 'fsw',
  'f64.store': 'fsd',
  'i32.store8': 'sb',
  'i32.store16': 'sh',
  'i64.store8': 'sb',
  'i64.store16': 'sh',
  'i64.store32': 'sw',
}

/** Emits code for `x` if it is one of this file's; false otherwise. */
export function selectMemory(s: Selector, x: Instruction): boolean {
  const { op } = x
  if (loads[op]) {
    const { base, offset } = address(s, x.args[0], x.offset)
    s.emit(loads[op], s.register(x), base, -1, offset)
    return true
  }
  if (stores[op]) {
    const { base, offset } = address(s, x.args[0], x.offset)
    const value = op[0] === 'i' && op !== 'i64.store' ? s.low32(x.args[1]) : s.register(x.args[1])
    s.emit(stores[op], -1, base, value, offset)
    return true
  }
  if (op.startsWith('atomic.', 4)) return atomic(s, x)
  if (op === 'atomic.fence') {
    s.emit('fence', -1)
    return true
  }
  if (op === 'global.get' || op === 'global.set') return global(s, x)
  return false
}

/** Base register and 12-bit offset of an access to `value + offset`. */
function address(s: Selector, value: Instruction, offset: number): { base: number; offset: number } {
  const signed = s.context.model === 'signed'
  if (isConstant(value)) {
    const whole = signed ? BigInt.asIntN(32, value.value + BigInt(offset)) : value.value + BigInt(offset)
    const low = BigInt.asIntN(12, whole)
    return { base: s.upperRegister(whole - low), offset: Number(low) }
  }
  let total = BigInt(offset)
  if (signed) {
    total = BigInt.asIntN(32, total)
    // Guard pages around 2^31 make the sum's wrapping invisible (contracts.md, "Guest memory").
    while (value.op === 'i32.add' && isConstant(value.args[1]) && isShort(value.args[1].value + total)) {
      total += value.args[1].value
      value = value.args[0]
    }
    if (isConstant(value)) return address(s, value, Number(BigInt.asUintN(32, total)))
  }
  if (isShort(total)) return { base: s.register(value), offset: Number(total) }
  const low = BigInt.asIntN(12, total)
  return { base: s.temporary('add', s.register(value), s.upperRegister(total - low)), offset: Number(low) }
}

/** Address in a register, for instructions without an offset. */
function plainAddress(s: Selector, x: Instruction): number {
  const { base, offset } = address(s, x.args[0], x.offset)
  return offset === 0 ? base : s.temporary('addi', base, -1, offset)
}

function atomic(s: Selector, x: Instruction): boolean {
  const operation = x.op.slice(11)
  const wide = x.index === 8
  const ordered = (made: MachineInstruction): void => {
    made.aq = 1
    made.rl = 1
  }
  if (operation.startsWith('load')) {
    const { base, offset } = address(s, x.args[0], x.offset)
    s.emit('fence', -1)
    const plain = x.op.replace('.atomic', '')
    s.emit(loads[plain], s.register(x), base, -1, offset)
    s.emit('fence', -1)
    return true
  }
  if (operation.startsWith('store')) {
    const { base, offset } = address(s, x.args[0], x.offset)
    s.emit('fence', -1)
    s.emit(stores[x.op.replace('.atomic', '')], -1, base, x.index === 8 ? s.register(x.args[1]) : s.low32(x.args[1]), offset)
    s.emit('fence', -1)
    return true
  }
  const name = /\.(add|and|or|xor|xchg|sub|cmpxchg)/.exec(operation)?.[1]
  if (!name) return false
  const narrow = x.index < 4
  const suffix = wide ? '.d' : '.w'
  const zeroExtends = x.op.startsWith('i64') && x.index === 4
  const rd = s.register(x)
  const result = zeroExtends ? s.newRegister() : rd
  const base = plainAddress(s, x)
  if (narrow) {
    const made = s.emit(`atomic.narrow.${name}`, result, base, s.register(x.args[1]), x.index)
    if (name === 'cmpxchg') made.rs3 = s.register(x.args[2])
    made.early = true
    made.temps = Array.from({ length: 4 }, () => s.newRegister())
  } else if (name === 'cmpxchg') {
    // lr.w sign-extends: compare with a sign-extended expectation.
    const expected = zeroExtends ? s.temporary('addiw', s.low32(x.args[1]), -1, 0) : s.register(x.args[1])
    const made = s.emit(`atomic.cmpxchg${suffix}`, result, base, expected)
    made.rs3 = s.register(x.args[2])
    made.early = true
    made.temps = [s.newRegister()]
  } else {
    const operand = name === 'sub' ? s.temporary('sub', 0, s.register(x.args[1])) : s.register(x.args[1])
    ordered(s.emit(`amo${name === 'xchg' ? 'swap' : name === 'sub' ? 'add' : name}${suffix}`, result, base, operand))
  }
  if (zeroExtends) s.emit('srli', rd, s.temporary('slli', result, -1, 32), -1, 32)
  return true
}

/** A hart's copy of a variable has a cache line of its own; the thread pointer is the hart's number (contracts.md). */
export const PER_HART_STRIDE = 64
export const MOST_HARTS = 8

const globalLoads = { i32: 'lw', i64: 'ld', f32: 'flw', f64: 'fld' } as const
const globalStores = { i32: 'sw', i64: 'sd', f32: 'fsw', f64: 'fsd' } as const

function global(s: Selector, x: Instruction): boolean {
  const pinned = s.context.globalRegister(x.index)
  if (pinned !== undefined) {
    if (x.op === 'global.get') s.parallel([{ to: s.register(x), from: pinned }])
    else s.parallel([s.moveOf(pinned, x.args[0])])
    return true
  }
  if (s.context.isPerHart(x.index)) {
    const own = s.temporary('slli', tp, -1, Math.log2(PER_HART_STRIDE))
    const base = s.temporary('add', addressOf(s, s.context.globalSymbol(x.index)), own)
    if (x.op === 'global.get') s.emit(globalLoads[x.type as 'i32'], s.register(x), base)
    else s.emit(globalStores[x.args[0].type as 'i32'], -1, base, s.register(x.args[0]))
    return true
  }
  const upper = upperOf(s, s.context.globalSymbol(x.index))
  const value = x.op === 'global.get' ? -1 : s.register(x.args[0])
  const type = (x.op === 'global.get' ? x.type : x.args[0].type) as 'i32'
  const made = x.op === 'global.get' ? s.emit(globalLoads[type], s.register(x), upper.rd) : s.emit(globalStores[type], -1, upper.rd, value)
  made.low = upper
  return true
}

/** `auipc` for a symbol; the instruction that uses its register sets `low` to it. */
export function upperOf(s: Selector, symbol: string): MachineInstruction {
  const upper = s.emit('auipc', s.newRegister())
  upper.symbol = symbol
  return upper
}

/** A symbol's address in a register. */
export function addressOf(s: Selector, symbol: string, rd = s.newRegister()): number {
  const upper = upperOf(s, symbol)
  s.emit('addi', rd, upper.rd).low = upper
  return rd
}
