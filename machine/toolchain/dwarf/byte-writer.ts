/** Little-endian bytes that grow, with LEB128 and lengths filled in afterwards. */
export class ByteWriter {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  length = 0

  #reserve(count: number): number {
    const at = this.length
    this.length += count
    if (this.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.length, this.#bytes.length * 2))
      grown.set(this.#bytes)
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    return at
  }

  u8(value: number): void {
    const at = this.#reserve(1)
    this.#view.setUint8(at, value)
  }

  u16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value, true)
  }

  u32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value, true)
  }

  u64(value: bigint): void {
    const at = this.#reserve(8)
    this.#view.setBigUint64(at, BigInt.asUintN(64, value), true)
  }

  uleb(value: number): void {
    let rest = value
    do {
      const low = rest % 128
      rest = Math.floor(rest / 128)
      this.u8(rest > 0 ? low | 128 : low)
    } while (rest > 0)
  }

  sleb(value: number): void {
    let rest = BigInt(value)
    for (;;) {
      const low = Number(rest & 127n)
      rest >>= 7n
      const last = (rest === 0n && !(low & 64)) || (rest === -1n && (low & 64) !== 0)
      this.u8(last ? low : low | 128)
      if (last) return
    }
  }

  string(text: string): void {
    this.raw(new TextEncoder().encode(text))
    this.u8(0)
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  patch32(at: number, value: number): void {
    this.#view.setUint32(at, value, true)
  }

  /** A 32-bit length in front of what `body` writes. */
  sized(body: () => void): void {
    const at = this.length
    this.u32(0)
    body()
    this.patch32(at, this.length - at - 4)
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.length)
  }
}
