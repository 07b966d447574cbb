/** Directives that make bytes: integers, strings, floats, space, alignment. */
import type { Assembler } from './assembler.ts'
import type { Directive, DirectiveCall } from './directives.ts'
import { constantNow, parseExpression, type Expression } from './expression.ts'
import { tokenize, type Token } from './lexer.ts'
import { AssemblyError, type Span } from './position.ts'

/** More than any board has; a larger count is a mistake. */
const maximumSpace = 1n << 28n

export const dataDirectives: [string, Directive][] = []

function integers(size: 1 | 2 | 4 | 8, ...names: string[]): void {
  for (const name of names) {
    dataDirectives.push([
      name,
      (assembler, call) => {
        for (const { tokens, span } of assembler.operands(call.source, call.textStart)) {
          assembler.emitData(parseExpression(tokens, assembler, span), size, span)
        }
      },
    ])
  }
}
integers(1, '.byte', '.1byte', '.dc.b')
integers(2, '.half', '.short', '.hword', '.2byte', '.dc.w', '.dc')
integers(4, '.word', '.long', '.int', '.4byte', '.dc.l')
integers(8, '.dword', '.quad', '.8byte', '.dc.a')

function strings(name: string, terminator: number[]): void {
  dataDirectives.push([
    name,
    (assembler, call) => {
      requireBytes(assembler, call.span)
      for (const { tokens, span } of assembler.operands(call.source, call.textStart)) {
        if (tokens.length === 0 || tokens.some((token) => token.kind !== 'string')) {
          throw new AssemblyError('asm/bad-string', 'a quoted string is expected here', span)
        }
        const bytes = assembler.section.data().bytes
        for (const token of tokens) bytes.push([...token.text].map((character) => character.charCodeAt(0)))
        bytes.push(terminator)
      }
    },
  ])
}
strings('.ascii', [])
strings('.asciz', [0])
strings('.string', [0])
strings('.asciiz', [0])

function requireBytes(assembler: Assembler, span: Span): void {
  if (assembler.section.shape.kind === 'nobits')
    throw new AssemblyError('asm/bytes-in-bss', `${assembler.section.name} holds zeros only`, span)
}

function floats(size: 4 | 8, ...names: string[]): void {
  const directive: Directive = (assembler, call) => {
    requireBytes(assembler, call.span)
    for (const { tokens, span } of assembler.operands(call.source, call.textStart)) {
      const view = new DataView(new ArrayBuffer(size))
      const value = readFloat(tokens, span)
      if (size === 4) view.setFloat32(0, value, true)
      else view.setFloat64(0, value, true)
      assembler.section.data().bytes.push(new Uint8Array(view.buffer))
    }
  }
  for (const name of names) dataDirectives.push([name, directive])
}
floats(4, '.float', '.single')
floats(8, '.double')

function readFloat(tokens: readonly Token[], span: Span): number {
  const text = tokens
    .map((token) => token.text)
    .join('')
    .replace(/^([-+]?)0[fFdD]/, '$1')
  const special = /^([-+]?)(inf|infinity|nan)$/i.exec(text)
  if (special) return (special[1] === '-' ? -1 : 1) * (special[2].toLowerCase() === 'nan' ? NaN : Infinity)
  const value = text === '' ? NaN : Number(text)
  if (Number.isNaN(value)) throw new AssemblyError('asm/bad-number', `${text || 'this'} is not a floating-point number`, span)
  return value
}

/** Operand `index` as a number known now, or `preset` when it is absent. */
function number(assembler: Assembler, call: DirectiveCall, index: number, preset?: bigint): bigint {
  const operand = assembler.operands(call.source, call.textStart)[index]
  if (!operand || operand.tokens.length === 0) {
    if (preset !== undefined) return preset
    throw new AssemblyError('asm/missing-operand', `${call.name} needs a number`, call.span)
  }
  return assembler.constant(operand.tokens, operand.span)
}

const space: Directive = (assembler, call) => {
  const [amount] = assembler.operands(call.source, call.textStart)
  if (!amount || amount.tokens.length === 0) throw new AssemblyError('asm/missing-operand', `${call.name} needs a size`, call.span)
  const fill = Number(number(assembler, call, 1, 0n) & 255n)
  const expression = parseExpression(amount.tokens, assembler, amount.span)
  reserve(assembler, expression, fill, amount.span)
}

function reserve(assembler: Assembler, amount: Expression, fill: number, span: Span): void {
  const known = constantNow(amount)
  if (known === undefined) {
    const index = assembler.section.nextIndex()
    assembler.section.add({ kind: 'space', address: 0, index, amount, fill, span, size: 0 })
    return
  }
  assembler.section.data().bytes.fill(fill, checkedCount(known, span))
  assembler.section.split()
}

function checkedCount(count: bigint, span: Span): number {
  if (count < 0n || count > maximumSpace) throw new AssemblyError('asm/bad-size', `a size of ${count} bytes is not possible`, span)
  return Number(count)
}

for (const name of ['.zero', '.space', '.skip', '.ds', '.ds.b']) dataDirectives.push([name, space])

dataDirectives.push([
  '.fill',
  (assembler, call) => {
    const repeat = number(assembler, call, 0)
    const size = number(assembler, call, 1, 1n)
    const value = number(assembler, call, 2, 0n)
    if (size < 0n || size > 8n) throw new AssemblyError('asm/bad-size', '.fill makes items of 0 to 8 bytes', call.span)
    const count = checkedCount(repeat < 0n ? 0n : repeat * size, call.span)
    const bytes = assembler.section.data().bytes
    // GNU takes four bytes of the value and fills the rest with zeros.
    const low = BigInt.asUintN(32, value)
    for (let made = 0; made < count; made += Number(size)) bytes.pushInteger(low, Number(size))
    assembler.section.split()
  },
])

dataDirectives.push([
  '.org',
  (assembler, call) => {
    const [target] = assembler.operands(call.source, call.textStart)
    if (!target) throw new AssemblyError('asm/missing-operand', '.org needs an address', call.span)
    const fill = Number(number(assembler, call, 1, 0n) & 255n)
    assembler.originTo(parseExpression(target.tokens, assembler, target.span), fill, target.span)
  },
])

/** `power`: the operand is the exponent of two. */
function alignments(power: boolean, fillSize: 1 | 2 | 4, ...names: string[]): void {
  for (const name of names) dataDirectives.push([name, (assembler, call) => align(assembler, call, power, fillSize)])
}
alignments(true, 1, '.align', '.p2align')
alignments(true, 2, '.p2alignw')
alignments(true, 4, '.p2alignl')
alignments(false, 1, '.balign')
alignments(false, 2, '.balignw')
alignments(false, 4, '.balignl')

function align(assembler: Assembler, call: DirectiveCall, power: boolean, fillSize: number): void {
  const operands = assembler.operands(call.source, call.textStart)
  const written = number(assembler, call, 0, power ? 2n : 1n)
  if (written < 0n || written > (power ? 30n : 1n << 30n))
    throw new AssemblyError('asm/bad-alignment', `an alignment of ${written} is not possible`, call.span)
  const alignment = power ? 1 << Number(written) : Math.max(1, Number(written))
  if ((alignment & (alignment - 1)) !== 0) throw new AssemblyError('asm/bad-alignment', `${alignment} is not a power of two`, call.span)
  const filled = operands.length > 1 && operands[1].tokens.length > 0
  const { section } = assembler
  section.align(alignment)
  section.add({
    kind: 'align',
    address: 0,
    index: section.nextIndex(),
    alignment,
    maximum: operands.length > 2 ? Number(number(assembler, call, 2)) : undefined,
    code: !filled && section.shape.flags.execute,
    fill: filled ? Number(BigInt.asUintN(32, number(assembler, call, 1))) : 0,
    fillSize,
    size: 0,
  })
}

function leb(signed: boolean): Directive {
  return (assembler, call) => {
    requireBytes(assembler, call.span)
    for (const { tokens, span } of assembler.operands(call.source, call.textStart)) {
      const value = parseExpression(tokens, assembler, span)
      const index = assembler.section.nextIndex()
      assembler.section.add({ kind: 'leb', address: 0, index, signed, value, span, size: 1 })
    }
  }
}
dataDirectives.push(['.uleb128', leb(false)], ['.sleb128', leb(true)])

dataDirectives.push([
  '.incbin',
  (assembler, call) => {
    requireBytes(assembler, call.span)
    const [path] = tokenize(call.source, call.textStart, call.source.text.length)
    if (path?.kind !== 'string') throw new AssemblyError('asm/bad-string', '.incbin needs a quoted path', call.span)
    const file = assembler.readFile(path.text, call.source.file)
    if (!file) throw new AssemblyError('asm/missing-file', `cannot read ${path.text}`, path)
    const skip = Number(number(assembler, call, 1, 0n))
    const count = Number(number(assembler, call, 2, BigInt(file.bytes.length - skip)))
    if (skip < 0 || count < 0 || skip + count > file.bytes.length)
      throw new AssemblyError('asm/bad-size', `${path.text} has ${file.bytes.length} bytes`, call.span)
    assembler.section.data().bytes.push(file.bytes.subarray(skip, skip + count))
  },
])
