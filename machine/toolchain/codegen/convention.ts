/**
 * Where arguments and results travel (psABI, LP64D), with two extensions that C never sees: results fill a0..a7 and fa0..fa7,
 * and what does not fit lies on the stack behind the stack arguments.
 */
import { floatArguments, integerArguments } from './machine.ts'

export interface Place {
  /** -1 when on the stack. */
  readonly register: number
  /** Byte offset from the callee's incoming sp. */
  readonly stack: number
  readonly float: boolean
}

export interface Convention {
  readonly params: readonly Place[]
  readonly results: readonly Place[]
  /** Bytes of stack that the caller provides. */
  readonly stackBytes: number
}

/** Places of a signature's parameters and results. */
export function conventionOf(params: readonly string[], results: readonly string[]): Convention {
  let stack = 0
  const place = (types: readonly string[]): Place[] => {
    let integers = 0
    let floats = 0
    return types.map((type) => {
      const float = type[0] === 'f' && type !== 'funcref'
      const register = float ? floatArguments[floats++] : integerArguments[integers++]
      if (register !== undefined) return { register, stack: 0, float }
      stack += 8
      return { register: -1, stack: stack - 8, float }
    })
  }
  return { params: place(params), results: place(results), stackBytes: Math.ceil(stack / 16) * 16 }
}
