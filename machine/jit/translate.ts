/**
 * A region as one WebAssembly function (hart, base): its blocks in structured control flow, with a dispatcher in front for loops that are
 * entered in several places. Check points are where the interpreter has them: taken backward jumps, jalr, CSR instructions.
 */
import * as L from '../hart/layout.ts'
import { type Code, I32 } from './code.ts'
import type { Block, End, Shape } from './discover.ts'
import { translateFloat } from './float.ts'
import { Frame, type Setting } from './frame.ts'
import { integerValue, pushCondition } from './integer.ts'
import { translateAccess } from './memory.ts'
import type { Instruction } from './slots.ts'
import { structure, type Tree } from './structure.ts'

const PAGE = 4096
const pageOf = (offset: number) => Math.floor(offset / PAGE) * PAGE

/** Node 0, in front of the blocks. */
const DISPATCHER = 0

export function translateRegion(shape: Shape, setting: Setting): Code {
  return new Translation(shape, setting).run()
}

class Translation {
  private readonly frame: Frame
  private readonly code: Code
  private readonly selector: number
  /** Nodes are the dispatcher, then blocks; `numbers` finds the node of a block. */
  private readonly blocks: readonly Block[]
  private readonly numbers: ReadonlyMap<number, number>
  /** What the dispatcher leads to: nodes, by the selector's value. */
  private readonly targets: number[]
  /** Edges that go through the dispatcher: `from * count + to`. */
  private readonly redirected = new Set<number>()
  private tree!: Tree
  private readonly loops: object[]
  private readonly merges: object[]

  constructor(
    private readonly shape: Shape,
    setting: Setting,
  ) {
    this.frame = new Frame(shape, setting)
    this.code = this.frame.code
    this.selector = this.code.local(I32)
    this.blocks = reachable(shape)
    this.numbers = new Map(this.blocks.map(({ offset }, index) => [offset, index + 1]))
    this.targets = [this.numbers.get(shape.entry)!]
    this.loops = this.blocks.map(() => ({})).concat({})
    this.merges = this.blocks.map(() => ({})).concat({})
  }

  run(): Code {
    this.tree = this.findStructure()
    this.node(DISPATCHER)
    return this.frame.finish()
  }

  private findStructure(): Tree {
    const count = this.blocks.length + 1
    for (;;) {
      const successors = [
        [...new Set(this.targets)],
        ...this.blocks.map(({ end }, index) =>
          successorsOf(end)
            .map((offset) => this.numbers.get(offset))
            .filter((node) => node !== undefined)
            .map((node) => (this.redirected.has((index + 1) * count + node) ? DISPATCHER : node)),
        ),
      ]
      const result = structure({ successors })
      if (result.kind === 'tree') return result.tree
      for (const [from, to] of result.edges) {
        this.redirected.add(from * count + to)
        if (!this.targets.includes(to)) this.targets.push(to)
      }
    }
  }

  /** The code of a node and of all that it dominates. */
  private node(node: number): void {
    const { code, tree } = this
    const isBlock = (child: number) => tree.isMerge[child] || node === DISPATCHER
    const blocks = tree.children[node].filter(isBlock).sort((a, b) => tree.order[a] - tree.order[b])
    if (tree.isLoop[node]) code.loop(this.loops[node])
    for (const child of [...blocks].reverse()) code.block(this.merges[child])
    if (node === DISPATCHER) this.dispatch()
    else this.block(node)
    for (const child of blocks) {
      code.end()
      this.node(child)
    }
    if (tree.isLoop[node]) code.end()
  }

  private dispatch(): void {
    if (this.targets.length === 1) this.code.branch(this.merges[this.targets[0]])
    else {
      this.code.get(this.selector)
      this.code.branchTable(this.targets.map((target) => this.merges[target]))
    }
  }

  private block(node: number): void {
    const { frame, code } = this
    const { body, end } = this.blocks[node - 1]
    frame.beginBlock()
    for (const instruction of body) {
      this.secondHalf(instruction)
      frame.countInstruction()
      this.instruction(instruction)
    }
    if (end.kind === 'go') {
      frame.flushTime()
      this.goto(node, end.to)
      return
    }
    const { instruction } = end
    this.secondHalf(instruction)
    frame.countInstruction()
    if (end.kind === 'jump') {
      this.link(instruction)
      frame.charge(L.COST_JUMP)
      frame.flushTime()
      if (instruction.immediate <= 0) this.checkPoint(end.to)
      this.goto(node, end.to)
    } else if (end.kind === 'branch') {
      frame.flushTime()
      pushCondition(frame, instruction)
      code.if()
      frame.charge(L.COST_BRANCH_TAKEN)
      frame.flushTime()
      if (instruction.immediate <= 0) this.checkPoint(end.to)
      this.goto(node, end.to)
      code.else()
      this.goto(node, end.next)
      code.end()
      code.op('unreachable')
    } else this.indirect(node, instruction, end.likely)
  }

  /** An instruction that ends on the next page runs only where that is what the region was made from. */
  private secondHalf({ crosses, offset }: Instruction): void {
    if (crosses) this.leaveUnlessMapped(pageOf(offset) + PAGE, offset)
  }

  private instruction(instruction: Instruction): void {
    const { frame } = this
    const { name, rd } = instruction
    if (name === 'fence' || name === 'fence_i') return this.fence(instruction)
    if (translateAccess(frame, instruction) || translateFloat(frame, instruction)) return
    if (rd === 0 && !name.startsWith('f')) {
      chargeArithmetic(frame, name)
      return
    }
    if (!integerValue(frame, instruction)) throw new Error(`the JIT does not know ${name}`)
    frame.setX(rd)
    chargeArithmetic(frame, name)
  }

  /** Memory is sequentially consistent and regions go when their code changes: a fence costs, and the hart looks up. */
  private fence({ offset, length }: Instruction): void {
    this.frame.charge(L.COST_FENCE)
    this.frame.flushTime()
    this.checkPoint(offset + length)
  }

  private link({ rd, offset, length }: Instruction): void {
    if (rd === 0) return
    this.frame.pushPc(offset + length)
    this.frame.setX(rd)
  }

  private indirect(node: number, instruction: Instruction, likely: readonly number[]): void {
    const { frame, code } = this
    frame.getX(instruction.rs1)
    if (instruction.raw !== 0) {
      code.i64(instruction.raw)
      code.op('i64_add')
    }
    code.i64(-2)
    code.op('i64_and')
    code.set(frame.pc)
    this.link(instruction)
    frame.charge(L.COST_JUMP)
    frame.flushTime()
    frame.pushTimeHasCome()
    code.if(false)
    frame.lookUpAtPc()
    code.end()
    for (const target of likely) {
      if (!this.numbers.has(target)) continue
      code.get(frame.pc)
      frame.pushPc(target)
      code.op('i64_eq')
      code.if()
      this.leaveUnlessMapped(pageOf(target), target)
      this.branchTo(node, target)
      code.end()
    }
    frame.leaveForPc()
  }

  /** The hart looks up when its time has come, and goes on at the target then. */
  private checkPoint(target: number): void {
    const { frame, code } = this
    frame.pushTimeHasCome()
    code.if(false)
    frame.pushPc(target)
    code.set(frame.pc)
    frame.lookUpAtPc()
    code.end()
  }

  /** To the block at an offset, or out of the region. */
  private goto(from: number, to: number): void {
    if (!this.numbers.has(to)) {
      this.frame.leave(to)
      return
    }
    const source = this.blocks[from - 1].end
    const last = source.kind === 'go' ? this.blocks[from - 1].offset : source.instruction.offset
    // A jump that crosses pages itself looks its target up wherever that is.
    const crosses = source.kind !== 'go' && source.instruction.crosses
    if (crosses || pageOf(last) !== pageOf(to)) this.leaveUnlessMapped(pageOf(to), to)
    this.branchTo(from, to)
  }

  /** Leaves for `offset` where the fetch table does not have, for a page, what the region was made from: the interpreter looks there too. */
  private leaveUnlessMapped(page: number, offset: number): void {
    const { frame, code } = this
    frame.pushPc(page)
    code.tee(frame.wide)
    code.i64(12)
    code.op('i64_shr_u', 'i32_wrap_i64')
    code.i32(L.FETCH_ENTRIES - 1)
    code.op('i32_and')
    code.i32(4)
    code.op('i32_shl')
    frame.loadHart('i32_load', L.H_FETCH)
    code.op('i32_add')
    code.tee(frame.word)
    code.memory('i64_load', 0)
    code.get(frame.wide)
    code.op('i64_ne')
    code.get(frame.word)
    code.memory('i32_load', 8)
    code.i32(this.shape.pages.get(page)!)
    code.op('i32_ne', 'i32_or')
    code.if(false)
    frame.leave(offset)
    code.end()
  }

  private branchTo(from: number, offset: number): void {
    const { code, tree } = this
    const to = this.numbers.get(offset)!
    if (this.redirected.has(from * (this.blocks.length + 1) + to)) {
      code.i32(this.targets.indexOf(to))
      code.set(this.selector)
      code.branch(this.loops[DISPATCHER])
    } else if (tree.order[to] <= tree.order[from]) code.branch(this.loops[to])
    else if (tree.isMerge[to] || tree.parent[to] === DISPATCHER) code.branch(this.merges[to])
    else this.node(to)
  }
}

const MULTIPLICATIONS = new Set(['mul', 'mulh', 'mulhsu', 'mulhu', 'mulw'])
const DIVISIONS = new Set(['div', 'divu', 'rem', 'remu', 'divw', 'divuw', 'remw', 'remuw'])

function chargeArithmetic(frame: Frame, name: string): void {
  if (MULTIPLICATIONS.has(name)) frame.charge(L.COST_MUL)
  else if (DIVISIONS.has(name)) frame.charge(L.COST_DIV)
}

function successorsOf(end: End): readonly number[] {
  if (end.kind === 'branch') return [end.to, end.next]
  if (end.kind === 'indirect') return end.likely
  return [end.to]
}

/** Blocks that control can reach from the entry: others have no place in the structure. */
function reachable({ entry, blocks }: Shape): Block[] {
  const found = new Map<number, Block>()
  const waiting = [entry]
  while (waiting.length > 0) {
    const block = blocks.get(waiting.pop()!)
    if (!block || found.has(block.offset)) continue
    found.set(block.offset, block)
    waiting.push(...successorsOf(block.end))
  }
  return [...found.values()]
}
