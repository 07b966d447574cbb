/**
 * What debuggers, the inspector and the kernel learn about compiled functions: lines' owners, frames, variables, trace sites,
 * and for coroutines `.pollen.frames` (one record per coroutine, read back by dwarf/suspended-frames.ts):
 *
 *     0  u32 bytes of the record          4  u32 bytes of a frame
 *     8  u32 offset of the name           12 u32 number of suspensions
 *     then per suspension:  u32 resume address, u32 line, u32 offset of the file name, u32 number of variables,
 *       and per variable:   u32 offset of the name, u32 type (0 i32, 1 i64, 2 f32, 3 f64; + 16: a constant),
 *                           u64 offset in the frame, or the constant's bits
 *     then the names, each ended by a zero byte; their offsets count from the record's start
 */
import { FRAME_CONSTANT, frameStructName, frameVariableTypes, taskHeaderMembers } from '../coroutine/task.ts'
import type { Type } from '../ir/ir.ts'
import type { DebugVariable } from '../object.ts'
import { frameTypeSymbol, type EmittedFunction } from './emit.ts'
import { sp } from './machine.ts'
import type { ObjectBuilder } from './object-builder.ts'

/** What a front-end knows of a function's variables, where it knows more than their names. */
export interface FunctionDebug {
  readonly returnType?: number
  readonly variables: readonly { readonly parameter: boolean; readonly variable: DebugVariable }[]
}

type Position = ((offset: number) => { file: string; line: number } | undefined) | undefined

/** Describes a function that has been placed at `start` of `.text`. */
export function describeFunction(
  builder: ObjectBuilder,
  symbol: string,
  code: EmittedFunction,
  start: number,
  position: Position,
  binding: 'local' | 'global',
  debug?: FunctionDebug,
): void {
  const size = code.bytes.length
  const { frame } = code
  const inside = { offset: frame.prologueEnd, cfa: { register: sp, offset: frame.size }, saved: frame.saved }
  const rows = [{ offset: 0, cfa: { register: sp, offset: 0 }, saved: [] }]
  builder.frames.push({ section: '.text', offset: start, size, rows: frame.size ? [...rows, inside] : rows })
  for (const { offset, mark } of code.marks) {
    if (mark !== '.pollen.trace') continue
    const sites = builder.section('.pollen.trace')
    sites.align(8)
    sites.address(symbol, offset)
  }
  if (code.coroutineBytes) {
    writeFrameRecord(builder, symbol, code, position)
    frameStruct(builder, symbol, code)
  }
  const first = code.positions.map((entry) => position?.(entry.position)).find((at) => at !== undefined)
  if (!first) return
  const { file, line } = first
  const variables = (debug?.variables ?? ownVariables(builder, code)).map(({ parameter, variable }) => ({
    parameter,
    variable: { ...variable, ...(variable.line === undefined ? {} : { file }) },
  }))
  builder.functions.push({
    name: symbol,
    section: '.text',
    offset: start,
    size,
    file,
    line,
    external: binding === 'global',
    returnType: debug?.returnType,
    parameters: variables.filter((entry) => entry.parameter).map((entry) => entry.variable),
    locals: variables.filter((entry) => !entry.parameter).map((entry) => entry.variable),
  })
}

function ownVariables(builder: ObjectBuilder, code: EmittedFunction): FunctionDebug['variables'] {
  return code.variables.map(({ name, type, parameter, ranges }) => ({
    parameter,
    variable: { name, type: baseType(builder, type), location: ranges },
  }))
}

function baseType(builder: ObjectBuilder, type: Type): number {
  const size = type === 'i32' || type === 'f32' ? 4 : 8
  return builder.type({ kind: 'base', name: type, encoding: type[0] === 'f' ? 'float' : 'signed', size })
}

function writeFrameRecord(builder: ObjectBuilder, symbol: string, code: EmittedFunction, position: Position): void {
  const section = builder.section('.pollen.frames')
  const start = section.align(8)
  const names: string[] = []
  const patches: { at: number; name: number }[] = []
  const name = (text: string): void => {
    let index = names.indexOf(text)
    if (index < 0) index = names.push(text) - 1
    patches.push({ at: section.u32(0), name: index })
  }
  section.u32(0)
  section.u32(code.coroutineBytes)
  name(symbol)
  section.u32(code.suspensions.length)
  for (const { resume, position: at, slots } of code.suspensions) {
    const source = position?.(at)
    section.relocate(section.u32(0), 'R_RISCV_32', symbol, resume)
    section.u32(source?.line ?? 0)
    name(source?.file ?? '')
    section.u32(slots.length)
    for (const slot of slots) {
      name(slot.name)
      section.u32(frameVariableTypes.indexOf(slot.type) + (slot.offset === undefined ? FRAME_CONSTANT : 0))
      section.u64(slot.offset === undefined ? slot.value! : BigInt(slot.offset))
    }
  }
  const places = names.map((text) => section.append(new TextEncoder().encode(text + '\0')) - start)
  for (const { at, name: index } of patches) section.view.setUint32(at, places[index], true)
  section.align(8)
  section.view.setUint32(start, section.length - start, true)
  const size = section.length - start
  builder.define({ name: frameTypeSymbol(symbol), section: '.pollen.frames', value: start, size, type: 'object', binding: 'local' })
}

/** `NAME$frame`: the control block and every variable that is in the frame at some suspension. */
function frameStruct(builder: ObjectBuilder, symbol: string, code: EmittedFunction): void {
  const members = taskHeaderMembers.map(({ name, offset, size }) => ({
    name,
    offset,
    type: builder.type({ kind: 'base', name: `u${size * 8}`, encoding: 'unsigned', size }),
  }))
  const taken = new Map(members.map((member) => [member.name, 1]))
  const seen = new Set<string>()
  for (const { name, type, offset } of code.suspensions.flatMap((suspension) => suspension.slots)) {
    if (offset === undefined || seen.has(`${name} ${offset} ${type}`)) continue
    seen.add(`${name} ${offset} ${type}`)
    const count = (taken.get(name) ?? 0) + 1
    taken.set(name, count)
    members.push({ name: count === 1 ? name : `${name}_${count}`, offset, type: baseType(builder, type) })
  }
  builder.type({ kind: 'struct', name: frameStructName(symbol), size: code.coroutineBytes, members })
}
