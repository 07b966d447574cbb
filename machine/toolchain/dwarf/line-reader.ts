/** Line tables, versions 2 to 5 (DWARF 5, 6.2). */
import { FORM, LNCT, LNE, LNS } from './constants.ts'
import { Cursor, DwarfError, stringAt } from './cursor.ts'

export interface LineEntry {
  readonly address: bigint
  readonly file: string
  readonly line: number
  readonly column: number
  /** First address after a sequence: belongs to nothing. */
  readonly end: boolean
}

export interface LineSections {
  readonly line: Uint8Array
  readonly strings: Uint8Array
  readonly lineStrings: Uint8Array
}

export interface LineProgram {
  /** Offset in `.debug_line`, by which units name it. */
  readonly offset: number
  /** By the program's own numbers. */
  readonly files: ReadonlyMap<number, string>
  readonly entries: readonly LineEntry[]
}

/** No program has this many lines; damaged ones may seem to. */
const maximumEntries = 5_000_000

/** All programs of a `.debug_line` section. */
export function readLinePrograms(sections: LineSections): LineProgram[] {
  const programs: LineProgram[] = []
  const cursor = new Cursor(sections.line)
  let budget = maximumEntries
  while (!cursor.done) {
    const offset = cursor.at
    const program = readProgram(cursor.unit(), offset, sections, budget)
    budget -= program.entries.length
    programs.push(program)
  }
  return programs
}

function join(directory: string | undefined, name: string): string {
  return directory === undefined || directory === '' || directory === '.' || name.startsWith('/') ? name : `${directory}/${name}`
}

interface Header {
  readonly minimumInstruction: number
  readonly lineBase: number
  readonly lineRange: number
  readonly opcodeBase: number
  readonly operandCounts: readonly number[]
  readonly files: Map<number, string>
}

function readProgram(unit: Cursor, offset: number, sections: LineSections, budget: number): LineProgram {
  const version = unit.u16()
  if (version < 2 || version > 5) throw new DwarfError(`line tables of version ${version} are not supported`)
  if (version === 5) unit.skip(2)
  const headerLength = unit.u32()
  const programStart = unit.at + headerLength
  const header = readHeader(unit, version, sections)
  if (programStart > unit.end) throw new DwarfError('a line table is truncated')
  unit.at = programStart
  return { offset, files: header.files, entries: runProgram(unit, header, budget) }
}

function readHeader(unit: Cursor, version: number, sections: LineSections): Header {
  const minimumInstruction = unit.u8()
  if (version >= 4) unit.u8()
  unit.u8()
  const lineBase = (unit.u8() << 24) >> 24
  const lineRange = unit.u8()
  const opcodeBase = unit.u8()
  if (lineRange === 0 || opcodeBase === 0) throw new DwarfError('a line table has an impossible header')
  const operandCounts = [0]
  for (let opcode = 1; opcode < opcodeBase; opcode++) operandCounts.push(unit.u8())
  const files = version === 5 ? readFiles5(unit, sections) : readFiles(unit)
  return { minimumInstruction, lineBase, lineRange, opcodeBase, operandCounts, files }
}

/** Versions 2 to 4: strings up to an empty one; numbers start at 1. */
function readFiles(unit: Cursor): Map<number, string> {
  const directories: string[] = ['']
  for (let text = unit.string(); text !== ''; text = unit.string()) directories.push(text)
  const files = new Map<number, string>()
  for (let name = unit.string(); name !== ''; name = unit.string()) {
    const directory = unit.uleb()
    unit.uleb()
    unit.uleb()
    files.set(files.size + 1, join(directories[directory], name))
  }
  return files
}

function readFiles5(unit: Cursor, sections: LineSections): Map<number, string> {
  const directories = readEntries(unit, sections).map(({ path }) => path)
  // The first directory is the compilation's own: paths relative to it stay relative.
  return new Map(
    readEntries(unit, sections).map(({ path, directory }, index) => [
      index,
      join(directory > 0 ? directories[directory] : undefined, path),
    ]),
  )
}

function readEntries(unit: Cursor, sections: LineSections): { path: string; directory: number }[] {
  const formats = Array.from({ length: unit.u8() }, () => ({ content: unit.uleb(), form: unit.uleb() }))
  const count = unit.uleb()
  if (count > unit.end - unit.at) throw new DwarfError('a line table has an impossible number of files')
  return Array.from({ length: count }, () => {
    const entry = { path: '', directory: 0 }
    for (const { content, form } of formats) {
      const value = readEntryForm(unit, form, sections)
      if (content === LNCT.path) entry.path = String(value)
      if (content === LNCT.directoryIndex) entry.directory = Number(value)
    }
    return entry
  })
}

function readEntryForm(unit: Cursor, form: number, sections: LineSections): string | number {
  switch (form) {
    case FORM.string:
      return unit.string()
    case FORM.lineStrp:
      return stringAt(sections.lineStrings, unit.u32())
    case FORM.strp:
      return stringAt(sections.strings, unit.u32())
    case FORM.udata:
      return unit.uleb()
    case FORM.data1:
      return unit.u8()
    case FORM.data2:
      return unit.u16()
    case FORM.data4:
      return unit.u32()
    case FORM.data8:
      return Number(unit.u64())
    case FORM.data16:
      unit.skip(16)
      return 0
    case FORM.block:
      unit.skip(unit.uleb())
      return 0
    default:
      throw new DwarfError(`form ${form} is not expected in a line table`)
  }
}

function runProgram(unit: Cursor, header: Header, budget: number): LineEntry[] {
  const entries: LineEntry[] = []
  const state = { address: 0n, file: 1, line: 1, column: 0 }
  const reset = (): void => void Object.assign(state, { address: 0n, file: 1, line: 1, column: 0 })
  const emit = (end: boolean): void => {
    if (entries.length >= budget) throw new DwarfError('a line table is impossibly long')
    entries.push({ address: state.address, file: header.files.get(state.file) ?? '', line: state.line, column: state.column, end })
  }
  const advance = (operations: number): void => {
    state.address = BigInt.asUintN(64, state.address + BigInt(operations * header.minimumInstruction))
  }
  while (!unit.done) {
    const opcode = unit.u8()
    if (opcode >= header.opcodeBase) {
      const adjusted = opcode - header.opcodeBase
      advance(Math.floor(adjusted / header.lineRange))
      state.line += header.lineBase + (adjusted % header.lineRange)
      emit(false)
      continue
    }
    switch (opcode) {
      case 0: {
        const length = unit.uleb()
        const extended = new Cursor(unit.bytes, unit.skip(length), unit.at)
        if (length === 0) break
        const code = extended.u8()
        if (code === LNE.setAddress) state.address = extended.address(length - 1)
        if (code === LNE.endSequence) {
          emit(true)
          reset()
        }
        break
      }
      case LNS.copy:
        emit(false)
        break
      case LNS.advancePc:
        advance(unit.uleb())
        break
      case LNS.advanceLine:
        state.line += Number(unit.sleb())
        break
      case LNS.setFile:
        state.file = unit.uleb()
        break
      case LNS.setColumn:
        state.column = unit.uleb()
        break
      case LNS.constAddPc:
        advance(Math.floor((255 - header.opcodeBase) / header.lineRange))
        break
      case LNS.fixedAdvancePc:
        state.address = BigInt.asUintN(64, state.address + BigInt(unit.u16()))
        break
      default:
        for (let i = 0; i < header.operandCounts[opcode]; i++) unit.uleb64()
    }
  }
  return entries
}
