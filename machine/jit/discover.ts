/** Chooses what a region contains: the blocks that can be reached from its entry over code that has run, calls and returns included. */
import { SLOT_BYTES } from '../hart/layout.ts'
import { CROSSING, type Instruction, readSlot } from './slots.ts'

/** Where control goes behind a block. Offsets that name no block of the region leave it. */
export type End =
  | { readonly kind: 'go'; readonly to: number }
  | { readonly kind: 'branch'; readonly instruction: Instruction; readonly to: number; readonly next: number }
  | { readonly kind: 'jump'; readonly instruction: Instruction; readonly to: number }
  /** jalr; `likely`: blocks of the region that it may lead to. */
  | { readonly kind: 'indirect'; readonly instruction: Instruction; readonly likely: readonly number[] }

export interface Block {
  readonly offset: number
  /** Without the jump that ends it. */
  readonly body: readonly Instruction[]
  readonly end: End
}

export interface Shape {
  readonly entry: number
  readonly blocks: ReadonlyMap<number, Block>
  /** Predecoded pages by page offset from the base. */
  readonly pages: ReadonlyMap<number, number>
}

/** Where slots are: of a predecoded page, and the two words of a slot, what a region's entry hides included. */
export interface CodeSource {
  /** The predecoded page that the hart would fetch from at base + offset, or 0. */
  page(offset: number): number
  slot(address: number): readonly [low: number, high: number]
  /** The words of the instruction that begins at the end of one predecoded page and ends in another. */
  crossing(first: number, second: number): readonly [low: number, high: number]
}

const MOST_INSTRUCTIONS = 2500
const MOST_BLOCKS = 256
/** Return sites that a return compares its target with. */
const MOST_LIKELY = 6

const PAGE = 4096

const ENDS = new Set(['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu', 'jal', 'jalr'])
/** What the interpreter executes: it changes mode, waits, or forgets translations. */
const LEFT_OUT = new Set(
  ['ecall', 'ebreak', 'mret', 'sret', 'uret', 'wfi', 'sfence_vma', 'sfence_vm'].concat(
    ['send', 'write', 'read', 'activate', 'deactivate'].map((name) => `uipi_${name}`),
  ),
)

const isLink = (register: number) => register === 1 || register === 5
const isCall = ({ name, rd }: Instruction) => name === 'jal' && isLink(rd)
const isReturn = ({ name, rd, rs1 }: Instruction) => name === 'jalr' && rd === 0 && isLink(rs1)

/** The region that begins at an offset; undefined when none can begin there. */
export function discover(entry: number, source: CodeSource): Shape | undefined {
  const pages = new Map<number, number>()
  const pageAt = (page: number) => {
    if (!pages.has(page)) pages.set(page, source.page(page))
    return pages.get(page)!
  }
  const read = (offset: number): Instruction | undefined => {
    const page = Math.floor(offset / PAGE) * PAGE
    const first = pageAt(page)
    if (first === 0) return undefined
    const words = source.slot(first + ((offset - page) / 2) * SLOT_BYTES)
    const crosses = (words[0] & 255) === CROSSING
    if (crosses && pageAt(page + PAGE) === 0) return undefined
    const instruction = crosses ? readSlot(...source.crossing(first, pageAt(page + PAGE)), offset, true) : readSlot(...words, offset)
    return instruction && !LEFT_OUT.has(instruction.name) ? instruction : undefined
  }

  const found = new Map<number, Instruction>()
  const leaders = new Set<number>()
  const calls: { site: number; to: number }[] = []
  const waiting = [entry]
  // Where the second page is not mapped any more the region would leave without having done anything.
  if (read(entry)?.crosses !== false) return undefined
  while (waiting.length > 0) {
    let offset = waiting.shift()!
    if (leaders.has(offset) || leaders.size >= MOST_BLOCKS) continue
    leaders.add(offset)
    while (!found.has(offset) && found.size < MOST_INSTRUCTIONS) {
      const instruction = read(offset)
      if (!instruction) break
      found.set(offset, instruction)
      const next = offset + instruction.length
      const { name } = instruction
      if (name === 'jalr') break
      if (name === 'jal') {
        const to = offset + instruction.immediate
        waiting.push(to)
        if (isCall(instruction) && read(to)) {
          waiting.push(next)
          calls.push({ site: next, to })
        }
        break
      }
      if (ENDS.has(name)) {
        waiting.push(offset + instruction.immediate)
        waiting.push(next)
        break
      }
      offset = next
    }
    if (found.has(offset)) leaders.add(offset)
  }

  const blocks = new Map<number, Block>()
  for (const leader of leaders) {
    if (!found.has(leader)) continue
    const body: Instruction[] = []
    let offset = leader
    let end: End | undefined
    for (;;) {
      const instruction = found.get(offset)
      if (!instruction || (offset !== leader && leaders.has(offset))) break
      const next = offset + instruction.length
      const { name } = instruction
      if (name === 'jalr') end = { kind: 'indirect', instruction, likely: [] }
      else if (name === 'jal') end = { kind: 'jump', instruction, to: offset + instruction.immediate }
      else if (ENDS.has(name)) end = { kind: 'branch', instruction, to: offset + instruction.immediate, next }
      if (end) break
      body.push(instruction)
      offset = next
      // The next page is looked up anew.
      if (Math.floor(offset / PAGE) !== Math.floor(leader / PAGE)) break
    }
    blocks.set(leader, { offset: leader, body, end: end ?? { kind: 'go', to: offset } })
    // What follows over a page's end is a block of its own.
    if (!end && found.has(offset) && !leaders.has(offset)) leaders.add(offset)
  }
  resolveReturns(blocks, calls)
  for (const [page, first] of pages) if (first === 0) pages.delete(page)
  return { entry, blocks, pages }
}

/** Gives each return the sites behind the calls of functions that it belongs to. */
function resolveReturns(blocks: Map<number, Block>, calls: readonly { site: number; to: number }[]): void {
  const sites = new Map<number, Set<number>>()
  for (const callee of new Set(calls.map(({ to }) => to))) {
    const returnSites = calls.filter(({ to, site }) => to === callee && blocks.has(site)).map(({ site }) => site)
    for (const block of returnsOf(callee, blocks)) {
      const known = sites.get(block) ?? new Set()
      returnSites.forEach((site) => known.add(site))
      sites.set(block, known)
    }
  }
  for (const [offset, likely] of sites) {
    const block = blocks.get(offset)!
    if (block.end.kind !== 'indirect') continue
    blocks.set(offset, { ...block, end: { ...block.end, likely: [...likely].slice(0, MOST_LIKELY) } })
  }
}

/** Blocks that return from the function that begins at `start`. */
function returnsOf(start: number, blocks: ReadonlyMap<number, Block>): number[] {
  const seen = new Set<number>()
  const waiting = [start]
  const found: number[] = []
  while (waiting.length > 0) {
    const offset = waiting.pop()!
    const block = blocks.get(offset)
    if (!block || seen.has(offset)) continue
    seen.add(offset)
    const { end } = block
    if (end.kind === 'go') waiting.push(end.to)
    else if (end.kind === 'branch') waiting.push(end.to, end.next)
    else if (end.kind === 'jump') waiting.push(isCall(end.instruction) ? end.instruction.offset + end.instruction.length : end.to)
    else if (isReturn(end.instruction)) found.push(offset)
  }
  return found
}
