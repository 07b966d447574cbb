/** WebAssembly source maps (version 3 with byte offsets for columns), as AssemblyScript writes them. */

export interface SourcePosition {
  readonly file: string
  readonly line: number
  readonly column: number
}

const digits = new Map([...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].map((letter, value) => [letter, value]))

/** The source position of the code at a byte of the module, in a function whose code begins at byte `from`. */
export type PositionReader = (offset: number, from?: number) => SourcePosition | undefined

/**
 * Reads a map. Code of files that start with `inlined` belongs to the place it was inlined at: what stands before it in its function.
 */
export function readSourceMap(json: string, inlined?: string): PositionReader {
  const map = JSON.parse(json) as { sources: string[]; mappings: string }
  const offsets: number[] = []
  const positions: SourcePosition[] = []
  let [offset, source, line, column] = [0, 0, 0, 0]
  for (const segment of map.mappings.split(',')) {
    const values = decode(segment)
    offset += values[0] ?? 0
    // Code of no place of its own belongs to what stands before it.
    if (values.length < 4) continue
    source += values[1]
    line += values[2]
    column += values[3]
    offsets.push(offset)
    positions.push({ file: map.sources[source], line: line + 1, column: column + 1 })
  }
  const isInlined = (index: number): boolean => inlined !== undefined && positions[index].file.startsWith(inlined)
  return (at, from) => {
    let low = 0
    let high = offsets.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (offsets[middle] <= at) low = middle + 1
      else high = middle
    }
    let index = low - 1
    if (from === undefined || index < 0) return positions[index]
    // What stands before it in another function has nothing to do with it.
    if (offsets[index] < from) return undefined
    while (index > 0 && isInlined(index) && offsets[index - 1] >= from) index--
    return isInlined(index) ? positions[low - 1] : positions[index]
  }
}

/** Base 64 variable-length quantities. */
function decode(segment: string): number[] {
  const values: number[] = []
  let [value, shift] = [0, 0]
  for (const letter of segment) {
    const digit = digits.get(letter) ?? 0
    value += (digit & 31) * 2 ** shift
    if (digit & 32) {
      shift += 5
      continue
    }
    values.push(value % 2 ? -Math.floor(value / 2) : value / 2)
    ;[value, shift] = [0, 0]
  }
  return values
}
