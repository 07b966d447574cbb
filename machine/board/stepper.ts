/**
 * Steps of a person: into a line, over the calls on it, out of a function. What a call does may take for ever, so a step over one
 * is a goal that the ordinary run works towards, in slices, and that a pause gives up.
 */
import { decode, expand, isFullLength } from '../isa/codec.ts'
import type { RunResult } from './machine.ts'
import type { BoardSession } from './session.ts'

/** Addresses of one source line. */
export interface LineRange {
  readonly start: bigint
  readonly end: bigint
}

export interface Goal {
  readonly address: bigint
  /** The stack pointer is at least this: deeper calls of the same function do not count. */
  readonly stack: bigint
}

/** Why stepping ended; `running`: the board has to run for the step to go on. */
export type StepResult = 'done' | 'running' | RunResult

/** A source line that runs longer than this many instructions is left to run: stepping it stops at its end all the same. */
const MOST_STEPS = 2_000_000
const RETURN_REGISTERS: readonly (number | undefined)[] = [1, 5]

export class Stepper {
  private goal: (Goal & { readonly hart: number; readonly then: () => StepResult }) | undefined

  constructor(private readonly session: BoardSession) {}

  /** Until the hart comes to another line; one instruction where there are no lines. `over`: a call counts as one instruction. */
  step(hart: number, lines: readonly LineRange[] | undefined, over: boolean): StepResult {
    const pc = this.session.pc(hart)
    const here = lines?.find((line) => pc >= line.start && pc < line.end)
    return this.proceed(hart, here && lines, here, over)
  }

  /** Until the hart comes to an address, with its stack unwound as far. */
  runTo(hart: number, goal: Goal): StepResult {
    return this.aim(hart, goal, () => 'done')
  }

  /** What a stop of the run means for the step under way; undefined when it has nothing to do with it. */
  stopped(result: RunResult): StepResult | undefined {
    const { goal, session } = this
    if (!goal || result.kind !== 'breakpoint' || result.address !== goal.address) return undefined
    if (result.hart !== goal.hart || session.stackPointer(result.hart) < goal.stack)
      return session.breakpoints.includes(goal.address) ? undefined : 'running'
    this.giveUp()
    return goal.then()
  }

  /** The run ends elsewhere. */
  giveUp(): void {
    this.goal = undefined
    this.session.setTemporaryBreakpoint(undefined)
  }

  private aim(hart: number, goal: Goal, then: () => StepResult): StepResult {
    this.goal = { ...goal, hart, then }
    this.session.setTemporaryBreakpoint(goal.address)
    return 'running'
  }

  private proceed(hart: number, lines: readonly LineRange[] | undefined, here: LineRange | undefined, over: boolean): StepResult {
    const { session } = this
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const back = over ? this.returnAddress(hart) : undefined
      if (back !== undefined) {
        const stack = session.stackPointer(hart)
        return this.aim(hart, { address: back, stack }, () =>
          this.ends(hart, lines, here) ? 'done' : this.proceed(hart, lines, here, over),
        )
      }
      const result = session.step(hart)
      if (result.kind !== 'stepped') return result
      if (this.ends(hart, lines, here)) return 'done'
    }
    return 'done'
  }

  /** A line ends where another line begins: code without a line (a library, a handler) is run through. */
  private ends(hart: number, lines: readonly LineRange[] | undefined, here: LineRange | undefined): boolean {
    if (!lines || !here) return true
    const pc = this.session.pc(hart)
    if (lines.some((line) => line.start === pc)) return true
    if (pc >= here.start && pc < here.end) return false
    return lines.some((line) => pc >= line.start && pc < line.end)
  }

  /** Where a call that the hart stands on returns to. */
  private returnAddress(hart: number): bigint | undefined {
    const pc = this.session.pc(hart)
    const bytes = this.session.memory(hart, pc, 4)
    if (bytes[0] === undefined || bytes[1] === undefined) return undefined
    const word = bytes.reduceRight<number>((value, byte) => (value << 8) | (byte ?? 0), 0)
    const decoded = decode(word)
    if (!decoded) return undefined
    const { instruction, operands } = expand(decoded)
    const links = instruction.cost === 'jump' && RETURN_REGISTERS.includes(operands.rd)
    return links ? pc + (isFullLength(word) ? 4n : 2n) : undefined
  }
}
