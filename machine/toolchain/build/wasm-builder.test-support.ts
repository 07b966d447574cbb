/** Writes small wasm modules for tests: every function takes and gives integers, so that no bit is lost on the way through JavaScript. */
import type { Opcode } from '../wasm/opcodes.ts'
import type { NumberType } from '../wasm/types.ts'

const codes: Record<NumberType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c }

function unsigned(value: number): number[] {
  const bytes: number[] = []
  do {
    const byte = value % 128
    value = Math.floor(value / 128)
    bytes.push(value ? byte | 0x80 : byte)
  } while (value)
  return bytes
}

function signed(value: bigint): number[] {
  const bytes: number[] = []
  for (;;) {
    const byte = Number(value & 0x7fn)
    value >>= 7n
    if ((value === 0n && !(byte & 0x40)) || (value === -1n && byte & 0x40)) return [...bytes, byte]
    bytes.push(byte | 0x80)
  }
}

const section = (id: number, contents: number[]): number[] => [id, ...unsigned(contents.length), ...contents]
const vector = (items: number[][]): number[] => [...unsigned(items.length), ...items.flat()]

export interface TestFunction {
  readonly name: string
  readonly params: readonly NumberType[]
  readonly result: NumberType
  readonly body: number[]
}

/** The integer type with the bits of a type. */
export function carrier(type: NumberType): NumberType {
  return type === 'f32' ? 'i32' : type === 'f64' ? 'i64' : type
}

/** A module that exports the functions, with one page of memory. */
export function moduleOf(functions: readonly TestFunction[]): Uint8Array {
  const name = (text: string): number[] => {
    const bytes = [...new TextEncoder().encode(text)]
    return [...unsigned(bytes.length), ...bytes]
  }
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(functions.map((f) => [0x60, ...vector(f.params.map((t) => [codes[t]])), 1, codes[f.result]]))),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(5, vector([[0, 1]])),
    ...section(7, vector(functions.map((f, index) => [...name(f.name), 0, ...unsigned(index)]))),
    ...section(10, vector(functions.map((f) => [...unsigned(f.body.length + 2), 0, ...f.body, 0x0b]))),
  ])
}

/** Pushes a constant given by its bits. */
export function constant(type: NumberType, bits: bigint): number[] {
  if (type === 'i32') return [0x41, ...signed(BigInt.asIntN(32, bits))]
  if (type === 'i64') return [0x42, ...signed(BigInt.asIntN(64, bits))]
  const width = type === 'f32' ? 4 : 8
  return [
    type === 'f32' ? 0x43 : 0x44,
    ...Array.from({ length: width }, (_, index) => Number((BigInt.asUintN(64, bits) >> BigInt(8 * index)) & 0xffn)),
  ]
}

/** A function that applies one instruction; operands are parameters or, where a value is given, constants. */
export function applying(opcode: Opcode, name: string, constants: readonly (bigint | undefined)[]): TestFunction {
  const params: NumberType[] = []
  const body: number[] = []
  opcode.params!.forEach((type, index) => {
    const value = constants[index]
    if (value !== undefined) {
      body.push(...constant(type, value))
      return
    }
    body.push(0x20, ...unsigned(params.length))
    params.push(carrier(type))
    if (type === 'f32') body.push(0xbe)
    if (type === 'f64') body.push(0xbf)
  })
  body.push(...(opcode.code > 255 ? [opcode.code >> 8, ...unsigned(opcode.code & 0xff)] : [opcode.code]))
  const result = opcode.results![0]
  if (result === 'f32') body.push(0xbc)
  if (result === 'f64') body.push(0xbd)
  return { name, params, result: carrier(result), body }
}
