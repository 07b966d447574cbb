/** Reads a relocatable ELF file, such as GNU's or clang's `.o`, as an object for the linker. */
import { encodeNamed } from '../../isa/codec.ts'
import { findInstruction } from '../../isa/instructions.ts'
import type { ObjectFile, ObjectSymbol, Relocation, RelocationType, Section } from '../object.ts'
import { foreignRelocations, relaSize, relocationNumbers, sectionType } from './format.ts'
import { ElfError, readElf, type ElfFile, type ElfSection } from './reader.ts'

const typesByNumber = new Map(Object.entries(relocationNumbers).map(([name, number]) => [number, name as RelocationType]))
typesByNumber.set(foreignRelocations.call, 'R_RISCV_CALL_PLT')

const contents: ReadonlySet<number> = new Set([
  sectionType.progbits,
  sectionType.nobits,
  sectionType.note,
  sectionType.initArray,
  sectionType.finiArray,
  sectionType.preinitArray,
])

interface RawRelocation {
  offset: number
  readonly number: number
  readonly symbol: string
  addend: number
}

/**
 * Reads an ELF64 relocatable file.
 * @throws ElfError when it is damaged or holds relocations that this linker cannot apply.
 */
export function readObject(bytes: Uint8Array, name: string): ObjectFile {
  const elf = readElf(bytes)
  if (elf.type !== 'relocatable') throw new ElfError(`${name} is not a relocatable object`)
  const kept = elf.sections.filter((section) => contents.has(section.type))
  const sectionNames = uniqueSectionNames(kept)
  const symbolNames = uniqueSymbolNames(elf, sectionNames)
  const symbols: ObjectSymbol[] = elf.symbols.flatMap((symbol, index): ObjectSymbol[] => {
    const section = typeof symbol.section === 'number' ? sectionNames.get(symbol.section) : symbol.section
    // Symbols of sections that are not kept (groups, attributes) are of no use.
    if (symbol.type === 'file' || (typeof symbol.section === 'number' && section === undefined)) return []
    return [
      {
        name: symbolNames[index],
        binding: symbol.binding,
        type: symbol.type,
        section,
        value: Number(BigInt.asIntN(64, symbol.value)),
        size: symbol.size,
      },
    ]
  })
  const pieces = kept.map((section) => ({ section, relocations: readRelocations(elf, section, symbolNames, name) }))
  const sections: Section[] = []
  let moved = symbols
  for (const { section, relocations } of pieces) {
    const sectionName = sectionNames.get(section.index)!
    const cut = cutAlignment(section, relocations)
    if (cut) moved = moved.map((symbol) => (symbol.section === sectionName ? moveSymbol(symbol, cut.translate) : symbol))
    const data = cut?.bytes ?? section.bytes
    sections.push({
      name: sectionName,
      kind: section.type === sectionType.nobits ? 'nobits' : section.type === sectionType.note ? 'note' : 'progbits',
      flags: section.flags,
      alignment: section.alignment,
      size: cut ? data.length : section.size,
      bytes: data,
      relocations: relocations.flatMap((raw): Relocation[] => {
        const type = typesByNumber.get(raw.number)
        if (type) return [{ offset: cut ? cut.translate(raw.offset) : raw.offset, type, symbol: raw.symbol, addend: raw.addend }]
        if (raw.number === foreignRelocations.none || raw.number === foreignRelocations.relax || raw.number === foreignRelocations.align)
          return []
        throw new ElfError(`${name}: section ${section.name} has a relocation of type ${raw.number}, which is not supported`)
      }),
    })
  }
  return { name, sections, symbols: moved, lines: [] }
}

/** Sections of one name get a `#` and their index, which layouts do not look at. */
function uniqueSectionNames(sections: readonly ElfSection[]): Map<number, string> {
  const seen = new Set<string>()
  const names = new Map<number, string>()
  for (const section of sections) {
    const name = seen.has(section.name) ? `${section.name}#${section.index}` : section.name
    seen.add(name)
    names.set(section.index, name)
  }
  return names
}

/** Relocations name their symbol, so local symbols of one name (and sections' nameless ones) are told apart by their index. */
function uniqueSymbolNames(elf: ElfFile, sectionNames: ReadonlyMap<number, string>): string[] {
  const seen = new Set(elf.symbols.filter((symbol) => symbol.binding !== 'local').map((symbol) => symbol.name))
  return elf.symbols.map((symbol, index) => {
    if (symbol.binding !== 'local') return symbol.name
    const sectionName = typeof symbol.section === 'number' ? sectionNames.get(symbol.section) : undefined
    const base = symbol.type === 'section' ? (sectionName ?? '') : symbol.name
    const name = seen.has(base) || base === '' ? `${base}#${index}` : base
    seen.add(name)
    return name
  })
}

function readRelocations(elf: ElfFile, section: ElfSection, names: readonly string[], file: string): RawRelocation[] {
  const relocations: RawRelocation[] = []
  for (const table of elf.sections) {
    if (table.type !== sectionType.rela || table.info !== section.index) continue
    if (table.size % relaSize !== 0) throw new ElfError(`${file}: ${table.name} has a fraction of a relocation`)
    const view = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.byteLength)
    for (let at = 0; at < table.size; at += relaSize) {
      const offset = view.getBigUint64(at, true)
      const index = view.getUint32(at + 12, true)
      if (offset > BigInt(section.size)) throw new ElfError(`${file}: a relocation lies outside ${section.name}`)
      if (index > names.length) throw new ElfError(`${file}: a relocation of ${section.name} names symbol ${index}, which does not exist`)
      relocations.push({
        offset: Number(offset),
        number: view.getUint32(at + 8, true),
        symbol: index === 0 ? '*ABS*' : names[index - 1],
        addend: Number(view.getBigInt64(at + 16, true)),
      })
    }
  }
  return relocations.sort((a, b) => a.offset - b.offset)
}

function moveSymbol(symbol: ObjectSymbol, translate: (offset: number) => number): ObjectSymbol {
  const value = translate(symbol.value)
  return { ...symbol, value, size: translate(symbol.value + symbol.size) - value }
}

/**
 * Objects made for linker relaxation hold the longest padding before aligned code (`R_RISCV_ALIGN`, the addend is its size); the
 * linker has to cut it to what is needed. A section's own alignment covers that of its contents, so this can be done before
 * addresses are known. Undefined when there is nothing to cut.
 */
function cutAlignment(
  section: ElfSection,
  relocations: readonly RawRelocation[],
): { bytes: Uint8Array; translate: (offset: number) => number } | undefined {
  const cuts: { from: number; count: number }[] = []
  const bytes = Uint8Array.from(section.bytes)
  const view = new DataView(bytes.buffer)
  let removed = 0
  for (const { offset, number, addend } of relocations) {
    if (number !== foreignRelocations.align) continue
    if (addend < 0 || addend > 4096 || offset + addend > bytes.length) throw new ElfError('padding for alignment lies outside its section')
    let alignment = 1
    while (alignment <= addend) alignment *= 2
    const needed = -(offset - removed) & (alignment - 1)
    if (needed > addend) throw new ElfError('padding for alignment is too short')
    writeNops(view, offset, needed)
    cuts.push({ from: offset + needed, count: addend - needed })
    removed += addend - needed
  }
  if (removed === 0) return undefined
  const translate = (offset: number): number => {
    let shift = 0
    for (const { from, count } of cuts) if (offset > from) shift += Math.min(count, offset - from)
    return offset - shift
  }
  const kept = new Uint8Array(bytes.length - removed)
  let from = 0
  for (const cut of [...cuts, { from: bytes.length, count: 0 }]) {
    kept.set(bytes.subarray(from, cut.from), translate(from))
    from = cut.from + cut.count
  }
  return { bytes: kept, translate }
}

function writeNops(view: DataView, offset: number, count: number): void {
  let at = offset
  const end = offset + count
  if ((end - at) % 4 === 2) {
    view.setUint16(at, findInstruction('c.nop')!.match, true)
    at += 2
  }
  for (; at + 4 <= end; at += 4) view.setUint32(at, encodeNamed('addi', { rd: 0, rs1: 0, imm: 0 }), true)
}
