/**
 * Order, dominators and natural loops. Needs: every block has its terminator and edges. Gives: `blocks` in reverse
 * post-order without unreachable ones, `order`, `dominator` and `loopDepth` of each block.
 * Dominators: Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm".
 */
import type { Block, IrFunction } from './ir.ts'

export interface Loop {
  readonly header: Block
  readonly blocks: Set<Block>
  parent: Loop | undefined
}

/** Puts blocks in reverse post-order and forgets unreachable ones and their edges. */
export function orderBlocks(fn: IrFunction): void {
  const visited = new Set<Block>()
  const post: Block[] = []
  // An explicit stack: deep nesting must not overflow ours.
  const stack: { block: Block; next: number }[] = [{ block: fn.entry, next: 0 }]
  visited.add(fn.entry)
  while (stack.length) {
    const top = stack[stack.length - 1]
    if (top.next < top.block.successors.length) {
      const to = top.block.successors[top.next++].to
      if (!visited.has(to)) {
        visited.add(to)
        stack.push({ block: to, next: 0 })
      }
    } else {
      post.push(top.block)
      stack.pop()
    }
  }
  fn.blocks = post.reverse()
  fn.blocks.forEach((block, index) => {
    block.order = index
    if (block.predecessors.some((edge) => !visited.has(edge.from)))
      block.predecessors = block.predecessors.filter((edge) => visited.has(edge.from))
  })
}

/** Orders the blocks and computes immediate dominators. */
export function computeDominators(fn: IrFunction): void {
  orderBlocks(fn)
  const [entry, ...rest] = fn.blocks
  for (const block of fn.blocks) block.dominator = undefined
  entry.dominator = entry
  for (let changed = true; changed;) {
    changed = false
    for (const block of rest) {
      let dominator: Block | undefined
      for (const { from } of block.predecessors) {
        if (!from.dominator) continue
        dominator = dominator ? intersect(dominator, from) : from
      }
      if (dominator !== block.dominator) {
        block.dominator = dominator
        changed = true
      }
    }
  }
  entry.dominator = undefined
}

function intersect(a: Block, b: Block): Block {
  while (a !== b) {
    while (a.order > b.order) a = a.dominator!
    while (b.order > a.order) b = b.dominator!
  }
  return a
}

/** True when every path to `b` passes `a`. */
export function dominates(a: Block, b: Block | undefined): boolean {
  while (b && b.order > a.order) b = b.dominator
  return a === b
}

/** Natural loops, inner before outer. Needs dominators; sets `loopDepth`. */
export function findLoops(fn: IrFunction): Loop[] {
  const loops = new Map<Block, Loop>()
  for (const block of fn.blocks) {
    block.loopDepth = 0
    for (const { to } of block.successors) {
      if (to.order > block.order || !dominates(to, block)) continue
      let loop = loops.get(to)
      if (!loop) loops.set(to, (loop = { header: to, blocks: new Set([to]), parent: undefined }))
      const work = [block]
      while (work.length) {
        const member = work.pop()!
        if (loop.blocks.has(member)) continue
        loop.blocks.add(member)
        for (const edge of member.predecessors) work.push(edge.from)
      }
    }
  }
  const sorted = [...loops.values()].sort((a, b) => a.blocks.size - b.blocks.size)
  sorted.forEach((loop, index) => {
    for (const block of loop.blocks) block.loopDepth++
    loop.parent = sorted.slice(index + 1).find((outer) => outer !== loop && outer.blocks.has(loop.header))
  })
  return sorted
}

/** Children of each block in the dominator tree. */
export function dominatorTree(fn: IrFunction): Map<Block, Block[]> {
  const children = new Map<Block, Block[]>(fn.blocks.map((block) => [block, []]))
  for (const block of fn.blocks) if (block.dominator) children.get(block.dominator)!.push(block)
  return children
}
