/** The console of a stand-alone module (contracts.md): names of every kind, lines that are no calls, values at their ends. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWith, oracle } from '../../testing/oracles.ts'
import { compileAot, type AotTarget } from '../build/aot.ts'
import { binary } from './conform.test-support.ts'

/** What the program prints when it gets `input`. */
async function dialogue(target: AotTarget, text: string, input: string): Promise<string[]> {
  const { elf, diagnostics } = compileAot(await binary(text), { target })
  expect(diagnostics).toEqual([])
  const folder = mkdtempSync(join(tmpdir(), 'pollen-'))
  try {
    const path = join(folder, 'program.elf')
    writeFileSync(path, elf!, { mode: 0o755 })
    const result =
      target === 'bare'
        ? spawnSync(
            oracle('qemu-system-riscv64'),
            ['-M', 'virt', '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-bios', path],
            { input: input + '\x04', timeout: 60_000 },
          )
        : spawnSync(oracle('qemu-riscv64'), [path], { input, timeout: 60_000 })
    expect(result.status).toBe(0)
    return result.stdout.toString().split('\n').slice(0, -1)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A string of the text format that may contain anything. */
function quoted(name: string): string {
  return `"${[...new TextEncoder().encode(name)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')}"`
}

const names = [
  '',
  ' ',
  'a',
  'a b',
  'a b c ',
  'a i32:1',
  'a\nb',
  '\n',
  '\r\n',
  '\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f',
  'end\x04',
  '~!@#$%^&*()_+`-={}|[]\\:";\'<>?,./ ',
  'Ünïcödé 漢字 😀\u202e\u0301',
  '\uFEFF',
  'i32:5',
  '-0',
  'null',
]

for (const target of ['bare', 'linux-user'] as const)
  describeWith([target === 'bare' ? 'qemu-system-riscv64' : 'qemu-riscv64'], `the console of a module for ${target}`, () => {
    test('calls exports of any name', async () => {
      const functions = names.map(
        (name, index) => `(func (export ${quoted(name)}) (param i32) (result i32) (i32.add (local.get 0) (i32.const ${index * 100})))`,
      )
      const lines = await dialogue(
        target,
        `(module ${functions.join('\n')})`,
        names.map((name, index) => `${name} i32:${index}\n`).join(''),
      )
      expect(lines).toEqual(names.map((_, index) => `i32:${index * 101}`))
    })

    test('an empty line calls the export without a name, or nothing', async () => {
      expect(await dialogue(target, '(module (func (export "") (result i32) (i32.const 1)))', '\n\n')).toEqual(['i32:1', 'i32:1'])
      expect(await dialogue(target, '(module (func (export "a") (result i32) (i32.const 1)))', '\n\na\n')).toEqual(['i32:1'])
    })

    test('lines that are no calls get an answer of their own', async () => {
      const text =
        '(module (func (export "f") (param i32 f64) (result f64) (local.get 1)) (func (export "g")) (global (export "v") i32 (i32.const 1)))'
      const bad = [
        'h',
        'F',
        'ff',
        'v',
        'g i32:1',
        'f',
        'f i32:1',
        'f i32:1 f64:',
        'f i32:1 f64:0xg',
        'f i64:1 f64:0x0',
        'f 1 2',
        'f i32:1 f64:0x0 i32:3',
        'f i32:- f64:0x0',
        'f i32:0x f64:0x0',
        'f i32:1f64:0x0',
      ]
      const lines = await dialogue(
        target,
        text,
        [...bad, 'f i32:-1 f64:0x7FF0000000000001', 'f   i32:+1 f64:0x1', ' g', 'g ', 'g'].map((line) => `${line}\n`).join(''),
      )
      expect(lines.slice(0, 4)).toEqual(new Array(4).fill('error: unknown function'))
      expect(lines.slice(4, bad.length)).toEqual(new Array(bad.length - 4).fill('error: malformed arguments'))
      expect(lines.slice(bad.length)).toEqual([
        'f64:0x7ff0000000000001',
        'error: malformed arguments',
        'error: unknown function',
        'ok',
        'ok',
      ])
    })

    test('values are read and written at their ends, carriage returns or not, and without a last newline', async () => {
      const text =
        '(module (func (export "i") (param i32) (result i32) (local.get 0)) (func (export "l") (param i64) (result i64) (local.get 0)) (func (export "f") (param f32) (result f32) (local.get 0)))'
      const input =
        'i i32:-2147483648\r\ni i32:2147483647\ni i32:4294967295\ni i32:0x80000000\nl i64:-9223372036854775808\nl i64:18446744073709551615\nl i64:0x8000000000000001\nf f32:0xffa00001\nf f32:0x0'
      expect(await dialogue(target, text, input)).toEqual([
        ...[
          'i32:-2147483648',
          'i32:2147483647',
          'i32:-1',
          'i32:-2147483648',
          'i64:-9223372036854775808',
          'i64:-1',
          'i64:-9223372036854775807',
          'f32:0xffa00001',
          'f32:0x00000000',
        ],
      ])
    })
  })
