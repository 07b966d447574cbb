/** Section 4.4.8 and 4.4.9: blocks, branches, calls, returns, and the typing of code that is never reached. */
import { test } from 'vitest'
import { describeWith } from '../../testing/oracles.ts'
import { calls, conforms, i32 } from './conform.test-support.ts'

const small = i32(-1, 0, 1, 2, 3, 4, 5, 100)

describeWith(['qemu-riscv64'], 'control instructions', () => {
  test('blocks, loops and ifs give their values', async () => {
    await conforms(
      `(module
        (func $dummy)
        (func (export "empty") (block) (block $l) (loop) (if (i32.const 1) (then)))
        (func (export "nested") (result i32) (block (result i32) (block (call $dummy) (block) (nop)) (block (result i32) (call $dummy) (i32.const 9))))
        (func (export "deep") (result i32) ${'(block (result i32) '.repeat(60)}(i32.const 150)${')'.repeat(60)})
        (func (export "operand") (result i32) (i32.mul (block (result i32) (call $dummy) (i32.const 3)) (block (result i32) (call $dummy) (i32.const 4))))
        (func (export "break-value") (result i32) (block (result i32) (br 0 (i32.const 18)) (br 0 (i32.const 19)) (i32.const 21)))
        (func (export "break-inner") (result i32) (local i32)
          (local.set 0 (i32.const 0))
          (local.set 0 (i32.add (local.get 0) (block (result i32) (block (result i32) (br 1 (i32.const 0x1))))))
          (local.set 0 (i32.add (local.get 0) (block (result i32) (block (br 0)) (i32.const 0x2))))
          (local.set 0 (i32.add (local.get 0) (block (result i32) (i32.ctz (br 0 (i32.const 0x4))))))
          (local.set 0 (i32.add (local.get 0) (block (result i32) (i32.ctz (block (result i32) (br 1 (i32.const 0x8)))))))
          (local.get 0))
        (func (export "if") (param i32) (result i32) (local i32)
          (if (local.get 0) (then (local.set 1 (i32.const 7))) (else (local.set 1 (i32.const 8))))
          (if (result i32) (local.get 0) (then (call $dummy) (local.get 1)) (else (i32.add (local.get 1) (i32.const 100)))))
        (func (export "if-no-else") (param i32) (result i32) (if (i32.eqz (local.get 0)) (then (return (i32.const 5)))) (i32.const 6))
        (func (export "if-params") (param i32) (result i32) (i32.const 1) (i32.const 2)
          (if (param i32 i32) (result i32) (local.get 0) (then (i32.add)) (else (i32.sub))))
        (func (export "if-through") (param i32) (result i32 i64) (i32.const 1) (i64.const 2)
          (if (param i32 i64) (result i32 i64) (local.get 0) (then (drop) (drop) (i32.const -3) (i64.const -4))))
        (func (export "if-break") (param i32 i32) (result i32)
          (if (result i32) (local.get 0)
            (then (br_if 0 (i32.const 10) (local.get 1)) (drop) (i32.const 11))
            (else (br_if 0 (i32.const 20) (local.get 1)) (drop) (i32.const 21)))))`,
      [
        ...['empty', 'nested', 'deep', 'operand', 'break-value', 'break-inner'],
        ...['if', 'if-no-else', 'if-params', 'if-through'].flatMap((name) => calls(name, i32(0, 1, -1))),
        ...calls('if-break', i32(0, 1), i32(0, 1)),
      ],
    )
  })

  test('loops carry parameters and locals', async () => {
    await conforms(
      `(module
        (func (export "sum") (param i64) (result i64) (local i64)
          (block (loop (br_if 1 (i64.eqz (local.get 0))) (local.set 1 (i64.add (local.get 0) (local.get 1)))
            (local.set 0 (i64.sub (local.get 0) (i64.const 1))) (br 0))) (local.get 1))
        (func (export "params") (param i32) (result i32 i64) (local i64 i32) (i32.const 0) (i64.const 1)
          (loop (param i32 i64) (result i32 i64)
            (i64.const 3) (i64.mul) (local.set 1) (i32.const 1) (i32.add) (local.tee 2) (local.get 1)
            (br_if 0 (i32.lt_s (local.get 2) (local.get 0)))))
        (func (export "swap") (param i32) (result i32 i32) (local i32 i32) (i32.const 1) (i32.const 1000)
          (loop (param i32 i32) (result i32 i32)
            (local.set 1) (local.set 2) (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (local.get 1) (local.get 2) (br_if 0 (i32.gt_s (local.get 0) (i32.const 0)))))
        (func (export "fibonacci") (param i32) (result i64) (local i64 i64 i64) (local.set 2 (i64.const 1))
          (block $out (loop $again (br_if $out (i32.eqz (local.get 0)))
            (local.set 3 (i64.add (local.get 1) (local.get 2))) (local.set 1 (local.get 2)) (local.set 2 (local.get 3))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br $again))) (local.get 1))
        (func (export "nested") (param i32 i32) (result i32) (local i32 i32 i32)
          (loop $i (local.set 3 (i32.const 0))
            (loop $j
              (local.set 4 (i32.add (local.get 4) (i32.xor (local.get 2) (local.get 3))))
              (br_if $j (i32.lt_u (local.tee 3 (i32.add (local.get 3) (i32.const 1))) (local.get 1))))
            (br_if $i (i32.lt_u (local.tee 2 (i32.add (local.get 2) (i32.const 1))) (local.get 0))))
          (local.get 4))
        (func (export "float") (param f32) (result f32) (local f32 f32) (local.set 1 (f32.const 0)) (local.set 2 (f32.const 1))
          (block (loop (br_if 1 (i32.eqz (f32.le (local.get 2) (local.get 0)))) (local.set 1 (f32.add (local.get 1) (f32.div (local.get 0) (local.get 2))))
            (local.set 2 (f32.add (local.get 2) (f32.const 1))) (br 0))) (local.get 1)))`,
      [
        ...['i64:0', 'i64:1', 'i64:1000'].map((n) => `sum ${n}`),
        ...['params', 'swap', 'fibonacci'].flatMap((name) => calls(name, i32(1, 2, 3, 10, 90))),
        ...calls('nested', i32(0, 1, 5, 33), i32(0, 1, 7)),
        ...['0x00000000', '0x3f800000', '0x42f60000', '0x7fc00000'].map((bits) => `float f32:${bits}`),
      ],
    )
  })

  test('br_table picks its target, with and without a value', async () => {
    await conforms(
      `(module
        (func (export "one") (param i32) (result i32) (block (br_table 0 (local.get 0)) (return (i32.const 21))) (i32.const 22))
        (func (export "same") (param i32) (result i32) (block (block (br_table 0 0 0 1 (local.get 0)) (return (i32.const 21))) (return (i32.const 22))) (i32.const 23))
        (func (export "many") (param i32) (result i32)
          (block (block (block (block (block (br_table 3 2 1 0 4 (local.get 0)) (return (i32.const 99)))
            (return (i32.const 100))) (return (i32.const 101))) (return (i32.const 102))) (return (i32.const 103))) (i32.const 104))
        (func (export "value") (param i32) (result i32) (local i32)
          (local.set 1 (block (result i32)
            (local.set 1 (block (result i32)
              (local.set 1 (block (result i32) (br_table 2 1 0 1 2 (i32.const 200) (local.get 0))))
              (return (i32.add (local.get 1) (i32.const 10)))))
            (return (i32.add (local.get 1) (i32.const 11)))))
          (i32.add (local.get 1) (i32.const 12)))
        (func (export "return") (param i32) (result i32) (i32.add (block (result i32) (br_table 0 1 0 (i32.const 7) (local.get 0))) (i32.const 1)))
        (func (export "loop") (param i32) (result i32) (local i32)
          (loop (local.set 1 (i32.add (local.get 1) (i32.const 1)))
            (block (br_table 0 1 0 (i32.sub (local.get 0) (local.get 1))))) (local.get 1))
        (func (export "multi") (param i32) (result i32 i64)
          (block (result i32 i64) (block (result i32 i64) (br_table 0 1 0 (i32.const 1) (i64.const 2) (local.get 0))) (drop) (drop) (i32.const 3) (i64.const 4)))
        (func (export "void") (param i32) (br_table 0 (local.get 0)))
        (func (export "const") (result i32) (block (result i32) (block (result i32) (br_table 0 1 (i32.const 5) (i32.const 77))) (drop) (i32.const 1)))
        (func (export "large") (param i32) (result i32)
          (block (block (br_table ${'0 1 '.repeat(12_500)} 0 (local.get 0)) (return (i32.const -1))) (return (i32.const 0))) (i32.const 1))
        (func (export "values") (param i32) (result i32)
          ${'(block (result i32) '.repeat(40)} (br_table ${Array.from({ length: 40 }, (_, i) => (i * 7) % 40).join(' ')} (i32.const 1) (local.get 0))
          ${'(i32.const 3) (i32.mul) (local.get 0) (i32.add) )'.repeat(40)}))`,
      [
        ...['one', 'same', 'many', 'value', 'return', 'multi', 'void', 'values', 'large'].flatMap((name) => calls(name, small)),
        ...calls('values', i32(37, 38, 39, 40, 41)),
        ...calls('large', i32(24_997, 24_998, 24_999, 25_000, 25_001, -2147483648, 2147483647)),
        ...calls('loop', i32(0, 1, 2, 3)),
        'const',
      ],
    )
  })

  test('br, br_if and return leave from anywhere in an expression', async () => {
    const places: [string, string][] = [
      ['block', '(block (result i32) (drop X) (i32.const 2))'],
      ['loop', '(loop (result i32) (drop X) (i32.const 3))'],
      ['value-first', '(i32.add X (i32.const 2))'],
      ['value-last', '(i32.sub (i32.const 3) X)'],
      ['condition', '(if (result i32) X (then (i32.const 1)) (else (i32.const 0)))'],
      ['then', '(if (result i32) (local.get 0) (then X) (else (i32.const 17)))'],
      ['else', '(if (result i32) (local.get 0) (then (i32.const 18)) (else X))'],
      ['select-first', '(select X (i32.const 4) (local.get 0))'],
      ['select-last', '(select (i32.const 5) (i32.const 6) X)'],
      ['call-first', '(call $three X (i32.const 1) (i32.const 2))'],
      ['call-last', '(call $three (i32.const 1) (i32.const 2) X)'],
      ['indirect', '(call_indirect (param i32 i32 i32) (result i32) (i32.const 1) (i32.const 2) X (i32.const 0))'],
      ['indirect-index', '(call_indirect (param i32 i32 i32) (result i32) (i32.const 1) (i32.const 2) (i32.const 3) X)'],
      ['local', '(local.tee 1 X)'],
      ['global', '(block (result i32) (global.set $g X) (i32.const 3))'],
      ['load', '(i32.load X)'],
      ['store', '(block (result i32) (i32.store8 X (i32.const 3)) (i32.const 4))'],
      ['stored', '(block (result i32) (i64.store (i32.const 8) (i64.extend_i32_u X)) (i32.const 4))'],
      ['compare', '(f64.le (f64.convert_i32_s X) (f64.const 3))'],
      ['grow', '(memory.grow X)'],
      ['br_if', '(br_if 0 X (local.get 0))'],
      ['br_table', '(block (result i32) (br_table 0 0 X (i32.const 1)))'],
      ['drop', '(block (result i32) (drop X) (i32.const 4))'],
    ]
    const exits: [string, string][] = [
      ['br', '(br $out (i32.const 41))'],
      ['return', '(return (i32.const 42))'],
      ['unreachable', '(unreachable)'],
      ['table', '(br_table $out $out (i32.const 43) (local.get 0))'],
      ['if', '(br_if $out (i32.const 44) (local.get 0))'],
    ]
    const functions = places.flatMap(([place, code]) =>
      exits.map(
        ([exit, how]) =>
          `(func (export "${place}-${exit}") (param i32) (result i32) (local i32) (block $out (result i32) ${code.replace('X', how)}))`,
      ),
    )
    await conforms(
      `(module (memory 1) (table funcref (elem $three)) (global $g (mut i32) (i32.const 1))
        (func $three (param i32 i32 i32) (result i32) (i32.sub (i32.mul (local.get 0) (local.get 1)) (local.get 2))) ${functions.join('\n')})`,
      places.flatMap(([place]) => exits.flatMap(([exit]) => calls(`${place}-${exit}`, i32(0, 1)))),
    )
  })

  test('code that is never reached may be typed as it likes', async () => {
    await conforms(
      `(module (memory 1) (table 1 funcref)
        (func (export "select") (result i32) (return (i32.const 1)) (select) (drop) (i32.const 3) (select) (drop) (f32.add) (drop))
        (func (export "block") (result i32) (block (result i32) (br 0 (i32.const 5)) (i64.add) (drop) (block (param i32) (drop)) (loop (result f32) (f32.const 1)) (drop)))
        (func (export "if") (result i32) (return (i32.const 6)) (if (result i64) (then (i64.const 1)) (else (unreachable))) (drop) (if (param f32) (then (drop)) (else (drop))))
        (func (export "after-loop") (result i32) (loop (result i32) (return (i32.const 8))) (i32.eqz))
        (func (export "after-table") (param i32) (result i32) (block (br_table 0 0 (local.get 0)) (i32.add) (drop) (f64.store) (call_indirect (param f64 f64)) (br_table 0 0)) (i32.const 9))
        (func (export "tee") (result f64) (local f64) (return (f64.const 2)) (local.tee 0) (local.set 0) (drop) (memory.grow) (drop))
        (func (export "both-dead") (param i32) (result i32) (if (result i32) (local.get 0) (then (return (i32.const 1))) (else (return (i32.const 2)))))
        (func (export "one-dead") (param i32) (result i32) (i32.add (if (result i32) (local.get 0) (then (return (i32.const 1))) (else (i32.const 2))) (i32.const 10)))
        (func (export "else-after-dead") (param i32) (result i32) (if (local.get 0) (then (unreachable) (drop) (drop)) (else (nop))) (i32.const 3))
        (func (export "dead-loop") (result i32) (block (br 0) (loop (br 0))) (i32.const 4))
        (func (export "trap-value") (result i64) (i64.add (i64.const 1) (unreachable)))
        (func (export "br_if-dead") (result i32) (block (result i32) (i32.const 3) (unreachable) (br_if 0) (br_if 0 (i32.const 1)))))`,
      [
        ...['select', 'block', 'if', 'after-loop', 'tee', 'dead-loop', 'trap-value', 'br_if-dead'],
        ...['after-table', 'both-dead', 'one-dead', 'else-after-dead'].flatMap((name) => calls(name, i32(0, 1))),
      ],
    )
  })
})

describeWith(['qemu-riscv64'], 'calls', () => {
  test('many parameters and results travel in registers and on the stack', async () => {
    const types = ['i32', 'f32', 'i64', 'f64']
    const params = Array.from({ length: 40 }, (_, index) => types[(index * 7) % 4])
    const values = params.map((type, index) => `(${type}.const ${index * 3 + 1}${type[0] === 'f' ? '.5' : ''})`)
    const sum = params
      .map((type, index) => {
        const converted =
          type === 'f64'
            ? `(local.get ${index})`
            : type === 'f32'
              ? `(f64.promote_f32 (local.get ${index}))`
              : `(f64.convert_${type}_s (local.get ${index}))`
        return `(f64.mul (f64.const ${index + 1}) ${converted})`
      })
      .reduce((left, right) => `(f64.add ${left} ${right})`)
    const reverse = params.map((_, index) => `(local.get ${39 - index})`).join(' ')
    const reversed = [...params].reverse().join(' ')
    const line = params.map((type, index) =>
      type === 'f32'
        ? `f32:0x4${index.toString(16).padStart(7, '0')}`
        : type === 'f64'
          ? `f64:0x4${index.toString(16).padStart(15, '0')}`
          : `${type}:${index % 2 ? -index : index}`,
    )
    await conforms(
      `(module (table funcref (elem $sum $reverse)) (type $many (func (param ${params.join(' ')}) (result f64)))
        (func $sum (export "sum") (type $many) ${sum})
        (func $reverse (export "reverse") (param ${params.join(' ')}) (result ${reversed}) ${reverse})
        (func (export "call") (result f64) (call $sum ${values.join(' ')}))
        (func (export "indirect") (param i32) (result f64) (call_indirect (type $many) ${values.join(' ')} (local.get 0)))
        (func (export "twice") (param ${params.join(' ')}) (result ${params.join(' ')}) (local ${reversed})
          (call $reverse ${params.map((_, index) => `(local.get ${index})`).join(' ')})
          ${params.map((_, index) => `(local.set ${79 - index})`).join(' ')}
          ${params.map((_, index) => `(local.get ${79 - index})`).join(' ')})
        (func (export "pick") (result i32 f32 i64 f64 i32) (call $reverse ${values.join(' ')}) ${'(drop)'.repeat(36)}
          (drop) (drop) (drop) (drop) (i32.const 1) (f32.const 2) (i64.const 3) (f64.const 4) (i32.const 5)))`,
      [`sum ${line.join(' ')}`, 'call', 'indirect i32:0', 'indirect i32:1', `reverse ${line.join(' ')}`, `twice ${line.join(' ')}`, 'pick'],
    )
  })

  test('recursion in every shape, and running out of stack is a trap', async () => {
    await conforms(
      `(module (type $f (func (param i64) (result i64))) (table funcref (elem $indirect $runaway-indirect))
        (func $fac (export "fac") (type $f) (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 1)) (else (i64.mul (local.get 0) (call $fac (i64.sub (local.get 0) (i64.const 1)))))))
        (func $fib (export "fib") (type $f) (if (result i64) (i64.le_u (local.get 0) (i64.const 1)) (then (i64.const 1))
          (else (i64.add (call $fib (i64.sub (local.get 0) (i64.const 2))) (call $fib (i64.sub (local.get 0) (i64.const 1)))))))
        (func $even (export "even") (type $f) (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 44)) (else (call $odd (i64.sub (local.get 0) (i64.const 1))))))
        (func $odd (type $f) (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 99)) (else (call $even (i64.sub (local.get 0) (i64.const 1))))))
        (func $indirect (export "indirect") (type $f) (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 1))
          (else (i64.mul (local.get 0) (call_indirect (type $f) (i64.sub (local.get 0) (i64.const 1)) (i32.const 0))))))
        (func $runaway (export "runaway") (call $runaway))
        (func $runaway-indirect (export "runaway-indirect") (type $f) (call_indirect (type $f) (local.get 0) (i32.const 1)))
        (func $mutual (export "mutual") (call $other)) (func $other (call $mutual))
        (func $pair (export "pair") (param i64 i64) (result i64 i64) (if (result i64 i64) (i64.eqz (local.get 0)) (then (i64.const 1) (local.get 1))
          (else (call $pair (i64.sub (local.get 0) (i64.const 1)) (i64.mul (local.get 0) (local.get 1)))))))`,
      [
        ...['i64:0', 'i64:5', 'i64:20'].flatMap((n) => [`fac ${n}`, `fib ${n}`, `indirect ${n}`, `even ${n}`]),
        ...['even i64:1000', 'even i64:1001', 'runaway', 'runaway-indirect i64:1', 'mutual', 'fac i64:25', 'pair i64:9 i64:1'],
      ],
    )
  })

  test('a frame larger than the whole stack is a trap', async () => {
    const locals = 40_000
    await conforms(
      `(module (func $use (param i64))
        (func $big (export "big") (param i64) (local ${'i64 '.repeat(locals)})
          ${Array.from({ length: 2000 }, (_, i) => `(local.set ${i * 10 + 1} (i64.mul (local.get ${i * 10}) (i64.const ${i})))`).join('\n')}
          (call $big (local.get 0))
          ${Array.from({ length: 2000 }, (_, i) => `(call $use (local.get ${i * 10 + 1}))`).join('\n')}))`,
      ['big i64:3'],
    )
  })

  test('indirect calls check the index, the element and its type', async () => {
    await conforms(
      `(module (type $ii (func (param i32) (result i32))) (type $same (func (param i32) (result i32))) (type $l (func (param i64) (result i64)))
        (table 10 funcref) (table $second 3 funcref)
        (elem (i32.const 1) $inc $long $dec) (elem (table $second) (i32.const 0) func $dec $void)
        (func $inc (type $ii) (i32.add (local.get 0) (i32.const 1))) (func $dec (type $same) (i32.sub (local.get 0) (i32.const 1)))
        (func $long (type $l) (i64.neg_ (local.get 0))) (func $void)
        (func (export "first") (param i32) (result i32) (call_indirect (type $same) (i32.const 50) (local.get 0)))
        (func (export "second") (param i32) (result i32) (call_indirect $second (type $ii) (i32.const 50) (local.get 0)))
        (func (export "long") (param i32) (result i64) (call_indirect (type $l) (i64.const 50) (local.get 0)))
        (func (export "void") (param i32) (call_indirect $second (local.get 0))))`.replace(
        '(i64.neg_ (local.get 0))',
        '(i64.sub (i64.const 0) (local.get 0))',
      ),
      ['first', 'second', 'long', 'void'].flatMap((name) => calls(name, i32(0, 1, 2, 3, 4, 9, 10, 11, -1, -2147483648))),
    )
  })
})
