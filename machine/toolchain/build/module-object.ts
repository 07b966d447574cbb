/** A front-end's module as an object: code, globals, tables, and data at the addresses the front-end chose. */
import { compileFunction, contextOf, functionText, placeFunction, signatureIds, type CodeOptions } from '../codegen/compile.ts'
import { ObjectBuilder, type SectionBuilder } from '../codegen/object-builder.ts'
import { intrinsicNames } from '../codegen/select-intrinsic.ts'
import { MOST_HARTS, PER_HART_STRIDE } from '../codegen/select-memory.ts'
import type { AddressModel } from '../codegen/lower.ts'
import { gp } from '../codegen/machine.ts'
import type { EmittedFunction } from '../codegen/emit.ts'
import type { Attributes } from '../frontend/assemblyscript.ts'
import type { PositionReader } from '../frontend/source-map.ts'
import { WasmDebug } from '../frontend/wasm-debug.ts'
import type { ObjectFile } from '../object.ts'
import { readNames, type ModuleNames } from '../wasm/names.ts'
import { WasmError, type ConstantExpression, type WasmModule } from '../wasm/types.ts'
import { fingerprintOf } from './fingerprint.ts'

/** Machine code of functions by a fingerprint of all it depends on. */
export interface CodeCache {
  get(key: string): EmittedFunction | undefined
  set(key: string, code: EmittedFunction): void
}

export interface ModuleOptions {
  readonly name: string
  readonly model: AddressModel
  readonly level: 0 | 2
  /** Address at which the module's static data was told to begin; a multiple of 4096. */
  readonly dataBase: number
  readonly attributes?: Attributes
  readonly position?: PositionReader
  readonly cache?: CodeCache
  /** Function types numbered across all modules of a program. */
  readonly types: Map<string, number>
  readonly onFunction?: () => void
  /** Calls by pairs of instructions, which reach ±2 GiB instead of ±1 MiB. */
  readonly farCalls?: boolean
}

/** The optimised IR of all functions of a validated module, as text. */
export function moduleIr(module: WasmModule, options: Pick<ModuleOptions, 'name' | 'model' | 'level' | 'attributes'>): string {
  return [...functionIrs(module, options).values()].join('\n')
}

/** The same by the function's index. */
export function functionIrs(
  module: WasmModule,
  options: Pick<ModuleOptions, 'name' | 'model' | 'level' | 'attributes'>,
): Map<number, string> {
  const { code } = describe(module, options)
  const texts = new Map<number, string>()
  module.functions.forEach((fn, index) => {
    if (fn.body) texts.set(index, functionText(module, index, code))
  })
  return texts
}

/** Compiles all functions of a validated module. */
export function moduleObject(module: WasmModule, options: ModuleOptions): ObjectFile {
  const builder = new ObjectBuilder(options.name, options.name === 'c' ? 'c' : 'typescript')
  const described = describe(module, options)
  const { exported, names } = described
  const types = options.attributes?.types
  const debug = options.name === 'c' ? WasmDebug.read(module, options.model) : undefined
  const code = debug
    ? { ...described.code, variables: debug.localNames(), kept: options.level === 0 ? debug.frames() : undefined }
    : described.code
  const symbols = code.functionSymbols
  const context = contextOf(module, code, options.types)
  module.functions.forEach((fn, index) => {
    if (!fn.body) return
    const key = options.cache ? fingerprintOf(module, index, code, context) : ''
    let emitted = options.cache?.get(key)
    if (!emitted) {
      emitted = compileFunction(module, index, context, code)
      // Positions are kept relative to the body, so that they hold wherever it lies next time.
      const { start } = fn.body
      const relative = <Entry extends { readonly position: number }>(entries: readonly Entry[]): Entry[] =>
        entries.map((entry) => ({ ...entry, position: entry.position - start }))
      emitted = { ...emitted, positions: relative(emitted.positions), suspensions: relative(emitted.suspensions) }
      options.cache?.set(key, emitted)
    }
    const position = options.position && ((offset: number) => options.position!(offset + fn.body!.start, fn.body!.start))
    const { start } = fn.body
    const functionDebug = debug?.describe(builder, emitted, start) ?? types?.describe(builder, emitted, names.functions.get(index) ?? '')
    if (debug && emitted.coroutineBytes) {
      const named = emitted.suspensions.map((at) => ({ ...at, slots: debug.slotsAt(at.slots, start + at.position) }))
      emitted = { ...emitted, suspensions: named }
    }
    placeFunction(builder, symbols[index], emitted, position, exported.has(index) ? 'global' : 'local', functionDebug)
    options.onFunction?.()
  })
  debug?.describeGlobals(builder)
  types?.describeGlobals(builder, module, names, code.prefix, code.perHartGlobals ?? new Set())
  new DataWriter(module, builder, code, signatureIds(module.types, options.types), options.dataBase).run()
  return builder.finish()
}

/** Names of everything in a module, as the rest of the program knows it. */
function describe(
  module: WasmModule,
  options: Pick<ModuleOptions, 'name' | 'model' | 'level' | 'attributes' | 'farCalls'>,
): { code: CodeOptions; exported: ReadonlyMap<number, string>; names: ModuleNames } {
  const names = readNames(module)
  const exported = new Map(module.exports.filter((entry) => entry.kind === 'function').map((entry) => [entry.index, entry.name]))
  const intrinsics = new Map<number, string>()
  const taken = new Set(exported.values())
  const symbols = module.functions.map((fn, index) => {
    if (fn.import) {
      const { module: from, name, offset } = fn.import
      if (from !== 'cpu' && from !== 'co' && from !== 'trace') return name === 'abort' && from === 'env' ? '__abort' : name
      const intrinsic = `${from}.${name}`
      if (!intrinsicNames.has(intrinsic)) throw new WasmError('wasm/unsupported', `unknown intrinsic ${intrinsic}`, offset)
      intrinsics.set(index, intrinsic)
      return intrinsic
    }
    const own = exported.get(index)
    if (own !== undefined) return own
    let name = names.functions.get(index) ?? `${options.name}.function.${index}`
    if (taken.has(name)) name += `#${index}`
    taken.add(name)
    return name
  })
  const globalRegisters = new Map<number, number>()
  for (const [index, name] of names.globals) if (name === '__stack_pointer') globalRegisters.set(index, gp)
  const perHartGlobals = new Set<number>()
  for (const [index, name] of names.globals) if (options.attributes?.perHart.has(name)) perHartGlobals.add(index)
  const interrupts = new Set<number>()
  for (const [index, name] of names.functions) if (options.attributes?.interrupts.has(name)) interrupts.add(index)
  const code: CodeOptions = {
    model: options.model,
    level: options.level,
    functionSymbols: symbols,
    intrinsics,
    prefix: `${options.name}.`,
    globalRegisters,
    perHartGlobals,
    interrupts,
    trapSymbol: '__trap',
    shareTraps: false,
    farCalls: options.farCalls,
    variables: names.locals,
  }
  return { code, exported, names }
}

class DataWriter {
  private readonly data: SectionBuilder

  constructor(
    private readonly module: WasmModule,
    private readonly builder: ObjectBuilder,
    private readonly code: CodeOptions,
    private readonly ids: readonly number[],
    private readonly dataBase: number,
  ) {
    this.data = builder.section('.data', { write: true })
  }

  run(): void {
    this.module.globals.forEach((global, index) => {
      if (global.import)
        throw new WasmError('wasm/unsupported', `unknown import ${global.import.module}.${global.import.name}`, global.import.offset)
      this.data.align(8)
      if (this.code.perHartGlobals?.has(index)) {
        this.data.align(PER_HART_STRIDE)
        this.define(`global.${index}`, this.data.length, PER_HART_STRIDE * MOST_HARTS)
        for (let hart = 0; hart < MOST_HARTS; hart++) {
          this.data.align(PER_HART_STRIDE)
          this.word(global.init!)
        }
        this.data.align(PER_HART_STRIDE)
        return
      }
      this.define(`global.${index}`, this.data.length, 8)
      this.word(global.init!)
    })
    this.tables()
    this.memory()
  }

  private define(name: string, value: number, size: number): void {
    this.builder.define({ name: this.code.prefix + name, section: '.data', value, size, type: 'object', binding: 'local' })
  }

  private word(expression: ConstantExpression): void {
    if (expression.kind === 'ref.func') {
      this.data.relocate(this.data.u32(0), 'R_RISCV_32', this.code.functionSymbols[expression.index])
      this.data.u32(this.ids[this.module.functions[expression.index].typeIndex])
    } else if (expression.kind === 'global') this.word(this.module.globals[expression.index].init!)
    else this.data.u64(expression.kind === 'ref.null' ? 0n : expression.value)
  }

  private tables(): void {
    this.module.tables.forEach((table, index) => {
      const entries = new Array<ConstantExpression | undefined>(table.limits.minimum).fill(undefined)
      for (const segment of this.module.elements) {
        if (segment.mode !== 'active' || segment.table !== index || segment.offset?.kind !== 'i32') continue
        segment.items.forEach((item, position) => (entries[Number((segment.offset as { value: bigint }).value) + position] = item))
      }
      this.data.align(8)
      this.define(`table.${index}`, this.data.length, 16 + 8 * entries.length)
      this.data.u64(BigInt(entries.length))
      this.data.u64(BigInt(entries.length))
      for (const entry of entries) this.word(entry ?? { kind: 'ref.null', type: 'funcref' })
    })
  }

  /** One section from the first to the last byte that is given; what follows up to __heap_base is zero. */
  private memory(): void {
    const segments = this.module.data
      .filter((segment) => segment.mode === 'active' && segment.bytes.length > 0)
      .map((segment) => ({ at: Number(BigInt.asUintN(32, (segment.offset as { value: bigint }).value)), bytes: segment.bytes }))
      .sort((a, b) => a.at - b.at)
    const { end, zeroEnd } = dataExtent(this.module, this.dataBase)
    if (zeroEnd === this.dataBase) return
    const section = this.builder.section(`.wasm.${this.builder.name}.data`, { write: true })
    // The linker puts the modules' data one after the other, as their front-ends were told.
    section.alignment = 4096
    section.space(end - this.dataBase)
    for (const { at, bytes } of segments) section.bytes.set(bytes, at - this.dataBase)
    section.space(zeroEnd - end)
  }
}

/** Addresses of a module's static data from `base` on: bytes given up to `end`, zeros up to `zeroEnd`. */
export function dataExtent(module: WasmModule, base: number): { end: number; zeroEnd: number } {
  let end = base
  for (const segment of module.data) {
    if (segment.mode !== 'active' || segment.offset?.kind !== 'i32') continue
    end = Math.max(end, Number(BigInt.asUintN(32, segment.offset.value)) + segment.bytes.length)
  }
  const heap = module.exports.find((entry) => entry.kind === 'global' && entry.name === '__heap_base')
  const init = heap && module.globals[heap.index].init
  return { end, zeroEnd: Math.max(end, init?.kind === 'i32' ? Number(BigInt.asUintN(32, init.value)) : 0) }
}
