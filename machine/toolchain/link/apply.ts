/** Computes and applies relocations once everything has its address. */
import type { Diagnostic } from '../diagnostic.ts'
import { encodeNamed } from '../../isa/codec.ts'
import type { ObjectFile, ObjectSymbol, Relocation } from '../object.ts'
import { linkDiagnostic } from './diagnostics.ts'
import type { InputSection } from './place.ts'
import { applyRelocation, pcRelative } from './relocation.ts'
import type { Definition } from './symbols.ts'

/** Answers what a name means in an object. */
export class AddressBook {
  readonly #locals = new Map<ObjectFile, Map<string, ObjectSymbol>>()
  readonly #sections = new Map<ObjectFile, Map<string, InputSection>>()

  constructor(
    inputs: readonly InputSection[],
    readonly definitions: ReadonlyMap<string, Definition>,
    /** The layout's own symbols. */
    readonly provided: ReadonlyMap<string, bigint>,
  ) {
    for (const input of inputs) {
      const sections = this.#sections.get(input.object) ?? new Map<string, InputSection>()
      sections.set(input.section.name, input)
      this.#sections.set(input.object, sections)
    }
  }

  #local(object: ObjectFile, name: string): ObjectSymbol | undefined {
    let table = this.#locals.get(object)
    if (!table) {
      table = new Map(object.symbols.map((symbol) => [symbol.name, symbol]))
      this.#locals.set(object, table)
    }
    return table.get(name)
  }

  /** The address of a symbol as `object` sees it; undefined when nothing defines it. */
  resolve(object: ObjectFile, name: string): { address: bigint; weak: boolean } | undefined {
    if (name === '*ABS*') return { address: 0n, weak: false }
    const own = this.#local(object, name)
    if (own?.binding === 'local') return this.#addressOf(object, own)
    const definition = this.definitions.get(name)
    if (definition) return this.#addressOf(definition.object, definition.symbol)
    const provided = this.provided.get(name)
    if (provided !== undefined) return { address: provided, weak: false }
    return own?.binding === 'weak' ? { address: 0n, weak: true } : undefined
  }

  #addressOf(object: ObjectFile, symbol: ObjectSymbol): { address: bigint; weak: boolean } | undefined {
    if (symbol.section === '*ABS*') return { address: BigInt(symbol.value), weak: false }
    const input = symbol.section === undefined ? undefined : this.section(object, symbol.section)
    // A dropped section: only debug information still refers to it, and debuggers expect 0.
    return { address: input ? input.address + BigInt(symbol.value) : 0n, weak: false }
  }

  section(object: ObjectFile, name: string): InputSection | undefined {
    return this.#sections.get(object)?.get(name)
  }
}

interface Context {
  readonly book: AddressBook
  readonly diagnostics: Diagnostic[]
  /** Address of the GOT slot of a symbol. */
  readonly slots: ReadonlyMap<string, bigint>
}

interface HighPart {
  readonly value: bigint
  /** The instruction was rewritten to load an absolute address. */
  readonly absolute: boolean
}

/** By offset; undefined where the symbol is, which has been reported once. */
type HighParts = Map<number, HighPart | undefined>

/** The key of a symbol in the global offset table: local names belong to their object. */
export function slotKey(object: ObjectFile, relocation: Relocation): string {
  const local = object.symbols.some((symbol) => symbol.name === relocation.symbol && symbol.binding === 'local')
  return local ? `${object.name}\0${relocation.symbol}` : relocation.symbol
}

/** The section's bytes with its relocations applied. */
export function relocateSection(input: InputSection, context: Context): Uint8Array {
  const bytes = Uint8Array.from(input.section.bytes)
  const highs: HighParts = new Map()
  const lows: Relocation[] = []
  for (const relocation of input.section.relocations) {
    if (relocation.type === 'R_RISCV_PCREL_LO12_I' || relocation.type === 'R_RISCV_PCREL_LO12_S') lows.push(relocation)
    else relocateOne(input, relocation, bytes, highs, context)
  }
  for (const relocation of lows) relocateLow(input, relocation, bytes, highs, context)
  return bytes
}

function complain(input: InputSection, relocation: Relocation, code: string, message: string, context: Context, hint?: string): void {
  context.diagnostics.push(linkDiagnostic(input.object, code, message, { section: input.section.name, offset: relocation.offset }, hint))
}

/** What the user calls a symbol: assembler labels such as `.L1` have no name. */
function describe(relocation: Relocation): string {
  return relocation.symbol.startsWith('.L') ? 'a local label' : relocation.symbol
}

function relocateOne(input: InputSection, relocation: Relocation, bytes: Uint8Array, highs: HighParts, context: Context): void {
  const { object } = input
  const target = context.book.resolve(object, relocation.symbol)
  if (!target) {
    complain(input, relocation, 'link/undefined-symbol', `${relocation.symbol} is not defined`, context)
    highs.set(relocation.offset, undefined)
    return
  }
  let value = target.address + BigInt(relocation.addend)
  if (relocation.type === 'R_RISCV_GOT_HI20') value = context.slots.get(slotKey(object, relocation))! + BigInt(relocation.addend)
  const place = input.address + BigInt(relocation.offset)
  let absolute = false
  if (pcRelative.has(relocation.type)) {
    absolute = target.weak && makeAbsolute(bytes, relocation)
    if (!absolute) value = BigInt.asIntN(64, value - place)
  } else {
    value = BigInt.asIntN(64, value)
  }
  if (relocation.type === 'R_RISCV_PCREL_HI20' || relocation.type === 'R_RISCV_GOT_HI20') highs.set(relocation.offset, { value, absolute })
  const type = absolute && relocation.type === 'R_RISCV_PCREL_HI20' ? 'R_RISCV_HI20' : relocation.type
  const problem = applyRelocation(bytes, relocation.offset, type, value)
  if (problem) {
    const hint = relocation.type === 'R_RISCV_JAL' ? 'use call or tail, which reach ±2 GiB' : undefined
    complain(
      input,
      relocation,
      'link/relocation-overflow',
      `${describe(relocation)} is out of reach (${relocation.type}): ${problem}`,
      context,
      hint,
    )
  }
}

const auipcBit = encodeNamed('auipc', { rd: 0, imm: 0 }) ^ encodeNamed('lui', { rd: 0, imm: 0 })

/** A weak symbol that nothing defines is at address 0, which may be out of a pc-relative reach: `auipc` becomes `lui`. */
function makeAbsolute(bytes: Uint8Array, relocation: Relocation): boolean {
  if (relocation.type !== 'R_RISCV_PCREL_HI20' && relocation.type !== 'R_RISCV_CALL_PLT') return false
  bytes[relocation.offset] ^= auipcBit
  return true
}

/** A low part names the label of its `auipc`; its value is that of the high part there. */
function relocateLow(input: InputSection, relocation: Relocation, bytes: Uint8Array, highs: HighParts, context: Context): void {
  const label = context.book.resolve(input.object, relocation.symbol)
  const at = label && Number(label.address - input.address)
  const high = at === undefined ? undefined : highs.get(at)
  if (!high) {
    if (at !== undefined && highs.has(at)) return
    complain(
      input,
      relocation,
      'link/missing-high-part',
      `%pcrel_lo(${relocation.symbol}) does not point at an instruction with %pcrel_hi`,
      context,
    )
    return
  }
  const problem = applyRelocation(bytes, relocation.offset, relocation.type, high.value)
  if (problem) complain(input, relocation, 'link/relocation-overflow', problem, context)
}
