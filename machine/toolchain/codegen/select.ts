/**
 * Instruction selection. Needs: lowered, optimised IR with blocks in reverse post-order and loop depths.
 * Gives: machine code over virtual registers; phis have become parallel moves on edges that have nothing else on them.
 *
 * Blocks and instructions are visited last to first, so a value is only computed if somebody asked for its register:
 * what was folded into all of its uses disappears by itself.
 */
import { dominates } from '../ir/dominators.ts'
import { effectOf, isConstant, resolve, type Block, type Instruction, type IrFunction } from '../ir/ir.ts'
import { isSignExtended32 } from '../ir/known.ts'
import type { AddressModel } from './lower.ts'
import { MachineBlock, MachineFunction, MachineInstruction, memoryBaseRegister, memoryBytesRegister, zero, type Move } from './machine.ts'
import { selectCall } from './select-call.ts'
import { selectFloat } from './select-float.ts'
import { selectInteger } from './select-integer.ts'
import { selectMemory } from './select-memory.ts'
import { selectIntrinsic } from './select-intrinsic.ts'

/** What selection must know about the module around the function. */
export interface ModuleContext {
  readonly model: AddressModel
  functionSymbol(index: number): string
  globalSymbol(index: number): string
  /** A global that lives in a register instead (the C stack pointer). */
  globalRegister(index: number): number | undefined
  /** True for a global of which every hart has its own. */
  isPerHart(index: number): boolean
  tableSymbol(index: number): string
  /** Number by which equal function types are equal. */
  signatureId(typeIndex: number): number
  functionSignatureId(index: number): number
  signature(typeIndex: number): { params: readonly string[]; results: readonly string[] }
  functionSignature(index: number): { params: readonly string[]; results: readonly string[] }
  /** Bytes of a segment, by name; data or elements. */
  segmentSymbol(kind: 'data' | 'element', index: number): string
  /** A trap calls this. */
  readonly trapSymbol: string
  /** Refuse stacks that grow below the limit in this global variable. */
  readonly stackLimitSymbol: string | undefined
}

/** An instruction the user's program may not contain; `position` is the byte in the wasm module. */
export class SelectionError extends Error {
  constructor(
    message: string,
    readonly position: number,
    readonly hint?: string,
  ) {
    super(message)
  }
}

/** Selects instructions for a whole function. */
export function select(fn: IrFunction, context: ModuleContext): MachineFunction {
  return new Selector(fn, context).run()
}

export class Selector {
  readonly machine: MachineFunction
  private readonly registers = new Map<Instruction, number>()
  private readonly blocks = new Map<Block, MachineBlock>()
  /** The current block's instructions, last first. */
  private reversed: MachineInstruction[] = []
  /** The current IR instruction's machine code, first first. */
  private group: MachineInstruction[] = []
  private block!: Block
  private position = -1
  /** Constants in registers, by where they are made. */
  private blockConstants = new Map<string, { register: number; make: (register: number) => MachineInstruction[] }>()
  private readonly loopConstants = new Map<Block, Map<string, { register: number; make: (register: number) => MachineInstruction[] }>>()
  private readonly preheaders = new Map<Block, Block>()

  constructor(
    readonly fn: IrFunction,
    readonly context: ModuleContext,
  ) {
    this.machine = new MachineFunction(fn.name)
    this.machine.coroutine = fn.coroutine
    this.machine.areaBytes = fn.areaBytes
    this.machine.variables = fn.variables.map((name, local) => {
      // AssemblyScript numbers the variables of inner scopes: `i|2`.
      const plain = name?.replace(/\|\d+$/, '')
      if (plain === undefined || !/^(?!__)[A-Za-z_$][\w$]*$/.test(plain)) return undefined
      return { name: plain, type: fn.variableTypes[local], parameter: local < fn.signature.params.length }
    })
  }

  run(): MachineFunction {
    const { fn, machine } = this
    this.findPreheaders()
    for (const block of fn.blocks) {
      const made = machine.newBlock()
      made.loopDepth = block.loopDepth
      made.cold = block.cold
      this.blocks.set(block, made)
    }
    const pending = new Map<Block, MachineInstruction[]>()
    for (let index = fn.blocks.length - 1; index >= 0; index--) {
      const block = fn.blocks[index]
      pending.set(block, this.selectBlock(block))
    }
    // Constants of a loop are made at the end of its preheader, in front of the jump and its moves.
    for (const [preheader, constants] of this.loopConstants) {
      const code = pending.get(preheader)!
      let at = code.length - 1
      while (at > 0 && (code[at - 1].op === 'parallel' || isBranch(code[at].op))) at--
      if (at < 0) at = 0
      code.splice(Math.min(at, code.length), 0, ...[...constants.values()].flatMap((entry) => entry.make(entry.register)))
    }
    for (const block of fn.blocks) this.blocks.get(block)!.instructions = pending.get(block)!
    for (const { made, locals } of this.suspends) made.locals = this.heldBy(locals)
    this.splitEdges()
    return machine
  }

  private readonly suspends: { made: MachineInstruction; locals: readonly (Instruction | undefined)[] }[] = []

  /** Remembers what a suspension's variables are, to be looked up when it is known which values are computed at all. */
  suspension(made: MachineInstruction, locals: readonly (Instruction | undefined)[]): void {
    this.suspends.push({ made, locals })
  }

  private heldBy(locals: readonly (Instruction | undefined)[]): MachineInstruction['locals'] {
    return locals.flatMap((local, variable) => {
      if (!local || !this.machine.variables[variable]) return []
      let value = resolve(local)
      while (value.op === 'i64.extend_i32_s') value = resolve(value.args[0])
      if (isConstant(value)) return [{ variable, register: -1, value: value.value }]
      const register = this.registers.get(value)
      return register === undefined ? [] : [{ variable, register, value: 0n }]
    })
  }

  // Registers of values.

  /** The register that holds a value; asking for it makes sure that the value is computed. */
  register(value: Instruction): number {
    for (;;) {
      if (value.op === 'i64.extend_i32_s') value = value.args[0]
      else if (value.op === 'i32.wrap_i64' && isSignExtended32(value.args[0])) value = value.args[0]
      else break
    }
    if (value.op === 'memory.base') return memoryBaseRegister
    if (value.op === 'memory.bytes') return memoryBytesRegister
    if (isConstant(value)) return this.constantRegister(value.type as string, value.value)
    let register = this.registers.get(value)
    if (register === undefined) {
      register = this.machine.newRegister(value.type === 'f32' || value.type === 'f64', value.variable)
      this.registers.set(value, register)
    }
    return register
  }

  /** A register whose low 32 bits are the value's. */
  low32(value: Instruction): number {
    for (;;) {
      const { op, args } = value
      if (op === 'i32.wrap_i64' || op === 'i64.extend_i32_u' || op === 'i64.extend_i32_s' || op === 'i64.extend32_s') value = args[0]
      else if (op === 'i64.and' && args[1].op === 'i64.const' && args[1].value === 0xffff_ffffn) value = args[0]
      else break
    }
    return this.register(value)
  }

  constantRegister(type: string, value: bigint): number {
    if (type[0] === 'i') {
      if (value === 0n) return zero
      return this.shared('i' + value, false, (register) => [load(register, value)], isShort(value))
    }
    return this.shared(`${type} ${value}`, true, (register) => {
      const made = new MachineInstruction(type === 'f32' ? 'fli.s' : 'fli.d')
      made.rd = register
      made.value = value
      return [made]
    })
  }

  /** A register that holds something which never changes, made once per block or before the outermost loop around it. */
  private shared(key: string, float: boolean, make: (register: number) => MachineInstruction[], cheap = false): number {
    const preheader = this.preheaders.get(this.block)
    let table = this.blockConstants
    if (preheader && !this.block.cold && !(cheap && this.fn.coroutine)) {
      table = this.loopConstants.get(preheader) ?? new Map()
      this.loopConstants.set(preheader, table)
    }
    let entry = table.get(key)
    if (!entry) table.set(key, (entry = { register: this.machine.newRegister(float), make }))
    return entry.register
  }

  /** The register with the upper part of a constant whose lower 12 bits are folded into an access. */
  upperRegister(value: bigint): number {
    return value === 0n ? zero : this.constantRegister('i64', value)
  }

  /** True if anything asked for this value. */
  isNeeded(value: Instruction): boolean {
    return this.registers.has(value)
  }

  newRegister(float = false): number {
    return this.machine.newRegister(float)
  }

  // Emission.

  emit(op: string, rd: number, rs1 = -1, rs2 = -1, imm = 0): MachineInstruction {
    const made = new MachineInstruction(op, this.position)
    made.rd = rd
    made.rs1 = rs1
    made.rs2 = rs2
    made.imm = imm
    this.group.push(made)
    return made
  }

  /** `op rd, rs1, rs2` into a fresh register. */
  temporary(op: string, rs1: number, rs2 = -1, imm = 0, float = false): number {
    const register = this.newRegister(float)
    this.emit(op, register, rs1, rs2, imm)
    return register
  }

  parallel(moves: Move[]): void {
    const real = moves.filter((move) => move.to !== move.from)
    if (real.length === 0) return
    this.emit('parallel', -1).moves = real
  }

  /** A move of an argument: constants go straight into place. */
  moveOf(to: number, value: Instruction): Move {
    if (value.op === 'i32.const' || value.op === 'i64.const') return { to, from: value.value === 0n ? zero : -1, value: value.value }
    return { to, from: this.register(value) }
  }

  fail(message: string, hint?: string): never {
    throw new SelectionError(message, this.position, hint)
  }

  // Blocks.

  private selectBlock(block: Block): MachineInstruction[] {
    this.block = block
    this.reversed = []
    this.blockConstants = new Map()
    this.group = []
    this.position = block.terminator.position
    this.terminator(block)
    this.flush()
    const { body } = block
    for (let index = body.length - 1; index >= 0; index--) {
      const instruction = body[index]
      if (isConstant(instruction)) continue
      const effect = effectOf(instruction)
      if ((effect === 'pure' || effect === 'load') && !this.isNeeded(instruction) && instruction.op !== 'param') continue
      if (instruction.op === 'param' || instruction.op === 'call.result') continue
      this.position = instruction.position
      this.instruction(instruction, body, index)
      this.flush()
    }
    if (block === this.fn.entry) {
      this.parameters(body)
      this.flush()
    }
    return this.withConstants(this.reversed.reverse())
  }

  private flush(): void {
    for (let i = this.group.length - 1; i >= 0; i--) this.reversed.push(this.group[i])
    this.group = []
  }

  private withConstants(code: MachineInstruction[]): MachineInstruction[] {
    if (this.blockConstants.size === 0) return code
    const wanted = new Map([...this.blockConstants.values()].map((entry) => [entry.register, entry]))
    const result: MachineInstruction[] = []
    for (const instruction of code) {
      const check = (register: number): void => {
        const entry = wanted.get(register)
        if (!entry) return
        wanted.delete(register)
        result.push(...entry.make(register))
      }
      if (wanted.size) {
        if (instruction.rs1 >= 0) check(instruction.rs1)
        if (instruction.rs2 >= 0) check(instruction.rs2)
        if (instruction.rs3 >= 0) check(instruction.rs3)
        for (const move of instruction.moves ?? []) check(move.from)
        for (const use of instruction.uses ?? []) check(use)
      }
      result.push(instruction)
    }
    return result
  }

  private instruction(x: Instruction, body: readonly Instruction[], index: number): void {
    if (x.op === 'trap.if') {
      const [op, rs1, rs2] = this.condition(x.args[0], true)
      const made = this.emit(`trap.${op}`, -1, rs1, rs2, x.index)
      made.symbol = this.context.trapSymbol
      return
    }
    if (x.op === 'trap') {
      const made = this.emit('trap', -1, -1, -1, x.index)
      made.symbol = this.context.trapSymbol
      return
    }
    if (x.op === 'select') return this.select(x)
    if (
      selectInteger(this, x) ||
      selectMemory(this, x) ||
      selectFloat(this, x) ||
      selectCall(this, x, body, index) ||
      selectIntrinsic(this, x)
    )
      return
    this.fail(`the instruction ${x.op} is not supported`)
  }

  /** rd starts as the value for "true" and is overwritten by the other when the condition does not hold. */
  private select(x: Instruction): void {
    const rd = this.register(x)
    const first = this.register(x.args[1])
    const [op, rs1, rs2] = this.condition(x.args[0], true)
    const second = this.register(x.args[2])
    this.parallel([{ to: rd, from: first }])
    const made = this.emit(x.type[0] === 'f' ? 'select.f' : 'select', rd, rs1, rs2)
    made.rs3 = second
    made.condition = op
    made.tied = true
  }

  /** A branch mnemonic and its operands that is taken when the value is nonzero (`sense`) or zero. */
  condition(value: Instruction, sense: boolean): [op: string, rs1: number, rs2: number] {
    const { op, args } = value
    const type = op.slice(0, 3)
    if (type === 'i32' || type === 'i64') {
      const operation = op.slice(4)
      const constant = args.length === 2 && isConstant(args[1]) ? args[1].value : undefined
      switch (operation) {
        case 'eqz':
          return this.condition(args[0], !sense)
        case 'eq':
          return [sense ? 'beq' : 'bne', this.register(args[0]), this.register(args[1])]
        case 'ne':
          return [sense ? 'bne' : 'beq', this.register(args[0]), this.register(args[1])]
        case 'lt_s':
          if (constant === 1n) return [sense ? 'bge' : 'blt', zero, this.register(args[0])]
          return [sense ? 'blt' : 'bge', this.register(args[0]), this.register(args[1])]
        case 'ge_s':
          if (constant === 1n) return [sense ? 'blt' : 'bge', zero, this.register(args[0])]
          return [sense ? 'bge' : 'blt', this.register(args[0]), this.register(args[1])]
        case 'gt_s':
          return [sense ? 'blt' : 'bge', this.register(args[1]), this.register(args[0])]
        case 'le_s':
          return [sense ? 'bge' : 'blt', this.register(args[1]), this.register(args[0])]
        case 'lt_u':
          return [sense ? 'bltu' : 'bgeu', this.register(args[0]), this.register(args[1])]
        case 'ge_u':
          return [sense ? 'bgeu' : 'bltu', this.register(args[0]), this.register(args[1])]
        case 'gt_u':
          return [sense ? 'bltu' : 'bgeu', this.register(args[1]), this.register(args[0])]
        case 'le_u':
          return [sense ? 'bgeu' : 'bltu', this.register(args[1]), this.register(args[0])]
        case 'and': {
          // A single bit beyond andi's reach: shift it to the sign.
          const bits = BigInt.asUintN(type === 'i64' ? 64 : 32, constant ?? 0n)
          if (constant === undefined || isShort(constant) || (bits & (bits - 1n)) !== 0n || this.isNeeded(value)) break
          const bit = bits.toString(2).length - 1
          return [sense ? 'blt' : 'bge', this.temporary('slli', this.low32(args[0]), -1, 63 - bit), zero]
        }
      }
    } else if (op === 'f32.ne' || op === 'f64.ne') {
      return [
        sense ? 'beq' : 'bne',
        this.temporary(op === 'f32.ne' ? 'feq.s' : 'feq.d', this.register(args[0]), this.register(args[1])),
        zero,
      ]
    }
    return [sense ? 'bne' : 'beq', this.register(value), zero]
  }

  private terminator(block: Block): void {
    const { terminator } = block
    const edges = block.successors
    const machine = this.blocks.get(block)!
    switch (terminator.op) {
      case 'jump':
        machine.successors = [this.blocks.get(edges[0].to)!]
        this.parallel(this.phiMoves(block, 0))
        this.emit('j', -1)
        return
      case 'branch': {
        const [op, rs1, rs2] = this.condition(terminator.args[0], true)
        this.emit(op, -1, rs1, rs2)
        break
      }
      case 'switch': {
        const made = this.emit('switch', -1, this.register(terminator.args[0]), this.constantRegister('i64', BigInt(edges.length - 1)))
        made.temps = [this.newRegister(), this.newRegister()]
        break
      }
      case 'return':
        selectCall(this, terminator, block.body, -1)
        return
      default:
        return
    }
    machine.successors = edges.map((edge, index) => {
      const moves = this.phiMoves(block, index)
      if (moves.length === 0) return this.blocks.get(edge.to)!
      const between = this.machine.newBlock()
      between.loopDepth = Math.min(block.loopDepth, edge.to.loopDepth)
      between.cold = edge.to.cold
      const saved = this.group
      this.group = []
      this.parallel(moves)
      this.emit('j', -1)
      between.instructions = this.group
      this.group = saved
      between.successors = [this.blocks.get(edge.to)!]
      this.edgeBlocks.push({ after: machine, block: between })
      return between
    })
  }

  private readonly edgeBlocks: { after: MachineBlock; block: MachineBlock }[] = []

  private phiMoves(block: Block, index: number): Move[] {
    const edge = block.successors[index]
    const moves: Move[] = []
    edge.to.phis.forEach((phi, position) => {
      const move = this.moveOf(this.register(phi), edge.args[position])
      if (move.to !== move.from) moves.push(move)
    })
    return moves
  }

  /** Puts the blocks of edges behind the block they leave, splits the critical edges that remain, and fills predecessors. */
  private splitEdges(): void {
    const { machine } = this
    const counts = new Map<MachineBlock, number>()
    for (const block of machine.blocks) for (const to of block.successors) counts.set(to, (counts.get(to) ?? 0) + 1)
    const behind = new Map<MachineBlock, MachineBlock[]>()
    for (const { after, block } of this.edgeBlocks) behind.set(after, [...(behind.get(after) ?? []), block])
    const between = new Set(this.edgeBlocks.map((entry) => entry.block))
    const ordered: MachineBlock[] = []
    for (const block of machine.blocks.slice()) {
      if (between.has(block)) continue
      ordered.push(block)
      ordered.push(...(behind.get(block) ?? []))
      if (block.successors.length < 2) continue
      block.successors = block.successors.map((to) => {
        if (counts.get(to)! < 2) return to
        const made = machine.newBlock()
        made.loopDepth = Math.min(block.loopDepth, to.loopDepth)
        made.cold = to.cold
        made.instructions = [new MachineInstruction('j')]
        made.successors = [to]
        ordered.push(made)
        return made
      })
    }
    machine.blocks = ordered
    for (const block of ordered) for (const to of block.successors) to.predecessors.push(block)
  }

  private parameters(body: readonly Instruction[]): void {
    selectCall(this, { op: 'parameters' } as Instruction, body, -1)
  }

  /** For each block in a loop, the block in front of the outermost loop around it. */
  private findPreheaders(): void {
    const { blocks } = this.fn
    const outermost = new Map<Block, Block>()
    for (const block of blocks) {
      for (const { to } of block.successors) {
        if (to.order > block.order || !dominates(to, block)) continue
        const entry = to.predecessors.find((edge) => !dominates(to, edge.from))
        if (to.loopDepth !== 1 || !entry || entry.from.successors.length !== 1) continue
        const work = [block]
        outermost.set(to, entry.from)
        while (work.length) {
          const member = work.pop()!
          if (outermost.has(member)) continue
          outermost.set(member, entry.from)
          for (const edge of member.predecessors) work.push(edge.from)
        }
      }
    }
    for (const [block, preheader] of outermost) this.preheaders.set(block, preheader)
  }
}

/** Fits the immediate of addi. */
export function isShort(value: bigint): boolean {
  return value >= -2048n && value < 2048n
}

function load(register: number, value: bigint): MachineInstruction {
  const made = new MachineInstruction('li')
  made.rd = register
  made.value = value
  return made
}

/** Instructions that end a block. */
export function isBranch(op: string): boolean {
  return op === 'j' || op === 'ret' || op === 'switch' || (op[0] === 'b' && op.length <= 4)
}
