/**
 * A relocatable object in memory: what the assembler and the code generator hand to the linker.
 * Names and numbers are the RISC-V ELF psABI's, so that an object can also be written as an ELF `.o`.
 */

/** Relocations the linker applies (psABI, "Relocations"). */
export type RelocationType =
  | 'R_RISCV_32'
  | 'R_RISCV_64'
  | 'R_RISCV_BRANCH'
  | 'R_RISCV_JAL'
  | 'R_RISCV_CALL_PLT'
  | 'R_RISCV_PCREL_HI20'
  | 'R_RISCV_PCREL_LO12_I'
  | 'R_RISCV_PCREL_LO12_S'
  | 'R_RISCV_HI20'
  | 'R_RISCV_LO12_I'
  | 'R_RISCV_LO12_S'
  | 'R_RISCV_RVC_BRANCH'
  | 'R_RISCV_RVC_JUMP'
  | 'R_RISCV_ADD8'
  | 'R_RISCV_ADD16'
  | 'R_RISCV_ADD32'
  | 'R_RISCV_ADD64'
  | 'R_RISCV_SUB8'
  | 'R_RISCV_SUB16'
  | 'R_RISCV_SUB32'
  | 'R_RISCV_SUB64'
  // Made by GNU tools; our own stages do not need them.
  | 'R_RISCV_GOT_HI20'
  | 'R_RISCV_32_PCREL'
  | 'R_RISCV_SUB6'
  | 'R_RISCV_SET6'
  | 'R_RISCV_SET8'
  | 'R_RISCV_SET16'
  | 'R_RISCV_SET32'

export interface Relocation {
  /** Byte offset in the section. */
  readonly offset: number
  readonly type: RelocationType
  readonly symbol: string
  readonly addend: number
}

export interface Section {
  readonly name: string
  /** `nobits` occupies `size` bytes of zeros and has no `bytes`. */
  readonly kind: 'progbits' | 'nobits' | 'note'
  readonly flags: { readonly alloc: boolean; readonly write: boolean; readonly execute: boolean }
  /** Alignment in bytes, a power of two. */
  readonly alignment: number
  readonly size: number
  readonly bytes: Uint8Array
  readonly relocations: readonly Relocation[]
}

export interface ObjectSymbol {
  readonly name: string
  readonly binding: 'local' | 'global' | 'weak'
  readonly type: 'none' | 'object' | 'function' | 'section' | 'file'
  /** Section name; undefined for an undefined symbol; `*ABS*` for an absolute value; `*COM*` for a common block, whose value is its alignment. */
  readonly section: string | undefined
  /** Byte offset in the section, or the absolute value. */
  readonly value: number
  readonly size: number
}

/** From this section offset on (until the next row) code belongs to this source position. */
export interface LineRow {
  readonly section: string
  readonly offset: number
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** 1-based; 0 where unknown. */
  readonly column: number
}

export interface ObjectFile {
  /** What to call it in diagnostics, usually the source path. */
  readonly name: string
  readonly sections: readonly Section[]
  readonly symbols: readonly ObjectSymbol[]
  readonly lines: readonly LineRow[]
  /** Types, functions, variables and frames for debuggers. */
  readonly debug?: ObjectDebug
}

/** What a source language says about its program (DWARF 5, chapters 3 to 5). Types are named by their index in `types`. */
export interface ObjectDebug {
  readonly language: 'assembler' | 'c' | 'cpp' | 'typescript'
  /** The main source file, as in `LineRow.file`. */
  readonly file: string
  readonly types: readonly DebugType[]
  readonly functions: readonly DebugFunction[]
  readonly variables: readonly DebugVariable[]
  readonly frames: readonly DebugFrame[]
}

export type DebugType =
  | {
      readonly kind: 'base'
      readonly name: string
      readonly encoding: 'signed' | 'unsigned' | 'float' | 'boolean' | 'signedCharacter' | 'unsignedCharacter'
      readonly size: number
    }
  /** `target` is absent for a pointer to nothing known. */
  | { readonly kind: 'pointer'; readonly target?: number; readonly size: number }
  | {
      readonly kind: 'struct'
      readonly name: string
      readonly size: number
      readonly members: readonly { readonly name: string; readonly offset: number; readonly type: number }[]
    }
  | { readonly kind: 'array'; readonly element: number; readonly count: number }
  | { readonly kind: 'typedef'; readonly name: string; readonly target: number }
  | {
      readonly kind: 'enumeration'
      readonly name: string
      readonly size: number
      readonly values: readonly { readonly name: string; readonly value: number }[]
    }

/** Registers are DWARF's: x0..x31 are 0..31, f0..f31 are 32..63. */
export type DebugLocation =
  | { readonly kind: 'register'; readonly register: number }
  /** In memory at a register's value plus an offset. */
  | { readonly kind: 'based'; readonly register: number; readonly offset: number }
  /** In memory at an offset from the canonical frame address: sp as it was at the call. */
  | { readonly kind: 'frame'; readonly offset: number }
  | { readonly kind: 'symbol'; readonly symbol: string; readonly offset: number }
  | { readonly kind: 'constant'; readonly value: number }
  /** In memory at an address that the front-end has chosen. */
  | { readonly kind: 'address'; readonly address: bigint }
  /** In memory at the value of a pointer plus an offset; a narrow pointer is the register's low 32 bits. */
  | { readonly kind: 'pointed'; readonly pointer: DebugLocation; readonly offset: number; readonly narrow: boolean }

export interface DebugVariable {
  readonly name: string
  readonly type: number
  readonly file?: string
  readonly line?: number
  /** Where it is all the time, or where it is between offsets from the function's start (`end` excluded). */
  readonly location?: DebugLocation | readonly { readonly start: number; readonly end: number; readonly location: DebugLocation }[]
}

export interface DebugFunction {
  readonly name: string
  readonly section: string
  readonly offset: number
  readonly size: number
  readonly file: string
  readonly line: number
  readonly external: boolean
  readonly returnType?: number
  readonly parameters: readonly DebugVariable[]
  readonly locals: readonly DebugVariable[]
}

/** How to find the caller's registers from any place in a range of code. */
export interface DebugFrame {
  readonly section: string
  readonly offset: number
  readonly size: number
  /** In order of offset; the first is at 0. */
  readonly rows: readonly DebugFrameRow[]
}

export interface DebugFrameRow {
  /** From the start of the range. */
  readonly offset: number
  /** The canonical frame address is this register plus this offset. */
  readonly cfa: { readonly register: number; readonly offset: number }
  /** Registers saved in memory, by their distance from the canonical frame address. */
  readonly saved: readonly { readonly register: number; readonly offset: number }[]
}
