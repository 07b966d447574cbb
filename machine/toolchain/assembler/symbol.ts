/** Symbols while assembling: places in fragments, equated expressions, or names not defined yet. */
import type { ObjectSymbol } from '../object.ts'
import type { Expression } from './expression.ts'
import type { Fragment, SectionBuilder } from './section.ts'
import type { Span } from './position.ts'

export interface Place {
  readonly section: SectionBuilder
  readonly fragment: Fragment
  /** Byte offset in the fragment. */
  readonly offset: number
}

/** One name. `place` and `equated` exclude each other; neither means undefined so far. */
export interface AssemblySymbol {
  readonly name: string
  place?: Place
  /** Set by `.set`, `.equ` and `=`. */
  equated?: Expression
  common?: { readonly size: number; readonly alignment: number }
  binding: ObjectSymbol['binding']
  /** `.local` was said, so that a COMMON symbol is made in `.bss`. */
  saidLocal: boolean
  type: ObjectSymbol['type']
  size?: Expression
  definedAt?: Span
  /** Set when a relocation needs the symbol in the table. */
  referenced: boolean
}

export class SymbolTable {
  readonly #symbols = new Map<string, AssemblySymbol>()
  #hidden = 0

  /** The symbol of that name, made on first mention. */
  get(name: string): AssemblySymbol {
    let symbol = this.#symbols.get(name)
    if (!symbol) {
      symbol = { name, binding: 'local', saidLocal: false, type: 'none', referenced: false }
      this.#symbols.set(name, symbol)
    }
    return symbol
  }

  find(name: string): AssemblySymbol | undefined {
    return this.#symbols.get(name)
  }

  /** A label of the assembler's own, such as the one that `la` needs at its `auipc`. */
  hidden(place: Place): AssemblySymbol {
    const symbol = this.get(`.Lpollen${this.#hidden++}`)
    symbol.place = place
    return symbol
  }

  all(): Iterable<AssemblySymbol> {
    return this.#symbols.values()
  }
}

/** True for names that GNU keeps out of the symbol table. */
export function isAssemblerLocal(name: string): boolean {
  return name.startsWith('.L')
}

export function isDefined(symbol: AssemblySymbol): boolean {
  return symbol.place !== undefined || symbol.equated !== undefined || symbol.common !== undefined
}
