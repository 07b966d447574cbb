/**
 * `pollen aot`: any WebAssembly core module to a stand-alone RISC-V program that answers calls over its console.
 * Imports can only be those of the specification's tests (`spectest`), so everything about instantiation but the start
 * function is known here: globals, tables and memory are laid out as they are after it.
 */
import { assemble } from '../assembler/index.ts'
import { compileFunction, contextOf, placeFunction, signatureIds, type CodeOptions } from '../codegen/compile.ts'
import { conventionOf } from '../codegen/convention.ts'
import { ObjectBuilder, type SectionBuilder } from '../codegen/object-builder.ts'
import { SelectionError } from '../codegen/select.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { irSignature } from '../ir/build.ts'
import { trapCodes } from '../ir/ir.ts'
import { link, type Layout } from '../link/index.ts'
import type { ObjectFile } from '../object.ts'
import { decodeModule } from '../wasm/decode.ts'
import { WasmError, type ConstantExpression, type Import, type WasmModule } from '../wasm/types.ts'
import { validateModule } from '../wasm/validate.ts'
import { aotRuntime } from './aot-runtime.ts'
import { checkImport, importedGlobal, spectestMemory, spectestTable } from './spectest.ts'

export type AotTarget = 'bare' | 'linux-user'

export interface AotOptions {
  readonly target: AotTarget
  /** What diagnostics call the module. */
  readonly file?: string
  readonly level?: 0 | 2
  /** Modules from which imported functions do nothing, besides the specification tests' own. */
  readonly silentModules?: readonly string[]
}

export interface AotResult {
  /** Absent when there is an error among the diagnostics. */
  readonly elf?: Uint8Array
  readonly diagnostics: Diagnostic[]
  /** The module's own code and data, before linking. */
  readonly object?: ObjectFile
}

/** Linear memory that the bare target can give: what is left of 128 MiB of RAM. */
const barePages = 1600
/** More entries than this in a table is refused. */
const maximumTableEntries = 1 << 20
/** Entries by which a table without a maximum may grow. */
const tableHeadroom = 4096

/** Compiles a module. Errors are diagnostics; the function does not throw for bad input. */
export function compileAot(bytes: Uint8Array, options: AotOptions): AotResult {
  const file = options.file ?? 'module.wasm'
  try {
    const module = decodeModule(bytes)
    validateModule(module)
    const object = new AotCompiler(module, file, options).run()
    const runtime = assemble(aotRuntime(options.target), { file: 'aot-runtime.s' })
    if (!runtime.object) return { diagnostics: runtime.diagnostics }
    const linked = link([runtime.object, object], layoutFor(options.target))
    if (linked.diagnostics.some((diagnostic) => diagnostic.severity === 'error')) return { diagnostics: linked.diagnostics }
    return { elf: linked.elf, diagnostics: [], object }
  } catch (error) {
    if (error instanceof WasmError) return { diagnostics: [at(file, error.offset, error.code, error.message)] }
    if (error instanceof SelectionError) return { diagnostics: [at(file, error.position, 'wasm/unsupported', error.message, error.hint)] }
    throw error
  }
}

/** Positions in a binary are given as line 1 and the byte as column. */
function at(file: string, offset: number, code: string, message: string, hint?: string): Diagnostic {
  const column = Math.max(0, offset) + 1
  return { file, line: 1, column, end: { line: 1, column: column + 1 }, severity: 'error', code, message, hint }
}

function layoutFor(target: AotTarget): Layout {
  const region = 'ram'
  return {
    name: `aot-${target}`,
    entry: '_start',
    regions: [{ name: region, origin: target === 'bare' ? 0x8000_0000n : 0x1_0000n, length: 0x7000_0000n }],
    sections: [
      { name: '.text', region, inputs: ['.text.start', '.text', '.text.*'] },
      { name: '.rodata', region, alignment: 4096, inputs: ['.rodata', '.rodata.*'] },
      { name: '.data', region, alignment: 4096, inputs: ['.data', '.data.*'] },
      { name: '.bss', region, alignment: 16, inputs: ['.bss', '.bss.*'] },
      { name: '.memory', region, alignment: 4096, inputs: ['.memory'] },
    ],
  }
}

/** A value known at compile time: a number, or a reference to a function. */
type Known = { readonly bits: bigint } | { readonly function: number }

class AotCompiler {
  private readonly builder: ObjectBuilder
  private readonly data: SectionBuilder
  private readonly symbols: string[]
  private readonly ids: number[]
  private trap = -1

  constructor(
    private readonly module: WasmModule,
    file: string,
    private readonly options: AotOptions,
  ) {
    this.builder = new ObjectBuilder(file)
    this.data = this.builder.section('.data', { write: true })
    this.ids = signatureIds(module.types)
    for (const entry of module.imports) if (entry.description.kind !== 'function') checkImport(entry, module.types)
    this.symbols = module.functions.map((fn, index) => (fn.import ? this.importedFunction(fn.import) : `function.${index}`))
  }

  run(): ObjectFile {
    this.code()
    this.globals()
    this.tables()
    this.memory()
    this.exports()
    return this.builder.finish()
  }

  private importedFunction(entry: Import): string {
    if (!this.options.silentModules?.includes(entry.module)) checkImport(entry, this.module.types)
    return 'spectest.print'
  }

  private code(): void {
    const codeBytes = this.module.functions.reduce((sum, fn) => sum + (fn.body ? fn.body.end - fn.body.start : 0), 0)
    const options: CodeOptions = {
      model: 'bounded',
      level: this.options.level ?? 2,
      functionSymbols: this.symbols,
      intrinsics: new Map(),
      prefix: '',
      trapSymbol: 'pollen.trap',
      stackLimitSymbol: 'pollen.stack.limit',
      shareTraps: true,
      // Machine code is at most some eight times as long as what it comes from.
      farCalls: codeBytes > 100_000,
    }
    const context = contextOf(this.module, options)
    this.module.functions.forEach((fn, index) => {
      if (fn.body) placeFunction(this.builder, this.symbols[index], compileFunction(this.module, index, context, options))
    })
  }

  private evaluate(expression: ConstantExpression): Known {
    switch (expression.kind) {
      case 'global': {
        const global = this.module.globals[expression.index]
        return global.import ? { bits: importedGlobal(global.import) } : this.evaluate(global.init!)
      }
      case 'ref.func':
        return { function: expression.index }
      case 'ref.null':
        return { bits: 0n }
      default:
        return { bits: expression.value }
    }
  }

  /** Writes a value as 8 bytes; a function is {code, type}. */
  private word(section: SectionBuilder, value: Known): void {
    if ('bits' in value) {
      section.u64(value.bits)
      return
    }
    const at = section.u32(0)
    section.relocate(at, 'R_RISCV_32', this.symbols[value.function])
    section.u32(this.ids[this.module.functions[value.function].typeIndex])
  }

  private object(name: string, section: SectionBuilder, value: number, size = 8): void {
    this.builder.define({ name, section: section.name, value, size, type: 'object' })
  }

  private globals(): void {
    this.module.globals.forEach((global, index) => {
      this.data.align(8)
      this.object(`global.${index}`, this.data, this.data.length)
      this.word(this.data, global.import ? { bits: importedGlobal(global.import) } : this.evaluate(global.init!))
    })
  }

  private setTrap(reason: (typeof trapCodes)[number]): void {
    if (this.trap < 0) this.trap = trapCodes.indexOf(reason)
  }

  private tables(): void {
    const { module, data } = this
    const imports = module.imports.filter((entry) => entry.description.kind === 'table').length
    const contents = module.tables.map((table, index) => {
      const minimum = index < imports ? spectestTable.minimum : table.limits.minimum
      if (minimum > maximumTableEntries) throw new WasmError('wasm/unsupported', `a table of ${minimum} entries`, 0)
      const maximum = (index < imports ? spectestTable : table.limits).maximum ?? Infinity
      return { entries: new Array<Known | undefined>(minimum).fill(undefined), capacity: Math.min(maximum, minimum + tableHeadroom) }
    })
    module.elements.forEach((segment, index) => {
      const values = segment.items.map((item) => this.evaluate(item))
      // Active and declarative segments are dropped once the module is instantiated.
      let length = values.length
      if (segment.mode !== 'passive') {
        length = 0
        if (segment.mode === 'active' && this.trap < 0) {
          const from = Number(BigInt.asUintN(32, (this.evaluate(segment.offset!) as { bits: bigint }).bits))
          const { entries } = contents[segment.table]
          if (from + values.length > entries.length) this.setTrap('out of bounds table access')
          else values.forEach((value, position) => (entries[from + position] = value))
        }
      }
      this.segment(`element.${index}`, length, () => values.slice(0, length).forEach((value) => this.word(data, value)))
    })
    contents.forEach(({ entries, capacity }, index) => {
      data.align(8)
      this.object(`table.${index}`, data, data.length, 16 + 8 * capacity)
      data.u64(BigInt(entries.length))
      data.u64(BigInt(capacity))
      for (const entry of entries) this.word(data, entry ?? { bits: 0n })
      data.space(8 * (capacity - entries.length))
    })
  }

  private segment(name: string, length: number, contents: () => void): void {
    const { data } = this
    data.align(8)
    this.object(name, data, data.length, 16)
    data.address(name, 16)
    data.u64(BigInt(length))
    contents()
  }

  private memory(): void {
    const { module, data } = this
    const imported = module.imports.some((entry) => entry.description.kind === 'memory')
    const limits = imported ? spectestMemory : module.memories[0]
    const pages = limits?.minimum ?? 0
    const most = this.options.target === 'bare' ? barePages : 65536
    if (pages > most)
      throw new WasmError('wasm/unsupported', `a memory of ${pages} pages; the ${this.options.target} target has ${most}`, 0)
    const maximum = Math.min(limits?.maximum ?? 65536, most)
    const bytes = pages * 65536
    const image = this.builder.section('.memory', { write: true })
    image.alignment = 4096
    let contents = new Uint8Array(0)
    module.data.forEach((segment, index) => {
      const length = segment.mode === 'passive' ? segment.bytes.length : 0
      this.segment(`data.${index}`, length, () => data.append(segment.bytes.subarray(0, length)))
      if (segment.mode !== 'active' || this.trap >= 0) return
      const from = Number(BigInt.asUintN(32, (this.evaluate(segment.offset!) as { bits: bigint }).bits))
      const end = from + segment.bytes.length
      if (end > bytes) return this.setTrap('out of bounds memory access')
      if (end > contents.length) {
        const bigger = new Uint8Array(Math.max(end, contents.length * 2))
        bigger.set(contents)
        contents = bigger
      }
      contents.set(segment.bytes, from)
    })
    contents = contents.subarray(0, Math.min(contents.length, bytes))
    // Never empty, so that the linker gives it a place.
    image.append(contents.length ? contents : new Uint8Array(8))
    this.object('pollen.memory.image', image, 0, image.length)
    data.align(8)
    const word = (name: string, value: number): void => this.object(name, data, data.u64(BigInt(value)))
    word('pollen.memory.image.size', contents.length)
    word('pollen.memory.bytes', bytes)
    word('pollen.memory.maximum', maximum)
  }

  /** {count, {name, length, types, parameter count, result count, code, stack bytes}...}: what the console can call. */
  private exports(): void {
    const { module, data, builder } = this
    const strings = builder.section('.rodata')
    const text = (bytes: Uint8Array): number => strings.append(bytes)
    const callable = module.exports.filter((entry) => entry.kind === 'function')
    const letters = { i32: 'i', i64: 'l', f32: 'f', f64: 'd', funcref: 'g', externref: 'r' }
    builder.define({ name: 'pollen.strings', section: '.rodata', value: 0 })
    data.align(8)
    this.object('pollen.exports', data, data.u64(BigInt(callable.length)))
    for (const entry of callable) {
      const type = module.types[module.functions[entry.index].typeIndex]
      const name = new TextEncoder().encode(entry.name)
      const { params, results } = irSignature(type)
      data.address('pollen.strings', text(name))
      data.u64(BigInt(name.length))
      data.address('pollen.strings', text(new TextEncoder().encode([...type.params, ...type.results].map((t) => letters[t]).join(''))))
      data.u32(type.params.length)
      data.u32(type.results.length)
      data.address(this.symbols[entry.index])
      data.u64(BigInt(conventionOf(params, results).stackBytes))
    }
    this.object('pollen.instantiate', data, data.u32(0), 16)
    data.u32(this.trap)
    if (module.start === undefined) data.u64(0n)
    else data.address(this.symbols[module.start])
  }
}
