/** `.debug_info`: a compile unit with its types, functions and variables (DWARF 5, chapters 3 to 5). */
import type { DebugFunction, DebugLocation, DebugType, DebugVariable, ObjectDebug, ObjectFile } from '../object.ts'
import { ByteWriter } from './byte-writer.ts'
import { AT, ATE, LANG, LLE, OP, TAG } from './constants.ts'
import type { AttributeValue, Die } from './die.ts'
import type { Resolve } from './line-writer.ts'

export interface UnitContext {
  readonly resolve: Resolve
  /** Addresses of the program's symbols. */
  readonly symbol: (name: string) => bigint | undefined
  readonly files: readonly string[]
  readonly directory: string
  /** Offset of the unit's program in `.debug_line`. */
  readonly lineOffset: number
  /** `.debug_loclists` and `.debug_rnglists` behind their headers. */
  readonly locations: ByteWriter
  readonly ranges: ByteWriter
}

/** An attribute list that leaves out what is unknown. */
function attributes(...list: ([number, AttributeValue] | undefined | false)[]): [number, AttributeValue][] {
  return list.filter((entry): entry is [number, AttributeValue] => Boolean(entry))
}

const text = (value: string): AttributeValue => ({ form: 'string', text: value })
const number = (value: number): AttributeValue => ({ form: 'udata', value })

const noDebug: Omit<ObjectDebug, 'file'> = { language: 'assembler', types: [], functions: [], variables: [], frames: [] }

/** The tree of one object's compile unit. */
export function buildUnit(object: ObjectFile, program: UnitContext): Die {
  const context: UnitContext = { ...program, symbol: (name) => ownSymbol(object, name, program.resolve) ?? program.symbol(name) }
  const debug: ObjectDebug = object.debug ?? { ...noDebug, file: context.files[0] }
  const types = buildTypes(debug.types)
  const functions = debug.functions.flatMap((fn) => buildFunction(fn, types, context) ?? [])
  const variables = debug.variables.map((variable) => buildVariable(TAG.variable, variable, types, context, undefined))
  const rangesAt = writeRanges(object, context)
  return {
    tag: TAG.compileUnit,
    attributes: attributes(
      [AT.producer, text('Pollen')],
      [AT.language, number(LANG[debug.language])],
      [AT.name, text(debug.file)],
      [AT.compDir, text(context.directory)],
      [AT.stmtList, { form: 'offset', value: context.lineOffset }],
      [AT.lowPc, { form: 'address', value: 0n }],
      [AT.ranges, { form: 'offset', value: rangesAt }],
    ),
    children: [...types, ...functions, ...variables],
  }
}

/** The object's own symbols come first: local ones are unknown to the program. */
function ownSymbol(object: ObjectFile, wanted: string, resolve: Resolve): bigint | undefined {
  const own = object.symbols.find(({ name }) => name === wanted)
  return own?.section === undefined || own.section.startsWith('*') ? undefined : resolve(own.section, own.value)
}

/** The code of the object, one range per section. */
function writeRanges(object: ObjectFile, context: UnitContext): number {
  const at = context.ranges.length
  for (const section of object.sections) {
    const start = section.flags.execute && section.size > 0 ? context.resolve(section.name, 0) : undefined
    if (start === undefined) continue
    context.ranges.u8(7)
    context.ranges.u64(start)
    context.ranges.uleb(section.size)
  }
  context.ranges.u8(0)
  return at
}

function buildTypes(types: readonly DebugType[]): Die[] {
  // Types may refer to each other in circles, so all exist before any is filled.
  const dies: Die[] = types.map((type) => ({ tag: tagOf(type), attributes: [], children: [] }))
  const reference = (index: number): AttributeValue => ({ form: 'reference', target: dies[index] })
  types.forEach((type, index) => {
    const die = dies[index]
    switch (type.kind) {
      case 'base':
        die.attributes.push([AT.name, text(type.name)], [AT.encoding, number(ATE[type.encoding])], [AT.byteSize, number(type.size)])
        break
      case 'pointer':
        die.attributes.push(...attributes([AT.byteSize, number(type.size)], type.target !== undefined && [AT.type, reference(type.target)]))
        break
      case 'typedef':
        die.attributes.push([AT.name, text(type.name)], [AT.type, reference(type.target)])
        break
      case 'struct':
        die.attributes.push([AT.name, text(type.name)], [AT.byteSize, number(type.size)])
        for (const member of type.members) {
          die.children.push({
            tag: TAG.member,
            attributes: [
              [AT.name, text(member.name)],
              [AT.type, reference(member.type)],
              [AT.dataMemberLocation, number(member.offset)],
            ],
            children: [],
          })
        }
        break
      case 'array':
        die.attributes.push([AT.type, reference(type.element)])
        die.children.push({ tag: TAG.subrange, attributes: [[AT.count, number(type.count)]], children: [] })
        break
      case 'enumeration':
        die.attributes.push([AT.name, text(type.name)], [AT.byteSize, number(type.size)])
        for (const { name, value } of type.values) {
          die.children.push({
            tag: TAG.enumerator,
            attributes: [
              [AT.name, text(name)],
              [AT.constValue, { form: 'sdata', value }],
            ],
            children: [],
          })
        }
    }
  })
  return dies
}

function tagOf(type: DebugType): number {
  const tags = {
    base: TAG.base,
    pointer: TAG.pointer,
    typedef: TAG.typedef,
    struct: TAG.structure,
    array: TAG.array,
    enumeration: TAG.enumeration,
  }
  return tags[type.kind]
}

function buildFunction(fn: DebugFunction, types: readonly Die[], context: UnitContext): Die | undefined {
  const start = context.resolve(fn.section, fn.offset)
  if (start === undefined) return undefined
  return {
    tag: TAG.subprogram,
    attributes: attributes(
      [AT.name, text(fn.name)],
      [AT.declFile, number(context.files.indexOf(fn.file))],
      [AT.declLine, number(fn.line)],
      [AT.lowPc, { form: 'address', value: start }],
      [AT.highPc, number(fn.size)],
      [AT.frameBase, { form: 'expression', bytes: Uint8Array.of(OP.callFrameCfa) }],
      [AT.prototyped, { form: 'present' }],
      fn.external && [AT.external, { form: 'present' }],
      fn.returnType !== undefined && [AT.type, { form: 'reference', target: types[fn.returnType] }],
    ),
    children: [
      ...fn.parameters.map((variable) => buildVariable(TAG.formalParameter, variable, types, context, start)),
      ...fn.locals.map((variable) => buildVariable(TAG.variable, variable, types, context, start)),
    ],
  }
}

/** `start` is the address of the function, for variables that move. */
function buildVariable(tag: number, variable: DebugVariable, types: readonly Die[], context: UnitContext, start: bigint | undefined): Die {
  return {
    tag,
    attributes: attributes(
      [AT.name, text(variable.name)],
      [AT.type, { form: 'reference', target: types[variable.type] }],
      variable.file !== undefined && context.files.includes(variable.file) && [AT.declFile, number(context.files.indexOf(variable.file))],
      variable.line !== undefined && [AT.declLine, number(variable.line)],
      buildLocation(variable.location, context, start),
    ),
    children: [],
  }
}

function buildLocation(
  location: DebugVariable['location'],
  context: UnitContext,
  start: bigint | undefined,
): [number, AttributeValue] | undefined {
  if (location === undefined) return undefined
  if ('kind' in location) {
    const bytes = encodeLocation(location, context)
    return bytes && [AT.location, { form: 'expression', bytes }]
  }
  if (start === undefined) return undefined
  const { locations } = context
  const at = locations.length
  for (const piece of location) {
    const bytes = encodeLocation(piece.location, context)
    if (!bytes || piece.end <= piece.start) continue
    locations.u8(LLE.startLength)
    locations.u64(start + BigInt(piece.start))
    locations.uleb(piece.end - piece.start)
    locations.uleb(bytes.length)
    locations.raw(bytes)
  }
  locations.u8(LLE.endOfList)
  return [AT.location, { form: 'offset', value: at }]
}

/** A location expression; undefined when it names a symbol that is not in the program. */
function encodeLocation(location: DebugLocation, context: UnitContext): Uint8Array | undefined {
  const out = new ByteWriter()
  if (location.kind === 'pointed') return encodePointed(location, out)
  switch (location.kind) {
    case 'register':
      if (location.register < 32) out.u8(OP.reg0 + location.register)
      else {
        out.u8(OP.regx)
        out.uleb(location.register)
      }
      break
    case 'based':
      out.u8(OP.breg0 + location.register)
      out.sleb(location.offset)
      break
    case 'frame':
      out.u8(OP.fbreg)
      out.sleb(location.offset)
      break
    case 'symbol': {
      const address = context.symbol(location.symbol)
      if (address === undefined) return undefined
      out.u8(OP.addr)
      out.u64(address + BigInt(location.offset))
      break
    }
    case 'address':
      out.u8(OP.addr)
      out.u64(location.address)
      break
    case 'constant':
      out.u8(OP.consts)
      out.sleb(location.value)
      out.u8(OP.stackValue)
  }
  return out.bytes()
}

/** The pointer's value on the expression's stack, then the offset. */
function encodePointed({ pointer, offset, narrow }: DebugLocation & { kind: 'pointed' }, out: ByteWriter): Uint8Array | undefined {
  switch (pointer.kind) {
    case 'register':
      if (pointer.register >= 32) return undefined
      out.u8(OP.breg0 + pointer.register)
      out.sleb(0)
      break
    case 'based':
      out.u8(OP.breg0 + pointer.register)
      out.sleb(pointer.offset)
      out.u8(OP.deref)
      break
    case 'frame':
      out.u8(OP.fbreg)
      out.sleb(pointer.offset)
      out.u8(OP.deref)
      break
    case 'constant':
      out.u8(OP.consts)
      out.sleb(pointer.value)
      break
    default:
      return undefined
  }
  out.u8(OP.consts)
  out.sleb(offset)
  out.u8(OP.plus)
  if (!narrow) return out.bytes()
  out.u8(OP.const4u)
  out.u32(0xffff_ffff)
  out.u8(OP.and)
  return out.bytes()
}
