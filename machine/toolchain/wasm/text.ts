/** Function bodies of a module as text to read: an instruction a line, indented by blocks, names where the module has them. */
import { ByteReader } from './bytes.ts'
import { InstructionReader } from './instruction.ts'
import { readNames } from './names.ts'
import type { WasmModule } from './types.ts'

export interface WasmTextLine {
  readonly text: string
  /** Byte of the module that the instruction begins at; undefined for what frames it. */
  readonly offset: number | undefined
}

/** The lines of each function that has a body, by its index. */
export function functionTexts(module: WasmModule): Map<number, WasmTextLine[]> {
  const names = readNames(module)
  const exported = new Map(module.exports.filter(({ kind }) => kind === 'function').map(({ index, name }) => [index, name]))
  const functionName = (index: number) =>
    `$${exported.get(index) ?? names.functions.get(index) ?? module.functions[index]?.import?.name ?? index}`
  const texts = new Map<number, WasmTextLine[]>()
  module.functions.forEach((fn, index) => {
    if (!fn.body) return
    const type = module.types[fn.typeIndex]
    const locals = names.locals.get(index)
    const local = (number: number) => `$${locals?.get(number) ?? number}`
    const params = type.params.map((param, number) => `(param ${local(number)} ${param})`)
    const results = type.results.map((result) => `(result ${result})`)
    const lines: WasmTextLine[] = [{ text: ['func', functionName(index), ...params, ...results].join(' '), offset: undefined }]
    const reader = new ByteReader(module.bytes, fn.body.start, fn.body.end)
    const instruction = new InstructionReader(reader)
    let depth = 1
    while (!reader.done) {
      const { name, immediate } = instruction.read()
      if (name === 'end' || name === 'else') depth--
      if (depth > 0)
        lines.push({ text: `${'  '.repeat(depth)}${name}${operands(instruction, immediate, local)}`, offset: instruction.offset })
      if (immediate === 'block' || name === 'else') depth++
    }
    texts.set(index, lines)
  })
  return texts

  function operands(read: InstructionReader, immediate: string, local: (number: number) => string): string {
    switch (immediate) {
      case 'none':
      case 'memory':
      case 'memory-memory':
      case 'fence':
        return ''
      case 'block':
        return read.blockType === 'empty'
          ? ''
          : ` ${typeof read.blockType === 'number' ? `(type ${read.blockType})` : `(result ${read.blockType})`}`
      case 'labels':
        return ` ${read.labels.join(' ')}`
      case 'function':
        return ` ${functionName(read.index)}`
      case 'local':
        return ` ${local(read.index)}`
      case 'global':
        return ` $${names.globals.get(read.index) ?? read.index}`
      case 'memarg':
        return read.index ? ` offset=${read.index}` : ''
      case 'i32':
      case 'i64':
        return ` ${read.value}`
      case 'f32':
      case 'f64':
        return ` ${floatText(immediate, read.value)}`
      case 'types':
        return ` ${read.types.join(' ')}`
      case 'reftype':
        return ` ${read.referenceType}`
      case 'type-table':
        return ` (type ${read.index})`
      default:
        return ` ${read.index}`
    }
  }
}

function floatText(type: 'f32' | 'f64', bits: bigint): string {
  const view = new DataView(new ArrayBuffer(8))
  if (type === 'f32') view.setUint32(0, Number(bits), true)
  else view.setBigUint64(0, bits, true)
  return String(type === 'f32' ? view.getFloat32(0, true) : view.getFloat64(0, true))
}
