/**
 * What the translation of a region's instructions shares: guest registers in locals, the clock, and the ways out.
 *
 * Retired instructions, and the stalls that their classes cost, are locals that lag behind: what the instructions of a block so far have
 * added is known at compile time and goes in at the block's end. Slow paths get the exact figures. Stalls that only show at run time (a TLB
 * miss, a device) stay in H_STALL, so that no slow path changes a local but for its result: locals that merge cost the fast path moves.
 */
import * as L from '../hart/layout.ts'
import type { Shape } from './discover.ts'
import { Code, F64, I32, I64, type MemoryOpcodeName } from './code.ts'
import { importIndex, type ImportName } from './module.ts'
import { operandsOf } from './operands.ts'
import type { Instruction } from './slots.ts'

/** What regions of a machine have in common. */
export interface Setting {
  /** Cycles beyond one by COST_* offset. */
  readonly costOf: (offset: number) => number
  /** Some class costs more than its one cycle. */
  readonly hasCosts: boolean
  /** The machine has one hart: its address is a constant. */
  readonly onlyHart: boolean
  /** The data TLB that the region is made for, a constant too; undefined where it must work with any. */
  readonly tlb: number | undefined
}

export class Frame {
  readonly code = new Code(2)
  /** Parameters. */
  private readonly hart = 0
  readonly base = 1
  readonly tlb: number
  readonly retired: number
  /** Stalls since the region was entered that H_STALL does not have; unused where no class costs any. */
  readonly stall: number
  /** Where the hart goes on, and what the region returns. */
  readonly pc: number
  readonly outcome: number
  /** For whoever needs them within one instruction. */
  readonly address: number
  readonly word: number
  readonly pointer: number
  readonly wide: number
  private readonly integers = new Map<number, number>()
  private readonly floats = new Map<number, number>()
  private readonly written = new Set<number>()
  private readonly writtenFloats = new Set<number>()
  /** Leaving with pc and counters in locals, and with both in memory already. */
  private readonly leaving = {}
  private readonly leavingSynchronized = {}
  /** Since the block began. */
  private instructions = 0
  private stalls = 0
  /** What is known at this point of the block about the float unit. */
  floatIsOn = false
  floatIsDirty = false
  /** Locals that hold whether host arithmetic may be used: for static and for dynamic rounding modes; set in this block or not. */
  readonly plain: { readonly local: number; known: boolean }[]

  constructor(
    shape: Shape,
    private readonly setting: Setting,
  ) {
    const { code } = this
    this.tlb = code.local(I32)
    this.outcome = code.local(I32)
    this.word = code.local(I32)
    this.pointer = code.local(I32)
    this.plain = [0, 1].map(() => ({ local: code.local(I32), known: false }))
    this.retired = code.local(I64)
    this.stall = code.local(I64)
    this.pc = code.local(I64)
    this.address = code.local(I64)
    this.wide = code.local(I64)
    this.allocate(shape)
    this.enter()
  }

  private allocate({ blocks }: Shape): void {
    const all = [...blocks.values()].flatMap(({ body, end }) => (end.kind === 'go' ? body : [...body, end.instruction])).map(operandsOf)
    const sorted = (numbers: number[]) => [...new Set(numbers)].sort((a, b) => a - b)
    for (const register of sorted(all.flatMap(({ integer }) => [...integer]))) this.integers.set(register, this.code.local(I64))
    for (const register of sorted(all.flatMap(({ float }) => [...float]))) this.floats.set(register, this.code.local(F64))
    for (const { writes } of all) if (writes) (writes.kind === 'x' ? this.written : this.writtenFloats).add(writes.register)
  }

  private enter(): void {
    const { code } = this
    if (this.setting.tlb === undefined) this.loadTlb()
    else {
      this.pushOtherTlb()
      code.if(false)
      code.i32(L.REFUSE)
      code.op('return')
      code.end()
    }
    for (const register of this.integers.keys()) this.loadInteger(register)
    for (const register of this.floats.keys()) this.loadFloat(register)
    this.loadHart('i64_load', L.H_RETIRED)
    code.set(this.retired)
    code.i32(L.LEAVE)
    code.set(this.outcome)
    code.block(this.leavingSynchronized)
    code.block(this.leaving)
  }

  /** The one way out, behind all blocks. */
  finish(): Code {
    const { code } = this
    code.op('unreachable')
    code.end()
    this.storeHart('i64_store', L.H_PC, () => code.get(this.pc))
    this.storeHart('i64_store', L.H_RETIRED, () => code.get(this.retired))
    if (this.setting.hasCosts) {
      this.storeHart('i64_store', L.H_STALL, () => {
        this.loadHart('i64_load', L.H_STALL)
        code.get(this.stall)
        code.op('i64_add')
      })
    }
    code.end()
    for (const register of this.written) this.storeInteger(register)
    for (const register of this.writtenFloats) this.storeFloat(register)
    code.get(this.outcome)
    return code
  }

  // ---- registers ----

  getX(register: number): void {
    if (register === 0) this.code.i64(0)
    else this.code.get(this.integers.get(register)!)
  }
  /** The local of a register other than x0. */
  localX(register: number): number {
    return this.integers.get(register)!
  }
  setX(register: number): void {
    if (register === 0) this.code.op('drop')
    else this.code.set(this.integers.get(register)!)
  }
  getF(register: number): void {
    this.code.get(this.floats.get(register)!)
  }
  setF(register: number): void {
    this.code.set(this.floats.get(register)!)
  }
  storeInteger(register: number): void {
    if (register !== 0) this.storeHart('i64_store', L.H_X + 8 * register, () => this.getX(register))
  }
  loadInteger(register: number): void {
    if (register === 0) return
    this.loadHart('i64_load', L.H_X + 8 * register)
    this.setX(register)
  }
  storeFloat(register: number): void {
    this.storeHart('f64_store', L.H_F + 8 * register, () => this.getF(register))
  }
  loadFloat(register: number): void {
    this.loadHart('f64_load', L.H_F + 8 * register)
    this.setF(register)
  }

  // ---- the data TLB ----

  private loadTlb(): void {
    this.loadHart('i32_load', L.H_TLB)
    this.code.set(this.tlb)
  }
  private pushOtherTlb(): void {
    this.loadHart('i32_load', L.H_TLB)
    this.code.i32(this.setting.tlb!)
    this.code.op('i32_ne')
  }
  /** From an index on the stack to what `loadEntry` begins with. */
  pushEntry(): void {
    if (this.setting.tlb !== undefined) return
    this.code.get(this.tlb)
    this.code.op('i32_add')
  }
  loadEntry(name: MemoryOpcodeName, offset: number): void {
    this.code.memory(name, (this.setting.tlb ?? 0) + offset)
  }
  /** After what may have moved the hart to another TLB: goes on at an offset from the base. */
  tlbMayHaveMoved(offset: number): void {
    if (this.setting.tlb === undefined) return this.loadTlb()
    this.pushOtherTlb()
    this.code.if(false)
    this.leave(offset)
    this.code.end()
  }

  // ---- the hart's block ----

  /** The address of the hart's block: a constant where there is only one. */
  pushHart(): void {
    if (this.setting.onlyHart) this.code.i32(L.HART_BASE)
    else this.code.get(this.hart)
  }
  loadHart(name: MemoryOpcodeName, offset: number): void {
    if (this.setting.onlyHart) this.code.i32(0)
    else this.code.get(this.hart)
    this.code.memory(name, this.setting.onlyHart ? L.HART_BASE + offset : offset)
  }
  storeHart(name: MemoryOpcodeName, offset: number, value: () => void): void {
    if (this.setting.onlyHart) this.code.i32(0)
    else this.code.get(this.hart)
    value()
    this.code.memory(name, this.setting.onlyHart ? L.HART_BASE + offset : offset)
  }

  // ---- time ----

  beginBlock(): void {
    this.instructions = 0
    this.stalls = 0
    this.forgetFloatState()
  }
  forgetFloatState(): void {
    this.floatIsOn = false
    this.floatIsDirty = false
    for (const flag of this.plain) flag.known = false
  }
  countInstruction(): void {
    this.instructions++
  }
  charge(offset: number): void {
    this.stalls += this.setting.costOf(offset)
  }
  /** Brings the locals up to date. */
  flushTime(): void {
    this.addTime()
    this.instructions = 0
    this.stalls = 0
  }
  private addTime(): void {
    const { code } = this
    if (this.instructions !== 0) {
      this.pushRetired()
      code.set(this.retired)
    }
    if (this.stalls !== 0) {
      this.pushStall()
      code.set(this.stall)
    }
  }
  private pushRetired(): void {
    this.pushSum(this.retired, this.instructions)
  }
  private pushStall(): void {
    this.pushSum(this.stall, this.stalls)
  }
  private pushSum(local: number, constant: number): void {
    this.code.get(local)
    if (constant === 0) return
    this.code.i64(constant)
    this.code.op('i64_add')
  }
  pushPc(offset: number): void {
    this.pushSum(this.base, offset)
  }

  // ---- calls into the core ----

  /** Calls the core with what is on the stack, then pc, instructions and stalls. */
  callCore(name: ImportName, { offset }: Instruction): void {
    this.pushPc(offset)
    this.pushRetired()
    this.pushStall()
    this.code.call(importIndex(name))
  }

  // ---- ways out ----

  /** Leaves when the value on the stack is not GO_ON: it is what the region returns. Memory knows pc and counters. */
  leaveUnlessZero(): void {
    const { code } = this
    code.tee(this.outcome)
    code.branchIf(this.leavingSynchronized, false)
    code.i32(L.LEAVE)
    code.set(this.outcome)
  }
  leaveSynchronized(outcome: number): void {
    this.code.i32(outcome)
    this.code.set(this.outcome)
    this.code.branch(this.leavingSynchronized)
  }
  /** Leaves for an offset from the base. */
  leave(offset: number): void {
    this.addTime()
    this.pushPc(offset)
    this.code.set(this.pc)
    this.code.branch(this.leaving)
  }
  /** Leaves for the address in \`pc\`. */
  leaveForPc(): void {
    this.code.branch(this.leaving)
  }
  lookUpAtPc(): void {
    this.code.i32(L.LOOK_UP)
    this.code.set(this.outcome)
    this.code.branch(this.leaving)
  }
  /** The condition of a check point: the hart's time has come. Time is flushed. */
  pushTimeHasCome(): void {
    const { code } = this
    code.get(this.retired)
    if (this.setting.hasCosts) {
      code.get(this.stall)
      code.op('i64_add')
    }
    this.loadHart('i64_load', L.H_STALL)
    code.op('i64_add')
    this.loadHart('i64_load', L.H_LIMIT)
    code.op('i64_ge_s')
  }
}
