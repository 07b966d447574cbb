/** Turns a file's text into lines without comments, keeping every remaining character in its column. */
import { skipQuoted } from './lexer.ts'
import type { SourceLine } from './position.ts'

/**
 * Comments (`/* … *​/`, `// …`, and `# …`) become spaces.
 * With `keepDirectives` a line that starts with `#` is left for the preprocessor.
 */
export function readLines(text: string, file: string, keepDirectives: boolean): SourceLine[] {
  const lines: SourceLine[] = []
  let inBlock = false
  text.split(/\r\n|\r|\n/).forEach((raw, index) => {
    let kept = ''
    const directive = keepDirectives && !inBlock && /^\s*#/.test(raw)
    const hash = directive ? raw.indexOf('#') : -1
    for (let at = 0; at < raw.length;) {
      if (inBlock) {
        const end = raw.indexOf('*/', at)
        const stop = end < 0 ? raw.length : end + 2
        kept += ' '.repeat(stop - at)
        inBlock = end < 0
        at = stop
        continue
      }
      // In a directive `'` is an ordinary character: `#error don't`.
      const quoted = directive && raw[at] === "'" ? at : skipQuoted(raw, at)
      if (quoted > at) {
        kept += raw.slice(at, quoted)
        at = quoted
      } else if (raw.startsWith('/*', at)) {
        inBlock = true
        kept += '  '
        at += 2
      } else if (raw.startsWith('//', at) || (raw[at] === '#' && at !== hash && !(directive && isHashOperator(raw, at)))) {
        break
      } else {
        kept += raw[at++]
      }
    }
    lines.push({ text: kept, file, line: index + 1, column: 1, width: raw.length })
  })
  return lines
}

/** Inside `#define`, `#` and `##` are operators. */
function isHashOperator(raw: string, at: number): boolean {
  return /^\s*#\s*define\b/.test(raw) && at > 0
}
