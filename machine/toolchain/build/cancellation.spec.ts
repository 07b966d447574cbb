/** Tasks that are cancelled, detached or awaited: what runs, and that every frame and deferred call is given back. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWith, oracle } from '../../testing/oracles.ts'
import { buildProgram } from '../build.ts'

/** A queue of ready tasks, a place to wait at, and an allocator that counts. */
const library = `
const UART: usize = 0x10000000;
function print(s: string): void { for (let i = 0; i < s.length; i++) cpu.store8(UART, <u8>s.charCodeAt(i)); }
function number(x: i32): void { if (x < 0) { print("-"); x = -x; } if (x >= 10) number(x / 10); cpu.store8(UART, <u8>(48 + x % 10)); }
let next: usize = 0x80800000;
let live: i32 = 0;
export function __allocate(size: usize): usize { live++; const at = next; next += (size + 15) & ~15; return at; }
export function __release(address: usize): void { live--; memory.fill(address, 0xee, 32); }
let first: usize = 0;
export function __wake(task: usize): void { store<u32>(task, <u32>first, 36); first = task; }
export function __forget(task: usize): void {
  if (first == task) first = load<u32>(task, 36);
  for (let at = first; at != 0; at = load<u32>(at, 36)) if (load<u32>(at, 36) == <u32>task) store<u32>(at, load<u32>(task, 36), 36);
}
function runReady(): void { while (first) { const task = first; first = load<u32>(task, 36); co.resume(task); } }
let sleeper: usize = 0;
async function sleep(n: i32): Promise<i32> { sleeper = co.frame(); co.suspend(); return n; }
function wakeSleeper(): void { const task = sleeper; sleeper = 0; co.resume(task); runReady(); }
export function __idle(): void { wakeSleeper(); }
function say(x: i32): void { number(x); print(" "); }
`

/** What a program prints, then how many allocations are still alive. */
async function run(body: string, level: 0 | 2): Promise<string> {
  const text = `${library}\n${body}\nexport function main(): i32 { test(); print("live "); number(live); return 0; }\n`
  const { elf, diagnostics } = await buildProgram({
    configuration: { version: 1, kind: 'firmware', layout: 'bare', sources: ['main.ts'] },
    readFile: (path) => (path === 'main.ts' ? text : undefined),
    level,
  })
  expect(diagnostics.filter((diagnostic) => diagnostic.severity === 'error')).toEqual([])
  const folder = mkdtempSync(join(tmpdir(), 'pollen-'))
  try {
    const path = join(folder, 'program.elf')
    writeFileSync(path, elf!)
    const options = ['-M', 'virt', '-nographic', '-bios', path]
    return spawnSync(oracle('qemu-system-riscv64'), options, { timeout: 60_000 }).stdout.toString()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

for (const level of [0, 2] as const)
  describeWith(['qemu-system-riscv64'], `tasks at level ${level}`, () => {
    test('frames can come from an allocator of the program', async () => {
      const body = `export function __coroutine_allocate(size: usize): usize { const at = __allocate(size); memory.fill(at, 0, size); return at; }
        export function __coroutine_free(frame: usize): void { __release(frame); }
        async function work(): Promise<i32> { return await sleep(7); }
        function test(): void { say(blockOn(work())); }`
      expect(await run(body, level)).toBe('7 live 0')
    })

    test('an awaited task is freed by its awaiter', async () => {
      const body = `async function work(): Promise<i32> { let sum = 0; for (let i = 0; i < 5; i++) sum += await sleep(i); return sum; }
        function test(): void { say(blockOn(work())); }`
      expect(await run(body, level)).toBe('10 live 0')
    })

    test('a cancelled task runs what it deferred, latest first, and whatever it awaits ends with it', async () => {
      const body = `async function inner(): Promise<i32> { defer<i32>(say, 1); defer<i32>(say, 2); const n = await sleep(7); say(n); return n; }
        async function outer(): Promise<void> { defer<i32>(say, 3); say(await inner()); }
        function test(): void { const task = outer(); cancel(task); }`
      expect(await run(body, level)).toBe('2 1 3 live 0')
    })

    test('a task that returns runs what it deferred before its awaiter goes on', async () => {
      const body = `async function work(): Promise<i32> { defer<i32>(say, 1); return await sleep(7); }
        function test(): void { say(blockOn(work())); }`
      expect(await run(body, level)).toBe('1 7 live 0')
    })

    test('a deferred call can be taken back, run or not', async () => {
      const body = `async function work(): Promise<void> { defer<i32>(say, 1); defer<i32>(say, 2); defer<i32>(say, 3); undefer(); undefer(false); await sleep(0); say(9); }
        function test(): void { blockOn(work()); }`
      expect(await run(body, level)).toBe('3 9 1 live 0')
    })

    test('a detached task frees itself, whether it has ended already or ends later', async () => {
      const body = `async function at_once(): Promise<void> { say(1); }
        async function later(): Promise<void> { await sleep(0); say(2); }
        function test(): void { detach(at_once()); detach(later()); say(3); wakeSleeper(); }`
      expect(await run(body, level)).toBe('1 3 2 live 0')
    })

    test('who awaits a cancelled task goes on with zero', async () => {
      const body = `let victim: Promise<i32> = changetype<Promise<i32>>(0);
        async function work(): Promise<i32> { defer<i32>(say, 1); return await sleep(7); }
        async function waiter(): Promise<i32> { victim = work(); return 100 + await victim; }
        function test(): void { const task = waiter(); cancel(victim); runReady(); say(blockOn(task)); }`
      expect(await run(body, level)).toBe('1 100 live 0')
    })

    test('a task that is ready but has not gone on is cancelled with the result nobody took', async () => {
      const body = `async function work(): Promise<i32> { defer<i32>(say, 1); const n = await sleep(7); say(n); return n; }
        function test(): void { const task = work(); const leaf = sleeper; co.resume(leaf); cancel(task); runReady(); }`
      expect(await run(body, level)).toBe('1 live 0')
    })

    test('cancelling a task that has ended frees it', async () => {
      const body = `async function work(): Promise<i32> { return 4; }
        function test(): void { cancel(work()); }`
      expect(await run(body, level)).toBe('live 0')
    })
  })
