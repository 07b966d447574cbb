import binaryen from 'binaryen'
import { describe, expect, test } from 'vitest'
import { decodeModule } from '../wasm/decode.ts'
import { validateModule } from '../wasm/validate.ts'
import { buildFunction } from './build.ts'
import { optimise } from './optimise.ts'
import { parseFunction, printFunction } from './text.ts'

/** The optimised IR of the one function in a module's text. */
function optimised(text: string): string {
  const module = decodeModule(binaryen.parseText(`(module (memory 1) ${text})`).emitBinary())
  validateModule(module)
  const fn = buildFunction(module, 0, { name: 'f', bounds: false })
  optimise(fn, 2)
  return printFunction(fn)
}

describe('what the optimiser leaves', () => {
  test('a division by a nonzero constant has no checks', () => {
    const text = optimised('(func (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 7)))')
    expect(text).toContain('i32.div_s')
    expect(text).not.toContain('trap.if')
  })

  test('a division by a variable checks zero and overflow', () => {
    const text = optimised('(func (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))')
    expect(text).toContain('"integer divide by zero"')
    expect(text).toContain('"integer overflow"')
  })

  test('an unsigned remainder by a power of two is a mask', () => {
    expect(optimised('(func (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 16)))')).toContain('i32.and')
  })

  test('a byte masked to a byte is the byte', () => {
    expect(optimised('(func (param i32) (result i32) (i32.and (i32.load8_u (local.get 0)) (i32.const 255)))')).not.toContain('i32.and')
  })

  test('zero extension of a value known to be non-negative is free', () => {
    expect(optimised('(func (param i32) (result i64) (i64.extend_i32_u (i32.load16_u (local.get 0))))')).toContain('i64.extend_i32_s')
  })

  test('a stored value is not loaded again', () => {
    const text = optimised('(func (param i32 i32) (result i32) (i32.store (local.get 0) (local.get 1)) (i32.load (local.get 0)))')
    expect(text).not.toContain('i32.load ')
  })

  test('an invariant product is computed before its loop', () => {
    const text = optimised(
      '(func (param i32 i32) (loop $l (i32.store (local.get 0) (i32.mul (local.get 1) (local.get 1))) (br_if $l (i32.load8_u (local.get 0)))))',
    )
    expect(text.indexOf('i32.mul')).toBeLessThan(text.indexOf('i32.store'))
    expect(text.indexOf('i32.mul')).toBeLessThan(text.indexOf('jump'))
  })
})

test('what a device register is written keeps its mask', () => {
  const module = decodeModule(
    binaryen
      .parseText(
        `(module (import "cpu" "store32" (func $store (param i32 i32)))
           (func (param i32 i32) (call $store (local.get 0) (i32.and (local.get 1) (i32.const -3)))))`,
      )
      .emitBinary(),
  )
  validateModule(module)
  const fn = buildFunction(module, 1, { name: 'f', bounds: false, intrinsics: new Map([[0, 'cpu.store32']]) })
  optimise(fn, 2)
  expect(printFunction(fn)).toContain('i32.and')
})

test('the text of a function reads back as the same function', () => {
  const text = optimised(
    '(func (param i32 f64) (result i32) (local i32) (block $x (loop $l (br_if $x (i32.eqz (local.get 0))) (local.set 2 (i32.add (local.get 2) (i32.load offset=8 (local.get 0)))) (local.set 0 (i32.sub (local.get 0) (i32.const 4))) (br $l))) (i32.div_u (local.get 2) (local.get 0)))',
  )
  const again = printFunction(parseFunction(text))
  expect(printFunction(parseFunction(again))).toBe(again)
  const shape = (source: string): string => source.replace(/\bv\d+/g, 'v').replace(/\bb\d+/g, 'b')
  expect(shape(again)).toBe(shape(text))
})
