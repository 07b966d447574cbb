/** Tasks whose awaiter and awaited end on different harts, at whatever moment: nothing is lost, resumed twice or leaked. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { boot } from '../board/boot.ts'
import { buildProgram } from '../toolchain/build.ts'
import { disassembleBytes } from '../toolchain/disassembler/index.ts'
import { readElf } from '../toolchain/elf/reader.ts'
import { describeWith, oracle } from './oracles.ts'
import { TestBoard } from './programs.ts'

const HARTS = 4
const TASKS = 20000

/** Each hart a stack and its number in tp; the first begins the tasks, the others open gates. */
const start = `
    .globl _start
_start:
    csrr tp, mhartid
    li t0, ${HARTS}
    bgeu tp, t0, 3f
    la sp, stacks
    addi t0, tp, 1
    slli t0, t0, 14
    add sp, sp, t0
    bnez tp, 2f
    call __initialize
    fence rw, rw
    la t0, begun
    li t1, 1
    sw t1, 0(t0)
    call main
    tail __exit
2:  la t0, begun
    lw t1, 0(t0)
    beqz t1, 2b
    fence rw, rw
    call openGates
3:  wfi
    j 3b
    .bss
    .balign 4096
stacks: .space ${HARTS} << 14
begun: .space 8
`

/**
 * A gate is as much of a control block as awaiting takes. Hart 0 begins tasks that await a task that awaits a gate, and lets go of
 * them; the other harts open the gates, mostly about the time when somebody arrives, and resume what stood before them.
 */
const program = `
const UART: usize = 0x10000000;
function number(x: u32): void { if (x >= 10) number(x / 10); cpu.store8(UART, 48 + x % 10); }
const MEMORY = memory.data(16, 16);
const TOTAL = MEMORY, DONE = MEMORY + 4, LIVE = MEMORY + 8, NEXT = MEMORY + 12;
const GATES = memory.data(${16 * TASKS}, 16);
const BEGUN = memory.data(4, 4);

export function __coroutine_allocate(size: usize): usize {
  atomic.add<u32>(LIVE, 1);
  if (size > 128) unreachable();
  const at: usize = 0x80600000 + atomic.add<u32>(NEXT, 128);
  memory.fill(at, 0, 48);
  return at;
}
export function __coroutine_free(frame: usize): void { memory.fill(frame, 0xee, 48); atomic.sub<u32>(LIVE, 1); }
export function __wake(task: usize): void { co.resume(task); }

function waste(turns: u32): void { for (let i: u32 = 0; i < turns; i++) cpu.fence(); }
async function pass(i: u32): Promise<u32> { co.suspendUntil(GATES + i * 16); return i * 3; }
async function work(i: u32): Promise<void> {
  const inner = pass(i);
  waste(i * 7 % 23);
  const result = await inner;
  atomic.add<u32>(TOTAL, result + (await pass2(i)));
  atomic.add<u32>(DONE, 1);
}
async function pass2(i: u32): Promise<u32> { return i; }

export function openGates(): void {
  for (let i: u32 = <u32>cpu.hartId() - 1; i < ${TASKS}; i += ${HARTS - 1}) {
    if (i & 3) while (atomic.load<u32>(GATES + i * 16 + 12) == 0) {}
    else while (atomic.load<u32>(BEGUN) <= i) {}
    waste(i * 5 % 29);
    const task = co.exchange(GATES + i * 16, 2);
    if (task != 0) co.resume(task);
  }
}
export function main(): i32 {
  for (let i: u32 = 0; i < ${TASKS}; i++) {
    atomic.store<u32>(BEGUN, i + (i & 1));
    waste(i * 11 % 19);
    detach(work(i));
  }
  atomic.store<u32>(BEGUN, ${TASKS});
  while (atomic.load<u32>(DONE) != ${TASKS}) {}
  while (atomic.load<u32>(LIVE) != 0) {}
  number(load<u32>(TOTAL));
  return 0;
}
`
const expected = String((4 * TASKS * (TASKS - 1)) / 2)

let elf: Uint8Array
beforeAll(async () => {
  const files: Record<string, string> = { 'start.S': start, 'main.ts': program }
  const built = await buildProgram({
    configuration: { version: 1, kind: 'firmware', layout: 'bare', sources: ['main.ts', 'start.S'] },
    readFile: (path) => files[path],
  })
  expect(built.diagnostics).toEqual([])
  elf = built.elf!
})

/** Instructions of a function, one a line. */
function codeOf(name: string): string {
  const file = readElf(elf)
  const symbol = file.symbols.find((candidate) => candidate.name.endsWith(name))!
  const text = file.sections.find((section) => section.name === '.text')!
  const start = Number(symbol.value - text.address)
  return disassembleBytes(text.bytes.subarray(start, start + Number(symbol.size)), symbol.value)
    .map(({ mnemonic, operands }) => `${mnemonic} ${operands}`)
    .join('\n')
}

// Where two harts meet between two instructions is left to chance elsewhere: the order of the instructions is what counts.
describe('the code of a coroutine', () => {
  it('names itself as awaiter in one step, when its resume address is stored, and touches its frame no more', () => {
    const code = codeOf('/work')
    const swap = /sw t0, 0\(s0\)\n(?:.*\n){0,3}?amoswap\.w\.aqrl t0, a0, \(a1\)\nbnez t0, .*\n(?<rest>(?:.*\n)*?)ret/
    const found = swap.exec(code)
    expect(found, code).not.toBeNull()
    expect(found!.groups!.rest).not.toMatch(/\(s0\)|\(a0\)/)
  })

  it('ends in one step', () => {
    const code = codeOf('/__ended')
    expect(code).toMatch(/amoswap\.w\.aqrl/)
    expect(code.slice(0, code.indexOf('amoswap'))).not.toMatch(/\b12\(|\blw\b/)
  })
})

describe('tasks awaited on other harts', () => {
  it.each([7, 13, 31, 50, 500])('end exactly once on the board with a quantum of %i', (quantum) => {
    const board = new TestBoard({ harts: HARTS, quantum })
    boot(board.board, { kernel: { name: 'program', bytes: elf } })
    expect(board.run(board.machine.now + 100_000_000)).toMatchObject({ kind: 'exit', status: 0 })
    expect(board.text).toBe(expected)
  })
})

describeWith(['qemu-system-riscv64'], 'tasks awaited on other harts of QEMU', () => {
  it('end exactly once', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pollen-'))
    try {
      const path = join(folder, 'program.elf')
      writeFileSync(path, elf)
      const options = ['-M', 'virt', '-smp', String(HARTS), '-nographic', '-bios', path]
      expect(spawnSync(oracle('qemu-system-riscv64'), options, { timeout: 60_000 }).stdout.toString()).toBe(expected)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
