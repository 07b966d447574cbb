/** Search over the texts of a lab. */
import { WorkbenchError } from './errors.ts'

export interface SearchQuery {
  readonly query: string
  readonly regular: boolean
  readonly matchCase: boolean
}

export interface SearchMatch {
  readonly path: string
  readonly line: number
  readonly column: number
  readonly length: number
  /** The line, shortened. */
  readonly text: string
}

const MOST_MATCHES = 500
const MOST_LINE = 300

/** @throws WorkbenchError for a pattern that is no regular expression. */
export function searchTexts(texts: ReadonlyMap<string, string>, query: SearchQuery): { matches: SearchMatch[]; truncated: boolean } {
  const source = query.regular ? query.query : query.query.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  let pattern: RegExp
  try {
    pattern = new RegExp(source, query.matchCase ? 'g' : 'gi')
  } catch (error) {
    throw new WorkbenchError('bad-request', (error as Error).message)
  }
  const matches: SearchMatch[] = []
  for (const [path, text] of texts) {
    for (const [index, whole] of text.split('\n').entries()) {
      // A pattern of the user's must not run for minutes on one long line.
      const line = whole.slice(0, MOST_LINE)
      for (const match of line.matchAll(pattern)) {
        if (match[0] === '') continue
        if (matches.length >= MOST_MATCHES) return { matches, truncated: true }
        matches.push({ path, line: index + 1, column: match.index + 1, length: match[0].length, text: line })
      }
    }
  }
  return { matches, truncated: false }
}
