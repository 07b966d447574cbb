/** Section 4.5.4: imports, exports, segments and start functions, as far as a stand-alone program can have them. */
import { expect, test } from 'vitest'
import { describeWith } from '../../testing/oracles.ts'
import { compileAot } from '../build/aot.ts'
import { binary, conforms } from './conform.test-support.ts'

describeWith(['qemu-riscv64'], 'instantiation', () => {
  test('globals begin with their constants, and what is imported may be used in others', async () => {
    await conforms(
      `(module (global $a (import "spectest" "global_i32") i32) (global $l (import "spectest" "global_i64") i64) (global $f (import "spectest" "global_f32") f32) (global $d (import "spectest" "global_f64") f64)
        (global $c i32 (global.get $a)) (global $e (export "e") (mut f64) (global.get $d)) (global $x (mut i64) (i64.const -9223372036854775808)) (global $n (mut f32) (f32.const -0))
        (func (export "all") (result i32 i64 f32 f64 i32 f64 i64 f32) (global.get $a) (global.get $l) (global.get $f) (global.get $d) (global.get $c) (global.get $e) (global.get $x) (global.get $n))
        (func (export "set") (param f64 i64) (global.set $e (local.get 0)) (global.set $x (i64.add (global.get $x) (local.get 1)))))`,
      ['all', 'set f64:0x3ff8000000000000 i64:-1', 'all'],
    )
  })

  test('imported tables and memories have the contents and limits that the specification’s tests give them', async () => {
    await conforms(
      `(module (import "spectest" "memory" (memory 1)) (import "spectest" "table" (table 10 funcref)) (data (i32.const 65530) "abcdef") (elem (i32.const 9) $f) (global $offset (import "spectest" "global_i32") i32)
        (data (global.get $offset) "xyz") (func $f (result i32) (i32.const 5))
        (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))) (func (export "size") (result i32 i32) (memory.size) (table.size))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))) (func (export "table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0)))
        (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0))))`,
      [
        'size',
        'load i32:65530',
        'load i32:667',
        'call i32:9',
        'call i32:0',
        'grow i32:1',
        'grow i32:1',
        'table i32:10',
        'table i32:1',
        'size',
      ],
    )
  })

  test('later segments write over earlier ones; empty ones may stand at the end', async () => {
    await conforms(
      `(module (memory 1) (table 4 funcref) (data (i32.const 0) "abc") (data (i32.const 1) "xy") (data (i32.const 65536) "") (data (i32.const 65535) "z") (elem (i32.const 0) $a $a) (elem (i32.const 1) $b) (elem (i32.const 4))
        (func $a (result i32) (i32.const 1)) (func $b (result i32) (i32.const 2)) (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))) (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0))))`,
      ['load i32:0', 'load i32:1', 'load i32:2', 'load i32:65535', 'call i32:0', 'call i32:1', 'call i32:2'],
    )
  })

  test.each([
    ['data beyond the memory', '(memory 1) (data (i32.const 65535) "ab")'],
    ['data at a negative place', '(memory 1) (data (i32.const -1) "a")'],
    ['empty data beyond the memory', '(memory 1) (data (i32.const 65537) "")'],
    ['data without memory', '(memory 0) (data (i32.const 0) "a")'],
    ['elements beyond the table', '(table 2 funcref) (func $f) (elem (i32.const 1) $f $f)'],
    ['elements at a negative place', '(table 2 funcref) (func $f) (elem (i32.const -1) $f)'],
    ['a start function that traps', '(func $f (unreachable)) (start $f)'],
    [
      'a start function that divides by zero',
      '(global $z (mut i32) (i32.const 0)) (func $f (drop (i32.div_s (i32.const 1) (global.get $z)))) (start $f)',
    ],
    ['a start function without end', '(func $f (call $f)) (start $f)'],
  ])('%s is a trap before the first line', async (_, text) => {
    await conforms(`(module ${text} (func (export "get") (result i32) (i32.const 1)))`, ['get'])
  })

  test('a start function may call imports, use memory and tables', async () => {
    await conforms(
      `(module (import "spectest" "print_i32" (func $print (param i32))) (memory 1) (table funcref (elem $inc)) (data (i32.const 0) "\\05") (type $v (func))
        (func $inc (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))))
        (func $main (call $inc) (call_indirect (type $v) (i32.const 0)) (call $print (i32.load (i32.const 0)))) (start $main)
        (func (export "get") (result i32) (call $inc) (i32.load (i32.const 0))))`,
      ['get', 'get'],
    )
  })

  test('imported functions may be exported, put into tables and called indirectly', async () => {
    await conforms(
      `(module (import "spectest" "print_i32" (func $print (param i32))) (import "spectest" "print_f64_f64" (func $two (param f64 f64))) (export "print" (func $print)) (export "again" (func $print)) (table funcref (elem $print $two))
        (func (export "call") (param i32) (call_indirect (param i32) (i32.const 5) (local.get 0))))`,
      ['print i32:4', 'again i32:4', 'call i32:0', 'call i32:1'],
    )
  })
})

/** The one message for a module that cannot be compiled. */
async function refusal(text: string): Promise<string> {
  const { elf, diagnostics } = compileAot(await binary(`(module ${text})`, false), { target: 'bare', file: 'm.wasm' })
  expect(elf).toBeUndefined()
  expect(diagnostics).toHaveLength(1)
  expect(diagnostics[0].message).not.toContain('\n')
  return diagnostics[0].message
}

test.each([
  ['an unknown module', '(import "other" "f" (func))', 'unknown import other.f'],
  ['an unknown name', '(import "spectest" "unknown" (func))', 'unknown import spectest.unknown'],
  ['a function where there is a global', '(import "spectest" "global_i32" (func))', 'unknown import spectest.global_i32'],
  ['a global where there is a function', '(import "spectest" "print_i32" (global i32))', 'unknown import spectest.print_i32'],
  ['a memory where there is a table', '(import "spectest" "table" (memory 1))', 'unknown import spectest.table'],
  ['other parameters', '(import "spectest" "print_i32" (func (param i64)))', 'incompatible import type: spectest.print_i32'],
  ['a result', '(import "spectest" "print" (func (result i32)))', 'incompatible import type: spectest.print'],
  ['a global of another type', '(import "spectest" "global_i32" (global i64))', 'incompatible import type: spectest.global_i32'],
  ['a mutable global', '(import "spectest" "global_i32" (global (mut i32)))', 'incompatible import type: spectest.global_i32'],
  ['a larger memory', '(import "spectest" "memory" (memory 2))', 'incompatible import type: spectest.memory'],
  ['a memory with a smaller maximum', '(import "spectest" "memory" (memory 1 1))', 'incompatible import type: spectest.memory'],
  ['a shared memory', '(import "spectest" "memory" (memory 1 2 shared))', 'incompatible import type: spectest.memory'],
  ['a larger table', '(import "spectest" "table" (table 11 funcref))', 'incompatible import type: spectest.table'],
  ['a table with a smaller maximum', '(import "spectest" "table" (table 10 19 funcref))', 'incompatible import type: spectest.table'],
  ['a table of other things', '(import "spectest" "table" (table 10 externref))', 'incompatible import type: spectest.table'],
])('%s is refused', async (_, text, message) => {
  expect(await refusal(text)).toContain(message)
})

test('imports that ask for less are accepted', async () => {
  const accepted =
    '(import "spectest" "memory" (memory 0 3)) (import "spectest" "table" (table 0 30 funcref)) (import "spectest" "print_i32_f32" (func (param i32 f32)))'
  expect(compileAot(await binary(`(module ${accepted})`), { target: 'bare' }).diagnostics).toEqual([])
})

test('an import or export called like an inherited property is no surprise', async () => {
  expect(await refusal('(import "spectest" "toString" (global i32))')).toContain('unknown import spectest.toString')
  expect(
    compileAot(await binary('(module (func (export "constructor")) (func (export "__proto__")))'), { target: 'bare' }).diagnostics,
  ).toEqual([])
})
