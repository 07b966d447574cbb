/** The link map: what is where, for people. */
import type { InputSection, PlacedSection } from './place.ts'
import { plainName } from './place.ts'

export interface MapSymbol {
  readonly name: string
  readonly address: bigint
  readonly size: number
  /** Where it is defined; undefined for an absolute symbol. */
  readonly section: InputSection | undefined
}

function hex(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16).padStart(16, '0')
}

function column(value: number): string {
  return value.toString(16).padStart(8)
}

function byAddress(a: MapSymbol, b: MapSymbol): number {
  if (a.address !== b.address) return a.address < b.address ? -1 : 1
  return a.name < b.name ? -1 : 1
}

/** Text of the map: each output section, the pieces in it, and the symbols in each piece, by address. */
export function writeMap(sections: readonly PlacedSection[], symbols: readonly MapSymbol[]): string {
  const lines = ['address          size     what']
  const bySection = new Map<InputSection, MapSymbol[]>()
  for (const symbol of [...symbols].sort(byAddress)) {
    if (symbol.section) bySection.set(symbol.section, [...(bySection.get(symbol.section) ?? []), symbol])
  }
  for (const section of sections) {
    if (!section.flags.alloc || section.size === 0) continue
    const load = section.load === section.address ? '' : `  loaded at ${hex(section.load)}`
    lines.push('', `${hex(section.address)} ${column(section.size)} ${section.name}${load}`)
    for (const input of section.inputs) {
      if (input.section.size === 0) continue
      lines.push(`${hex(input.address)} ${column(input.section.size)}   ${input.object.name}:${plainName(input.section)}`)
      for (const symbol of bySection.get(input) ?? []) lines.push(`${hex(symbol.address)} ${column(symbol.size)}     ${symbol.name}`)
    }
  }
  return `${lines.join('\n')}\n`
}
