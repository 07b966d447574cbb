/** The disassembler: code to text, with the program's symbols and source lines. */
import { isFullLength } from '../../isa/codec.ts'
import type { DebugInfo } from '../dwarf/reader.ts'
import type { ElfFile, ElfSection } from '../elf/reader.ts'
import { formatInstruction, type FormatOptions, type FormattedInstruction } from './format.ts'

export { formatInstruction, type FormatOptions, type FormattedInstruction } from './format.ts'

export interface DisassembledLine extends FormattedInstruction {
  readonly address: bigint
  readonly word: number
}

/** Every instruction of a stretch of code. A lone last byte is left out. */
export function disassembleBytes(bytes: Uint8Array, address: bigint, options: FormatOptions = {}): DisassembledLine[] {
  const lines: DisassembledLine[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + 2 <= bytes.length;) {
    const half = view.getUint16(at, true)
    const full = isFullLength(half) && at + 4 <= bytes.length
    const word = full ? view.getUint32(at, true) : half
    const here = address + BigInt(at)
    // A full-length instruction cut off by the end is a datum.
    const line: FormattedInstruction =
      isFullLength(half) && !full
        ? { mnemonic: '.half', operands: `0x${half.toString(16).padStart(4, '0')}`, length: 2 }
        : formatInstruction(word, here, options)
    lines.push({ ...line, address: here, word })
    at += line.length
  }
  return lines
}

/** Names for addresses: the nearest symbol at or before, within its section. */
export class SymbolNames {
  readonly #sorted: { address: bigint; name: string }[]

  constructor(elf: ElfFile) {
    const rank = { global: 0, weak: 1, local: 2 }
    this.#sorted = elf.symbols
      .filter(
        (symbol) =>
          symbol.name !== '' &&
          symbol.type !== 'section' &&
          symbol.type !== 'file' &&
          typeof symbol.section === 'number' &&
          !symbol.name.startsWith('$'),
      )
      .sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : rank[b.binding] - rank[a.binding]))
      .map((symbol) => ({ address: symbol.value, name: symbol.name }))
  }

  /** The symbol at exactly this address. */
  at(address: bigint): string | undefined {
    const found = this.nearest(address)
    return found?.offset === 0n ? found.name : undefined
  }

  /** The last symbol at or before an address. */
  nearest(address: bigint): { name: string; offset: bigint } | undefined {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#sorted[middle].address <= address) low = middle + 1
      else high = middle
    }
    const found = this.#sorted[low - 1]
    return found && { name: found.name, offset: address - found.address }
  }

  /** `main` or `main+0x10`; undefined before the first symbol. */
  describe(address: bigint): string | undefined {
    const found = this.nearest(address)
    if (!found) return undefined
    return found.offset === 0n ? found.name : `${found.name}+0x${found.offset.toString(16)}`
  }
}

export interface ListingOptions {
  readonly pseudo?: boolean
  /** Interleave source positions; `readLine` gives a source line's text where it can. */
  readonly debug?: DebugInfo
  readonly readLine?: (file: string, line: number) => string | undefined
}

/** The listing of all code sections: addresses, encodings, text, symbols, source lines. */
export function disassembleElf(elf: ElfFile, options: ListingOptions = {}): string {
  const names = new SymbolNames(elf)
  const lines = elf.sections
    .filter((section) => section.flags.execute && section.bytes.length > 0)
    .flatMap((section) => ['', `Disassembly of section ${section.name}:`, ...listSection(section, names, options)])
  return `${lines.slice(1).join('\n')}\n`
}

function listSection(section: ElfSection, names: SymbolNames, options: ListingOptions): string[] {
  const output: string[] = []
  const target = (address: bigint): string => {
    const name = names.describe(address)
    return `${address.toString(16)}${name ? ` <${name}>` : ''}`
  }
  let before = ''
  for (const line of disassembleBytes(section.bytes, section.address, { pseudo: options.pseudo, target })) {
    const name = names.at(line.address)
    if (name !== undefined) output.push('', `${line.address.toString(16).padStart(16, '0')} <${name}>:`)
    const position = options.debug?.lineAt(line.address)
    const source = position ? `${position.file}:${position.line}` : ''
    if (position && source !== before) output.push(`; ${source}${sourceText(options.readLine?.(position.file, position.line))}`)
    before = source
    const encoding = (line.length === 2 ? line.word & 0xffff : line.word >>> 0).toString(16).padStart(line.length * 2, '0')
    output.push(
      `${line.address.toString(16).padStart(8)}:\t${encoding.padEnd(8)}\t${line.mnemonic}${line.operands ? `\t${line.operands}` : ''}`,
    )
  }
  return output
}

function sourceText(line: string | undefined): string {
  return line === undefined ? '' : `  ${line.trim()}`
}

/** The section as source that assembles to the same bytes, with labels where the symbols are. */
export function disassembleToSource(section: ElfSection, elf?: ElfFile): string {
  const names = elf && new SymbolNames(elf)
  // Compressed instructions are written as such; the others must stay as long as they are.
  const lines = ['.option norvc', '.text']
  for (const line of disassembleBytes(section.bytes, section.address, { pseudo: false })) {
    const name = names?.at(line.address)
    if (name !== undefined) lines.push(`${name}:`)
    lines.push(`\t${line.mnemonic} ${line.operands}`.trimEnd())
  }
  return `${lines.join('\n')}\n`
}
