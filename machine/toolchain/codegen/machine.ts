/** Machine code before and after register allocation: RISC-V instructions over virtual or real registers. */
import type { Type } from '../ir/ir.ts'

/** Registers: 0..31 are x0..x31, 32..63 are f0..f31, virtual ones follow. */
export const FIRST_FLOAT = 32
export const FIRST_VIRTUAL = 64

export const zero = 0
export const ra = 1
export const sp = 2
/** The C shadow stack pointer lives here: it is saved with the other registers when a thread is switched. */
export const gp = 3
export const tp = 4
export const t0 = 5
export const t1 = 6
export const t2 = 7
export const s0 = 8
export const a0 = 10
/** Bytes of linear memory (bounded model). */
export const memoryBytesRegister = 26
/** Host address of linear memory (bounded model). */
export const memoryBaseRegister = 27
export const t5 = 30
/** Reserved for the emitter: memory-to-memory moves and far offsets. */
export const scratch = 31
export const floatScratch = FIRST_FLOAT + 31

export const integerArguments = [10, 11, 12, 13, 14, 15, 16, 17]
export const floatArguments = integerArguments.map((register) => register + FIRST_FLOAT)

/** Caller-saved first, those of the compressed set before the others; then callee-saved. */
export const integerPool = [15, 14, 13, 12, 11, 10, 16, 17, 5, 6, 7, 28, 29, 30, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]
export const floatPool = [
  ...[15, 14, 13, 12, 11, 10, 16, 17, 0, 1, 2, 3, 4, 5, 6, 7, 28, 29, 30],
  ...[8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27],
].map((register) => register + FIRST_FLOAT)

const saved = new Set([8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27].flatMap((register) => [register, register + FIRST_FLOAT]))

/** True for s0..s11 and fs0..fs11. */
export function isCalleeSaved(register: number): boolean {
  return saved.has(register)
}

export const callerSaved = [...integerPool, ...floatPool].filter((register) => !saved.has(register))

export interface Move {
  readonly to: number
  /** A register, or -1 when `value` is what to put there. */
  readonly from: number
  readonly value?: bigint
}

export class MachineInstruction {
  rd = -1
  rs1 = -1
  rs2 = -1
  rs3 = -1
  imm = 0
  /** Rounding mode of a float instruction. */
  rm = -1
  /** Constant of `li`, `fli.s`, `fli.d`. */
  value = 0n
  /** Symbol whose address or part of it the instruction needs. */
  symbol: string | undefined
  /** The `auipc` whose low part this instruction adds. */
  low: MachineInstruction | undefined
  /** `parallel`: simultaneous moves. */
  moves: Move[] | undefined
  /** Registers used and defined beyond rd, rs1..rs3 (calls, returns). */
  uses: number[] | undefined
  defs: number[] | undefined
  /** Registers that must differ from all operands. */
  temps: number[] | undefined
  /** rd is written before the sources are read. */
  early = false
  /** rd is also read. */
  tied = false
  /** Caller-saved registers (a call) or all of them (a suspension) are lost. */
  clobbers: 'none' | 'caller' | 'all' = 'none'
  /** The condition of `select.*`. */
  condition = ''
  aq = 0
  rl = 0
  /** `suspend`: the source variables at this place that are still computed: a virtual register each, or a constant. */
  locals: { readonly variable: number; readonly register: number; readonly value: bigint }[] | undefined
  /** Its number among the intervals' positions. */
  at = -1

  constructor(
    public op: string,
    public position = -1,
  ) {}
}

export class MachineBlock {
  instructions: MachineInstruction[] = []
  /** For a conditional branch: taken, then fall-through. For a switch: the cases, then the default. */
  successors: MachineBlock[] = []
  predecessors: MachineBlock[] = []
  loopDepth = 0
  cold = false
  /** Positions of its first instruction and one past its last. */
  from = 0
  to = 0
  /** The header of the innermost loop around this block, itself included. */
  loopHeader: MachineBlock | undefined

  constructor(readonly id: number) {}
}

export class MachineFunction {
  blocks: MachineBlock[] = []
  private registerCount = FIRST_VIRTUAL
  /** Class of each virtual register: true for float. */
  readonly isFloat: boolean[] = []
  /** Source variable (local index) of each virtual register, or -1. */
  readonly variable: number[] = []
  /** Bytes of arguments and results passed on the stack to callees. */
  outgoingBytes = 0
  /** Where the caller put stack arguments, relative to our incoming sp. */
  hasCalls = false
  coroutine = false
  /** Bytes of the coroutine frame behind the slots, for what C has on its stack. */
  areaBytes = 0
  /** Entered by an interrupt instead of a call. */
  interrupt = false
  /** Source variables by local index; those without a name are of no interest to anybody. */
  variables: readonly (SourceVariable | undefined)[] = []
  /** Registers in which arguments arrive that the function uses. */
  argumentRegisters: number[] = []

  constructor(readonly name: string) {}

  newBlock(): MachineBlock {
    const block = new MachineBlock(this.blocks.length)
    this.blocks.push(block)
    return block
  }

  newRegister(float: boolean, variable = -1): number {
    this.isFloat.push(float)
    this.variable.push(variable)
    return this.registerCount++
  }

  get registers(): number {
    return this.registerCount
  }
}

/** A variable of the source. */
export interface SourceVariable {
  readonly name: string
  readonly type: Type
  readonly parameter: boolean
}

/** Calls `visit` for every register that the instruction reads. */
export function forEachUse(instruction: MachineInstruction, visit: (register: number) => void): void {
  if (instruction.rs1 >= 0) visit(instruction.rs1)
  if (instruction.rs2 >= 0) visit(instruction.rs2)
  if (instruction.rs3 >= 0) visit(instruction.rs3)
  if (instruction.tied) visit(instruction.rd)
  if (instruction.uses) for (const register of instruction.uses) visit(register)
  if (instruction.moves) for (const move of instruction.moves) if (move.from >= 0) visit(move.from)
}

/** Calls `visit` for every register that the instruction writes. */
export function forEachDefinition(instruction: MachineInstruction, visit: (register: number) => void): void {
  if (instruction.rd >= 0) visit(instruction.rd)
  if (instruction.defs) for (const register of instruction.defs) visit(register)
  if (instruction.moves) for (const move of instruction.moves) visit(move.to)
}
