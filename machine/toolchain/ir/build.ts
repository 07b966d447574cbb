/**
 * WebAssembly to IR. Needs: a validated module. Gives: SSA in which every block is reachable by construction order and
 * loops have one header whose phis cover every local that the loop assigns (trivial ones are left to simplify.ts).
 */
import { ByteReader } from '../wasm/bytes.ts'
import { InstructionReader } from '../wasm/instruction.ts'
import type { Opcode } from '../wasm/opcodes.ts'
import type { ValueType, WasmModule } from '../wasm/types.ts'
import { blockSignature } from '../wasm/validate.ts'
import { IrFunction, trapCodes, type Block, type Instruction, type Signature, type Trap, type Type } from './ir.ts'

export interface BuildOptions {
  readonly name: string
  /** Insert `check.bounds` before memory accesses. */
  readonly bounds: boolean
  /** Imported functions that are instructions, by function index. */
  readonly intrinsics?: ReadonlyMap<number, string>
  readonly variables?: ReadonlyMap<number, string>
  /** A local that debuggers need up to the end: C's frame, in which its variables lie. */
  readonly kept?: number
}

/** References travel as 64-bit words. */
export function irType(type: ValueType): Type {
  return type === 'funcref' || type === 'externref' ? 'i64' : type
}

/** A wasm function type as the back-end sees it. */
export function irSignature(type: { params: readonly ValueType[]; results: readonly ValueType[] }): Signature {
  return { params: type.params.map(irType), results: type.results.map(irType) }
}

interface Pending {
  readonly edge: ReturnType<IrFunction['connect']>
  readonly values: Instruction[]
  readonly locals: Instruction[]
}

interface Control {
  readonly kind: string
  readonly height: number
  readonly params: readonly Type[]
  readonly results: readonly Type[]
  /** Where a branch to this label goes. */
  readonly target: Block
  /** Forward branches that meet at `target`. */
  readonly pending: Pending[]
  /** loop: locals with a phi in the header. */
  readonly assigned: readonly number[]
  /** if: the block of the else arm, its operands and locals. */
  readonly otherwise?: { readonly block: Block; readonly values: Instruction[]; readonly locals: Instruction[] }
}

/** Builds the IR of function `index` of a validated module. */
export function buildFunction(module: WasmModule, index: number, options: BuildOptions): IrFunction {
  return new Builder(module, index, options).run()
}

class Builder {
  private readonly fn: IrFunction
  private readonly at: InstructionReader
  private readonly end: number
  private block: Block
  private reachable = true
  private stack: Instruction[] = []
  private locals: Instruction[] = []
  /** What locals are before the source has given them a value. */
  private readonly unassigned = new Set<Instruction>()
  private readonly controls: Control[] = []
  /** Locals assigned in each loop, by the loop's offset. */
  private readonly loops: Map<number, number[]>

  constructor(
    private readonly module: WasmModule,
    index: number,
    private readonly options: BuildOptions,
  ) {
    const { typeIndex, body } = module.functions[index]
    if (!body) throw new Error('an import has no body')
    const signature = irSignature(module.types[typeIndex])
    const fn = (this.fn = new IrFunction(options.name, signature))
    this.loops = assignedInLoops(module, body.start, body.end)
    this.at = new InstructionReader(new ByteReader(module.bytes, body.start, body.end))
    this.end = body.end
    this.block = fn.newBlock()
    const types = [...signature.params, ...body.locals.map(irType)]
    types.forEach((type, local) => {
      if (local < signature.params.length) {
        const param = this.emit('param', type, [], { index: local })
        param.variable = local
        this.locals.push(param)
      } else {
        const initial = this.constant(type, 0n)
        this.unassigned.add(initial)
        this.locals.push(initial)
      }
    })
    fn.variableTypes = types
    fn.variables = types.map((_, local) => options.variables?.get(local))
  }

  run(): IrFunction {
    const fn = this.fn
    this.controls.push(this.control('function', [], fn.signature.results))
    while (this.at.reader.offset < this.end) {
      const opcode = this.at.read()
      if (this.reachable) this.instruction(opcode)
      else this.skip(opcode)
    }
    if (this.reachable) this.leave(this.stack)
    fn.blocks = fn.blocks.filter((block) => block.terminator !== undefined)
    return fn
  }

  private emit(
    op: string,
    type: Type | 'void',
    args: Instruction[],
    extra: { value?: bigint; index?: number; offset?: number } = {},
  ): Instruction {
    return this.fn.append(this.block, this.fn.make(op, type, args, { ...extra, position: this.at.offset }))
  }

  private constant(type: Type, value: bigint): Instruction {
    return this.emit(`${type}.const`, type, [], { value })
  }

  private pop(): Instruction {
    return this.stack.pop()!
  }

  private popMany(count: number): Instruction[] {
    return this.stack.splice(this.stack.length - count, count)
  }

  private terminate(op: string, args: Instruction[]): void {
    const terminator = this.fn.make(op, 'void', args, { position: this.at.offset })
    terminator.block = this.block
    this.block.terminator = terminator
  }

  private leave(results: Instruction[]): void {
    if (this.options.kept !== undefined) this.emit('debug.keep', 'void', [this.locals[this.options.kept]])
    this.terminate('return', results)
  }

  private control(kind: string, params: readonly Type[], results: readonly Type[], extra: Partial<Control> = {}): Control {
    return { kind, params, results, height: this.stack.length, target: this.fn.newBlock(), pending: [], assigned: [], ...extra }
  }

  private label(depth: number): Control {
    return this.controls[this.controls.length - 1 - depth]
  }

  private arity(control: Control): number {
    return control.kind === 'loop' ? control.params.length : control.results.length
  }

  /** An edge from the current block to a label, carrying `values`; the caller sets the terminator. */
  private edgeTo(control: Control, values: Instruction[]): void {
    const edge = this.fn.connect(this.block, control.target)
    if (control.kind === 'loop') edge.args = [...values, ...control.assigned.map((local) => this.locals[local])]
    else control.pending.push({ edge, values, locals: this.locals.slice() })
  }

  /** Starts the block where the pending edges meet: equal values stay, differing ones become phis. */
  private join(control: Control): void {
    const { pending, target, results } = control
    this.stack.length = control.height
    this.reachable = pending.length > 0
    if (!this.reachable) return
    this.block = target
    const merge = (values: Instruction[], type: Type): Instruction => {
      if (values.every((value) => value === values[0])) return values[0]
      const phi = this.fn.phi(target, type)
      values.forEach((value, index) => pending[index].edge.args.push(value))
      return phi
    }
    const locals = pending[0].locals.map((first, local) => {
      const merged = merge(
        pending.map((entry) => entry.locals[local]),
        first.type as Type,
      )
      if (merged.op === 'phi' && merged.block === target) merged.variable = local
      return merged
    })
    results.forEach((type, index) =>
      this.stack.push(
        merge(
          pending.map((entry) => entry.values[index]),
          type,
        ),
      ),
    )
    this.locals = locals
  }

  /** Dead code: only the nesting matters. */
  private skip(opcode: Opcode): void {
    if (opcode.immediate === 'block') {
      this.controls.push({
        kind: 'dead',
        params: [],
        results: [],
        height: this.stack.length,
        target: this.block,
        pending: [],
        assigned: [],
      })
      return
    }
    const top = this.controls[this.controls.length - 1]
    if (opcode.name === 'end') {
      this.controls.pop()
      if (top.kind === 'dead') return
      this.finish(top)
    } else if (opcode.name === 'else' && top.kind !== 'dead') this.elseArm(top)
  }

  private finish(control: Control): void {
    if (control.otherwise) this.missingElse(control)
    if (control.kind === 'loop') {
      this.stack.length = control.height
      this.reachable = false
      return
    }
    this.join(control)
    if (control.kind === 'function' && this.reachable) {
      this.leave(this.popMany(control.results.length))
      this.reachable = false
    }
  }

  /** An if without else: the else edge carries the operands through. */
  private missingElse(control: Control): void {
    const { block, values, locals } = control.otherwise!
    this.block = block
    this.locals = locals
    this.edgeTo(control, values)
    this.terminate('jump', [])
  }

  private elseArm(control: Control): void {
    const { block, values, locals } = control.otherwise!
    this.controls[this.controls.length - 1] = { ...control, kind: 'else', otherwise: undefined }
    this.block = block
    this.stack.length = control.height
    this.stack.push(...values)
    this.locals = locals.slice()
    this.reachable = true
  }

  private fallThrough(control: Control): void {
    this.edgeTo(control, this.popMany(control.results.length))
    this.terminate('jump', [])
  }

  private instruction(opcode: Opcode): void {
    const at = this.at
    switch (opcode.name) {
      case 'nop':
        return
      case 'unreachable':
        this.emit('trap', 'void', [], { index: trapCodes.indexOf('unreachable') })
        this.terminate('unreachable', [])
        this.reachable = false
        return
      case 'block':
      case 'loop':
      case 'if':
        return this.enter(opcode.name)
      case 'else': {
        const control = this.controls[this.controls.length - 1]
        this.fallThrough(control)
        return this.elseArm(control)
      }
      case 'end': {
        const control = this.controls.pop()!
        if (control.kind === 'loop') return
        this.fallThrough(control)
        return this.finish(control)
      }
      case 'br':
      case 'return': {
        const control = opcode.name === 'br' ? this.label(at.index) : this.controls[0]
        this.edgeTo(control, this.popMany(this.arity(control)))
        this.terminate('jump', [])
        this.reachable = false
        return
      }
      case 'br_if': {
        const control = this.label(at.index)
        const condition = this.pop()
        const values = this.stack.slice(this.stack.length - this.arity(control))
        this.edgeTo(control, values)
        this.terminate('branch', [condition])
        const next = this.fn.newBlock()
        this.fn.connect(this.block, next)
        this.block = next
        return
      }
      case 'br_table': {
        const selector = this.pop()
        const values = this.popMany(this.arity(this.label(at.labels[0])))
        for (const depth of at.labels) this.edgeTo(this.label(depth), values)
        this.terminate('switch', [selector])
        this.reachable = false
        return
      }
      case 'local.get':
        this.stack.push(this.locals[at.index])
        return
      case 'local.set':
      case 'local.tee': {
        const value = opcode.name === 'local.set' ? this.pop() : this.stack[this.stack.length - 1]
        if (value.variable < 0) value.variable = at.index
        this.locals[at.index] = value
        return
      }
      case 'drop':
        this.pop()
        return
      default:
        return this.operate(opcode)
    }
  }

  private enter(kind: string): void {
    const { params, results } = irSignature(blockSignature(this.module, this.at.blockType))
    const condition = kind === 'if' ? this.pop() : undefined
    const operands = this.popMany(params.length)
    if (kind === 'loop') {
      const assigned = this.loops.get(this.at.offset)!
      const control = this.control('loop', params, results, { assigned })
      const header = control.target
      this.edgeTo(control, operands)
      this.terminate('jump', [])
      this.block = header
      for (const type of params) this.stack.push(this.fn.phi(header, type))
      this.locals = this.locals.slice()
      for (const local of assigned) {
        const phi = this.fn.phi(header, this.locals[local].type as Type)
        phi.variable = local
        this.locals[local] = phi
      }
      this.controls.push(control)
      return
    }
    if (kind === 'block') {
      this.controls.push(this.control('block', params, results))
      this.stack.push(...operands)
      return
    }
    const then = this.fn.newBlock()
    const block = this.fn.newBlock()
    this.fn.connect(this.block, then)
    this.fn.connect(this.block, block)
    this.terminate('branch', [condition!])
    this.controls.push(this.control('if', params, results, { otherwise: { block, values: operands, locals: this.locals.slice() } }))
    this.block = then
    this.stack.push(...operands)
  }

  private trapIf(condition: Instruction, trap: Trap): void {
    this.emit('trap.if', 'void', [condition], { index: trapCodes.indexOf(trap) })
  }

  private operate(opcode: Opcode): void {
    const at = this.at
    const { name } = opcode
    switch (name) {
      case 'i32.const':
      case 'i64.const':
      case 'f32.const':
      case 'f64.const':
        this.stack.push(this.constant(name.slice(0, 3) as Type, at.value))
        return
      case 'select':
      case 'select_t': {
        const [first, second, condition] = this.popMany(3)
        this.stack.push(this.emit('select', first.type, [condition, first, second]))
        return
      }
      case 'call':
        return this.call()
      case 'call_indirect': {
        const signature = irSignature(this.module.types[at.index])
        const selector = this.pop()
        return this.results('call_indirect', signature, [selector, ...this.popMany(signature.params.length)], at.index, at.index2)
      }
      case 'global.get':
        this.stack.push(this.emit(name, irType(this.module.globals[at.index].type.type), [], { index: at.index }))
        return
      case 'global.set':
        this.emit(name, 'void', [this.pop()], { index: at.index })
        return
      case 'ref.null':
        this.stack.push(this.constant('i64', 0n))
        return
      case 'ref.is_null':
        this.stack.push(this.emit('i64.eqz', 'i32', [this.pop()]))
        return
      case 'ref.func':
        this.stack.push(this.emit(name, 'i64', [], { index: at.index }))
        return
      case 'table.get':
        this.stack.push(this.emit(name, 'i64', [this.pop()], { index: at.index }))
        return
      case 'table.set':
        this.emit(name, 'void', this.popMany(2), { index: at.index })
        return
      case 'table.grow':
        this.stack.push(this.emit(name, 'i32', this.popMany(2), { index: at.index }))
        return
      case 'table.fill':
        this.emit(name, 'void', this.popMany(3), { index: at.index })
        return
    }
    if (opcode.immediate === 'memarg') return this.memory(opcode)
    if (opcode.immediate !== 'none') {
      // memory.*, table.* and segments: indices travel along.
      const args = this.popMany(opcode.params!.length)
      const result = this.emit(name, opcode.results![0] ?? 'void', args, {
        index: opcode.immediate === 'memory' || opcode.immediate === 'memory-memory' ? 0 : at.index,
        offset: opcode.immediate === 'element-table' || opcode.immediate === 'table-table' ? at.index2 : 0,
      })
      if (opcode.results!.length) this.stack.push(result)
      return
    }
    const args = this.popMany(opcode.params!.length)
    this.checks(name, args)
    this.stack.push(this.emit(name, opcode.results![0], args))
  }

  /** Makes the traps of division and truncation explicit. */
  private checks(name: string, args: Instruction[]): void {
    const type = name.slice(0, 3) as Type
    const operation = name.slice(4)
    if (operation === 'div_s' || operation === 'div_u' || operation === 'rem_s' || operation === 'rem_u') {
      this.trapIf(this.emit(`${type}.eqz`, 'i32', [args[1]]), 'integer divide by zero')
      if (operation !== 'div_s') return
      const minimum = this.constant(type, type === 'i32' ? -0x8000_0000n : -0x8000_0000_0000_0000n)
      const isMinimum = this.emit(`${type}.eq`, 'i32', [args[0], minimum])
      const isMinusOne = this.emit(`${type}.eq`, 'i32', [args[1], this.constant(type, -1n)])
      this.trapIf(this.emit('i32.and', 'i32', [isMinusOne, isMinimum]), 'integer overflow')
    } else if (operation.startsWith('trunc_f')) {
      const from = operation.slice(6, 9) as 'f32' | 'f64'
      this.trapIf(this.emit(`${from}.ne`, 'i32', [args[0], args[0]]), 'invalid conversion to integer')
      const [low, high, lowOpen] = truncationLimits(from, type, operation.endsWith('_s'))
      this.trapIf(this.emit(`${from}.ge`, 'i32', [args[0], this.constant(from, high)]), 'integer overflow')
      this.trapIf(this.emit(`${from}.${lowOpen ? 'le' : 'lt'}`, 'i32', [args[0], this.constant(from, low)]), 'integer overflow')
    }
  }

  private memory(opcode: Opcode): void {
    const { index: offset } = this.at
    const args = this.popMany(opcode.params!.length)
    if (this.options.bounds) this.emit('check.bounds', 'void', [args[0]], { index: opcode.width, offset })
    if (opcode.atomic && opcode.width > 1) this.emit('check.aligned', 'void', [args[0]], { index: opcode.width, offset })
    const result = this.emit(opcode.name, opcode.results![0] ?? 'void', args, { index: opcode.width, offset })
    if (opcode.results!.length) this.stack.push(result)
  }

  private call(): void {
    const index = this.at.index
    const signature = irSignature(this.module.types[this.module.functions[index].typeIndex])
    const intrinsic = this.options.intrinsics?.get(index)
    const args = this.popMany(signature.params.length)
    if (intrinsic === undefined) return this.results('call', signature, args, index, 0)
    const suspends = intrinsic === 'co.suspend' || intrinsic === 'co.suspendUntil'
    if (suspends || intrinsic === 'co.frame') this.fn.coroutine = true
    const result = this.emit(intrinsic, signature.results[0] ?? 'void', args)
    if (suspends) result.locals = this.locals.map((value) => (this.unassigned.has(value) ? undefined : value))
    if (signature.results.length) this.stack.push(result)
  }

  private results(op: string, signature: Signature, args: Instruction[], index: number, offset: number): void {
    const call = this.emit(op, signature.results[0] ?? 'void', args, { index, offset })
    signature.results.forEach((type, position) => {
      this.stack.push(position === 0 ? call : this.emit('call.result', type, [call], { index: position }))
    })
  }
}

const floatBits = new DataView(new ArrayBuffer(8))

/** The bits of a float constant. */
export function bitsOf(type: 'f32' | 'f64', value: number): bigint {
  if (type === 'f32') {
    floatBits.setFloat32(0, value)
    return BigInt(floatBits.getUint32(0))
  }
  floatBits.setFloat64(0, value)
  return floatBits.getBigUint64(0)
}

/** A float truncates into range when it is below `high` and above `low` (or equal to it, unless `lowOpen`). */
export function truncationLimits(from: 'f32' | 'f64', to: Type, signed: boolean): [low: bigint, high: bigint, lowOpen: boolean] {
  const bits = to === 'i32' ? 32 : 64
  const high = signed ? 2 ** (bits - 1) : 2 ** bits
  if (!signed) return [bitsOf(from, -1), bitsOf(from, high), true]
  // -2^31 - 1 is a double, but no float: there -2^31 itself is the last one inside.
  if (from === 'f64' && bits === 32) return [bitsOf(from, -high - 1), bitsOf(from, high), true]
  return [bitsOf(from, -high), bitsOf(from, high), false]
}

/** For each loop (by the offset of its opcode) the locals that it assigns, in order of their index. */
function assignedInLoops(module: WasmModule, start: number, end: number): Map<number, number[]> {
  const at = new InstructionReader(new ByteReader(module.bytes, start, end))
  const result = new Map<number, number[]>()
  const open: ({ offset: number; locals: Set<number> } | undefined)[] = []
  while (at.reader.offset < end) {
    const opcode = at.read()
    if (opcode.immediate === 'block') open.push(opcode.name === 'loop' ? { offset: at.offset, locals: new Set() } : undefined)
    else if (opcode.name === 'local.set' || opcode.name === 'local.tee') for (const loop of open) loop?.locals.add(at.index)
    else if (opcode.name === 'end') {
      const loop = open.pop()
      if (loop)
        result.set(
          loop.offset,
          [...loop.locals].sort((a, b) => a - b),
        )
    }
  }
  return result
}
