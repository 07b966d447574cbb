/** From fragments to an object: sizes, bytes, relocations, symbols, lines. */
import { encode } from '../../isa/codec.ts'
import { cImmB, cImmJ, fieldMask, immB, insertField } from '../../isa/fields.ts'
import { findInstruction } from '../../isa/instructions.ts'
import type { LineRow, ObjectFile, ObjectSymbol, Relocation, Section } from '../object.ts'
import type { Assembler } from './assembler.ts'
import { buildFrames } from './cfi.ts'
import { evaluate } from './expression.ts'
import { absoluteSymbol, resolveFixup, type FixupType } from './fixup.ts'
import { AssemblyError } from './position.ts'
import { encodeLeb, lebValue, relaxSection } from './relax.ts'
import type { AlignFragment, BranchFragment, Fragment, SectionBuilder } from './section.ts'
import { isAssemblerLocal, type AssemblySymbol } from './symbol.ts'

/** Lays out everything that was read. Errors go to `assembler.report`. */
export function finish(assembler: Assembler, name: string): ObjectFile {
  for (const section of assembler.sections.values()) {
    // GNU pads the end of code up to the section's alignment.
    if (section.shape.flags.execute && section.fragments.length > 0) addEndPadding(section)
  }
  const placed = [...assembler.sections.values()].filter((section) => {
    try {
      relaxSection(section)
      return true
    } catch (error) {
      // Fragments without places have no bytes; with an error there is no object anyway.
      assembler.report(error)
      return false
    }
  })
  const sections = placed.map((section) => buildSection(assembler, section))
  const symbols = buildSymbols(assembler, sections)
  const lines = [...assembler.sections.values()].flatMap(buildLines)
  const frames = buildFrames(assembler.cfi)
  const debug = { language: 'assembler', file: name, types: [], functions: [], variables: [], frames } as const
  return { name, sections, symbols, lines, ...(frames.length > 0 ? { debug } : {}) }
}

function addEndPadding(section: SectionBuilder): void {
  const { alignment } = section
  section.add({
    kind: 'align',
    address: 0,
    index: section.nextIndex(),
    alignment,
    maximum: undefined,
    code: true,
    fill: 0,
    fillSize: 1,
    size: 0,
  })
}

function buildSection(assembler: Assembler, section: SectionBuilder): Section {
  const { name, alignment, shape } = section
  const size = section.size()
  const relocations: Relocation[] = []
  const bytes = new Uint8Array(shape.kind === 'nobits' ? 0 : size)
  if (shape.kind !== 'nobits') {
    for (const fragment of section.fragments) {
      try {
        writeFragment(assembler, section, fragment, bytes, relocations)
      } catch (error) {
        assembler.report(error)
      }
    }
  }
  return { name, kind: shape.kind, flags: shape.flags, alignment, size, bytes, relocations }
}

function writeFragment(
  assembler: Assembler,
  section: SectionBuilder,
  fragment: Fragment,
  bytes: Uint8Array,
  relocations: Relocation[],
): void {
  switch (fragment.kind) {
    case 'data':
      bytes.set(fragment.bytes.view(), fragment.address)
      for (const fixup of fragment.fixups) {
        try {
          resolveFixup(section, fragment, fixup, bytes, relocations)
        } catch (error) {
          assembler.report(error, fixup.span)
        }
      }
      return
    case 'align':
      writePadding(fragment, bytes)
      return
    case 'branch':
      writeBranch(section, fragment, bytes, relocations)
      return
    case 'space':
    case 'org':
      bytes.fill(fragment.fill, fragment.address, fragment.address + fragment.size)
      return
    case 'leb':
      bytes.set(encodeLeb(lebValue(fragment), fragment.signed, fragment.size), fragment.address)
  }
}

const nop = encode(findInstruction('addi')!, { rd: 0, rs1: 0, imm: 0 })
const shortNop = findInstruction('c.nop')!.match

/** Code is padded with a zero byte and a short nop as needed, then with full ones. */
function writePadding(fragment: AlignFragment, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer)
  let at = fragment.address
  const end = at + fragment.size
  if (!fragment.code) {
    // GNU puts a pattern of several bytes at the end, after zeros.
    for (at += fragment.size % fragment.fillSize; at < end; at += fragment.fillSize) {
      for (let i = 0; i < fragment.fillSize; i++) bytes[at + i] = (fragment.fill >>> (8 * i)) & 255
    }
    return
  }
  if ((end - at) % 2 === 1) at++
  if ((end - at) % 4 === 2) {
    view.setUint16(at, shortNop, true)
    at += 2
  }
  for (; at < end; at += 4) view.setUint32(at, nop, true)
}

/** The bit in which a branch and its inverse differ. */
const inversion = {
  long: findInstruction('beq')!.match ^ findInstruction('bne')!.match,
  short: findInstruction('c.beqz')!.match ^ findInstruction('c.bnez')!.match,
}

function writeBranch(section: SectionBuilder, fragment: BranchFragment, bytes: Uint8Array, relocations: Relocation[]): void {
  const view = new DataView(bytes.buffer)
  const { address, size, conditional, short, long } = fragment
  const jump = findInstruction('jal')!.match
  let at = 0
  let type: FixupType = conditional ? 'R_RISCV_BRANCH' : 'R_RISCV_JAL'
  if (size === 2) {
    view.setUint16(address, short!, true)
    type = conditional ? 'R_RISCV_RVC_BRANCH' : 'R_RISCV_RVC_JUMP'
  } else if (size === 4) {
    view.setUint32(address, long, true)
  } else {
    at = size - 4
    type = 'R_RISCV_JAL'
    if (size === 6) view.setUint16(address, ((short! & ~fieldMask(cImmB)) ^ inversion.short) | insertField(cImmB, size), true)
    else view.setUint32(address, ((long ^ inversion.long) | insertField(immB, size)) >>> 0, true)
    view.setUint32(address + at, jump, true)
  }
  const clear = size === 2 && !conditional ? fieldMask(cImmJ) : 0
  if (clear) view.setUint16(address, view.getUint16(address, true) & ~clear, true)
  resolveFixup(section, fragment, { offset: at, type, expression: fragment.target, span: fragment.span }, bytes, relocations)
}

function buildSymbols(assembler: Assembler, sections: readonly Section[]): ObjectSymbol[] {
  const symbols: ObjectSymbol[] = []
  const mentioned = new Set(sections.flatMap((section) => section.relocations.map((relocation) => relocation.symbol)))
  for (const symbol of assembler.symbols.all()) {
    if (isAssemblerLocal(symbol.name) && !mentioned.has(symbol.name)) {
      continue
    }
    try {
      const made = buildSymbol(assembler, symbol, mentioned.has(symbol.name))
      if (made) symbols.push(made)
    } catch (error) {
      assembler.report(error, symbol.definedAt)
    }
  }
  return symbols
}

function buildSymbol(assembler: Assembler, symbol: AssemblySymbol, mentioned: boolean): ObjectSymbol | undefined {
  const { name, binding, type } = symbol
  const size = symbol.size ? sizeOf(symbol) : 0
  if (symbol.place) {
    const { section, fragment, offset } = symbol.place
    return { name, binding, type, section: section.name, value: fragment.address + offset, size }
  }
  if (symbol.common) {
    const { common } = symbol
    return { name, binding, type: 'object', section: '*COM*', value: common.alignment, size: common.size }
  }
  if (symbol.equated) {
    const value = evaluate(symbol.equated, 'final')
    if (value.minus || (value.plus && !value.plus.place)) {
      // A name for another object's symbol exists only where it is used.
      if (!value.minus && binding === 'local') return undefined
      throw new AssemblyError('asm/no-relocation', `${name} cannot be defined by ${(value.minus ?? value.plus)!.name}`, symbol.definedAt)
    }
    const place = value.plus?.place
    if (place)
      return {
        name,
        binding,
        type: type === 'none' ? value.plus!.type : type,
        section: place.section.name,
        value: place.fragment.address + place.offset + Number(value.constant),
        size,
      }
    return { name, binding, type, section: absoluteSymbol, value: Number(value.constant), size }
  }
  if (!mentioned && binding === 'local') return undefined
  if (isAssemblerLocal(name)) {
    const written = /^\.L(\d+)@/.exec(name)?.[1]
    const what = written ? `there is no label ${written}: after this line` : `${name} is not defined`
    throw new AssemblyError('asm/undefined-label', what, symbol.definedAt ?? firstUse(assembler, symbol))
  }
  return { name, binding: binding === 'local' ? 'global' : binding, type, section: undefined, value: 0, size: 0 }
}

function sizeOf(symbol: AssemblySymbol): number {
  const value = evaluate(symbol.size!, 'final')
  if (value.plus || value.minus)
    throw new AssemblyError('asm/not-constant', `the size of ${symbol.name} is not a constant`, symbol.size!.span)
  return Number(value.constant)
}

/** Where an undefined assembler-local name is used. */
function firstUse(assembler: Assembler, symbol: AssemblySymbol) {
  for (const section of assembler.sections.values()) {
    for (const fragment of section.fragments) {
      if (fragment.kind === 'branch' && evaluate(fragment.target, 'final').plus === symbol) return fragment.span
      if (fragment.kind !== 'data') continue
      const use = fragment.fixups.find((fixup) => evaluate(fixup.expression, 'final').plus === symbol)
      if (use) return use.span
    }
  }
  return undefined
}

/** Rows in address order; only the last of several at one place counts, and repeating the row before says nothing. */
function buildLines(section: SectionBuilder): LineRow[] {
  const rows: LineRow[] = []
  for (const { fragment, offset, file, line, column } of section.lines) {
    const row = { section: section.name, offset: fragment.address + offset, file, line, column }
    if (rows.at(-1)?.offset === row.offset) rows.pop()
    const last = rows.at(-1)
    if (last && last.file === file && last.line === line && last.column === column) continue
    rows.push(row)
  }
  return rows
}
