/** The body of one WebAssembly function under construction: locals, instructions, open blocks, branch hints. */
import { Bytes } from './bytes.ts'

export const I32 = 0x7f
export const I64 = 0x7e
export const F32 = 0x7d
export const F64 = 0x7c
export type ValueType = typeof I32 | typeof I64 | typeof F32 | typeof F64
const VOID = 0x40

/** Opcodes without immediates (Core 2.0, 5.4). */
export const Opcode = {
  unreachable: 0x00,
  return: 0x0f,
  drop: 0x1a,
  select: 0x1b,
  i32_eqz: 0x45,
  i32_eq: 0x46,
  i32_ne: 0x47,
  i32_lt_s: 0x48,
  i32_le_u: 0x4d,
  i64_eqz: 0x50,
  i64_eq: 0x51,
  i64_ne: 0x52,
  i64_lt_s: 0x53,
  i64_lt_u: 0x54,
  i64_gt_s: 0x55,
  i64_ge_s: 0x59,
  i64_ge_u: 0x5a,
  f32_eq: 0x5b,
  f32_lt: 0x5d,
  f32_le: 0x5f,
  f32_ge: 0x60,
  f64_eq: 0x61,
  f64_ne: 0x62,
  f64_lt: 0x63,
  f64_gt: 0x64,
  f64_le: 0x65,
  f64_ge: 0x66,
  i32_add: 0x6a,
  i32_sub: 0x6b,
  i32_mul: 0x6c,
  i32_div_s: 0x6d,
  i32_div_u: 0x6e,
  i32_rem_s: 0x6f,
  i32_rem_u: 0x70,
  i32_and: 0x71,
  i32_or: 0x72,
  i32_xor: 0x73,
  i32_shl: 0x74,
  i32_shr_s: 0x75,
  i32_shr_u: 0x76,
  i64_add: 0x7c,
  i64_sub: 0x7d,
  i64_mul: 0x7e,
  i64_div_s: 0x7f,
  i64_div_u: 0x80,
  i64_rem_s: 0x81,
  i64_rem_u: 0x82,
  i64_and: 0x83,
  i64_or: 0x84,
  i64_xor: 0x85,
  i64_shl: 0x86,
  i64_shr_s: 0x87,
  i64_shr_u: 0x88,
  f32_abs: 0x8b,
  f32_sqrt: 0x91,
  f32_add: 0x92,
  f32_sub: 0x93,
  f32_mul: 0x94,
  f32_div: 0x95,
  f64_abs: 0x99,
  f64_neg: 0x9a,
  f64_sqrt: 0x9f,
  f64_add: 0xa0,
  f64_sub: 0xa1,
  f64_mul: 0xa2,
  f64_div: 0xa3,
  i32_wrap_i64: 0xa7,
  i32_trunc_f64_s: 0xaa,
  i64_extend_i32_s: 0xac,
  i64_extend_i32_u: 0xad,
  i64_trunc_f64_s: 0xb0,
  f32_demote_f64: 0xb6,
  f64_convert_i32_s: 0xb7,
  f64_convert_i32_u: 0xb8,
  f64_convert_i64_s: 0xb9,
  f64_promote_f32: 0xbb,
  i32_reinterpret_f32: 0xbc,
  i64_reinterpret_f64: 0xbd,
  f32_reinterpret_i32: 0xbe,
  f64_reinterpret_i64: 0xbf,
  i64_extend8_s: 0xc2,
  i64_extend16_s: 0xc3,
  i64_extend32_s: 0xc4,
} as const
export type OpcodeName = keyof typeof Opcode

export const MemoryOpcode = {
  i32_load: 0x28,
  i64_load: 0x29,
  f32_load: 0x2a,
  f64_load: 0x2b,
  i32_load8_u: 0x2d,
  i64_load8_s: 0x30,
  i64_load8_u: 0x31,
  i64_load16_s: 0x32,
  i64_load16_u: 0x33,
  i64_load32_s: 0x34,
  i64_load32_u: 0x35,
  i32_store: 0x36,
  i64_store: 0x37,
  f32_store: 0x38,
  f64_store: 0x39,
  i32_store8: 0x3a,
  i64_store8: 0x3c,
  i64_store16: 0x3d,
  i64_store32: 0x3e,
} as const
export type MemoryOpcodeName = keyof typeof MemoryOpcode

/** An open block, by the object that stands for it. */
export type Label = object

export class Code {
  readonly bytes = new Bytes()
  private readonly types: ValueType[] = []
  private readonly open: (Label | undefined)[] = []
  /** Offset of each hinted branch, and whether it is likely. */
  readonly hints: { readonly offset: number; readonly likely: boolean }[] = []

  constructor(private readonly parameters: number) {}

  local(type: ValueType): number {
    this.types.push(type)
    return this.parameters + this.types.length - 1
  }

  op(...names: OpcodeName[]): void {
    for (const name of names) this.bytes.byte(Opcode[name])
  }
  get(local: number): void {
    this.bytes.byte(0x20)
    this.bytes.unsigned(local)
  }
  set(local: number): void {
    this.bytes.byte(0x21)
    this.bytes.unsigned(local)
  }
  tee(local: number): void {
    this.bytes.byte(0x22)
    this.bytes.unsigned(local)
  }
  i32(value: number): void {
    this.bytes.byte(0x41)
    this.bytes.signed(value | 0)
  }
  i64(value: number): void {
    this.bytes.byte(0x42)
    this.bytes.signed(value)
  }
  f64(value: number): void {
    this.bytes.byte(0x44)
    this.bytes.f64(value)
  }
  /** Loads and stores promise no alignment: guest addresses have none. */
  memory(name: MemoryOpcodeName, offset: number): void {
    this.bytes.byte(MemoryOpcode[name])
    this.bytes.byte(0)
    this.bytes.unsigned(offset)
  }
  call(index: number): void {
    this.bytes.byte(0x10)
    this.bytes.unsigned(index)
  }

  block(label: Label): void {
    this.bytes.byte(0x02)
    this.bytes.byte(VOID)
    this.open.push(label)
  }
  loop(label: Label): void {
    this.bytes.byte(0x03)
    this.bytes.byte(VOID)
    this.open.push(label)
  }
  if(likely?: boolean, result?: ValueType): void {
    this.hint(likely)
    this.bytes.byte(0x04)
    this.bytes.byte(result ?? VOID)
    this.open.push(undefined)
  }
  else(): void {
    this.bytes.byte(0x05)
  }
  end(): void {
    this.bytes.byte(0x0b)
    this.open.pop()
  }
  branch(label: Label): void {
    this.bytes.byte(0x0c)
    this.bytes.unsigned(this.depth(label))
  }
  branchIf(label: Label, likely?: boolean): void {
    this.hint(likely)
    this.bytes.byte(0x0d)
    this.bytes.unsigned(this.depth(label))
  }
  /** The last label is the default. */
  branchTable(labels: readonly Label[]): void {
    this.bytes.byte(0x0e)
    this.bytes.unsigned(labels.length - 1)
    for (const label of labels) this.bytes.unsigned(this.depth(label))
  }

  private hint(likely: boolean | undefined): void {
    if (likely !== undefined) this.hints.push({ offset: this.bytes.length, likely })
  }

  private depth(label: Label): number {
    const at = this.open.lastIndexOf(label)
    if (at < 0) throw new Error('a branch leaves for a block that is not open')
    return this.open.length - 1 - at
  }

  /** The function as it stands in the code section, without its size; `hints` with offsets in it. */
  finish(): { body: Bytes; hints: readonly { offset: number; likely: boolean }[] } {
    const body = new Bytes()
    const runs: { type: ValueType; count: number }[] = []
    for (const type of this.types) {
      const last = runs.at(-1)
      if (last?.type === type) last.count++
      else runs.push({ type, count: 1 })
    }
    body.unsigned(runs.length)
    for (const { type, count } of runs) {
      body.unsigned(count)
      body.byte(type)
    }
    const start = body.length
    body.append(this.bytes)
    body.byte(0x0b)
    return { body, hints: this.hints.map(({ offset, likely }) => ({ offset: offset + start, likely })) }
  }
}
