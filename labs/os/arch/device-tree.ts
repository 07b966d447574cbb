// Owns reading the flattened device tree (Devicetree Specification 0.3, chapter 5). Used while the machine starts.

const BEGIN_NODE: u32 = 1
const END_NODE: u32 = 2
const PROPERTY: u32 = 3
const NOP: u32 = 4
const MAGIC: u32 = 0xd00dfeed

@inline function big32(at: usize): u32 {
  return bswap<u32>(load<u32>(at))
}

/** A property's bytes; at is 0 where there is none. */
@unmanaged export class Property {
  at: usize
  bytes: u32

  cell(index: u32): u32 {
    return index * 4 + 4 <= this.bytes ? big32(this.at + index * 4) : 0
  }
  cells64(index: u32): u64 {
    return (<u64>this.cell(index) << 32) | this.cell(index + 1)
  }
}

@readOnly let tree: usize = 0
@readOnly let strings: usize = 0

/** Takes the tree at a kernel address; false when there is none. */
@init export function openTree(at: usize): bool {
  if (at == 0 || big32(at) != MAGIC) return false
  tree = at + big32(at + 8)
  strings = at + big32(at + 12)
  return true
}

export function treeBytes(at: usize): u32 {
  return big32(at) == MAGIC ? big32(at + 4) : 0
}

function length(text: usize): u32 {
  let count: u32 = 0
  while (load<u8>(text + count) != 0) count++
  return count
}

/** Compares bytes that end in zero with a literal of ASCII characters. */
export function same(text: usize, literal: string): bool {
  const count = literal.length
  for (let index = 0; index < count; index++) if (load<u8>(text + index) != <u8>literal.charCodeAt(index)) return false
  return load<u8>(text + count) == 0
}

/** The address behind the token at `at`. */
function skip(at: usize): usize {
  const token = big32(at)
  if (token == BEGIN_NODE) return (at + 4 + length(at + 4) + 4) & ~3
  if (token == PROPERTY) return (at + 12 + big32(at + 4) + 3) & ~3
  return at + 4
}

/** The next node after `node` in the order of the tree, 0 at its end; 0 gives the first. */
export function nextNode(node: usize): usize {
  if (tree == 0) return 0
  let at = node == 0 ? tree : skip(node)
  while (big32(at) == END_NODE || big32(at) == PROPERTY || big32(at) == NOP) at = skip(at)
  return big32(at) == BEGIN_NODE ? at : 0
}

export function nodeName(node: usize): usize {
  return node + 4
}

/** Looks up a property of the node itself. */
export function property(node: usize, name: string, into: Property): bool {
  into.at = 0
  into.bytes = 0
  let at = skip(node)
  for (; big32(at) == PROPERTY || big32(at) == NOP; at = skip(at)) {
    if (big32(at) == NOP || !same(strings + big32(at + 8), name)) continue
    into.at = at + 12
    into.bytes = big32(at + 4)
    return true
  }
  return false
}

/** The next node after `node` that says it is compatible with `name`. */
export function nextCompatible(node: usize, name: string): usize {
  const found = changetype<Property>(scratch)
  for (node = nextNode(node); node != 0; node = nextNode(node)) {
    if (!property(node, 'compatible', found)) continue
    for (let at = found.at; at < found.at + found.bytes; at += length(at) + 1) if (same(at, name)) return node
  }
  return 0
}

/** The node of a path of one name below the root, with or without its unit address. */
export function childOfRoot(name: string): usize {
  const count = name.length
  for (let node = nextNode(0); node != 0; node = nextNode(node)) {
    const text = nodeName(node)
    let index = 0
    while (index < count && load<u8>(text + index) == <u8>name.charCodeAt(index)) index++
    const after = load<u8>(text + index)
    if (index == count && (after == 0 || after == 0x40)) return node
  }
  return 0
}

const scratch = memory.data(16, 8)
