/** xoshiro256** by Blackman and Vigna, seeded through splitmix64 as its authors advise: https://prng.di.unimi.it */

const MASK = 0xffff_ffff_ffff_ffffn

export class Random {
  private state: bigint[]

  constructor(seed: bigint) {
    let x = seed & MASK
    this.state = Array.from({ length: 4 }, () => {
      x = (x + 0x9e37_79b9_7f4a_7c15n) & MASK
      let z = x
      z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK
      z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK
      return z ^ (z >> 31n)
    })
  }

  /** 64 random bits. */
  next(): bigint {
    const s = this.state
    const result = (rotate((s[1] * 5n) & MASK, 7n) * 9n) & MASK
    const t = (s[1] << 17n) & MASK
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = rotate(s[3], 45n)
    return result
  }

  /** Eight bytes of each number, lowest first. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(length / 8) * 8)
    const view = new DataView(bytes.buffer)
    for (let at = 0; at < length; at += 8) view.setBigUint64(at, this.next(), true)
    return bytes.subarray(0, length)
  }

  save(): bigint[] {
    return [...this.state]
  }

  load(state: readonly bigint[]): void {
    this.state = [...state]
  }
}

function rotate(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & MASK
}
