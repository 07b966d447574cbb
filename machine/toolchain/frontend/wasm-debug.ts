/**
 * Variables and types of C and C++ in a WebAssembly module: clang's `.debug_info`, whose places are locals of the module, carried
 * over to where our code has put those locals.
 */
import type { EmittedFunction } from '../codegen/emit.ts'
import type { FunctionDebug } from '../codegen/describe.ts'
import type { AddressModel } from '../codegen/lower.ts'
import type { ObjectBuilder } from '../codegen/object-builder.ts'
import type { EmittedVariable, SuspendedSlot } from '../codegen/variables.ts'
import { DwarfError } from '../dwarf/cursor.ts'
import type { Place } from '../dwarf/expression-reader.ts'
import { readDebugInfo, type FunctionInfo, type MachineState, type TypeInfo, type VariableInfo } from '../dwarf/reader.ts'
import type { ElfFile } from '../elf/reader.ts'
import type { DebugLocation, DebugType } from '../object.ts'
import type { WasmModule } from '../wasm/types.ts'

/** What the code generator calls local `index`, so that its places can be asked for. */
export function localName(index: number): string {
  return `$${index}`
}

type Piece = { readonly start: number; readonly end: number; readonly location: DebugLocation }

/** Where the module has a variable: in a local, in memory at a local plus an offset, at an address, nowhere (a constant). */
type ModulePlace =
  | { readonly kind: 'local'; readonly local: number }
  | { readonly kind: 'based'; readonly local: number; readonly offset: number }
  | { readonly kind: 'address'; readonly address: number }
  | { readonly kind: 'constant'; readonly value: bigint }

// A local's value in an expression: bits of no address, and of no constant that a program is likely to have; its number above an offset.
const mark = 0x7ffan << 48n
const centre = 1n << 31n
const machine: MachineState = {
  register: () => undefined,
  readMemory: () => undefined,
  wasmLocal: (index) => mark | (BigInt(index) << 32n) | centre,
}

function placeOf(place: Place | undefined): ModulePlace | undefined {
  if (!place || place.kind === 'register') return undefined
  const bits = place.kind === 'memory' ? place.address : place.value
  if (bits >> 48n !== mark >> 48n) {
    if (place.kind === 'constant') return { kind: 'constant', value: bits }
    return { kind: 'address', address: Number(BigInt.asUintN(32, bits)) }
  }
  const local = Number((bits >> 32n) & 0xffffn)
  const offset = Number((bits & 0xffff_ffffn) - centre)
  if (place.kind === 'memory') return { kind: 'based', local, offset }
  return offset === 0 ? { kind: 'local', local } : undefined
}

export class WasmDebug {
  private readonly functions: readonly { readonly start: number; readonly end: number; readonly info: FunctionInfo }[]
  private readonly types = new Map<TypeInfo, number | undefined>()

  private constructor(
    private readonly module: WasmModule,
    private readonly model: AddressModel,
    functions: readonly FunctionInfo[],
    private readonly globals: readonly VariableInfo[],
  ) {
    this.functions = functions
      .flatMap((info) => info.ranges.map((range) => ({ start: Number(range.start), end: Number(range.end), info })))
      .sort((a, b) => a.start - b.start)
  }

  /** Reads a module; undefined when it has no debug information, or a broken one. */
  static read(module: WasmModule, model: AddressModel): WasmDebug | undefined {
    const sections = module.customs.filter(({ name }) => name.startsWith('.debug_'))
    try {
      const { functions, globals } = readDebugInfo({ sections } as unknown as ElfFile)
      return functions.length ? new WasmDebug(module, model, functions, globals) : undefined
    } catch (error) {
      if (error instanceof DwarfError) return undefined
      throw error
    }
  }

  /** Names of the locals of the functions that are described. */
  localNames(): ReadonlyMap<number, ReadonlyMap<number, string>> {
    const names = new Map<number, ReadonlyMap<number, string>>()
    this.module.functions.forEach(({ body, typeIndex }, index) => {
      if (!body || !this.functionAt(body.start)) return
      const count = this.module.types[typeIndex].params.length + body.locals.length
      names.set(index, new Map(Array.from({ length: count }, (_, local) => [local, localName(local)])))
    })
    return names
  }

  /** By function: the local that holds the address of its frame. */
  frames(): ReadonlyMap<number, number> {
    const frames = new Map<number, number>()
    this.module.functions.forEach(({ body }, index) => {
      const place = body && placeOf(this.functionAt(body.start)?.frameBase(machine))
      if (place?.kind === 'local') frames.set(index, place.local)
    })
    return frames
  }

  private functionAt(byte: number): FunctionInfo | undefined {
    const at = byte - this.module.codeOffset
    let low = 0
    let high = this.functions.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.functions[middle].start <= at) low = middle + 1
      else high = middle
    }
    const found = this.functions[low - 1]
    return found && at < found.end ? found.info : undefined
  }

  /** The variables of a compiled function whose body starts at byte `start`; its positions count from there. */
  describe(builder: ObjectBuilder, code: EmittedFunction, start: number): FunctionDebug | undefined {
    const info = this.functionAt(start)
    if (!info) return undefined
    const locals = new Map(code.variables.map((variable) => [variable.name, variable]))
    const found = new Map<string, { info: VariableInfo; pieces: Piece[] }>()
    code.positions.forEach(({ offset, position }, index) => {
      const end = code.positions[index + 1]?.offset ?? code.bytes.length
      if (end <= offset) return
      for (const { variable, place } of this.variablesAt(info, start + position)) {
        // A variable of an inner block is another one than that of its name outside.
        const key = `${variable.name} ${variable.line}`
        const entry = found.get(key) ?? { info: variable, pieces: [] }
        found.set(key, entry)
        for (const piece of this.piecesOf(place, locals, offset, end)) join(entry.pieces, piece)
      }
    })
    const variables = [...found.values()].flatMap(({ info: variable, pieces }) => {
      const type = this.type(builder, variable.type)
      if (type === undefined) return []
      const { name, line, parameter } = variable
      return [{ parameter, variable: { name, type, line, location: pieces } }]
    })
    return { returnType: this.type(builder, info.returnType), variables }
  }

  /** Variables in scope at a byte of the module, an inner one in front of those that it hides. */
  private variablesAt(info: FunctionInfo, byte: number): { variable: VariableInfo; place: ModulePlace }[] {
    const pc = BigInt(byte - this.module.codeOffset)
    return info.variablesAt(pc).flatMap((variable) => {
      const place = variable.name === '' ? undefined : placeOf(variable.locate(pc, machine))
      return place ? [{ variable, place }] : []
    })
  }

  private piecesOf(place: ModulePlace, locals: ReadonlyMap<string, EmittedVariable>, start: number, end: number): Piece[] {
    if (place.kind === 'address') return [{ start, end, location: { kind: 'address', address: this.address(place.address) } }]
    if (place.kind === 'constant') return [{ start, end, location: { kind: 'constant', value: Number(BigInt.asIntN(64, place.value)) } }]
    return (locals.get(localName(place.local))?.ranges ?? []).flatMap((range): Piece[] => {
      const piece = { start: Math.max(start, range.start), end: Math.min(end, range.end) }
      if (piece.end <= piece.start) return []
      if (place.kind === 'local') return [{ ...piece, location: range.location }]
      return [{ ...piece, location: { kind: 'pointed', pointer: range.location, offset: place.offset, narrow: this.model === 'physical' } }]
    })
  }

  /** A module's address as the machine has it. */
  private address(address: number): bigint {
    return this.model === 'physical' ? BigInt(address) : BigInt.asUintN(64, BigInt(address | 0))
  }

  /** The variables that a frame holds, by the source's names. */
  slotsAt(slots: readonly SuspendedSlot[], byte: number): SuspendedSlot[] {
    const info = this.functionAt(byte)
    if (!info) return []
    return this.variablesAt(info, byte).flatMap(({ variable, place }) => {
      const slot = place.kind === 'local' ? slots.find(({ name }) => name === localName(place.local)) : undefined
      return slot ? [{ ...slot, name: variable.name }] : []
    })
  }

  /** Adds the module's global variables. */
  describeGlobals(builder: ObjectBuilder): void {
    for (const variable of this.globals) {
      const place = placeOf(variable.locate(0n, machine))
      const type = this.type(builder, variable.type)
      if (place?.kind !== 'address' || type === undefined) continue
      const { name, line } = variable
      builder.variables.push({ name, type, line, location: { kind: 'address', address: this.address(place.address) } })
    }
  }

  /** The number of a type; undefined for one that has no size. */
  private type(builder: ObjectBuilder, type: TypeInfo | undefined): number | undefined {
    if (!type) return undefined
    if (this.types.has(type)) return this.types.get(type)
    // Structures may refer to themselves through pointers.
    if (type.kind === 'struct' && type.size > 0)
      return builder.selfType((number) => {
        this.types.set(type, number)
        return this.structure(builder, type)
      })
    const made = this.plainType(builder, type)
    const number = made && builder.type(made)
    this.types.set(type, number)
    return number
  }

  private structure(builder: ObjectBuilder, type: TypeInfo & { kind: 'struct' }): DebugType {
    const members = type.members().flatMap(({ name, offset, type: member }) => {
      const number = this.type(builder, member)
      return number === undefined ? [] : [{ name, offset, type: number }]
    })
    return { kind: 'struct', name: type.name, size: type.size, members }
  }

  private plainType(builder: ObjectBuilder, type: TypeInfo): DebugType | undefined {
    switch (type.kind) {
      case 'base':
        return { kind: 'base', name: type.name, encoding: type.encoding === 'other' ? 'unsigned' : type.encoding, size: type.size }
      case 'pointer':
        // The module's pointers, whatever a pointer's usual size is.
        return { kind: 'pointer', target: this.type(builder, type.target()), size: 4 }
      case 'array': {
        const element = this.type(builder, type.element())
        return element === undefined || type.count === undefined ? undefined : { kind: 'array', element, count: type.count }
      }
      case 'enumeration':
        return { ...type, values: type.values.map(({ name, value }) => ({ name, value: Number(BigInt.asIntN(64, value)) })) }
      default:
        return undefined
    }
  }
}

/** Adds a piece, or makes the last one longer where it goes on in the same place. */
function join(pieces: Piece[], piece: Piece): void {
  const last = pieces[pieces.length - 1]
  if (last && last.end === piece.start && JSON.stringify(last.location, bits) === JSON.stringify(piece.location, bits))
    pieces[pieces.length - 1] = { ...last, end: piece.end }
  else pieces.push(piece)
}

const bits = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
