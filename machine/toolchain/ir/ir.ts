/**
 * The intermediate representation: SSA, basic blocks with phis, instructions named as WebAssembly names them.
 *
 * What differs from WebAssembly:
 * - i32 values stand for sign-extended 64-bit registers; references are i64 (0 is null);
 * - division and truncation do not trap: a `trap.if` before them does (RISC-V's own semantics: x/0 = -1, MIN/-1 = MIN);
 * - a memory access may be preceded by a `check.bounds`;
 * - more than one result of a call is read by `call.result`.
 * Blocks end in `jump`, `branch`, `switch`, `return` or `unreachable`.
 */

export type Type = 'i32' | 'i64' | 'f32' | 'f64'

export interface Signature {
  readonly params: readonly Type[]
  readonly results: readonly Type[]
}

/** Why a program stops: the number is what the runtime's trap function gets. */
export const trapCodes = [
  'unreachable',
  'integer divide by zero',
  'integer overflow',
  'out of bounds memory access',
  'out of bounds table access',
  'undefined element',
  'uninitialized element',
  'indirect call type mismatch',
  'invalid conversion to integer',
  'call stack exhausted',
  'unaligned atomic',
] as const
export type Trap = (typeof trapCodes)[number]

export class Instruction {
  /** Set when a pass finds an equal value; `resolve` follows it. */
  forward: Instruction | undefined
  /** The source variable (local index) this value was assigned to, or -1. */
  variable = -1
  /** `co.suspend`: what the source variables held, for debuggers; no uses, so values that are only here disappear. */
  locals: readonly (Instruction | undefined)[] | undefined
  /** Scratch for passes. */
  mark = 0

  constructor(
    public id: number,
    public op: string,
    public type: Type | 'void',
    public args: Instruction[],
    /** Constants: the value (integers signed, floats as bits). */
    public value: bigint = 0n,
    /** Callee, global, type, trap code, CSR number, access width, result number: what `op` says. */
    public index = 0,
    /** Static offset of a memory access; table of an indirect call. */
    public offset = 0,
    /** Byte offset in the wasm module, or -1. */
    public position = -1,
    public block: Block = undefined as never,
  ) {}
}

export class Edge {
  constructor(
    public from: Block,
    public to: Block,
    /** One value per phi of `to`. */
    public args: Instruction[],
  ) {}
}

export class Block {
  phis: Instruction[] = []
  body: Instruction[] = []
  terminator!: Instruction
  successors: Edge[] = []
  predecessors: Edge[] = []
  /** Filled by dominators.ts. */
  dominator: Block | undefined
  order = 0
  loopDepth = 0
  /** A block that only a trap or a panic reaches. */
  cold = false

  constructor(public id: number) {}
}

export class IrFunction {
  blocks: Block[] = []
  private nextValue = 0
  private nextBlock = 0
  /** Names of source variables by local index. */
  variables: readonly (string | undefined)[] = []
  /** Their types. */
  variableTypes: readonly Type[] = []
  /** True when it contains a suspension point. */
  coroutine = false
  /** Bytes of a coroutine's frame that take the place of C's stack. */
  areaBytes = 0

  constructor(
    readonly name: string,
    readonly signature: Signature,
  ) {}

  get entry(): Block {
    return this.blocks[0]
  }

  get valueCount(): number {
    return this.nextValue
  }

  newBlock(): Block {
    const block = new Block(this.nextBlock++)
    this.blocks.push(block)
    return block
  }

  /** Makes an instruction that is in no block yet. */
  make(
    op: string,
    type: Type | 'void',
    args: Instruction[],
    extra: { value?: bigint; index?: number; offset?: number; position?: number } = {},
  ): Instruction {
    return new Instruction(this.nextValue++, op, type, args, extra.value, extra.index, extra.offset, extra.position)
  }

  append(block: Block, instruction: Instruction): Instruction {
    instruction.block = block
    block.body.push(instruction)
    return instruction
  }

  phi(block: Block, type: Type): Instruction {
    const phi = this.make('phi', type, [])
    phi.block = block
    block.phis.push(phi)
    return phi
  }

  connect(from: Block, to: Block, args: Instruction[] = []): Edge {
    const edge = new Edge(from, to, args)
    from.successors.push(edge)
    to.predecessors.push(edge)
    return edge
  }
}

/** The value an instruction was replaced by, or itself. */
export function resolve(value: Instruction): Instruction {
  while (value.forward) value = value.forward
  return value
}

/** Rewrites every use to what the value was replaced by, and drops replaced instructions. */
export function applyForwarding(fn: IrFunction): void {
  for (const block of fn.blocks) {
    const all = [...block.body, block.terminator]
    for (const instruction of all) {
      const args = instruction.args
      for (let i = 0; i < args.length; i++) if (args[i].forward) args[i] = resolve(args[i])
    }
    for (const edge of block.successors)
      for (let i = 0; i < edge.args.length; i++) if (edge.args[i].forward) edge.args[i] = resolve(edge.args[i])
    if (block.body.some((instruction) => instruction.forward)) block.body = block.body.filter((instruction) => !instruction.forward)
    if (block.phis.some((phi) => phi.forward)) {
      const kept = block.phis.map((phi) => !phi.forward)
      for (const edge of block.predecessors) edge.args = edge.args.filter((_, index) => kept[index])
      block.phis = block.phis.filter((phi) => !phi.forward)
    }
  }
}

/**
 * pure: no effect, may move, be merged or removed. load: reads memory or state. check: may trap, else no effect.
 * effect: everything else, kept and kept in order.
 */
export type Effect = 'pure' | 'load' | 'check' | 'effect'

/** What an instruction may do besides giving its value. */
export function effectOf(instruction: Instruction): Effect {
  const op = instruction.op
  const dot = op.indexOf('.')
  const head = dot < 0 ? op : op.slice(0, dot)
  switch (head) {
    case 'i32':
    case 'i64':
    case 'f32':
    case 'f64':
      if (op.startsWith('atomic', 4)) return 'effect'
      if (op.startsWith('load', 4)) return 'load'
      return op.startsWith('store', 4) ? 'effect' : 'pure'
    case 'phi':
    case 'param':
    case 'select':
      return 'pure'
    case 'trap':
    case 'check':
      return 'check'
    case 'global':
      return op === 'global.get' ? 'load' : 'effect'
    case 'memory':
      if (op === 'memory.base' || op === 'memory.bytes') return 'pure'
      return op === 'memory.size' ? 'load' : 'effect'
    case 'ref':
      return 'pure'
    default:
      return 'effect'
  }
}

/** True for an integer or float constant. */
export function isConstant(instruction: Instruction): boolean {
  return instruction.op.endsWith('.const')
}
