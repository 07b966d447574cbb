/** Reads `ar` archives in GNU's format (System V `ar`, with `//` for long names). */
import { ElfError } from './reader.ts'

export interface ArchiveMember {
  readonly name: string
  readonly bytes: Uint8Array
}

const magic = '!<arch>\n'
const headerSize = 60

/** True when the bytes start like an archive. */
export function isArchive(bytes: Uint8Array): boolean {
  return bytes.length >= magic.length && text(bytes, 0, magic.length) === magic
}

function text(bytes: Uint8Array, offset: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + length))
}

/**
 * The archive's members, without its symbol index.
 * @throws ElfError when it is damaged.
 */
export function readArchive(bytes: Uint8Array): ArchiveMember[] {
  if (!isArchive(bytes)) throw new ElfError('it is not an archive')
  const members: ArchiveMember[] = []
  let longNames = new Uint8Array()
  for (let at = magic.length; at < bytes.length;) {
    if (at + headerSize > bytes.length) throw new ElfError('the archive is truncated')
    const written = text(bytes, at, 16).trimEnd()
    const sizeText = text(bytes, at + 48, 10).trim()
    if (text(bytes, at + 58, 2) !== '`\n' || !/^\d+$/.test(sizeText)) throw new ElfError('an archive member has a bad header')
    const size = Number(sizeText)
    const start = at + headerSize
    if (start + size > bytes.length) throw new ElfError('the archive is truncated')
    const contents = bytes.subarray(start, start + size)
    if (written === '//') longNames = Uint8Array.from(contents)
    else if (written !== '/' && written !== '/SYM64/') members.push({ name: memberName(written, longNames), bytes: contents })
    // Members start at even offsets.
    at = start + size + (size & 1)
  }
  return members
}

function memberName(written: string, longNames: Uint8Array): string {
  const reference = /^\/(\d+)$/.exec(written)
  if (!reference) return written.replace(/\/$/, '')
  const start = Number(reference[1])
  const end = longNames.indexOf(0x0a, start)
  if (start >= longNames.length || end < 0) throw new ElfError('an archive member has no name')
  return text(longNames, start, Math.min(end - start, 4096)).replace(/\/$/, '')
}
