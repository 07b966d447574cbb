// Owns unpacking the root archive, a cpio file of the "newc" form: 110 bytes of header in ASCII hexadecimal, the name, the contents,
// each padded to 4 bytes. Contents stay where they are (vfs/memfs.ts borrows them). Called while the machine starts.
import { FileType } from '../abi'
import { printLine } from '../print'
import { memAdd, memBorrow, memNode } from './memfs'
import { Node } from './node'

const HEADER: u32 = 110

function field(at: usize, index: u32): u32 {
  let value: u32 = 0
  for (let digit: u32 = 0; digit < 8; digit++) {
    const character: u32 = load<u8>(at + 6 + index * 8 + digit)
    value = (value << 4) | (character <= 57 ? character - 48 : (character | 32) - 87)
  }
  return value
}

function child(directory: Node, name: usize, length: u32): Node | null {
  // Names of the archive's own directories: few, found by listing the list that memfs keeps.
  for (let at: u32 = directory.data; at != 0; at = load<u32>(at)) {
    if (load<u32>(at, 12) != length) continue
    let index: u32 = 0
    while (index < length && load<u8>(at + 16 + index) == load<u8>(name + index)) index++
    if (index == length) return changetype<Node>(<usize>load<u32>(at, 4))
  }
  return null
}

/** Adds everything in the archive to the root; false when it is none, or damaged. */
@init export function unpackArchive(root: Node, from: usize, to: usize): bool {
  let at = from
  while (at + HEADER <= to) {
    if (load<u8>(at) != 0x30 || load<u8>(at + 1) != 0x37 || load<u8>(at + 5) != 0x31) return false
    const mode = field(at, 1)
    const bytes = field(at, 6)
    const nameBytes = field(at, 11)
    const name = at + HEADER
    const contents = (name + nameBytes + 3) & ~3
    if (nameBytes == 0 || contents > to || bytes > <u32>(to - contents)) return false
    if (nameBytes == 11 && load<u64>(name) == 0x2152454c49415254) return true
    if (!place(root, name, nameBytes - 1, mode & 0xf000, contents, bytes)) printLine('kernel: a file of the root archive was left out')
    at = (contents + bytes + 3) & ~3
  }
  return at == to
}

function place(root: Node, name: usize, length: u32, type: u32, contents: usize, bytes: u32): bool {
  let directory = root
  let at: u32 = 0
  for (;;) {
    while (at < length && load<u8>(name + at) == 47) at++
    const begin = at
    while (at < length && load<u8>(name + at) != 47) at++
    const part = at - begin
    if (part == 0) return true
    if (part == 1 && load<u8>(name + begin) == 46) continue
    const known = child(directory, name + begin, part)
    if (at == length) {
      if (known != null) return type == FileType.directory
      const node = memNode(type == FileType.directory ? FileType.directory : FileType.regular)
      if (node == null) return false
      if (type != FileType.directory) memBorrow(node, contents, bytes)
      return memAdd(directory, name + begin, part, node)
    }
    if (known != null) directory = known
    else {
      const made = memNode(FileType.directory)
      if (made == null || !memAdd(directory, name + begin, part, made)) return false
      directory = made
    }
  }
  return false
}
