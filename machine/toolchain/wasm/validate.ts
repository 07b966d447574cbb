/** Section 3 of the specification (and its appendix "Validation Algorithm"): everything later stages take for granted. */
import { ByteReader } from './bytes.ts'
import { InstructionReader, type BlockType } from './instruction.ts'
import type { Opcode } from './opcodes.ts'
import { WasmError, type ConstantExpression, type FunctionType, type Limits, type ValueType, type WasmModule } from './types.ts'

/** Throws WasmError ('wasm/invalid') for the first thing that is wrong. */
export function validateModule(module: WasmModule): void {
  const fail = (message: string, offset = 0): never => {
    throw new WasmError('wasm/invalid', message, offset)
  }
  for (const { typeIndex, import: entry } of module.functions) if (typeIndex >= module.types.length) fail('unknown type', entry?.offset)
  const checkLimits = (limits: Limits, bound: number, what: string): void => {
    if (limits.minimum > bound || (limits.maximum ?? 0) > bound) fail(what)
    if (limits.maximum !== undefined && limits.minimum > limits.maximum) fail('size minimum must not be greater than maximum')
    if (limits.shared && limits.maximum === undefined) fail('shared memory must have maximum')
  }
  for (const table of module.tables) checkLimits(table.limits, 0xffffffff, 'table size')
  for (const memory of module.memories) checkLimits(memory, 65536, 'memory size must be at most 65536 pages (4GiB)')
  if (module.memories.length > 1) fail('multiple memories')

  const importedGlobals = module.globals.filter((global) => global.import).length
  const checkConstant = (expression: ConstantExpression, type: ValueType): void => {
    let actual: ValueType
    switch (expression.kind) {
      case 'global':
        // Core 2.0: only imported, immutable globals.
        if (expression.index >= importedGlobals) fail('unknown global')
        if (module.globals[expression.index].type.mutable) fail('constant expression required')
        actual = module.globals[expression.index].type.type
        break
      case 'ref.func':
        if (expression.index >= module.functions.length) fail('unknown function')
        actual = 'funcref'
        break
      case 'ref.null':
        actual = expression.type
        break
      default:
        actual = expression.kind
    }
    if (actual !== type) fail('type mismatch in a constant expression')
  }
  for (const global of module.globals) if (global.init) checkConstant(global.init, global.type.type)

  const names = new Set<string>()
  for (const entry of module.exports) {
    if (names.has(entry.name)) fail('duplicate export name')
    names.add(entry.name)
    const space = { function: module.functions, table: module.tables, memory: module.memories, global: module.globals }[entry.kind]
    if (entry.index >= space.length) fail(`unknown ${entry.kind}`)
  }
  if (module.start !== undefined) {
    if (module.start >= module.functions.length) fail('unknown function')
    const type = module.types[module.functions[module.start].typeIndex]
    if (type.params.length + type.results.length > 0) fail('start function')
  }
  for (const segment of module.elements) {
    if (segment.mode === 'active') {
      if (segment.table >= module.tables.length) fail('unknown table')
      if (module.tables[segment.table].element !== segment.type) fail('type mismatch: element segment and table')
      checkConstant(segment.offset!, 'i32')
    }
    for (const item of segment.items) checkConstant(item, segment.type)
  }
  for (const segment of module.data) {
    if (segment.mode === 'passive') continue
    if (segment.memory >= module.memories.length) fail('unknown memory')
    checkConstant(segment.offset!, 'i32')
  }
  for (const index of module.declaredFunctions) if (index >= module.functions.length) fail('unknown function')
  module.functions.forEach((_, index) => validateFunction(module, index))
}

type StackType = ValueType | 'unknown'

interface Frame {
  readonly opcode: string
  readonly start: readonly ValueType[]
  readonly end: readonly ValueType[]
  readonly height: number
  unreachable: boolean
}

/** A block type's parameters and results; the index must be valid. */
export function blockSignature(module: WasmModule, type: BlockType): FunctionType {
  if (typeof type === 'number') return module.types[type]
  return type === 'empty' ? { params: [], results: [] } : { params: [], results: [type] }
}

function validateFunction(module: WasmModule, index: number): void {
  const { typeIndex, body } = module.functions[index]
  if (body) new FunctionValidator(module, module.types[typeIndex], body.locals).run(body.start, body.end)
}

class FunctionValidator {
  private readonly locals: ValueType[]
  private readonly stack: StackType[] = []
  private readonly frames: Frame[] = []
  private at!: InstructionReader

  constructor(
    private readonly module: WasmModule,
    private readonly type: FunctionType,
    locals: readonly ValueType[],
  ) {
    this.locals = [...type.params, ...locals]
  }

  run(start: number, end: number): void {
    this.at = new InstructionReader(new ByteReader(this.module.bytes, start, end))
    this.pushFrame('function', [], this.type.results)
    while (this.frames.length > 0) this.instruction(this.at.read())
  }

  private fail(message: string): never {
    throw new WasmError('wasm/invalid', message, this.at.offset)
  }

  private push(type: StackType): void {
    this.stack.push(type)
  }

  private pushAll(types: readonly StackType[]): void {
    for (const type of types) this.stack.push(type)
  }

  private pop(expected: StackType = 'unknown'): StackType {
    const frame = this.frames[this.frames.length - 1]
    if (this.stack.length === frame.height) {
      if (frame.unreachable) return expected
      this.fail('type mismatch: the stack is empty')
    }
    const actual = this.stack.pop()!
    if (actual !== expected && actual !== 'unknown' && expected !== 'unknown')
      this.fail(`type mismatch: expected ${expected}, found ${actual}`)
    return actual === 'unknown' ? expected : actual
  }

  private popAll(types: readonly StackType[]): void {
    for (let index = types.length - 1; index >= 0; index--) this.pop(types[index])
  }

  private pushFrame(opcode: string, start: readonly ValueType[], end: readonly ValueType[]): void {
    this.frames.push({ opcode, start, end, height: this.stack.length, unreachable: false })
    this.pushAll(start)
  }

  private popFrame(): Frame {
    const frame = this.frames[this.frames.length - 1]
    this.popAll(frame.end)
    if (this.stack.length !== frame.height) this.fail('type mismatch: values remain on the stack')
    this.frames.pop()
    return frame
  }

  private unreachable(): void {
    const frame = this.frames[this.frames.length - 1]
    this.stack.length = frame.height
    frame.unreachable = true
  }

  private label(depth: number): readonly ValueType[] {
    if (depth >= this.frames.length) this.fail('unknown label')
    const frame = this.frames[this.frames.length - 1 - depth]
    return frame.opcode === 'loop' ? frame.start : frame.end
  }

  private table(index: number): { element: ValueType } {
    return this.module.tables[index] ?? this.fail('unknown table')
  }

  private local(index: number): ValueType {
    return this.locals[index] ?? this.fail('unknown local')
  }

  private memory(): void {
    if (this.module.memories.length === 0) this.fail('unknown memory')
  }

  private instruction(opcode: Opcode): void {
    const at = this.at
    const module = this.module
    switch (opcode.immediate) {
      case 'memarg':
        this.memory()
        if (opcode.atomic ? 1 << at.index2 !== opcode.width : 2 ** at.index2 > opcode.width)
          this.fail(opcode.atomic ? 'atomic alignment must be natural' : 'alignment must not be larger than natural')
        break
      case 'memory':
      case 'memory-memory':
        this.memory()
        break
      case 'data-memory':
        this.memory()
        if (at.index >= (module.dataCount ?? 0)) this.fail('unknown data segment')
        break
      case 'data':
        if (at.index >= (module.dataCount ?? 0)) this.fail('unknown data segment')
        break
      case 'element':
        if (at.index >= module.elements.length) this.fail('unknown elem segment')
        break
      case 'table':
        this.table(at.index)
    }
    if (opcode.params && opcode.immediate !== 'element-table' && opcode.immediate !== 'table-table') {
      this.popAll(opcode.params)
      this.pushAll(opcode.results!)
      if (opcode.name === 'table.size') return
      return
    }
    this.special(opcode)
  }

  private special(opcode: Opcode): void {
    const at = this.at
    const module = this.module
    switch (opcode.name) {
      case 'unreachable':
        return this.unreachable()
      case 'block':
      case 'loop':
      case 'if': {
        if (opcode.name === 'if') this.pop('i32')
        if (typeof at.blockType === 'number' && at.blockType >= module.types.length) this.fail('unknown type')
        const { params, results } = blockSignature(module, at.blockType)
        this.popAll(params)
        return this.pushFrame(opcode.name, params, results)
      }
      case 'else': {
        const frame = this.popFrame()
        if (frame.opcode !== 'if') throw new WasmError('wasm/malformed', 'else without if', at.offset)
        return this.pushFrame('else', frame.start, frame.end)
      }
      case 'end': {
        const frame = this.popFrame()
        if (
          frame.opcode === 'if' &&
          (frame.start.length !== frame.end.length || frame.start.some((type, index) => type !== frame.end[index]))
        )
          this.fail('type mismatch: an if without else must leave what it takes')
        return this.pushAll(frame.end)
      }
      case 'br':
        this.popAll(this.label(at.index))
        return this.unreachable()
      case 'br_if': {
        this.pop('i32')
        const types = this.label(at.index)
        this.popAll(types)
        return this.pushAll(types)
      }
      case 'br_table':
        return this.branchTable()
      case 'return':
        this.popAll(this.type.results)
        return this.unreachable()
      case 'call': {
        const callee = module.functions[at.index] ?? this.fail('unknown function')
        return this.apply(module.types[callee.typeIndex])
      }
      case 'call_indirect': {
        if (this.table(at.index2).element !== 'funcref') this.fail('type mismatch: call_indirect needs a table of functions')
        const type = module.types[at.index] ?? this.fail('unknown type')
        this.pop('i32')
        return this.apply(type)
      }
      case 'drop':
        this.pop()
        return
      case 'select': {
        this.pop('i32')
        const first = this.pop()
        const second = this.pop()
        const type = first === 'unknown' ? second : first
        if (type === 'funcref' || type === 'externref') this.fail('type mismatch: select of references needs a type')
        if (first !== second && first !== 'unknown' && second !== 'unknown') this.fail('type mismatch: select of two types')
        return this.push(type)
      }
      case 'select_t':
        if (at.types.length !== 1) this.fail('invalid result arity')
        this.pop('i32')
        this.pop(at.types[0])
        this.pop(at.types[0])
        return this.push(at.types[0])
      case 'local.get':
        return this.push(this.local(at.index))
      case 'local.set':
        this.pop(this.local(at.index))
        return
      case 'local.tee':
        this.pop(this.local(at.index))
        return this.push(this.local(at.index))
      case 'global.get':
        return this.push((module.globals[at.index] ?? this.fail('unknown global')).type.type)
      case 'global.set': {
        const { type } = module.globals[at.index] ?? this.fail('unknown global')
        if (!type.mutable) this.fail('global is immutable')
        this.pop(type.type)
        return
      }
      default:
        return this.reference(opcode)
    }
  }

  private reference(opcode: Opcode): void {
    const at = this.at
    const module = this.module
    switch (opcode.name) {
      case 'table.get':
        this.pop('i32')
        return this.push(this.table(at.index).element)
      case 'table.set':
        this.pop(this.table(at.index).element)
        this.pop('i32')
        return
      case 'table.grow':
        this.pop('i32')
        this.pop(this.table(at.index).element)
        return this.push('i32')
      case 'table.fill':
        this.pop('i32')
        this.pop(this.table(at.index).element)
        this.pop('i32')
        return
      case 'table.init': {
        const table = this.table(at.index2)
        const segment = module.elements[at.index] ?? this.fail('unknown elem segment')
        if (table.element !== segment.type) this.fail('type mismatch: element segment and table')
        return this.popAll(['i32', 'i32', 'i32'])
      }
      case 'table.copy':
        if (this.table(at.index).element !== this.table(at.index2).element) this.fail('type mismatch: tables differ')
        return this.popAll(['i32', 'i32', 'i32'])
      case 'ref.null':
        return this.push(at.referenceType)
      case 'ref.is_null': {
        const type = this.pop()
        if (type !== 'unknown' && type !== 'funcref' && type !== 'externref') this.fail('type mismatch: expected a reference')
        return this.push('i32')
      }
      case 'ref.func':
        if (at.index >= module.functions.length) this.fail('unknown function')
        if (!module.declaredFunctions.has(at.index)) this.fail('undeclared function reference')
        return this.push('funcref')
    }
  }

  private apply(type: FunctionType): void {
    this.popAll(type.params)
    this.pushAll(type.results)
  }

  private branchTable(): void {
    this.pop('i32')
    const labels = this.at.labels
    const arity = this.label(labels[labels.length - 1]).length
    for (const depth of labels) {
      const types = this.label(depth)
      if (types.length !== arity) this.fail('type mismatch: br_table targets of different arity')
      // Pop and push back, so that each target checks the same operands.
      const popped: StackType[] = []
      for (let index = types.length - 1; index >= 0; index--) popped.push(this.pop(types[index]))
      this.pushAll(popped.reverse())
    }
    this.popAll(this.label(labels[labels.length - 1]))
    this.unreachable()
  }
}
