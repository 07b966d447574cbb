/** Runs the same calls of a module in V8 and, compiled by us, under QEMU; tests compare the answers line by line. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeModule } from '../wasm/decode.ts'
import type { FunctionType, ValueType } from '../wasm/types.ts'
import { oracle } from '../../testing/oracles.ts'
import { compileAot } from './aot.ts'

export interface Call {
  readonly name: string
  /** Bits of each argument, as signed numbers. */
  readonly args: readonly bigint[]
}

const view = new DataView(new ArrayBuffer(8))

/** A value as the console protocol writes it. */
export function format(type: ValueType, bits: bigint): string {
  if (type === 'f32') return `f32:0x${BigInt.asUintN(32, bits).toString(16).padStart(8, '0')}`
  if (type === 'f64') return `f64:0x${BigInt.asUintN(64, bits).toString(16).padStart(16, '0')}`
  if (type === 'externref' || type === 'funcref') return `${type}:${bits < 0n ? 'null' : bits}`
  return `${type}:${BigInt.asIntN(type === 'i32' ? 32 : 64, bits)}`
}

/** Types of the exported functions. */
export function exportTypes(bytes: Uint8Array): Map<string, FunctionType> {
  const module = decodeModule(bytes)
  return new Map(
    module.exports
      .filter((entry) => entry.kind === 'function')
      .map((entry) => [entry.name, module.types[module.functions[entry.index].typeIndex]]),
  )
}

/** References to outside things are their numbers, or -1 for null. */
function toJavaScript(type: ValueType, bits: bigint): number | bigint | null {
  if (type === 'externref' || type === 'funcref') return bits < 0n ? null : Number(bits)
  if (type === 'i32') return Number(BigInt.asIntN(32, bits))
  if (type === 'i64') return BigInt.asIntN(64, bits)
  view.setBigUint64(0, BigInt.asUintN(64, bits))
  if (type === 'f64') return view.getFloat64(0)
  view.setUint32(0, Number(BigInt.asUintN(32, bits)))
  return view.getFloat32(0)
}

function fromJavaScript(type: ValueType, value: number | bigint | null): bigint {
  if (value === null) return -1n
  if (type === 'externref') return BigInt(value)
  if (type === 'i32' || type === 'i64') return BigInt(value)
  if (type === 'f64') {
    view.setFloat64(0, value as number)
    return view.getBigUint64(0)
  }
  view.setFloat32(0, value as number)
  return BigInt(view.getUint32(0))
}

const traps: [RegExp, string][] = [
  [/divide by zero|remainder by zero/, 'integer divide by zero'],
  [/divide result unrepresentable/, 'integer overflow'],
  [/float unrepresentable/, 'integer overflow'],
  [/unreachable/, 'unreachable'],
  [/memory access out of bounds|data segment.* out of bounds/, 'out of bounds memory access'],
  [/table index is out of bounds|table access out of bounds|table or array|element segment.* out of bounds/i, 'undefined element'],
  [/null function or function signature|signature mismatch/, 'indirect call type mismatch'],
  [/call stack size/, 'call stack exhausted'],
  [/unaligned/, 'unaligned atomic'],
]

/** V8 has one message for what the specification calls by two names. */
function normal(line: string): string {
  return (
    line
      .replace(/^trap: invalid conversion to integer$/, 'trap: integer overflow')
      .replace(/^trap: uninitialized element$/, 'trap: indirect call type mismatch')
      .replace(/^trap: out of bounds table access$/, 'trap: undefined element')
      // A NaN's payload is not determined.
      .replace(/f32:0x[7f]f[89a-f]\w{5}/g, 'f32:nan')
      .replace(/f64:0x[7f]ff[89a-f]\w{12}/g, 'f64:nan')
  )
}

/** Calls in V8. Fresh instance; state carries from call to call. */
export function runV8(bytes: Uint8Array, calls: readonly Call[], imports: WebAssembly.Imports = {}): string[] {
  const types = exportTypes(bytes)
  let exports: WebAssembly.Exports
  try {
    exports = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), imports).exports
  } catch (error) {
    return [trapLine(error as Error)]
  }
  return calls.map(({ name, args }) => {
    const type = types.get(name)!
    try {
      const result: unknown = (exports[name] as (...values: unknown[]) => unknown)(
        ...args.map((bits, index) => toJavaScript(type.params[index], bits)),
      )
      const results = (type.results.length > 1 ? result : [result]) as (number | bigint)[]
      return type.results.length ? normal(type.results.map((t, index) => format(t, fromJavaScript(t, results[index]))).join(' ')) : 'ok'
    } catch (error) {
      return trapLine(error as Error)
    }
  })
}

function trapLine(error: Error): string {
  const known = traps.find(([pattern]) => pattern.test(error.message))
  if (!known) throw error
  return normal(`trap: ${known[1]}`)
}

/** Calls in the compiled program under qemu-riscv64. */
export function runCompiled(bytes: Uint8Array, calls: readonly Call[], level: 0 | 2 = 2): string[] {
  const types = exportTypes(bytes)
  const { elf, diagnostics } = compileAot(bytes, { target: 'linux-user', level, silentModules: ['fuzzing-support'] })
  if (!elf) throw new Error(diagnostics.map((diagnostic) => diagnostic.message).join('\n'))
  const input =
    calls.map(({ name, args }) => [name, ...args.map((bits, index) => format(types.get(name)!.params[index], bits))].join(' ')).join('\n') +
    '\n'
  const folder = mkdtempSync(join(tmpdir(), 'pollen-'))
  try {
    const program = join(folder, 'program.elf')
    writeFileSync(program, elf, { mode: 0o755 })
    const { stdout, status, signal, stderr } = spawnSync(oracle('qemu-riscv64'), [program], { input, timeout: 60_000, maxBuffer: 1 << 28 })
    const lines = stdout
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map(normal)
    if (status !== 0 && !lines[lines.length - 1]?.startsWith('trap'))
      throw new Error(`the program ended with ${status ?? signal} after ${lines.length} lines: ${stderr.toString()}`)
    return lines
  } finally {
    rmSync(folder, { recursive: true })
  }
}
