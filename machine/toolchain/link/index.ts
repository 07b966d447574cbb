/** The linker: objects and archives, laid out by a layout object, to an executable ELF file and a map. */
import type { Diagnostic } from '../diagnostic.ts'
import { headerFlags, sectionType } from '../elf/format.ts'
import { writeElf, type OutputSection, type OutputSegment, type OutputSymbol } from '../elf/writer.ts'
import { writeDebugSections } from '../dwarf/writer.ts'
import type { ObjectFile } from '../object.ts'
import { AddressBook, relocateSection } from './apply.ts'
import { collectSections } from './collect.ts'
import { linkDiagnostic } from './diagnostics.ts'
import { buildOffsetTable } from './got.ts'
import type { Layout } from './layout.ts'
import { writeMap, type MapSymbol } from './map.ts'
import { placeSections, prependUnallocated, type InputSection, type PlacedSection } from './place.ts'
import { resolveSymbols, type Definition, type LinkInput } from './symbols.ts'

export { flatLayout, type FlatOptions, type Layout, type LayoutSection, type ProvidedValue, type Region } from './layout.ts'
export { openArchive, type Archive, type LinkInput } from './symbols.ts'

export interface LinkOptions {
  readonly floatAbi?: 'soft' | 'single' | 'double'
  /** Leave out debug information. */
  readonly strip?: boolean
  /** What relative source paths are relative to, for debuggers. Default `.`. */
  readonly directory?: string
}

export interface LinkResult {
  /** The executable; empty when there was an error. */
  readonly elf: Uint8Array
  readonly map: string
  readonly diagnostics: Diagnostic[]
  /** Addresses of the global symbols and the layout's own, unsigned. */
  readonly symbols: ReadonlyMap<string, bigint>
}

/** Links `inputs` by `layout`. */
export function link(inputs: readonly LinkInput[], layout: Layout, options: LinkOptions = {}): LinkResult {
  const diagnostics: Diagnostic[] = []
  const globals = resolveSymbols(inputs, [layout.entry], diagnostics)
  const live = collectSections(globals, layout)
  const table = buildOffsetTable(globals.objects, live)
  const pieces: InputSection[] = globals.objects.flatMap((object) =>
    object.sections.filter((section) => live.has(section)).map((section) => ({ object, section, address: 0n })),
  )
  for (const object of table.objects) pieces.push({ object, section: object.sections.at(-1)!, address: 0n })
  const placed = placeSections(pieces, layout, diagnostics)
  const provided = provideSymbols(placed, layout)
  // A slot's object repeats the sections of the one it serves: they are found under both.
  const visible = [...pieces, ...aliasSections(table.objects, globals.objects, pieces)]
  const book = new AddressBook(visible, globals.definitions, provided)
  const slots = new Map([...table.slots].map(([key, { object, offset }]) => [key, book.section(object, '.got')!.address + BigInt(offset)]))
  if (!options.strip) addDebugSections(placed, globals.objects, book, options.directory)
  const contents = placed.map((section) => fillSection(section, book, slots, diagnostics))
  const entry = book.resolve({ name: layout.name, sections: [], symbols: [], lines: [] }, layout.entry)
  if (!entry) diagnostics.push(linkDiagnostic(globals.objects[0], 'link/no-entry', `the entry symbol ${layout.entry} is not defined`))
  const symbols = new Map<string, bigint>(provided)
  for (const [name, { object }] of globals.definitions) symbols.set(name, BigInt.asUintN(64, book.resolve(object, name)?.address ?? 0n))
  const map = writeMap(placed, mapSymbols(globals.definitions, book))
  if (diagnostics.some((diagnostic) => diagnostic.severity === 'error')) return { elf: new Uint8Array(), map, diagnostics, symbols }
  const elf = buildElf(
    placed,
    contents,
    outputSymbols(globals.objects, globals.definitions, provided, book, placed),
    entry!.address,
    options,
  )
  return { elf, map, diagnostics, symbols }
}

/** Puts the debug information of our own objects in front of what other tools' objects brought along. */
function addDebugSections(placed: PlacedSection[], objects: readonly ObjectFile[], book: AddressBook, directory: string | undefined): void {
  const inputs = objects.map((object) => ({
    object,
    resolve: (section: string, offset: number) => {
      const input = book.section(object, section)
      return input?.output && input.section.flags.alloc ? BigInt.asUintN(64, input.address + BigInt(offset)) : undefined
    },
  }))
  const find = (name: string): bigint | undefined => {
    const definition = book.definitions.get(name)
    return definition && book.resolve(definition.object, name)?.address
  }
  for (const { name, bytes } of writeDebugSections(inputs, find, directory)) prependUnallocated(placed, name, bytes)
}

function aliasSections(tables: readonly ObjectFile[], objects: readonly ObjectFile[], pieces: readonly InputSection[]): InputSection[] {
  return tables.flatMap((table) => {
    const source = objects.find((object) => object.symbols === table.symbols)
    return pieces
      .filter((piece) => piece.object === source)
      .map((piece) => Object.assign(Object.create(piece) as InputSection, { object: table }))
  })
}

function provideSymbols(placed: readonly PlacedSection[], layout: Layout): Map<string, bigint> {
  const provided = new Map<string, bigint>(Object.entries(layout.symbols ?? {}))
  for (const section of placed) {
    for (const [name, what] of Object.entries(section.spec?.provide ?? {})) {
      const values = { start: section.address, end: section.address + BigInt(section.size), size: BigInt(section.size), load: section.load }
      provided.set(name, values[what])
    }
  }
  return provided
}

function fillSection(section: PlacedSection, book: AddressBook, slots: ReadonlyMap<string, bigint>, diagnostics: Diagnostic[]): Uint8Array {
  if (section.kind === 'nobits') return new Uint8Array()
  const bytes = new Uint8Array(section.size)
  for (const input of section.inputs) {
    if (input.section.kind === 'nobits') continue
    bytes.set(relocateSection(input, { book, diagnostics, slots }), Number(input.address - section.address))
  }
  return bytes
}

function mapSymbols(definitions: ReadonlyMap<string, Definition>, book: AddressBook): MapSymbol[] {
  return [...definitions].map(([name, { object, symbol }]) => ({
    name,
    address: book.resolve(object, name)?.address ?? 0n,
    size: symbol.size,
    section: symbol.section === undefined ? undefined : book.section(object, symbol.section),
  }))
}

function outputSymbols(
  objects: readonly ObjectFile[],
  definitions: ReadonlyMap<string, Definition>,
  provided: ReadonlyMap<string, bigint>,
  book: AddressBook,
  placed: readonly PlacedSection[],
): OutputSymbol[] {
  const emitted = placed.filter((section) => section.size > 0)
  const symbols: OutputSymbol[] = []
  const push = (object: ObjectFile, symbol: ObjectFile['symbols'][number]): void => {
    const input = symbol.section === undefined ? undefined : book.section(object, symbol.section)
    if (symbol.section !== '*ABS*' && (!input || !input.section.flags.alloc)) return
    const { name, size, binding, type } = symbol
    const index = input?.output ? emitted.indexOf(input.output) + 1 : 0
    const value = BigInt.asUintN(64, (input?.address ?? 0n) + BigInt(symbol.value))
    symbols.push({ name, value, size, binding, type, section: index > 0 ? index : 'absolute' })
  }
  for (const object of objects) {
    for (const symbol of object.symbols) {
      if (symbol.binding === 'local' && symbol.type !== 'section' && !/^\.L|#\d+$/.test(symbol.name)) push(object, symbol)
    }
  }
  for (const { object, symbol } of definitions.values()) push(object, symbol)
  for (const [name, value] of provided) {
    if (!definitions.has(name)) symbols.push({ name, value, size: 0, binding: 'global', type: 'none', section: 'absolute' })
  }
  return symbols
}

/** Larger gaps start a new segment, since offsets in the file follow addresses only within a page. */
const pageSize = 4096n

function buildElf(
  placed: readonly PlacedSection[],
  contents: readonly Uint8Array[],
  symbols: readonly OutputSymbol[],
  entry: bigint,
  options: LinkOptions,
): Uint8Array {
  const emitted = placed.map((section, index) => ({ section, bytes: contents[index] })).filter(({ section }) => section.size > 0)
  const sections: OutputSection[] = emitted.map(({ section, bytes }) => ({
    name: section.name,
    type: section.kind === 'nobits' ? sectionType.nobits : sectionType.progbits,
    flags: section.flags,
    address: BigInt.asUintN(64, section.address),
    size: section.size,
    bytes,
    alignment: section.alignment,
  }))
  const segments: OutputSegment[] = []
  emitted.forEach(({ section }, index) => {
    if (!section.flags.alloc) return
    const last = segments.at(-1)
    const before = emitted[index - 1]?.section
    if (last && before?.flags.alloc && last.end === index && joins(before, section)) {
      segments[segments.length - 1] = { ...last, end: index + 1 }
      return
    }
    const { write, execute } = section.flags
    segments.push({
      first: index,
      end: index + 1,
      vaddr: BigInt.asUintN(64, section.address),
      paddr: BigInt.asUintN(64, section.load),
      flags: { read: true, write, execute },
    })
  })
  const floatAbi = { soft: headerFlags.floatAbiSoft, single: headerFlags.floatAbiSingle, double: headerFlags.floatAbiDouble }[
    options.floatAbi ?? 'double'
  ]
  return writeElf({
    type: 'executable',
    entry: BigInt.asUintN(64, entry),
    flags: headerFlags.compressed | floatAbi,
    sections,
    segments,
    symbols,
  })
}

function joins(before: PlacedSection, section: PlacedSection): boolean {
  const gap = section.address - before.address - BigInt(before.size)
  return (
    before.flags.write === section.flags.write &&
    before.flags.execute === section.flags.execute &&
    (before.kind === 'progbits' || section.kind === 'nobits') &&
    section.load - before.load === section.address - before.address &&
    gap >= 0n &&
    gap < pageSize
  )
}
