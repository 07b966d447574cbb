/** Directives about sections, symbols and options. */
import type { Section } from '../object.ts'
import type { Assembler } from './assembler.ts'
import type { Directive, DirectiveCall } from './directives.ts'
import { parseExpression } from './expression.ts'
import { tokenize, type Token } from './lexer.ts'
import { AssemblyError } from './position.ts'
import type { SectionShape } from './section.ts'
import { isDefined, type AssemblySymbol } from './symbol.ts'

export const sectionDirectives: [string, Directive][] = []

const nothing: Section['flags'] = { alloc: false, write: false, execute: false }
const readOnly: Section['flags'] = { alloc: true, write: false, execute: false }
const writable: Section['flags'] = { alloc: true, write: true, execute: false }
const executable: Section['flags'] = { alloc: true, write: false, execute: true }

/** What GNU assumes of a section by its name. */
function shapeByName(name: string): SectionShape {
  const isA = (prefix: string): boolean => name === prefix || name.startsWith(`${prefix}.`)
  if (['.text', '.init', '.fini'].some(isA)) return { kind: 'progbits', flags: executable }
  if (['.rodata', '.srodata', '.rodata1'].some(isA)) return { kind: 'progbits', flags: readOnly }
  if (['.bss', '.sbss', '.tbss'].some(isA)) return { kind: 'nobits', flags: writable }
  if (['.data', '.sdata', '.tdata', '.init_array', '.fini_array', '.preinit_array', '.data1'].some(isA))
    return { kind: 'progbits', flags: writable }
  if (name.startsWith('.note')) return { kind: 'note', flags: nothing }
  return { kind: 'progbits', flags: nothing }
}

function parseFlags(text: string, token: Token): Section['flags'] {
  // M, S, G, T, R, o and ? say things about merging, groups and threads that this linker does not act on.
  const unknown = /[^awxMSGTRoe?\d]/.exec(text)
  if (unknown) throw new AssemblyError('asm/bad-section', `unknown section flag ${unknown[0]}`, token)
  return { alloc: text.includes('a'), write: text.includes('w'), execute: text.includes('x') }
}

/** `name [, "flags" [, @type [, …]]]`. */
function selectSection(assembler: Assembler, call: DirectiveCall): void {
  const operands = assembler.operands(call.source, call.textStart)
  const first = operands[0]
  if (!first || first.tokens.length === 0) throw new AssemblyError('asm/bad-section', `${call.name} needs a name`, call.span)
  // Section names may hold characters that are operators elsewhere.
  const name = first.tokens.map((token) => token.text).join('')
  const shape = { ...(assembler.sections.get(name)?.shape ?? shapeByName(name)) }
  const flags = operands[1]?.tokens[0]
  if (flags?.kind === 'string') shape.flags = parseFlags(flags.text, flags)
  const type = operands[2]?.tokens.at(-1)?.text
  if (type === 'nobits') shape.kind = 'nobits'
  else if (type === 'note') shape.kind = 'note'
  else if (type !== undefined && flags) shape.kind = 'progbits'
  const section = assembler.openSection(name, shape)
  if (section.fragments.length === 0) section.shape = shape
  assembler.switchTo(section)
}

function named(name: string, sectionName = name): void {
  sectionDirectives.push([name, (assembler) => assembler.switchTo(assembler.openSection(sectionName, shapeByName(sectionName)))])
}
for (const name of ['.text', '.data', '.bss', '.rodata', '.sdata', '.sbss']) named(name)

sectionDirectives.push(
  ['.section', selectSection],
  [
    '.pushsection',
    (assembler, call) => {
      assembler.sectionStack.push(assembler.section)
      selectSection(assembler, call)
    },
  ],
  [
    '.popsection',
    (assembler, call) => {
      const section = assembler.sectionStack.pop()
      if (!section) throw new AssemblyError('asm/bad-section', '.popsection without .pushsection', call.span)
      assembler.switchTo(section)
    },
  ],
  ['.previous', (assembler) => assembler.switchTo(assembler.previousSection)],
)

// Symbols.

function forNames(apply: (symbol: AssemblySymbol) => void): Directive {
  return (assembler, call) => {
    const operands = assembler.operands(call.source, call.textStart)
    if (operands.length === 0) throw new AssemblyError('asm/missing-operand', `${call.name} needs a name`, call.span)
    for (const { tokens, span } of operands) {
      const token = tokens[0]
      if (tokens.length !== 1 || (token.kind !== 'name' && token.kind !== 'string')) {
        throw new AssemblyError('asm/bad-name', 'a symbol name is expected here', span)
      }
      apply(assembler.symbol(token.text))
    }
  }
}

const makeGlobal = forNames((symbol) => {
  if (symbol.binding === 'local') symbol.binding = 'global'
})
sectionDirectives.push(
  ['.globl', makeGlobal],
  ['.global', makeGlobal],
  ['.extern', () => {}],
  ['.weak', forNames((symbol) => (symbol.binding = 'weak'))],
  ['.local', forNames((symbol) => (symbol.saidLocal = true))],
)

/** The first operand as a name, and the operands after it. */
function nameAndRest(
  assembler: Assembler,
  call: DirectiveCall,
  minimum: number,
): { name: Token; rest: { tokens: Token[]; span: DirectiveCall['span'] }[] } {
  const [first, ...rest] = assembler.operands(call.source, call.textStart)
  const name = first?.tokens[0]
  if (!name || first.tokens.length !== 1 || (name.kind !== 'name' && name.kind !== 'string')) {
    throw new AssemblyError('asm/bad-name', `${call.name} needs a symbol name`, first?.span ?? call.span)
  }
  if (rest.length < minimum) throw new AssemblyError('asm/missing-operand', `${call.name} needs more operands`, call.span)
  return { name, rest }
}

const types: Record<string, AssemblySymbol['type']> = {
  function: 'function',
  STT_FUNC: 'function',
  object: 'object',
  STT_OBJECT: 'object',
  notype: 'none',
  STT_NOTYPE: 'none',
  common: 'object',
  tls_object: 'object',
  gnu_indirect_function: 'function',
  gnu_unique_object: 'object',
}

sectionDirectives.push([
  '.type',
  (assembler, call) => {
    // The comma is optional: `.type f STT_FUNC`.
    const tokens = tokenize(call.source, call.textStart, call.source.text.length)
    const [name, ...rest] = tokens
    const written = rest.at(-1)
    const type = written && types[written.text]
    if (!name || !type) throw new AssemblyError('asm/bad-type', 'unknown symbol type', written ?? call.span, 'write @function or @object')
    assembler.symbol(name.text).type = type
  },
])

sectionDirectives.push([
  '.size',
  (assembler, call) => {
    const { name, rest } = nameAndRest(assembler, call, 1)
    assembler.symbol(name.text).size = parseExpression(rest[0].tokens, assembler, rest[0].span)
  },
])

const set: Directive = (assembler, call) => {
  const { name, rest } = nameAndRest(assembler, call, 1)
  const expression = parseExpression(rest[0].tokens, assembler, rest[0].span)
  if (name.text === '.') assembler.originTo(expression, 0, call.span)
  else assembler.equate(name.text, expression, name)
}
sectionDirectives.push(['.set', set], ['.equ', set])
sectionDirectives.push([
  '.equiv',
  (assembler, call) => {
    const { name } = nameAndRest(assembler, call, 1)
    if (isDefined(assembler.symbol(name.text))) throw new AssemblyError('asm/duplicate-symbol', `${name.text} is already defined`, name)
    set(assembler, call)
  },
])

function common(local: boolean): Directive {
  return (assembler, call) => {
    const { name, rest } = nameAndRest(assembler, call, 1)
    const size = assembler.constant(rest[0].tokens, rest[0].span)
    const alignment = rest[1] ? assembler.constant(rest[1].tokens, rest[1].span) : size >= 8n && !local ? 8n : 1n
    if (size < 0n || size > 1n << 28n || alignment < 1n || (alignment & (alignment - 1n)) !== 0n) {
      throw new AssemblyError('asm/bad-size', 'bad size or alignment', rest[0].span)
    }
    const symbol = assembler.symbol(name.text)
    if (isDefined(symbol)) throw new AssemblyError('asm/duplicate-symbol', `${name.text} is already defined`, name)
    symbol.type = 'object'
    symbol.definedAt = name
    if (local || symbol.saidLocal) {
      allocateLocal(assembler, symbol, Number(size), Number(alignment))
    } else {
      symbol.common = { size: Number(size), alignment: Number(alignment) }
      if (symbol.binding === 'local') symbol.binding = 'global'
    }
  }
}

function allocateLocal(assembler: Assembler, symbol: AssemblySymbol, size: number, alignment: number): void {
  const bss = assembler.openSection('.bss', shapeByName('.bss'))
  bss.align(alignment)
  bss.add({ kind: 'align', address: 0, index: bss.nextIndex(), alignment, maximum: undefined, code: false, fill: 0, fillSize: 1, size: 0 })
  symbol.place = bss.here()
  symbol.size = { kind: 'constant', value: BigInt(size), span: symbol.definedAt! }
  bss.data().bytes.fill(0, size)
}
sectionDirectives.push(['.comm', common(false)], ['.common', common(false)], ['.lcomm', common(true)])

// Options.

const options: Record<string, (assembler: Assembler, call: DirectiveCall) => void> = {
  rvc: (assembler) => (assembler.options.compressed = true),
  norvc: (assembler) => (assembler.options.compressed = false),
  pic: (assembler) => (assembler.options.positionIndependent = true),
  nopic: (assembler) => (assembler.options.positionIndependent = false),
  // This assembler never leaves code for the linker to shorten.
  relax: () => {},
  norelax: () => {},
  arch: () => {},
  push: (assembler) => assembler.optionStack.push({ ...assembler.options }),
  pop: (assembler, call) => {
    const saved = assembler.optionStack.pop()
    if (!saved) throw new AssemblyError('asm/bad-option', '.option pop without push', call.span)
    assembler.options = saved
  },
}
sectionDirectives.push([
  '.attribute',
  (assembler, call) => {
    // Of the attributes only `arch` changes what is made: whether there are compressed instructions.
    const arch = /^\s*(?:arch|5)\s*,\s*"rv\d+([^"]*)"/.exec(call.text)
    if (arch) assembler.options.compressed = withoutLongNames(arch[1]).includes('c')
  },
])
sectionDirectives.push([
  '.option',
  (assembler, call) => {
    const name = /^\s*(\w*)/.exec(call.text)![1]
    const apply = Object.hasOwn(options, name) ? options[name] : undefined
    if (!apply) throw new AssemblyError('asm/bad-option', `unknown option ${name}`, call.span, `known: ${Object.keys(options).join(', ')}`)
    apply(assembler, call)
  },
])

/** `i2p1_m2p0_c2p0_zicsr2p0` without the names of several letters, which start with z, s or x. */
function withoutLongNames(arch: string): string {
  return arch
    .split('_')
    .filter((part) => !/^[zsx]/.test(part))
    .join('_')
}
