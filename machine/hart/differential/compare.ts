/** Runs a program on QEMU and on our board and compares what it sends; shrinks the programs that differ. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ConsoleStream } from '../../backend/console.ts'
import { boot } from '../../board/boot.ts'
import { VirtBoard } from '../../board/virt.ts'
import { oracle } from '../../testing/oracles.ts'
import { buildProgram, describeDump, type TestProgram } from './program.ts'

/** Extensions that the board does not have are off, so that their encodings are illegal on both. */
const QEMU_CPU = 'rv64,h=false,zba=false,zbb=false,zbc=false,zbs=false,sstc=true'
/** With a second hart QEMU makes atomics of its own; alone it splits them into a load and a store, with a load's faults. */
const QEMU_HARTS = '2'
const MOST_CYCLES = 50_000_000

/** What the program sends on QEMU. */
export function runOnQemu(elf: Uint8Array): Uint8Array {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'pollen-differential-'))
  try {
    const kernel = path.join(directory, 'program.elf')
    writeFileSync(kernel, elf)
    const args = [
      '-M',
      'virt',
      '-cpu',
      QEMU_CPU,
      '-smp',
      QEMU_HARTS,
      '-m',
      '16M',
      '-display',
      'none',
      '-monitor',
      'none',
      '-serial',
      'stdio',
      '-bios',
      'none',
      '-kernel',
      kernel,
    ]
    const options = { stdio: ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[], maxBuffer: 1 << 24, timeout: 5_000 }
    const result = spawnSync(oracle('qemu-system-riscv64'), args, options)
    return result.stdout
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** What the program sends on our board. */
export function runOnBoard(hartModule: WebAssembly.Module, elf: Uint8Array): Uint8Array {
  const sent: Uint8Array[] = []
  const console = new ConsoleStream((bytes) => sent.push(bytes))
  const board = new VirtBoard({ hartModule, console, ramSize: 16 << 20 })
  boot(board, { kernel: { name: 'program', bytes: elf } })
  board.machine.run(MOST_CYCLES)
  board.uart.drain()
  console.flush()
  return Buffer.concat(sent)
}

/** What differs between the two runs, as lines of text; empty when nothing does. */
export function differences(hartModule: WebAssembly.Module, program: TestProgram): string[] {
  const elf = buildProgram(program)
  const theirs = describeDump(program, Uint8Array.from(runOnQemu(elf)))
  const ours = describeDump(program, Uint8Array.from(runOnBoard(hartModule, elf)))
  const lines: string[] = []
  for (let i = 0; i < Math.max(theirs.length, ours.length); i++) {
    if (theirs[i] !== ours[i]) lines.push(`QEMU ${theirs[i] ?? 'sends nothing'}, board ${ours[i] ?? 'sends nothing'}`)
  }
  return lines
}

/** Leaves out items, in ever smaller pieces, as long as the runs still differ. */
export function shrink(hartModule: WebAssembly.Module, program: TestProgram): TestProgram {
  let best = program
  for (let size = Math.ceil(best.items.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = 0; start < best.items.length;) {
      const candidate = { ...best, items: [...best.items.slice(0, start), ...best.items.slice(start + size)] }
      if (differences(hartModule, candidate).length > 0) best = candidate
      else start += size
    }
  }
  return best
}

/** A report of a difference that a person can act on. */
export function report(hartModule: WebAssembly.Module, program: TestProgram): string {
  const small = shrink(hartModule, program)
  const items = small.items.map(({ words, about }) => `  ${about}: ${words.map((word) => (word >>> 0).toString(16)).join(' ')}`)
  return [
    `seed ${program.seed}, ${program.mode} mode, ${program.levels} levels; smallest program:`,
    ...items,
    ...differences(hartModule, small).slice(0, 12),
  ].join('\n')
}
