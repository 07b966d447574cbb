/** Which definition each name means, across objects and archives. */
import type { Diagnostic } from '../diagnostic.ts'
import { readArchive } from '../elf/archive.ts'
import { readObject } from '../elf/object-reader.ts'
import type { ObjectFile, ObjectSymbol } from '../object.ts'
import { linkDiagnostic, sourcePosition } from './diagnostics.ts'

/** A library: its members are taken only when they define something that is missing. */
export interface Archive {
  readonly name: string
  readonly members: readonly ObjectFile[]
}

export type LinkInput = ObjectFile | Archive

/**
 * Reads an `ar` library of ELF objects.
 * @throws ElfError when it or a member is damaged.
 */
export function openArchive(bytes: Uint8Array, name: string): Archive {
  return { name, members: readArchive(bytes).map((member) => readObject(member.bytes, `${name}(${member.name})`)) }
}

export interface Definition {
  readonly object: ObjectFile
  readonly symbol: ObjectSymbol
}

export interface GlobalSymbols {
  readonly objects: readonly ObjectFile[]
  readonly definitions: ReadonlyMap<string, Definition>
}

function isArchive(input: LinkInput): input is Archive {
  return 'members' in input
}

function strength(symbol: ObjectSymbol): number {
  if (symbol.section === '*COM*') return 1
  return symbol.binding === 'weak' ? 0 : 2
}

/** Collects the objects to link and resolves global names. `wanted` are names that must be looked for even if no object uses them. */
export function resolveSymbols(inputs: readonly LinkInput[], wanted: readonly string[], diagnostics: Diagnostic[]): GlobalSymbols {
  const objects = inputs.filter((input): input is ObjectFile => !isArchive(input))
  const definitions = new Map<string, Definition>()
  const undefinedNames = new Set(wanted)
  for (const object of objects) addObject(object, definitions, undefinedNames, diagnostics)
  const candidates = inputs.filter(isArchive).flatMap((archive) => archive.members)
  const taken = new Set<ObjectFile>()
  // A member may need an earlier one, so go round until nothing more is taken.
  for (let progress = true; progress;) {
    progress = false
    for (const member of candidates) {
      if (taken.has(member) || !definesMissing(member, definitions, undefinedNames)) continue
      taken.add(member)
      objects.push(member)
      addObject(member, definitions, undefinedNames, diagnostics)
      progress = true
    }
  }
  return { objects: [...objects, ...allocateCommon(definitions)], definitions }
}

function definesMissing(member: ObjectFile, definitions: ReadonlyMap<string, Definition>, undefinedNames: ReadonlySet<string>): boolean {
  return member.symbols.some(
    (symbol) =>
      symbol.binding !== 'local' &&
      symbol.section !== undefined &&
      symbol.section !== '*COM*' &&
      undefinedNames.has(symbol.name) &&
      !definitions.has(symbol.name),
  )
}

function addObject(object: ObjectFile, definitions: Map<string, Definition>, undefinedNames: Set<string>, diagnostics: Diagnostic[]): void {
  for (const symbol of object.symbols) {
    if (symbol.binding === 'local') continue
    if (symbol.section === undefined) {
      // A weak reference is content with nothing.
      if (symbol.binding === 'global') undefinedNames.add(symbol.name)
      continue
    }
    const before = definitions.get(symbol.name)
    if (!before || strength(symbol) > strength(before.symbol)) {
      definitions.set(symbol.name, { object, symbol })
    } else if (strength(symbol) === 2 && strength(before.symbol) === 2) {
      const first = sourcePosition(before.object, { section: before.symbol.section!, offset: before.symbol.value })
      diagnostics.push(
        linkDiagnostic(
          object,
          'link/duplicate-symbol',
          `${symbol.name} is defined twice`,
          { section: symbol.section, offset: symbol.value },
          `first defined at ${first.file}:${first.line}`,
        ),
      )
    } else if (symbol.section === '*COM*' && before.symbol.section === '*COM*' && symbol.size > before.symbol.size) {
      definitions.set(symbol.name, { object, symbol: { ...symbol, value: Math.max(symbol.value, before.symbol.value) } })
    }
  }
}

/** Turns the COMMON symbols that nothing else defines into sections named `COMMON`. */
function allocateCommon(definitions: Map<string, Definition>): ObjectFile[] {
  const made: ObjectFile[] = []
  for (const [name, { object, symbol }] of definitions) {
    if (symbol.section !== '*COM*') continue
    const placed: ObjectSymbol = { ...symbol, section: 'COMMON', value: 0 }
    const common: ObjectFile = {
      name: object.name,
      sections: [
        {
          name: 'COMMON',
          kind: 'nobits',
          flags: { alloc: true, write: true, execute: false },
          alignment: Math.max(1, symbol.value),
          size: symbol.size,
          bytes: new Uint8Array(),
          relocations: [],
        },
      ],
      symbols: [placed],
      lines: [],
    }
    made.push(common)
    definitions.set(name, { object: common, symbol: placed })
  }
  return made
}
