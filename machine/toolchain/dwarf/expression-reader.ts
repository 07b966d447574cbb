/** Location expressions (DWARF 5, 2.5): where a variable is, given the registers of its frame. */
import { Cursor, DwarfError } from './cursor.ts'

/** Where a value is. */
export type Place =
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'memory'; readonly address: bigint }
  | { readonly kind: 'constant'; readonly value: bigint }

export interface ExpressionContext {
  readonly register: (number: number) => bigint | undefined
  readonly cfa: bigint | undefined
  /** The function's own DW_AT_frame_base. */
  readonly frameBase: Uint8Array | undefined
  readonly addressSize: number
  readonly indexedAddress: (index: number) => bigint
  readonly readMemory: (address: bigint, size: number) => bigint | undefined
  readonly wasmLocal?: (index: number) => bigint
}

/** DW_OP_WASM_location, with a kind: 0 is a local. */
const wasmLocation = 0xed

const maximumSteps = 10_000

/** The place an expression names; undefined when it cannot be told (optimised out, or in pieces). */
export function evaluateLocation(bytes: Uint8Array, context: ExpressionContext, depth = 0): Place | undefined {
  if (bytes.length === 0 || depth > 4) return undefined
  const cursor = new Cursor(bytes)
  const stack: bigint[] = []
  const pop = (): bigint => {
    const value = stack.pop()
    if (value === undefined) throw new DwarfError('a location expression takes more than it has')
    return value
  }
  const push = (value: bigint | undefined): boolean => {
    if (value === undefined) return false
    stack.push(BigInt.asUintN(64, value))
    return true
  }
  const plus = (base: bigint | undefined, offset: bigint): bigint | undefined => (base === undefined ? undefined : base + offset)
  for (let steps = 0; !cursor.done; steps++) {
    if (steps > maximumSteps) throw new DwarfError('a location expression does not end')
    const op = cursor.u8()
    let known = true
    if (op >= 0x30 && op <= 0x4f) known = push(BigInt(op - 0x30))
    else if (op >= 0x50 && op <= 0x6f) return cursor.done ? { kind: 'register', register: op - 0x50 } : undefined
    else if (op >= 0x70 && op <= 0x8f) known = push(plus(context.register(op - 0x70), cursor.sleb()))
    else {
      switch (op) {
        case 0x03:
          known = push(cursor.address(context.addressSize))
          break
        case 0x06:
          known = push(context.readMemory(pop(), context.addressSize))
          break
        case 0x08:
          known = push(BigInt(cursor.u8()))
          break
        case 0x09:
          known = push(BigInt((cursor.u8() << 24) >> 24))
          break
        case 0x0a:
          known = push(BigInt(cursor.u16()))
          break
        case 0x0b:
          known = push(BigInt((cursor.u16() << 16) >> 16))
          break
        case 0x0c:
          known = push(BigInt(cursor.u32()))
          break
        case 0x0d:
          known = push(BigInt(cursor.u32() | 0))
          break
        case 0x0e:
        case 0x0f:
          known = push(cursor.u64())
          break
        case 0x10:
          known = push(cursor.uleb64())
          break
        case 0x11:
          known = push(cursor.sleb())
          break
        case 0x12: {
          const top = pop()
          push(top)
          push(top)
          break
        }
        case 0x13:
          pop()
          break
        case 0x1a:
          push(pop() & pop())
          break
        case 0x1c: {
          const right = pop()
          push(pop() - right)
          break
        }
        case 0x1e:
          push(pop() * pop())
          break
        case 0x1f:
          push(-pop())
          break
        case 0x21:
          push(pop() | pop())
          break
        case 0x22:
          push(pop() + pop())
          break
        case 0x23:
          push(pop() + cursor.uleb64())
          break
        case 0x24: {
          const shift = pop() & 63n
          push(pop() << shift)
          break
        }
        case 0x25: {
          const shift = pop() & 63n
          push(pop() >> shift)
          break
        }
        case 0x90: {
          const register = cursor.uleb()
          return cursor.done ? { kind: 'register', register } : undefined
        }
        case 0x91: {
          const offset = cursor.sleb()
          const base = context.frameBase && evaluateLocation(context.frameBase, context, depth + 1)
          // WebAssembly's frame bases are values (of a local), not places.
          known = push(
            plus(
              base?.kind === 'memory' ? base.address : base?.kind === 'constant' ? base.value : base && context.register(base.register),
              offset,
            ),
          )
          break
        }
        case 0x92:
          known = push(plus(context.register(cursor.uleb()), cursor.sleb()))
          break
        case 0x94:
          known = push(context.readMemory(pop(), cursor.u8()))
          break
        case 0x96:
          break
        case 0x9c:
          known = push(context.cfa)
          break
        case 0x9f:
          return cursor.done ? { kind: 'constant', value: pop() } : undefined
        case wasmLocation: {
          const kind = cursor.u8()
          const index = cursor.uleb()
          known = push(kind === 0 ? context.wasmLocal?.(index) : undefined)
          break
        }
        case 0xa1:
          known = push(context.indexedAddress(cursor.uleb()))
          break
        default:
          // Pieces, entry values and typed operations: not told.
          return undefined
      }
    }
    if (!known) return undefined
  }
  return { kind: 'memory', address: pop() }
}
