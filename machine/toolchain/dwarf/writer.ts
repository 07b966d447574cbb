/** The debug sections of a linked program. */
import type { ObjectFile } from '../object.ts'
import { ByteWriter } from './byte-writer.ts'
import { UT } from './constants.ts'
import { Abbreviations, encodeTree } from './die.ts'
import { writeCommonEntry, writeFrame } from './frame-writer.ts'
import { buildUnit } from './info-writer.ts'
import { fileTable, writeLineProgram, type Resolve } from './line-writer.ts'

export interface DebugInput {
  readonly object: ObjectFile
  readonly resolve: Resolve
}

export interface DebugSection {
  readonly name: string
  readonly bytes: Uint8Array
}

const version = 5
const addressSize = 8

/** `.debug_loclists` and `.debug_rnglists` start with a header (DWARF 5, 7.28 and 7.29); lists are named by their offset. */
const listHeaderSize = 12

function startList(): ByteWriter {
  const out = new ByteWriter()
  out.u32(0)
  out.u16(version)
  out.u8(addressSize)
  out.u8(0)
  out.u32(0)
  if (out.length !== listHeaderSize) throw new Error('list header size')
  return out
}

function finishList(out: ByteWriter): Uint8Array {
  out.patch32(0, out.length - 4)
  return out.bytes()
}

/**
 * Debug sections for the objects that have lines or debug information; none when no object has.
 * @param symbol addresses of the program's symbols
 * @param directory what relative source paths are relative to
 */
export function writeDebugSections(
  inputs: readonly DebugInput[],
  symbol: (name: string) => bigint | undefined,
  directory = '.',
): DebugSection[] {
  const described = inputs.filter(({ object }) => object.lines.length > 0 || object.debug)
  if (described.length === 0) return []
  const abbreviations = new Abbreviations()
  const info = new ByteWriter()
  const line = new ByteWriter()
  const frame = new ByteWriter()
  const locations = startList()
  const ranges = startList()
  const commonEntry = writeCommonEntry(frame)
  for (const { object, resolve } of described) {
    const files = fileTable(object)
    const lineOffset = line.length
    writeLineProgram(line, object, files, directory, resolve)
    const unitStart = info.length
    const unit = buildUnit(object, { resolve, symbol, files, directory, lineOffset, locations, ranges })
    info.sized(() => {
      info.u16(version)
      info.u8(UT.compile)
      info.u8(addressSize)
      info.u32(0)
      encodeTree(unit, info, abbreviations, unitStart)
    })
    for (const range of object.debug?.frames ?? []) {
      const address = resolve(range.section, range.offset)
      if (address !== undefined) writeFrame(frame, range, address, commonEntry)
    }
  }
  return [
    { name: '.debug_info', bytes: info.bytes() },
    { name: '.debug_abbrev', bytes: abbreviations.bytes() },
    { name: '.debug_line', bytes: line.bytes() },
    { name: '.debug_loclists', bytes: finishList(locations) },
    { name: '.debug_rnglists', bytes: finishList(ranges) },
    { name: '.debug_frame', bytes: frame.bytes() },
  ]
}
