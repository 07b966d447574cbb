/** `npm run bench:machine`: our machine and QEMU on the same programs in the same run, medians of several; prints MIPS and ratios. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { ConsoleStream } from '../backend/console.ts'
import { boot } from '../board/boot.ts'
import type { Engine } from '../board/machine.ts'
import type { JitReport } from '../jit/jit.ts'
import { VirtBoard } from '../board/virt.ts'
import { bootTimes } from './boots.ts'
import { findOracle, installLine, type OracleName } from '../testing/oracle-list.ts'

const PROGRAMS = ['integer', 'branchy', 'memory', 'float', 'chase', 'copy']
const RAM_MEBIBYTES = 128
/** Far beyond any of the programs: one that goes astray must not run for ever. */
const MOST_CYCLES = 2e10

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    only: { type: 'string' },
    engine: { type: 'string', default: 'auto' },
    json: { type: 'boolean', default: false },
  },
})

const needed: OracleName[] = ['qemu-system-riscv64', 'riscv64-unknown-elf-gcc']
const missing = needed.filter((name) => !findOracle(name))
if (missing.length > 0) {
  console.error(`bench:machine compares with what is not on this machine: ${installLine(missing)}`)
  process.exit(1)
}

const sources = path.join(import.meta.dirname, 'programs')
const hartModule = new WebAssembly.Module(readFileSync(path.join(import.meta.dirname, '../../dist/hart.wasm')))
const directory = mkdtempSync(path.join(os.tmpdir(), 'pollen-bench-'))

function compile(name: string, source: string[]): string {
  const elf = path.join(directory, `${name}.elf`)
  const flags = [
    '-O2',
    '-march=rv64gc',
    '-mabi=lp64d',
    '-mcmodel=medany',
    '-nostdlib',
    '-ffreestanding',
    '-T',
    path.join(sources, 'link.ld'),
  ]
  const result = spawnSync(findOracle('riscv64-unknown-elf-gcc')!, [...flags, path.join(sources, 'start.S'), ...source, '-o', elf], {
    encoding: 'utf8',
  })
  if (result.status !== 0) throw new Error(result.stderr)
  return elf
}

/** Seconds that QEMU takes, its start and end included. */
function timeQemu(elf: string): number {
  const started = performance.now()
  const args = [
    '-M',
    'virt',
    '-m',
    `${RAM_MEBIBYTES}M`,
    '-display',
    'none',
    '-monitor',
    'none',
    '-serial',
    'none',
    '-bios',
    'none',
    '-kernel',
    elf,
  ]
  const result = spawnSync(findOracle('qemu-system-riscv64')!, args)
  if (result.status !== 0) throw new Error(`QEMU ended with ${result.status} on ${elf}`)
  return (performance.now() - started) / 1000
}

/** Seconds from a board ready to run to its end, the instructions that it retired, and what the JIT did. */
function timeBoard(elf: string): { seconds: number; instructions: number; jit: JitReport | undefined } {
  const board = new VirtBoard({ hartModule, ramSize: RAM_MEBIBYTES << 20, engine: values.engine as Engine, console: new ConsoleStream() })
  boot(board, { kernel: { name: elf, bytes: readFileSync(elf) } })
  const started = performance.now()
  const result = board.machine.run(MOST_CYCLES)
  if (result.kind !== 'exit' || result.status !== 0) throw new Error(`the board ended with ${JSON.stringify(result)} on ${elf}`)
  return { seconds: (performance.now() - started) / 1000, instructions: board.machine.retired, jit: board.machine.jit?.report() }
}

function median(numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
}

try {
  const runs = Number(values.runs)
  const nothing = path.join(directory, 'nothing.c')
  writeFileSync(nothing, 'int main(void) { return 0; }\n')
  const empty = compile('nothing', [nothing])
  const start = median(Array.from({ length: 5 }, () => timeQemu(empty)))
  const rows = PROGRAMS.filter((name) => !values.only || name === values.only).map((name) => {
    const elf = compile(name, [path.join(sources, `${name}.c`)])
    const ours: number[] = []
    const theirs: number[] = []
    let instructions = 0
    const pauses: number[] = []
    for (let run = 0; run < runs; run++) {
      const board = timeBoard(elf)
      instructions = board.instructions
      pauses.push(board.jit?.pauseMilliseconds.most ?? 0)
      ours.push(board.seconds)
      theirs.push(Math.max(timeQemu(elf) - start, 1e-3))
    }
    const mips = instructions / median(ours) / 1e6
    const qemuMips = instructions / median(theirs) / 1e6
    return { program: name, instructions, mips, qemuMips, ratio: mips / qemuMips, longestPause: median(pauses) }
  })
  const geometricMean = Math.exp(rows.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / rows.length)
  const boots = values.only ? undefined : await bootTimes(runs)
  if (values.json) console.log(JSON.stringify({ rows, geometricMean, boots }, null, 2))
  else {
    console.log('program      Minstr   MIPS  QEMU MIPS  ratio  longest compile pause, ms')
    for (const { program, instructions, mips, qemuMips, ratio, longestPause } of rows) {
      const cells = [
        (instructions / 1e6).toFixed(0).padStart(9),
        mips.toFixed(0).padStart(6),
        qemuMips.toFixed(0).padStart(10),
        ratio.toFixed(2).padStart(6),
        longestPause.toFixed(1).padStart(26),
      ]
      console.log(program.padEnd(9) + cells.join(' '))
    }
    console.log(`geometric mean of the ratios: ${geometricMean.toFixed(2)}`)
    if (boots) {
      const { boot: what, seconds, qemuSeconds, ratio } = boots
      console.log(`${what}: ${seconds.toFixed(2)} s, QEMU ${qemuSeconds.toFixed(2)} s, ${ratio.toFixed(2)} of its time`)
    }
  }
} finally {
  rmSync(directory, { recursive: true })
}
