/**
 * The just-in-time compiler of a machine. The interpreter reports slots that control comes to often; regions around them are compiled, several to
 * a module, and their entries take the place of the slots. What changes their code drops them before it could run again.
 */
import { setFlagsFromString } from 'node:v8'
import {
  CODE_PAGE_COMPILED,
  CODE_PAGE_HALFWORDS,
  COST_BRANCH_TAKEN,
  COST_CSR,
  COST_DIV,
  COST_FENCE,
  COST_FP_ADD,
  COST_FP_CONVERT,
  COST_FP_DIV,
  COST_FP_MOVE,
  COST_FP_MUL,
  COST_FP_SQRT,
  COST_JUMP,
  COST_LOAD,
  COST_MUL,
  COST_STORE,
  FETCH_ENTRIES,
  G_COMPILED_RETIRED,
  G_HOT,
  G_REGION_DROPPED,
  HEAT,
  HEAT_ENTRIES,
  H_FETCH,
  H_TLB,
  JIT_SLOT,
  PAGE_SLOTS,
  SLOT_BYTES,
} from '../hart/layout.ts'
import { hartAddress, type HartCore } from '../hart/core.ts'
import { type CodeSource, discover, type Shape } from './discover.ts'
import { buildModule } from './module.ts'
import { COMPILED } from './slots.ts'
import type { Setting } from './frame.ts'
import { translateRegion } from './translate.ts'

/** Counts since the machine was built. */
export interface JitStatistics {
  /** Regions compiled, those that are live, dropped because their code changed or was forgotten, and dropped for room. */
  regions: number
  live: number
  dropped: number
  evicted: number
  modules: number
  /** Guest instructions in compiled regions, and bytes of WebAssembly made of them. */
  instructions: number
  bytes: number
  /** Spent on choosing and compiling. */
  milliseconds: number
  /** Milliseconds of each pause for compiling, the latest ones. */
  readonly pauses: number[]
}

/** For people and scripts (`--stats`). */
export interface JitReport {
  readonly compiledInstructions: number
  readonly regions: number
  readonly liveRegions: number
  readonly droppedRegions: number
  readonly evictedRegions: number
  readonly modules: number
  readonly wasmBytes: number
  readonly compileSeconds: number
  /** Of all pauses for compiling: the 99th percentile and the longest. */
  readonly pauseMilliseconds: { readonly p99: number; readonly most: number }
}

interface Region {
  readonly shape: Shape
  /** The page address that offsets count from, where it was discovered; the code itself works at any. */
  readonly base: bigint
  /** Halfwords that it contains, a bit each, by predecoded page. */
  readonly pages: ReadonlyMap<number, Uint8Array>
  index: number
  state: 'waiting' | 'live' | 'dropped'
  /** Where it begins. */
  readonly slot: number
  /** The data TLB that it is made for. */
  readonly tlb: number | undefined
  bytes: number
}

/** Regions wait for others until they have so many blocks together, or the slice ends. */
const DEFAULT_THRESHOLD = 20_000
const BATCH_BLOCKS = 120
/** WebAssembly bytes of live regions: the machine code is about five times as much. */
const MOST_BYTES = 24 << 20
const MOST_LIVE = 20_000
const MOST_DROPS = 4
const MOST_REFUSALS = 100
const MOST_PAUSES = 10_000
/** Costs that depend on nothing but the instruction. */
const CLASS_COSTS = [
  ...[COST_LOAD, COST_STORE, COST_BRANCH_TAKEN, COST_JUMP, COST_MUL, COST_DIV, COST_CSR, COST_FENCE],
  ...[COST_FP_ADD, COST_FP_MUL, COST_FP_DIV, COST_FP_SQRT, COST_FP_MOVE, COST_FP_CONVERT],
]
const PAGE = 4096n
const HALFWORD_BYTES = PAGE_SLOTS / 8

export class Jit {
  readonly statistics: JitStatistics = {
    regions: 0,
    live: 0,
    dropped: 0,
    evicted: 0,
    modules: 0,
    instructions: 0,
    bytes: 0,
    milliseconds: 0,
    pauses: [],
  }
  /** Regions in the order of their making. */
  private readonly regions = new Set<Region>()
  private readonly byPage = new Map<number, Set<Region>>()
  /** What entries hide: the two words of each slot, by its address. */
  private readonly hidden = new Map<number, { readonly low: number; readonly high: number; readonly region: Region }>()
  /** How often regions that began at a slot were dropped. */
  private readonly drops = new Map<number, number>()
  /** How often the region at a slot refused to run. */
  private readonly refusals = new Map<number, number>()
  /** Slots that became hot inside of a region once. */
  private readonly passedOver = new Set<number>()
  private waiting: Region[] = []
  private waitingBlocks = 0
  private readonly freeIndices: number[] = []
  private nextIndex: number
  private liveBytes = 0
  /** Of WebAssembly in live regions: beyond it the oldest go. */
  mostBytes = MOST_BYTES
  private readonly imports: WebAssembly.Imports

  constructor(private readonly core: HartCore) {
    this.threshold = DEFAULT_THRESHOLD
    allowBranchHints()
    this.nextIndex = core.exports.table.length
    this.imports = { hart: core.exports as unknown as WebAssembly.ModuleImports }
  }

  /** How often control must come to a place before it is compiled. */
  set threshold(times: number) {
    this.core.setGlobal32(G_HOT, times)
  }

  /** Control came to a slot often. */
  hot(hart: number, slot: number, pc: bigint): void {
    const { words } = this.core
    if ((words[slot >>> 2] & 255) === COMPILED) return
    const begin = performance.now()
    const source = new FetchedCode(this.core, this.hidden, hart, pc - (pc % PAGE))
    const base = pc - (pc % PAGE)
    const offset = Number(pc % PAGE)
    if (source.page(0) === 0) return
    // A block of another region is reached inside of it, and an entry in the midst of a loop would cost the loop its structure. What comes
    // here from outside again and again gets a region of its own all the same.
    if (!this.passedOver.has(slot) && this.isInside(source.page(0), base, offset)) {
      this.passedOver.add(slot)
      this.cool(slot)
      return
    }
    const shape = discover(offset, source)
    if (shape) this.add(shape, base, this.tlbOf(hart, slot))
    this.statistics.milliseconds += performance.now() - begin
    if (this.waitingBlocks >= BATCH_BLOCKS) this.flush()
  }

  /** Some region, waiting or live, has the instruction at the head of a block. */
  private isInside(page: number, base: bigint, offset: number): boolean {
    for (const region of this.byPage.get(page) ?? []) {
      if (region.shape.blocks.has(offset + Number(base - region.base))) return true
    }
    return false
  }

  private cool(slot: number): void {
    this.core.view.setUint16(HEAT + ((slot >>> 2) & (2 * HEAT_ENTRIES - 2)), 0, true)
  }

  /** The data TLB that a region is made for: the one in force, unless it has harts or privileges to work for that differ in it. */
  private tlbOf(hart: number, slot: number): number | undefined {
    if (this.core.options.harts > 1 || (this.refusals.get(slot) ?? 0) >= MOST_REFUSALS) return undefined
    return this.core.hart32(hart, H_TLB)
  }

  /** The region at a slot was made for another data TLB than the hart's. */
  refused(hart: number, slot: number): void {
    const refusals = (this.refusals.get(slot) ?? 0) + 1
    this.refusals.set(slot, refusals)
    const region = this.hidden.get(slot)?.region
    if (refusals !== MOST_REFUSALS || !region) return
    this.drop(region)
    this.add(region.shape, region.base, this.tlbOf(hart, slot))
  }

  private add(shape: Shape, base: bigint, tlb: number | undefined): void {
    const slotOf = (offset: number) => {
      const page = Math.floor(offset / Number(PAGE)) * Number(PAGE)
      return shape.pages.get(page)! + ((offset - page) / 2) * SLOT_BYTES
    }
    const pages = new Map<number, Uint8Array>()
    for (const { body, end } of shape.blocks.values()) {
      for (const { offset, length } of end.kind === 'go' ? body : [...body, end.instruction]) {
        for (let i = 0; i < length / 2; i++) {
          const at = offset + 2 * i
          const start = Math.floor(at / Number(PAGE)) * Number(PAGE)
          const page = shape.pages.get(start)!
          const halfword = (at - start) / 2
          let bits = pages.get(page)
          if (!bits) pages.set(page, (bits = new Uint8Array(HALFWORD_BYTES)))
          bits[halfword >>> 3] |= 1 << (halfword & 7)
        }
      }
    }
    const region: Region = { shape, base, pages, index: -1, state: 'waiting', slot: slotOf(shape.entry), tlb, bytes: 0 }
    this.regions.add(region)
    for (const [page, bits] of pages) {
      const others = this.byPage.get(page)
      if (others) others.add(region)
      else this.byPage.set(page, new Set([region]))
      this.core.words[(page + CODE_PAGE_COMPILED) >>> 2] = 1
      const at = page + CODE_PAGE_HALFWORDS
      for (let i = 0; i < HALFWORD_BYTES; i++) this.core.bytes[at + i] |= bits[i]
    }
    this.waiting.push(region)
    this.waitingBlocks += shape.blocks.size
  }

  /** Compiles what waits, and lets the interpreter find it. */
  flush(): void {
    const regions = this.waiting.filter(({ state }) => state === 'waiting')
    this.waiting = []
    this.waitingBlocks = 0
    if (regions.length === 0) return
    const begin = performance.now()
    const bodies = regions.map(({ shape, tlb }) => translateRegion(shape, this.setting(tlb)))
    const binary = buildModule(bodies)
    const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), this.imports)
    regions.forEach((region, number) => {
      region.bytes = bodies[number].bytes.length
      this.install(region, instance.exports[String(number)] as () => number)
    })
    const took = performance.now() - begin
    this.statistics.modules++
    this.statistics.bytes += binary.length
    this.statistics.milliseconds += took
    this.statistics.pauses.push(took)
    if (this.statistics.pauses.length > MOST_PAUSES) this.statistics.pauses.shift()
    this.evict()
  }

  private setting(tlb: number | undefined): Setting {
    const costOf = (offset: number) => this.core.global32(offset)
    return { costOf, hasCosts: CLASS_COSTS.some((offset) => costOf(offset) !== 0), onlyHart: this.core.options.harts === 1, tlb }
  }

  private install(region: Region, enter: () => number): void {
    const { table } = this.core.exports
    const { words } = this.core
    const index = this.freeIndices.pop() ?? this.nextIndex++
    if (index >= table.length) table.grow(Math.max(64, table.length))
    table.set(index, enter)
    region.index = index
    region.state = 'live'
    this.liveBytes += region.bytes
    const at = region.slot >>> 2
    const other = this.hidden.get(region.slot)
    this.hidden.set(region.slot, { low: other?.low ?? words[at], high: other?.high ?? words[at + 1], region })
    words[at] = COMPILED | (index << 16)
    words[at + 1] = region.shape.entry
    this.statistics.regions++
    this.statistics.live++
    for (const { body } of region.shape.blocks.values()) this.statistics.instructions += body.length + 1
  }

  /** Takes a region out of the way of the interpreter. */
  private drop(region: Region): void {
    const { words, bytes } = this.core
    if (region.state === 'live') {
      const entry = this.hidden.get(region.slot)
      if (entry?.region === region) {
        this.hidden.delete(region.slot)
        words[region.slot >>> 2] = entry.low
        words[(region.slot >>> 2) + 1] = entry.high
      }
      this.core.exports.table.set(region.index, null)
      this.freeIndices.push(region.index)
      this.liveBytes -= region.bytes
      this.statistics.live--
    }
    region.state = 'dropped'
    this.regions.delete(region)
    for (const page of region.pages.keys()) {
      const others = this.byPage.get(page)!
      others.delete(region)
      if (others.size === 0) this.byPage.delete(page)
      const at = page + CODE_PAGE_HALFWORDS
      bytes.fill(0, at, at + HALFWORD_BYTES)
      for (const other of others) {
        const bits = other.pages.get(page)!
        for (let i = 0; i < HALFWORD_BYTES; i++) bytes[at + i] |= bits[i]
      }
      words[(page + CODE_PAGE_COMPILED) >>> 2] = others.size > 0 ? 1 : 0
    }
  }

  /** Halfwords of a predecoded page changed. */
  codeChanged(page: number, first: number, last: number): void {
    for (const region of [...(this.byPage.get(page) ?? [])]) {
      const bits = region.pages.get(page)!
      for (let halfword = first; halfword <= last; halfword++) {
        if (((bits[halfword >>> 3] >>> (halfword & 7)) & 1) === 0) continue
        this.drop(region)
        this.coolDown(region)
        this.statistics.dropped++
        this.core.setGlobal32(G_REGION_DROPPED, 1)
        break
      }
    }
  }

  /** All predecoded pages are gone: no slot leads to a region any more. */
  codeForgotten(): void {
    const { table } = this.core.exports
    for (const region of this.regions) {
      if (region.state === 'live') {
        table.set(region.index, null)
        this.freeIndices.push(region.index)
        this.statistics.dropped++
      }
      region.state = 'dropped'
    }
    this.regions.clear()
    this.byPage.clear()
    this.hidden.clear()
    this.drops.clear()
    this.passedOver.clear()
    this.refusals.clear()
    this.core.bytes.fill(0, HEAT, HEAT + 2 * HEAT_ENTRIES)
    this.waiting = []
    this.waitingBlocks = 0
    this.liveBytes = 0
    this.statistics.live = 0
  }

  report(): JitReport {
    const { statistics } = this
    const sorted = [...statistics.pauses].sort((a, b) => a - b)
    return {
      compiledInstructions: this.core.globalCycle(G_COMPILED_RETIRED),
      regions: statistics.regions,
      liveRegions: statistics.live,
      droppedRegions: statistics.dropped,
      evictedRegions: statistics.evicted,
      modules: statistics.modules,
      wasmBytes: statistics.bytes,
      compileSeconds: statistics.milliseconds / 1000,
      pauseMilliseconds: { p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0, most: sorted.at(-1) ?? 0 },
    }
  }

  private evict(): void {
    for (const region of this.regions) {
      if (this.liveBytes <= this.mostBytes && this.statistics.live <= MOST_LIVE) return
      if (region.state !== 'live') continue
      this.drop(region)
      this.coolDown(region)
      this.statistics.evicted++
    }
  }

  /** Lets the place of a dropped region become hot again; code that changes all the time is left to the interpreter for long. */
  private coolDown({ slot }: Region): void {
    const drops = (this.drops.get(slot) ?? 0) + 1
    this.drops.set(slot, drops)
    if (drops <= MOST_DROPS) this.cool(slot)
  }
}

/**
 * Slow paths are marked as unlikely; an engine that ignores it keeps their calls from harming the fast paths less well (a third of the speed
 * on loads and stores). V8 has it on by default from 13.7 on, and behind a flag before.
 */
function allowBranchHints(): void {
  const [major, minor] = process.versions.v8.split('.').map(Number)
  if (major < 13 || (major === 13 && minor < 7)) setFlagsFromString('--experimental-wasm-branch-hinting')
}

/** Slots as a hart would fetch them now. */
class FetchedCode implements CodeSource {
  constructor(
    private readonly core: HartCore,
    private readonly hidden: ReadonlyMap<number, { readonly low: number; readonly high: number }>,
    private readonly hart: number,
    private readonly base: bigint,
  ) {}

  page(offset: number): number {
    const address = BigInt.asUintN(64, this.base + BigInt(offset))
    const index = Number((address / PAGE) % BigInt(FETCH_ENTRIES))
    const entry = this.core.words[(hartAddress(this.hart) + H_FETCH) >>> 2] + index * 16
    return this.core.view.getBigUint64(entry, true) === address ? this.core.words[(entry + 8) >>> 2] : 0
  }

  slot(address: number): readonly [low: number, high: number] {
    const hidden = this.hidden.get(address)
    const { words } = this.core
    // An entry that a store has overwritten is no entry any more.
    if (hidden && (words[address >>> 2] & 255) === COMPILED) return [hidden.low, hidden.high]
    return [words[address >>> 2], words[(address >>> 2) + 1]]
  }

  crossing(first: number, second: number): readonly [low: number, high: number] {
    this.core.exports.decodeCrossing(JIT_SLOT, first, second)
    return [this.core.words[JIT_SLOT >>> 2], this.core.words[(JIT_SLOT >>> 2) + 1]]
  }
}
