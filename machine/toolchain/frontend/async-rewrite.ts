/**
 * Makes async functions digestible for AssemblyScript's parser, without moving anything: `async` becomes a decorator in
 * front of the modifiers before it, `await` becomes the operator `~` and spaces. The text keeps its length and lines;
 * async-lower.ts finds the marked places again in the tree.
 */

export interface Rewritten {
  readonly text: string
  /** Offsets of the operators that stand for `await`. */
  readonly awaits: ReadonlySet<number>
}

/** The decorator that stands for `async`; as long as the word. */
export const asyncDecorator = 'coro'

const modifiers = new Set(['export', 'default', 'public', 'private', 'protected', 'static', 'override', 'declare'])

interface Token {
  readonly start: number
  readonly text: string
}

/** Rewrites one source file. */
export function rewriteAsync(source: string): Rewritten {
  const tokens = words(source)
  const characters = [...new Array(source.length).keys()].map((index) => source[index])
  const put = (at: number, text: string): void => {
    for (let index = 0; index < text.length; index++) characters[at + index] = text[index]
  }
  const awaits = new Set<number>()
  tokens.forEach((token, index) => {
    if (token.text === 'await') {
      put(token.start, '~    ')
      awaits.add(token.start)
      return
    }
    const next = tokens[index + 1]
    if (token.text !== 'async' || !next || !/^[A-Za-z_$]/.test(next.text) || source.slice(token.start + 5, next.start).includes('\n'))
      return
    // Slide the modifiers before it to the right, and put the decorator in front of them.
    let first = index
    while (first > 0 && modifiers.has(tokens[first - 1].text)) first--
    const start = tokens[first].start
    put(start, `@${asyncDecorator} ` + source.slice(start, token.start))
    if (first === index) put(start, `@${asyncDecorator}`)
  })
  return { text: characters.join(''), awaits }
}

/** Words and single punctuation characters outside of comments, strings and templates (whose substitutions count as code). */
function words(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const braces: number[] = []
  let depth = 0
  const template = (): void => {
    for (; at < source.length; at++) {
      if (source[at] === '\\') at++
      else if (source[at] === '`') {
        at++
        return
      } else if (source[at] === '$' && source[at + 1] === '{') {
        at += 2
        braces.push(depth++)
        return
      }
    }
  }
  while (at < source.length) {
    const character = source[at]
    if (/[A-Za-z_$]/.test(character)) {
      const match = /^[\w$]+/.exec(source.slice(at, at + 256))![0]
      // A property called await or async is no keyword; it stays in the list, so that the word after it is not taken for one.
      tokens.push({ start: at, text: tokens[tokens.length - 1]?.text === '.' ? `.${match}` : match })
      at += match.length
    } else if (source.startsWith('//', at)) {
      const end = source.indexOf('\n', at)
      at = end < 0 ? source.length : end
    } else if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2)
      at = end < 0 ? source.length : end + 2
    } else if (character === '"' || character === "'") {
      for (at++; at < source.length && source[at] !== character && source[at] !== '\n'; at++) if (source[at] === '\\') at++
      at++
    } else if (character === '`') {
      at++
      template()
    } else {
      if (character === '{') depth++
      if (character === '}') {
        depth--
        if (braces[braces.length - 1] === depth) {
          braces.pop()
          at++
          template()
          continue
        }
      }
      if (!/\s/.test(character)) tokens.push({ start: at, text: character })
      at++
    }
  }
  return tokens
}
