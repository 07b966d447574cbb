/** Addresses to names: what traces and the debugger show instead of numbers. */
import type { ElfFile } from '../toolchain/elf/reader.ts'

export class SymbolTable {
  private readonly addresses: BigUint64Array
  private readonly names: string[]
  private readonly sizes: number[]

  constructor(elf: ElfFile | undefined) {
    const named = (elf?.symbols ?? [])
      .filter(
        ({ name, type, section }) =>
          name !== '' && !name.startsWith('$') && type !== 'file' && type !== 'section' && typeof section === 'number',
      )
      .sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : Number(b.type === 'function') - Number(a.type === 'function')))
    this.addresses = BigUint64Array.from(named, ({ value }) => value)
    this.names = named.map(({ name }) => name)
    this.sizes = named.map(({ size }) => size)
  }

  /** `name` or `name+0x10`; undefined where no symbol covers the address. */
  nameAt(address: bigint): string | undefined {
    let low = 0
    let high = this.addresses.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.addresses[middle] <= address) low = middle + 1
      else high = middle
    }
    if (low === 0) return undefined
    // The first of several at one address: functions come first.
    let index = low - 1
    while (index > 0 && this.addresses[index - 1] === this.addresses[index]) index--
    const offset = Number(address - this.addresses[index])
    if (this.sizes[index] > 0 && offset >= this.sizes[index]) return undefined
    if (offset > MOST_DISTANCE) return undefined
    return offset === 0 ? this.names[index] : `${this.names[index]}+0x${offset.toString(16)}`
  }
}

/** Symbols without a size (assembly labels) are believed to cover this much. */
const MOST_DISTANCE = 1 << 20
