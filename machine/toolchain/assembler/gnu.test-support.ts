/** GNU's tools as oracles for the toolchain's tests. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OracleName } from '../../testing/oracle-list.ts'
import { oracle } from '../../testing/oracles.ts'
import { readElf } from '../elf/index.ts'

/** Runs `body` with a scratch directory that is gone afterwards. */
export function withScratch<T>(body: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'pollen-'))
  try {
    return body(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Output of a tool; its error output is part of the exception when it fails. */
export function runTool(name: OracleName, args: readonly string[], input?: string): string {
  return execFileSync(oracle(name), args, { encoding: 'utf8', input, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'pipe'] })
}

/** What GNU as makes of a source: the object, or its complaints. */
export function gnuAssemble(source: string, flags: readonly string[] = []): { object?: Uint8Array; errors: string } {
  return withScratch((directory) => {
    const path = join(directory, 'input.s')
    const output = join(directory, 'output.o')
    writeFileSync(path, source)
    const run = spawnSync(oracle('riscv64-unknown-elf-as'), ['-march=rv64gc_zifencei', '-mno-relax', ...flags, '-o', output, path], {
      encoding: 'utf8',
    })
    return run.status === 0 ? { object: readFileSync(output), errors: run.stderr } : { errors: run.stderr }
  })
}

/** The contents of a section of an object. */
export function sectionBytes(object: Uint8Array, name: string): Uint8Array {
  return readElf(object).sections.find((section) => section.name === name)?.bytes ?? new Uint8Array()
}

/** Assembly that GNU's compiler makes of C. */
export function gnuCompile(source: string, flags: readonly string[]): string {
  return runTool('riscv64-unknown-elf-gcc', ['-w', '-S', '-ffreestanding', '-mcmodel=medany', ...flags, '-x', 'c', '-o', '-', '-'], source)
}
