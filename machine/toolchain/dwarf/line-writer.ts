/** `.debug_line`, version 5 (DWARF 5, 6.2). */
import type { LineRow, ObjectFile } from '../object.ts'
import { ByteWriter } from './byte-writer.ts'
import { FORM, LNCT, LNE, LNS } from './constants.ts'

const opcodeBase = 13
const lineBase = -5
const lineRange = 14
/** Operand counts of the standard opcodes 1..12. */
const operandCounts = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]

/** Where a place of the object ended up; undefined when its section was dropped. */
export type Resolve = (section: string, offset: number) => bigint | undefined

/** The files of an object in the order of their numbers in the line table; the first is the main one. */
export function fileTable(object: ObjectFile): string[] {
  const files = [object.debug?.file ?? object.lines[0]?.file ?? object.name]
  const add = (file: string | undefined): void => {
    if (file !== undefined && !files.includes(file)) files.push(file)
  }
  const seen = new Set<string>()
  for (const row of object.lines) seen.add(row.file)
  for (const fn of object.debug?.functions ?? []) seen.add(fn.file)
  for (const variable of object.debug?.variables ?? []) if (variable.file !== undefined) seen.add(variable.file)
  seen.forEach(add)
  return files
}

/** Writes one object's line program. `directory` is the compilation directory. */
export function writeLineProgram(out: ByteWriter, object: ObjectFile, files: readonly string[], directory: string, resolve: Resolve): void {
  out.sized(() => {
    out.u16(5)
    out.u8(8)
    out.u8(0)
    out.sized(() => {
      out.u8(1)
      out.u8(1)
      out.u8(1)
      out.u8(lineBase & 255)
      out.u8(lineRange)
      out.u8(opcodeBase)
      for (const count of operandCounts) out.u8(count)
      out.u8(1)
      out.uleb(LNCT.path)
      out.uleb(FORM.string)
      out.uleb(1)
      out.string(directory)
      out.u8(2)
      out.uleb(LNCT.path)
      out.uleb(FORM.string)
      out.uleb(LNCT.directoryIndex)
      out.uleb(FORM.udata)
      out.uleb(files.length)
      for (const file of files) {
        out.string(file)
        out.uleb(0)
      }
    })
    const bySection = new Map<string, LineRow[]>()
    for (const row of object.lines) {
      const rows = bySection.get(row.section) ?? []
      rows.push(row)
      bySection.set(row.section, rows)
    }
    for (const { name, size } of object.sections) writeSequence(out, bySection.get(name) ?? [], size, files, resolve)
  })
}

/** The rows of one section of `size` bytes. */
function writeSequence(out: ByteWriter, unsorted: readonly LineRow[], size: number, files: readonly string[], resolve: Resolve): void {
  const rows = [...unsorted].sort((a, b) => a.offset - b.offset)
  const start = rows.length > 0 ? resolve(rows[0].section, rows[0].offset) : undefined
  if (start === undefined) return
  out.u8(0)
  out.uleb(9)
  out.u8(LNE.setAddress)
  out.u64(start)
  const state = { offset: rows[0].offset, line: 1, file: 1, column: 0 }
  for (const row of rows) {
    const file = files.indexOf(row.file)
    if (file !== state.file) {
      out.u8(LNS.setFile)
      out.uleb(file)
    }
    if (row.column !== state.column) {
      out.u8(LNS.setColumn)
      out.uleb(row.column)
    }
    emitRow(out, row.offset - state.offset, row.line - state.line)
    Object.assign(state, { offset: row.offset, line: row.line, file, column: row.column })
  }
  out.u8(LNS.advancePc)
  out.uleb(size - state.offset)
  out.u8(0)
  out.uleb(1)
  out.u8(LNE.endSequence)
}

/** Advances address and line and adds a row, in one byte where that reaches. */
function emitRow(out: ByteWriter, advance: number, lines: number): void {
  const special = lines - lineBase + lineRange * advance + opcodeBase
  if (lines >= lineBase && lines < lineBase + lineRange && special <= 255) {
    out.u8(special)
    return
  }
  if (lines !== 0) {
    out.u8(LNS.advanceLine)
    out.sleb(lines)
  }
  if (advance !== 0) {
    out.u8(LNS.advancePc)
    out.uleb(advance)
  }
  out.u8(LNS.copy)
}
