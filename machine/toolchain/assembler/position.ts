/** Where a piece of assembly text came from, and the diagnostics that point there. */
import type { Diagnostic } from '../diagnostic.ts'

/** One line of text after comments, the preprocessor and macros, and the place in the user's files it stands for. */
export interface SourceLine {
  readonly text: string
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** Column of the text's first character when every character of `text` stands at its own place in the file; 0 when the text was rewritten. */
  readonly column: number
  /** Length of the line in the file, for rewritten text: diagnostics then cover all of it. */
  readonly width: number
  /** How the text got here when it was expanded from a macro. */
  readonly expansion?: string
  /** The outermost macro call, which is what a debugger should show. */
  readonly callSite?: { readonly file: string; readonly line: number; readonly column: number }
}

/** A range of one line's text: `[start, end)` in UTF-16 units. */
export interface Span {
  readonly source: SourceLine
  readonly start: number
  readonly end: number
}

export type Severity = Diagnostic['severity']

/** Thrown inside one statement; the driver turns it into a diagnostic and goes on with the next statement. */
export class AssemblyError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly span: Span | undefined,
    readonly hint?: string,
  ) {
    super(message)
  }
}

/** The diagnostic for a range of text. */
export function diagnosticAt(span: Span, severity: Severity, code: string, message: string, hint?: string): Diagnostic {
  const { source } = span
  const exact = source.column > 0
  const column = exact ? source.column + span.start : 1
  const end = exact ? source.column + Math.max(span.end, span.start + 1) : source.width + 1
  const advice = [hint, source.expansion].filter(Boolean).join('; ')
  return {
    file: source.file,
    line: source.line,
    column,
    end: { line: source.line, column: end },
    severity,
    code,
    message,
    ...(advice ? { hint: advice } : {}),
  }
}
