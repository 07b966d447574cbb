/** Several region functions as one WebAssembly module: their imports from the hart core, their bodies, their branch hints. */
import { Bytes } from './bytes.ts'
import { type Code, I32, I64, type ValueType } from './code.ts'

interface Import {
  readonly name: string
  readonly parameters: readonly ValueType[]
  readonly result: ValueType
}

/** What regions call, in the order of their function indices. */
const IMPORTS = [
  { name: 'regionLoad', parameters: [I32, I64, I32, I64, I64, I64], result: I64 },
  { name: 'regionStore', parameters: [I32, I64, I64, I32, I64, I64, I64], result: I32 },
  { name: 'regionAtomic', parameters: [I32, I32, I64, I64, I64], result: I32 },
  { name: 'regionCsr', parameters: [I32, I64, I32, I64, I64, I64], result: I32 },
  { name: 'regionFloat', parameters: [I32, I32, I32, I64, I64, I64], result: I32 },
  { name: 'regionIllegal', parameters: [I32, I64, I64, I64], result: I32 },
  { name: 'multiplyHigh', parameters: [I64, I64], result: I64 },
] as const satisfies readonly Import[]

export type ImportName = (typeof IMPORTS)[number]['name']

export function importIndex(name: ImportName): number {
  return IMPORTS.findIndex((row) => row.name === name)
}

/** A region: (hart, base) -> LEAVE or LOOK_UP. */
const REGION_TYPE = { parameters: [I32, I64], result: I32 }

const HINTS_SECTION = 'metadata.code.branch_hint'

/** The binary of a module that exports its regions as "0", "1", ... */
export function buildModule(regions: readonly Code[]): Uint8Array<ArrayBuffer> {
  const types = [REGION_TYPE, ...IMPORTS]
  const module = new Bytes()
  for (const byte of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) module.byte(byte)
  section(module, 1, (out) => {
    out.unsigned(types.length)
    for (const { parameters, result } of types) {
      out.byte(0x60)
      out.unsigned(parameters.length)
      for (const type of parameters) out.byte(type)
      out.unsigned(1)
      out.byte(result)
    }
  })
  section(module, 2, (out) => {
    out.unsigned(IMPORTS.length + 1)
    out.text('hart')
    out.text('memory')
    for (const byte of [2, 0, 1]) out.byte(byte)
    IMPORTS.forEach(({ name }, index) => {
      out.text('hart')
      out.text(name)
      out.byte(0)
      out.unsigned(index + 1)
    })
  })
  section(module, 3, (out) => {
    out.unsigned(regions.length)
    for (let i = 0; i < regions.length; i++) out.unsigned(0)
  })
  section(module, 7, (out) => {
    out.unsigned(regions.length)
    for (let i = 0; i < regions.length; i++) {
      out.text(String(i))
      out.byte(0)
      out.unsigned(IMPORTS.length + i)
    }
  })
  const functions = regions.map((code) => code.finish())
  section(module, 0, (out) => {
    out.text(HINTS_SECTION)
    out.unsigned(functions.length)
    functions.forEach(({ hints }, i) => {
      out.unsigned(IMPORTS.length + i)
      out.unsigned(hints.length)
      for (const { offset, likely } of hints) {
        out.unsigned(offset)
        out.unsigned(1)
        out.byte(likely ? 1 : 0)
      }
    })
  })
  section(module, 10, (out) => {
    out.unsigned(functions.length)
    for (const { body } of functions) {
      out.unsigned(body.length)
      out.append(body)
    }
  })
  return module.view
}

function section(module: Bytes, id: number, write: (out: Bytes) => void): void {
  const content = new Bytes()
  write(content)
  module.byte(id)
  module.unsigned(content.length)
  module.append(content)
}
