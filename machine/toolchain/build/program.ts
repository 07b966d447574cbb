/** Builds one program or image from TypeScript, C, C++ and assembly: what `pollen build` and the workbench call. */
import { z } from 'zod'
import { assemble } from '../assembler/index.ts'
import { SelectionError } from '../codegen/select.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { compileAssemblyScript, type Attributes } from '../frontend/assemblyscript.ts'
import { compileClang } from '../frontend/clang.ts'
import { cppEntry } from '../frontend/header.ts'
import type { PositionReader } from '../frontend/source-map.ts'
import { readWasmLines } from '../frontend/wasm-lines.ts'
import { link } from '../link/index.ts'
import type { ObjectFile } from '../object.ts'
import { decodeModule } from '../wasm/decode.ts'
import { WasmError } from '../wasm/types.ts'
import { validateModule } from '../wasm/validate.ts'
import { linkLayout, programLayouts, type ProgramLayout } from './layouts.ts'
import { dataExtent, moduleIr, moduleObject, type CodeCache } from './module-object.ts'
import { programRuntime } from './program-runtime.ts'

/**
 * Files of a root file system by their path there. A program is a folder with a pollen.json, a source file, or a list of source files;
 * any other file is copied, and so is a folder without a pollen.json, with all in it.
 */
const rootFiles = z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)]))
export type RootFiles = z.output<typeof rootFiles>

/** `pollen.json`. */
export const programSchema = z.strictObject({
  version: z.literal(1),
  kind: z.enum(['kernel', 'program', 'firmware']),
  sources: z.array(z.string()).min(1),
  /** The TypeScript file whose exports the rest of the program sees; default: the first. */
  entry: z.string().optional(),
  layout: z.enum(['firmware', 'bare', 'kernel', 'program']).optional(),
  /** Bytes of the first stack. */
  stack: z
    .number()
    .int()
    .min(1024)
    .max(1 << 26)
    .default(65536),
  defines: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  /** Of a kernel: the root file system in its image, and what `pollen test` adds to it. */
  root: rootFiles.optional(),
  tests: rootFiles.optional(),
})
export type ProgramConfiguration = z.input<typeof programSchema>

export interface BuildInput {
  readonly configuration: ProgramConfiguration
  /** Text of a file by path relative to the program, undefined when there is none. */
  readonly readFile: (path: string) => string | undefined
  /** Headers and other files that C sources may include. */
  readonly includes?: readonly string[]
  readonly level?: 0 | 2
  /** Instead of the configuration's named layout. */
  readonly layout?: ProgramLayout
  /** Linked with the rest. */
  readonly objects?: readonly ObjectFile[]
  readonly cache?: CodeCache
  readonly signal?: AbortSignal
  readonly onProgress?: (stage: string) => void
}

export interface BuiltModule {
  readonly name: string
  readonly wasm: Uint8Array
  /** Of TypeScript; a C module carries its own lines. */
  readonly position?: PositionReader
  readonly attributes?: Attributes
}

export interface BuildResult {
  /** Absent when there is an error among the diagnostics. */
  readonly elf?: Uint8Array
  readonly map: string
  readonly diagnostics: Diagnostic[]
  /** The modules and objects of each stage, for `--emit` and the stage view. */
  readonly modules: readonly BuiltModule[]
  readonly objects: readonly ObjectFile[]
}

/** Builds; errors in the sources are diagnostics. Rejects only with the signal's reason. */
export async function buildProgram(input: BuildInput): Promise<BuildResult> {
  return new ProgramBuilder(input).run()
}

class ProgramBuilder {
  private readonly diagnostics: Diagnostic[] = []
  private readonly objects: ObjectFile[] = []
  private readonly modules: BuiltModule[] = []
  private readonly types = new Map<string, number>()
  /** Modules' places among the objects, and how to compile them for calls across more code than near ones reach. */
  private readonly farModules: { readonly index: number; readonly compile: () => ObjectFile }[] = []
  private readonly initializers: string[] = []
  private readonly level: 0 | 2

  constructor(private readonly input: BuildInput) {
    this.level = input.level ?? 2
    this.objects.push(...(input.objects ?? []))
  }

  private result(elf?: Uint8Array, map = ''): BuildResult {
    return { elf, map, diagnostics: this.diagnostics, modules: this.modules, objects: this.objects }
  }

  private get failed(): boolean {
    return this.diagnostics.some((diagnostic) => diagnostic.severity === 'error')
  }

  private stage(name: string): void {
    this.input.signal?.throwIfAborted()
    this.input.onProgress?.(name)
  }

  private error(
    file: string,
    code: string,
    message: string,
    at: { line: number; column: number } = { line: 1, column: 1 },
    hint?: string,
  ): void {
    this.diagnostics.push({ file, ...at, end: { line: at.line, column: at.column + 1 }, severity: 'error', code, message, hint })
  }

  async run(): Promise<BuildResult> {
    const parsed = programSchema.safeParse(this.input.configuration)
    if (!parsed.success) {
      for (const issue of parsed.error.issues) this.error('pollen.json', 'build/configuration', `${issue.path.join('.')}: ${issue.message}`)
      return this.result()
    }
    const configuration = parsed.data
    for (const member of ['root', 'tests'] as const)
      if (configuration[member] && configuration.kind !== 'kernel')
        this.error('pollen.json', 'build/configuration', `${member}: only a kernel has a root file system`)
    const layout = this.input.layout ?? programLayouts[configuration.layout ?? configuration.kind]
    const { sources } = configuration
    const typescript = sources.filter((path) => path.endsWith('.ts'))
    const c = sources.filter((path) => /\.(c|cc|cpp|cxx)$/.test(path))
    for (const path of sources)
      if (!/\.(ts|c|cc|cpp|cxx|s|S)$/.test(path)) this.error(path, 'build/unknown-source', `${path} is no source this compiles`)
    this.assembly(
      sources.filter((path) => /\.[sS]$/.test(path)),
      configuration.defines,
    )

    let data = layout.data
    if (typescript.length) {
      this.stage('typescript')
      const entry = configuration.entry ?? typescript[0]
      const { wasm, diagnostics, position, attributes } = await compileAssemblyScript({
        entry,
        kernel: configuration.kind === 'kernel',
        readFile: this.input.readFile,
        memoryBase: data,
        optimise: this.level,
        defines: configuration.defines,
      })
      this.diagnostics.push(...diagnostics)
      if (wasm) data = this.module('typescript', wasm, layout.model, data, entry, position, attributes) ?? data
    }
    let shadowStack = 0
    if (c.length) {
      this.stage('c')
      const files: Record<string, string> = {}
      for (const path of [...c, ...(this.input.includes ?? [])]) {
        const text = this.input.readFile(path)
        if (text === undefined) this.error(path, 'build/missing-source', `${path} does not exist`)
        else files[path] = text
      }
      const memoryBase = Math.ceil(data / 4096) * 4096
      const { wasm, diagnostics } = await compileClang({
        sources: c,
        files,
        memoryBase,
        stackSize: 65536,
        optimise: this.level,
        defines: configuration.defines,
      })
      this.diagnostics.push(...diagnostics)
      if (wasm) {
        const end = this.module('c', wasm, layout.model, memoryBase, c[0], undefined)
        if (end !== undefined) shadowStack = this.shadowStackOf(wasm)
        if (this.needs('__cpp_entry')) this.assembleText('cpp.s', cppEntry)
      }
    }
    if (this.failed) return this.result()
    this.stage('link')
    this.assembleText('start.s', this.startText(shadowStack))
    const ownStart = this.objects.some(({ symbols }) => symbols.some(({ name, section }) => name === '_start' && section !== undefined))
    const runtime = assemble(programRuntime(layout, ownStart), { file: 'runtime.s' })
    if (runtime.object) this.objects.push(runtime.object)
    this.diagnostics.push(...runtime.diagnostics)
    if (this.failed) return this.result()
    if (codeBytes(this.objects) > NEAR_CODE_BYTES) for (const { index, compile } of this.farModules) this.objects[index] = compile()
    const linked = link(this.objects, linkLayout(layout, configuration.stack))
    this.diagnostics.push(...linked.diagnostics)
    return this.result(this.failed ? undefined : linked.elf, linked.map)
  }

  /** Somebody mentions a symbol, and nobody defines it. */
  private needs(symbol: string): boolean {
    return this.objects.some(({ symbols }) => symbols.some(({ name, section }) => name === symbol && section === undefined))
  }

  /** Initialisers of all modules, and where the C stack begins. */
  private startText(shadowStack: number): string {
    const calls = this.initializers.map((symbol) => `    call ${symbol}\n`).join('')
    return `    .globl __initialize\n__initialize:\n    li gp, ${shadowStack}\n    addi sp, sp, -16\n    sd ra, 0(sp)\n${calls}    ld ra, 0(sp)\n    addi sp, sp, 16\n    ret\n`
  }

  private assembly(paths: readonly string[], defines: Readonly<Record<string, string | number>>): void {
    for (const path of paths) {
      const text = this.input.readFile(path)
      if (text === undefined) this.error(path, 'build/missing-source', `${path} does not exist`)
      else this.assembleText(path, text, defines)
    }
  }

  private assembleText(path: string, text: string, defines: Readonly<Record<string, string | number>> = {}): void {
    const read = this.input.readFile
    const { object, diagnostics } = assemble(text, {
      file: path,
      defines,
      readFile: (included) => {
        const found = read(included)
        return found === undefined ? undefined : { path: included, bytes: new TextEncoder().encode(found) }
      },
    })
    this.diagnostics.push(...diagnostics)
    if (object) this.objects.push(object)
  }

  private shadowStackOf(wasm: Uint8Array): number {
    const module = decodeModule(wasm)
    const init = module.globals[0]?.init
    return init?.kind === 'i32' ? Number(BigInt.asIntN(32, init.value)) : 0
  }

  /** Compiles a module; gives the first address after its data. */
  private module(
    name: string,
    wasm: Uint8Array,
    model: 'signed' | 'physical' | 'bounded',
    dataBase: number,
    file: string,
    sourceMap: PositionReader | undefined,
    attributes?: Attributes,
  ): number | undefined {
    this.modules.push({ name, wasm, position: sourceMap, attributes })
    let position = sourceMap
    try {
      const module = decodeModule(wasm)
      position ??= readWasmLines(module)
      validateModule(module)
      this.stage(`machine code of ${name}`)
      const options = {
        name,
        model,
        level: this.level,
        dataBase,
        attributes,
        position,
        cache: this.input.cache,
        types: this.types,
        onFunction: () => this.input.signal?.throwIfAborted(),
      }
      const object = moduleObject(module, options)
      for (const symbol of ['_initialize', '__wasm_call_ctors']) {
        if (object.symbols.some((candidate) => candidate.name === symbol && candidate.section === '.text')) this.initializers.push(symbol)
      }
      const index = this.objects.push(object) - 1
      this.farModules.push({ index, compile: () => moduleObject(module, { ...options, farCalls: true }) })
      return dataExtent(module, dataBase).zeroEnd
    } catch (error) {
      if (!(error instanceof WasmError) && !(error instanceof SelectionError)) throw error
      const offset = error instanceof WasmError ? error.offset : error.position
      const at = position?.(offset)
      this.error(
        at?.file ?? file,
        error instanceof WasmError ? error.code : 'build/intrinsic',
        error.message,
        at,
        error instanceof SelectionError ? error.hint : undefined,
      )
      return undefined
    }
  }
}

/** A `jal` reaches 1 MiB; sections are aligned, and stand between code. */
const NEAR_CODE_BYTES = 1_000_000

function codeBytes(objects: readonly ObjectFile[]): number {
  let sum = 0
  for (const { sections } of objects)
    for (const { name, bytes } of sections) if (name === '.text' || name.startsWith('.text.')) sum += bytes.length
  return sum
}

/** The optimised IR of a built program's modules, as text. */
export function programIr(result: BuildResult, configuration: ProgramConfiguration, level: 0 | 2): string {
  const { model } = programLayouts[configuration.layout ?? configuration.kind]
  return result.modules.map(({ name, wasm }) => moduleIr(decodeModule(wasm), { name, model, level })).join('\n')
}
