/** Which sections of the objects go into the program. */
import type { ObjectFile, Section } from '../object.ts'
import type { Layout } from './layout.ts'
import { findPlace } from './place.ts'
import type { GlobalSymbols } from './symbols.ts'

/**
 * All sections, or with `layout.collect` those reachable by relocations from the entry symbol, the sections that the layout keeps,
 * and non-allocated ones (whose own references keep nothing alive).
 */
export function collectSections(globals: GlobalSymbols, layout: Layout): ReadonlySet<Section> {
  const live = new Set<Section>()
  const owners = new Map<Section, ObjectFile>()
  for (const object of globals.objects) {
    for (const section of object.sections) {
      owners.set(section, object)
      const kept = !layout.collect || !section.flags.alloc || section.kind === 'note' || findPlace(layout, section)?.spec.keep
      if (kept) live.add(section)
    }
  }
  if (!layout.collect) return live
  const pending = [...live].filter((section) => section.flags.alloc)
  const visit = (object: ObjectFile, symbolName: string): void => {
    const section = targetSection(globals, object, symbolName)
    if (!section || live.has(section)) return
    live.add(section)
    pending.push(section)
  }
  const start = globals.definitions.get(layout.entry)
  if (start) visit(start.object, layout.entry)
  for (let section = pending.pop(); section; section = pending.pop()) {
    for (const relocation of section.relocations) visit(owners.get(section)!, relocation.symbol)
  }
  return live
}

const localTables = new WeakMap<ObjectFile, Map<string, string | undefined>>()

/** Section names of an object's local symbols. */
function localSections(object: ObjectFile): Map<string, string | undefined> {
  let table = localTables.get(object)
  if (!table) {
    table = new Map(object.symbols.filter((symbol) => symbol.binding === 'local').map((symbol) => [symbol.name, symbol.section]))
    localTables.set(object, table)
  }
  return table
}

const sectionTables = new WeakMap<ObjectFile, Map<string, Section>>()

function sectionTable(object: ObjectFile): Map<string, Section> {
  let table = sectionTables.get(object)
  if (!table) {
    table = new Map(object.sections.map((section) => [section.name, section]))
    sectionTables.set(object, table)
  }
  return table
}

function targetSection(globals: GlobalSymbols, object: ObjectFile, name: string): Section | undefined {
  const locals = localSections(object)
  const definition = locals.has(name) ? { object, section: locals.get(name) } : undefined
  const global = definition ? undefined : globals.definitions.get(name)
  const owner = definition?.object ?? global?.object
  const sectionName = definition?.section ?? global?.symbol.section
  return owner && sectionName !== undefined ? sectionTable(owner).get(sectionName) : undefined
}
