/**
 * Constant folding, algebra and known bits, trivial phis, constant branches.
 * Needs: SSA. Gives: SSA, the same values by fewer or cheaper instructions. Run to a fixed point by optimise.ts.
 */
import { applyForwarding, isConstant, resolve, type Block, type Instruction, type IrFunction, type Type } from './ir.ts'
import { foldBinary, foldCompare, foldUnary } from './fold.ts'
import { isComparison, isSignExtended32, unsignedBits } from './known.ts'
import { orderBlocks } from './dominators.ts'

/** Runs the pass once; true when it changed something. */
export function simplify(fn: IrFunction): boolean {
  return new Simplifier(fn).run()
}

const commutative = new Set(['add', 'mul', 'and', 'or', 'xor', 'eq', 'ne'])
const swappedCompare: Record<string, string> = {
  lt_s: 'gt_s',
  gt_s: 'lt_s',
  le_s: 'ge_s',
  ge_s: 'le_s',
  lt_u: 'gt_u',
  gt_u: 'lt_u',
  le_u: 'ge_u',
  ge_u: 'le_u',
}
const invertedCompare: Record<string, string> = {
  eq: 'ne',
  ne: 'eq',
  lt_s: 'ge_s',
  ge_s: 'lt_s',
  gt_s: 'le_s',
  le_s: 'gt_s',
  lt_u: 'ge_u',
  ge_u: 'lt_u',
  gt_u: 'le_u',
  le_u: 'gt_u',
}

class Simplifier {
  private changed = false
  private block!: Block
  private body: Instruction[] = []
  private position = -1

  constructor(private readonly fn: IrFunction) {}

  run(): boolean {
    for (const block of this.fn.blocks) {
      this.block = block
      this.phis(block)
      const old = block.body
      this.body = []
      for (const instruction of old) {
        for (let i = 0; i < instruction.args.length; i++) instruction.args[i] = resolve(instruction.args[i])
        this.position = instruction.position
        this.instruction(instruction)
      }
      block.body = this.body
      this.branch(block)
    }
    if (this.changed) {
      orderBlocks(this.fn)
      applyForwarding(this.fn)
    }
    return this.changed
  }

  /** A phi whose arguments are all one value (or itself) is that value. */
  private phis(block: Block): void {
    block.phis.forEach((phi, index) => {
      if (phi.forward) return
      let only: Instruction | undefined
      for (const edge of block.predecessors) {
        const value = resolve(edge.args[index])
        if (value === phi || value === only) continue
        if (only) return
        only = value
      }
      // A block with no predecessors left is unreachable.
      if (!only) return
      if (only.variable < 0) only.variable = phi.variable
      phi.forward = only
      this.changed = true
    })
  }

  private instruction(instruction: Instruction): void {
    if (instruction.op === 'trap.if' && instruction.args[0].op === 'i32.const' && instruction.args[0].value === 0n) {
      this.changed = true
      return
    }
    const replacement = this.replacement(instruction)
    if (replacement && replacement !== instruction) {
      this.changed = true
      if (replacement.variable < 0) replacement.variable = instruction.variable
      instruction.forward = replacement
      return
    }
    this.body.push(instruction)
  }

  private make(op: string, type: Type, args: Instruction[], value = 0n): Instruction {
    const made = this.fn.make(op, type, args, { value, position: this.position })
    made.block = this.block
    const better = value === 0n && args.length ? this.replacement(made) : undefined
    if (better && better !== made) return better
    this.body.push(made)
    return made
  }

  private constant(type: Type, value: bigint): Instruction {
    return this.make(
      `${type}.const`,
      type,
      [],
      type === 'i32' ? BigInt.asIntN(32, value) : type === 'i64' ? BigInt.asIntN(64, value) : value,
    )
  }

  /** A value that equals `x`, or undefined; may also rewrite `x` in place (and then returns undefined). */
  private replacement(x: Instruction): Instruction | undefined {
    if (x.op === 'select') return this.select(x)
    if (x.type === 'void') {
      this.store(x)
      return undefined
    }
    const operation = x.op.slice(4)
    if (x.args.length === 1) return this.unary(x, operation)
    if (x.args.length !== 2 || x.op[0] !== 'i') return undefined
    return x.op.startsWith('atomic', 4) ? undefined : this.binary(x, operation)
  }

  private select(x: Instruction): Instruction | undefined {
    const [condition, first, second] = x.args
    if (first === second) return first
    if (isConstant(condition)) return condition.value ? first : second
    if (condition.op === 'i32.eqz') this.rewrite(x, x.op, [condition.args[0], second, first])
    else if (condition.op === 'i32.ne' && condition.args[1].op === 'i32.const' && condition.args[1].value === 0n)
      this.rewrite(x, x.op, [condition.args[0], first, second])
    if (x.type === 'i32' && isConstant(first) && isConstant(second) && unsignedBits(condition) <= 1) {
      if (first.value === 1n && second.value === 0n) return condition
      if (first.value === 0n && second.value === 1n) return this.make('i32.eqz', 'i32', [condition])
    }
    return undefined
  }

  private rewrite(x: Instruction, op: string, args: Instruction[]): void {
    x.op = op
    x.args = args
    this.changed = true
  }

  /** A narrow store needs no masking of what it stores. */
  private store(x: Instruction): void {
    // cpu.store32 and its like are no stores of linear memory, and tell no width.
    if (x.op[0] !== 'i' || !x.op.startsWith('store', 4) || x.op.length < 10) return
    const bits = x.index * 8
    for (;;) {
      const value = x.args[1]
      const operation = value.op.slice(4)
      const mask = value.args[1]
      const masks = operation === 'and' && isConstant(mask) && BigInt.asUintN(bits, mask.value) === (1n << BigInt(bits)) - 1n
      const extends_ = /^extend(8|16|32)_s$/.exec(operation)
      if (!masks && !(extends_ && Number(extends_[1]) >= bits)) return
      this.rewrite(x, x.op, [x.args[0], value.args[0]])
    }
  }

  private unary(x: Instruction, operation: string): Instruction | undefined {
    const [a] = x.args
    if (isConstant(a)) {
      const folded = foldUnary(x.op, a.value)
      if (folded !== undefined) return this.constant(x.type as Type, folded)
    }
    switch (operation) {
      case 'eqz': {
        if (!isComparison(a)) return undefined
        const inner = a.op.slice(4)
        if (inner === 'eqz')
          return a.type === 'i32' && unsignedBits(a.args[0]) <= 1 && a.op === 'i32.eqz' ? a.args[0] : this.isNonZero(a.args[0])
        const type = a.op.slice(0, 3)
        if (type[0] === 'f') return undefined
        return this.make(`${type}.${invertedCompare[inner]}`, 'i32', a.args)
      }
      case 'wrap_i64':
        if (a.op === 'i64.extend_i32_s' || a.op === 'i64.extend_i32_u') return a.args[0]
        return undefined
      case 'extend_i32_s':
        if (a.op === 'i32.wrap_i64') return isSignExtended32(a.args[0]) ? a.args[0] : this.make('i64.extend32_s', 'i64', [a.args[0]])
        return undefined
      case 'extend_i32_u':
        if (unsignedBits(a) < 32) return this.make('i64.extend_i32_s', 'i64', [a])
        return undefined
      case 'extend8_s':
      case 'extend16_s':
      case 'extend32_s': {
        const bits = parseInt(operation.slice(6))
        if (unsignedBits(a) < bits || a.op === x.op) return a
        if (a.op === `${x.type}.load${bits}_s`) return a
        if (operation === 'extend32_s' && isSignExtended32(a)) return a
        return undefined
      }
      case 'reinterpret_f32':
      case 'reinterpret_f64':
      case 'reinterpret_i32':
      case 'reinterpret_i64':
        if (a.op.includes('.reinterpret_')) return a.args[0]
    }
    return undefined
  }

  private isNonZero(a: Instruction): Instruction {
    return this.make(`${a.type}.ne`, 'i32', [a, this.constant(a.type as Type, 0n)])
  }

  private binary(x: Instruction, operation: string): Instruction | undefined {
    const type = x.op.slice(0, 3) as Type
    let [a, b] = x.args
    if (isConstant(a) && isConstant(b)) {
      if (isComparison(x)) return this.constant('i32', foldCompare(type, operation, a.value, b.value) ? 1n : 0n)
      const folded = foldBinary(type, operation, a.value, b.value)
      if (folded !== undefined) return this.constant(type, folded)
      return undefined
    }
    if (isConstant(a) && (commutative.has(operation) || swappedCompare[operation])) {
      this.rewrite(x, `${type}.${swappedCompare[operation] ?? operation}`, [b, a])
      operation = x.op.slice(4)
      ;[a, b] = x.args
    }
    if (isComparison(x)) return this.comparison(x, type, operation, a, b)
    if (isConstant(b)) return this.withConstant(x, type, operation, a, b)
    if (a === b) {
      if (operation === 'sub' || operation === 'xor') return this.constant(type, 0n)
      if (operation === 'and' || operation === 'or') return a
    }
    return undefined
  }

  private comparison(x: Instruction, type: Type, operation: string, a: Instruction, b: Instruction): Instruction | undefined {
    if (a === b) return this.constant('i32', foldCompare(type, operation, 0n, 0n) ? 1n : 0n)
    if (!isConstant(b)) {
      // x - y == 0 was compared as a difference by some front-ends.
      return undefined
    }
    const c = b.value
    const full = type === 'i64' ? 64 : 32
    if (operation === 'eq' && c === 0n) return this.make(`${type}.eqz`, 'i32', [a])
    if ((operation === 'eq' || operation === 'ne') && isConstant(b)) {
      if (operation === 'ne' && c === 0n && isComparison(a)) return a
      if (operation === 'eq' && c === 1n && isComparison(a)) return a
      const inner = a.op.slice(4)
      if (a.op.startsWith(type) && (inner === 'add' || inner === 'xor') && isConstant(a.args[1])) {
        const moved = inner === 'add' ? c - a.args[1].value : c ^ a.args[1].value
        return this.make(`${type}.${operation}`, 'i32', [a.args[0], this.constant(type, moved)])
      }
      if (a.op.startsWith(type) && inner === 'sub' && c === 0n) return this.make(`${type}.${operation}`, 'i32', a.args.slice())
      if (unsignedBits(a) < full && (c < 0n || c >> BigInt(unsignedBits(a)) !== 0n))
        return this.constant('i32', operation === 'ne' ? 1n : 0n)
    }
    const bits = unsignedBits(a)
    if (operation === 'lt_u' && c === 1n) return this.make(`${type}.eqz`, 'i32', [a])
    if (operation === 'lt_u' && c === 0n) return this.constant('i32', 0n)
    if (operation === 'ge_u' && c === 0n) return this.constant('i32', 1n)
    if ((operation === 'gt_u' && c === 0n) || (operation === 'ge_u' && c === 1n)) return this.isNonZero(a)
    if (bits < full && c === 0n && operation === 'lt_s') return this.constant('i32', 0n)
    if (bits < full && c === 0n && operation === 'ge_s') return this.constant('i32', 1n)
    // Comparisons with a constant in the form that slti/sltiu and blt have.
    const limit = (1n << BigInt(full - 1)) - 1n
    if ((operation === 'le_s' && c !== limit) || (operation === 'le_u' && c !== -1n))
      this.rewrite(x, `${type}.${operation === 'le_s' ? 'lt_s' : 'lt_u'}`, [a, this.constant(type, c + 1n)])
    else if ((operation === 'gt_s' && c !== limit) || (operation === 'gt_u' && c !== -1n))
      this.rewrite(x, `${type}.${operation === 'gt_s' ? 'ge_s' : 'ge_u'}`, [a, this.constant(type, c + 1n)])
    return undefined
  }

  private withConstant(x: Instruction, type: Type, operation: string, a: Instruction, b: Instruction): Instruction | undefined {
    const c = b.value
    const full = type === 'i64' ? 64 : 32
    const unsigned = BigInt.asUintN(full, c)
    const inner = a.op.startsWith(type) ? a.op.slice(4) : ''
    const innerConstant = a.args.length === 2 && isConstant(a.args[1]) ? a.args[1].value : undefined
    const shift = Number(c & BigInt(full - 1))
    const powerOf2 = unsigned !== 0n && (unsigned & (unsigned - 1n)) === 0n ? unsigned.toString(2).length - 1 : -1
    switch (operation) {
      case 'add':
        if (c === 0n) return a
        if (inner === 'add' && innerConstant !== undefined)
          return this.make(x.op, type, [a.args[0], this.constant(type, c + innerConstant)])
        return undefined
      case 'sub':
        return this.make(`${type}.add`, type, [a, this.constant(type, -c)])
      case 'mul':
        if (c === 0n) return b
        if (c === 1n) return a
        if (c === -1n) return this.make(`${type}.sub`, type, [this.constant(type, 0n), a])
        if (powerOf2 > 0) return this.make(`${type}.shl`, type, [a, this.constant(type, BigInt(powerOf2))])
        return undefined
      case 'and':
        if (c === 0n) return b
        if (c === -1n) return a
        if (unsigned < 1n << 62n && ((unsigned + 1n) & unsigned) === 0n && unsigned >= (1n << BigInt(Math.min(unsignedBits(a), 62))) - 1n)
          return a
        if (inner === 'and' && innerConstant !== undefined)
          return this.make(x.op, type, [a.args[0], this.constant(type, c & innerConstant)])
        return undefined
      case 'or':
      case 'xor':
        if (c === 0n) return a
        if (operation === 'or' && c === -1n) return b
        if (operation === 'xor' && c === 1n && isComparison(a)) return this.make('i32.eqz', 'i32', [a])
        if (inner === operation && innerConstant !== undefined)
          return this.make(x.op, type, [a.args[0], this.constant(type, operation === 'or' ? c | innerConstant : c ^ innerConstant)])
        return undefined
      case 'shl':
      case 'shr_u':
      case 'shr_s':
        if (shift === 0) return a
        if (c !== BigInt(shift)) return this.make(x.op, type, [a, this.constant(type, BigInt(shift))])
        if (operation === 'shr_u' && shift >= unsignedBits(a)) return this.constant(type, 0n)
        if (operation === 'shr_s' && unsignedBits(a) < full) return this.make(`${type}.shr_u`, type, [a, b])
        if (inner === operation && innerConstant !== undefined) {
          const sum = shift + Number(innerConstant & BigInt(full - 1))
          if (sum < full) return this.make(x.op, type, [a.args[0], this.constant(type, BigInt(sum))])
          if (operation !== 'shr_s') return this.constant(type, 0n)
        }
        return undefined
      case 'rotl':
      case 'rotr':
        return shift === 0 ? a : undefined
      case 'div_u':
        if (c === 1n) return a
        if (powerOf2 > 0) return this.make(`${type}.shr_u`, type, [a, this.constant(type, BigInt(powerOf2))])
        return undefined
      case 'rem_u':
        if (powerOf2 >= 0) return this.make(`${type}.and`, type, [a, this.constant(type, unsigned - 1n)])
        return undefined
      case 'div_s':
        if (c === 1n) return a
        if (c > 0n && unsignedBits(a) < full) return this.make(`${type}.div_u`, type, [a, b])
        if (c > 0n && powerOf2 > 0)
          return this.make(`${type}.shr_s`, type, [this.biased(type, a, powerOf2), this.constant(type, BigInt(powerOf2))])
        return undefined
      case 'rem_s':
        if (c === 1n || c === -1n) return this.constant(type, 0n)
        if (c > 0n && unsignedBits(a) < full) return this.make(`${type}.rem_u`, type, [a, b])
        if (c > 0n && powerOf2 > 0) {
          const rounded = this.make(`${type}.and`, type, [this.biased(type, a, powerOf2), this.constant(type, -c)])
          return this.make(`${type}.sub`, type, [a, rounded])
        }
        return undefined
    }
    return undefined
  }

  /** `a` plus 2^k - 1 where it is negative: then an arithmetic shift rounds towards zero. */
  private biased(type: Type, a: Instruction, k: number): Instruction {
    const full = type === 'i64' ? 64 : 32
    const sign = k === 1 ? a : this.make(`${type}.shr_s`, type, [a, this.constant(type, BigInt(full - 1))])
    const bias = this.make(`${type}.shr_u`, type, [sign, this.constant(type, BigInt(full - k))])
    return this.make(`${type}.add`, type, [a, bias])
  }

  private branch(block: Block): void {
    const terminator = block.terminator
    for (let i = 0; i < terminator.args.length; i++) terminator.args[i] = resolve(terminator.args[i])
    for (const edge of block.successors) for (let i = 0; i < edge.args.length; i++) edge.args[i] = resolve(edge.args[i])
    const condition = terminator.args[0]
    if (terminator.op === 'switch' && (isConstant(condition) || block.successors.length === 1)) {
      const last = block.successors.length - 1
      const chosen = isConstant(condition) ? Number(BigInt.asUintN(32, condition.value)) : 0
      return this.keepOnly(block, Math.min(chosen, last))
    }
    if (terminator.op !== 'branch') return
    if (isConstant(condition)) return this.keepOnly(block, condition.value ? 0 : 1)
    if (condition.op === 'i32.eqz') {
      terminator.args = [condition.args[0]]
      block.successors.reverse()
      this.changed = true
    } else if (condition.op === 'i32.ne' && condition.args[1].op === 'i32.const' && condition.args[1].value === 0n) {
      terminator.args = [condition.args[0]]
      this.changed = true
    }
  }

  private keepOnly(block: Block, index: number): void {
    const kept = block.successors[index]
    for (const edge of block.successors) if (edge !== kept) edge.to.predecessors.splice(edge.to.predecessors.indexOf(edge), 1)
    block.successors = [kept]
    block.terminator.op = 'jump'
    block.terminator.args = []
    this.changed = true
  }
}
