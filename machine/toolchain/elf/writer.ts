/** Writes ELF64 files for RISC-V: executables with program headers, and relocatable objects. */
import * as E from './format.ts'

export interface OutputSection {
  readonly name: string
  /** `sh_type`. */
  readonly type: number
  readonly flags: { readonly alloc: boolean; readonly write: boolean; readonly execute: boolean }
  readonly address: bigint
  /** Size in memory; for a section without contents `bytes` is empty. */
  readonly size: number
  readonly bytes: Uint8Array
  readonly alignment: number
  readonly link?: number
  readonly info?: number
  readonly entrySize?: number
}

export interface OutputSymbol {
  readonly name: string
  readonly value: bigint
  readonly size: number
  readonly binding: (typeof E.symbolBindings)[number]
  readonly type: (typeof E.symbolTypes)[number]
  /** Index in `sections` plus one (the null section comes first), or a special place. */
  readonly section: number | 'undefined' | 'absolute' | 'common'
}

export interface OutputSegment {
  /** Range of `sections` indices, first and one past the last; all must follow each other in memory. */
  readonly first: number
  readonly end: number
  readonly vaddr: bigint
  readonly paddr: bigint
  readonly flags: { readonly read: boolean; readonly write: boolean; readonly execute: boolean }
}

export interface ElfOutput {
  readonly type: 'relocatable' | 'executable'
  readonly entry: bigint
  /** `e_flags`. */
  readonly flags: number
  readonly sections: readonly OutputSection[]
  readonly segments: readonly OutputSegment[]
  /** Local symbols must come first. */
  readonly symbols: readonly OutputSymbol[]
  /** Sections that refer to the symbol table by `link`, by index in `sections`. */
  readonly linkToSymbols?: ReadonlySet<number>
}

/** Offsets in the file equal addresses modulo this, so that a loader may map pages. */
const pageSize = 4096

class StringTable {
  readonly #offsets = new Map<string, number>([['', 0]])
  readonly #bytes: number[] = [0]

  add(text: string): number {
    let offset = this.#offsets.get(text)
    if (offset === undefined) {
      offset = this.#bytes.length
      this.#offsets.set(text, offset)
      for (const byte of new TextEncoder().encode(text)) this.#bytes.push(byte)
      this.#bytes.push(0)
    }
    return offset
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}

/** The file's bytes. Symbol and string tables are added to the given sections. */
export function writeElf(output: ElfOutput): Uint8Array {
  const { segments } = output
  const symbolNames = new StringTable()
  const symbols = encodeSymbols(output.symbols, symbolNames)
  const table = output.sections.length + 1
  const none = { alloc: false, write: false, execute: false }
  const plain = { flags: none, address: 0n, alignment: 1 }
  const sectionNames = new StringTable()
  const firstGlobal = output.symbols.findIndex((symbol) => symbol.binding !== 'local')
  const sections: OutputSection[] = [
    ...output.sections.map((section, index) => (output.linkToSymbols?.has(index) ? { ...section, link: table } : section)),
    {
      ...plain,
      name: '.symtab',
      type: E.sectionType.symtab,
      size: symbols.length,
      bytes: symbols,
      alignment: 8,
      link: table + 1,
      info: (firstGlobal < 0 ? output.symbols.length : firstGlobal) + 1,
      entrySize: E.symbolSize,
    },
    { ...plain, name: '.strtab', type: E.sectionType.strtab, size: 0, bytes: symbolNames.bytes() },
    { ...plain, name: '.shstrtab', type: E.sectionType.strtab, size: 0, bytes: new Uint8Array() },
  ]
  const names = sections.map((section) => sectionNames.add(section.name))
  sections[table] = { ...sections[table], size: sections[table].bytes.length }
  sections[table + 1] = { ...sections[table + 1], bytes: sectionNames.bytes(), size: sectionNames.bytes().length }
  const offsets = placeContents(sections, E.headerSize + segments.length * E.programHeaderSize)
  const headers = alignUp(offsets.end, 8)
  const bytes = new Uint8Array(headers + (sections.length + 1) * E.sectionHeaderSize)
  const view = new DataView(bytes.buffer)
  writeHeader(view, output, headers, sections.length + 1)
  segments.forEach((segment, index) => writeProgramHeader(view, E.headerSize + index * E.programHeaderSize, segment, sections, offsets.at))
  sections.forEach((section, index) => {
    if (section.type !== E.sectionType.nobits) bytes.set(section.bytes, offsets.at[index])
    writeSectionHeader(view, headers + (index + 1) * E.sectionHeaderSize, section, names[index], offsets.at[index])
  })
  return bytes
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment
}

function placeContents(sections: readonly OutputSection[], start: number): { at: number[]; end: number } {
  let offset = start
  const at = sections.map((section) => {
    if (section.flags.alloc) {
      const wanted = Number(section.address % BigInt(pageSize))
      offset += (wanted - (offset % pageSize) + pageSize) % pageSize
    } else {
      offset = alignUp(offset, section.alignment)
    }
    const place = offset
    if (section.type !== E.sectionType.nobits) offset += section.bytes.length
    return place
  })
  return { at, end: offset }
}

function writeHeader(view: DataView, output: ElfOutput, sectionHeaders: number, sectionCount: number): void {
  // Magic; 64-bit, little-endian, version 1, System V ABI.
  ;[0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0].forEach((byte, index) => view.setUint8(index, byte))
  view.setUint16(16, E.fileType[output.type], true)
  view.setUint16(18, E.machineRiscv, true)
  view.setUint32(20, 1, true)
  view.setBigUint64(24, output.entry, true)
  view.setBigUint64(32, BigInt(output.segments.length > 0 ? E.headerSize : 0), true)
  view.setBigUint64(40, BigInt(sectionHeaders), true)
  view.setUint32(48, output.flags, true)
  view.setUint16(52, E.headerSize, true)
  view.setUint16(54, output.segments.length > 0 ? E.programHeaderSize : 0, true)
  view.setUint16(56, output.segments.length, true)
  view.setUint16(58, E.sectionHeaderSize, true)
  view.setUint16(60, sectionCount, true)
  view.setUint16(62, sectionCount - 1, true)
}

function writeProgramHeader(
  view: DataView,
  at: number,
  segment: OutputSegment,
  sections: readonly OutputSection[],
  offsets: readonly number[],
): void {
  const members = sections.slice(segment.first, segment.end)
  const last = members.at(-1)!
  const lastWithBytes = members.findLast((section) => section.type !== E.sectionType.nobits)
  const fileSize = lastWithBytes ? Number(lastWithBytes.address - segment.vaddr) + lastWithBytes.bytes.length : 0
  const { read, write, execute } = segment.flags
  view.setUint32(at, E.segmentType.load, true)
  view.setUint32(at + 4, (read ? E.segmentFlag.read : 0) | (write ? E.segmentFlag.write : 0) | (execute ? E.segmentFlag.execute : 0), true)
  view.setBigUint64(at + 8, BigInt(offsets[segment.first]), true)
  view.setBigUint64(at + 16, segment.vaddr, true)
  view.setBigUint64(at + 24, segment.paddr, true)
  view.setBigUint64(at + 32, BigInt(fileSize), true)
  view.setBigUint64(at + 40, last.address - segment.vaddr + BigInt(last.size), true)
  view.setBigUint64(at + 48, BigInt(pageSize), true)
}

function writeSectionHeader(view: DataView, at: number, section: OutputSection, name: number, offset: number): void {
  const { alloc, write, execute } = section.flags
  const flags =
    (write ? E.sectionFlag.write : 0) |
    (alloc ? E.sectionFlag.alloc : 0) |
    (execute ? E.sectionFlag.execute : 0) |
    (section.type === E.sectionType.rela ? E.sectionFlag.infoLink : 0)
  view.setUint32(at, name, true)
  view.setUint32(at + 4, section.type, true)
  view.setBigUint64(at + 8, BigInt(flags), true)
  view.setBigUint64(at + 16, section.address, true)
  view.setBigUint64(at + 24, BigInt(offset), true)
  view.setBigUint64(at + 32, BigInt(section.size), true)
  view.setUint32(at + 40, section.link ?? 0, true)
  view.setUint32(at + 44, section.info ?? 0, true)
  view.setBigUint64(at + 48, BigInt(section.alignment), true)
  view.setBigUint64(at + 56, BigInt(section.entrySize ?? 0), true)
}

function encodeSymbols(symbols: readonly OutputSymbol[], names: StringTable): Uint8Array {
  const bytes = new Uint8Array((symbols.length + 1) * E.symbolSize)
  const view = new DataView(bytes.buffer)
  symbols.forEach((symbol, index) => {
    const at = (index + 1) * E.symbolSize
    view.setUint32(at, names.add(symbol.name), true)
    view.setUint8(at + 4, (E.symbolBindings.indexOf(symbol.binding) << 4) | E.symbolTypes.indexOf(symbol.type))
    view.setUint16(at + 6, typeof symbol.section === 'number' ? symbol.section : E.sectionIndex[symbol.section], true)
    view.setBigUint64(at + 8, BigInt.asUintN(64, symbol.value), true)
    view.setBigUint64(at + 16, BigInt(symbol.size), true)
  })
  return bytes
}
