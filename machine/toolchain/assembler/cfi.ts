/** Call frame information as written by `.cfi_*` (DWARF 5, 6.4), kept for the debug information's writer. */
import type { Place } from './symbol.ts'

export interface CfiInstruction {
  readonly name: string
  readonly operands: readonly number[]
  readonly place: Place
}
