/** The dialect's rules about harts, locks and interrupts: what is refused, with its place, and what is accepted. */
import { describe, expect, test } from 'vitest'
import { boot } from '../../board/boot.ts'
import { TestBoard } from '../../testing/programs.ts'
import { buildProgram } from '../build.ts'
import type { Diagnostic } from '../diagnostic.ts'

const locks = `
class SpinLock { held: bool = false; lock(): void { this.held = true; } unlock(): void { this.held = false; } }
class Mutex { held: bool = false; async lock(): Promise<void> { this.held = true; } unlock(): void { this.held = false; } }
const spin = new SpinLock();
const mutex = new Mutex();
async function sleep(): Promise<void> {}
function pin(): void {}
function unpin(): void {}
`

/** Errors of a program whose first line is the first of `text`. */
async function errors(text: string, kind: 'firmware' | 'kernel' = 'firmware'): Promise<Diagnostic[]> {
  const { diagnostics } = await buildProgram({
    configuration: { version: 1, kind, sources: ['main.ts'] },
    readFile: (path) => (path === 'main.ts' ? `${text}\n${locks}\nexport function main(): i32 { return 0; }\n` : undefined),
  })
  return diagnostics.filter(({ severity }) => severity === 'error')
}

const refused: [title: string, rule: string, line: number, column: number, text: string][] = [
  [
    'awaiting under a spin lock',
    'await-in-spin-lock',
    3,
    3,
    'export async function f(): Promise<void> {\n  spin.lock();\n  await sleep();\n  spin.unlock();\n}',
  ],
  [
    'awaiting under a spin lock that one way has taken',
    'await-in-spin-lock',
    3,
    3,
    'export async function f(a: i32): Promise<void> {\n  if (a) spin.lock();\n  await sleep();\n}',
  ],
  ['awaiting in an interrupt function', 'interrupt-await', 1, 1, '@interrupt export async function f(): Promise<void> { await sleep(); }'],
  [
    'allocating in an interrupt function',
    'interrupt-allocates',
    2,
    40,
    'class Box {}\n@interrupt export function f(): void { new Box(); }',
  ],
  [
    'allocating in what an interrupt function calls',
    'interrupt-allocates',
    3,
    40,
    'class Box {}\nfunction g(): void { new Box(); }\n@interrupt export function f(): void { g(); }',
  ],
  ['starting a task in an interrupt function', 'interrupt-allocates', 1, 40, '@interrupt export function f(): void { sleep(); }'],
  [
    'waiting for a task in an interrupt function',
    'interrupt-sleeps',
    2,
    3,
    '@interrupt export function f(): void {\n  blockOn(changetype<Promise<void>>(0));\n}',
  ],
  [
    'touching a per-hart variable unpinned',
    'per-hart',
    2,
    35,
    '@perHart let current: i32 = 0;\nexport function f(): i32 { return current; }',
  ],
  [
    'touching a per-hart variable after an await',
    'per-hart',
    5,
    3,
    '@perHart let current: i32 = 0;\nexport async function f(): Promise<void> {\n  pin();\n  await sleep();\n  current++;\n}',
  ],
  [
    'touching a guarded variable without its lock',
    'guarded',
    2,
    29,
    '@guardedBy(spin) let count: i32 = 0;\nexport function f(): void { count++; }',
  ],
  [
    'touching a guarded variable after the lock is given back',
    'guarded',
    5,
    10,
    '@guardedBy(spin) let count: i32 = 0;\nexport function f(): i32 {\n  spin.lock();\n  spin.unlock();\n  return count;\n}',
  ],
  [
    'touching a guarded variable under a lock that only one way has taken',
    'guarded',
    4,
    10,
    '@guardedBy(spin) let count: i32 = 0;\nexport function f(a: i32): i32 {\n  if (a) spin.lock();\n  return count;\n}',
  ],
  ['writing what is read-only', 'read-only', 2, 29, '@readOnly let size: i32 = 0;\nexport function f(): void { size = 1; }'],
]

describe('is refused:', () => {
  test.each(refused)('%s', async (_, rule, line, column, text) => {
    const [first] = await errors(text)
    expect(first).toMatchObject({ code: `dialect/${rule}`, file: 'main.ts', line, column, hint: expect.stringMatching(/.../) as string })
  })

  test('module state of a kernel that does not say how harts share it', async () => {
    const [first] = await errors('let count: i32 = 0;\nexport function f(): void { count++; }', 'kernel')
    expect(first).toMatchObject({ code: 'dialect/shared-state', line: 1, column: 5 })
  })
})

describe('is accepted:', () => {
  const accepted: [string, string][] = [
    ['awaiting after the spin lock', 'export async function f(): Promise<void> { spin.lock(); spin.unlock(); await sleep(); }'],
    [
      'awaiting under a lock that sleeps',
      'export async function f(): Promise<void> { await mutex.lock(); await sleep(); mutex.unlock(); }',
    ],
    [
      'a way that gives the lock back before it leaves',
      'export async function f(a: i32): Promise<void> { spin.lock(); if (a) { spin.unlock(); return; } spin.unlock(); await sleep(); }',
    ],
    ['a spin lock in an interrupt function', '@interrupt export function f(): void { spin.lock(); spin.unlock(); }'],
    [
      'a per-hart variable while pinned',
      '@perHart let current: i32 = 0; export function f(): void { pin(); current++; unpin(); } @pinned export function g(): i32 { return current; } @interrupt export function h(): void { current++; }',
    ],
    [
      'a guarded variable under its lock, here or at the caller',
      '@guardedBy(spin) let count: i32 = 0; export function f(): void { spin.lock(); count++; spin.unlock(); } @holds(spin) export function g(): i32 { return count; }',
    ],
    ['writing what is read-only while the machine starts', '@readOnly let size: i32 = 0; @init export function f(): void { size = 1; }'],
    ['a local variable of the same name', '@guardedBy(spin) let count: i32 = 0; export function f(): i32 { let count = 1; return count; }'],
  ]
  test.each(accepted)('%s', async (_, text) => {
    expect(await errors(text)).toEqual([])
  })
})

/** Prints on the first serial port. */
const output = 'function put(c: u32): void { cpu.store8(0x10000000, c); }\n'

async function run(text: string, assembly: string, harts: number): Promise<string> {
  const files: Record<string, string> = { 'main.ts': output + text, 'start.S': assembly }
  const { elf, diagnostics } = await buildProgram({
    configuration: { version: 1, kind: 'firmware', sources: ['start.S', 'main.ts'] },
    readFile: (path) => files[path],
  })
  expect(diagnostics).toEqual([])
  const board = new TestBoard({ harts })
  boot(board.board, { kernel: { name: 'program', bytes: elf! } })
  board.run(50_000_000)
  return board.text
}

test('every hart has its own of a per-hart variable', async () => {
  const text = `@perHart let count: i32 = 48;
@pinned export function add(n: i32): void { for (let i = 0; i < n; i++) count++; }
@pinned export function show(): void { put(count); }
`
  // The thread pointer is the hart's number; one hart plays both.
  const start = `.globl _start
_start: la sp, __stack_top
  li tp, 0
  li a0, 3
  call add
  li tp, 1
  li a0, 5
  call add
  li tp, 0
  call show
  li tp, 1
  call show
  li t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)
1: j 1b
`
  expect(await run(text, start, 1)).toBe('35')
})

test('an interrupt function leaves every register as it was', async () => {
  const text = `let total: i32 = 0;
function mix(a: i32, b: i32, c: i32, d: i32): i32 { return a * 7 + b * 5 - c * 3 + d; }
@interrupt export function handler(): void {
  cpu.csrWrite(0x141, cpu.csrRead(0x141) + 4);
  for (let i = 0; i < 9; i++) total = mix(total, i, total ^ i, cpu.load8(0x10000005));
}
`
  const registers = [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]
  const start = `.globl _start
_start: la sp, __stack_top
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 31
  csrw pmpcfg0, t0
  li t0, 1 << 9
  csrw medeleg, t0
  la t0, handler
  csrw stvec, t0
  li t0, 1 << 11
  csrw mstatus, t0
  la t0, supervisor
  csrw mepc, t0
  mret
  .balign 4
supervisor:
${registers.map((register) => `  li x${register}, ${register * 1001}`).join('\n')}
  .option push
  .option norvc
  ecall
  .option pop
${registers.map((register) => `  addi sp, sp, -16\n  sd x31, 0(sp)\n  li x31, ${register === 31 ? 0 : register * 1001}\n${register === 31 ? '' : `  bne x${register}, x31, bad\n`}  ld x31, 0(sp)\n  addi sp, sp, 16`).join('\n')}
  li t0, 31031
  bne t6, t0, bad
  li a0, 71
  j end
bad: li a0, 66
end: call put_exported
  li t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)
1: j 1b
`
  expect(await run(text + 'export function put_exported(c: u32): void { put(c); }\n', start.replace('1 << 9\n', '(1 << 9)\n'), 1)).toBe('G')
})
