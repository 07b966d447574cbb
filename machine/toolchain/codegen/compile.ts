/** One wasm function through all passes, and a whole module into an object's text section. */
import { buildFunction, irSignature } from '../ir/build.ts'
import { moveStackToFrame } from '../ir/coroutine-stack.ts'
import { optimise } from '../ir/optimise.ts'
import { printFunction } from '../ir/text.ts'
import type { WasmModule } from '../wasm/types.ts'
import { allocate, poolsFor } from './allocate.ts'
import { assign } from './assign.ts'
import { buildIntervals } from './build-intervals.ts'
import { describeFunction, type FunctionDebug } from './describe.ts'
import { emitFunction, type EmittedFunction } from './emit.ts'
import { arrangeLoops } from './layout.ts'
import { computeLiveness } from './liveness.ts'
import { lower, type AddressModel } from './lower.ts'
import { gp } from './machine.ts'
import type { ObjectBuilder } from './object-builder.ts'
import { select, type ModuleContext } from './select.ts'

export interface CodeOptions {
  readonly model: AddressModel
  readonly level: 0 | 2
  /** Symbol of each function of the module, imports included. */
  readonly functionSymbols: readonly string[]
  /** Imports that are instructions. */
  readonly intrinsics: ReadonlyMap<number, string>
  /** Prefix of the module's own data symbols (globals, tables, segments). */
  readonly prefix: string
  readonly globalRegisters?: ReadonlyMap<number, number>
  /** Globals of which every hart has its own. */
  readonly perHartGlobals?: ReadonlySet<number>
  /** Functions that interrupts enter: they save everything they change and end in sret. */
  readonly interrupts?: ReadonlySet<number>
  readonly trapSymbol: string
  readonly stackLimitSymbol?: string
  readonly shareTraps: boolean
  readonly farCalls?: boolean
  readonly variables?: ReadonlyMap<number, ReadonlyMap<number, string>>
  /** By function: a local that stays in its place to the end, for debuggers. */
  readonly kept?: ReadonlyMap<number, number>
}

/** Numbers function types so that equal ones, and only those, share a number; from 1 on. */
export function signatureIds(types: WasmModule['types'], known = new Map<string, number>()): number[] {
  return types.map((type) => {
    const key = `${type.params.join()}:${type.results.join()}`
    let id = known.get(key)
    if (id === undefined) known.set(key, (id = known.size + 1))
    return id
  })
}

/** What selection asks about the module. */
export function contextOf(module: WasmModule, options: CodeOptions, known?: Map<string, number>): ModuleContext {
  const ids = signatureIds(module.types, known)
  return {
    model: options.model,
    functionSymbol: (index) => options.functionSymbols[index],
    globalSymbol: (index) => `${options.prefix}global.${index}`,
    isPerHart: (index) => options.perHartGlobals?.has(index) ?? false,
    globalRegister: (index) => options.globalRegisters?.get(index),
    tableSymbol: (index) => `${options.prefix}table.${index}`,
    signatureId: (index) => ids[index],
    functionSignatureId: (index) => ids[module.functions[index].typeIndex],
    signature: (index) => irSignature(module.types[index]),
    functionSignature: (index) => irSignature(module.types[module.functions[index].typeIndex]),
    segmentSymbol: (kind, index) => `${options.prefix}${kind}.${index}`,
    trapSymbol: options.trapSymbol,
    stackLimitSymbol: options.stackLimitSymbol,
  }
}

/** Compiles function `index`. */
export function compileFunction(module: WasmModule, index: number, context: ModuleContext, options: CodeOptions): EmittedFunction {
  const fn = optimisedFunction(module, index, options)
  const machine = select(fn, context)
  machine.interrupt = options.interrupts?.has(index) ?? false
  arrangeLoops(machine)
  const liveness = computeLiveness(machine)
  const intervals = buildIntervals(machine, liveness)
  allocate(machine, intervals, poolsFor(machine, options.model === 'bounded'))
  const assignment = assign(machine, intervals, liveness)
  return emitFunction(machine, assignment, intervals, {
    shareTraps: options.shareTraps,
    stackLimitSymbol: options.stackLimitSymbol,
    trapSymbol: options.trapSymbol,
    farCalls: options.farCalls ?? false,
    zeroExtendFrame: options.model === 'physical',
  })
}

function optimisedFunction(module: WasmModule, index: number, options: CodeOptions): ReturnType<typeof buildFunction> {
  const fn = buildFunction(module, index, {
    name: options.functionSymbols[index],
    bounds: options.model === 'bounded',
    intrinsics: options.intrinsics,
    variables: options.variables?.get(index),
    kept: options.kept?.get(index),
  })
  for (const [index, register] of options.globalRegisters ?? []) if (register === gp) moveStackToFrame(fn, index)
  lower(fn, options.model)
  optimise(fn, options.level)
  return fn
}

/** The optimised IR of a function as text, for `--emit ir`. */
export function functionText(module: WasmModule, index: number, options: CodeOptions): string {
  return printFunction(optimisedFunction(module, index, options))
}

/** Adds one compiled function to an object. */
export function placeFunction(
  builder: ObjectBuilder,
  symbol: string,
  code: EmittedFunction,
  position?: (offset: number) => { file: string; line: number; column: number } | undefined,
  binding: 'local' | 'global' = 'global',
  debug?: FunctionDebug,
): number {
  const text = builder.section('.text', { execute: true })
  const start = text.align(Math.max(2, code.alignment))
  text.append(code.bytes)
  builder.define({ name: symbol, section: '.text', value: start, size: code.bytes.length, type: 'function', binding })
  for (const { offset, type, symbol: target, addend } of code.relocations) text.relocate(start + offset, type, target, addend)
  for (const { offset, type, high } of code.lows) {
    const label = `.Lpcrel.${start + high}`
    builder.define({ name: label, section: '.text', value: start + high, binding: 'local' })
    text.relocate(start + offset, type, label)
  }
  describeFunction(builder, symbol, code, start, position, binding, debug)
  if (position) {
    // The prologue has a row of its own, by which debuggers know where it ends.
    const first = code.positions.map((entry) => position(entry.position)).find((at) => at !== undefined)
    const { prologueEnd } = code.frame
    if (first && prologueEnd > 0)
      for (const offset of [0, prologueEnd]) builder.lines.push({ section: '.text', offset: start + offset, ...first })
    for (const entry of code.positions) {
      const at = position(entry.position)
      if (at) builder.lines.push({ section: '.text', offset: start + entry.offset, ...at })
    }
  }
  return start
}
