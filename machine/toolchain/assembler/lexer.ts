/** Splits a statement's text into tokens. */
import { AssemblyError, type SourceLine, type Span } from './position.ts'

export interface Token extends Span {
  /** `local` is a reference to a numeric label: `1b`, `2f`. */
  readonly kind: 'name' | 'number' | 'float' | 'string' | 'local' | 'punctuation'
  /** The text as written; for a string, its bytes as Latin-1 characters after escapes. */
  readonly text: string
  readonly value?: bigint
}

const namePattern = /[A-Za-z_.$][\w.$]*/y
const localPattern = /(\d+)([fb])(?![\w.$])/y
const numberPattern = /0[xX][0-9a-fA-F]+|0[bB][01]+|\d+/y
const floatPattern = /\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|0[fdFD][-+]?[\d.]+(?:[eE][-+]?\d+)?/y
const punctuationPattern = /<<|>>|<=|>=|==|!=|<>|&&|\|\||[-+*/%~!&|^<>=(),:@?[\]{}]/y

function matchAt(pattern: RegExp, text: string, index: number): RegExpExecArray | null {
  pattern.lastIndex = index
  return pattern.exec(text)
}

/**
 * Tokens of `source.text` between `start` and `end`.
 * @throws AssemblyError on a character that starts no token and on an unterminated string.
 */
export function tokenize(source: SourceLine, start: number, end: number): Token[] {
  const tokens: Token[] = []
  const text = source.text.slice(0, end)
  let index = start
  while (index < end) {
    const character = text[index]
    if (character === ' ' || character === '\t' || character === '\r' || character === '\f') {
      index++
      continue
    }
    const token = readString(source, text, index) ?? readWord(source, text, index)
    if (!token)
      throw new AssemblyError('asm/unexpected-character', `unexpected character '${character}'`, { source, start: index, end: index + 1 })
    tokens.push(token)
    index = token.end
  }
  return tokens
}

function readWord(source: SourceLine, text: string, start: number): Token | undefined {
  const make = (kind: Token['kind'], length: number, value?: bigint): Token => ({
    kind,
    text: text.slice(start, start + length),
    value,
    source,
    start,
    end: start + length,
  })
  let match = matchAt(localPattern, text, start)
  if (match) return make('local', match[0].length)
  match = matchAt(floatPattern, text, start)
  if (match) return make('float', match[0].length)
  match = matchAt(numberPattern, text, start)
  if (match) return make('number', match[0].length, parseInteger(match[0], { source, start, end: start + match[0].length }))
  match = matchAt(namePattern, text, start)
  if (match) return make('name', match[0].length)
  if (text[start] === "'") return readCharacter(source, text, start)
  match = matchAt(punctuationPattern, text, start)
  if (match) return make('punctuation', match[0].length)
  return undefined
}

function parseInteger(digits: string, span: Span): bigint {
  if (/^0[0-7]+$/.test(digits)) return BigInt(`0o${digits.slice(1)}`)
  if (/^0\d+$/.test(digits))
    throw new AssemblyError('asm/bad-number', `${digits} is not an octal number`, span, 'a leading 0 makes a number octal')
  return BigInt(digits)
}

const escapes: Record<string, number> = { b: 8, f: 12, n: 10, r: 13, t: 9, '"': 34, '\\': 92, "'": 39, a: 7, v: 11, e: 27 }

/** One character of a string or character constant: its bytes and how much text it took. */
function readEscaped(text: string, index: number): { bytes: string; length: number } {
  if (text[index] !== '\\') {
    const code = text.codePointAt(index)!
    const written = String.fromCodePoint(code)
    return { bytes: Array.from(new TextEncoder().encode(written), (byte) => String.fromCharCode(byte)).join(''), length: written.length }
  }
  const octal = /^[0-7]{1,3}/.exec(text.slice(index + 1))
  if (octal) return { bytes: String.fromCharCode(parseInt(octal[0], 8) & 255), length: 1 + octal[0].length }
  const hex = /^[xX][0-9a-fA-F]+/.exec(text.slice(index + 1))
  // GNU takes every hexadecimal digit that follows and keeps the low byte.
  if (hex) return { bytes: String.fromCharCode(Number(BigInt(`0${hex[0].toLowerCase()}`) & 255n)), length: 1 + hex[0].length }
  const next = text[index + 1] ?? '\\'
  return { bytes: String.fromCharCode(escapes[next] ?? next.charCodeAt(0) & 255), length: 2 }
}

function readString(source: SourceLine, text: string, start: number): Token | undefined {
  if (text[start] !== '"') return undefined
  let bytes = ''
  let index = start + 1
  while (index < text.length && text[index] !== '"') {
    const read = readEscaped(text, index)
    bytes += read.bytes
    index += read.length
  }
  if (text[index] !== '"')
    throw new AssemblyError('asm/unterminated-string', 'the string is not closed', { source, start, end: text.length })
  return { kind: 'string', text: bytes, source, start, end: index + 1 }
}

/** `'a` and `'a'`: the closing quote is optional in GNU syntax. */
function readCharacter(source: SourceLine, text: string, start: number): Token | undefined {
  if (start + 1 >= text.length) return undefined
  const read = readEscaped(text, start + 1)
  let end = start + 1 + read.length
  if (text[end] === "'") end++
  return { kind: 'number', text: text.slice(start, end), value: BigInt(read.bytes.charCodeAt(0)), source, start, end }
}

/** The end (exclusive) of the string or character constant that starts at `index`, or `index` when none does. */
export function skipQuoted(text: string, index: number): number {
  if (text[index] === '"') {
    let at = index + 1
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
    return Math.min(at + 1, text.length)
  }
  if (text[index] === "'" && index + 1 < text.length) {
    const end = index + 1 + (text[index + 1] === '\\' ? 2 : 1)
    return Math.min(text[end] === "'" ? end + 1 : end, text.length)
  }
  return index
}

/** Ranges of the statements on a line, which `;` separates. */
export function splitStatements(text: string): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = []
  let start = 0
  for (let index = 0; index <= text.length;) {
    const quoted = skipQuoted(text, index)
    if (quoted > index) {
      index = quoted
      continue
    }
    if (index === text.length || text[index] === ';') {
      ranges.push({ start, end: index })
      start = index + 1
    }
    index++
  }
  return ranges
}

/** Splits tokens at commas outside brackets. No tokens give no operands. */
export function splitOperands(tokens: readonly Token[]): Token[][] {
  if (tokens.length === 0) return []
  const operands: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token.kind === 'punctuation') {
      if (token.text === '(') depth++
      if (token.text === ')') depth--
      if (token.text === ',' && depth === 0) {
        operands.push([])
        continue
      }
    }
    operands.at(-1)!.push(token)
  }
  return operands
}

/** The range from the first token to the last; `fallback` when there are none. */
export function spanOf(tokens: readonly Token[], fallback: Span): Span {
  if (tokens.length === 0) return fallback
  return { source: tokens[0].source, start: tokens[0].start, end: tokens.at(-1)!.end }
}
