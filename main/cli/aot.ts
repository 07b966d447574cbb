/** `pollen aot`: compiles a WebAssembly module to a program of its own. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { compileAot, type AotTarget } from '../../machine/toolchain/build.ts'
import { BAD_ARGUMENTS } from './exit-status.ts'
import { complain, fileReason, formatDiagnostic } from './report.ts'

/** Compiles; returns the exit status: 1 for a module that cannot be compiled, 125 for files that cannot be used. */
export function aot(file: string, options: { output?: string; target: AotTarget; O: '0' | '2' }): number {
  const output = options.output ?? `${path.basename(file).replace(/\.wasm$/, '')}.elf`
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (error) {
    complain(fileReason(file, error))
    return BAD_ARGUMENTS
  }
  const { elf, diagnostics } = compileAot(bytes, { target: options.target, file, level: options.O === '0' ? 0 : 2 })
  for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic)}\n`)
  if (!elf) return 1
  try {
    writeFileSync(output, elf, { mode: 0o755 })
    return 0
  } catch (error) {
    complain(fileReason(output, error))
    return BAD_ARGUMENTS
  }
}
