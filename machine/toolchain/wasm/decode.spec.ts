import binaryen from 'binaryen'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeModule } from './decode.ts'
import { readNames } from './names.ts'
import { WasmError } from './types.ts'
import { validateModule } from './validate.ts'

const sample = binaryen
  .parseText(
    `(module (memory 1 2) (table 4 funcref) (global $g (mut i64) (i64.const -5)) (elem (i32.const 1) $f) (data (i32.const 8) "bytes")
     (func $f (export "f") (param i32 i64) (result f64) (local f32)
       (block $b (br_table $b $b $b (local.get 0)))
       (global.set $g (i64.add (local.get 1) (i64.load offset=16 (i32.const 0))))
       (f64.const 1.5)))`,
  )
  .emitBinary()

/** The error, or undefined for a valid module. */
function problem(bytes: Uint8Array): WasmError | undefined {
  try {
    const module = decodeModule(bytes)
    readNames(module)
    validateModule(module)
    return undefined
  } catch (error) {
    if (error instanceof WasmError) return error
    throw error
  }
}

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

test('a module is read', () => {
  const module = decodeModule(sample)
  expect(module.exports).toEqual([{ name: 'f', kind: 'function', index: 0 }])
  expect(module.types[0]).toEqual({ params: ['i32', 'i64'], results: ['f64'] })
  expect(module.memories[0]).toEqual({ minimum: 1, maximum: 2, shared: false })
  expect(problem(sample)).toBeUndefined()
})

test.each([
  ['nothing', [], 'magic header'],
  ['another version', [0, 0x61, 0x73, 0x6d, 2, 0, 0, 0], 'unknown binary version'],
  ['a section twice', [...header, 1, 1, 0, 1, 1, 0], 'unexpected content'],
  ['sections out of order', [...header, 3, 1, 0, 1, 1, 0], 'unexpected content'],
  ['a section longer than the module', [...header, 1, 9, 0], 'length out of bounds'],
  ['a section shorter than its contents say', [...header, 1, 2, 0, 0], 'section size mismatch'],
  ['a number of six bytes', [...header, 1, 6, 0x80, 0x80, 0x80, 0x80, 0x80, 0], 'integer representation too long'],
  ['functions without code', [...header, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0], 'inconsistent lengths'],
  ['a name that is not UTF-8', [...header, 0, 2, 1, 0xff], 'malformed UTF-8'],
])('%s is malformed', (_, bytes, message) => {
  const error = problem(new Uint8Array(bytes))
  expect(error?.code).toBe('wasm/malformed')
  expect(error?.message).toContain(message)
})

test('a body that leaves the wrong type is invalid, and the error says where', () => {
  // () -> i32 with an i64 constant.
  const bytes = [...header, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 10, 6, 1, 4, 0, 0x42, 1, 0x0b]
  const error = problem(new Uint8Array(bytes))
  expect(error?.code).toBe('wasm/invalid')
  expect(error?.offset).toBe(bytes.length - 1)
})

test('damaged modules are refused or read, never worse', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(sample.length), (changes, length) => {
      const bytes = sample.slice(0, length)
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
      problem(bytes)
    }),
    { numRuns: 2000 },
  )
})
