/** Reads a module's binary form (specification, section 5). What is grammatical but wrong is left to validate.ts. */
import { ByteReader } from './bytes.ts'
import { InstructionReader, readReferenceType, readValueType } from './instruction.ts'
import {
  WasmError,
  type ConstantExpression,
  type CustomSection,
  type DataSegment,
  type ElementSegment,
  type Export,
  type FunctionBody,
  type FunctionType,
  type Global,
  type GlobalType,
  type Import,
  type ImportDescription,
  type Limits,
  type TableType,
  type ValueType,
  type WasmModule,
} from './types.ts'

/** The order sections must come in: the data count section (12) sits between element (9) and code (10). */
const order = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 10]
/** More locals than this is refused, as V8 does. */
const maximumLocals = 50_000

/** Decodes `bytes` or throws WasmError. Function bodies are located, not read. */
export function decodeModule(bytes: Uint8Array): WasmModule {
  const decoder = new Decoder(bytes)
  return decoder.module()
}

class Decoder {
  private readonly reader: ByteReader
  private readonly types: FunctionType[] = []
  private readonly imports: Import[] = []
  private readonly functionTypes: { type: number; offset: number }[] = []
  private readonly tables: TableType[] = []
  private readonly memories: Limits[] = []
  private readonly globals: Global[] = []
  private readonly exports: Export[] = []
  private readonly elements: ElementSegment[] = []
  private readonly data: DataSegment[] = []
  private readonly bodies: FunctionBody[] = []
  private readonly customs: CustomSection[] = []
  private readonly declared = new Set<number>()
  private start: number | undefined
  private dataCount: number | undefined
  private codeOffset = 0
  private usesDataCount: number | undefined

  constructor(private readonly bytes: Uint8Array) {
    this.reader = new ByteReader(bytes)
  }

  module(): WasmModule {
    const reader = this.reader
    if (reader.end < 4 || reader.fixed32() !== 0x6d736100) reader.fail('magic header not detected', 0)
    if (reader.end < 8 || reader.fixed32() !== 1) reader.fail('unknown binary version', 4)
    let last = 0
    while (!reader.done) {
      const at = reader.offset
      const id = reader.byte()
      const size = reader.u32()
      if (size > reader.end - reader.offset) reader.fail('unexpected end, length out of bounds', at)
      if (id > 12) reader.fail('malformed section id', at)
      const section = new ByteReader(this.bytes, reader.offset, reader.offset + size)
      if (id !== 0) {
        if (order[id] <= last) reader.fail('unexpected content after last section', at)
        last = order[id]
      }
      this.section(id, section)
      if (!section.done) section.fail('section size mismatch')
      reader.offset += size
    }
    if (this.functionTypes.length !== this.bodies.length) reader.fail('function and code section have inconsistent lengths')
    if (this.dataCount !== undefined && this.dataCount !== this.data.length)
      reader.fail('data count and data section have inconsistent lengths')
    if (this.dataCount === undefined && this.usesDataCount !== undefined) reader.fail('data count section required', this.usesDataCount)
    return this.assemble()
  }

  private assemble(): WasmModule {
    const imported = <Kind extends ImportDescription['kind']>(kind: Kind) =>
      this.imports.filter((entry) => entry.description.kind === kind) as (Import & {
        description: Extract<ImportDescription, { kind: Kind }>
      })[]
    for (const entry of this.exports) if (entry.kind === 'function') this.declared.add(entry.index)
    return {
      bytes: this.bytes,
      types: this.types,
      imports: this.imports,
      functions: [
        ...imported('function').map((entry) => ({ typeIndex: entry.description.typeIndex, body: undefined, import: entry })),
        ...this.functionTypes.map(({ type }, index) => ({ typeIndex: type, body: this.bodies[index], import: undefined })),
      ],
      tables: [...imported('table').map((entry) => entry.description.table), ...this.tables],
      memories: [...imported('memory').map((entry) => entry.description.memory), ...this.memories],
      globals: [
        ...imported('global').map((entry) => ({ type: entry.description.global, init: undefined, import: entry })),
        ...this.globals.map(({ type, init }) => ({ type, init, import: undefined })),
      ],
      exports: this.exports,
      start: this.start,
      elements: this.elements,
      data: this.data,
      dataCount: this.dataCount,
      customs: this.customs,
      declaredFunctions: this.declared,
      codeOffset: this.codeOffset,
    }
  }

  private section(id: number, reader: ByteReader): void {
    const each = (read: () => void): void => {
      const count = reader.count()
      for (let index = 0; index < count; index++) read()
    }
    switch (id) {
      case 0:
        this.customs.push({ name: reader.name(), bytes: reader.take(reader.end - reader.offset) })
        return
      case 1:
        return each(() => this.types.push(this.functionType(reader)))
      case 2:
        return each(() => this.imports.push(this.import(reader)))
      case 3:
        return each(() => this.functionTypes.push({ offset: reader.offset, type: reader.u32() }))
      case 4:
        return each(() => this.tables.push(this.tableType(reader)))
      case 5:
        return each(() => this.memories.push(this.limits(reader, true)))
      case 6:
        return each(() => {
          const type = this.globalType(reader)
          this.globals.push({ type, init: this.constant(reader) })
        })
      case 7:
        return each(() => this.exports.push(this.export(reader)))
      case 8:
        this.start = reader.u32()
        return
      case 9:
        return each(() => this.elements.push(this.element(reader)))
      case 10:
        this.codeOffset = reader.offset
        return each(() => this.bodies.push(this.body(reader)))
      case 11:
        return each(() => this.data.push(this.dataSegment(reader)))
      case 12:
        this.dataCount = reader.u32()
    }
  }

  private functionType(reader: ByteReader): FunctionType {
    if (reader.byte() !== 0x60) reader.fail('malformed function type', reader.offset - 1)
    const list = (): ValueType[] => Array.from({ length: reader.count() }, () => readValueType(reader))
    return { params: list(), results: list() }
  }

  private limits(reader: ByteReader, memory: boolean): Limits {
    const offset = reader.offset
    const flags = reader.byte()
    if (flags > (memory ? 3 : 1)) reader.fail('malformed limits flags', offset)
    const minimum = reader.u32()
    return { minimum, maximum: flags & 1 ? reader.u32() : undefined, shared: (flags & 2) !== 0 }
  }

  private tableType(reader: ByteReader): TableType {
    const element = readReferenceType(reader)
    return { element, limits: this.limits(reader, false) }
  }

  private globalType(reader: ByteReader): GlobalType {
    const type = readValueType(reader)
    const mutability = reader.byte()
    if (mutability > 1) reader.fail('malformed mutability', reader.offset - 1)
    return { type, mutable: mutability === 1 }
  }

  private import(reader: ByteReader): Import {
    const offset = reader.offset
    const module = reader.name()
    const name = reader.name()
    return { module, name, description: this.importDescription(reader), offset }
  }

  private importDescription(reader: ByteReader): ImportDescription {
    switch (reader.byte()) {
      case 0:
        return { kind: 'function', typeIndex: reader.u32() }
      case 1:
        return { kind: 'table', table: this.tableType(reader) }
      case 2:
        return { kind: 'memory', memory: this.limits(reader, true) }
      case 3:
        return { kind: 'global', global: this.globalType(reader) }
      default:
        return reader.fail('malformed import kind', reader.offset - 1)
    }
  }

  private export(reader: ByteReader): Export {
    const name = reader.name()
    const kind =
      (['function', 'table', 'memory', 'global'] as const)[reader.byte()] ?? reader.fail('malformed export kind', reader.offset - 1)
    return { name, kind, index: reader.u32() }
  }

  /** Anything but the one constant instruction is grammatical in the specification; it is refused here as invalid. */
  private constant(reader: ByteReader): ConstantExpression {
    const instruction = new InstructionReader(reader)
    const read: ConstantExpression[] = []
    let bad = -1
    for (;;) {
      const name = instruction.read().name
      if (name === 'end') break
      if (name === 'i32.const' || name === 'i64.const' || name === 'f32.const' || name === 'f64.const')
        read.push({ kind: name.slice(0, 3) as NumberTypeName, value: instruction.value })
      else if (name === 'global.get') read.push({ kind: 'global', index: instruction.index })
      else if (name === 'ref.null') read.push({ kind: 'ref.null', type: instruction.referenceType })
      else if (name === 'ref.func') {
        this.declared.add(instruction.index)
        read.push({ kind: 'ref.func', index: instruction.index })
      } else bad = instruction.offset
    }
    if (bad >= 0) throw new WasmError('wasm/invalid', 'constant expression required', bad)
    if (read.length !== 1) throw new WasmError('wasm/invalid', 'type mismatch: a constant expression gives one value', reader.offset)
    return read[0]
  }

  private element(reader: ByteReader): ElementSegment {
    const at = reader.offset
    const flags = reader.u32()
    if (flags > 7) reader.fail('malformed elements segment kind', at)
    const mode = flags & 1 ? (flags & 2 ? 'declarative' : 'passive') : 'active'
    const table = mode === 'active' && flags & 2 ? reader.u32() : 0
    const offset = mode === 'active' ? this.constant(reader) : undefined
    let type: ElementSegment['type'] = 'funcref'
    if (flags & 3) {
      if (flags & 4) type = readReferenceType(reader)
      else if (reader.byte() !== 0) reader.fail('malformed element kind', reader.offset - 1)
    }
    const items = Array.from({ length: reader.count() }, (): ConstantExpression => {
      if (flags & 4) return this.constant(reader)
      const index = reader.u32()
      this.declared.add(index)
      return { kind: 'ref.func', index }
    })
    return { mode, table, offset, type, items }
  }

  private dataSegment(reader: ByteReader): DataSegment {
    const at = reader.offset
    const flags = reader.u32()
    if (flags > 2) reader.fail('malformed data segment kind', at)
    const memory = flags === 2 ? reader.u32() : 0
    const offset = flags === 1 ? undefined : this.constant(reader)
    return { mode: flags === 1 ? 'passive' : 'active', memory, offset, bytes: reader.take(reader.u32()) }
  }

  /** Walks the body once, for its extent and for the grammar; types come later. */
  private body(reader: ByteReader): FunctionBody {
    const size = reader.u32()
    const end = reader.offset + size
    if (end > reader.end) reader.fail('unexpected end, length out of bounds')
    const inside = new ByteReader(this.bytes, reader.offset, end)
    const locals: ValueType[] = []
    const groups = inside.count()
    let total = 0
    for (let group = 0; group < groups; group++) {
      const at = inside.offset
      const count = inside.u32()
      total += count
      if (total > 0xffffffff) inside.fail('too many locals', at)
      const type = readValueType(inside)
      if (total <= maximumLocals) for (let index = 0; index < count; index++) locals.push(type)
    }
    if (total > maximumLocals) throw new WasmError('wasm/unsupported', 'more than 50,000 locals in a function', inside.offset)
    const start = inside.offset
    const instruction = new InstructionReader(inside)
    for (let depth = 1; depth > 0;) {
      const opcode = instruction.read()
      if (opcode.immediate === 'block') depth++
      else if (opcode.name === 'end') depth--
      else if (opcode.immediate === 'data' || opcode.immediate === 'data-memory') this.usesDataCount ??= instruction.offset
    }
    if (!inside.done) inside.fail('END opcode expected')
    reader.offset = end
    return { locals, start, end }
  }
}

type NumberTypeName = 'i32' | 'i64' | 'f32' | 'f64'
