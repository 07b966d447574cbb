/** WebAssembly source maps (version 3 with byte offsets for columns), as AssemblyScript writes them. */

export interface SourcePosition {
  readonly file: string
  readonly line: number
  readonly column: number
}

const digits = new Map([...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].map((letter, value) => [letter, value]))

/** Reads a map; the result gives the position of the code at a byte of the module. */
export function readSourceMap(json: string): (offset: number) => SourcePosition | undefined {
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
  return (at) => {
    let low = 0
    let high = offsets.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (offsets[middle] <= at) low = middle + 1
      else high = middle
    }
    return positions[low - 1]
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
