/** What debuggers and the inspector see of compiled TypeScript: variables, suspended coroutines, trace sites. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { boot } from '../../board/boot.ts'
import { describeWith, oracle } from '../../testing/oracles.ts'
import { TestBoard } from '../../testing/programs.ts'
import { buildProgram, type CodeCache } from '../build.ts'
import { readFrames, type SuspendedFrame } from '../dwarf/index.ts'
import { readElf } from '../elf/reader.ts'

async function build(source: string, level: 0 | 2 = 2, name = 'main.ts'): Promise<Uint8Array> {
  const { elf, diagnostics } = await buildProgram({
    configuration: { version: 1, kind: 'firmware', sources: [name] },
    readFile: (path) => (path === name ? source : undefined),
    level,
  })
  expect(diagnostics.filter((diagnostic) => diagnostic.severity === 'error')).toEqual([])
  return elf!
}

const tasks = `let sleeper: usize = 0;
async function sleep(n: i32): Promise<i32> {
  sleeper = co.frame();
  co.suspend();
  return n;
}
class Counter {
  total: i32 = 0;
  async add(count: i32, weight: f64): Promise<f64> {
    let sum: u64 = 1000000000000;
    for (let i = 0; i < count; i++) {
      const product = weight * <f64>i;
      sum += await sleep(i);
      if (product > 100.0) break;
    }
    return <f64>sum * weight;
  }
}
export function main(): i32 {
  const counter = new Counter();
  const task = counter.add(5, 2.5);
  store<u32>(0x80700000, <u32>changetype<usize>(task));
  for (let i = 0; i < 3; i++) { const next = sleeper; co.resume(next); }
  return 0;
}
`

describe('a suspended coroutine', () => {
  for (const level of [0, 2] as const)
    test(`is read by name and value at level ${level}`, async () => {
      const elf = await build(tasks, level)
      const board = new TestBoard()
      boot(board.board, { kernel: { name: 'program', bytes: elf } })
      board.run(50_000_000)
      const bytes = (address: number, size: number): Uint8Array => {
        const { view } = board.machine.core
        return new Uint8Array(view.buffer, view.byteOffset + board.machine.ramAt(address, size), size)
      }
      const word = (address: number): number => new DataView(bytes(address, 4).slice().buffer).getUint32(0, true)
      const table = readFrames(readElf(elf))
      const decode = (address: number): SuspendedFrame => table.decode((offset, size) => bytes(address + offset, size))!
      const outer = decode(word(0x8070_0000))
      expect(outer.type.name).toContain('Counter#add')
      expect(outer.at).toMatchObject({ file: 'main.ts', line: 13 })
      const values = new Map(outer.variables.map(({ name, value }) => [name, value]))
      expect(values.get('count')).toBe(5n)
      expect(values.get('weight')).toBe(2.5)
      expect(values.get('i')).toBe(3n)
      expect(values.get('product')).toBe(7.5)
      expect(values.get('sum')).toBe(1000000000003n)
      // What it waits for: the high half of the result field.
      const inner = decode(Number(outer.header.result >> 32n))
      expect(inner.type.name).toContain('sleep')
      expect(inner.variables).toEqual([{ name: 'n', type: 'i32', value: 3n }])
      expect(inner.at).toMatchObject({ line: 4 })
    })

  test('has its own type and names although the code of another was in the cache', async () => {
    const cache: CodeCache = new Map()
    const source = (name: string, variable: string): string =>
      `async function ${name}(${variable}: i32): Promise<i32> { co.suspend(); return ${variable}; }\nexport function main(): i32 { ${name}(1); return 0; }`
    for (const [name, variable] of [
      ['first', 'a'],
      ['second', 'a'],
      ['second', 'b'],
    ]) {
      const { elf } = await buildProgram({
        configuration: { version: 1, kind: 'firmware', sources: ['main.ts'] },
        readFile: () => source(name, variable),
        cache,
      })
      const [type] = [...readFrames(readElf(elf!)).types.values()]
      expect(type.name).toBe(`main/${name}`)
      expect(type.suspensions[0].variables.map((found) => found.name)).toEqual([variable])
    }
  })

  test('is no frame when its type is unknown', async () => {
    const table = readFrames(readElf(await build(tasks)))
    expect(table.decode((_, size) => new Uint8Array(size))).toBeUndefined()
  })
})

describeWith(['gdb-multiarch', 'qemu-system-riscv64'], 'gdb', () => {
  async function gdb(source: string, level: 0 | 2, commands: readonly string[], name = 'main.ts'): Promise<string> {
    const elf = await build(source, level, name)
    const folder = mkdtempSync(join(tmpdir(), 'pollen-'))
    try {
      const path = join(folder, 'program.elf')
      writeFileSync(path, elf)
      writeFileSync(join(folder, name), source)
      const machine = `${oracle('qemu-system-riscv64')} -M virt -display none -serial none -monitor none -bios ${path} -S -gdb stdio`
      const all = ['set confirm off', 'set remotetimeout 60', `target remote | ${machine}`, ...commands, 'kill']
      const options = ['-nx', '-batch', ...all.flatMap((command) => ['-ex', command]), path]
      const { stdout, stderr } = spawnSync(oracle('gdb-multiarch'), options, { cwd: folder, timeout: 60_000 })
      return stdout.toString() + stderr.toString()
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  test('prints a suspended coroutine as a struct', async () => {
    const report = await gdb(tasks, 2, ['break main.ts:24', 'continue', 'print *(struct Counter_add$frame *) *(unsigned *) 0x80700000'])
    expect(report).toMatch(/count = 5/)
    expect(report).toMatch(/weight = 2.5/)
    expect(report).toMatch(/sum = 1000000000003/)
    expect(report).toMatch(/product = 7.5/)
    expect(report).toMatch(/continuation = 0/)
    // Nothing of the runtime library, which is inlined.
    expect(report).not.toMatch(/promise|task =/)
  })

  const sums = `function square(value: i32, scale: f64): i32 {
  const product = value * value;
  const scaled = <f64>product * scale;
  store<f64>(0x80700000, scaled);
  return product + <i32>scaled;
}
export function main(): i32 {
  let total = 0;
  for (let i = 3; i < 6; i++) {
    total += square(i, 0.5);
  }
  return total & 1;
}
`
  test('shows arguments and locals, and the caller', async () => {
    const commands = ['break main.ts:3', 'continue', 'info args', 'break main.ts:4', 'continue', 'info locals', 'continue', 'continue']
    const report = await gdb(sums, 0, [...commands, 'info locals', 'bt', 'up', 'info locals'])
    expect(report).toMatch(/scale = 0.5/)
    expect(report).toMatch(/product = 9\nscaled = 4.5/)
    expect(report).toMatch(/product = 16\nscaled = 8/)
    expect(report).toMatch(/#1 .*main \(\) at .*main.ts:10/)
    expect(report).toMatch(/total = 13\ni = 4/)
  })

  for (const level of [0, 2] as const)
    test(`stops at a line of C at level ${level}`, async () => {
      const source =
        'volatile int sink;\n__attribute__((noinline)) static int twice(int x) {\n  sink = x;\n  return 2 * x;\n}\nint main(void) {\n  int y = twice(3);\n  return y - 6;\n}\n'
      const report = await gdb(source, level, ['break main.c:3', 'continue', 'bt', 'finish'], 'main.c')
      expect(report).toMatch(level === 0 ? /Breakpoint 1, twice \(.*\) at .*main.c:3\n3\t {2}sink = x;/ : /Breakpoint 1, twice/)
      expect(report).toMatch(/#1 .*in \S* \(\) at .*main.c:7/)
    })

  const records = `struct point { int x; double y; unsigned char tag[4]; struct point *next; };
enum color { red, green = 5 };
static unsigned table[4] = {1, 2, 3, 4000000000u};
int counter = 5;
volatile int sink;
__attribute__((noinline)) static int sum(struct point *p, unsigned short n, enum color c) {
  int total = c;
  for (int i = 0; i < n; i++) {
    double t = p->x * i + p->y;
    sink = i;
    total += (int)t;
  }
  sink = total;
  return total;
}
int main(void) {
  struct point second = {7, 0.25, "xyz", 0};
  struct point first = {3, 1.5, "abc", &second};
  counter += sum(&first, 4, green);
  sink = table[sink & 3];
  return counter & 1;
}
`
  const typed = `class Node { id: u32 = 4000000000; weight: f64 = 2.5; open: bool = true; tag: u8 = 200; next: Node | null = null; }
let shared: u16 = 65000;
let head: Node | null = null;
function visit(node: Node, big: u64, flag: bool): u64 {
  let sum = big + node.id;
  shared += <u16>sum;
  if (flag) sum += shared + node.tag;
  return sum + big;
}
export function main(): i32 {
  const first = new Node();
  first.next = new Node();
  head = first;
  shared += 5;
  return <i32>visit(first, 0x8000000000000000, true) & 1;
}
`
  test('shows unsigned numbers, booleans, objects and module variables of TypeScript', async () => {
    const report = await gdb(typed, 0, [
      'break main.ts:6',
      'continue',
      'info args',
      'info locals',
      'print *node',
      'print *node->next',
      'print shared',
      'print head->tag',
    ])
    expect(report).toMatch(/node = 0x8\w+\nbig = 9223372036854775808\nflag = true\nsum = 9223372040854775808\n/)
    expect(report).toMatch(/\$1 = {id = 4000000000, weight = 2.5, open = true, tag = 200 [^,]*, next = 0x8\w+}/)
    expect(report).toMatch(/\$2 = {id = 4000000000, weight = 2.5, open = true, tag = 200 [^,]*, next = 0x0}/)
    expect(report).toMatch(/\$3 = 65005\n\$4 = 200 /)
  })

  test('shows variables of C', async () => {
    const stop = [
      'break main.c:10 if i == 2',
      'continue',
      'info args',
      'info locals',
      'print *p',
      'print *p->next',
      'print table',
      'print counter',
    ]
    const later = [
      'ptype p',
      'up',
      'info locals',
      'info line main.c:13',
      'break main.c:13',
      'delete 1',
      'continue',
      'print total',
      'finish',
    ]
    const report = await gdb(records, 0, [...stop, ...later], 'main.c')
    expect(report).toMatch(/n = 4\nc = green\ntotal = 10\ni = 2\nt = 7.5\n/)
    expect(report).toContain('x = 3, y = 1.5, tag = "abc", next = 0x')
    expect(report).toContain('x = 7, y = 0.25, tag = "xyz", next = 0x0')
    expect(report).toContain('{1, 2, 3, 4000000000}')
    expect(report).toMatch(/\$4 = 5\n/)
    expect(report).toMatch(/unsigned char tag\[4\];\n +struct point \*next;/)
    expect(report).toMatch(/second = {x = 7, y = 0.25.*\nfirst = {x = 3, y = 1.5/)
    expect(report).toMatch(/Line 13 of .*main.c.* starts at address/)
    expect(report).toMatch(/\$5 = 27/)
    expect(report).toMatch(/Value returned is \$6 = 27/)
  })

  test('shows variables of optimised C where they are', async () => {
    const report = await gdb(
      records,
      2,
      ['break main.c:13', 'continue', 'info args', 'print total', 'print table', 'print counter'],
      'main.c',
    )
    expect(report).toMatch(/n = 4\nc = green/)
    expect(report).toMatch(/\$1 = 27\n\$2 = {1, 2, 3, 4000000000}\n\$3 = 5/)
  })

  test('shows the locals around an inlined function', async () => {
    const report = await gdb(sums, 2, ['break main.ts:4', 'continue', 'continue', 'info locals'])
    expect(report).toMatch(/total = 13\ni = 4/)
  })
})

describe('trace sites', () => {
  test('are listed by the address of their instruction', async () => {
    const elf = readElf(
      await build(`function note(x: u64): void { trace.emit(5, x); }
        export function main(): i32 { note(1); trace.emit(6, 2); for (let i = 0; i < 3; i++) trace.emit(7, i); return 0; }`),
    )
    const section = elf.sections.find(({ name }) => name === '.pollen.trace')!
    const sites = new DataView(section.bytes.buffer, section.bytes.byteOffset, section.bytes.byteLength)
    const text = elf.sections.find(({ name }) => name === '.text')!
    const code = new DataView(text.bytes.buffer, text.bytes.byteOffset, text.bytes.byteLength)
    const kinds: number[] = []
    for (let at = 0; at < section.size; at += 8) {
      const instruction = code.getUint32(Number(sites.getBigUint64(at, true) - text.address), true)
      // csrrw x0, 0x800 + kind, rs1; or its immediate form (Unprivileged, 7.1).
      expect(instruction & 0xfff).toBe(0x073)
      expect([1, 5]).toContain((instruction >> 12) & 7)
      kinds.push((instruction >>> 20) - 0x800)
    }
    expect(kinds).toContain(5)
    expect(kinds).toContain(6)
    expect(kinds).toContain(7)
    const symbol = (name: string): bigint => elf.symbols.find((candidate) => candidate.name === name)!.value
    expect(symbol('__pollen_trace_start')).toBe(section.address)
    expect(symbol('__pollen_trace_end')).toBe(section.address + BigInt(section.size))
  })
})
