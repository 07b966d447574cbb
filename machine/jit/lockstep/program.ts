/**
 * Random programs that go round and round: blocks of the differential tests' items between random jumps, calls, jump tables and code that
 * rewrites itself. x27 counts the blocks that may still run, which ends every program.
 */
import { randomItem } from '../../hart/differential/items.ts'
import { itemsText, randomProgram, type TestProgram } from '../../hart/differential/program.ts'
import { Choice } from '../../hart/differential/random.ts'

export interface ProgramSize {
  readonly blocks: number
  readonly items: number
  /** Blocks that run. */
  readonly fuel: number
}

export const SMALL: ProgramSize = { blocks: 12, items: 5, fuel: 3000 }

export function randomLoops(seed: number, size: ProgramSize): TestProgram {
  const program = randomProgram(seed, 0)
  const choice = new Choice(seed ^ 0x5eed)
  // Data accesses do not reach the program's own memory while MPRV points them elsewhere.
  const ownsMemory = program.mode !== 'modified'
  const functions = ownsMemory ? choice.between(1, 3) : 0
  const text = [
    `  li x27, ${size.fuel}`,
    ...Array.from({ length: size.blocks }, (_, index) => block(choice, program, index, size, functions, ownsMemory)),
    `  j items_end`,
    ...Array.from({ length: functions }, (_, index) => callable(choice, program, index)),
    `items_end:`,
  ].join('\n')
  return { ...program, text }
}

/** Items that leave x27 alone; a few blocks have none, and some begin far away, on another page. */
function items(choice: Choice, { mode }: TestProgram, most: number): string {
  const chosen = Array.from({ length: choice.between(0, most) }, () => randomItem(choice, mode))
  return itemsText(chosen.filter(({ about }) => about !== 'jump to nowhere'))
}

const BITS = [0, 1, 2, 3, 4, 7]

function block(
  choice: Choice,
  program: TestProgram,
  index: number,
  { blocks, items: most }: ProgramSize,
  functions: number,
  ownsMemory: boolean,
): string {
  const target = () => `block${choice.below(blocks)}`
  const far = choice.chance(5) ? `  j 1f\n  .skip ${4 * choice.between(0, 2000)}\n1:\n` : ''
  const bit = choice.of(BITS)
  const test = `  srli x28, x27, ${bit}\n  andi x28, x28, 1`
  const ends = [
    '',
    `  j ${target()}`,
    `${test}\n  bnez x28, 2f\n  j ${target()}\n2:`,
    `${test}\n  beqz x28, 2f\n  j ${target()}\n2:`,
    // A short way back to this very block.
    `${test}\n  bnez x28, block${index}`,
    `  la x28, 3f\n  andi x29, x27, 3\n  slli x29, x29, 2\n  add x28, x28, x29\n  jr x28\n3:\n  j ${target()}\n  j ${target()}\n  j ${target()}\n  j ${target()}`,
  ]
  if (functions > 0)
    ends.push(`  jal x1, function${choice.below(functions)}`, `  jal x1, function${choice.below(functions)}\n  j ${target()}`)
  if (ownsMemory) ends.push(rewrite(choice, blocks))
  const label = ownsMemory ? `patch${index}:\n  addi x9, x9, 1\n` : ''
  return `${far}block${index}:\n  addi x27, x27, -1\n  bgtz x27, 1f\n  j items_end\n1:\n${items(choice, program, most)}\n${label}${choice.of(ends)}`
}

/** Every other time round another instruction in some block, with a fence or without. */
function rewrite(choice: Choice, blocks: number): string {
  const patch = `patch${choice.below(blocks)}`
  // addi x9, x9, imm with the counter's low bits as the immediate.
  return `  la x28, ${patch}\n  andi x29, x27, 3\n  slli x29, x29, 20\n  addi x29, x29, 0x493\n  lui x26, 0x48\n  add x29, x29, x26\n  la x26, constants\n  sw x29, 0(x28)\n${choice.chance(2) ? '  fence.i' : ''}`
}

/** A leaf or a caller of the next function, with its return address in memory of its own. */
function callable(choice: Choice, program: TestProgram, index: number): string {
  const calls = index > 0 && choice.chance(2) ? `  jal x1, function${index - 1}` : ''
  return `
function${index}:
  la x28, return${index}
  sd x1, 0(x28)
${items(choice, program, 4)}
${calls}
  la x28, return${index}
  ld x1, 0(x28)
  ret
.balign 8
return${index}: .dword 0`
}
