/** Which registers are alive where. Needs: machine code with predecessors. Gives: live-in and live-out sets per block. */
import { forEachDefinition, forEachUse, FIRST_VIRTUAL, type MachineBlock, type MachineFunction } from './machine.ts'

/** A set of small numbers as a bit field. */
export class BitSet {
  readonly words: Uint32Array

  constructor(size: number) {
    this.words = new Uint32Array((size + 31) >>> 5)
  }

  has(index: number): boolean {
    return (this.words[index >>> 5] & (1 << (index & 31))) !== 0
  }

  add(index: number): void {
    this.words[index >>> 5] |= 1 << (index & 31)
  }

  delete(index: number): void {
    this.words[index >>> 5] &= ~(1 << (index & 31))
  }

  forEach(visit: (index: number) => void): void {
    for (let word = 0; word < this.words.length; word++) {
      let bits = this.words[word]
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits)
        visit(word * 32 + bit)
        bits &= bits - 1
      }
    }
  }
}

export interface Liveness {
  readonly liveIn: Map<MachineBlock, BitSet>
  readonly liveOut: Map<MachineBlock, BitSet>
}

/** Liveness of virtual registers (numbered from 0 here: register - FIRST_VIRTUAL). */
export function computeLiveness(fn: MachineFunction): Liveness {
  const size = fn.registers - FIRST_VIRTUAL
  const liveIn = new Map<MachineBlock, BitSet>()
  const liveOut = new Map<MachineBlock, BitSet>()
  const killed = new Map<MachineBlock, BitSet>()
  for (const block of fn.blocks) {
    const used = new BitSet(size)
    const defined = new BitSet(size)
    for (const instruction of block.instructions) {
      forEachUse(instruction, (register) => {
        if (register >= FIRST_VIRTUAL && !defined.has(register - FIRST_VIRTUAL)) used.add(register - FIRST_VIRTUAL)
      })
      forEachDefinition(instruction, (register) => {
        if (register >= FIRST_VIRTUAL) defined.add(register - FIRST_VIRTUAL)
      })
    }
    liveIn.set(block, used)
    killed.set(block, defined)
    liveOut.set(block, new BitSet(size))
  }
  for (let changed = true; changed;) {
    changed = false
    for (let index = fn.blocks.length - 1; index >= 0; index--) {
      const block = fn.blocks[index]
      const out = liveOut.get(block)!.words
      const into = liveIn.get(block)!.words
      const kill = killed.get(block)!.words
      for (const successor of block.successors) {
        const from = liveIn.get(successor)!.words
        for (let word = 0; word < out.length; word++) out[word] |= from[word]
      }
      for (let word = 0; word < out.length; word++) {
        const next = (into[word] | (out[word] & ~kill[word])) >>> 0
        if (next !== into[word]) {
          into[word] = next
          changed = true
        }
      }
    }
  }
  return { liveIn, liveOut }
}
