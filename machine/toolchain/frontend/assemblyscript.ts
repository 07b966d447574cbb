/** The TypeScript front-end: sources of the guest dialect to one WebAssembly module, in memory. */
import asc from 'assemblyscript/asc'
import binaryen from 'binaryen'
import type { Diagnostic } from '../diagnostic.ts'
import { lowerAsync, type TreeNode } from './async-lower.ts'
import { rewriteAsync } from './async-rewrite.ts'
import { checkRules } from './dialect-rules.ts'
import { libraryFiles, traceNamespace } from './library.ts'
import { readSourceMap, type PositionReader } from './source-map.ts'
import { SourceTypes, type AscProgram } from './source-types.ts'

export interface AssemblyScriptInput {
  /** Path of the entry file; its exports are the module's. */
  readonly entry: string
  /** Text of a source file by path, undefined when there is none. */
  readonly readFile: (path: string) => string | undefined
  /** First address of static data. */
  readonly memoryBase: number
  /** 2 inlines, and folds global constants. */
  readonly optimise: 0 | 2
  /** Module variables must say how harts share them. */
  readonly kernel?: boolean
  /** Constants, as `--use NAME=VALUE` has them. */
  readonly defines?: Readonly<Record<string, string | number>>
}

/** What decorators say of variables and functions, by the names that the module's name section has. */
export interface Attributes {
  /** Every hart has its own. */
  readonly perHart: ReadonlySet<string>
  /** Entered by an interrupt. */
  readonly interrupts: ReadonlySet<string>
  /** What variables are, for debuggers. */
  readonly types?: SourceTypes
}

export interface FrontendResult {
  readonly wasm?: Uint8Array
  readonly diagnostics: Diagnostic[]
  /** Source position of the code at a byte of the module. */
  readonly position: PositionReader
  readonly attributes: Attributes
  /** Files that took part, for the cache and for watching. */
  readonly files: readonly string[]
}

/** Compiles; errors are diagnostics. Concurrent calls are queued, because the compiler's library table is shared. */
export function compileAssemblyScript(input: AssemblyScriptInput): Promise<FrontendResult> {
  queue = queue.then(
    () => compile(input),
    () => compile(input),
  )
  return queue as Promise<FrontendResult>
}

let queue: Promise<unknown> = Promise.resolve()

interface AscDiagnostic {
  readonly message: string
  readonly code: number
  readonly category: number
  readonly range: { readonly start: number; readonly end: number; readonly source: { readonly normalizedPath: string } | null } | null
}

async function compile(input: AssemblyScriptInput): Promise<FrontendResult> {
  prepareLibrary((asc as unknown as { libraryFiles: Record<string, string> }).libraryFiles)
  const diagnostics: Diagnostic[] = []
  const texts = new Map<string, string>()
  const awaits = new Map<string, ReadonlySet<number>>()
  const asyncNames = new Set<string>()
  const written = new Map<string, string | Uint8Array>()
  let attributes: Attributes = { perHart: new Set(), interrupts: new Set() }
  const report = (
    path: string,
    start: number,
    end: number,
    severity: Diagnostic['severity'],
    code: string,
    message: string,
    hint?: string,
  ): void => {
    const text = texts.get(path) ?? ''
    diagnostics.push({ file: path, ...locate(text, start), end: locate(text, end), severity, code, message, hint })
  }
  const options = [
    input.entry,
    ...['--outFile', 'output.wasm', '--sourceMap', '--debug', '--runtime', 'stub', '--memoryBase', String(input.memoryBase)],
    ...[
      '--exportStart',
      '_initialize',
      '--noExportMemory',
      '--enable',
      'threads',
      '--enable',
      'bulk-memory',
      '--initialMemory',
      '65536',
      '--maximumMemory',
      '65536',
    ],
    ...['--optimizeLevel', '0', '--shrinkLevel', '0'],
    ...(input.optimise === 2 ? ['--noAssert'] : []),
    ...Object.entries(input.defines ?? {}).flatMap(([name, value]) => ['--use', `${name}=${value}`]),
  ]
  const transform = {
    afterParse: (parser: { sources: (TreeNode & { normalizedPath: string })[] }): void => {
      const sources = parser.sources.flatMap((tree) => {
        const path = tree.normalizedPath
        const marks = awaits.get(path)
        return marks ? [{ path, text: texts.get(path)!, tree, awaits: marks }] : []
      })
      const rules = checkRules({ sources, kernel: input.kernel ?? false })
      attributes = rules
      for (const { path, node, code, message, hint } of rules.errors)
        report(path, node.range.start, node.range.end, 'error', code, message, hint)
      for (const source of parser.sources) {
        const marks = awaits.get(source.normalizedPath)
        if (!marks) continue
        for (const { node, code, message, hint } of lowerAsync(source, marks, asyncNames))
          report(source.normalizedPath, node.range.start, node.range.end, 'error', code, message, hint)
      }
    },
    // An inlined coroutine would share its caller's frame.
    afterCompile: (module: binaryen.Module): void => {
      attributes = { ...attributes, types: new SourceTypes(program!) }
      // What tasks rarely do is kept out of them too: it would cost every suspension registers to save.
      const forms = [...asyncNames].flatMap((name) => [`*/${name}`, `*/${name}<*`, `*#${name}`, `*.${name}`])
      for (const form of ['~lib/coroutine/__*', ...forms]) {
        binaryen.setPassArgument('no-inline', form)
        module.runPasses(['no-inline'])
      }
      if (input.optimise === 0) return
      // All else the back-end does better, and only for what changed: Binaryen's other passes take most of a build's time.
      binaryen.setOptimizeLevel(3)
      binaryen.setShrinkLevel(0)
      module.runPasses(['simplify-globals', 'inlining'])
    },
  }
  // The compiler tells its program to constructors only.
  let program: AscProgram | undefined
  const construct = function (this: { program: AscProgram }): typeof transform {
    program = this.program
    return transform
  }
  const { error } = await asc.main(options, {
    readFile: (path: string) => {
      // Its asconfig.json could name code to run on the host.
      const text = path.endsWith('.ts') ? input.readFile(path) : undefined
      if (text === undefined) return null
      texts.set(path, text)
      const rewritten = rewriteAsync(text)
      awaits.set(path, rewritten.awaits)
      return rewritten.text
    },
    writeFile: (path: string, contents: string | Uint8Array) => void written.set(path, contents),
    listFiles: () => [],
    stdout: asc.createMemoryStream(),
    stderr: asc.createMemoryStream(),
    reportDiagnostic: (diagnostic: unknown) => {
      const { message, code, category, range } = diagnostic as AscDiagnostic
      const severity = category === 3 ? 'error' : category === 2 ? 'warning' : 'note'
      const path = range?.source?.normalizedPath ?? input.entry
      report(path, range?.start ?? 0, range?.end ?? 0, severity, `ts/${code}`, message)
    },
    transforms: [construct],
  } as never)
  const wasm = written.get('output.wasm')
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === 'error')
  if (error && !failed) report(input.entry, 0, 0, 'error', 'ts/compiler', error.message)
  if (error || failed || !(wasm instanceof Uint8Array))
    return { diagnostics, position: () => undefined, attributes, files: [...texts.keys()] }
  const map = written.get('output.wasm.map')
  return {
    wasm,
    diagnostics,
    position: typeof map === 'string' ? readSourceMap(map, '~lib/coroutine') : () => undefined,
    attributes,
    files: [...texts.keys()],
  }
}

/** Adds the dialect to the compiler's library, and takes out what has the name of one of its namespaces. */
function prepareLibrary(library: Record<string, string>): void {
  if (library.pollen === libraryFiles.pollen) return
  Object.assign(library, libraryFiles)
  library.builtins = library.builtins.replace(/@external\("env", "trace"\)[\s\S]*?\): void;/, () => traceNamespace)
}

/** 1-based line and column of an offset. */
export function locate(text: string, offset: number): { line: number; column: number } {
  let line = 1
  let start = 0
  for (;;) {
    const next = text.indexOf('\n', start)
    if (next < 0 || next >= offset) return { line, column: offset - start + 1 }
    line++
    start = next + 1
  }
}
