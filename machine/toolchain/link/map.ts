/** The link map: what is where, for people. */
import type { PlacedSection } from './place.ts'
import { plainName } from './place.ts'

export interface MapSymbol {
  readonly name: string
  readonly address: bigint
  readonly size: number
  readonly object: string
}

function hex(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16).padStart(16, '0')
}

/** Text of the map: each output section, the pieces in it, and the symbols in each piece, by address. */
export function writeMap(sections: readonly PlacedSection[], symbols: readonly MapSymbol[]): string {
  const lines = ['address          size     what']
  const sorted = [...symbols].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : a.name < b.name ? -1 : 1))
  for (const section of sections) {
    if (!section.flags.alloc || section.size === 0) continue
    const load = section.load === section.address ? '' : `  loaded at ${hex(section.load)}`
    lines.push('', `${hex(section.address)} ${section.size.toString(16).padStart(8)} ${section.name}${load}`)
    for (const input of section.inputs) {
      if (input.section.size === 0) continue
      lines.push(`${hex(input.address)} ${input.section.size.toString(16).padStart(8)}   ${input.object.name}:${plainName(input.section)}`)
      const end = input.address + BigInt(input.section.size)
      for (const symbol of sorted) {
        if (symbol.address < input.address || symbol.address >= end || symbol.object !== input.object.name) continue
        lines.push(`${hex(symbol.address)} ${symbol.size.toString(16).padStart(8)}     ${symbol.name}`)
      }
    }
  }
  return `${lines.join('\n')}\n`
}
