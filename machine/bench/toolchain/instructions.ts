/** Instructions executed by generated code, against riscv64-unknown-elf-gcc -O2, counted by QEMU with -icount. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildProgram, type ProgramLayout } from '../../toolchain/build.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
export const programNames = [
  'calls',
  'hash',
  'sieve',
  'matrix',
  'sort',
  'list',
  'interpreter',
  'indirect',
  'text',
  'floats',
  'bits',
  'queue',
  'pingpong',
]

const layout: ProgramLayout = {
  name: 'kernel',
  model: 'signed',
  text: 0xffff_ffff_8000_0000n,
  load: 0x8000_0000n,
  data: 0x8010_0000,
  length: 0x4000_0000n,
}

export interface Count {
  readonly instructions: number
  readonly checksum: number
}

function run(elf: string): Count[] {
  const { stdout } = spawnSync('qemu-system-riscv64', ['-M', 'virt', '-nographic', '-bios', elf, '-icount', 'shift=0'], { timeout: 60_000 })
  return stdout
    .toString()
    .split('\n')
    .filter((line) => /^\d+ \d+/.test(line))
    .map((line) => line.split(' ').map(Number))
    .map(([instructions, checksum]) => ({ instructions, checksum: checksum | 0 }))
}

/** Counts of the twelve programs, compiled by us from `source` (a file of programs/). */
export async function countOurs(source: string, keep?: string): Promise<Count[]> {
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(join(here, path), 'utf8')
    } catch {
      return undefined
    }
  }
  const { elf, diagnostics } = await buildProgram({
    configuration: { version: 1, kind: 'firmware', sources: ['start.S', `programs/${source}`] },
    readFile: (path) => (path === 'start.S' ? '#define POLLEN\n' : '') + (read(path) ?? ''),
    layout,
  })
  if (!elf) throw new Error(diagnostics.map((diagnostic) => `${diagnostic.file}:${diagnostic.line}: ${diagnostic.message}`).join('\n'))
  return inFolder((folder) => {
    const path = keep ?? join(folder, 'ours.elf')
    writeFileSync(path, elf)
    return run(path)
  })
}

/** Counts of the C programs compiled by gcc. */
export function countGcc(keep?: string): Count[] {
  return inFolder((folder) => {
    const script = join(folder, 'link.ld')
    writeFileSync(
      script,
      'ENTRY(_start) MEMORY { ram : ORIGIN = 0xffffffff80000000, LENGTH = 64M load : ORIGIN = 0x80000000, LENGTH = 64M } SECTIONS { .all : { *(.text.start) *(.text*) *(.rodata*) *(.data*) *(.srodata*) *(.sdata*) *(.sbss*) *(.bss*) *(COMMON) } > ram AT> load }',
    )
    const path = keep ?? join(folder, 'gcc.elf')
    const options = [
      '-march=rv64gc',
      '-mabi=lp64d',
      '-mcmodel=medany',
      '-O2',
      '-ffreestanding',
      '-nostdlib',
      '-static',
      '-Wl,--no-warn-rwx-segments',
    ]
    execFileSync(
      'riscv64-unknown-elf-gcc',
      [...options, '-T', script, join(here, 'start.S'), join(here, 'programs/benchmarks.c'), '-o', path],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
    return run(path)
  })
}

function inFolder<Result>(work: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'pollen-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Geometric mean. */
export function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
}
