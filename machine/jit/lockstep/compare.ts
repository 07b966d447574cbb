/** Runs a program by the interpreter and by the JIT side by side and compares the machines every few cycles. */
import { hartAddress } from '../../hart/core.ts'
import { buildProgram, type TestProgram } from '../../hart/differential/program.ts'
import { Choice } from '../../hart/differential/random.ts'
import * as L from '../../hart/layout.ts'
import { ConsoleStream } from '../../backend/console.ts'
import { boot, type BootOptions } from '../../board/boot.ts'
import type { RunResult } from '../../board/machine.ts'
import { VirtBoard, type VirtOptions } from '../../board/virt.ts'
import { boardTraceKinds } from '../../trace/kinds.ts'

/** State of a hart that is the engine's own: what no instruction reads, and where it is in predecoded code. */
const ENGINES_OWN: readonly (readonly [offset: number, bytes: number])[] = [
  [L.H_X + 8 * L.X_DISCARD, 8],
  [L.H_BIAS, 8],
  [L.H_FAULTED, 4],
  [L.H_SCRATCH, L.H_FILL_COUNT - L.H_SCRATCH],
]

export interface Pair {
  readonly interpreter: VirtBoard
  readonly jit: VirtBoard
}

/** Two boards that differ in nothing but the engine. */
export function pair(options: Omit<VirtOptions, 'console' | 'engine'>, request: BootOptions, threshold = 2): Pair {
  const build = (engine: 'interpreter' | 'jit') => {
    const board = new VirtBoard({ ...options, engine, console: new ConsoleStream() })
    if (board.machine.jit) board.machine.jit.threshold = threshold
    boot(board, request)
    board.machine.trace.enable(boardTraceKinds)
    return board
  }
  return { interpreter: build('interpreter'), jit: build('jit') }
}

/** Both up to a cycle. The first difference between them, in words. */
export function advance({ interpreter, jit }: Pair, cycle: number): { result: RunResult; difference: string | undefined } {
  const result = interpreter.machine.run(cycle)
  const other = jit.machine.run(cycle)
  const same = JSON.stringify(result, textOfBigint) === JSON.stringify(other, textOfBigint)
  return {
    result,
    difference: same
      ? stateDifference({ interpreter, jit })
      : `the interpreter ends with ${JSON.stringify(result, textOfBigint)}, the JIT with ${JSON.stringify(other, textOfBigint)}`,
  }
}

const textOfBigint = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)

/** Registers, CSRs, clocks and translation caches of all harts, and the trace so far. */
export function stateDifference({ interpreter, jit }: Pair): string | undefined {
  const a = interpreter.machine
  const b = jit.machine
  for (let hart = 0; hart < a.options.harts; hart++) {
    const state = (machine: typeof a) => {
      const bytes = machine.core.bytes.slice(hartAddress(hart), hartAddress(hart) + L.HART_STRIDE)
      for (const [offset, length] of ENGINES_OWN) bytes.fill(0, offset, offset + length)
      return bytes
    }
    const [x, y] = [state(a), state(b)]
    const at = firstDifference(x, y)
    if (at >= 0)
      return `hart ${hart} at pc 0x${a.core.pc(hart).toString(16)}, clock ${a.core.clock(hart)}: state differs at ${name(at)}: ${hex(x, at)} and ${hex(y, at)} by the JIT`
  }
  a.trace.drain()
  b.trace.drain()
  if (a.trace.hash !== b.trace.hash) return `the traces differ at cycle ${a.now}`
  return undefined
}

/** The contents of RAM. */
export function memoryDifference({ interpreter, jit }: Pair): string | undefined {
  const ram = ({ machine: { core } }: VirtBoard) => core.bytes.subarray(core.ramOffset, core.ramOffset + core.options.ramSize)
  const [x, y] = [ram(interpreter), ram(jit)]
  if (Buffer.compare(x, y) === 0) return undefined
  const at = firstDifference(x, y)
  return `RAM differs at 0x${(interpreter.machine.options.ramBase + at).toString(16)}: ${hex(x, at)} and ${hex(y, at)} by the JIT`
}

function firstDifference(x: Uint8Array, y: Uint8Array): number {
  if (Buffer.compare(x, y) === 0) return -1
  return x.findIndex((byte, index) => byte !== y[index])
}

function hex(bytes: Uint8Array, at: number): string {
  const start = at & ~7
  return (
    '0x' +
    [...bytes.subarray(start, start + 8)]
      .reverse()
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('')
  )
}

function name(offset: number): string {
  if (offset < L.H_F) return `x${offset >> 3}`
  if (offset < L.H_PC) return `f${(offset - L.H_F) >> 3}`
  const known = Object.entries(L).filter(([key, value]) => key.startsWith('H_') && typeof value === 'number' && value <= offset)
  return known.sort((p, q) => (q[1] as number) - (p[1] as number))[0][0]
}

const MOST_CYCLES = 4_000_000
const MOST_STEPS = 300

export interface LockstepRun {
  readonly difference: string | undefined
  readonly boards: Pair
}

/** Runs a random program in steps of random length to its end or until enough cycles have passed. */
export function lockstep(hartModule: WebAssembly.Module, program: TestProgram, timing: VirtOptions['timing']): LockstepRun {
  const choice = new Choice(program.seed)
  const boards = pair({ hartModule, ramSize: 16 << 20, timing }, { kernel: { name: 'program', bytes: buildProgram(program) } })
  const longest = choice.of([100, 1000, 10_000, 200_000])
  let cycle = 0
  for (let step = 0; cycle < MOST_CYCLES; step++) {
    cycle = step < MOST_STEPS ? cycle + choice.between(1, longest) : MOST_CYCLES
    const { result, difference } = advance(boards, cycle)
    if (difference) return { difference, boards }
    if (result.kind === 'exit') break
  }
  return { difference: memoryDifference(boards), boards }
}
