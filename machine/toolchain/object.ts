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
  /** Section name; undefined for an undefined symbol; `*ABS*` for an absolute value. */
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
}
