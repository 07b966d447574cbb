import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeWith, oracle } from '../../testing/oracles.ts'
import { buildProgram, type BuildResult } from '../build.ts'

const console_ = `
const UART: usize = 0x10000000;
function put(c: u8): void { cpu.store8(UART, c); }
function print(s: string): void { for (let i = 0; i < s.length; i++) put(<u8>s.charCodeAt(i)); }
function number(x: i32): void { if (x < 0) { put(45); x = -x; } if (x >= 10) number(x / 10); put(<u8>(48 + x % 10)); }
`

function build(files: Record<string, string>, level: 0 | 2 = 2, layout: 'firmware' | 'bare' = 'firmware'): Promise<BuildResult> {
  return buildProgram({
    configuration: { version: 1, kind: 'firmware', layout, sources: Object.keys(files) },
    readFile: (path) => files[path],
    level,
  })
}

/** Builds a firmware program and runs it on QEMU's virt board. */
async function run(
  files: Record<string, string>,
  level: 0 | 2 = 2,
  layout: 'firmware' | 'bare' = 'firmware',
): Promise<{ status: number | null; output: string }> {
  const { elf, diagnostics } = await build(files, level, layout)
  expect(diagnostics.filter((diagnostic) => diagnostic.severity === 'error')).toEqual([])
  const folder = mkdtempSync(join(tmpdir(), 'pollen-'))
  try {
    const path = join(folder, 'program.elf')
    writeFileSync(path, elf!)
    const { status, stdout } = spawnSync(oracle('qemu-system-riscv64'), ['-M', 'virt', '-nographic', '-bios', path], { timeout: 60_000 })
    return { status, output: stdout.toString() }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

for (const level of [0, 2] as const)
  describeWith(['qemu-system-riscv64'], `a program at level ${level}`, () => {
    test('calls across more than a mebibyte of code', async () => {
      const files: Record<string, string> = {
        'main.ts': `${console_}\n@external("env", "far") declare function far(x: i32): i32;\nexport function main(): i32 { number(far(41)); return 0; }`,
        'far.S': '.text\n.globl far\nfar: addi a0, a0, 1\n ret\n .space 0x180000\n',
      }
      expect(await run(files, level, 'bare')).toEqual({ status: 0, output: '42' })
    })

    test('prints from TypeScript and ends with the status of main', async () => {
      const main = `${console_} export function main(): i32 { print("hello "); number(-1234); return 7; }`
      expect(await run({ 'main.ts': main }, level)).toEqual({ status: 7, output: 'hello -1234' })
    })

    test('calls C from TypeScript', async () => {
      const main = `${console_} declare function total(n: i32): i32; export function main(): i32 { number(total(10)); return 0; }`
      const c =
        'static int table[16]; int total(int n) { for (int i = 0; i < n; i++) table[i] = i * i; int s = 0; for (int i = 0; i < 16; i++) s += table[i]; return s; }'
      expect((await run({ 'main.ts': main, 'total.c': c }, level)).output).toBe('285')
    })

    test('awaits in loops and inside expressions, and locals survive', async () => {
      const main = `${console_}
      let waiting: usize = 0;
      async function later(n: i32): Promise<i32> { waiting = co.frame(); co.suspend(); return n * 2; }
      class Counter { total: i32 = 0; async add(n: i32): Promise<void> { this.total += await later(n); } }
      async function work(count: i32): Promise<i32> {
        let sum = 0;
        const counter = new Counter();
        for (let i = 0; i < count; i++) { sum += (await later(i)) * 100 + await later(1); await counter.add(i); number(sum); put(32); }
        return sum + counter.total;
      }
      export function main(): i32 {
        const task = work(4);
        while (task.state != 2) { const next = waiting; co.resume(next); }
        number(<i32>task.result);
        return 0;
      }`
      expect((await run({ 'main.ts': main }, level)).output).toBe('2 204 606 1208 1220')
    })

    test('stops with the reason at a trap', async () => {
      const main = `${console_} export function main(): i32 { let zero = load<i32>(0x80700000); number(7 / zero); return 0; }`
      expect(await run({ 'main.ts': main }, level)).toEqual({ status: 134, output: 'trap: integer divide by zero\n' })
    })
  })

test("a workspace's asconfig.json is not read", async () => {
  const asked: string[] = []
  const { elf } = await buildProgram({
    configuration: { version: 1, kind: 'firmware', sources: ['main.ts'] },
    readFile: (path) => {
      asked.push(path)
      return path === 'main.ts' ? 'export function main(): i32 { return 0; }' : '{ "options": { "transform": ["./evil.js"] } }'
    },
  })
  expect(elf).toBeDefined()
  expect(asked.filter((path) => !path.endsWith('.ts'))).toEqual([])
})

describe('mistakes are told with their place', () => {
  test('a type error', async () => {
    const { diagnostics } = await build({ 'main.ts': 'export function main(): i32 {\n  let x: i32 = "text";\n  return x;\n}\n' })
    expect(diagnostics[0]).toMatchObject({ file: 'main.ts', line: 2, column: 16, severity: 'error' })
  })

  test('await in an ordinary function', async () => {
    const { diagnostics } = await build({
      'main.ts': 'async function f(): Promise<i32> { return 1; }\nexport function main(): i32 {\n  return await f();\n}\n',
    })
    expect(diagnostics.find((diagnostic) => diagnostic.code === 'dialect/await-outside-async')).toMatchObject({
      file: 'main.ts',
      line: 3,
      column: 10,
    })
  })

  test('defer in an ordinary function', async () => {
    const { diagnostics } = await build({
      'main.ts': 'function f(x: i32): void {}\nexport function main(): i32 {\n  defer<i32>(f, 1);\n  return 0;\n}\n',
    })
    expect(diagnostics.find((diagnostic) => diagnostic.code === 'dialect/defer-outside-async')).toMatchObject({ line: 3, column: 3 })
  })

  test('a CSR number that is not constant', async () => {
    const { diagnostics } = await build({
      'main.ts': 'let n: u32 = 0;\nexport function main(): i32 {\n  n += 1;\n  return <i32>cpu.csrRead(n);\n}\n',
    })
    expect(diagnostics[0]).toMatchObject({ file: 'main.ts', line: 4, code: 'build/intrinsic' })
  })

  test('an error in C', async () => {
    const { diagnostics } = await build({ 'main.c': 'int main(void) {\n  return nothing;\n}\n' })
    expect(diagnostics[0]).toMatchObject({ file: 'main.c', line: 2, column: 10, severity: 'error' })
  })

  test('a function that nobody defines', async () => {
    const { diagnostics } = await build({
      'main.ts': 'declare function missing(): i32;\nexport function main(): i32 { return missing(); }\n',
    })
    expect(diagnostics.some((diagnostic) => diagnostic.message.includes('missing'))).toBe(true)
  })
})
