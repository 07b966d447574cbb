import type {
  DebugFrame,
  DebugFunction,
  DebugType,
  DebugVariable,
  LineRow,
  ObjectFile,
  ObjectSymbol,
  Relocation,
  RelocationType,
} from '../object.ts'

/** A section while it is being filled. */
export class SectionBuilder {
  private buffer = new Uint8Array(256)
  length = 0
  alignment = 1
  readonly relocations: Relocation[] = []

  constructor(
    readonly name: string,
    readonly flags: { alloc: boolean; write: boolean; execute: boolean },
    readonly kind: 'progbits' | 'nobits' = 'progbits',
  ) {}

  align(alignment: number): number {
    this.alignment = Math.max(this.alignment, alignment)
    this.length = Math.ceil(this.length / alignment) * alignment
    if (this.kind === 'progbits') this.reserve(0)
    return this.length
  }

  /** Appends bytes; gives their offset. */
  append(bytes: Uint8Array): number {
    const at = this.length
    this.reserve(bytes.length)
    this.buffer.set(bytes, at)
    this.length += bytes.length
    return at
  }

  /** Appends zeros; gives their offset. */
  space(size: number): number {
    const at = this.length
    if (this.kind === 'progbits') this.reserve(size)
    this.length += size
    return at
  }

  u32(value: number): number {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, value >>> 0, true)
    return this.append(bytes)
  }

  u64(value: bigint): number {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true)
    return this.append(bytes)
  }

  /** Appends a 64-bit address. */
  address(symbol: string, addend = 0): number {
    const at = this.u64(0n)
    this.relocate(at, 'R_RISCV_64', symbol, addend)
    return at
  }

  relocate(offset: number, type: RelocationType, symbol: string, addend = 0): void {
    this.relocations.push({ offset, type, symbol, addend })
  }

  get view(): DataView {
    return new DataView(this.buffer.buffer)
  }

  get bytes(): Uint8Array {
    return this.kind === 'nobits' ? new Uint8Array(0) : this.buffer.subarray(0, this.length)
  }

  private reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.buffer.length) return
    const bigger = new Uint8Array(Math.max(needed, this.buffer.length * 2))
    bigger.set(this.buffer)
    this.buffer = bigger
  }
}

/** An object file while it is being filled. */
export class ObjectBuilder {
  private readonly sections = new Map<string, SectionBuilder>()
  private readonly symbols = new Map<string, ObjectSymbol>()
  readonly lines: LineRow[] = []
  readonly functions: DebugFunction[] = []
  readonly variables: DebugVariable[] = []
  readonly frames: DebugFrame[] = []
  private readonly types: DebugType[] = []
  private readonly typeNumbers = new Map<string, number>()

  constructor(
    readonly name: string,
    readonly language: 'c' | 'typescript' = 'typescript',
  ) {}

  section(
    name: string,
    flags: Partial<{ write: boolean; execute: boolean; alloc: boolean }> = {},
    kind: 'progbits' | 'nobits' = 'progbits',
  ): SectionBuilder {
    let section = this.sections.get(name)
    if (!section) {
      section = new SectionBuilder(name, { alloc: flags.alloc ?? true, write: flags.write ?? false, execute: flags.execute ?? false }, kind)
      this.sections.set(name, section)
    }
    return section
  }

  define(symbol: Partial<ObjectSymbol> & { name: string; section: string; value: number }): void {
    this.symbols.set(symbol.name, { binding: 'global', type: 'none', size: 0, ...symbol })
  }

  /** The number of a type; equal ones are one. */
  type(type: DebugType): number {
    const key = JSON.stringify(type)
    let number = this.typeNumbers.get(key)
    if (number === undefined) this.typeNumbers.set(key, (number = this.types.push(type) - 1))
    return number
  }

  /** A type that may refer to itself: `describe` is given its number. */
  selfType(describe: (number: number) => DebugType): number {
    const number = this.types.push({ kind: 'pointer', size: 0 }) - 1
    this.types[number] = describe(number)
    return number
  }

  /** Everything that relocations mention and nothing defines becomes an undefined symbol. */
  finish(): ObjectFile {
    for (const section of this.sections.values()) {
      for (const { symbol } of section.relocations) {
        if (this.symbols.has(symbol)) continue
        this.symbols.set(symbol, { name: symbol, binding: 'global', type: 'none', section: undefined, value: 0, size: 0 })
      }
    }
    return {
      name: this.name,
      sections: [...this.sections.values()].map((section) => ({
        name: section.name,
        kind: section.kind,
        flags: section.flags,
        alignment: section.alignment,
        size: section.length,
        bytes: section.bytes.slice(),
        relocations: section.relocations,
      })),
      symbols: [...this.symbols.values()],
      lines: this.lines,
      debug: this.functions.length
        ? {
            language: this.language,
            file: this.functions[0].file,
            types: this.types,
            functions: this.functions,
            variables: this.variables,
            frames: this.frames,
          }
        : undefined,
    }
  }
}
