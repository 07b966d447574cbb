/** Link errors point at the source line whose code or data is concerned. */
import type { Diagnostic } from '../diagnostic.ts'
import type { ObjectFile } from '../object.ts'

/** A place in an object. */
export interface ObjectPlace {
  readonly section: string
  readonly offset: number
}

/** The source position of a place, as far as the object's line rows tell. */
export function sourcePosition(object: ObjectFile, place: ObjectPlace | undefined): { file: string; line: number; column: number } {
  let best: { file: string; line: number; column: number; offset: number } | undefined
  for (const row of place ? object.lines : []) {
    if (row.section !== place!.section || row.offset > place!.offset) continue
    if (!best || row.offset >= best.offset) best = row
  }
  if (best) return { file: best.file, line: best.line, column: Math.max(1, best.column) }
  return { file: object.name, line: 1, column: 1 }
}

/** An error about an object (or about the whole program when there is none). */
export function linkDiagnostic(
  object: ObjectFile | undefined,
  code: string,
  message: string,
  place?: ObjectPlace,
  hint?: string,
): Diagnostic {
  const position = object ? sourcePosition(object, place) : { file: '', line: 1, column: 1 }
  const { file, line, column } = position
  return { file, line, column, end: { line, column: column + 1 }, severity: 'error', code, message, ...(hint ? { hint } : {}) }
}
