/** A program instruction by instruction, each with the source line it came from: what the stage view and stepping read. */
import { BOARD_TIMING, type HartCosts } from '../../machine/board/timing.ts'
import { decode } from '../../machine/isa/codec.ts'
import type { CostClass } from '../../machine/isa/instructions.ts'
import { SymbolNames, disassembleBytes } from '../../machine/toolchain/disassembler/index.ts'
import { readDebugInfo } from '../../machine/toolchain/dwarf/index.ts'
import { readElf } from '../../machine/toolchain/elf/index.ts'
import type { Timing } from '../protocol/index.ts'

export interface ListedLine {
  readonly address: bigint
  readonly word: number
  readonly length: 2 | 4
  readonly text: string
  readonly cost: CostClass
  readonly file?: string
  readonly line?: number
  readonly symbol?: string
}

/** Lists at most this many instructions. */
const MOST_LINES = 200_000

export function listProgram(bytes: Uint8Array): ListedLine[] {
  const elf = readElf(bytes)
  const names = new SymbolNames(elf)
  const debug = readDebugInfo(elf)
  const target = (address: bigint) => names.at(address) ?? `0x${address.toString(16)}`
  return elf.sections
    .filter((section) => section.flags.execute && section.bytes.length > 0)
    .flatMap((section) => disassembleBytes(section.bytes, section.address, { pseudo: true, target }))
    .slice(0, MOST_LINES)
    .map(({ address, word, length, mnemonic, operands }) => {
      const position = debug.lineAt(address)
      return {
        ...{ address, word, length, text: operands ? `${mnemonic} ${operands}` : mnemonic },
        cost: decode(word)?.instruction.cost ?? 'alu',
        ...(position && { file: position.file, line: position.line }),
        symbol: names.at(address),
      }
    })
}

const COST: Partial<Record<CostClass, keyof HartCosts>> = {
  load: 'load',
  store: 'store',
  branch: 'branchTaken',
  jump: 'jump',
  mul: 'mul',
  div: 'div',
  fpAdd: 'fpAdd',
  fpMul: 'fpMul',
  fpDiv: 'fpDiv',
  fpSqrt: 'fpSqrt',
  fpMove: 'fpMove',
  fpConvert: 'fpConvert',
  amo: 'amo',
  csr: 'csr',
  fence: 'fence',
}

/** Cycles of an instruction in a timing profile: a branch counts as taken; misses, devices and traps come on top. */
export function cyclesOf(cost: CostClass, timing: Timing): number {
  const name = COST[cost]
  return 1 + (name ? BOARD_TIMING[timing].costs[name] : 0)
}
