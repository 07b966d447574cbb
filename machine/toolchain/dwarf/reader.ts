/** Debug information as debuggers, traces and inspectors ask for it. Reads what we, GNU and clang write: DWARF 4 and 5. */
import type { ElfFile } from '../elf/reader.ts'
import { AT, ATE, TAG } from './constants.ts'
import { Cursor } from './cursor.ts'
import { evaluateLocation, type ExpressionContext, type Place } from './expression-reader.ts'
import { readFrames, rulesAt, type FrameRange } from './frame-reader.ts'
import { isScope, numberOf, readUnits, textOf, type Entry, type Unit } from './info-reader.ts'
import { readLinePrograms, type LineEntry, type LineProgram } from './line-reader.ts'
import { readLocations, readRanges, type AddressRange, type ListSections } from './lists.ts'

export interface SourcePosition {
  readonly file: string
  readonly line: number
  readonly column: number
}

export type TypeInfo =
  | { readonly kind: 'base'; readonly name: string; readonly size: number; readonly encoding: keyof typeof ATE | 'other' }
  | { readonly kind: 'pointer'; readonly size: number; readonly target: () => TypeInfo | undefined }
  | {
      readonly kind: 'struct'
      readonly name: string
      readonly size: number
      readonly members: () => readonly { readonly name: string; readonly offset: number; readonly type: TypeInfo | undefined }[]
    }
  | { readonly kind: 'array'; readonly element: () => TypeInfo | undefined; readonly count: number | undefined }
  | {
      readonly kind: 'enumeration'
      readonly name: string
      readonly size: number
      readonly values: readonly { readonly name: string; readonly value: bigint }[]
    }
  | { readonly kind: 'other'; readonly name: string; readonly size: number }

export interface VariableInfo {
  readonly name: string
  readonly parameter: boolean
  readonly type: TypeInfo | undefined
  readonly line: number | undefined
  /** Where it is when the program is at `pc`; undefined when that is not known there. */
  readonly locate: (pc: bigint, machine: MachineState) => Place | undefined
}

export interface FunctionInfo {
  readonly name: string
  readonly ranges: readonly AddressRange[]
  readonly position: SourcePosition | undefined
  readonly returnType: TypeInfo | undefined
  /** Where its frame is, for variables that lie in it. */
  readonly frameBase: (machine: MachineState) => Place | undefined
  /** Parameters and locals whose block contains `pc`. */
  readonly variablesAt: (pc: bigint) => readonly VariableInfo[]
}

/** A stopped hart, or a caller's frame of one. Registers by DWARF number; memory little-endian, undefined where there is none. */
export interface MachineState {
  /** Of WebAssembly's own debug information: what stands for the value of a local. */
  readonly wasmLocal?: (index: number) => bigint
  readonly register: (number: number) => bigint | undefined
  readonly readMemory: (address: bigint, size: number) => bigint | undefined
}

export interface UnwoundFrame extends MachineState {
  readonly pc: bigint
  readonly cfa: bigint | undefined
  readonly function: FunctionInfo | undefined
  readonly position: SourcePosition | undefined
}

const empty = new Uint8Array()
const stackPointer = 2
const returnAddress = 1

/**
 * Reads the debug sections of a file. Without any, the result is empty.
 * @throws DwarfError when they are damaged.
 */
export function readDebugInfo(elf: ElfFile): DebugInfo {
  return new DebugInfo(elf)
}

export class DebugInfo {
  /** Functions with code, in no particular order. */
  readonly functions: readonly FunctionInfo[]
  readonly globals: readonly VariableInfo[]
  /** Sequences joined and sorted by address. */
  readonly #lines: readonly LineEntry[]
  readonly #frames: readonly FrameRange[]
  readonly #lists: ListSections
  readonly #entries: ReadonlyMap<number, Entry>
  readonly #programs: ReadonlyMap<number, LineProgram>
  readonly #types = new Map<number, TypeInfo>()

  constructor(elf: ElfFile) {
    const section = (name: string): Uint8Array => elf.sections.find((candidate) => candidate.name === name)?.bytes ?? empty
    const lineSections = { line: section('.debug_line'), strings: section('.debug_str'), lineStrings: section('.debug_line_str') }
    const programs = readLinePrograms(lineSections)
    this.#programs = new Map(programs.map((program) => [program.offset, program]))
    this.#lines = sortLines(programs)
    this.#lists = {
      ranges: section('.debug_ranges'),
      rangeLists: section('.debug_rnglists'),
      locations: section('.debug_loc'),
      locationLists: section('.debug_loclists'),
      addresses: section('.debug_addr'),
    }
    const info = readUnits({
      info: section('.debug_info'),
      abbreviations: section('.debug_abbrev'),
      strings: lineSections.strings,
      lineStrings: lineSections.lineStrings,
      stringOffsets: section('.debug_str_offsets'),
      addresses: this.#lists.addresses,
    })
    this.#entries = info.entries
    this.functions = info.units.flatMap((unit) => (unit.root ? this.#functionsIn(unit.root) : []))
    this.globals = info.units.flatMap((unit) =>
      (unit.root?.children ?? [])
        .filter((entry) => entry.tag === TAG.variable && entry.attributes.has(AT.location))
        .map((entry) => this.#variable(entry, undefined)),
    )
    const eh = elf.sections.find((candidate) => candidate.name === '.eh_frame')
    this.#frames = [...readFrames(section('.debug_frame'), 'debug', 0n), ...(eh ? readFrames(eh.bytes, 'eh', eh.address) : [])].sort(
      (a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0),
    )
  }

  /** The source position of an address. */
  lineAt(address: bigint): SourcePosition | undefined {
    let low = 0
    let high = this.#lines.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#lines[middle].address <= address) low = middle + 1
      else high = middle
    }
    const entry = this.#lines[low - 1]
    if (!entry || entry.end || entry.line <= 0) return undefined
    return { file: entry.file, line: entry.line, column: entry.column }
  }

  /**
   * Where a debugger stops for a line: the lowest address of each run of code of that line. `file` may be a path or its last parts.
   */
  addressesOf(file: string, line: number): bigint[] {
    const matches = (path: string): boolean => path === file || path.endsWith(`/${file}`) || file.endsWith(`/${path}`)
    const addresses: bigint[] = []
    this.#lines.forEach((entry, index) => {
      const before = this.#lines[index - 1]
      const starts = !before || before.end || before.line !== entry.line || before.file !== entry.file
      if (!entry.end && entry.line === line && starts && matches(entry.file)) addresses.push(entry.address)
    })
    return addresses
  }

  /** Source files that have code. */
  files(): string[] {
    return [...new Set(this.#lines.filter((entry) => !entry.end && entry.file !== '').map((entry) => entry.file))]
  }

  /** The function that an address lies in. */
  functionAt(address: bigint): FunctionInfo | undefined {
    return this.functions.find((fn) => fn.ranges.some((range) => address >= range.start && address < range.end))
  }

  /** The frame at `pc` and its callers, innermost first. Stops where there is no frame information. */
  unwind(pc: bigint, machine: MachineState, limit = 100): UnwoundFrame[] {
    const frames: UnwoundFrame[] = []
    let at = pc
    let state = machine
    while (frames.length < limit) {
      // A caller's pc is the return address: what it was doing is the call before it.
      const lookup = frames.length === 0 ? at : at - 1n
      const range = this.#frameAt(lookup)
      const rules = range && rulesAt(range, lookup)
      const base = rules && state.register(rules.cfa.register)
      const cfa = base === undefined ? undefined : BigInt.asUintN(64, base + rules!.cfa.offset)
      const { register, readMemory } = state
      frames.push({ pc: at, cfa, function: this.functionAt(lookup), position: this.lineAt(lookup), register, readMemory })
      if (!rules || cfa === undefined) break
      const inner = state
      const restored = new Map<number, bigint | undefined>([[stackPointer, cfa]])
      for (const [register, rule] of rules.registers) {
        if (rule.kind === 'saved') restored.set(register, inner.readMemory(BigInt.asUintN(64, cfa + rule.offset), 8))
        else if (rule.kind === 'value') restored.set(register, BigInt.asUintN(64, cfa + rule.offset))
        else if (rule.kind === 'register') restored.set(register, inner.register(rule.register))
        else restored.set(register, undefined)
      }
      state = { register: (number) => (restored.has(number) ? restored.get(number) : inner.register(number)), readMemory: inner.readMemory }
      const next = state.register(rules.returnRegister ?? returnAddress)
      // The same address and frame again would go round for ever.
      if (next === undefined || next === 0n || (next === at && cfa === frames.at(-2)?.cfa)) break
      at = next
    }
    return frames
  }

  #frameAt(address: bigint): FrameRange | undefined {
    let low = 0
    let high = this.#frames.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#frames[middle].start <= address) low = middle + 1
      else high = middle
    }
    const range = this.#frames[low - 1]
    return range && address < range.end ? range : undefined
  }

  // Entries.

  /** Names of inlined copies and of definitions outside their class stand in another entry. */
  #origin(entry: Entry, attribute: number, depth = 0): Entry | undefined {
    if (entry.attributes.has(attribute)) return entry
    const reference = entry.attributes.get(AT.abstractOrigin) ?? entry.attributes.get(AT.specification)
    const target = reference?.kind === 'reference' ? this.#entries.get(reference.offset) : undefined
    return target && depth < 8 ? this.#origin(target, attribute, depth + 1) : undefined
  }

  #name(entry: Entry): string {
    const named = this.#origin(entry, AT.name)
    return (named && textOf(named, AT.name)) ?? ''
  }

  #unitBase(unit: Unit): bigint {
    return (unit.root && numberOf(unit.root, AT.lowPc)) ?? 0n
  }

  #rangesOf(entry: Entry): AddressRange[] {
    const ranges = entry.attributes.get(AT.ranges)
    if (ranges) return readRanges(ranges, entry.unit, this.#unitBase(entry.unit), this.#lists)
    const start = numberOf(entry, AT.lowPc)
    const high = entry.attributes.get(AT.highPc)
    if (start === undefined || high?.kind !== 'number') return []
    return [{ start, end: high.address ? high.value : start + high.value }]
  }

  #functionsIn(parent: Entry): FunctionInfo[] {
    return parent.children.flatMap((entry) => {
      const nested = this.#functionsIn(entry)
      const ranges = entry.tag === TAG.subprogram ? this.#rangesOf(entry) : []
      return ranges.length > 0 ? [this.#function(entry, ranges), ...nested] : nested
    })
  }

  #function(entry: Entry, ranges: AddressRange[]): FunctionInfo {
    const frameBase = entry.attributes.get(AT.frameBase)
    const base = frameBase?.kind === 'block' ? frameBase.bytes : undefined
    const variablesIn = (scope: Entry, pc: bigint): VariableInfo[] =>
      scope.children.flatMap((child) => {
        if (child.tag === TAG.formalParameter || child.tag === TAG.variable) return [this.#variable(child, base)]
        const inside = isScope(child.tag) && this.#rangesOf(child).some((range) => pc >= range.start && pc < range.end)
        return inside ? variablesIn(child, pc) : []
      })
    return {
      name: this.#name(entry),
      ranges,
      position: this.#position(entry),
      returnType: this.#typeOf(entry),
      frameBase: (machine) => base && evaluateLocation(base, this.#context(entry.unit, 0n, machine, undefined)),
      variablesAt: (pc) => variablesIn(entry, pc),
    }
  }

  #position(entry: Entry): SourcePosition | undefined {
    const declared = this.#origin(entry, AT.declLine)
    const root = declared?.unit.root
    const program = root && this.#programs.get(Number(numberOf(root, AT.stmtList) ?? -1n))
    const file = declared && program?.files.get(Number(numberOf(declared, AT.declFile) ?? -1n))
    if (!declared || file === undefined) return undefined
    return { file, line: Number(numberOf(declared, AT.declLine)), column: 0 }
  }

  #variable(entry: Entry, frameBase: Uint8Array | undefined): VariableInfo {
    const declared = this.#origin(entry, AT.declLine)
    const line = declared && numberOf(declared, AT.declLine)
    return {
      name: this.#name(entry),
      parameter: entry.tag === TAG.formalParameter,
      type: this.#typeOf(entry),
      line: line === undefined ? undefined : Number(line),
      locate: (pc, machine) => this.#locate(entry, frameBase, pc, machine),
    }
  }

  #locate(entry: Entry, frameBase: Uint8Array | undefined, pc: bigint, machine: MachineState): Place | undefined {
    const constant = numberOf(entry, AT.constValue)
    if (constant !== undefined) return { kind: 'constant', value: constant }
    const location = entry.attributes.get(AT.location)
    if (!location) return undefined
    const { unit } = entry
    const bytes =
      location.kind === 'block'
        ? location.bytes
        : readLocations(location, unit, this.#unitBase(unit), this.#lists).find((piece) => pc >= piece.start && pc < piece.end)?.expression
    if (!bytes) return undefined
    return evaluateLocation(bytes, this.#context(unit, pc, machine, frameBase))
  }

  #context(unit: Unit, pc: bigint, machine: MachineState, frameBase: Uint8Array | undefined): ExpressionContext {
    return {
      ...machine,
      cfa: this.#cfaAt(pc, machine),
      frameBase,
      addressSize: unit.addressSize,
      indexedAddress: (index) => new Cursor(this.#lists.addresses, unit.addressBase + index * unit.addressSize).address(unit.addressSize),
    }
  }

  #cfaAt(pc: bigint, machine: MachineState): bigint | undefined {
    const range = this.#frameAt(pc)
    const rules = range && rulesAt(range, pc)
    const base = rules && machine.register(rules.cfa.register)
    return base === undefined ? undefined : base + rules!.cfa.offset
  }

  // Types.

  #typeOf(entry: Entry): TypeInfo | undefined {
    const holder = this.#origin(entry, AT.type)
    const reference = holder?.attributes.get(AT.type)
    return reference?.kind === 'reference' ? this.#type(reference.offset, 0) : undefined
  }

  #type(offset: number, depth: number): TypeInfo | undefined {
    const known = this.#types.get(offset)
    if (known) return known
    const entry = this.#entries.get(offset)
    if (!entry || depth > 64) return undefined
    const type = this.#buildType(entry, depth)
    if (type) this.#types.set(offset, type)
    return type
  }

  #buildType(entry: Entry, depth: number): TypeInfo | undefined {
    const name = textOf(entry, AT.name) ?? ''
    const size = Number(numberOf(entry, AT.byteSize) ?? 0n)
    switch (entry.tag) {
      case TAG.base: {
        const encoding = numberOf(entry, AT.encoding)
        const known = (Object.keys(ATE) as (keyof typeof ATE)[]).find((key) => BigInt(ATE[key]) === encoding)
        return { kind: 'base', name, size, encoding: known ?? 'other' }
      }
      case TAG.pointer:
        return { kind: 'pointer', size: size || 8, target: () => this.#typeOf(entry) }
      case TAG.structure:
      case TAG.classType:
      case TAG.union:
        return { kind: 'struct', name, size, members: () => this.#members(entry) }
      case TAG.array:
        return { kind: 'array', element: () => this.#typeOf(entry), count: elementCount(entry) }
      case TAG.enumeration: {
        const values = entry.children.filter((child) => child.tag === TAG.enumerator)
        return {
          kind: 'enumeration',
          name,
          size,
          values: values.map((child) => ({ name: textOf(child, AT.name) ?? '', value: numberOf(child, AT.constValue) ?? 0n })),
        }
      }
      case TAG.typedef:
      case TAG.constType:
      case TAG.volatileType: {
        const reference = entry.attributes.get(AT.type)
        return reference?.kind === 'reference' ? this.#type(reference.offset, depth + 1) : undefined
      }
      default:
        return { kind: 'other', name, size }
    }
  }

  #members(entry: Entry): { name: string; offset: number; type: TypeInfo | undefined }[] {
    return entry.children
      .filter((child) => child.tag === TAG.member)
      .map((child) => ({
        name: textOf(child, AT.name) ?? '',
        offset: Number(numberOf(child, AT.dataMemberLocation) ?? 0n),
        type: this.#typeOf(child),
      }))
  }
}

function elementCount(entry: Entry): number | undefined {
  const range = entry.children.find((child) => child.tag === TAG.subrange)
  const count = range && numberOf(range, AT.count)
  const bound = range && numberOf(range, AT.upperBound)
  if (count !== undefined) return Number(count)
  return bound === undefined ? undefined : Number(bound) + 1
}

/** Sequences in order of address, so that a lookup is one search; an end stands before a start at the same place. */
function sortLines(programs: readonly LineProgram[]): LineEntry[] {
  const sequences: LineEntry[][] = []
  let current: LineEntry[] = []
  for (const program of programs) {
    for (const entry of program.entries) {
      current.push(entry)
      if (!entry.end) continue
      // The linker leaves sequences of dropped code at 0.
      if (current[0].address !== 0n || current.length > 2) sequences.push(current)
      current = []
    }
    current = []
  }
  const first = (sequence: LineEntry[]): bigint => sequence[0].address
  return sequences.sort((a, b) => (first(a) < first(b) ? -1 : first(a) > first(b) ? 1 : 0)).flat()
}
