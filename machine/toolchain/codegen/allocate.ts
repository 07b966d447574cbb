/**
 * Linear scan with lifetime holes, splitting and hints (Wimmer and Mössenböck, "Optimized Interval Splitting").
 * Needs: intervals. Gives: every piece of every web in a register or in memory.
 *
 * A web that is ever in memory is stored after each of its definitions, so its slot is always right: taking a register
 * away costs nothing at that place, only the reload before the next use.
 */
import type { Intervals } from './build-intervals.ts'
import { intersection, type Interval, type Root } from './interval.ts'
import { floatPool, integerPool, memoryBaseRegister, memoryBytesRegister, s0, type MachineBlock, type MachineFunction } from './machine.ts'

/** Registers that stay out of the game: the emitter's scratch, and what the memory model or a coroutine pins. */
export interface Pools {
  readonly integer: readonly number[]
  readonly float: readonly number[]
}

/** The registers a function may use. */
export function poolsFor(fn: MachineFunction, bounded: boolean): Pools {
  const integer = integerPool.filter(
    (register) =>
      register < 30 &&
      !(bounded && (register === memoryBaseRegister || register === memoryBytesRegister)) &&
      !(fn.coroutine && register === s0),
  )
  return { integer: integer.concat([]), float: floatPool.filter((register) => register !== 63) }
}

/** Assigns registers. */
export function allocate(fn: MachineFunction, intervals: Intervals, pools: Pools): void {
  new Allocator(fn, intervals, pools).run()
}

class Heap {
  private readonly items: Interval[] = []

  get size(): number {
    return this.items.length
  }

  push(item: Interval): void {
    const { items } = this
    let index = items.push(item) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (items[parent].start <= item.start) break
      items[index] = items[parent]
      index = parent
    }
    items[index] = item
  }

  pop(): Interval {
    const { items } = this
    const top = items[0]
    const last = items.pop()!
    if (items.length) {
      let index = 0
      for (;;) {
        let child = 2 * index + 1
        if (child >= items.length) break
        if (child + 1 < items.length && items[child + 1].start < items[child].start) child++
        if (items[child].start >= last.start) break
        items[index] = items[child]
        index = child
      }
      items[index] = last
    }
    return top
  }
}

class Allocator {
  private readonly unhandled = new Heap()
  private active: Interval[] = []
  private inactive: Interval[] = []
  private readonly freeUntil = new Float64Array(64)
  private readonly usePosition = new Float64Array(64)
  private readonly blockPosition = new Float64Array(64)

  constructor(
    private readonly fn: MachineFunction,
    private readonly intervals: Intervals,
    private readonly pools: Pools,
  ) {}

  run(): void {
    for (const root of new Set(this.intervals.roots)) if (root.pieces[0].ranges.length) this.unhandled.push(root.pieces[0])
    while (this.unhandled.size) {
      const current = this.unhandled.pop()
      const position = current.start
      this.advance(position)
      if (!this.allocateFree(current)) this.allocateBlocked(current)
      if (current.register >= 0) this.active.push(current)
    }
  }

  private advance(position: number): void {
    const active: Interval[] = []
    const inactive: Interval[] = []
    for (const list of [this.active, this.inactive]) {
      for (const interval of list) {
        if (interval.register < 0 || interval.end <= position) continue
        if (interval.covers(position)) active.push(interval)
        else inactive.push(interval)
      }
    }
    this.active = active
    this.inactive = inactive
  }

  private pool(root: Root): readonly number[] {
    return root.float ? this.pools.float : this.pools.integer
  }

  private allocateFree(current: Interval): boolean {
    const { freeUntil } = this
    const { root } = current
    const pool = this.pool(root)
    for (const register of pool) freeUntil[register] = intersection(this.intervals.fixed[register], current.ranges)
    for (const interval of this.active) freeUntil[interval.register] = 0
    for (const interval of this.inactive) {
      if (interval.root.float !== root.float || freeUntil[interval.register] === 0) continue
      const at = intersection(interval.ranges, current.ranges)
      if (at < freeUntil[interval.register]) freeUntil[interval.register] = at
    }
    const { end, start } = current
    let chosen = -1
    for (const hint of root.hints) {
      const register = typeof hint === 'number' ? hint : lastRegister(hint)
      if (register >= 0 && pool.includes(register) && freeUntil[register] >= end) {
        chosen = register
        break
      }
    }
    if (chosen < 0) chosen = pool.find((register) => freeUntil[register] >= end) ?? -1
    if (chosen < 0) {
      for (const register of pool) if (chosen < 0 || freeUntil[register] > freeUntil[chosen]) chosen = register
      const limit = freeUntil[chosen]
      if (limit <= start + 1) return false
      // Not worth a register when it is taken away before the first use.
      if (current.nextUse(start) >= limit) return false
      const at = this.splitPosition(Math.max(start + 1, current.lastUseBefore(limit) + 1), limit)
      if (at <= start || at >= end) return false
      this.unhandled.push(current.split(at))
    }
    current.register = chosen
    return true
  }

  private allocateBlocked(current: Interval): void {
    const { usePosition, blockPosition } = this
    const { root, start } = current
    const pool = this.pool(root)
    for (const register of pool) {
      const at = intersection(this.intervals.fixed[register], current.ranges)
      usePosition[register] = blockPosition[register] = at
    }
    const note = (interval: Interval): void => {
      const at = interval.start >= start && interval.nextRegisterUse(start) <= start + 1 ? start : interval.nextUse(start)
      if (at < usePosition[interval.register]) usePosition[interval.register] = at
    }
    for (const interval of this.active) if (interval.root.float === root.float) note(interval)
    for (const interval of this.inactive) {
      if (interval.root.float === root.float && intersection(interval.ranges, current.ranges) !== Infinity) note(interval)
    }
    let chosen = pool[0]
    for (const register of pool) if (usePosition[register] > usePosition[chosen]) chosen = register
    const firstUse = current.nextRegisterUse(start)
    if (firstUse > start + 1 && (usePosition[chosen] <= firstUse || blockPosition[chosen] <= start + 1)) {
      this.toMemory(current, start)
      return
    }
    if (usePosition[chosen] <= start) throw new Error(`register allocation of ${this.fn.name}: nothing left at position ${start}`)
    current.register = chosen
    if (blockPosition[chosen] < current.end) {
      let at = this.splitPosition(Math.max(start + 1, current.lastUseBefore(blockPosition[chosen]) + 1), blockPosition[chosen])
      if (at <= start) at = blockPosition[chosen]
      const tail = current.split(at)
      if (at & 1) this.toMemory(tail, at)
      else this.unhandled.push(tail)
    }
    for (const interval of [...this.active, ...this.inactive]) {
      if (interval.register !== chosen || interval === current || intersection(interval.ranges, current.ranges) === Infinity) continue
      this.evict(interval, start)
    }
  }

  /** From `position` on the interval is in memory, until shortly before its next use. */
  private evict(interval: Interval, position: number): void {
    if (interval.start >= position) {
      interval.register = -1
      this.toMemory(interval, interval.start)
      return
    }
    this.toMemory(interval.split(position), position)
  }

  private toMemory(interval: Interval, position: number): void {
    interval.inMemory = true
    const next = interval.nextRegisterUse(interval.start)
    if (next === Infinity) return
    // A value defined here cannot be in memory at its definition.
    const at = this.splitPosition(Math.max(position, interval.start) + 1, next)
    if (at > interval.start) this.unhandled.push(interval.split(at))
    else {
      interval.inMemory = false
      this.unhandled.push(interval)
    }
  }

  /** The best even position in [minimum, maximum]: the start of a block outside of loops rather than a place inside one. */
  private splitPosition(minimum: number, maximum: number): number {
    const latest = maximum & ~1
    const { blocks } = this.fn
    const home = blockOf(blocks, latest)
    let best = latest
    let depth = home.loopDepth
    for (let index = blocks.indexOf(home); index >= 0 && blocks[index].from >= minimum; index--) {
      if (blocks[index].loopDepth < depth) {
        depth = blocks[index].loopDepth
        best = blocks[index].from
      }
    }
    return best
  }
}

/** The register that a web got last. */
function lastRegister(root: Root): number {
  for (let index = root.pieces.length - 1; index >= 0; index--) if (root.pieces[index].register >= 0) return root.pieces[index].register
  return -1
}

/** The block that contains a position; binary search. */
export function blockOf(blocks: readonly MachineBlock[], position: number): MachineBlock {
  let low = 0
  let high = blocks.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (blocks[middle].to <= position) low = middle + 1
    else high = middle
  }
  return blocks[low]
}
