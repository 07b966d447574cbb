/** Section 4.4.6: tables and references. */
import { test } from 'vitest'
import { describeWith } from '../../testing/oracles.ts'
import { calls, conforms, i32 } from './conform.test-support.ts'

describeWith(['qemu-riscv64'], 'tables', () => {
  test('get, set, size, grow and fill', async () => {
    await conforms(
      `(module (table $e 2 10 externref) (table $f 1 funcref) (table $none 0 0 externref) (elem declare func $seven $eight)
        (func $seven (result i32) (i32.const 7)) (func $eight (result i32) (i32.const 8))
        (func (export "get") (param i32) (result externref) (table.get $e (local.get 0)))
        (func (export "set") (param i32 externref) (table.set $e (local.get 0) (local.get 1)))
        (func (export "size") (result i32 i32 i32) (table.size $e) (table.size $f) (table.size $none))
        (func (export "grow") (param externref i32) (result i32) (table.grow $e (local.get 0) (local.get 1)))
        (func (export "grow-none") (param i32) (result i32) (table.grow $none (ref.null extern) (local.get 0)))
        (func (export "grow-f") (param i32) (result i32) (table.grow $f (ref.func $eight) (local.get 0)))
        (func (export "fill") (param i32 externref i32) (table.fill $e (local.get 0) (local.get 1) (local.get 2)))
        (func (export "set-f") (param i32) (table.set $f (local.get 0) (ref.func $seven)))
        (func (export "null-f") (param i32) (table.set $f (local.get 0) (ref.null func)))
        (func (export "is-null") (param i32) (result i32) (ref.is_null (table.get $f (local.get 0))))
        (func (export "call") (param i32) (result i32) (call_indirect $f (result i32) (local.get 0))))`,
      [
        ...[
          'size',
          'get i32:0',
          'set i32:0 externref:5',
          'get i32:0',
          'set i32:1 externref:0',
          'get i32:1',
          'set i32:2 externref:1',
          'get i32:2',
          'get i32:-1',
          'set i32:1 externref:null',
          'get i32:1',
        ],
        ...[
          'grow externref:9 i32:3',
          'size',
          'get i32:4',
          'get i32:5',
          'grow externref:1 i32:6',
          'grow externref:null i32:5',
          'get i32:9',
          'grow externref:1 i32:0',
          'grow externref:1 i32:-1',
        ],
        ...[
          'fill i32:2 externref:3 i32:4',
          'get i32:1',
          'get i32:2',
          'get i32:5',
          'get i32:6',
          'fill i32:9 externref:4 i32:1',
          'fill i32:9 externref:7 i32:2',
          'get i32:9',
          'fill i32:10 externref:4 i32:0',
          'fill i32:11 externref:4 i32:0',
        ],
        ...[
          'grow-none i32:0',
          'grow-none i32:1',
          'call i32:0',
          'is-null i32:0',
          'set-f i32:0',
          'call i32:0',
          'is-null i32:0',
          'grow-f i32:100',
          'call i32:100',
          'call i32:101',
          'null-f i32:100',
          'call i32:100',
          'call i32:99',
          'size',
        ],
      ],
    )
  })

  test('init, copy and drop', async () => {
    const functions = Array.from({ length: 8 }, (_, index) => `(func $f${index} (result i32) (i32.const ${index}))`).join(' ')
    await conforms(
      `(module (type $t (func (result i32))) (table $a 10 funcref) (table $b 10 12 funcref) ${functions}
        (elem (table $a) (i32.const 2) func $f3 $f1 $f4) (elem $p func $f2 $f7 $f1) (elem $q funcref (ref.func $f5) (ref.null func) (ref.func $f6)) (elem $dropped (table $b) (i32.const 0) func $f0 $f1)
        (func (export "init") (param i32 i32 i32) (table.init $a $p (local.get 0) (local.get 1) (local.get 2)))
        (func (export "init-b") (param i32 i32 i32) (table.init $b $q (local.get 0) (local.get 1) (local.get 2)))
        (func (export "init-dropped") (param i32 i32 i32) (table.init $b $dropped (local.get 0) (local.get 1) (local.get 2)))
        (func (export "copy") (param i32 i32 i32) (table.copy $a $a (local.get 0) (local.get 1) (local.get 2)))
        (func (export "copy-ab") (param i32 i32 i32) (table.copy $b $a (local.get 0) (local.get 1) (local.get 2)))
        (func (export "drop") (elem.drop $p))
        (func (export "a") (param i32) (result i32) (call_indirect $a (type $t) (local.get 0)))
        (func (export "b") (param i32) (result i32) (call_indirect $b (type $t) (local.get 0))))`,
      [
        ...['init i32:7 i32:0 i32:3', 'init-b i32:4 i32:0 i32:3', 'copy i32:3 i32:2 i32:4', 'copy-ab i32:6 i32:2 i32:4'],
        ...['a', 'b'].flatMap((name) => calls(name, i32(...Array.from({ length: 13 }, (_, index) => index)))),
        ...[
          'copy i32:1 i32:3 i32:5',
          'init i32:8 i32:0 i32:3',
          'init i32:0 i32:1 i32:3',
          'init i32:10 i32:3 i32:0',
          'init i32:11 i32:0 i32:0',
          'init i32:0 i32:4 i32:0',
          'init i32:-1 i32:0 i32:1',
        ],
        ...[
          'init-dropped i32:0 i32:0 i32:0',
          'init-dropped i32:0 i32:0 i32:1',
          'copy i32:10 i32:10 i32:0',
          'copy i32:11 i32:0 i32:0',
          'copy i32:0 i32:9 i32:2',
          'copy-ab i32:9 i32:0 i32:2',
          'copy i32:0 i32:0 i32:-1',
        ],
        ...['drop', 'init i32:0 i32:0 i32:0', 'init i32:0 i32:0 i32:1', 'drop'],
        ...['a', 'b'].flatMap((name) => calls(name, i32(...Array.from({ length: 13 }, (_, index) => index)))),
      ],
    )
  })

  test('references pass through locals, globals, parameters, selects and blocks', async () => {
    await conforms(
      `(module (global $g (mut externref) (ref.null extern)) (global $h (mut funcref) (ref.func $one)) (table 3 funcref)
        (func $one (result i32) (i32.const 1)) (func $two (export "two") (result i32) (i32.const 2))
        (func (export "pass") (param externref) (result externref) (local externref) (local.set 1 (local.get 0)) (local.get 1))
        (func (export "null") (result externref funcref) (ref.null extern) (ref.null func))
        (func (export "local") (result externref) (local externref) (local.get 0))
        (func (export "is-null") (param externref) (result i32) (ref.is_null (local.get 0)))
        (func (export "select") (param externref externref i32) (result externref) (select (result externref) (local.get 0) (local.get 1) (local.get 2)))
        (func (export "global") (param externref) (result externref) (global.set $g (local.get 0)) (block (result externref) (br_if 0 (global.get $g) (ref.is_null (local.get 0)))))
        (func (export "function") (param i32) (result i32) (table.set (i32.const 1) (if (result funcref) (local.get 0) (then (global.get $h)) (else (ref.func $two)))) (call_indirect (result i32) (i32.const 1)))
        (func (export "swap") (param externref externref) (result externref externref) (local.get 1) (local.get 0)))`,
      [
        ...[
          'pass externref:0',
          'pass externref:17',
          'pass externref:null',
          'null',
          'local',
          'is-null externref:null',
          'is-null externref:0',
          'global externref:4',
          'global externref:null',
          'two',
        ],
        ...calls('select', ['externref:1', 'externref:null'], ['externref:2'], i32(0, 1)),
        ...calls('function', i32(0, 1)),
        'swap externref:3 externref:null',
      ],
    )
  })
})
