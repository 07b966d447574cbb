/** Gathers input sections into the layout's output sections and gives everything an address. */
import type { Diagnostic } from '../diagnostic.ts'
import type { ObjectFile, Section } from '../object.ts'
import { linkDiagnostic } from './diagnostics.ts'
import type { Layout, LayoutSection, Region } from './layout.ts'

/** One section of one object. */
export interface InputSection {
  readonly object: ObjectFile
  readonly section: Section
  /** Set when placed. */
  address: bigint
  output?: PlacedSection
}

export interface PlacedSection {
  readonly name: string
  /** Undefined for sections without addresses, such as debug information. */
  readonly spec?: LayoutSection
  readonly inputs: InputSection[]
  readonly kind: 'progbits' | 'nobits'
  readonly flags: Section['flags']
  readonly alignment: number
  address: bigint
  /** Physical address of the contents. */
  load: bigint
  size: number
}

/** The name that patterns see: readers add `#n` to tell sections of one name apart. */
export function plainName(section: Section): string {
  return section.name.replace(/#\d+$/, '')
}

const matchers = new Map<string, RegExp>()

/** The regular expression of a pattern, made once. */
function matcher(pattern: string): RegExp {
  let expression = matchers.get(pattern)
  if (!expression) {
    const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    expression = new RegExp(`^${parts.join('.*')}$`)
    matchers.set(pattern, expression)
  }
  return expression
}

/** The layout section that takes an input section, with the rank of the pattern that matched. */
export function findPlace(layout: Layout, section: Section): { spec: LayoutSection; rank: number } | undefined {
  const name = plainName(section)
  for (const spec of layout.sections) {
    const rank = (spec.inputs ?? []).findIndex((pattern) => pattern === name || (pattern.includes('*') && matcher(pattern).test(name)))
    if (rank >= 0) return { spec, rank }
  }
  return undefined
}

function alignUp(value: bigint, alignment: number): bigint {
  const step = BigInt(alignment)
  return ((value + step - 1n) / step) * step
}

/** Regions while they are being filled. */
class Cursor {
  next: bigint
  reported = false

  constructor(readonly region: Region) {
    this.next = region.origin
  }

  physical(address: bigint): bigint {
    return address - this.region.origin + (this.region.load ?? this.region.origin)
  }
}

/** Places `inputs`; problems are added to `diagnostics`. */
export function placeSections(inputs: readonly InputSection[], layout: Layout, diagnostics: Diagnostic[]): PlacedSection[] {
  const cursors = new Map(layout.regions.map((region) => [region.name, new Cursor(region)]))
  const claimed = new Map<LayoutSection, { input: InputSection; rank: number }[]>()
  const orphans: InputSection[] = []
  for (const input of inputs) {
    const place = input.section.flags.alloc ? findPlace(layout, input.section) : undefined
    if (!place) {
      orphans.push(input)
      continue
    }
    const members = claimed.get(place.spec) ?? []
    members.push({ input, rank: place.rank })
    claimed.set(place.spec, members)
  }
  const placed: PlacedSection[] = []
  const place = (spec: LayoutSection, members: InputSection[]): void => {
    const cursor = cursors.get(spec.region)
    if (!cursor) throw new Error(`layout ${layout.name}: section ${spec.name} names unknown region ${spec.region}`)
    placed.push(placeOne(spec, members, cursor, cursors, diagnostics))
  }
  for (const spec of layout.sections) {
    const members = (claimed.get(spec) ?? []).sort((a, b) => a.rank - b.rank).map(({ input }) => input)
    place(spec, members)
    for (const orphan of takeOrphans(orphans, spec, layout, placed)) place(orphan.spec, orphan.members)
  }
  return [...placed, ...gatherUnallocated(orphans)]
}

/** After the last layout section: allocated sections that no pattern takes, each as its own output section. */
function takeOrphans(
  orphans: InputSection[],
  after: LayoutSection,
  layout: Layout,
  placed: readonly PlacedSection[],
): { spec: LayoutSection; members: InputSection[] }[] {
  if (after !== layout.sections.findLast((spec) => spec.size === undefined)) return []
  void placed
  const byName = new Map<string, InputSection[]>()
  for (const input of orphans) {
    if (!input.section.flags.alloc || input.section.size === 0) continue
    const name = plainName(input.section)
    byName.set(name, [...(byName.get(name) ?? []), input])
  }
  const ordered = [...byName].sort(([, a], [, b]) => Number(a[0].section.kind === 'nobits') - Number(b[0].section.kind === 'nobits'))
  return ordered.map(([name, members]) => ({ spec: { name, region: after.region }, members }))
}

function placeOne(
  spec: LayoutSection,
  members: InputSection[],
  cursor: Cursor,
  cursors: ReadonlyMap<string, Cursor>,
  diagnostics: Diagnostic[],
): PlacedSection {
  const alignment = Math.max(spec.alignment ?? 1, ...members.map(({ section }) => section.alignment))
  let address = alignUp(cursor.next, alignment)
  if (spec.address !== undefined) {
    if (spec.address < cursor.next) {
      diagnostics.push(
        linkDiagnostic(
          members[0]?.object,
          'link/overlap',
          `section ${spec.name} at 0x${spec.address.toString(16)} overlaps the section before it`,
        ),
      )
    }
    address = spec.address
  }
  const output: PlacedSection = {
    name: spec.name,
    spec,
    inputs: members,
    kind: members.every(({ section }) => section.kind === 'nobits') ? 'nobits' : 'progbits',
    flags: {
      alloc: true,
      write: members.length === 0 || members.some(({ section }) => section.flags.write),
      execute: members.some(({ section }) => section.flags.execute),
    },
    alignment,
    address,
    load: cursor.physical(address),
    size: 0,
  }
  let next = address
  for (const input of members) {
    next = alignUp(next, input.section.alignment)
    input.address = next
    input.output = output
    next += BigInt(input.section.size)
    checkRegion(cursor, next, input, spec, diagnostics)
  }
  if (next - address < BigInt(spec.size ?? 0)) next = address + BigInt(spec.size!)
  checkRegion(cursor, next, members.at(-1), spec, diagnostics)
  output.size = Number(next - address)
  cursor.next = next
  if (spec.loadRegion !== undefined && output.kind === 'progbits') {
    const source = cursors.get(spec.loadRegion)
    if (!source) throw new Error(`section ${spec.name} names unknown region ${spec.loadRegion}`)
    const start = alignUp(source.next, alignment)
    output.load = source.physical(start)
    source.next = start + BigInt(output.size)
    checkRegion(source, source.next, members.at(-1), spec, diagnostics)
  }
  return output
}

function checkRegion(cursor: Cursor, end: bigint, input: InputSection | undefined, spec: LayoutSection, diagnostics: Diagnostic[]): void {
  const { region } = cursor
  const excess = end - region.origin - region.length
  if (excess <= 0n || cursor.reported) return
  cursor.reported = true
  const what = input ? `${plainName(input.section)} does not fit` : `${spec.name} does not fit`
  const message = `${what} in region ${region.name} (${region.length} bytes): ${excess} bytes too many so far`
  diagnostics.push(
    linkDiagnostic(
      input?.object,
      'link/region-overflow',
      message,
      undefined,
      `make the program smaller, or give region ${region.name} more memory in layout`,
    ),
  )
}

/** Debug information and comments: joined by name, at address 0. */
function gatherUnallocated(orphans: readonly InputSection[]): PlacedSection[] {
  const byName = new Map<string, PlacedSection>()
  for (const input of orphans) {
    const { section } = input
    if (section.flags.alloc) continue
    const name = plainName(section)
    let output = byName.get(name)
    if (!output) {
      output = { name, inputs: [], kind: 'progbits', flags: section.flags, alignment: section.alignment, address: 0n, load: 0n, size: 0 }
      byName.set(name, output)
    }
    const start = alignUp(BigInt(output.size), section.alignment)
    input.address = start
    input.output = output
    output.inputs.push(input)
    output.size = Number(start) + section.size
  }
  return [...byName.values()]
}

/** Adds bytes at the front of a section without addresses, moving what is there. */
export function prependUnallocated(placed: PlacedSection[], name: string, bytes: Uint8Array): void {
  const section: Section = {
    name,
    kind: 'progbits',
    flags: { alloc: false, write: false, execute: false },
    alignment: 1,
    size: bytes.length,
    bytes,
    relocations: [],
  }
  const object: ObjectFile = { name: '', sections: [section], symbols: [], lines: [] }
  let output = placed.find((candidate) => !candidate.flags.alloc && candidate.name === name)
  if (!output) {
    output = { name, inputs: [], kind: 'progbits', flags: section.flags, alignment: 1, address: 0n, load: 0n, size: 0 }
    placed.push(output)
  }
  const shift = alignUp(BigInt(bytes.length), output.alignment)
  for (const input of output.inputs) input.address += shift
  output.inputs.unshift({ object, section, address: 0n, output })
  output.size += Number(shift)
}
