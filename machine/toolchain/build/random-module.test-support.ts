/** Random WebAssembly modules, written by Binaryen from a seed. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { decodeModule } from '../wasm/decode.ts'
import { exportTypes, type Call } from './differential.test-support.ts'

/** Numbers below 2^32 from a seed (xorshift32). */
export function random(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>>= 0)
  }
}

const features = [
  ...['exception-handling', 'gc', 'simd', 'threads', 'tail-call', 'multimemory', 'memory64', 'strings', 'relaxed-simd'].map(
    (name) => `--disable-${name}`,
  ),
  ...['extended-const', 'custom-descriptors', 'stack-switching', 'shared-everything', 'fp16', 'reference-types'].map(
    (name) => `--disable-${name}`,
  ),
  ...['bulk-memory', 'sign-ext', 'nontrapping-float-to-int', 'mutable-globals', 'multivalue'].map((name) => `--enable-${name}`),
]

/** A valid module in which NaNs are replaced by 0, so that their payloads cannot be seen. */
export function randomModule(seed: number): Uint8Array {
  const next = random(seed)
  const folder = mkdtempSync(join(tmpdir(), 'pollen-'))
  try {
    const input = join(folder, 'seed.bin')
    const output = join(folder, 'module.wasm')
    writeFileSync(
      input,
      Uint8Array.from({ length: 500 + (next() % 4000) }, () => next() >>> 24),
    )
    const tool = join(dirname(createRequire(import.meta.url).resolve('binaryen')), 'bin', 'wasm-opt')
    const optimise = next() % 2 ? ['-O1'] : []
    execFileSync(process.execPath, [tool, input, '-ttf', '--denan', ...optimise, ...features, '-o', output], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    return readFileSync(output)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Imports of such a module: they do nothing and give 0 (NaN where a float is expected). */
export function silentImports(bytes: Uint8Array): WebAssembly.Imports {
  const module = decodeModule(bytes)
  const imports: Record<string, Record<string, () => unknown>> = {}
  for (const { module: from, name, description } of module.imports) {
    if (description.kind !== 'function') continue
    const { results } = module.types[description.typeIndex]
    const values = results.map((type) => (type === 'i64' ? 0n : type === 'i32' ? 0 : NaN))
    ;(imports[from] ??= {})[name] = () => (values.length > 1 ? values : values[0])
  }
  return imports
}

/** Two calls of everything the module exports. */
export function randomCalls(bytes: Uint8Array, seed: number): Call[] {
  const next = random(seed + 1)
  const calls: Call[] = []
  for (let round = 0; round < 2; round++) {
    for (const [name, type] of exportTypes(bytes)) {
      if (type.results.some((result) => result.endsWith('ref')) || /\s/.test(name)) continue
      calls.push({ name, args: type.params.map(() => (next() % 3 ? BigInt(next() % 40) : BigInt(next()) | (BigInt(next()) << 32n))) })
    }
  }
  return calls
}
