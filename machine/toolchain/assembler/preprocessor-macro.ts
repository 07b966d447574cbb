/** Macro replacement of the C preprocessor (C11, 6.10.3). */
import { skipQuoted } from './lexer.ts'
import { AssemblyError } from './position.ts'

export interface CppMacro {
  readonly name: string
  /** Undefined for an object-like macro. */
  readonly parameters?: readonly string[]
  readonly body: string
}

/** Nested macros may multiply; no honest line is this long. */
const maximumLength = 1 << 20

const wordPattern = /[A-Za-z_]\w*/y
const numberPattern = /\.?\d(?:[\w.]|[eEpP][-+])*/y

function matchAt(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index
  return pattern.exec(text)?.[0]
}

/** Replaces every macro in `text`; `hidden` are those being expanded already. */
export function expandMacros(text: string, macros: ReadonlyMap<string, CppMacro>, hidden: ReadonlySet<string> = new Set()): string {
  let output = ''
  for (let index = 0; index < text.length;) {
    if (output.length > maximumLength) throw new AssemblyError('cpp/too-long', 'macros expand to too much text', undefined)
    const quoted = text[index] === '"' ? skipQuoted(text, index) : index
    // `.set` and `\name` are whole words to the assembler: macros do not reach into them.
    const kept = quoted > index ? text.slice(index, quoted) : matchAt(numberPattern, text, index)
    if (kept) {
      output += kept
      index += kept.length
      continue
    }
    const word = matchAt(wordPattern, text, index)
    if (!word) {
      output += text[index++]
      continue
    }
    index += word.length
    const macro = hidden.has(word) ? undefined : macros.get(word)
    if (!macro) {
      output += word
      continue
    }
    if (!macro.parameters) {
      output += expandMacros(paste(macro.body), macros, new Set(hidden).add(word))
      continue
    }
    const call = readArguments(text, index)
    if (!call) {
      output += word
      continue
    }
    index = call.end
    output += expandMacros(substitute(macro, call.values, macros, hidden), macros, new Set(hidden).add(word))
  }
  return output
}

/** The arguments in brackets at or after `start`; undefined when there is no bracket. */
function readArguments(text: string, start: number): { values: string[]; end: number } | undefined {
  let index = start
  while (/\s/.test(text[index] ?? '')) index++
  if (text[index] !== '(') return undefined
  const values = ['']
  let depth = 0
  for (; index < text.length;) {
    const quoted = text[index] === '"' ? skipQuoted(text, index) : index
    const piece = quoted > index ? text.slice(index, quoted) : text[index]
    index += piece.length
    if (piece === '(' && depth++ === 0) continue
    if (piece === ')' && --depth === 0) return { values: values.map((value) => value.trim()), end: index }
    if (piece === ',' && depth === 1) values.push('')
    else values[values.length - 1] += piece
  }
  throw new AssemblyError('cpp/bad-call', 'the macro call is not closed', undefined)
}

function substitute(
  macro: CppMacro,
  values: readonly string[],
  macros: ReadonlyMap<string, CppMacro>,
  hidden: ReadonlySet<string>,
): string {
  const parameters = macro.parameters!
  const variadic = parameters.at(-1) === '...'
  const given = values.length === 1 && values[0] === '' && parameters.length === 0 ? [] : values
  if (variadic ? given.length < parameters.length - 1 : given.length !== parameters.length) {
    throw new AssemblyError('cpp/bad-call', `${macro.name} takes ${parameters.length} arguments, not ${given.length}`, undefined)
  }
  const bound = new Map(parameters.map((name, index) => [name === '...' ? '__VA_ARGS__' : name, given[index] ?? '']))
  if (variadic) bound.set('__VA_ARGS__', given.slice(parameters.length - 1).join(', '))
  const replaced = macro.body.replace(
    /"(?:\\.|[^"\\])*"|(##\s*|#\s*)?([A-Za-z_]\w*)(\s*##)?/g,
    (whole, before: string | undefined, word: string | undefined, after: string | undefined) => {
      const value = word === undefined ? undefined : bound.get(word)
      if (value === undefined) return whole
      if (before?.startsWith('#') && !before.startsWith('##')) return `"${value.replace(/["\\]/g, '\\$&')}"${after ?? ''}`
      // An operand of ## is pasted as written; others are expanded first.
      const raw = before !== undefined || after !== undefined
      return `${before ?? ''}${raw ? value : expandMacros(value, macros, hidden)}${after ?? ''}`
    },
  )
  return paste(replaced)
}

function paste(body: string): string {
  return body.replace(/\s*##\s*/g, '')
}
