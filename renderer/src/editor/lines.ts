/** Which lines of a text are the same as in the build: those before the first and after the last difference. */
export interface LineMap {
  /** Current line to line of the build; undefined for a changed one. 1-based. */
  toBuilt(line: number): number | undefined
  /** Line of the build to current line. */
  toCurrent(line: number): number | undefined
  /** Current lines that differ. */
  readonly changed: readonly number[]
}

export function mapLines(built: string, current: string): LineMap {
  const before = built.split('\n')
  const after = current.split('\n')
  const most = Math.min(before.length, after.length)
  let head = 0
  while (head < most && before[head] === after[head]) head++
  let tail = 0
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++
  const shift = after.length - before.length
  const changed: number[] = []
  for (let line = head + 1; line <= after.length - tail; line++) changed.push(line)
  return {
    toBuilt: (line) => (line <= head ? line : line > after.length - tail ? line - shift : undefined),
    toCurrent: (line) => (line <= head ? line : line > before.length - tail ? line + shift : undefined),
    changed,
  }
}

/** Colours 1..6 in turn for the lines that have instructions, so that neighbours differ. */
export function lineColours(lines: Iterable<number>): Map<number, number> {
  const colours = new Map<number, number>()
  for (const line of [...new Set(lines)].sort((a, b) => a - b)) colours.set(line, (colours.size % 6) + 1)
  return colours
}
