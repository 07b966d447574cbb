/** Checked reading of debug sections. */

/** What is wrong with debug information, in one sentence. */
export class DwarfError extends Error {
  constructor(message: string) {
    super(`bad debug information: ${message}`)
    this.name = 'DwarfError'
  }
}

const decoder = new TextDecoder('utf-8')

export class Cursor {
  readonly #view: DataView
  readonly end: number

  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
    end = bytes.length,
  ) {
    if (at > bytes.length || end > bytes.length || at > end) throw new DwarfError('an offset lies outside its section')
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = end
  }

  get done(): boolean {
    return this.at >= this.end
  }

  skip(count: number): number {
    const at = this.at
    if (count < 0 || at + count > this.end) throw new DwarfError('it is truncated')
    this.at += count
    return at
  }

  u8(): number {
    return this.#view.getUint8(this.skip(1))
  }

  u16(): number {
    return this.#view.getUint16(this.skip(2), true)
  }

  u24(): number {
    return this.u16() | (this.u8() << 16)
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4), true)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.skip(8), true)
  }

  /** An address of 4 or 8 bytes. */
  address(size: number): bigint {
    if (size === 8) return this.u64()
    if (size === 4) return BigInt(this.u32())
    throw new DwarfError(`addresses of ${size} bytes are not supported`)
  }

  uleb(): number {
    const value = this.uleb64()
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new DwarfError(`${value} is impossibly large`)
    return Number(value)
  }

  uleb64(): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8()
      if (shift < 64n) value |= BigInt(byte & 127) << shift
      if (!(byte & 128)) return BigInt.asUintN(64, value)
    }
  }

  sleb(): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8()
      if (shift < 64n) value |= BigInt(byte & 127) << shift
      if (!(byte & 128)) return shift + 7n < 64n && byte & 64 ? value - (1n << (shift + 7n)) : BigInt.asIntN(64, value)
    }
  }

  string(): string {
    const end = this.bytes.indexOf(0, this.at)
    if (end < 0 || end >= this.end) throw new DwarfError('a string is not terminated')
    const text = decoder.decode(this.bytes.subarray(this.at, end))
    this.at = end + 1
    return text
  }

  raw(count: number): Uint8Array {
    const at = this.skip(count)
    return this.bytes.subarray(at, at + count)
  }

  /** A unit's length: the cursor of what follows, bounded by it. 64-bit DWARF is not made for these programs. */
  unit(): Cursor {
    const length = this.u32()
    if (length >= 0xffff_fff0) throw new DwarfError('64-bit DWARF is not supported')
    const start = this.skip(length)
    return new Cursor(this.bytes, start, start + length)
  }
}

/** The string at an offset of a string section. */
export function stringAt(section: Uint8Array, offset: number): string {
  return new Cursor(section, offset).string()
}
