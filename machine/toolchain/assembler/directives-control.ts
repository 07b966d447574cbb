/** Directives that choose what is assembled: macros, repetition, conditions, includes. */
import type { Assembler } from './assembler.ts'
import { readLines } from './comments.ts'
import type { Directive, DirectiveCall } from './directives.ts'
import { tokenize } from './lexer.ts'
import { expandBody, parseMacroHeader, splitArguments } from './macro.ts'
import { AssemblyError } from './position.ts'
import { toStatements, wholeLine } from './statements.ts'
import { isDefined } from './symbol.ts'

const macroStart = /^\s*(?:[\w.$]+:\s*)?\.macro\b/i
const macroEnd = /^\s*\.endm(acro)?\b/i
const repeatStart = /^\s*(?:[\w.$]+:\s*)?\.(rept|irp|irpc)\b/i
const repeatEnd = /^\s*\.endr\b/i
const maximumRepeat = 1_000_000n

const define: Directive = (assembler, call) => {
  const { name, parameters } = parseMacroHeader(call.text, call.source)
  const body = assembler.statements.block(macroStart, macroEnd, call.source)
  assembler.macros.set(name, { name, parameters, body })
}

const repeat: Directive = (assembler, call) => {
  const body = assembler.statements.block(repeatStart, repeatEnd, call.source)
  const tokens = tokenize(call.source, call.textStart, call.source.text.length)
  const count = assembler.constant(tokens, call.span)
  if (count < 0n || count > maximumRepeat) throw new AssemblyError('asm/bad-size', `cannot repeat ${count} times`, call.span)
  pushRepeated(
    assembler,
    call,
    Array.from({ length: Number(count) }, () => new Map<string, string>()),
    body,
  )
}

function pushRepeated(
  assembler: Assembler,
  call: DirectiveCall,
  rounds: readonly ReadonlyMap<string, string>[],
  body: Parameters<typeof expandBody>[0],
): void {
  if (rounds.length * body.length > Number(maximumRepeat))
    throw new AssemblyError('asm/too-long', `${call.name} makes too much text`, call.span)
  const text = rounds.flatMap((bound) => expandBody(body, bound, undefined, call.source, call.name))
  assembler.statements.push(text, false, call.source)
}

function forEachValue(values: (text: string) => string[]): Directive {
  return (assembler, call) => {
    const body = assembler.statements.block(repeatStart, repeatEnd, call.source)
    const match = /^\s*([A-Za-z_.$][\w.$]*)\s*,?\s*(.*)$/s.exec(call.text)
    if (!match) throw new AssemblyError('asm/missing-operand', `${call.name} needs a name`, call.span)
    pushRepeated(
      assembler,
      call,
      values(match[2].trim()).map((value) => new Map([[match[1], value]])),
      body,
    )
  }
}

export const controlDirectives: [string, Directive][] = [
  ['.macro', define],
  [
    '.purgem',
    (assembler, call) => {
      if (!assembler.macros.delete(call.text.trim()))
        throw new AssemblyError('asm/bad-macro', `there is no macro ${call.text.trim()}`, call.span)
    },
  ],
  [
    '.exitm',
    (assembler, call) => {
      if (!assembler.statements.leaveMacro()) throw new AssemblyError('asm/bad-macro', '.exitm outside a macro', call.span)
    },
  ],
  ['.endm', stray('.macro')],
  ['.endr', stray('.rept')],
  ['.rept', repeat],
  ['.irp', forEachValue((text) => (text === '' ? [''] : splitArguments(text)))],
  ['.irpc', forEachValue((text) => (text === '' ? [''] : [...text.replace(/^"(.*)"$/, '$1')]))],
  ['.end', (assembler) => assembler.statements.stop()],
]

function stray(opener: string): Directive {
  return (_, call) => {
    throw new AssemblyError('asm/unclosed-block', `${call.name} without ${opener}`, call.span)
  }
}

// Conditions.

type Condition = (assembler: Assembler, call: DirectiveCall) => boolean

function compare(test: (value: bigint) => boolean): Condition {
  return (assembler, call) => test(assembler.constant(tokenize(call.source, call.textStart, call.source.text.length), call.span))
}

const defined: Condition = (assembler, call) => {
  const symbol = assembler.symbols.find(call.text.trim())
  return symbol !== undefined && isDefined(symbol)
}

/** Two operands compared as text; each may be quoted. */
const sameText: Condition = (_, call) => {
  const parts = splitArguments(call.text.replace(/,/, ' , ')).map((part) => part.trim())
  const [left = '', right = ''] = parts.length > 2 ? [parts[0], parts.slice(1).join(',')] : parts
  const bare = (text: string): string => text.replace(/^'(.*)'$|^"(.*)"$/s, '$1$2')
  return bare(left) === bare(right)
}

const sameStrings: Condition = (_, call) => {
  const strings = tokenize(call.source, call.textStart, call.source.text.length).filter((token) => token.kind === 'string')
  if (strings.length !== 2) throw new AssemblyError('asm/bad-string', `${call.name} compares two quoted strings`, call.span)
  return strings[0].text === strings[1].text
}

const blank: Condition = (_, call) => call.text.trim() === ''

const conditions: Record<string, Condition> = {
  '.if': compare((value) => value !== 0n),
  '.ifne': compare((value) => value !== 0n),
  '.ifeq': compare((value) => value === 0n),
  '.ifgt': compare((value) => value > 0n),
  '.ifge': compare((value) => value >= 0n),
  '.iflt': compare((value) => value < 0n),
  '.ifle': compare((value) => value <= 0n),
  '.ifdef': defined,
  '.ifndef': (assembler, call) => !defined(assembler, call),
  '.ifnotdef': (assembler, call) => !defined(assembler, call),
  '.ifb': blank,
  '.ifnb': (assembler, call) => !blank(assembler, call),
  '.ifc': sameText,
  '.ifnc': (assembler, call) => !sameText(assembler, call),
  '.ifeqs': sameStrings,
  '.ifnes': (assembler, call) => !sameStrings(assembler, call),
}

for (const [name, condition] of Object.entries(conditions)) {
  controlDirectives.push([name, (assembler, call) => assembler.conditionals.begin(() => condition(assembler, call))])
}

function complain(complaint: string | undefined, call: DirectiveCall): void {
  if (complaint) throw new AssemblyError('asm/unclosed-block', complaint, call.span)
}

controlDirectives.push(
  [
    '.elseif',
    (assembler, call) =>
      complain(
        assembler.conditionals.otherwise(() => conditions['.if'](assembler, call)),
        call,
      ),
  ],
  ['.else', (assembler, call) => complain(assembler.conditionals.otherwise(undefined), call)],
  ['.endif', (assembler, call) => complain(assembler.conditionals.end(), call)],
)

// Files and messages.

controlDirectives.push([
  '.include',
  (assembler, call) => {
    const [path] = tokenize(call.source, call.textStart, call.source.text.length)
    if (path?.kind !== 'string') throw new AssemblyError('asm/bad-string', '.include needs a quoted path', call.span)
    const file = assembler.readFile(path.text, call.source.file)
    if (!file) throw new AssemblyError('asm/missing-file', `cannot read ${path.text}`, path)
    const text = new TextDecoder().decode(file.bytes)
    assembler.statements.push(toStatements(readLines(text, file.path, false)), false, call.source)
  },
])

function message(call: DirectiveCall, preset: string): string {
  return /^\s*"(.*)"\s*$/s.exec(call.text)?.[1] ?? preset
}

controlDirectives.push(
  [
    '.error',
    (_, call) => {
      throw new AssemblyError('asm/error-directive', message(call, '.error directive'), wholeLine(call.source))
    },
  ],
  [
    '.err',
    (_, call) => {
      throw new AssemblyError('asm/error-directive', '.err directive', wholeLine(call.source))
    },
  ],
  ['.warning', (assembler, call) => assembler.warn('asm/warning-directive', message(call, '.warning directive'), wholeLine(call.source))],
  ['.print', () => {}],
  ['.abort', (assembler) => assembler.statements.stop()],
)
