import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import binaryen from 'binaryen'
import { expect, test } from 'vitest'
import { describeWith, oracle } from '../../testing/oracles.ts'
import { compileAot, type AotTarget } from './aot.ts'

function assemble(text: string): Uint8Array {
  const module = binaryen.parseText(text)
  module.setFeatures(binaryen.Features.All)
  return module.emitBinary()
}

/** The lines a module's program answers on a target. */
function answers(target: AotTarget, text: string, lines: readonly string[]): { status: number | null; lines: string[] } {
  const { elf, diagnostics } = compileAot(assemble(text), { target })
  expect(diagnostics).toEqual([])
  const folder = mkdtempSync(join(tmpdir(), 'pollen-'))
  try {
    const path = join(folder, 'program.elf')
    writeFileSync(path, elf!, { mode: 0o755 })
    const input = lines.map((line) => line + '\n').join('')
    const { status, stdout } =
      target === 'bare'
        ? spawnSync(oracle('qemu-system-riscv64'), ['-M', 'virt', '-nographic', '-bios', path], { input: input + '\x04', timeout: 60_000 })
        : spawnSync(oracle('qemu-riscv64'), [path], { input, timeout: 60_000 })
    return { status, lines: stdout.toString().split('\n').slice(0, -1) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const program = `(module
  (memory 1 3) (table 3 funcref) (elem (i32.const 0) $factorial) (global $count (mut i32) (i32.const 5))
  (data (i32.const 16) "\\2a")
  (func $factorial (export "factorial") (param i64) (result i64)
    (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 1)) (else (i64.mul (local.get 0) (call $factorial (i64.sub (local.get 0) (i64.const 1)))))))
  (func (export "indirect") (param i32 i64) (result i64) (call_indirect (param i64) (result i64) (local.get 1) (local.get 0)))
  (func (export "mistyped") (param i32) (call_indirect (param i32) (local.get 0) (local.get 0)))
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "add") (param f64 f32) (result f64) (f64.add (local.get 0) (f64.promote_f32 (local.get 1))))
  (func (export "both") (param i32) (result i32 f32) (local.get 0) (f32.convert_i32_s (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "count") (result i32) (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))
  (func (export "many") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.sub (local.get 9) (local.get 8)))
  (func $forever (export "forever") (call $forever))
  (func (export "nothing")))`

const dialogue: [string, string][] = [
  ['factorial i64:20', 'i64:2432902008176640000'],
  ['indirect i32:0 i64:5', 'i64:120'],
  ['indirect i32:1 i64:5', 'trap: uninitialized element'],
  ['indirect i32:3 i64:5', 'trap: undefined element'],
  ['mistyped i32:0', 'trap: indirect call type mismatch'],
  ['divide i32:-7 i32:2', 'i32:-3'],
  ['divide i32:1 i32:0', 'trap: integer divide by zero'],
  ['divide i32:-2147483648 i32:-1', 'trap: integer overflow'],
  ['add f64:0x3ff0000000000000 f32:0x40000000', 'f64:0x4008000000000000'],
  ['both i32:3', 'i32:3 f32:0x40400000'],
  ['load i32:16', 'i32:42'],
  ['load i32:65533', 'trap: out of bounds memory access'],
  ['load i32:-1', 'trap: out of bounds memory access'],
  ['grow i32:1', 'i32:1'],
  ['load i32:65533', 'i32:0'],
  ['grow i32:2', 'i32:-1'],
  ['count', 'i32:6'],
  ['forever', 'trap: call stack exhausted'],
  ['count', 'i32:7'],
  ['many i32:0 i32:1 i32:2 i32:3 i32:4 i32:5 i32:6 i32:7 i32:8 i32:90', 'i32:82'],
  ['nothing', 'ok'],
]

for (const target of ['bare', 'linux-user'] as const) {
  describeWith([target === 'bare' ? 'qemu-system-riscv64' : 'qemu-riscv64'], `a module for ${target}`, () => {
    test('answers each line, and lives on after a trap', () => {
      const { status, lines } = answers(
        target,
        program,
        dialogue.map(([question]) => question),
      )
      expect(lines).toEqual(dialogue.map(([, answer]) => answer))
      expect(status).toBe(0)
    })

    test('runs its start function first, and says if that traps', () => {
      const good =
        '(module (global $g (mut i32) (i32.const 1)) (func $s (global.set $g (i32.const 9))) (start $s) (func (export "get") (result i32) (global.get $g)))'
      expect(answers(target, good, ['get']).lines).toEqual(['i32:9'])
      const bad = '(module (func $s (unreachable)) (start $s) (func (export "get") (result i32) (i32.const 1)))'
      expect(answers(target, bad, ['get'])).toEqual({ status: 1, lines: ['trap: unreachable'] })
    })

    test('knows the imports of the specification’s tests', () => {
      const text = `(module (import "spectest" "global_i32" (global $g i32)) (import "spectest" "print_i32" (func $print (param i32)))
        (func (export "get") (result i32) (call $print (i32.const 1)) (global.get $g)))`
      expect(answers(target, text, ['get']).lines).toEqual(['i32:666'])
    })
  })
}

test('an unknown import is refused, with its place', () => {
  const bytes = assemble('(module (import "env" "f" (func $f)) (func (export "g") (call $f)))')
  const { elf, diagnostics } = compileAot(bytes, { target: 'bare', file: 'm.wasm' })
  expect(elf).toBeUndefined()
  expect(diagnostics[0]).toMatchObject({ file: 'm.wasm', code: 'wasm/unsupported', severity: 'error' })
  expect(diagnostics[0].message).toContain('env.f')
})
