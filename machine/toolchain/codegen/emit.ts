/**
 * From allocated machine code to items: prologue and epilogue, pseudo-instructions, trap stubs, constants and jump tables.
 * Frame, from sp upwards: outgoing arguments, slots, saved registers; then the caller's frame with our stack arguments.
 */
import type { Operands } from '../../isa/codec.ts'
import { CONTINUATION_OFFSET } from '../coroutine/task.ts'
import type { DebugLocation, RelocationType } from '../object.ts'
import type { Assignment } from './assign.ts'
import type { Intervals } from './build-intervals.ts'
import { constantSteps } from './constants.ts'
import { encodeItems, type EncodedFunction, type Item } from './encode.ts'
import { atomicSequence } from './emit-atomic.ts'
import { layOut } from './layout.ts'
import {
  callerSaved,
  FIRST_FLOAT,
  forEachDefinition,
  isCalleeSaved,
  ra,
  s0,
  scratch,
  sp,
  zero,
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
} from './machine.ts'
import { isBranch } from './select.ts'
import { suspendedSlots, variableRanges, type EmittedVariable, type Suspension } from './variables.ts'

export interface EmitOptions {
  /** One stub per trap reason instead of one per place: smaller, but the place is not known. */
  readonly shareTraps: boolean
  readonly stackLimitSymbol: string | undefined
  readonly trapSymbol: string
  /** Use auipc + jalr for calls: for code larger than 1 MiB. */
  readonly farCalls: boolean
  /** Addresses are zero-extended pointers: the one of a new frame has to be made so. */
  readonly zeroExtendFrame: boolean
}

/** What a debugger must know about a function's frame. */
export interface FrameDescription {
  readonly size: number
  /** Register (0..63) and its offset from the incoming sp. */
  readonly saved: readonly { readonly register: number; readonly offset: number }[]
  /** Code offset behind the prologue. */
  readonly prologueEnd: number
}

export interface EmittedFunction extends EncodedFunction {
  readonly frame: FrameDescription
  /** Bytes of the coroutine frame beyond its header; 0 for plain functions. */
  readonly coroutineBytes: number
  /** Where the source's variables are, by code offset. */
  readonly variables: readonly EmittedVariable[]
  /** What the coroutine frame holds at each suspension, in order of the code. */
  readonly suspensions: readonly Suspension[]
}

/** The description of a coroutine's frames, whose address is their type. */
export function frameTypeSymbol(fn: string): string {
  return `.Lframe.${fn}`
}

/** Bytes of the task control block in front of a coroutine's slots (contracts.md, "Task control block"). */
export const TASK_HEADER_BYTES = 48
const FRAME_TYPE_OFFSET = 32

/** Emits one function. */
export function emitFunction(fn: MachineFunction, assignment: Assignment, intervals: Intervals, options: EmitOptions): EmittedFunction {
  return new Emitter(fn, assignment, intervals, options).run()
}

export class Emitter {
  private readonly items: Item[] = []
  private labelCount = 0
  private readonly blockLabels = new Map<MachineBlock, number>()
  private readonly stubs = new Map<string, { label: number; code: number; position: number }>()
  private readonly pool = new Map<string, { label: number; bytes: Uint8Array }>()
  private readonly tables: { label: number; labels: number[] }[] = []
  private readonly highs = new Map<MachineInstruction, Item>()
  private readonly saved: number[] = []
  private frameSize = 0
  private slotsAt = 0
  private position = -1
  private at = -1
  private readonly suspensions: { readonly resume: number; readonly instruction: MachineInstruction }[] = []
  private readonly coroutineBytes: number

  constructor(
    private readonly fn: MachineFunction,
    private readonly assignment: Assignment,
    private readonly intervals: Intervals,
    private readonly options: EmitOptions,
  ) {
    // The area ends at a multiple of 16, as clang expects of its stack.
    const slots = fn.areaBytes ? Math.ceil(assignment.frameSlots / 2) * 2 : assignment.frameSlots
    this.coroutineBytes = fn.coroutine ? TASK_HEADER_BYTES + slots * 8 + fn.areaBytes : 0
  }

  run(): EmittedFunction {
    const order = layOut(this.fn)
    this.planFrame(order)
    for (const block of order) this.blockLabels.set(block, this.newLabel())
    this.prologue()
    const prologueEnd = this.newLabel()
    this.label(prologueEnd)
    order.forEach((block, index) => this.block(block, order[index + 1]))
    this.trailer()
    const encoded = encodeItems(this.items, this.labelCount)
    return {
      ...encoded,
      // A trap vector's address is a multiple of four (Privileged, "stvec").
      alignment: this.fn.interrupt ? Math.max(4, encoded.alignment) : encoded.alignment,
      frame: {
        size: this.frameSize,
        saved: this.saved.map((register, index) => ({ register, offset: -8 * (index + 1) })),
        prologueEnd: encoded.labels[prologueEnd],
      },
      coroutineBytes: this.coroutineBytes,
      variables: variableRanges(this.fn, this.intervals, this.items, encoded.bytes.length, (number) => this.placeOf(number)),
      suspensions: this.suspensions.map(({ resume, instruction }) => ({
        resume: encoded.labels[resume],
        position: instruction.position,
        slots: suspendedSlots(this.fn, this.intervals, instruction, (number) => this.slotOffset(number)),
      })),
    }
  }

  /** Where a debugger finds a slot. */
  private placeOf(number: number): DebugLocation {
    if (number >= this.assignment.stackSlots) return { kind: 'based', register: s0, offset: this.slotOffset(number) }
    return { kind: 'frame', offset: this.slotOffset(number) - this.frameSize }
  }

  private slotOffset(number: number): number {
    const { stackSlots } = this.assignment
    return number >= stackSlots ? TASK_HEADER_BYTES + 8 * (number - stackSlots) : this.slotsAt + 8 * number
  }

  newLabel(): number {
    return this.labelCount++
  }

  label(label: number): void {
    this.items.push({ op: 'label', operands: {}, position: -1, label, at: -1, offset: 0, size: 0 })
  }

  /** Adds an instruction; float registers may be given as 32..63. */
  add(op: string, operands: Operands, extra: Partial<Item> = {}): Item {
    const plain: Record<string, number> = {}
    for (const [name, value] of Object.entries(operands))
      plain[name] = isRegister(name) && value >= FIRST_FLOAT ? value - FIRST_FLOAT : value
    const item: Item = { op, operands: plain, position: this.position, label: -1, at: this.at, offset: 0, size: 0, ...extra }
    this.items.push(item)
    return item
  }

  private relocated(op: string, operands: Operands, type: RelocationType, symbol: string): Item {
    return this.add(op, operands, { relocation: { type, symbol, addend: 0 } })
  }

  private planFrame(order: readonly MachineBlock[]): void {
    const used = new Set<number>()
    for (const block of order) {
      for (const instruction of block.instructions) {
        forEachDefinition(instruction, (register) => {
          if (isCalleeSaved(register)) used.add(register)
        })
        for (const temp of instruction.temps ?? []) if (isCalleeSaved(temp)) used.add(temp)
      }
    }
    if (this.fn.coroutine) used.add(s0)
    if (this.fn.interrupt) this.addInterrupted(used, order)
    const slots = this.assignment.stackSlots * 8
    // A far slot is addressed through ra.
    if (this.fn.hasCalls || this.fn.coroutine || this.fn.interrupt || slots + this.fn.outgoingBytes > 1900) this.saved.push(ra)
    this.saved.push(...[...used].sort((a, b) => a - b))
    this.slotsAt = this.fn.outgoingBytes
    this.frameSize = Math.ceil((this.fn.outgoingBytes + slots + this.saved.length * 8) / 16) * 16
  }

  /** What was interrupted expects every register as it was: those that callees may change too, but no float registers of theirs. */
  private addInterrupted(used: Set<number>, order: readonly MachineBlock[]): void {
    for (const register of [scratch, 30]) used.add(register)
    if (this.fn.hasCalls) for (const register of callerSaved) if (register < FIRST_FLOAT) used.add(register)
    for (const { instructions } of order)
      for (const instruction of instructions) {
        forEachDefinition(instruction, (register) => used.add(register))
        for (const temp of instruction.temps ?? []) used.add(temp)
      }
    for (const register of [zero, ra, sp, 3, 4]) used.delete(register)
  }

  private prologue(): void {
    const { frameSize } = this
    if (frameSize === 0) return
    if (this.options.stackLimitSymbol !== undefined) {
      const upper = this.relocated('auipc', { rd: scratch, imm: 0 }, 'R_RISCV_PCREL_HI20', this.options.stackLimitSymbol)
      this.add('ld', { rd: scratch, rs1: scratch, imm: 0 }, { low: upper })
      if (frameSize > 2048) {
        this.constant(30, BigInt(frameSize))
        this.add('add', { rd: scratch, rs1: scratch, rs2: 30 })
      }
      this.add('bltu', { rs1: sp, rs2: scratch }, { label: this.stub(9, -1) })
    }
    this.saveRegisters()
    if (this.fn.coroutine) this.allocateFrame()
  }

  /** Gets the coroutine's frame before anything can be stored in it; the arguments wait on the stack. */
  private allocateFrame(): void {
    const waiting = this.fn.argumentRegisters
    const bytes = Math.ceil((waiting.length * 8) / 16) * 16
    if (bytes) this.add('addi', { rd: sp, rs1: sp, imm: -bytes })
    waiting.forEach((register, index) => this.add(register >= FIRST_FLOAT ? 'fsd' : 'sd', { rs1: sp, rs2: register, imm: 8 * index }))
    this.constant(10, BigInt(this.coroutineBytes))
    this.call('__coroutine_allocate')
    if (this.options.zeroExtendFrame) {
      // A program's own allocator gives a 32-bit pointer, sign-extended as all its pointers are.
      this.add('slli', { rd: 10, rs1: 10, imm: 32 })
      this.add('srli', { rd: s0, rs1: 10, imm: 32 })
    } else this.add('add', { rd: s0, rs1: zero, rs2: 10 })
    // The frame's type is the address of its description.
    const upper = this.relocated('auipc', { rd: 5, imm: 0 }, 'R_RISCV_PCREL_HI20', frameTypeSymbol(this.fn.name))
    this.add('addi', { rd: 5, rs1: 5, imm: 0 }, { low: upper })
    this.add('sw', { rs1: s0, rs2: 5, imm: FRAME_TYPE_OFFSET })
    waiting.forEach((register, index) => this.add(register >= FIRST_FLOAT ? 'fld' : 'ld', { rd: register, rs1: sp, imm: 8 * index }))
    if (bytes) this.add('addi', { rd: sp, rs1: sp, imm: bytes })
  }

  private saveRegisters(): void {
    this.adjustStack(-this.frameSize)
    this.saved.forEach((register, index) =>
      this.add(register >= FIRST_FLOAT ? 'fsd' : 'sd', { rs1: sp, rs2: register, imm: this.nearTop(index) }),
    )
    if (this.frameSize > 2032) this.adjustStack(-(this.frameSize - 2032))
  }

  /** Offset of a saved register from sp as it is while they are saved. */
  private nearTop(index: number): number {
    return Math.min(this.frameSize, 2032) - 8 * (index + 1)
  }

  private adjustStack(by: number): void {
    if (by === 0) return
    if (by < -2032 || by > 2032) {
      if (by === -this.frameSize) return this.adjustStack(-2032)
      if (by === this.frameSize) return this.adjustStack(2032)
      this.constant(scratch, BigInt(by))
      this.add('add', { rd: sp, rs1: sp, rs2: scratch })
    } else this.add('addi', { rd: sp, rs1: sp, imm: by })
  }

  private restoreRegisters(): void {
    if (this.frameSize === 0) return
    if (this.frameSize > 2032) this.adjustStack(this.frameSize - 2032)
    this.saved.forEach((register, index) =>
      this.add(register >= FIRST_FLOAT ? 'fld' : 'ld', { rd: register, rs1: sp, imm: this.nearTop(index) }),
    )
    this.adjustStack(Math.min(this.frameSize, 2032))
  }

  private block(block: MachineBlock, next: MachineBlock | undefined): void {
    this.label(this.blockLabels.get(block)!)
    for (const instruction of block.instructions) {
      if (instruction.position >= 0) this.position = instruction.position
      this.at = instruction.at
      if (isBranch(instruction.op)) this.terminator(block, instruction, next)
      else this.instruction(instruction)
    }
  }

  private terminator(block: MachineBlock, x: MachineInstruction, next: MachineBlock | undefined): void {
    const labelOf = (to: MachineBlock): number => this.blockLabels.get(to)!
    if (x.op === 'ret') {
      this.restoreRegisters()
      if (this.fn.interrupt) this.add('sret', {})
      else this.add('jalr', { rd: 0, rs1: ra, imm: 0 })
      return
    }
    if (x.op === 'j') {
      if (block.successors[0] !== next) this.add('jal', { rd: 0 }, { label: labelOf(block.successors[0]) })
      return
    }
    if (x.op === 'switch') return this.switch(block, x)
    const [taken, fall] = block.successors
    if (taken === next) {
      const [op, rs1, rs2] = invert(x)
      this.add(op, { rs1, rs2 }, { label: labelOf(fall) })
    } else {
      const [rs1, rs2] = orderForCompression(x.op, x.rs1, x.rs2)
      this.add(x.op, { rs1, rs2 }, { label: labelOf(taken) })
      if (fall !== next) this.add('jal', { rd: 0 }, { label: labelOf(fall) })
    }
  }

  private switch(block: MachineBlock, x: MachineInstruction): void {
    const labels = block.successors.map((to) => this.blockLabels.get(to)!)
    const otherwise = labels.pop()!
    this.add('bgeu', { rs1: x.rs1, rs2: x.rs2 }, { label: otherwise })
    const [entry, base] = x.temps!
    const table = this.newLabel()
    this.tables.push({ label: table, labels })
    const upper = this.add('auipc', { rd: base }, { label: table })
    this.add('addi', { rd: base, rs1: base }, { low: upper })
    this.add('slli', { rd: entry, rs1: x.rs1, imm: 2 })
    this.add('add', { rd: entry, rs1: entry, rs2: base })
    this.add('lw', { rd: entry, rs1: entry, imm: 0 })
    this.add('add', { rd: entry, rs1: entry, rs2: base })
    this.add('jalr', { rd: 0, rs1: entry, imm: 0 })
  }

  private stub(code: number, position: number): number {
    const key = this.options.shareTraps ? String(code) : `${code} ${position}`
    let stub = this.stubs.get(key)
    if (!stub) this.stubs.set(key, (stub = { label: this.newLabel(), code, position }))
    return stub.label
  }

  /** Puts a constant in a register. */
  constant(rd: number, value: bigint): void {
    const steps = constantSteps(BigInt.asIntN(64, value))
    if (steps.length > 3) {
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, value), true)
      const upper = this.add('auipc', { rd }, { label: this.poolLabel(bytes) })
      this.add('ld', { rd, rs1: rd }, { low: upper })
      return
    }
    for (const { op, imm, first } of steps) this.add(op, op === 'lui' ? { rd, imm } : { rd, rs1: first ? zero : rd, imm })
  }

  private poolLabel(bytes: Uint8Array): number {
    const key = bytes.join()
    let entry = this.pool.get(key)
    if (!entry) this.pool.set(key, (entry = { label: this.newLabel(), bytes }))
    return entry.label
  }

  private floatConstant(x: MachineInstruction): void {
    const double = x.op === 'fli.d'
    if (x.value === 0n) {
      this.add(double ? 'fmv.d.x' : 'fmv.w.x', { rd: x.rd, rs1: zero })
      return
    }
    const steps = constantSteps(BigInt.asIntN(double ? 64 : 32, x.value))
    if (steps.length === 1) {
      this.constant(scratch, BigInt.asIntN(double ? 64 : 32, x.value))
      this.add(double ? 'fmv.d.x' : 'fmv.w.x', { rd: x.rd, rs1: scratch })
      return
    }
    const bytes = new Uint8Array(double ? 8 : 4)
    const view = new DataView(bytes.buffer)
    if (double) view.setBigUint64(0, x.value, true)
    else view.setUint32(0, Number(x.value), true)
    const upper = this.add('auipc', { rd: scratch }, { label: this.poolLabel(bytes) })
    this.add(double ? 'fld' : 'flw', { rd: x.rd, rs1: scratch }, { low: upper })
  }

  /** Base and offset of a slot. */
  private slot(number: number, op: string, register: number): void {
    const load = op === 'slot.load'
    const float = register >= FIRST_FLOAT
    const mnemonic = load ? (float ? 'fld' : 'ld') : float ? 'fsd' : 'sd'
    const inFrame = number >= this.assignment.stackSlots
    let offset = this.slotOffset(number)
    let base = inFrame ? s0 : sp
    if (offset > 2040) {
      const low = ((offset & 0xfff) << 20) >> 20
      this.add('lui', { rd: ra, imm: offset - low })
      this.add('add', { rd: ra, rs1: ra, rs2: base })
      base = ra
      offset = low
    }
    this.add(mnemonic, load ? { rd: register, rs1: base, imm: offset } : { rs1: base, rs2: register, imm: offset })
  }

  private instruction(x: MachineInstruction): void {
    const { op } = x
    if (op.startsWith('trap')) return this.trap(x)
    if (op.startsWith('atomic.')) return atomicSequence(this, x)
    switch (op) {
      case 'li':
        return this.constant(x.rd, x.value)
      case 'fli.s':
      case 'fli.d':
        return this.floatConstant(x)
      case 'keep':
        return
      case 'mv':
        if (x.rs1 === zero) this.constant(x.rd, 0n)
        else this.add('add', { rd: x.rd, rs1: zero, rs2: x.rs1 })
        return
      case 'fmv':
        this.add('fsgnj.d', { rd: x.rd, rs1: x.rs1, rs2: x.rs1 })
        return
      case 'slot.load':
        return this.slot(x.imm, op, x.rd)
      case 'slot.store':
        return this.slot(x.imm, op, x.rs2)
      case 'select':
      case 'select.f': {
        const skip = this.newLabel()
        const [rs1, rs2] = orderForCompression(x.condition, x.rs1, x.rs2)
        this.add(x.condition, { rs1, rs2 }, { label: skip })
        if (op === 'select') this.add('add', { rd: x.rd, rs1: zero, rs2: x.rs3 })
        else this.add('fsgnj.d', { rd: x.rd, rs1: x.rs3, rs2: x.rs3 })
        this.label(skip)
        return
      }
      case 'call':
        this.call(x.symbol!)
        return
      case 'call.indirect':
        this.add('jalr', { rd: ra, rs1: x.rs1, imm: 0 })
        return
      case 'incoming.ld':
      case 'incoming.fld':
        this.incoming(op.slice(9), x.imm, { rd: x.rd })
        return
      case 'incoming.sd':
      case 'incoming.fsd':
        this.incoming(op.slice(9), x.imm, { rs2: x.rs2 })
        return
      case 'fence':
        this.add('fence', { pred: 15, succ: 15 })
        return
      case 'frame.area':
        this.constant(x.rd, BigInt(this.coroutineBytes))
        this.add('addw', { rd: x.rd, rs1: x.rd, rs2: s0 })
        return
      case 'suspend':
        this.suspend(x)
        return
      case 'auipc':
        this.highs.set(x, this.relocated('auipc', { rd: x.rd, imm: 0 }, 'R_RISCV_PCREL_HI20', x.symbol!))
        return
      case 'sfence.vma':
        this.add(op, { rs1: x.rs1, rs2: x.rs2 })
        return
    }
    if (op.startsWith('csrr')) return this.csr(x)
    const operands: Operands = {}
    if (x.rd >= 0) operands.rd = x.rd
    if (x.rs1 >= 0) operands.rs1 = x.rs1
    if (x.rs2 >= 0) operands.rs2 = x.rs2
    if (x.rm >= 0) operands.rm = x.rm
    if (x.aq) operands.aq = operands.rl = 1
    if (takesImmediate(x)) operands.imm = x.imm
    this.add(op, operands, x.low ? { low: this.highs.get(x.low)! } : {})
  }

  private csr(x: MachineInstruction): void {
    const operands: Operands = { rd: x.rd, csr: x.imm }
    if (x.op.endsWith('i')) operands.imm = Number(x.value)
    else operands.rs1 = x.rs1
    this.add(x.op, operands, x.symbol ? { mark: x.symbol } : {})
  }

  /** An access to the caller's part of the stack. */
  private incoming(op: string, stack: number, operands: Operands): void {
    const offset = this.frameSize + stack
    if (offset <= 2047) {
      this.add(op, { ...operands, rs1: sp, imm: offset })
      return
    }
    this.constant(scratch, BigInt(offset))
    this.add('add', { rd: scratch, rs1: scratch, rs2: sp })
    this.add(op, { ...operands, rs1: scratch, imm: 0 })
  }

  private call(symbol: string): void {
    if (!this.options.farCalls) {
      this.relocated('jal', { rd: ra, imm: 0 }, 'R_RISCV_JAL', symbol)
      return
    }
    this.relocated('auipc', { rd: ra, imm: 0 }, 'R_RISCV_CALL_PLT', symbol)
    // The linker fills both halves of the pair through the relocation above.
    this.add('jalr', { rd: ra, rs1: ra, imm: 0 }, { mark: 'call' })
  }

  private trap(x: MachineInstruction): void {
    const label = this.stub(x.imm, x.position)
    if (x.op === 'trap') {
      this.add('jal', { rd: 0 }, { label })
      return
    }
    const op = x.op.slice(5)
    const [rs1, rs2] = orderForCompression(op, x.rs1, x.rs2)
    this.add(op, { rs1, rs2 }, { label })
  }

  /**
   * Resume address into the frame, back to whoever resumed us; the code behind is entered with the frame in a0.
   * With a task in rs1, this frame is its awaiter before we go back; when the task has ended we do not go back.
   */
  private suspend(x: MachineInstruction): void {
    const resume = this.newLabel()
    this.suspensions.push({ resume, instruction: x })
    const upper = this.add('auipc', { rd: 5 }, { label: resume })
    this.add('addi', { rd: 5, rs1: 5 }, { low: upper })
    this.add('sw', { rs1: s0, rs2: 5, imm: 0 })
    this.add('addiw', { rd: 10, rs1: s0, imm: 0 })
    const goOn = this.newLabel()
    if (x.rs1 >= 0) {
      // From here on another hart may resume this frame: nothing of it is touched any more.
      this.add('addi', { rd: x.rs1, rs1: x.rs1, imm: CONTINUATION_OFFSET })
      this.add('amoswap.w', { rd: 5, rs1: x.rs1, rs2: 10, aq: 1, rl: 1 })
      this.add('bne', { rs1: 5, rs2: zero }, { label: goOn })
    }
    this.restoreRegisters()
    this.add('jalr', { rd: 0, rs1: ra, imm: 0 })
    this.label(resume)
    this.saveRegisters()
    this.add('add', { rd: s0, rs1: zero, rs2: 10 })
    this.label(goOn)
  }

  private trailer(): void {
    this.at = -1
    for (const { label, code, position } of this.stubs.values()) {
      this.label(label)
      this.position = position
      this.constant(10, BigInt(code))
      this.call(this.options.trapSymbol)
    }
    this.position = -1
    const data = [...this.pool.values()].sort((a, b) => b.bytes.length - a.bytes.length)
    const alignment = data.length ? data[0].bytes.length : this.tables.length ? 4 : 0
    if (alignment === 0) return
    this.items.push({ op: 'align', operands: {}, position: -1, label: -1, at: -1, offset: 0, size: 0, alignment })
    for (const { label, bytes } of data) {
      this.label(label)
      this.items.push({ op: 'data', operands: {}, position: -1, label: -1, at: -1, offset: 0, size: 0, bytes })
    }
    for (const { label, labels } of this.tables) {
      this.label(label)
      this.items.push({ op: 'data', operands: {}, position: -1, label: -1, at: -1, offset: 0, size: 0, table: { base: label, labels } })
    }
  }
}

function isRegister(name: string): boolean {
  return name === 'rd' || name === 'rs1' || name === 'rs2' || name === 'rs3'
}

const opposite: Record<string, string> = { beq: 'bne', bne: 'beq', blt: 'bge', bge: 'blt', bltu: 'bgeu', bgeu: 'bltu' }

function invert(x: MachineInstruction): [string, number, number] {
  const op = opposite[x.op]
  return [op, ...orderForCompression(op, x.rs1, x.rs2)]
}

/** c.beqz and c.bnez want zero on the right. */
function orderForCompression(op: string, rs1: number, rs2: number): [number, number] {
  return (op === 'beq' || op === 'bne') && rs1 === zero ? [rs2, rs1] : [rs1, rs2]
}

/** Three-register instructions have no immediate; everything else here has one. */
function takesImmediate(x: MachineInstruction): boolean {
  if (x.low) return false
  if (/^(l[bhwd]u?|s[bhwd]|fl[wd]|fs[wd]|jalr)$/.test(x.op)) return true
  return x.rs2 < 0 && /^(addiw?|s[rl][la]iw?|andi|ori|xori|slti|sltiu|lui)$/.test(x.op)
}
