// The flattened device tree (Devicetree Specification 0.4, chapter 5): which harts there are, and a note that the firmware's memory is
// taken. Used once, before the next stage starts. Numbers in it are big-endian.

const MAGIC: u32 = 0xd00dfeed
const TOTAL_SIZE: usize = 4
const STRUCTURE: usize = 8
const STRINGS: usize = 12
const RESERVATIONS: usize = 16
const STRINGS_SIZE: usize = 32
const STRUCTURE_SIZE: usize = 36

const BEGIN_NODE: u32 = 1
const END_NODE: u32 = 2
const PROPERTY: u32 = 3
const NOP: u32 = 4

// Names of the properties that are added, in whole doublewords, and where each begins.
const NAMES = '#address-cells\0#size-cells\0ranges\0reg\0no-map\0\0\0\0'
const ADDRESS_CELLS: u32 = 0
const SIZE_CELLS: u32 = 15
const RANGES: u32 = 27
const REG: u32 = 34
const NO_MAP: u32 = 38

/** Bit h: hart h is there and not disabled. 0 when this is no device tree. */
export function hartsInTree(tree: usize): u32 {
  if (word(tree, 0) != MAGIC) return 0
  let at = tree + word(tree, STRUCTURE)
  const end = at + word(tree, STRUCTURE_SIZE)
  let depth: i32 = 0
  let inCpus = false
  let inCpu = false
  let number: u32 = 0
  let enabled = true
  let harts: u32 = 0
  while (at < end) {
    const token = word(at, 0)
    if (token == BEGIN_NODE) {
      depth++
      if (depth == 2) inCpus = equals(at + 4, 'cpus')
      if (depth == 3 && inCpus) {
        inCpu = startsWith(at + 4, 'cpu@')
        enabled = true
      }
    } else if (token == END_NODE) {
      if (depth == 3 && inCpu) {
        if (enabled && number < 32) harts |= 1 << number
        inCpu = false
      }
      depth--
    } else if (token == PROPERTY && inCpu && depth == 3) {
      const length = word(at, 4)
      const name = tree + word(tree, STRINGS) + word(at, 8)
      // The number's last cell: none of these boards has more.
      if (equals(name, 'reg') && length >= 4) number = word(at + 12, length - 4)
      else if (equals(name, 'status')) enabled = equals(at + 12, 'okay')
    }
    at = next(at)
  }
  return harts
}

/** Adds /reserved-memory/firmware@...: the tree grows in place, into the room that boot loaders leave behind it. */
export function reserve(tree: usize, base: u64, size: u64): void {
  if (word(tree, 0) != MAGIC) return
  const names = word(tree, STRINGS_SIZE)
  insert(tree, word(tree, STRINGS) + names, NAMES.length, STRINGS_SIZE)
  for (let i = 0; i < NAMES.length; i++) store<u8>(tree + word(tree, STRINGS) + names + i, <u8>NAMES.charCodeAt(i))

  const existing = endOf(tree, 'reserved-memory')
  const at = existing != 0 ? existing : endOf(tree, '')
  const bytes: u32 = existing != 0 ? 72 : 136
  insert(tree, <u32>(at - tree), bytes, STRUCTURE_SIZE)
  let to = at
  if (existing == 0) {
    to = put(to, BEGIN_NODE)
    to = putName(to, 'reserved-memory')
    to = putCell(to, names + ADDRESS_CELLS, 2)
    to = putCell(to, names + SIZE_CELLS, 2)
    to = putHeader(to, names + RANGES, 0)
  }
  to = put(to, BEGIN_NODE)
  to = putName(to, 'firmware@80000000')
  to = putHeader(to, names + REG, 16)
  to = put(to, <u32>(base >>> 32))
  to = put(to, <u32>base)
  to = put(to, <u32>(size >>> 32))
  to = put(to, <u32>size)
  to = putHeader(to, names + NO_MAP, 0)
  to = put(to, END_NODE)
  if (existing == 0) to = put(to, END_NODE)
  while (to < at + bytes) to = put(to, NOP)
}

/** The END_NODE of a child of the root, or of the root itself for an empty name; 0 when there is no such child. */
function endOf(tree: usize, name: string): usize {
  let at = tree + word(tree, STRUCTURE)
  const end = at + word(tree, STRUCTURE_SIZE)
  let depth: i32 = 0
  let wanted = name.length == 0
  while (at < end) {
    const token = word(at, 0)
    if (token == BEGIN_NODE) {
      depth++
      if (depth == 2 && name.length != 0) wanted = equals(at + 4, name)
    } else if (token == END_NODE) {
      if (wanted && depth == (name.length == 0 ? 1 : 2)) return at
      depth--
    }
    at = next(at)
  }
  return 0
}

/** Makes room for `bytes`, a multiple of 8, at an offset, which lies at the end of a block or within it; `sizeField` is that block's. */
function insert(tree: usize, offset: u32, bytes: u32, sizeField: usize): void {
  const total = word(tree, TOTAL_SIZE)
  memory.copy(tree + offset + bytes, tree + offset, total - offset)
  for (let field = STRUCTURE; field <= RESERVATIONS; field += 4) {
    // The block that grows begins before the room.
    if (word(tree, field) >= offset) put(tree + field, word(tree, field) + bytes)
  }
  put(tree + TOTAL_SIZE, total + bytes)
  put(tree + sizeField, word(tree, sizeField) + bytes)
}

/** A node's name, filled up with zeros to whole words. */
function putName(to: usize, name: string): usize {
  for (let i = 0; i < ((name.length + 4) & ~3); i++) store<u8>(to + i, i < name.length ? <u8>name.charCodeAt(i) : 0)
  return to + ((name.length + 4) & ~3)
}

function putHeader(to: usize, name: u32, length: u32): usize {
  return put(put(put(to, PROPERTY), length), name)
}

function putCell(to: usize, name: u32, value: u32): usize {
  return put(putHeader(to, name, 4), value)
}

/** The token after the one at `at`. */
function next(at: usize): usize {
  const token = word(at, 0)
  if (token == PROPERTY) return at + 12 + ((word(at, 4) + 3) & ~3)
  if (token != BEGIN_NODE) return at + 4
  let end = at + 4
  while (load<u8>(end) != 0) end++
  return (end + 4) & ~3
}

function equals(at: usize, text: string): bool {
  return startsWith(at, text) && load<u8>(at + text.length) == 0
}

function startsWith(at: usize, text: string): bool {
  for (let i = 0; i < text.length; i++) if (load<u8>(at + i) != <u8>text.charCodeAt(i)) return false
  return true
}

function word(at: usize, offset: usize): u32 {
  return bswap<u32>(load<u32>(at + offset))
}

function put(to: usize, value: u32): usize {
  store<u32>(to, bswap<u32>(value))
  return to + 4
}
