/** Section 4.4.7: linear memory: bounds, offsets, growth, segments, bulk instructions, atomics. */
import { test } from 'vitest'
import { describeWith } from '../../testing/oracles.ts'
import { calls, conforms, i32 } from './conform.test-support.ts'

const widths: [string, string, number][] = [
  ['i32.load', 'i32', 4],
  ['i32.load8_s', 'i32', 1],
  ['i32.load8_u', 'i32', 1],
  ['i32.load16_s', 'i32', 2],
  ['i32.load16_u', 'i32', 2],
  ['i64.load', 'i64', 8],
  ['i64.load8_s', 'i64', 1],
  ['i64.load16_u', 'i64', 2],
  ['i64.load32_s', 'i64', 4],
  ['i64.load32_u', 'i64', 4],
  ['f32.load', 'f32', 4],
  ['f64.load', 'f64', 8],
]
const offsets = [0, 1, 4095, 65528, 65535, 65536, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff]
const addresses = [0, 1, 3, 8, 61440, 65527, 65528, 65529, 65532, 65533, 65534, 65535, 65536, 2147483647, -2147483648, -65536, -8, -1]

describeWith(['qemu-riscv64'], 'memory', () => {
  test('every access is checked to the byte, with every offset', async () => {
    const functions = widths.flatMap(([op, type]) =>
      offsets.map((offset) => `(func (export "${op}+${offset}") (param i32) (result ${type}) (${op} offset=${offset} (local.get 0)))`),
    )
    await conforms(
      `(module (memory 1) (data (i32.const 0) "abcdefghij\\ff\\fe\\80\\81") (data (i32.const 65520) "\\81\\82\\83\\84\\85\\86\\87\\88\\89\\8a\\8b\\8c\\8d\\8e\\8f\\90")
        ${functions.join('\n')})`,
      widths.flatMap(([op]) => offsets.flatMap((offset) => calls(`${op}+${offset}`, i32(...addresses)))),
    )
  })

  test('constant addresses are checked too', async () => {
    const places = [0, 65532, 65533, 65536, 0xffffffff]
    await conforms(
      `(module (memory 1)
        ${places.map((at) => `(func (export "load-${at}") (result i32) (i32.load (i32.const ${at}))) (func (export "store-${at}") (i64.store offset=${at} (i32.const 0) (i64.const -1)))`).join('\n')})`,
      places.flatMap((at) => [`store-${at}`, `load-${at}`]),
    )
  })

  test('stores write their bytes and only those; a trapping one writes none', async () => {
    const stores: [string, string][] = [
      ['i32.store', 'i32'],
      ['i32.store8', 'i32'],
      ['i32.store16', 'i32'],
      ['i64.store', 'i64'],
      ['i64.store8', 'i64'],
      ['i64.store16', 'i64'],
      ['i64.store32', 'i64'],
    ]
    await conforms(
      `(module (memory 1 1)
        ${stores.map(([op, type]) => `(func (export "${op}") (param i32 ${type}) (${op} (local.get 0) (local.get 1)))`).join('\n')}
        (func (export "f32.store") (param i32 f32) (f32.store (local.get 0) (local.get 1))) (func (export "f64.store") (param i32 f64) (f64.store (local.get 0) (local.get 1)))
        (func (export "all") (result i64 i64 i64) (i64.load (i32.const 0)) (i64.load (i32.const 65520)) (i64.load (i32.const 65528))))`,
      [
        ...stores.flatMap(([op, type]) =>
          i32(0, 3, 65527, 65531, 65534, 65535, 65536, -1, -4).flatMap((at) => [`${op} ${at} ${type}:-81985529216486896`, 'all']),
        ),
        ...i32(1, 65532, 65533).flatMap((at) => [`f32.store ${at} f32:0x7fe00001`, 'all', `f64.store ${at} f64:0xfffc000000000123`, 'all']),
      ],
    )
  })

  test('memory grows by zeroed pages up to its maximum', async () => {
    const text = (limits: string): string => `(module (memory ${limits})
        (func (export "size") (result i32) (memory.size)) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "load") (param i32) (result i32) (i32.load (local.get 0))) (func (export "store") (param i32) (i32.store (local.get 0) (i32.const 77)))
        (func (export "across") (param i32) (result i32 i32) (local i32) (local.set 1 (memory.size)) (drop (memory.grow (local.get 0))) (local.get 1) (memory.size))
        (func (export "grow-use") (param i32) (result i32) (if (result i32) (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (i32.const -5)) (else (i32.store (local.get 0) (i32.const 9)) (i32.load (local.get 0))))))`
    await conforms(text('0 10'), [
      ...[
        'size',
        'load i32:0',
        'grow i32:0',
        'grow i32:1',
        'size',
        'store i32:65532',
        'load i32:65532',
        'load i32:65533',
        'grow i32:4',
        'load i32:65532',
      ],
      ...[
        'load i32:65536',
        'load i32:327676',
        'load i32:327677',
        'grow i32:5',
        'grow i32:1',
        'grow i32:0',
        'size',
        'grow i32:-1',
        'grow i32:65536',
        'across i32:1',
      ],
    ])
    await conforms(text('1'), [
      'grow i32:200',
      'size',
      'store i32:13172732',
      'load i32:13172732',
      'load i32:13172733',
      'across i32:3',
      'grow-use i32:13369340',
      'grow i32:65536',
      'grow i32:-1',
    ])
    await conforms(text('0 0'), ['size', 'grow i32:0', 'grow i32:1', 'load i32:0', 'store i32:-4'])
    await conforms(text('2 3'), ['grow-use i32:196604', 'grow-use i32:196604'])
  })

  test('bulk instructions check first, then copy as if through a buffer', async () => {
    await conforms(
      `(module (memory 1) (data $p "\\01\\02\\03\\04\\05\\06\\07\\08\\09\\0a") (data $active (i32.const 100) "abcdefgh") (data $empty "")
        (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
        (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
        (func (export "init") (param i32 i32 i32) (memory.init $p (local.get 0) (local.get 1) (local.get 2)))
        (func (export "init-active") (param i32 i32 i32) (memory.init $active (local.get 0) (local.get 1) (local.get 2)))
        (func (export "init-empty") (param i32 i32 i32) (memory.init $empty (local.get 0) (local.get 1) (local.get 2)))
        (func (export "drop") (data.drop $p)) (func (export "drop-active") (data.drop $active))
        (func (export "see") (param i32) (result i64) (i64.load (local.get 0))))`,
      [
        ...[
          'copy i32:104 i32:100 i32:8',
          'see i32:100',
          'see i32:108',
          'copy i32:99 i32:101 i32:9',
          'see i32:96',
          'see i32:104',
          'copy i32:100 i32:100 i32:8',
          'see i32:100',
        ],
        ...[
          'fill i32:200 i32:511 i32:3',
          'see i32:200',
          'fill i32:65535 i32:-1 i32:1',
          'fill i32:65535 i32:1 i32:2',
          'see i32:65528',
          'fill i32:65536 i32:1 i32:0',
          'fill i32:65537 i32:1 i32:0',
        ],
        ...[
          'init i32:300 i32:2 i32:5',
          'see i32:300',
          'init i32:65535 i32:0 i32:2',
          'see i32:65528',
          'init i32:0 i32:9 i32:2',
          'init i32:0 i32:10 i32:0',
          'init i32:0 i32:11 i32:0',
        ],
        ...[
          'init i32:0 i32:-1 i32:1',
          'init i32:0 i32:0 i32:-1',
          'init i32:-1 i32:0 i32:1',
          'init-active i32:0 i32:0 i32:0',
          'init-active i32:0 i32:0 i32:1',
          'init-active i32:0 i32:1 i32:0',
        ],
        ...[
          'init-empty i32:65536 i32:0 i32:0',
          'init-empty i32:0 i32:0 i32:1',
          'drop',
          'init i32:0 i32:0 i32:0',
          'init i32:0 i32:0 i32:1',
          'drop',
          'drop-active',
          'init-active i32:0 i32:0 i32:0',
        ],
        ...[
          'copy i32:0 i32:65535 i32:1',
          'copy i32:0 i32:65535 i32:2',
          'copy i32:65535 i32:0 i32:2',
          'copy i32:65536 i32:65536 i32:0',
          'copy i32:65537 i32:0 i32:0',
          'copy i32:0 i32:65537 i32:0',
        ],
        ...['copy i32:0 i32:0 i32:-1', 'copy i32:-1 i32:0 i32:1', 'copy i32:0 i32:-1 i32:-1', 'see i32:0', 'see i32:65528'],
      ],
    )
  })

  test('atomics of every width, aligned or not', async () => {
    const shapes: [string, string, number][] = [
      ['i32', '', 4],
      ['i64', '', 8],
      ['i32', '8', 1],
      ['i32', '16', 2],
      ['i64', '8', 1],
      ['i64', '16', 2],
      ['i64', '32', 4],
    ]
    const operations = ['add', 'sub', 'and', 'or', 'xor', 'xchg']
    const functions: string[] = []
    const lines: string[] = []
    for (const [type, bits, width] of shapes) {
      const u = bits ? '_u' : ''
      const name = (what: string): string => `${type}.atomic.${what}`
      functions.push(`(func (export "${name(`load${bits}${u}`)}") (param i32) (result ${type}) (${name(`load${bits}${u}`)} (local.get 0)))`)
      functions.push(`(func (export "${name(`store${bits}`)}") (param i32 ${type}) (${name(`store${bits}`)} (local.get 0) (local.get 1)))`)
      for (const operation of operations) {
        const op = name(`rmw${bits}.${operation}${u}`)
        functions.push(`(func (export "${op}") (param i32 ${type}) (result ${type}) (${op} (local.get 0) (local.get 1)))`)
        for (const at of i32(8, 8 + width, 9, 65536 - width, 65536, -width)) lines.push(`${op} ${at} ${type}:-1234567`, 'see i32:8')
      }
      const exchange = name(`rmw${bits}.cmpxchg${u}`)
      functions.push(
        `(func (export "${exchange}") (param i32 ${type} ${type}) (result ${type}) (${exchange} (local.get 0) (local.get 1) (local.get 2)))`,
      )
      lines.push(
        `${name(`store${bits}`)} i32:${8 + width} ${type}:-3`,
        'see i32:8',
        `${name(`load${bits}${u}`)} i32:${8 + width}`,
        `${name(`load${bits}${u}`)} i32:${65536}`,
      )
      for (const [expected, value] of [
        [-3, 5],
        [253, 6],
        [5, -7],
        [6, -7],
        [65533, 1],
      ])
        lines.push(`${exchange} i32:${8 + width} ${type}:${expected} ${type}:${value}`, 'see i32:8')
      lines.push(`${exchange} i32:${65536} ${type}:0 ${type}:0`)
    }
    await conforms(
      `(module (memory 1 1) (data (i32.const 8) "\\11\\22\\33\\44\\55\\66\\77\\88\\99\\aa\\bb\\cc\\dd\\ee\\ff\\00")
        ${functions.join('\n')} (func (export "see") (param i32) (result i64 i64) (i64.load (local.get 0)) (i64.load offset=8 (local.get 0)))
        (func (export "notify") (param i32) (result i32) (memory.atomic.notify (local.get 0) (i32.const 1)))
        (func (export "fence") (atomic.fence)))`,
      [...lines, 'fence', 'notify i32:0', 'notify i32:8', 'notify i32:2', 'notify i32:65536'],
    )
  })
})
