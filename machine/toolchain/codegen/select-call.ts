/** Selection of calls, returns and parameters, and of the instructions that the runtime carries out. */
import { trapCodes, type Instruction, type Type } from '../ir/ir.ts'
import { conventionOf } from './convention.ts'
import { a0, t1, zero, type Move } from './machine.ts'
import { addressOf } from './select-memory.ts'
import type { Selector } from './select.ts'

/** Emits code for `x` if it is one of this file's; false otherwise. `index` is its place in `body`. */
export function selectCall(s: Selector, x: Instruction, body: readonly Instruction[], index: number): boolean {
  switch (x.op) {
    case 'parameters':
      parameters(s, body)
      return true
    case 'debug.keep':
      s.emit('keep', -1, s.register(x.args[0]))
      return true
    case 'return':
      returnValues(s, x)
      return true
    case 'call': {
      const { params, results } = s.context.functionSignature(x.index)
      call(s, x, body, index, params, results, x.args, { symbol: s.context.functionSymbol(x.index) })
      return true
    }
    case 'call_indirect': {
      const { params, results } = s.context.signature(x.index)
      const target = indirectTarget(s, x)
      call(s, x, body, index, params, results, x.args.slice(1), { target })
      return true
    }
    case 'ref.func': {
      const address = addressOf(s, s.context.functionSymbol(x.index))
      const low = s.temporary('srli', s.temporary('slli', address, -1, 32), -1, 32)
      s.emit('or', s.register(x), low, s.constantRegister('i64', BigInt(functionSignatureId(s, x.index)) << 32n))
      return true
    }
    case 'memory.grow':
    case 'memory.size':
      runtime(s, x, x.op, x.args)
      return true
    case 'memory.copy':
    case 'memory.fill':
    case 'memory.atomic.notify':
    case 'memory.atomic.wait32':
    case 'memory.atomic.wait64':
      runtime(s, x, x.op, x.args)
      return true
    case 'memory.init':
    case 'data.drop':
      runtime(s, x, x.op, x.args, [s.context.segmentSymbol('data', x.index)])
      return true
    case 'elem.drop':
      runtime(s, x, x.op, x.args, [s.context.segmentSymbol('element', x.index)])
      return true
    case 'table.init':
      runtime(s, x, x.op, x.args, [s.context.segmentSymbol('element', x.index), s.context.tableSymbol(x.offset)])
      return true
    case 'table.copy':
      runtime(s, x, x.op, x.args, [s.context.tableSymbol(x.index), s.context.tableSymbol(x.offset)])
      return true
    case 'table.get':
    case 'table.set':
    case 'table.grow':
    case 'table.size':
    case 'table.fill':
      runtime(s, x, x.op, x.args, [s.context.tableSymbol(x.index)])
      return true
  }
  return false
}

function functionSignatureId(s: Selector, index: number): number {
  return s.context.functionSignatureId(index)
}

/** The name of the runtime's function for an instruction: `memory.grow` is `pollen.memory.grow`. */
export function runtimeSymbol(op: string): string {
  return `pollen.${op}`
}

function runtime(s: Selector, x: Instruction, op: string, args: readonly Instruction[], symbols: readonly string[] = []): void {
  const moves: Move[] = []
  args.forEach((value, position) => moves.push(s.moveOf(a0 + position, value)))
  symbols.forEach((symbol, position) => moves.push({ to: a0 + args.length + position, from: addressOf(s, symbol) }))
  s.parallel(moves)
  const made = s.emit('call', -1)
  made.symbol = runtimeSymbol(op)
  made.uses = moves.map((move) => move.to)
  made.clobbers = 'caller'
  s.machine.hasCalls = true
  if (x.type === 'void') return
  made.defs = [a0]
  if (s.isNeeded(x)) s.parallel([{ to: s.register(x), from: a0 }])
}

function indirectTarget(s: Selector, x: Instruction): number {
  const trap = (op: string, rs1: number, rs2: number, reason: (typeof trapCodes)[number]): void => {
    s.emit(`trap.${op}`, -1, rs1, rs2, trapCodes.indexOf(reason)).symbol = s.context.trapSymbol
  }
  const bounded = s.context.model === 'bounded'
  const table = addressOf(s, s.context.tableSymbol(x.offset))
  const selector = s.register(x.args[0])
  trap('bgeu', selector, s.temporary('ld', table), 'undefined element')
  const entry = s.temporary('add', table, s.temporary('slli', selector, -1, 3))
  const code = s.temporary(s.context.model === 'signed' ? 'lw' : 'lwu', entry, -1, 16)
  const signature = s.temporary('lw', entry, -1, 20)
  if (bounded) trap('beq', signature, zero, 'uninitialized element')
  trap('bne', signature, s.constantRegister('i64', BigInt(s.context.signatureId(x.index))), 'indirect call type mismatch')
  return code
}

function call(
  s: Selector,
  x: Instruction,
  body: readonly Instruction[],
  index: number,
  params: readonly string[],
  results: readonly string[],
  args: readonly Instruction[],
  callee: { symbol?: string; target?: number },
): void {
  const convention = conventionOf(params, results)
  s.machine.hasCalls = true
  s.machine.outgoingBytes = Math.max(s.machine.outgoingBytes, convention.stackBytes)
  const moves: Move[] = []
  args.forEach((value, position) => {
    const place = convention.params[position]
    if (place.register >= 0) moves.push(s.moveOf(place.register, value))
    else s.emit(place.float ? 'fsd' : 'sd', -1, 2, s.register(value), place.stack)
  })
  if (callee.target !== undefined) moves.push({ to: t1, from: callee.target })
  s.parallel(moves)
  const made = s.emit(callee.target === undefined ? 'call' : 'call.indirect', -1, callee.target === undefined ? -1 : t1)
  made.symbol = callee.symbol
  made.uses = moves.filter((move) => move.to !== t1).map((move) => move.to)
  made.clobbers = 'caller'
  made.defs = convention.results.filter((place) => place.register >= 0).map((place) => place.register)
  const back: Move[] = []
  results.forEach((_, position) => {
    const value =
      position === 0
        ? x
        : body.slice(index + 1).find((later) => later.op === 'call.result' && later.args[0] === x && later.index === position)
    if (!value || !s.isNeeded(value)) return
    const place = convention.results[position]
    if (place.register >= 0) back.push({ to: s.register(value), from: place.register })
    else s.emit(place.float ? 'fld' : 'ld', s.register(value), 2, -1, place.stack)
  })
  s.parallel(back)
}

function parameters(s: Selector, body: readonly Instruction[]): void {
  const { params, results } = s.fn.signature
  const convention = conventionOf(params, results)
  const moves: Move[] = []
  for (const param of body) {
    if (param.op !== 'param' || !s.isNeeded(param)) continue
    const place = convention.params[param.index]
    if (place.register >= 0) moves.push({ to: s.register(param), from: place.register })
  }
  s.machine.argumentRegisters = moves.map((move) => move.from)
  // The registers first: loading the others must not overwrite them.
  s.parallel(moves)
  for (const param of body) {
    if (param.op !== 'param' || !s.isNeeded(param)) continue
    const place = convention.params[param.index]
    if (place.register < 0) s.emit(place.float ? 'incoming.fld' : 'incoming.ld', s.register(param), -1, -1, place.stack)
  }
}

function returnValues(s: Selector, x: Instruction): void {
  const { params, results } = s.fn.signature
  const convention = conventionOf(params, results)
  const moves: Move[] = []
  x.args.forEach((value, position) => {
    const place = convention.results[position]
    if (place.register >= 0) moves.push(s.moveOf(place.register, value))
    else s.emit(place.float ? 'incoming.fsd' : 'incoming.sd', -1, -1, s.register(value), place.stack)
  })
  s.parallel(moves)
  s.emit('ret', -1).uses = moves.map((move) => move.to)
}

/** Types of the IR that travel in float registers. */
export function isFloatType(type: Type | 'void'): boolean {
  return type === 'f32' || type === 'f64'
}
