/** Numbers of the ELF format (System V gABI, chapter 4; RISC-V ELF psABI) that reader and writer share. */
import type { RelocationType } from '../object.ts'

export const machineRiscv = 243

export const fileType = { relocatable: 1, executable: 2, shared: 3 } as const

/** `e_flags`. */
export const headerFlags = { compressed: 0x1, floatAbiMask: 0x6, floatAbiSoft: 0, floatAbiSingle: 0x2, floatAbiDouble: 0x4 } as const

export const sectionType = {
  null: 0,
  progbits: 1,
  symtab: 2,
  strtab: 3,
  rela: 4,
  note: 7,
  nobits: 8,
  initArray: 14,
  finiArray: 15,
  preinitArray: 16,
  group: 17,
  riscvAttributes: 0x7000_0003,
} as const

export const sectionFlag = { write: 1, alloc: 2, execute: 4, infoLink: 0x40 } as const

/** Special section indices. */
export const sectionIndex = { undefined: 0, reserved: 0xff00, absolute: 0xfff1, common: 0xfff2, extended: 0xffff } as const

export const segmentType = { load: 1 } as const
export const segmentFlag = { execute: 1, write: 2, read: 4 } as const

export const symbolBindings = ['local', 'global', 'weak'] as const
export const symbolTypes = ['none', 'object', 'function', 'section', 'file'] as const

export const headerSize = 64
export const programHeaderSize = 56
export const sectionHeaderSize = 64
export const symbolSize = 24
export const relaSize = 24

/** Relocation numbers (psABI, table "Relocation types"). */
export const relocationNumbers: Record<RelocationType, number> = {
  R_RISCV_32: 1,
  R_RISCV_64: 2,
  R_RISCV_BRANCH: 16,
  R_RISCV_JAL: 17,
  R_RISCV_CALL_PLT: 19,
  R_RISCV_GOT_HI20: 20,
  R_RISCV_PCREL_HI20: 23,
  R_RISCV_PCREL_LO12_I: 24,
  R_RISCV_PCREL_LO12_S: 25,
  R_RISCV_HI20: 26,
  R_RISCV_LO12_I: 27,
  R_RISCV_LO12_S: 28,
  R_RISCV_ADD8: 33,
  R_RISCV_ADD16: 34,
  R_RISCV_ADD32: 35,
  R_RISCV_ADD64: 36,
  R_RISCV_SUB8: 37,
  R_RISCV_SUB16: 38,
  R_RISCV_SUB32: 39,
  R_RISCV_SUB64: 40,
  R_RISCV_RVC_BRANCH: 44,
  R_RISCV_RVC_JUMP: 45,
  R_RISCV_SUB6: 52,
  R_RISCV_SET6: 53,
  R_RISCV_SET8: 54,
  R_RISCV_SET16: 55,
  R_RISCV_SET32: 56,
  R_RISCV_32_PCREL: 57,
}

/** `R_RISCV_ALIGN`: padding that the linker must cut to fit; `R_RISCV_RELAX`: leave to shorten; `R_RISCV_CALL`: old `CALL_PLT`. */
export const foreignRelocations = { none: 0, call: 18, align: 43, relax: 51 } as const
