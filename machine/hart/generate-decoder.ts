/** Writes the AssemblyScript decoder from the instruction table: words to slots of the predecoded page. */
import { csrs } from '../isa/csrs.ts'
import type { Field } from '../isa/fields.ts'
import { findInstruction, instructions, type Instruction } from '../isa/instructions.ts'
import { groupMembers, identifier, operations, routeOf } from './operations.ts'

/** Source text of `core/generated/csrs.ts`: the numbers by name. */
export function generateCsrs(): string {
  const members = csrs.map((row) => `  ${identifier(row.name)} = 0x${row.number.toString(16)},`)
  return `// Generated from machine/isa by machine/hart/generate-decoder.ts.\nexport const enum Csr {\n${members.join('\n')}\n}\n`
}

/** Source text of `core/generated/decoder.ts`. */
export function generateDecoder(): string {
  if (operations.length > 256) throw new Error(`an operation must fit a byte, but there are ${operations.length}`)
  return [
    '// Generated from machine/isa by machine/hart/generate-decoder.ts.',
    "import { EXT_N, EXT_UINTC, GLOBAL, G_EXTENSIONS, G_PRIVILEGED, X_DISCARD } from '../../layout'",
    '',
    enumeration('Op', operations),
    ...(['float', 'amo', 'system'] as const).map((group) =>
      enumeration(
        group[0].toUpperCase() + group.slice(1),
        groupMembers(group).map((row) => identifier(row.name)),
      ),
    ),
    helpers,
    decoder(),
  ].join('\n')
}

function enumeration(name: string, members: readonly string[]): string {
  return `export const enum ${name} {\n${members.map((member, i) => `  ${member} = ${i},`).join('\n')}\n}\n`
}

const helpers = `
@inline function put(slot: usize, operation: i32, rd: u32, rs1: u32, rs2: u32, immediate: i32): void {
  store<u8>(slot, operation)
  store<u8>(slot, rd, 1)
  store<u8>(slot, rs1, 2)
  store<u8>(slot, rs2, 3)
  store<i32>(slot, immediate, 4)
}

/** A near target lies in the page of the jump itself; \`far\` forbids near ones (the slot stands alone). */
function putJump(slot: usize, forward: i32, rd: u32, rs1: u32, rs2: u32, displacement: i32, offset: i32, far: bool): void {
  const target = offset + displacement
  const near = !far && target >= 0 && target < 4096
  // Operations of one jump follow each other: forward, backward, far.
  put(slot, forward + (near ? (displacement <= 0 ? 1 : 0) : 2), rd, rs1, rs2, near ? displacement << 2 : displacement)
}

@inline function destination(rd: u32): u32 {
  return rd == 0 ? X_DISCARD : rd
}
`

/** Decodes \`word\` (16 or 32 bits, at byte \`offset\` of its page) into \`slot\`. */
function decoder(): string {
  const full = new Map<number, Instruction[]>()
  const short = new Map<number, Instruction[]>()
  for (const row of instructions) {
    const [map, key] = row.length === 4 ? [full, (row.match >>> 2) & 31] : [short, ((row.match >>> 13) & 7) | ((row.match & 3) << 3)]
    map.set(key, [...(map.get(key) ?? []), row])
  }
  const cases = (map: Map<number, Instruction[]>) =>
    [...map].map(([key, rows]) => `    case ${key}: {\n${rows.map(decodeRow).join('\n')}\n      break\n    }`).join('\n')
  return `
/** Decodes \`word\` (16 or 32 bits, at byte \`offset\` of its page) into \`slot\`. */
export function decode(word: u32, slot: usize, offset: i32, far: bool): void {
  const extensions = load<u32>(GLOBAL + G_EXTENSIONS)
  const privileged = load<u32>(GLOBAL + G_PRIVILEGED)
  if ((word & 3) == 3) switch ((word >>> 2) & 31) {
${cases(full)}
  }
  else switch (((word >>> 13) & 7) | ((word & 3) << 3)) {
${cases(short)}
  }
  put(slot, Op.illegal, X_DISCARD, 0, 0, <i32>word)
}
`
}

function decodeRow(row: Instruction): string {
  const base = row.expands ? findInstruction(row.expands.name)! : row
  const conditions = [`(word & ${hex(row.mask)}) == ${hex(row.match)}`]
  for (const operand of row.nonzero) conditions.push(`(${extract(row.fields.find((f) => f.operand === operand)!)}) != 0`)
  if (row.extension === 'N') conditions.push('(extensions & EXT_N)')
  if (row.extension === 'Uintc') conditions.push('(extensions & EXT_UINTC)')
  if (row.extension === 'Priv1.9') conditions.push('privileged == 9')
  if (row.name === 'sfence.vma') conditions.push('privileged != 9')

  const operand = (name: string): string => {
    const f = row.fields.find((candidate) => candidate.operand === name)
    if (f) return extract(f)
    return String(row.expands?.implied[name as 'rd'] ?? 0)
  }
  const writesInteger = base.fields.some((f) => f.operand === 'rd' && f.kind === 'x')
  const rd = writesInteger ? `destination(${operand('rd')})` : operand('rd')
  // A zero-extended five-bit immediate (csrrwi and friends) travels in the rs1 byte.
  const isCsr = base.cost === 'csr'
  const rs1 = isCsr && base.fields.some((f) => f.operand === 'imm') ? operand('imm') : operand('rs1')
  const immediate = isCsr ? operand('csr') : operand('imm')

  const route = routeOf(base)
  const name = identifier(base.name)
  const prefix = row.length === 2 ? 'c_' : ''
  let put: string
  if (route.kind === 'jump') {
    put = `putJump(slot, Op.${prefix}${name}_forward, ${rd}, ${rs1}, ${operand('rs2')}, ${immediate}, offset, far)`
  } else if (route.kind === 'direct') {
    // A rounding mode, and a third source, take the place of the immediate.
    const rounded = base.fields.some((f) => f.operand === 'rm')
    put = `put(slot, Op.${prefix}${name}, ${rd}, ${rs1}, ${operand('rs2')}, ${rounded ? `(${operand('rm')}) | (${operand('rs3')}) << 8` : immediate})`
  } else {
    const group = route.group[0].toUpperCase() + route.group.slice(1)
    const number = `${group}.${name} | (${operand('rs3')}) << 16 | (${operand('rm')}) << 24`
    put = `put(slot, Op.${route.group === 'system' ? prefix : ''}${route.group}, ${rd}, ${rs1}, ${operand('rs2')}, ${number})`
  }
  return `      if (${conditions.join(' && ')}) { ${put}; return }`
}

function extract(f: Field): string {
  const parts = f.slices.map(([low, width, valueLow]) => {
    const bits = `((word >>> ${low}) & ${hex(2 ** width - 1)})`
    return valueLow ? `(${bits} << ${valueLow})` : bits
  })
  const value = parts.join(' | ')
  if (f.kind === 'signed') {
    const shift = 32 - Math.max(...f.slices.map(([, width, valueLow]) => width + valueLow))
    return shift ? `(<i32>((${value}) << ${shift})) >> ${shift}` : `<i32>(${value})`
  }
  return f.bias ? `(${value}) + ${f.bias}` : value
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`
}
