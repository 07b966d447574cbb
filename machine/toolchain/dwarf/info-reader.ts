/** `.debug_info` and `.debug_abbrev`, versions 4 and 5: entries with decoded attributes. */
import { AT, FORM, TAG, UT } from './constants.ts'
import { Cursor, DwarfError, stringAt } from './cursor.ts'

export interface InfoSections {
  readonly info: Uint8Array
  readonly abbreviations: Uint8Array
  readonly strings: Uint8Array
  readonly lineStrings: Uint8Array
  readonly stringOffsets: Uint8Array
  readonly addresses: Uint8Array
}

/** An attribute's value: a number (addresses and constants), a string, a block, or an offset in `.debug_info` for references. */
export type Value =
  | { readonly kind: 'number'; readonly value: bigint; readonly address: boolean }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'block'; readonly bytes: Uint8Array }
  | { readonly kind: 'reference'; readonly offset: number }
  | { readonly kind: 'offset'; readonly offset: number }
  /** An index into a table of lists. */
  | { readonly kind: 'index'; readonly index: number }

export interface Entry {
  readonly offset: number
  readonly tag: number
  readonly attributes: ReadonlyMap<number, Value>
  readonly children: Entry[]
  readonly unit: Unit
}

export interface Unit {
  readonly offset: number
  readonly version: number
  readonly addressSize: number
  /** Bases of the unit's tables of strings, addresses and lists (version 5). */
  stringBase: number
  addressBase: number
  locationBase: number
  rangeBase: number
  root?: Entry
}

interface Abbreviation {
  readonly tag: number
  readonly hasChildren: boolean
  readonly attributes: readonly { attribute: number; form: number; constant: bigint }[]
}

const maximumDepth = 256

/** Every unit of the program, and every entry by its offset. */
export function readUnits(sections: InfoSections): { units: Unit[]; entries: Map<number, Entry> } {
  const units: Unit[] = []
  const entries = new Map<number, Entry>()
  const tables = new Map<number, Map<number, Abbreviation>>()
  const cursor = new Cursor(sections.info)
  while (!cursor.done) {
    const offset = cursor.at
    const body = cursor.unit()
    const version = body.u16()
    if (version < 2 || version > 5) throw new DwarfError(`version ${version} is not supported`)
    let type: number = UT.compile
    let addressSize: number
    let abbreviationOffset: number
    if (version === 5) {
      type = body.u8()
      addressSize = body.u8()
      abbreviationOffset = body.u32()
    } else {
      abbreviationOffset = body.u32()
      addressSize = body.u8()
    }
    // Type units and split units do not describe code here.
    if (type !== UT.compile && type !== UT.partial) continue
    let table = tables.get(abbreviationOffset)
    if (!table) {
      table = readAbbreviations(new Cursor(sections.abbreviations, abbreviationOffset))
      tables.set(abbreviationOffset, table)
    }
    const unit: Unit = { offset, version, addressSize, stringBase: 8, addressBase: 8, locationBase: 12, rangeBase: 12 }
    new UnitReader(unit, body, table, sections, entries).read()
    units.push(unit)
  }
  return { units, entries }
}

function readAbbreviations(cursor: Cursor): Map<number, Abbreviation> {
  const table = new Map<number, Abbreviation>()
  for (let code = cursor.uleb(); code !== 0; code = cursor.uleb()) {
    const tag = cursor.uleb()
    const hasChildren = cursor.u8() !== 0
    const attributes: { attribute: number; form: number; constant: bigint }[] = []
    for (;;) {
      const attribute = cursor.uleb()
      const form = cursor.uleb()
      const constant = form === FORM.implicitConst ? cursor.sleb() : 0n
      if (attribute === 0 && form === 0) break
      attributes.push({ attribute, form, constant })
    }
    table.set(code, { tag, hasChildren, attributes })
    if (cursor.done) break
  }
  return table
}

class UnitReader {
  /** Indexed forms wait until the root's bases are known. */
  #pending: (() => void)[] = []

  constructor(
    readonly unit: Unit,
    readonly body: Cursor,
    readonly table: ReadonlyMap<number, Abbreviation>,
    readonly sections: InfoSections,
    readonly entries: Map<number, Entry>,
  ) {}

  read(): void {
    const root = this.#entry(0)
    this.unit.root = root
    const base = (attribute: number, preset: number): number => {
      const value = root?.attributes.get(attribute)
      return value?.kind === 'offset' ? value.offset : preset
    }
    this.unit.stringBase = base(AT.strOffsetsBase, 8)
    this.unit.addressBase = base(AT.addrBase, 8)
    this.unit.locationBase = base(AT.loclistsBase, 12)
    this.unit.rangeBase = base(AT.rnglistsBase, 12)
    for (const resolve of this.#pending) resolve()
  }

  #entry(depth: number): Entry | undefined {
    if (depth > maximumDepth) throw new DwarfError('entries are nested too deeply')
    const { body } = this
    if (body.done) return undefined
    const offset = body.at
    const code = body.uleb()
    if (code === 0) return undefined
    const abbreviation = this.table.get(code)
    if (!abbreviation) throw new DwarfError(`abbreviation ${code} does not exist`)
    const attributes = new Map<number, Value>()
    for (const { attribute, form, constant } of abbreviation.attributes) {
      this.#value(form, constant, (value) => attributes.set(attribute, value))
    }
    const entry: Entry = { offset, tag: abbreviation.tag, attributes, children: [], unit: this.unit }
    this.entries.set(offset, entry)
    if (abbreviation.hasChildren) {
      for (let child = this.#entry(depth + 1); child; child = this.#entry(depth + 1)) entry.children.push(child)
    }
    return entry
  }

  #value(form: number, constant: bigint, set: (value: Value) => void): void {
    const { body } = this
    const number = (value: bigint | number, address = false): void => set({ kind: 'number', value: BigInt(value), address })
    const block = (size: number): void => set({ kind: 'block', bytes: body.raw(size) })
    const reference = (offset: number): void => set({ kind: 'reference', offset: this.unit.offset + offset })
    const text = (value: string): void => set({ kind: 'string', text: value })
    const indexedString = (index: number): void =>
      void this.#pending.push(() =>
        text(stringAt(this.sections.strings, new Cursor(this.sections.stringOffsets, this.unit.stringBase + index * 4).u32())),
      )
    const indexedAddress = (index: number): void =>
      void this.#pending.push(() =>
        number(
          new Cursor(this.sections.addresses, this.unit.addressBase + index * this.unit.addressSize).address(this.unit.addressSize),
          true,
        ),
      )
    const readers: Record<number, () => void> = {
      [FORM.addr]: () => number(body.address(this.unit.addressSize), true),
      [FORM.data1]: () => number(body.u8()),
      [FORM.data2]: () => number(body.u16()),
      [FORM.data4]: () => number(body.u32()),
      [FORM.data8]: () => number(body.u64()),
      [FORM.data16]: () => block(16),
      [FORM.udata]: () => number(body.uleb64()),
      [FORM.sdata]: () => number(body.sleb()),
      [FORM.implicitConst]: () => number(constant),
      [FORM.flag]: () => number(body.u8()),
      [FORM.flagPresent]: () => number(1),
      [FORM.string]: () => text(body.string()),
      [FORM.strp]: () => text(stringAt(this.sections.strings, body.u32())),
      [FORM.lineStrp]: () => text(stringAt(this.sections.lineStrings, body.u32())),
      [FORM.strx]: () => indexedString(body.uleb()),
      [FORM.strx1]: () => indexedString(body.u8()),
      [FORM.strx2]: () => indexedString(body.u16()),
      [FORM.strx3]: () => indexedString(body.u24()),
      [FORM.strx4]: () => indexedString(body.u32()),
      [FORM.addrx]: () => indexedAddress(body.uleb()),
      [FORM.addrx1]: () => indexedAddress(body.u8()),
      [FORM.addrx2]: () => indexedAddress(body.u16()),
      [FORM.addrx3]: () => indexedAddress(body.u24()),
      [FORM.addrx4]: () => indexedAddress(body.u32()),
      [FORM.ref1]: () => reference(body.u8()),
      [FORM.ref2]: () => reference(body.u16()),
      [FORM.ref4]: () => reference(body.u32()),
      [FORM.ref8]: () => reference(Number(body.u64())),
      [FORM.refUdata]: () => reference(body.uleb()),
      [FORM.refAddr]: () => set({ kind: 'reference', offset: body.u32() }),
      [FORM.refSig8]: () => number(body.u64()),
      [FORM.secOffset]: () => set({ kind: 'offset', offset: body.u32() }),
      [FORM.block]: () => block(body.uleb()),
      [FORM.block1]: () => block(body.u8()),
      [FORM.block2]: () => block(body.u16()),
      [FORM.block4]: () => block(body.u32()),
      [FORM.exprloc]: () => block(body.uleb()),
      [FORM.loclistx]: () => set({ kind: 'index', index: body.uleb() }),
      [FORM.rnglistx]: () => set({ kind: 'index', index: body.uleb() }),
    }
    if (form === FORM.indirect) {
      const actual = body.uleb()
      if (actual === FORM.indirect || actual === FORM.implicitConst) throw new DwarfError('an indirect form names itself')
      this.#value(actual, 0n, set)
      return
    }
    const read = readers[form]
    if (!read) throw new DwarfError(`form ${form} is not supported`)
    read()
  }
}

export function textOf(entry: Entry, attribute: number): string | undefined {
  const value = entry.attributes.get(attribute)
  return value?.kind === 'string' ? value.text : undefined
}

export function numberOf(entry: Entry, attribute: number): bigint | undefined {
  const value = entry.attributes.get(attribute)
  if (value?.kind === 'offset') return BigInt(value.offset)
  return value?.kind === 'number' ? value.value : undefined
}

/** True for tags that wrap code inside a function. */
export function isScope(tag: number): boolean {
  return tag === TAG.lexicalBlock || tag === TAG.inlinedSubroutine
}
