/** Section 4.3: what build/opcodes.spec.ts leaves open: bits of NaNs, folding that would be wrong, results used by other instructions. */
import { expect, test } from 'vitest'
import { describeWith } from '../../testing/oracles.ts'
import { runCompiled } from '../build/differential.test-support.ts'
import { binary, calls, conforms } from './conform.test-support.ts'

const f32 = [
  '0x00000000',
  '0x80000000',
  '0x00000001',
  '0x3f800000',
  '0xbf800000',
  '0x4b7fffff',
  '0x7f7fffff',
  '0x7f800000',
  '0xff800000',
  '0x7fc00000',
  '0xffc00000',
].map((bits) => `f32:${bits}`)
const f64 = [
  '0x0000000000000000',
  '0x8000000000000000',
  '0x0000000000000001',
  '0x3ff0000000000000',
  '0xbff0000000000000',
  '0x433fffffffffffff',
  '0x7fefffffffffffff',
  '0x7ff0000000000000',
  '0xfff0000000000000',
  '0x7ff8000000000000',
].map((bits) => `f64:${bits}`)

describeWith(['qemu-riscv64'], 'numeric instructions', () => {
  test('float expressions are not folded where that would show', async () => {
    const shapes: [string, string][] = [
      ['add-zero', '(T.add X (T.const 0))'],
      ['zero-sub', '(T.sub (T.const 0) X)'],
      ['sub-zero', '(T.sub X (T.const 0))'],
      ['mul-zero', '(T.mul X (T.const 0))'],
      ['mul-minus-one', '(T.mul X (T.const -1))'],
      ['div-self', '(T.div X X)'],
      ['sub-self', '(T.sub X X)'],
      ['zero-div', '(T.div (T.const 0) X)'],
      ['div-three', '(T.div X (T.const 3))'],
      ['factor', '(T.add (T.mul X Y) (T.mul X X))'],
      ['distribute', '(T.mul X (T.add Y X))'],
      ['regroup', '(T.add (T.add X Y) X)'],
      ['add-sub', '(T.sub (T.add X Y) X)'],
      ['mul-div', '(T.div (T.mul X Y) X)'],
      ['fused', '(T.add (T.mul X Y) X)'],
      ['fused-negated', '(T.sub X (T.mul X Y))'],
      ['neg-sub', '(T.neg (T.sub X Y))'],
      ['abs-neg', '(T.abs (T.neg X))'],
      ['sqrt-square', '(T.sqrt (T.mul X X))'],
      ['select-lt', '(select X Y (T.lt X Y))'],
      ['select-not-lt', '(select X Y (i32.eqz (T.lt X Y)))'],
      ['select-ge', '(select X Y (T.ge X Y))'],
      ['ne-self', '(T.convert_i32_s (T.ne X X))'],
      ['not-eq', '(T.convert_i32_s (i32.eqz (T.eq X Y)))'],
      ['if-le', '(if (result T) (T.le X Y) (then X) (else Y))'],
      ['if-not-gt', '(if (result T) (i32.eqz (T.gt X Y)) (then X) (else Y))'],
      ['min-max', '(T.max (T.min X Y) (T.const 0.5))'],
      ['nearest-trunc', '(T.sub (T.nearest X) (T.trunc X))'],
      ['floor-ceil', '(T.copysign (T.floor X) Y)'],
    ]
    for (const [type, values] of [
      ['f32', f32],
      ['f64', f64],
    ] as const)
      await conforms(
        `(module ${shapes
          .map(
            ([name, code]) =>
              `(func (export "${name}") (param ${type} ${type}) (result ${type}) ${code.replaceAll('T', type).replaceAll('X', '(local.get 0)').replaceAll('Y', '(local.get 1)')})`,
          )
          .join('\n')})`,
        shapes.flatMap(([name]) => calls(name, values, values)),
      )
  })

  test('arithmetic makes signalling NaNs quiet, and canonical ones stay canonical', async () => {
    const unary = ['ceil', 'floor', 'trunc', 'nearest', 'sqrt']
    const shapes = [
      ...unary.map((name) => [name, `(f32.${name} X)`]),
      ['mul-one', '(f32.mul X (f32.const 1))'],
      ['div-one', '(f32.div X (f32.const 1))'],
      ['add-minus-zero', '(f32.add X (f32.const -0))'],
      ['sub-zero', '(f32.sub X (f32.const 0))'],
      ['min', '(f32.min X (f32.const 1))'],
      ['max', '(f32.max (f32.const 1) X)'],
      ['twice', '(f32.demote_f64 (f64.promote_f32 X))'],
    ]
    const text = `(module ${shapes
      .map(
        ([name, code]) =>
          `(func (export "${name}") (param i32) (result i32) (i32.reinterpret_f32 ${code.replace('X', '(f32.reinterpret_i32 (local.get 0))')}))`,
      )
      .join('\n')})`
    const bytes = await binary(text)
    for (const level of [0, 2] as const) {
      const run = (bits: bigint): string[] =>
        runCompiled(
          bytes,
          shapes.map(([name]) => ({ name, args: [bits] })),
          level,
        )
      for (const canonical of [0x7fc00000n, 0xffc00000n])
        for (const answer of run(canonical)) expect(BigInt.asUintN(31, BigInt(answer.slice(4)))).toBe(0x7fc00000n)
      for (const signalling of [0x7f800001n, 0xffa00000n, 0x7fbfffffn])
        for (const answer of run(signalling)) expect(BigInt(answer.slice(4)) & 0x7fc00000n).toBe(0x7fc00000n)
    }
  })

  test('bits of NaNs survive what is no arithmetic', async () => {
    await conforms(
      `(module (memory 1) (global $f (mut f32) (f32.const 0)) (global $d (mut f64) (f64.const 0)) (table funcref (elem $f))
        (func $f (param f32) (result f32) (local.get 0)) (func $d (param i32 f64 i32) (result f64) (local.get 1))
        (func (export "f") (param i32) (result i32)
          (f32.store (i32.const 8) (f32.reinterpret_i32 (local.get 0))) (global.set $f (f32.load (i32.const 8)))
          (i32.reinterpret_f32 (call_indirect (param f32) (result f32) (select (global.get $f) (f32.const 1) (i32.const 1)) (i32.const 0))))
        (func (export "d") (param i64) (result i64)
          (i64.store (i32.const 8) (local.get 0)) (global.set $d (f64.load (i32.const 8)))
          (f64.store (i32.const 16) (call $d (i32.const 1) (global.get $d) (i32.const 2))) (i64.load (i32.const 16)))
        (func (export "abs") (param i32) (result i32) (i32.reinterpret_f32 (f32.abs (f32.reinterpret_i32 (local.get 0)))))
        (func (export "neg") (param i64) (result i64) (i64.reinterpret_f64 (f64.neg (f64.reinterpret_i64 (local.get 0)))))
        (func (export "copysign") (param i32 i32) (result i32) (i32.reinterpret_f32 (f32.copysign (f32.reinterpret_i32 (local.get 0)) (f32.reinterpret_i32 (local.get 1)))))
        (func (export "constants") (result i32 i32 i64) (i32.reinterpret_f32 (f32.const nan:0x200000)) (i32.reinterpret_f32 (f32.const -nan:0x3fffff)) (i64.reinterpret_f64 (f64.const -nan:0x4000000000001))))`,
      [
        ...['f', 'abs'].flatMap((name) => calls(name, ['i32:2139095041', 'i32:-1', 'i32:-6291456', 'i32:2143289344'])),
        ...['d', 'neg'].flatMap((name) => calls(name, ['i64:9218868437227405313', 'i64:-1', 'i64:-2251799813685249'])),
        ...calls('copysign', ['i32:2139095041', 'i32:-8388607'], ['i32:0', 'i32:-2147483648', 'i32:-1']),
        'constants',
      ],
    )
  })

  test('truncations trap at exactly the ends of their ranges', async () => {
    const words = (type: 'f32' | 'f64', numbers: number[]): string[] => {
      const view = new DataView(new ArrayBuffer(8))
      return [...numbers, ...numbers.map((n) => -n)].map((number) => {
        if (type === 'f32') view.setFloat32(0, number)
        else view.setFloat64(0, number)
        return `${type}:0x${(type === 'f32' ? BigInt(view.getUint32(0)) : view.getBigUint64(0)).toString(16)}`
      })
    }
    const integers: [string, string][] = ['i32', 'i64'].flatMap((type) => ['s', 'u'].map((sign): [string, string] => [type, sign]))
    const floats = ['f32', 'f64'] as const
    const name = (type: string, float: string, sign: string): string => `${type}.trunc_${float}_${sign}`
    const edges = [31, 32, 63, 64].flatMap((power) => {
      const n = 2 ** power
      return [n, n - 1, n + 1, n - 0.5, n - 0.9, n * (1 - 2 ** -24), n * (1 - 2 ** -53), n * (1 + 2 ** -23), n * (1 + 2 ** -52)]
    })
    await conforms(
      `(module ${integers.flatMap(([type, sign]) => floats.map((float) => `(func (export "${name(type, float, sign)}") (param ${float}) (result ${type}) (${name(type, float, sign)} (local.get 0)))`)).join('\n')})`,
      integers.flatMap(([type, sign]) =>
        floats.flatMap((float) =>
          calls(name(type, float, sign), words(float, [0, 0.5, 0.9999999, 1, 1.5, 1e-40, Infinity, NaN, 3e38, ...edges])),
        ),
      ),
    )
  })

  test('small and wide integers keep their upper bits where they should', async () => {
    await conforms(
      `(module (memory 1)
        (func (export "wrap") (param i64) (result i64) (i64.extend_i32_u (i32.wrap_i64 (i64.mul (local.get 0) (i64.const 0x100000001)))))
        (func (export "shift") (param i32 i64) (result i64) (i64.shl (i64.extend_i32_s (i32.shl (local.get 0) (i32.wrap_i64 (local.get 1)))) (local.get 1)))
        (func (export "compare") (param i32 i32) (result i32) (i32.add (i32.mul (i32.lt_u (local.get 0) (local.get 1)) (i32.const 2)) (i32.ge_s (i32.add (local.get 0) (local.get 1)) (local.get 1))))
        (func (export "rotate") (param i32 i32) (result i32 i32) (i32.rotl (local.get 0) (local.get 1)) (i32.rotr (local.get 1) (local.get 0)))
        (func (export "narrow") (param i64) (result i32 i32 i64 i64) (i64.store32 (i32.const 0) (local.get 0)) (i32.store16 (i32.const 8) (i32.wrap_i64 (local.get 0)))
          (i32.load8_s (i32.const 3)) (i32.load16_u (i32.const 8)) (i64.load32_s (i32.const 0)) (i64.extend16_s (i64.load32_u (i32.const 0))))
        (func (export "divide") (param i64 i64) (result i64) (i64.add (i64.div_s (local.get 0) (local.get 1)) (i64.rem_u (local.get 0) (local.get 1))))
        (func (export "unused") (param i32) (drop (i32.div_u (i32.const 1) (local.get 0))))
        (func (export "unused-truncation") (param f32) (drop (i64.trunc_f32_u (local.get 0))))
        (func (export "unused-load") (param i32) (drop (f64.load (local.get 0))))
        (func (export "order") (param i32) (result i32) (i32.store (i32.const 0) (i32.const 7)) (i32.store (i32.const 0) (i32.rem_s (i32.const 9) (local.get 0))) (i32.load (i32.const 0)))
        (func (export "state") (result i32) (i32.load (i32.const 0))))`,
      [
        ...calls('wrap', ['i64:0', 'i64:-1', 'i64:2147483648', 'i64:4294967295', 'i64:81985529216486895']),
        ...calls('shift', ['i32:1', 'i32:-1', 'i32:1073741825'], ['i64:0', 'i64:1', 'i64:31', 'i64:33', 'i64:64', 'i64:-1']),
        ...['compare', 'rotate'].flatMap((f) =>
          calls(
            f,
            ['i32:0', 'i32:1', 'i32:-1', 'i32:2147483647', 'i32:-2147483648'],
            ['i32:0', 'i32:1', 'i32:33', 'i32:-1', 'i32:-2147483648'],
          ),
        ),
        ...calls('narrow', ['i64:-1', 'i64:2155905152', 'i64:1311768467463790320']),
        ...calls('divide', ['i64:0', 'i64:7', 'i64:-7', 'i64:-9223372036854775808'], ['i64:0', 'i64:1', 'i64:-1', 'i64:2', 'i64:-2']),
        ...calls('unused', ['i32:0', 'i32:1']),
        ...calls('unused-truncation', ['f32:0x7fc00000', 'f32:0xbf800000', 'f32:0x3f800000']),
        ...calls('unused-load', ['i32:65528', 'i32:65529']),
        ...['order i32:4', 'state', 'order i32:0', 'state'],
      ],
    )
  })
})
