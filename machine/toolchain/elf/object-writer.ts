/** Writes an object as an ELF `.o` that GNU's linker and tools accept. */
import type { ObjectFile, ObjectSymbol } from '../object.ts'
import { headerFlags, relaSize, relocationNumbers, sectionType } from './format.ts'
import { writeElf, type OutputSection, type OutputSymbol } from './writer.ts'

/** ELF bytes of a relocatable object. Line rows and debug information are not part of it. */
export function writeObject(object: ObjectFile): Uint8Array {
  const indices = new Map(object.sections.map((section, index) => [section.name, index + 1]))
  const referencedAbsolute = object.sections.some((section) => section.relocations.some((relocation) => relocation.symbol === '*ABS*'))
  const symbols = [...object.symbols].sort((a, b) => Number(a.binding !== 'local') - Number(b.binding !== 'local'))
  const output: OutputSymbol[] = symbols.map((symbol) => toOutput(symbol, indices))
  // A relocation against a plain number refers to the null symbol.
  const symbolIndices = new Map(symbols.map((symbol, index) => [symbol.name, index + 1]))
  if (referencedAbsolute) symbolIndices.set('*ABS*', 0)
  const sections: OutputSection[] = object.sections.map((section) => ({
    name: section.name,
    type: sectionType[section.kind],
    flags: section.flags,
    address: 0n,
    size: section.size,
    bytes: section.bytes,
    alignment: section.alignment,
  }))
  const relocationSections: OutputSection[] = []
  object.sections.forEach((section, index) => {
    if (section.relocations.length === 0) return
    const bytes = new Uint8Array(section.relocations.length * relaSize)
    const view = new DataView(bytes.buffer)
    section.relocations.forEach((relocation, number) => {
      const at = number * relaSize
      const symbol = symbolIndices.get(relocation.symbol)
      if (symbol === undefined) throw new Error(`${object.name}: relocation against unknown symbol ${relocation.symbol}`)
      view.setBigUint64(at, BigInt(relocation.offset), true)
      view.setUint32(at + 8, relocationNumbers[relocation.type], true)
      view.setUint32(at + 12, symbol, true)
      view.setBigInt64(at + 16, BigInt(relocation.addend), true)
    })
    relocationSections.push({
      name: `.rela${section.name}`,
      type: sectionType.rela,
      flags: { alloc: false, write: false, execute: false },
      address: 0n,
      size: bytes.length,
      bytes,
      alignment: 8,
      info: index + 1,
      entrySize: relaSize,
    })
  })
  const all = [...sections, ...relocationSections]
  return writeElf({
    type: 'relocatable',
    entry: 0n,
    flags: headerFlags.compressed | headerFlags.floatAbiDouble,
    sections: all,
    segments: [],
    symbols: output,
    linkToSymbols: new Set(relocationSections.map((_, index) => sections.length + index)),
  })
}

function toOutput(symbol: ObjectSymbol, indices: ReadonlyMap<string, number>): OutputSymbol {
  const { name, size, binding, type, section } = symbol
  const place =
    section === undefined ? 'undefined' : section === '*ABS*' ? 'absolute' : section === '*COM*' ? 'common' : indices.get(section)!
  return { name, value: BigInt(symbol.value), size, binding, type, section: place }
}
