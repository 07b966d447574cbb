/** The C and C++ front-end: clang and wasm-ld to one WebAssembly module, in memory. */
import type { Diagnostic } from '../diagnostic.ts'
import { headers } from './header.ts'

export interface ClangInput {
  /** Paths of the files to compile. */
  readonly sources: readonly string[]
  /** All files they may include, by path. */
  readonly files: Readonly<Record<string, string>>
  readonly memoryBase: number
  /** Bytes of the C stack of the first thread. */
  readonly stackSize: number
  readonly optimise: 0 | 2
  readonly defines?: Readonly<Record<string, string | number>>
}

export interface ClangResult {
  readonly wasm?: Uint8Array
  readonly diagnostics: Diagnostic[]
}

type Tree = { [name: string]: string | Uint8Array | Tree }

/** Files by path as the virtual file system wants them. */
function treeOf(files: Readonly<Record<string, string>>): Tree {
  const root: Tree = {}
  for (const [path, text] of Object.entries(files)) {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.')
    let folder = root
    for (const part of parts.slice(0, -1)) folder = (folder[part] ??= {}) as Tree
    folder[parts[parts.length - 1]] = text
  }
  return root
}

/** Compiles and links; errors are diagnostics. */
export async function compileClang(input: ClangInput): Promise<ClangResult> {
  const { runClang } = (await import('@yowasp/clang')) as unknown as {
    runClang: (args: string[] | null, files: Tree, options: object) => Promise<Tree>
  }
  const files = treeOf({ ...headers, ...input.files })
  const cxx = input.sources.some((source) => /\.(cpp|cc|cxx)$/.test(source))
  const args = [
    cxx ? 'clang++' : 'clang',
    ...[
      '--target=wasm32',
      '-nostdlib',
      '-ffreestanding',
      '-g',
      input.optimise === 2 ? '-O2' : '-O0',
      '-Iinclude',
      '-I.',
      '-mbulk-memory',
      '-matomics',
      '-fno-exceptions',
    ],
    ...(cxx ? ['-std=c++20', '-fno-rtti', '-Wno-return-type-c-linkage'] : ['-std=gnu17']),
    ...Object.entries(input.defines ?? {}).map(([name, value]) => `-D${name}=${value}`),
    ...input.sources,
    ...[
      '-Wl,--no-entry',
      '-Wl,--no-stack-first',
      '-Wl,--export-all',
      '-Wl,--allow-undefined',
      '-Wl,--no-check-features',
      `-Wl,--global-base=${input.memoryBase}`,
      `-Wl,-z,stack-size=${input.stackSize}`,
    ],
    ...['-Wl,--initial-memory=4294901760', '-Wl,--max-memory=4294967296', '-fno-color-diagnostics'],
    ...['-o', 'output.wasm'],
  ]
  let text = ''
  const decoder = new TextDecoder()
  const print = (bytes: Uint8Array | null): void => {
    if (bytes) text += decoder.decode(bytes)
  }
  try {
    // Loads what it needs, and in silence: its inner calls report their progress to the console otherwise.
    await runClang(null, {}, { fetchProgress: () => undefined })
    const output = await runClang(args, files, { stdout: print, stderr: print })
    return { wasm: output['output.wasm'] as Uint8Array, diagnostics: readMessages(text) }
  } catch (error) {
    const diagnostics = readMessages(text)
    if (!diagnostics.some((diagnostic) => diagnostic.severity === 'error')) {
      const message = text.trim() || (error as Error).message
      diagnostics.push({
        file: input.sources[0],
        line: 1,
        column: 1,
        end: { line: 1, column: 1 },
        severity: 'error',
        code: 'c/compiler',
        message,
      })
    }
    return { diagnostics }
  }
}

/** `file:line:column: severity: message [-Wname]`, and wasm-ld's complaints. */
function readMessages(text: string): Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  for (const line of text.split('\n')) {
    const found = /^(.+?):(\d+):(\d+): (fatal error|error|warning|note): (.*?)(?: \[(-W[\w-]+)\])?$/.exec(line)
    if (found) {
      const [, file, row, column, severity, message, flag] = found
      const at = { line: Number(row), column: Number(column) }
      diagnostics.push({
        file,
        ...at,
        end: { ...at, column: at.column + 1 },
        severity: severity.includes('error') ? 'error' : (severity as 'warning' | 'note'),
        code: flag ? `c/${flag.slice(2)}` : 'c/error',
        message,
      })
      continue
    }
    const linker = /^wasm-ld: (error|warning): (.*)$/.exec(line)
    if (linker)
      diagnostics.push({
        file: '',
        line: 1,
        column: 1,
        end: { line: 1, column: 1 },
        severity: linker[1] as 'error',
        code: 'c/link',
        message: linker[2],
      })
  }
  return diagnostics
}
