/** From files to RAM: what to put where, and where to start. Everything wrong with a file is one line that names it. */
import { gunzipSync } from 'node:zlib'
import { type ElfFile, type ElfSegment, ElfError, isElf, readElf } from '../toolchain/elf/reader.ts'

/** A file or an option cannot be used; the message is for the user. */
export class LoadError extends Error {}

export interface Placement {
  readonly address: number
  readonly bytes: Uint8Array
  /** Bytes in memory; those beyond `bytes` are zero. */
  readonly size: number
  /** For messages. */
  readonly name: string
}

export interface LoadedProgram {
  readonly placements: readonly Placement[]
  readonly entry: number
  readonly elf?: ElfFile
  /** A kernel image, which by its format starts in S-mode (Documentation/arch/riscv/boot.rst). */
  readonly supervisor?: boolean
}

const LINUX_IMAGE_MAGIC = 0x05435352 // "RSC\x05", Documentation/arch/riscv/boot-image-header.rst
const GZIP_MAGIC = 0x8b1f
/** A compressed file must not fill the host's memory. */
const MOST_UNPACKED = 1 << 30

/**
 * Reads a program: ELF, a RISC-V Linux `Image`, gzip of either, or raw bytes.
 * `imageBase` is where RAM's payload area starts for an Image or raw bytes.
 */
export function loadProgram(name: string, file: Uint8Array, imageBase: number): LoadedProgram {
  const bytes = unpack(name, file)
  if (bytes.length === 0) throw new LoadError(`${name}: the file is empty`)
  if (isElf(bytes)) return loadElf(name, bytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length >= 64 && view.getUint32(0x38, true) === LINUX_IMAGE_MAGIC) {
    const textOffset = Number(view.getBigUint64(0x08, true))
    const size = Math.max(Number(view.getBigUint64(0x10, true)), bytes.length)
    // The offset counts from the start of RAM, where firmware lives below the payload.
    const address = Math.floor(imageBase / 0x200000) * 0x200000 === imageBase ? imageBase : imageBase + textOffset
    return { placements: [{ address, bytes, size, name }], entry: address, supervisor: true }
  }
  return { placements: [{ address: imageBase, bytes, size: bytes.length, name }], entry: imageBase }
}

function unpack(name: string, file: Uint8Array): Uint8Array {
  if (file.length < 18 || (file[0] | (file[1] << 8)) !== GZIP_MAGIC) return file
  try {
    return gunzipSync(file, { maxOutputLength: MOST_UNPACKED })
  } catch (error) {
    throw new LoadError(`${name}: damaged gzip file (${(error as Error).message})`)
  }
}

function loadElf(name: string, bytes: Uint8Array): LoadedProgram {
  let elf: ElfFile
  try {
    elf = readElf(bytes)
  } catch (error) {
    if (error instanceof ElfError) throw new LoadError(`${name}: ${error.message}`)
    throw error
  }
  if (elf.type === 'relocatable') throw new LoadError(`${name}: an object file that was not linked`)
  const placements = elf.segments
    .filter((segment) => segment.memorySize > 0)
    .map((segment) => withoutHeaders(elf, segment))
    .map((segment) => ({ address: Number(segment.paddr), bytes: segment.fileBytes, size: segment.memorySize, name }))
  if (placements.length === 0) throw new LoadError(`${name}: no segment to load`)
  return { placements, entry: entryAddress(elf), elf }
}

/** Linkers put the file's own headers in front of the first section, often below the start of RAM: they are not part of the program. */
function withoutHeaders(elf: ElfFile, segment: ElfSegment): ElfSegment {
  if (!isElf(segment.fileBytes)) return segment
  const end = segment.vaddr + BigInt(segment.memorySize)
  const starts = elf.sections
    .filter(({ flags, address }) => flags.alloc && address >= segment.vaddr && address < end)
    .map(({ address }) => address)
  if (starts.length === 0) return segment
  const skip = Number(starts.reduce((a, b) => (a < b ? a : b)) - segment.vaddr)
  return {
    ...segment,
    vaddr: segment.vaddr + BigInt(skip),
    paddr: segment.paddr + BigInt(skip),
    fileBytes: segment.fileBytes.subarray(skip),
    memorySize: segment.memorySize - skip,
  }
}

/** Programs linked at virtual addresses start at the physical address of their entry's segment. */
function entryAddress(elf: ElfFile): number {
  for (const segment of elf.segments) {
    if (elf.entry >= segment.vaddr && elf.entry < segment.vaddr + BigInt(segment.memorySize)) {
      return Number(elf.entry - segment.vaddr + segment.paddr)
    }
  }
  return Number(elf.entry)
}

/** Refuses placements outside of RAM or over each other. */
export function checkPlacements(placements: readonly Placement[], ramBase: number, ramSize: number): void {
  const sorted = [...placements].sort((a, b) => a.address - b.address)
  const hex = (value: number) => `0x${value.toString(16)}`
  for (const [index, { address, size, name }] of sorted.entries()) {
    if (address < ramBase || address + size > ramBase + ramSize) {
      throw new LoadError(
        `${name}: ${hex(address)}..${hex(address + size)} lies outside of RAM (${hex(ramBase)}..${hex(ramBase + ramSize)})`,
      )
    }
    const next = sorted[index + 1]
    if (next && address + size > next.address && size > 0 && next.size > 0) {
      throw new LoadError(`${name} at ${hex(address)}..${hex(address + size)} overlaps ${next.name} at ${hex(next.address)}`)
    }
  }
}
