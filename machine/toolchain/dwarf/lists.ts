/** Range lists and location lists, versions 4 and 5 (DWARF 5, 2.17.3 and 2.6.2; 7.28, 7.29). */
import { LLE, RLE } from './constants.ts'
import { Cursor, DwarfError } from './cursor.ts'
import type { Unit, Value } from './info-reader.ts'

export interface ListSections {
  readonly ranges: Uint8Array
  readonly rangeLists: Uint8Array
  readonly locations: Uint8Array
  readonly locationLists: Uint8Array
  readonly addresses: Uint8Array
}

export interface AddressRange {
  readonly start: bigint
  /** One past the last. */
  readonly end: bigint
}

export interface LocationRange extends AddressRange {
  readonly expression: Uint8Array
}

function indexedAddress(sections: ListSections, unit: Unit, index: number): bigint {
  return new Cursor(sections.addresses, unit.addressBase + index * unit.addressSize).address(unit.addressSize)
}

/** Where a list starts: an offset, or an entry of the table of offsets at the unit's base. */
function listStart(value: Value, section: Uint8Array, base: number): number | undefined {
  if (value.kind === 'offset') return value.offset
  if (value.kind === 'number') return Number(value.value)
  if (value.kind === 'index') return base + new Cursor(section, base + value.index * 4).u32()
  return undefined
}

/** The ranges of a DW_AT_ranges attribute. */
export function readRanges(value: Value, unit: Unit, unitBase: bigint, sections: ListSections): AddressRange[] {
  const section = unit.version === 5 ? sections.rangeLists : sections.ranges
  const start = listStart(value, section, unit.rangeBase)
  if (start === undefined) return []
  const cursor = new Cursor(section, start)
  return unit.version === 5
    ? readRangeList5(cursor, unit, unitBase, sections)
    : readPairs(cursor, unit, unitBase).map(({ start: from, end }) => ({ start: from, end }))
}

/** Version 4: pairs of offsets from the base; a pair of zeros ends; an all-ones start sets the base. */
function readPairs(cursor: Cursor, unit: Unit, unitBase: bigint, withExpression = false): LocationRange[] {
  const ranges: LocationRange[] = []
  const all = (1n << BigInt(8 * unit.addressSize)) - 1n
  let base = unitBase
  for (;;) {
    const start = cursor.address(unit.addressSize)
    const end = cursor.address(unit.addressSize)
    if (start === 0n && end === 0n) return ranges
    if (start === all) base = end
    else ranges.push({ start: base + start, end: base + end, expression: withExpression ? cursor.raw(cursor.u16()) : new Uint8Array() })
  }
}

function readRangeList5(cursor: Cursor, unit: Unit, unitBase: bigint, sections: ListSections): AddressRange[] {
  const ranges: AddressRange[] = []
  const indexed = (): bigint => indexedAddress(sections, unit, cursor.uleb())
  let base = unitBase
  for (;;) {
    const kind = cursor.u8()
    if (kind === RLE.endOfList) return ranges
    if (kind === RLE.baseAddressx) base = indexed()
    else if (kind === RLE.baseAddress) base = cursor.address(unit.addressSize)
    else ranges.push(readBounds(kind, cursor, unit, base, indexed))
  }
}

/** Entry kinds 2, 3 and 4 are the same in both lists; start and length forms are given by RLE numbers. */
function readBounds(kind: number, cursor: Cursor, unit: Unit, base: bigint, indexed: () => bigint): AddressRange {
  switch (kind) {
    case RLE.startxEndx:
      return { start: indexed(), end: indexed() }
    case RLE.startxLength: {
      const start = indexed()
      return { start, end: start + cursor.uleb64() }
    }
    case RLE.offsetPair:
      return { start: base + cursor.uleb64(), end: base + cursor.uleb64() }
    case RLE.startEnd:
      return { start: cursor.address(unit.addressSize), end: cursor.address(unit.addressSize) }
    case RLE.startLength: {
      const start = cursor.address(unit.addressSize)
      return { start, end: start + cursor.uleb64() }
    }
    default:
      throw new DwarfError(`list entry ${kind} is not supported`)
  }
}

/** The pieces of a location list. */
export function readLocations(value: Value, unit: Unit, unitBase: bigint, sections: ListSections): LocationRange[] {
  const section = unit.version === 5 ? sections.locationLists : sections.locations
  const start = listStart(value, section, unit.locationBase)
  if (start === undefined) return []
  const cursor = new Cursor(section, start)
  if (unit.version < 5) return readPairs(cursor, unit, unitBase, true)
  const ranges: LocationRange[] = []
  const indexed = (): bigint => indexedAddress(sections, unit, cursor.uleb())
  let base = unitBase
  for (;;) {
    const kind = cursor.u8()
    if (kind === LLE.endOfList) return ranges
    if (kind === LLE.baseAddressx) base = indexed()
    else if (kind === LLE.baseAddress) base = cursor.address(unit.addressSize)
    else if (kind === LLE.defaultLocation) ranges.push({ start: 0n, end: 1n << 64n, expression: cursor.raw(cursor.uleb()) })
    else {
      // A location list has one more kind in front of these two.
      const bounds = readBounds(kind >= LLE.startEnd ? kind - 1 : kind, cursor, unit, base, indexed)
      ranges.push({ ...bounds, expression: cursor.raw(cursor.uleb()) })
    }
  }
}
