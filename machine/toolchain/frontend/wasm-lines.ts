/** Lines of C and C++ in a WebAssembly module: clang's `.debug_line`, whose addresses count from the code section. */
import { DwarfError } from '../dwarf/cursor.ts'
import { readLinePrograms } from '../dwarf/line-reader.ts'
import type { WasmModule } from '../wasm/types.ts'
import type { PositionReader, SourcePosition } from './source-map.ts'

/** Reads them; a module without debug information, or with a broken one, has no positions. */
export function readWasmLines(module: WasmModule): PositionReader {
  const section = (name: string): Uint8Array => module.customs.find((custom) => custom.name === name)?.bytes ?? new Uint8Array(0)
  const rows: { at: number; position: SourcePosition | undefined }[] = []
  try {
    const sections = { line: section('.debug_line'), strings: section('.debug_str'), lineStrings: section('.debug_line_str') }
    for (const { entries } of readLinePrograms(sections)) {
      let first = 0
      entries.forEach(({ end }, index) => {
        if (!end) return
        // The linker leaves sequences of functions that it dropped at address 0, or at the highest.
        const start = entries[first].address
        if (start > 0n && start < BigInt(module.bytes.length)) {
          for (const entry of entries.slice(first, index + 1)) {
            const { address, file, line, column } = entry
            // Line 0 is code of no place of its own.
            if (line === 0 && !entry.end) continue
            const position = entry.end ? undefined : { file: file.replace(/^(\.?\/)+/, ''), line, column: Math.max(column, 1) }
            rows.push({ at: Number(address) + module.codeOffset, position })
          }
        }
        first = index + 1
      })
    }
  } catch (error) {
    if (!(error instanceof DwarfError)) throw error
    return () => undefined
  }
  // Where a sequence ends and another begins, the beginning counts.
  rows.sort((a, b) => a.at - b.at || Number(a.position !== undefined) - Number(b.position !== undefined))
  return (offset) => {
    let low = 0
    let high = rows.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (rows[middle].at <= offset) low = middle + 1
      else high = middle
    }
    return rows[low - 1]?.position
  }
}
