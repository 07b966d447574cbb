/** An executable as raw bytes, for the flash or the loader of a real board: what is in memory from its lowest physical address on. */
import { ElfError, type ElfFile } from './reader.ts'

/** More than any board's flash: such a file comes from segments that lie far apart. */
const MOST_BYTES = 1 << 30

export interface RawImage {
  /** Physical address of the first byte. */
  readonly address: bigint
  /** Zeros between segments; what the program only wants cleared (`.bss`) at the end is left out. */
  readonly bytes: Uint8Array
}

/** @throws ElfError when there is nothing to load, or too much. */
export function rawImage(elf: ElfFile): RawImage {
  const segments = elf.segments.filter(({ fileBytes }) => fileBytes.length > 0)
  if (segments.length === 0) throw new ElfError('the program has no bytes to load')
  const address = segments.reduce((lowest, { paddr }) => (paddr < lowest ? paddr : lowest), segments[0].paddr)
  const length = Math.max(...segments.map(({ paddr, fileBytes }) => Number(paddr - address) + fileBytes.length))
  if (length > MOST_BYTES)
    throw new ElfError(`a raw image would have ${length} bytes: the program's segments lie too far apart; use the ELF file`)
  const bytes = new Uint8Array(length)
  for (const { paddr, fileBytes } of segments) bytes.set(fileBytes, Number(paddr - address))
  return { address, bytes }
}
