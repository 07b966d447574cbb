/** Order of blocks: loops in one piece before allocation, tests at the bottom and cold code at the end after it. */
import { MachineInstruction, type MachineBlock, type MachineFunction } from './machine.ts'

/** Puts each loop's blocks next to each other. Needs: blocks in reverse post-order, reducible. Gives: the same property, loops contiguous. */
export function arrangeLoops(fn: MachineFunction): void {
  const members = loopsOf(fn)
  const placed = new Set<MachineBlock>()
  const order: MachineBlock[] = []
  const place = (candidates: Iterable<MachineBlock>, around: MachineBlock | undefined): void => {
    for (const block of candidates) {
      if (placed.has(block)) continue
      const loop = block === around ? undefined : members.get(block)
      if (loop) {
        placed.add(block)
        order.push(block)
        place(
          fn.blocks.filter((member) => loop.has(member)),
          block,
        )
      } else {
        placed.add(block)
        order.push(block)
      }
    }
  }
  place(fn.blocks, undefined)
  fn.blocks = order
}

/** Members of each loop by header. */
function loopsOf(fn: MachineFunction): Map<MachineBlock, Set<MachineBlock>> {
  const index = new Map(fn.blocks.map((block, position) => [block, position]))
  const loops = new Map<MachineBlock, Set<MachineBlock>>()
  for (const block of fn.blocks) {
    for (const header of block.successors) {
      if (index.get(header)! > index.get(block)!) continue
      let loop = loops.get(header)
      if (!loop) loops.set(header, (loop = new Set([header])))
      const work = [block]
      while (work.length) {
        const member = work.pop()!
        if (loop.has(member)) continue
        loop.add(member)
        work.push(...member.predecessors)
      }
    }
  }
  return loops
}

/** The final order. Needs: allocated code. Gives: jumps to the next block gone, empty blocks gone, loop tests at the bottom. */
export function layOut(fn: MachineFunction): MachineBlock[] {
  threadJumps(fn)
  const reachable = new Set<MachineBlock>()
  const work = [fn.blocks[0]]
  while (work.length) {
    const block = work.pop()!
    if (reachable.has(block)) continue
    reachable.add(block)
    work.push(...block.successors)
  }
  const order = fn.blocks.filter((block) => reachable.has(block) && !block.cold)
  rotateLoops(order)
  return [...order, ...fn.blocks.filter((block) => reachable.has(block) && block.cold)]
}

/** A block that only jumps is skipped by those who jump to it. */
function threadJumps(fn: MachineFunction): void {
  const destination = (block: MachineBlock): MachineBlock => {
    const seen = new Set<MachineBlock>()
    while (block.instructions.length === 1 && block.instructions[0].op === 'j' && block.successors[0] !== block && !seen.has(block)) {
      seen.add(block)
      block = block.successors[0]
    }
    return block
  }
  for (const block of fn.blocks) {
    block.successors = block.successors.map(destination)
    const last = block.instructions[block.instructions.length - 1]
    if (block.successors.length === 2 && block.successors[0] === block.successors[1] && last.op[0] === 'b') {
      block.successors.length = 1
      block.instructions[block.instructions.length - 1] = new MachineInstruction('j', last.position)
    }
  }
}

/**
 * A loop that tests at its top and jumps back from its bottom pays for two branches each time round: put the header last,
 * so that the body falls into the test and the test branches back to the body.
 */
function rotateLoops(order: MachineBlock[]): void {
  for (let bottom = 0; bottom < order.length; bottom++) {
    const latch = order[bottom]
    if (latch.successors.length !== 1) continue
    const top = order.indexOf(latch.successors[0])
    if (top < 0 || top >= bottom) continue
    const header = order[top]
    if (header.successors.length !== 2 || top === 0) continue
    const inside = new Set(order.slice(top, bottom + 1))
    // The test must leave the loop, and go on with the block that will be first.
    const leaves = header.successors.some((to) => !inside.has(to))
    const next = order[top + 1]
    if (!leaves || !header.successors.includes(next)) continue
    // If another block falls into the header it would need a jump in its place; the preheader's jump runs once.
    order.splice(top, 1)
    order.splice(bottom, 0, header)
  }
}
