import { WasmError } from './types.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A cursor over a module's bytes that refuses what section 5 of the specification calls malformed. */
export class ByteReader {
  constructor(
    readonly bytes: Uint8Array,
    public offset = 0,
    public end = bytes.length,
  ) {}

  get done(): boolean {
    return this.offset >= this.end
  }

  fail(message: string, offset = this.offset): never {
    throw new WasmError('wasm/malformed', message, offset)
  }

  byte(): number {
    if (this.offset >= this.end) this.fail('unexpected end')
    return this.bytes[this.offset++]
  }

  take(length: number): Uint8Array {
    if (length > this.end - this.offset) this.fail('unexpected end, length out of bounds')
    const slice = this.bytes.subarray(this.offset, this.offset + length)
    this.offset += length
    return slice
  }

  u32(): number {
    const start = this.offset
    let result = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      if (shift === 28 && byte & 0x70) this.fail(byte & 0x80 ? 'integer representation too long' : 'integer too large', start)
      result += (byte & 0x7f) * 2 ** shift
      if (!(byte & 0x80)) return result
    }
    return this.fail('integer representation too long', start)
  }

  s32(): number {
    return Number(this.signed(32))
  }

  s64(): bigint {
    return this.signed(64)
  }

  /** A block type's type index is a positive s33. */
  s33(): number {
    return Number(this.signed(33))
  }

  private signed(bits: number): bigint {
    const start = this.offset
    let low = 0
    // Nearly every constant is short: stay in plain numbers for up to four bytes.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte()
      low |= (byte & 0x7f) << shift
      if (!(byte & 0x80)) return BigInt((low << (25 - shift)) >> (25 - shift))
    }
    let result = BigInt(low)
    const longest = Math.ceil(bits / 7)
    for (let index = 4; index < longest; index++) {
      const byte = this.byte()
      const last = index === longest - 1
      if (last) {
        if (byte & 0x80) this.fail('integer representation too long', start)
        const used = bits - index * 7
        // The unused bits must repeat the sign bit.
        const extension = (byte & 0x7f) >> (used - 1)
        if (extension !== 0 && extension !== (1 << (8 - used)) - 1) this.fail('integer too large', start)
      }
      result |= BigInt(byte & 0x7f) << BigInt(index * 7)
      if (!(byte & 0x80)) return BigInt.asIntN(Math.min(bits, (index + 1) * 7), result)
    }
    return this.fail('integer representation too long', start)
  }

  fixed32(): number {
    const slice = this.take(4)
    return (slice[0] | (slice[1] << 8) | (slice[2] << 16) | (slice[3] << 24)) >>> 0
  }

  fixed64(): bigint {
    const low = this.fixed32()
    return BigInt(low) | (BigInt(this.fixed32()) << 32n)
  }

  name(): string {
    const length = this.u32()
    const start = this.offset
    const slice = this.take(length)
    try {
      return utf8.decode(slice)
    } catch {
      return this.fail('malformed UTF-8 encoding', start)
    }
  }

  /** A vector's length; each element takes at least one byte, so a count beyond the rest is refused before anything is allocated. */
  count(): number {
    const start = this.offset
    const count = this.u32()
    if (count > this.end - this.offset) this.fail('unexpected end, length out of bounds', start)
    return count
  }
}
