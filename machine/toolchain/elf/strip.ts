/** The part of an executable that a loader reads: header, program headers and segments, without sections and symbols. */
import { fileType, headerSize, machineRiscv, programHeaderSize, segmentType } from './format.ts'
import { readElf } from './reader.ts'

/** Segments keep their offset modulo this, so that a loader may map pages. */
const pageSize = 4096

/** @throws ElfError when the file is no ELF file. */
export function stripElf(file: Uint8Array): Uint8Array {
  const elf = readElf(file)
  let end = headerSize + elf.segments.length * programHeaderSize
  const offsets = elf.segments.map(({ vaddr, fileBytes }) => {
    if (fileBytes.length === 0) return end
    const offset = end + ((((Number(vaddr % BigInt(pageSize)) - end) % pageSize) + pageSize) % pageSize)
    end = offset + fileBytes.length
    return offset
  })
  const bytes = new Uint8Array(end)
  const view = new DataView(bytes.buffer)
  // Magic, class, byte order and version are the file's own.
  bytes.set(file.subarray(0, 16))
  view.setUint16(16, fileType.executable, true)
  view.setUint16(18, machineRiscv, true)
  view.setUint32(20, 1, true)
  view.setBigUint64(24, elf.entry, true)
  view.setBigUint64(32, BigInt(headerSize), true)
  view.setUint32(48, elf.flags, true)
  view.setUint16(52, headerSize, true)
  view.setUint16(54, programHeaderSize, true)
  view.setUint16(56, elf.segments.length, true)
  elf.segments.forEach(({ vaddr, paddr, fileBytes, memorySize, flags }, index) => {
    const at = headerSize + index * programHeaderSize
    view.setUint32(at, segmentType.load, true)
    view.setUint32(at + 4, (flags.read ? 4 : 0) | (flags.write ? 2 : 0) | (flags.execute ? 1 : 0), true)
    view.setBigUint64(at + 8, BigInt(offsets[index]), true)
    view.setBigUint64(at + 16, vaddr, true)
    view.setBigUint64(at + 24, paddr, true)
    view.setBigUint64(at + 32, BigInt(fileBytes.length), true)
    view.setBigUint64(at + 40, BigInt(memorySize), true)
    view.setBigUint64(at + 48, BigInt(pageSize), true)
    bytes.set(fileBytes, offsets[index])
  })
  return bytes
}
