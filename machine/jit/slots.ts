/** Reads instructions from the core's predecoded slots (machine/hart/layout.ts draws them). */
import { X_DISCARD } from '../hart/layout.ts'
import { groupMembers, identifier, jumpVariants, operations } from '../hart/operations.ts'

export interface Instruction {
  /** Half of it lies on the next page. */
  readonly crosses: boolean
  /** Bytes from the region's base. */
  readonly offset: number
  readonly length: number
  /** As in machine/isa, with underscores: `beq`, `fadd_d`. */
  readonly name: string
  /** The operation of the slot, and its immediate as it stands there. */
  readonly operation: number
  readonly raw: number
  /** 0 also for what only swallows a result. */
  readonly rd: number
  readonly rs1: number
  readonly rs2: number
  /** Of jumps: bytes from the instruction to its target. */
  readonly immediate: number
}

interface Decoded {
  readonly name: string
  readonly length: number
  readonly jump: (typeof jumpVariants)[number] | undefined
}

const decoded: readonly Decoded[] = operations.map((operation) => {
  const isShort = operation.startsWith('c_')
  const long = isShort ? operation.slice(2) : operation
  const jump = jumpVariants.find((variant) => long.endsWith(`_${variant}`))
  return { name: jump ? long.slice(0, -jump.length - 1) : long, length: isShort ? 2 : 4, jump }
})

const groups: Readonly<Record<string, readonly string[]>> = {
  float: groupMembers('float').map(({ name }) => identifier(name)),
  amo: groupMembers('amo').map(({ name }) => identifier(name)),
  system: groupMembers('system').map(({ name }) => identifier(name)),
}

/** Slots that no region may contain: it ends before them. */
const STOPS = new Set(['undecoded', 'page_end', 'crossing', 'breakpoint', 'compiled', 'illegal'])

export const CROSSING = operations.indexOf('crossing')
export const COMPILED = operations.indexOf('compiled')
export const FLOAT_GROUP = operations.indexOf('float')

/** The instruction in a slot, given as its two words; undefined when it is none that a region could contain. */
export function readSlot(low: number, high: number, offset: number, crosses = false): Instruction | undefined {
  const operation = low & 255
  const { name, length, jump } = decoded[operation]
  if (STOPS.has(name)) return undefined
  const raw = high | 0
  const rd = (low >>> 8) & 255
  return {
    crosses,
    offset,
    length,
    name: groups[name]?.[raw & 255] ?? name,
    operation,
    raw,
    rd: rd === X_DISCARD ? 0 : rd,
    rs1: (low >>> 16) & 255,
    rs2: low >>> 24,
    // A near jump's immediate counts bytes of slots.
    immediate: jump === undefined || jump === 'far' ? raw : raw >> 2,
  }
}
