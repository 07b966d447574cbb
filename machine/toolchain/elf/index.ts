/** ELF64 for RISC-V: reading programs, reading and writing objects and archives. */
export { isArchive, readArchive, type ArchiveMember } from './archive.ts'
export { readObject } from './object-reader.ts'
export { writeObject } from './object-writer.ts'
export { rawImage, type RawImage } from './raw-image.ts'
export { ElfError, isElf, readElf, type ElfFile, type ElfSection, type ElfSegment, type ElfSymbol } from './reader.ts'
export { writeElf, type ElfOutput, type OutputSection, type OutputSegment, type OutputSymbol } from './writer.ts'
