/** The stream of statements: files, includes and expanded macros, one on top of the other. */
import { splitStatements } from './lexer.ts'
import { AssemblyError, type SourceLine } from './position.ts'

/** A runaway recursive macro or `.rept` stops here instead of filling the memory. */
const maximumDepth = 200
const maximumStatements = 4_000_000

/** The statements of lines whose comments are gone: split at `;`, each keeping its own column. */
export function toStatements(lines: readonly SourceLine[]): SourceLine[] {
  return lines.flatMap((line) => {
    const ranges = splitStatements(line.text)
    if (ranges.length === 1) return [line]
    return ranges.map(({ start, end }) => ({
      ...line,
      text: line.text.slice(start, end),
      column: line.column > 0 ? line.column + start : 0,
    }))
  })
}

export class StatementStream {
  readonly #levels: { statements: readonly SourceLine[]; next: number; macro: boolean }[] = []
  #count = 0

  /** Reads `statements` before what follows. `macro` marks a level that `.exitm` may leave. */
  push(statements: readonly SourceLine[], macro: boolean, cause?: SourceLine): void {
    if (this.#levels.length >= maximumDepth) {
      throw new AssemblyError('asm/too-deep', 'macros or includes are nested too deeply', cause && wholeLine(cause))
    }
    this.#levels.push({ statements, next: 0, macro })
  }

  next(): SourceLine | undefined {
    for (;;) {
      const level = this.#levels.at(-1)
      if (!level) return undefined
      if (level.next < level.statements.length) {
        const statement = level.statements[level.next++]
        if (++this.#count > maximumStatements)
          throw new AssemblyError('asm/too-long', 'macros expand to too much text', wholeLine(statement))
        return statement
      }
      this.#levels.pop()
    }
  }

  /** Drops the rest of the innermost macro. */
  leaveMacro(): boolean {
    const index = this.#levels.findLastIndex((level) => level.macro)
    if (index < 0) return false
    this.#levels.length = index
    return true
  }

  /** Gives up: nothing more is read. */
  stop(): void {
    this.#levels.length = 0
  }

  /** Statements up to the one that closes `opener`; nested blocks are kept whole. */
  block(openers: RegExp, closer: RegExp, opener: SourceLine): SourceLine[] {
    const body: SourceLine[] = []
    let depth = 1
    for (;;) {
      const statement = this.next()
      if (!statement) throw new AssemblyError('asm/unclosed-block', 'the block that starts here is not closed', wholeLine(opener))
      if (openers.test(statement.text)) depth++
      else if (closer.test(statement.text) && --depth === 0) return body
      body.push(statement)
    }
  }
}

export function wholeLine(source: SourceLine): { source: SourceLine; start: number; end: number } {
  const start = source.text.length - source.text.trimStart().length
  return { source, start, end: Math.max(start + 1, source.text.trimEnd().length) }
}
