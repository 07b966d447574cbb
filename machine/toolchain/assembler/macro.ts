/** `.macro`, `.rept`, `.irp` and `.irpc`: textual expansion. */
import { skipQuoted } from './lexer.ts'
import { AssemblyError, type SourceLine } from './position.ts'
import { wholeLine } from './statements.ts'

export interface Parameter {
  readonly name: string
  readonly preset: string
  readonly required: boolean
  /** Takes the rest of the line, commas and all. */
  readonly variadic: boolean
}

export interface Macro {
  readonly name: string
  readonly parameters: readonly Parameter[]
  readonly body: readonly SourceLine[]
}

const symbolCharacter = /[\w.$\\"]/

/**
 * Splits macro arguments as GNU does: at commas, and at blanks that stand between two characters of names or numbers
 * (so `a + b` is one argument and `a b` is two).
 */
export function splitArguments(text: string, limit = Infinity): string[] {
  const parts: string[] = []
  let current = ''
  let depth = 0
  const trimmed = text.trim()
  if (trimmed === '') return []
  for (let index = 0; index < trimmed.length;) {
    if (parts.length === limit - 1) {
      current += trimmed.slice(index)
      break
    }
    const quoted = skipQuoted(trimmed, index)
    const character = trimmed[index]
    if (quoted > index) {
      current += trimmed.slice(index, quoted)
      index = quoted
      continue
    }
    if (character === '(') depth++
    if (character === ')') depth--
    const blank = character === ' ' || character === '\t'
    if (character === ',' && depth <= 0) {
      parts.push(current)
      current = ''
      index++
      while (/\s/.test(trimmed[index] ?? '')) index++
    } else if (blank) {
      let next = index
      while (/\s/.test(trimmed[next] ?? '')) next++
      const separates = depth <= 0 && symbolCharacter.test(trimmed[index - 1] ?? '') && symbolCharacter.test(trimmed[next] ?? '')
      if (separates) {
        parts.push(current)
        current = ''
      }
      index = next
    } else {
      current += character
      index++
    }
  }
  return [...parts, current]
}

/** A quoted argument stands for what is between the quotes. */
function unquote(argument: string): string {
  return argument.length >= 2 && argument.startsWith('"') && argument.endsWith('"') ? argument.slice(1, -1) : argument
}

/** Reads `.macro`'s operands: the name, then `a`, `b=preset`, `c:req`, `d:vararg`. */
export function parseMacroHeader(text: string, source: SourceLine): { name: string; parameters: Parameter[] } {
  const match = /^\s*([A-Za-z_.$][\w.$]*)\s*,?\s*(.*)$/s.exec(text)
  if (!match) throw new AssemblyError('asm/bad-macro', '.macro needs a name', wholeLine(source))
  const tidy = match[2].replace(/\s*([=:])\s*/g, '$1')
  const parameters = splitArguments(tidy).map((written): Parameter => {
    const parameter = /^([A-Za-z_.$][\w.$]*?)(?::(req|vararg))?(?:=(.*))?$/s.exec(written)
    if (!parameter) throw new AssemblyError('asm/bad-macro', `bad macro parameter ${written}`, wholeLine(source))
    return {
      name: parameter[1],
      preset: unquote(parameter[3] ?? ''),
      required: parameter[2] === 'req',
      variadic: parameter[2] === 'vararg',
    }
  })
  return { name: match[1], parameters }
}

/** Binds the arguments of a call to the macro's parameters. */
export function bindArguments(macro: Macro, text: string, call: SourceLine): Map<string, string> {
  const { parameters } = macro
  const variadic = parameters.at(-1)?.variadic ? parameters.length : Infinity
  const bound = new Map<string, string>()
  let position = 0
  for (const argument of splitArguments(text, variadic)) {
    const named = /^([A-Za-z_.$][\w.$]*)=(?!=)(.*)$/s.exec(argument)
    if (named && parameters.some((parameter) => parameter.name === named[1])) {
      bound.set(named[1], unquote(named[2].trim()))
      continue
    }
    const parameter = parameters[position++]
    if (!parameter) {
      throw new AssemblyError('asm/macro-arguments', `${macro.name} takes ${parameters.length} arguments`, wholeLine(call))
    }
    if (argument !== '') bound.set(parameter.name, parameter.variadic ? argument : unquote(argument))
  }
  for (const parameter of parameters) {
    if (bound.has(parameter.name)) continue
    if (parameter.required) {
      throw new AssemblyError('asm/macro-arguments', `${macro.name} needs a value for ${parameter.name}`, wholeLine(call))
    }
    bound.set(parameter.name, parameter.preset)
  }
  return bound
}

/** Replaces `\name`, `\@` and `\()` in a body. */
export function expandBody(
  body: readonly SourceLine[],
  bound: ReadonlyMap<string, string>,
  counter: number | undefined,
  call: SourceLine,
  description: string,
): SourceLine[] {
  const expansion = `expanded from ${description} at ${call.file}:${call.line}`
  const callSite = call.callSite ?? { file: call.file, line: call.line, column: Math.max(call.column, 0) }
  return body.map((line) => {
    const text = line.text.replace(/\\(\(\)|@|[A-Za-z_.$][\w.$]*)/g, (whole, name: string) => {
      if (name === '()') return ''
      if (name === '@') return counter === undefined ? whole : String(counter)
      // `\a.b` may mean parameter `a` followed by `.b`: the longest known name wins.
      for (let length = name.length; length > 0; length--) {
        const value = bound.get(name.slice(0, length))
        if (value !== undefined && (length === name.length || !/\w/.test(name[length]))) return value + name.slice(length)
      }
      return whole
    })
    return { ...line, text, column: text === line.text ? line.column : 0, expansion, callSite }
  })
}
