/**
 * Directed modules in the text format, answered by V8 and by the compiled program; the tests of this folder say only
 * the module and the console lines to try. wabt writes the binaries: it keeps dead code as it was written.
 */
import wabtModule from 'wabt'
import { expect } from 'vitest'
import { exportTypes, runCompiled, runV8, type Call } from '../build/differential.test-support.ts'

/** Extensions that the compiler knows besides core 1.0. */
const features = {
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  multi_value: true,
  bulk_memory: true,
  reference_types: true,
  threads: true,
}

/** The binary of a module in the text format; `check` off also writes invalid ones. */
export async function binary(text: string, check = true): Promise<Uint8Array> {
  // An instance of its own each time: one that has failed once fails for ever.
  const wabt = await wabtModule()
  const module = wabt.parseWat('module.wat', text, features)
  try {
    module.resolveNames()
    if (check) module.validate()
    return module.toBinary({}).buffer.slice()
  } finally {
    module.destroy()
  }
}

/** What modules of the specification's tests import, as its interpreter has it. */
export function spectest(): WebAssembly.Imports {
  const nothing = (): void => undefined
  const names = ['print', 'print_i32', 'print_i64', 'print_f32', 'print_f64', 'print_i32_f32', 'print_f64_f64']
  const global = (value: WebAssembly.ValueType, initial: unknown): WebAssembly.Global => new WebAssembly.Global({ value }, initial)
  return {
    spectest: {
      ...Object.fromEntries(names.map((name) => [name, nothing])),
      global_i32: global('i32', 666),
      global_i64: global('i64', 666n),
      global_f32: global('f32', 666.6),
      global_f64: global('f64', 666.6),
      table: new WebAssembly.Table({ element: 'anyfunc', initial: 10, maximum: 20 }),
      memory: new WebAssembly.Memory({ initial: 1, maximum: 2 }),
    },
  }
}

/** A console line of contracts.md as a call. */
function callOf(line: string, types: ReturnType<typeof exportTypes>): Call {
  const name = [...types.keys()]
    .filter((candidate) => line === candidate || line.startsWith(`${candidate} `))
    .sort((a, b) => b.length - a.length)[0]
  if (name === undefined) throw new Error(`no export for: ${line}`)
  const words = line
    .slice(name.length)
    .split(' ')
    .filter((word) => word !== '')
  return {
    name,
    args: words.map((word) => {
      const value = word.slice(word.indexOf(':') + 1)
      if (value === 'null') return -1n
      return value.startsWith('-0x') ? -BigInt(value.slice(1)) : BigInt(value)
    }),
  }
}

/** Checks that the compiled module answers the lines as V8 does, optimised or not; gives V8's answers. */
export async function conforms(text: string | Uint8Array, lines: readonly string[]): Promise<string[]> {
  const bytes = typeof text === 'string' ? await binary(text) : text
  const types = exportTypes(bytes)
  const calls = lines.map((line) => callOf(line, types))
  const expected = runV8(bytes, calls, spectest())
  for (const level of [0, 2] as const) {
    const actual = runCompiled(bytes, calls, level)
    const rows = (answers: readonly string[]): string[] => lines.map((line, index) => `${line} -> ${answers[index] ?? answers.join()}`)
    expect(rows(actual), `level ${level}`).toEqual(rows(expected))
  }
  return expected
}

/** Calls of `name` with every combination of the given arguments. */
export function calls(name: string, ...values: readonly (readonly string[])[]): string[] {
  return values.reduce<string[]>((rows, column) => rows.flatMap((row) => column.map((value) => `${row} ${value}`)), [name])
}

/** `i32:` arguments. */
export function i32(...values: readonly number[]): string[] {
  return values.map((value) => `i32:${value}`)
}
