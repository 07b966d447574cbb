/** The global offset table that position-independent objects expect, filled at link time since nothing moves later. */
import type { ObjectFile, Relocation, Section } from '../object.ts'
import { slotKey } from './apply.ts'

/** One `.got` section per object that needs slots. */
export interface OffsetTable {
  readonly objects: readonly ObjectFile[]
  /** Where each symbol's slot is. */
  readonly slots: ReadonlyMap<string, { object: ObjectFile; offset: number }>
}

/** Makes slots for every `R_RISCV_GOT_HI20` of the live sections. */
export function buildOffsetTable(objects: readonly ObjectFile[], live: ReadonlySet<Section>): OffsetTable {
  const slots = new Map<string, { object: ObjectFile; offset: number }>()
  const tables: ObjectFile[] = []
  for (const object of objects) {
    const relocations: Relocation[] = []
    const keys: string[] = []
    for (const section of object.sections) {
      if (!live.has(section)) continue
      for (const relocation of section.relocations) {
        if (relocation.type !== 'R_RISCV_GOT_HI20') continue
        const key = slotKey(object, relocation)
        if (slots.has(key) || keys.includes(key)) continue
        relocations.push({ offset: keys.length * 8, type: 'R_RISCV_64', symbol: relocation.symbol, addend: 0 })
        keys.push(key)
      }
    }
    if (keys.length === 0) continue
    const size = keys.length * 8
    const section: Section = {
      name: '.got',
      kind: 'progbits',
      flags: { alloc: true, write: true, execute: false },
      alignment: 8,
      size,
      bytes: new Uint8Array(size),
      relocations,
    }
    // The symbols come along, so that local names mean the same in the table.
    const table: ObjectFile = { name: object.name, sections: [...object.sections, section], symbols: object.symbols, lines: [] }
    keys.forEach((key, index) => slots.set(key, { object: table, offset: index * 8 }))
    tables.push(table)
  }
  return { objects: tables, slots }
}
