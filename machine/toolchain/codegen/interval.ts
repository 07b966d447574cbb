/**
 * Live intervals: when each value is alive, as ranges of positions.
 * Instruction number i has position 2i: its operands are read at 2i and its results written at 2i + 1.
 */

/** A use that may be served from memory (a parallel move), or one that needs a register. */
export type UseKind = 'any' | 'register'

export class Interval {
  /** Flat list: start, end, start, end, ... ascending, ends exclusive. */
  ranges: number[] = []
  /** Ascending positions of reads and writes, and whether each needs a register. */
  uses: number[] = []
  needsRegister: boolean[] = []
  /** Assigned register, or -1 while unassigned or in memory. */
  register = -1
  inMemory = false
  readonly root: Root

  constructor(root: Root) {
    this.root = root
  }

  get start(): number {
    return this.ranges[0]
  }

  get end(): number {
    return this.ranges[this.ranges.length - 1]
  }

  covers(position: number): boolean {
    const { ranges } = this
    for (let i = 0; i < ranges.length; i += 2) {
      if (position < ranges[i]) return false
      if (position < ranges[i + 1]) return true
    }
    return false
  }

  /** First position at or after `position` where a register is needed, or Infinity. */
  nextRegisterUse(position: number): number {
    for (let i = 0; i < this.uses.length; i++) if (this.uses[i] >= position && this.needsRegister[i]) return this.uses[i]
    return Infinity
  }

  /** First position at or after `position` where it is read or written, or Infinity. */
  nextUse(position: number): number {
    for (const use of this.uses) if (use >= position) return use
    return Infinity
  }

  /** Last use before `position`, or the start. */
  lastUseBefore(position: number): number {
    let last = this.start
    for (const use of this.uses) if (use < position) last = Math.max(last, use)
    return last
  }

  /** Cuts off everything from `position` on into a new interval, which is returned; it is never empty. */
  split(position: number): Interval {
    const tail = new Interval(this.root)
    const { ranges } = this
    const kept: number[] = []
    for (let i = 0; i < ranges.length; i += 2) {
      if (ranges[i + 1] <= position) kept.push(ranges[i], ranges[i + 1])
      else if (ranges[i] >= position) tail.ranges.push(ranges[i], ranges[i + 1])
      else {
        kept.push(ranges[i], position)
        tail.ranges.push(position, ranges[i + 1])
      }
    }
    const cut = this.uses.findIndex((use) => use >= position)
    if (cut >= 0) {
      tail.uses = this.uses.splice(cut)
      tail.needsRegister = this.needsRegister.splice(cut)
    }
    this.ranges = kept
    this.root.pieces.push(tail)
    return tail
  }
}

/** A web of virtual registers that share one place: what coalescing has joined. Its pieces are what splitting made of it. */
export class Root {
  pieces: Interval[] = []
  /** Slot number in the stack frame, or -1. */
  slot = -1
  /** Lives across a suspension: its slot is in the coroutine frame. */
  crossesSuspend = false
  /** A constant made by one instruction: made again instead of being stored. */
  remake: { op: string; value: bigint } | undefined
  definitions = 0
  /** Registers it would like, and webs whose register it would like. */
  readonly hints: (number | Root)[] = []
  variable = -1

  constructor(
    readonly id: number,
    readonly float: boolean,
  ) {}

  /** The piece in charge of `position`: the one alive there, or else the last one before. */
  at(position: number): Interval {
    let found = this.pieces[0]
    for (const piece of this.pieces) if (piece.start <= position && piece.start >= found.start) found = piece
    return found
  }
}

/** First position in both range lists, or Infinity. */
export function intersection(a: readonly number[], b: readonly number[]): number {
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    if (a[i + 1] <= b[j]) i += 2
    else if (b[j + 1] <= a[i]) j += 2
    else return Math.max(a[i], b[j])
  }
  return Infinity
}

/** The union of two disjoint range lists. */
export function mergeRanges(a: readonly number[], b: readonly number[]): number[] {
  const result: number[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const takeA = j >= b.length || (i < a.length && a[i] < b[j])
    const start = takeA ? a[i] : b[j]
    const end = takeA ? a[i + 1] : b[j + 1]
    if (takeA) i += 2
    else j += 2
    if (result.length && result[result.length - 1] === start) result[result.length - 1] = end
    else result.push(start, end)
  }
  return result
}
