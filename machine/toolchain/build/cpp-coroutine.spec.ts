/** Tasks of C and C++ beside those of TypeScript: one control block, so that each awaits, cancels and detaches the others'. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWith, oracle } from '../../testing/oracles.ts'
import { buildProgram } from '../build.ts'

/** TypeScript's side: an allocator that counts, a queue of ready tasks, one task that sleeps. */
const library = `
const UART: usize = 0x10000000;
export function put(x: i32): void { cpu.store8(UART, <u8>x); }
export function print(x: i32): void { if (x < 0) { put(45); x = -x; } digits(x); put(32); }
function digits(x: i32): void { if (x >= 10) digits(x / 10); put(48 + x % 10); }
let next: usize = 0x80800000;
export let live: i32 = 0;
export function __allocate(size: usize): usize { live++; const at = next; next += (size + 15) & ~15; return at; }
export function __release(address: usize): void { live--; memory.fill(address, 0xee, 32); }
let first: usize = 0;
export function __wake(task: usize): void { store<u32>(task, <u32>first, 36); first = task; }
export function __forget(task: usize): void { if (first == task) first = load<u32>(task, 36); if (sleeper == task) sleeper = 0; }
function runReady(): void { while (first) { const task = first; first = load<u32>(task, 36); co.resume(task); } }
let sleeper: usize = 0;
export async function sleep(n: i32): Promise<i32> { sleeper = co.frame(); co.suspend(); return n; }
export function wakeSleeper(): void { const task = sleeper; sleeper = 0; if (task) co.resume(task); runReady(); }
export function __idle(): void { wakeSleeper(); }
`

/** What a program prints, then how many allocations are still alive. */
async function run(files: Record<string, string>, level: 0 | 2): Promise<string> {
  const texts: Record<string, string> = {
    ...files,
    'main.ts': `${library}\n${files['main.ts']}\nexport function main(): i32 { test(); print(live); return 0; }\n`,
  }
  const { elf, diagnostics } = await buildProgram({
    configuration: { version: 1, kind: 'firmware', layout: 'bare', sources: Object.keys(texts) },
    readFile: (path) => texts[path],
    level,
  })
  expect(diagnostics.map(({ file, line, message }) => `${file}:${line}: ${message}`)).toEqual([])
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

const cpp = `#include <pollen.hpp>
extern "C" {
void print(int x);
pollen::task<int> sleep(int n);
pollen::task<double> half(int n);

struct Guard { int id; Guard(int id) : id(id) { print(id); } ~Guard() { print(-id); } };

pollen::task<int> sum(int n) {
  Guard guard(n * 100);
  int total = 0;
  for (int i = 1; i <= n; i++) total += co_await sleep(i);
  co_return total;
}
pollen::task<int> plain(int n) { co_return n + 1; }
pollen::task<> outer(int n) {
  int a = co_await sum(n);
  int b = co_await plain(a);
  double c = co_await half(b);
  print((int)(c * 100));
}
pollen_task *keep;
pollen::task<long long> waits(void) {
  Guard guard(7);
  co_await pollen::suspended(keep);
  co_return 1ll << 40;
}
int block(int n) { return pollen::block_on(sum(n)); }
void drop(pollen_task *task) { pollen_cancel(task); }
void go_on(void) { co_resume(keep); }
}
`
const declarations = `
declare function sum(n: i32): Promise<i32>;
declare function outer(n: i32): Promise<void>;
declare function plain(n: i32): Promise<i32>;
declare function waits(): Promise<i64>;
declare function block(n: i32): i32;
declare function drop(task: usize): void;
declare function go_on(): void;
export async function half(n: i32): Promise<f64> { const slept = await sleep(n); return <f64>slept / 2.0; }
`

for (const level of [0, 2] as const)
  describeWith(['qemu-system-riscv64'], `tasks of C++ at level ${level}`, () => {
    const both = (body: string): Promise<string> => run({ 'main.ts': declarations + body, 'tasks.cpp': cpp }, level)

    test('are awaited by TypeScript, await its tasks and give everything back', async () => {
      const body = `async function work(): Promise<i32> { return await sum(3) * 10 + await plain(1); }
        function test(): void { print(blockOn(work())); print(blockOn(sum(4))); }`
      expect(await both(body)).toBe('300 -300 62 400 -400 10 0 ')
    })

    test('await each other and TypeScript, several deep', async () => {
      expect(await both('function test(): void { blockOn(outer(2)); print(1); print(block(1)); }')).toBe('200 -200 200 1 100 -100 1 0 ')
    })

    test('are destroyed where they wait when they are cancelled, from either language', async () => {
      const body = `function test(): void {
        const one = sum(3); wakeSleeper(); cancel(one);
        drop(changetype<usize>(sum(2)));
        const two = outer(5); wakeSleeper(); cancel(two);
        const three = waits(); cancel(three); }`
      expect(await both(body)).toBe('300 -300 200 -200 500 -500 7 -7 0 ')
    })

    test('go on by themselves when detached, and suspend by hand', async () => {
      const body = `async function wide(): Promise<i32> { return <i32>(await waits() >> 32); }
        function test(): void { detach(sum(1)); wakeSleeper(); const task = wide(); go_on(); print(blockOn(task)); }`
      expect(await both(body)).toBe('100 -100 7 -7 256 0 ')
    })

    test('of TypeScript run their deferred calls when C++ cancels them', async () => {
      const body = `function note(n: i32): void { print(n); }
        async function deferring(): Promise<void> { defer<i32>(note, 5); await sum(2); }
        function test(): void { drop(changetype<usize>(deferring())); }`
      expect(await both(body)).toBe('200 -200 5 0 ')
    })
  })

const c = `#include <pollen.h>
void print(int x);
pollen_task *sleep(int n);
static void note(void *context) { print(*(int *)context); }
pollen_task *sum(int n) {
  int parts[8], total = 0;
  for (int i = 0; i < n; i++) parts[i] = (int)pollen_await(sleep(i + 1));
  for (int i = 0; i < n; i++) total += parts[i] * (i + 1);
  return pollen_return(total);
}
pollen_task *plain(int n) { return pollen_return(n + 1); }
static pollen_task *pair(int a, int b) {
  volatile int kept = a;
  long long left = pollen_await(sum(a));
  return pollen_return(left * 1000 + pollen_await(plain(b)) + kept);
}
pollen_task *outer(int n) {
  int id = n * 100;
  pollen_defer(note, &id);
  int result = (int)pollen_await(pair(n, n + 5));
  pollen_defer(note, &result);
  print(1);
  if (n == 2) pollen_undefer(1);
  id++;
  pollen_await(sleep(0));
  return pollen_return(0);
}
int block(int n) { return (int)pollen_block_on(sum(n)); }
void drop(pollen_task *task) { pollen_cancel(task); }
void let_go(pollen_task *task) { pollen_detach(task); }
`
const cDeclarations = `
declare function sum(n: i32): Promise<i32>;
declare function plain(n: i32): Promise<i32>;
declare function outer(n: i32): Promise<i64>;
declare function block(n: i32): i32;
declare function drop(task: usize): void;
declare function let_go(task: usize): void;
`

for (const level of [0, 2] as const)
  describeWith(['qemu-system-riscv64'], `tasks of C at level ${level}`, () => {
    const both = (body: string): Promise<string> => run({ 'main.ts': cDeclarations + body, 'tasks.c': c }, level)

    test('keep their arrays while they wait, and give everything back', async () => {
      const body = `async function work(): Promise<i32> { return await sum(3) + await plain(1); }
        function test(): void { print(blockOn(work())); print(block(4)); }`
      expect(await both(body)).toBe('16 30 0 ')
    })

    test('await each other, and run deferred calls at their end', async () => {
      expect(await both('function test(): void { blockOn(outer(2)); blockOn(outer(3)); }')).toBe('1 5010 201 1 14012 301 0 ')
    })

    test('run deferred calls when either language cancels them', async () => {
      const body = `function test(): void {
        const one = outer(4); wakeSleeper(); cancel(one);
        drop(changetype<usize>(outer(5)));
        let_go(changetype<usize>(sum(1))); wakeSleeper(); }`
      expect(await both(body)).toBe('400 500 0 ')
    })
  })

test('a coroutine of C with an array of variable size is refused at its line', async () => {
  const { diagnostics } = await buildProgram({
    configuration: { version: 1, kind: 'firmware', sources: ['main.c'] },
    readFile: () =>
      '#include <pollen.h>\nvoid use(char *);\npollen_task *f(pollen_task *other, int n) {\n  char room[n];\n  use(room);\n  pollen_await(other);\n  use(room);\n  return pollen_return(0);\n}\n__attribute__((noinline)) void use(char *p) { *(volatile char *)p = 1; }\nint main(void) { return 0; }\n',
  })
  expect(diagnostics).toMatchObject([{ file: 'main.c', line: 4, severity: 'error', code: 'wasm/unsupported' }])
  expect(diagnostics[0].message).toContain('array of fixed size')
})
