/**
 * Reads ELF64 files for RISC-V. Every number of the file is checked before it is used: whatever the bytes are, the result is a file
 * or one `ElfError`.
 */
import {
  fileType,
  headerSize,
  machineRiscv,
  programHeaderSize,
  sectionHeaderSize,
  sectionIndex,
  sectionType,
  segmentType,
  symbolBindings,
  symbolSize,
  symbolTypes,
} from './format.ts'

/** What is wrong with a file, in one sentence. */
export class ElfError extends Error {
  constructor(message: string) {
    super(`bad ELF file: ${message}`)
    this.name = 'ElfError'
  }
}

/** A loadable segment. Addresses are unsigned 64-bit. */
export interface ElfSegment {
  readonly vaddr: bigint
  readonly paddr: bigint
  /** A view into the file; the rest of `memorySize` is zeros. */
  readonly fileBytes: Uint8Array
  readonly memorySize: number
  readonly flags: { readonly read: boolean; readonly write: boolean; readonly execute: boolean }
}

export interface ElfSection {
  readonly index: number
  readonly name: string
  /** `sh_type`. */
  readonly type: number
  readonly flags: { readonly alloc: boolean; readonly write: boolean; readonly execute: boolean }
  readonly address: bigint
  /** Size in memory; `bytes` is empty for a section without contents. */
  readonly size: number
  readonly bytes: Uint8Array
  readonly alignment: number
  readonly link: number
  readonly info: number
  readonly entrySize: number
}

export interface ElfSymbol {
  readonly name: string
  readonly value: bigint
  readonly size: number
  readonly binding: 'local' | 'global' | 'weak'
  readonly type: 'none' | 'object' | 'function' | 'section' | 'file'
  /** `undefined`, `*ABS*`, `*COM*` or a section's index. */
  readonly section: undefined | '*ABS*' | '*COM*' | number
}

export interface ElfFile {
  readonly machine: number
  readonly class: 64
  readonly type: 'relocatable' | 'executable' | 'shared'
  readonly entry: bigint
  /** `e_flags`. */
  readonly flags: number
  readonly segments: readonly ElfSegment[]
  /** By index; the first is the null section. */
  readonly sections: readonly ElfSection[]
  /** In file order, without the null symbol; relocation index n is `symbols[n - 1]`. */
  readonly symbols: readonly ElfSymbol[]
}

/** Anything larger is damage or an attack, not a program for these boards. */
const maximumMemory = 2 ** 40

const decoder = new TextDecoder('utf-8')

/** True when the bytes start like an ELF file. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46
}

/** Checked little-endian access. */
class FileView {
  readonly #view: DataView

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u16(offset: number): number {
    return this.#view.getUint16(offset, true)
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, true)
  }

  u64(offset: number): bigint {
    return this.#view.getBigUint64(offset, true)
  }

  /** A 64-bit number that must be small enough to be a size or an offset. */
  size(offset: number, what: string): number {
    const value = this.u64(offset)
    if (value > BigInt(maximumMemory)) throw new ElfError(`${what} is ${value}, which is impossibly large`)
    return Number(value)
  }

  slice(offset: number, size: number, what: string): Uint8Array {
    if (offset + size > this.bytes.length) throw new ElfError(`${what} lies beyond the end of the file (is it truncated?)`)
    return this.bytes.subarray(offset, offset + size)
  }
}

/**
 * Reads an ELF64 file.
 * @throws ElfError when the file is not ELF64 for little-endian RISC-V, is truncated or contradicts itself.
 */
export function readElf(bytes: Uint8Array): ElfFile {
  if (!isElf(bytes)) throw new ElfError('it does not start with the ELF magic')
  if (bytes.length < headerSize) throw new ElfError('the header is truncated')
  if (bytes[4] !== 2) throw new ElfError('it is not a 64-bit file')
  if (bytes[5] !== 1) throw new ElfError('it is not little-endian')
  const view = new FileView(bytes)
  const machine = view.u16(18)
  if (machine !== machineRiscv) throw new ElfError(`it is for machine ${machine}, not for RISC-V (${machineRiscv})`)
  const type = (Object.keys(fileType) as (keyof typeof fileType)[]).find((name) => fileType[name] === view.u16(16))
  if (!type) throw new ElfError(`file type ${view.u16(16)} is not supported`)
  const sections = readSections(view)
  return {
    machine,
    class: 64,
    type,
    entry: view.u64(24),
    flags: view.u32(48),
    segments: readSegments(view),
    sections,
    symbols: readSymbols(sections),
  }
}

function readSegments(view: FileView): ElfSegment[] {
  const count = view.u16(56)
  if (count === 0) return []
  if (view.u16(54) !== programHeaderSize) throw new ElfError('program headers have an unknown size')
  const table = view.size(32, 'the program header offset')
  view.slice(table, count * programHeaderSize, 'the program header table')
  const segments: ElfSegment[] = []
  for (let index = 0; index < count; index++) {
    const at = table + index * programHeaderSize
    if (view.u32(at) !== segmentType.load) continue
    const fileSize = view.size(at + 32, `segment ${index}'s file size`)
    const memorySize = view.size(at + 40, `segment ${index}'s memory size`)
    if (fileSize > memorySize) throw new ElfError(`segment ${index} is larger in the file than in memory`)
    const flags = view.u32(at + 4)
    segments.push({
      vaddr: view.u64(at + 16),
      paddr: view.u64(at + 24),
      fileBytes: view.slice(view.size(at + 8, `segment ${index}'s offset`), fileSize, `segment ${index}`),
      memorySize,
      flags: { read: (flags & 4) !== 0, write: (flags & 2) !== 0, execute: (flags & 1) !== 0 },
    })
  }
  return segments
}

function readSections(view: FileView): ElfSection[] {
  const table = view.size(40, 'the section header offset')
  if (table === 0) return []
  if (view.u16(58) !== sectionHeaderSize) throw new ElfError('section headers have an unknown size')
  view.slice(table, sectionHeaderSize, 'the section header table')
  // More than 0xff00 sections: the numbers that do not fit in the header stand in the null section.
  const count = view.u16(60) || view.size(table + 32, 'the number of sections')
  view.slice(table, count * sectionHeaderSize, 'the section header table')
  const namesIndex = view.u16(62) === sectionIndex.extended ? view.u32(table + 40) : view.u16(62)
  const raw = Array.from({ length: count }, (_, index) => readSectionHeader(view, table + index * sectionHeaderSize, index))
  if (count > 0 && namesIndex >= count) throw new ElfError(`the section of section names (${namesIndex}) does not exist`)
  const names = raw[namesIndex]?.bytes ?? new Uint8Array()
  return raw.map(({ nameOffset, ...section }) => ({
    ...section,
    name: namesIndex === 0 ? '' : readString(names, nameOffset, 'a section name'),
  }))
}

function readSectionHeader(view: FileView, at: number, index: number): Omit<ElfSection, 'name'> & { nameOffset: number } {
  const type = view.u32(at + 4)
  const flags = view.u64(at + 8)
  const size = index === 0 ? 0 : view.size(at + 32, `section ${index}'s size`)
  const alignment = view.size(at + 48, `section ${index}'s alignment`)
  if (alignment > 2 ** 32 || (alignment > 1 && (BigInt(alignment) & BigInt(alignment - 1)) !== 0n)) {
    throw new ElfError(`section ${index}'s alignment ${alignment} is not a power of two`)
  }
  const hasBytes = type !== sectionType.nobits && type !== sectionType.null
  return {
    index,
    nameOffset: view.u32(at),
    type,
    flags: { write: (flags & 1n) !== 0n, alloc: (flags & 2n) !== 0n, execute: (flags & 4n) !== 0n },
    address: view.u64(at + 16),
    size,
    bytes: hasBytes ? view.slice(view.size(at + 24, `section ${index}'s offset`), size, `section ${index}`) : new Uint8Array(),
    alignment: Math.max(1, alignment),
    link: view.u32(at + 40),
    info: view.u32(at + 44),
    entrySize: view.size(at + 56, `section ${index}'s entry size`),
  }
}

function readString(table: Uint8Array, offset: number, what: string): string {
  if (offset === 0 && table.length === 0) return ''
  const end = offset < table.length ? table.indexOf(0, offset) : -1
  if (end < 0) throw new ElfError(`${what} lies outside its string table`)
  return decoder.decode(table.subarray(offset, end))
}

function readSymbols(sections: readonly ElfSection[]): ElfSymbol[] {
  const table = sections.find((section) => section.type === sectionType.symtab)
  if (!table) return []
  const strings = sections[table.link]
  if (!strings || strings.type !== sectionType.strtab) throw new ElfError('the symbol table names no string table')
  if (table.size % symbolSize !== 0) throw new ElfError('the symbol table has a fraction of a symbol')
  const view = new FileView(table.bytes)
  const symbols: ElfSymbol[] = []
  for (let at = symbolSize; at < table.size; at += symbolSize) {
    const index = at / symbolSize
    const info = table.bytes[at + 4]
    const shndx = view.u16(at + 6)
    const binding = symbolBindings[info >> 4]
    if (!binding) throw new ElfError(`symbol ${index} has the unknown binding ${info >> 4}`)
    symbols.push({
      name: readString(strings.bytes, view.u32(at), `symbol ${index}'s name`),
      value: view.u64(at + 8),
      size: view.size(at + 16, `symbol ${index}'s size`),
      binding,
      // Thread-local and vendor types tell us nothing that we use.
      type: symbolTypes[info & 15] ?? 'none',
      section: symbolSection(shndx, sections.length, index),
    })
  }
  return symbols
}

function symbolSection(shndx: number, count: number, index: number): ElfSymbol['section'] {
  if (shndx === sectionIndex.undefined) return undefined
  if (shndx === sectionIndex.absolute) return '*ABS*'
  if (shndx === sectionIndex.common) return '*COM*'
  if (shndx >= count) throw new ElfError(`symbol ${index} is in section ${shndx}, which does not exist`)
  return shndx
}
