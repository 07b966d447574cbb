/** A small seeded generator: the same seed, the same program. (mulberry32) */
export class Choice {
  constructor(private state: number) {}

  /** A whole number in 0 .. limit - 1. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0
  }

  bits64(): bigint {
    return (BigInt(this.below(2 ** 32)) << 32n) | BigInt(this.below(2 ** 32))
  }
}
