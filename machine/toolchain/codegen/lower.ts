/**
 * From WebAssembly's operations to what RV64GC can do, still as IR, so that the passes see the address arithmetic.
 * Needs: freshly built IR. Gives: no clz, ctz, popcnt; memory addresses that are host addresses:
 * - signed: an i32, sign-extended as it is (kernel and user programs, contracts.md "Guest memory");
 * - physical: its zero extension (firmware that runs without translation);
 * - bounded: the zero extension plus `memory.base`, after a check against `memory.bytes`.
 */
import { effectOf, trapCodes, type Instruction, type IrFunction, type Type } from '../ir/ir.ts'

export type AddressModel = 'signed' | 'physical' | 'bounded'

const outOfBounds = trapCodes.indexOf('out of bounds memory access')
const unaligned = trapCodes.indexOf('unaligned atomic')

/** Rewrites the function in place. */
export function lower(fn: IrFunction, model: AddressModel): void {
  for (const block of fn.blocks) {
    const old = block.body
    block.body = []
    let position = -1
    const add = (op: string, type: Type | 'void', args: Instruction[], extra: { value?: bigint; index?: number } = {}): Instruction =>
      fn.append(block, fn.make(op, type, args, { ...extra, position }))
    const constant = (type: Type, value: bigint): Instruction => add(`${type}.const`, type, [], { value })
    const zeroExtended = (value: Instruction): Instruction => add('i64.extend_i32_u', 'i64', [value])

    for (const instruction of old) {
      position = instruction.position
      const { op, args } = instruction
      if (op === 'check.bounds') {
        const end = add('i64.add', 'i64', [zeroExtended(args[0]), constant('i64', BigInt(instruction.offset + instruction.index))])
        const outside = add('i64.gt_u', 'i32', [end, add('memory.bytes', 'i64', [])])
        add('trap.if', 'void', [outside], { index: outOfBounds })
        continue
      }
      if (op === 'check.aligned') {
        const address = instruction.offset
          ? add('i32.add', 'i32', [args[0], constant('i32', BigInt.asIntN(32, BigInt(instruction.offset)))])
          : args[0]
        add('trap.if', 'void', [add('i32.and', 'i32', [address, constant('i32', BigInt(instruction.index - 1))])], { index: unaligned })
        continue
      }
      if (isAccess(instruction) && model !== 'signed') {
        let address = zeroExtended(args[0])
        if (model === 'bounded') address = add('i64.add', 'i64', [add('memory.base', 'i64', []), address])
        args[0] = address
      }
      const replacement = bitCount(op, args, add, constant)
      if (replacement) instruction.forward = replacement
      else fn.append(block, instruction)
    }
  }
  for (const block of fn.blocks) {
    for (const instruction of [...block.body, block.terminator]) instruction.args = instruction.args.map((value) => value.forward ?? value)
    for (const edge of block.successors) edge.args = edge.args.map((value) => value.forward ?? value)
  }
}

function isAccess(instruction: Instruction): boolean {
  const rest = instruction.op.slice(4)
  return (
    rest.startsWith('load') ||
    rest.startsWith('store') ||
    rest.startsWith('atomic.') ||
    (effectOf(instruction) === 'effect' && instruction.op.startsWith('memory.atomic'))
  )
}

type Add = (op: string, type: Type | 'void', args: Instruction[]) => Instruction

/** Warren, "Hacker's Delight", 5-1 to 5-4. */
function bitCount(
  op: string,
  args: Instruction[],
  add: Add,
  constant: (type: Type, value: bigint) => Instruction,
): Instruction | undefined {
  const type = op.slice(0, 3) as Type
  const bits = type === 'i64' ? 64 : 32
  const binary = (operation: string, a: Instruction, b: Instruction | bigint): Instruction =>
    add(`${type}.${operation}`, type, [a, typeof b === 'bigint' ? constant(type, BigInt.asIntN(bits, b)) : b])
  const repeat = (byte: bigint): bigint => {
    let value = 0n
    for (let i = 0; i < bits; i += 8) value |= byte << BigInt(i)
    return value
  }
  const population = (x: Instruction): Instruction => {
    x = binary('sub', x, binary('and', binary('shr_u', x, 1n), repeat(0x55n)))
    x = binary('add', binary('and', x, repeat(0x33n)), binary('and', binary('shr_u', x, 2n), repeat(0x33n)))
    x = binary('and', binary('add', x, binary('shr_u', x, 4n)), repeat(0x0fn))
    return binary('shr_u', binary('mul', x, repeat(1n)), BigInt(bits - 8))
  }
  switch (op.slice(4)) {
    case 'popcnt':
      return population(args[0])
    case 'ctz': {
      // The ones below the lowest set bit.
      const lowest = binary('and', args[0], binary('sub', constant(type, 0n), args[0]))
      return population(binary('add', lowest, -1n))
    }
    case 'clz': {
      let x = args[0]
      for (let shift = 1n; shift < bits; shift *= 2n) x = binary('or', x, binary('shr_u', x, shift))
      return population(binary('xor', x, -1n))
    }
  }
  return undefined
}
