/**
 * Flattened device trees (Devicetree Specification 0.4, chapter 5): build, write, read back and print them. The reader
 * believes nothing: a file from the user that is cut short or damaged becomes a `DeviceTreeError` of one line.
 */

const MAGIC = 0xd00d_feed
const VERSION = 17
const LAST_COMPATIBLE = 16
const HEADER_BYTES = 40

// Offsets of the header's fields (5.2)
const TOTAL_SIZE = 4
const OFFSET_STRUCTURE = 8
const OFFSET_STRINGS = 12
const OFFSET_RESERVATIONS = 16
const HEADER_VERSION = 20
const HEADER_LAST_COMPATIBLE = 24
const BOOT_HART = 28
const SIZE_STRINGS = 32
const SIZE_STRUCTURE = 36

// Tokens of the structure block (5.4.1)
const BEGIN_NODE = 1
const END_NODE = 2
const PROPERTY = 3
const NOP = 4
const END = 9

/** No real tree is deeper; a damaged one must not exhaust the stack of whoever walks it. */
const MOST_DEPTH = 64

export interface DeviceTreeNode {
  /** With its unit address; empty for the root. */
  readonly name: string
  /** Raw values in the order of the tree. */
  readonly properties: Map<string, Uint8Array>
  readonly children: DeviceTreeNode[]
}

export class DeviceTreeError extends Error {}

/** A string, several strings, 32-bit cells, raw bytes, or `true` for a property that is merely there. */
export type PropertyValue = string | readonly string[] | readonly number[] | Uint8Array | true

export function treeNode(name: string, properties: Record<string, PropertyValue>, children: DeviceTreeNode[] = []): DeviceTreeNode {
  return { name, properties: new Map(Object.entries(properties).map(([key, value]) => [key, propertyBytes(value)])), children }
}

export function propertyBytes(value: PropertyValue): Uint8Array {
  if (value === true) return new Uint8Array()
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return new TextEncoder().encode(value + '\0')
  if (value.every((item) => typeof item === 'string')) return new TextEncoder().encode(value.map((item) => item + '\0').join(''))
  const bytes = new Uint8Array(value.length * 4)
  const view = new DataView(bytes.buffer)
  value.forEach((cell, index) => view.setUint32(index * 4, cell as number))
  return bytes
}

/** A 64-bit number as two cells, the high one first. */
export function cells64(value: number): [number, number] {
  return [Math.floor(value / 2 ** 32), value % 2 ** 32]
}

/** The node at a path such as `/soc/serial@10000000`; a name without unit address finds the first that has one. */
export function findNode(root: DeviceTreeNode, path: string): DeviceTreeNode | undefined {
  let node: DeviceTreeNode | undefined = root
  for (const part of path.split('/').filter((name) => name !== '')) {
    node = node?.children.find((child) => child.name === part) ?? node?.children.find((child) => child.name.split('@')[0] === part)
  }
  return node
}

/** Writes a tree as a blob of version 17 without memory reservations. */
export function encodeDeviceTree(root: DeviceTreeNode, bootHart = 0): Uint8Array {
  const strings = new Map<string, number>()
  let stringBytes = 0
  const structure: number[] = []
  const word = (value: number) => structure.push(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
  const padded = (bytes: Uint8Array) => {
    for (const byte of bytes) structure.push(byte)
    while (structure.length % 4 !== 0) structure.push(0)
  }
  const visit = (node: DeviceTreeNode) => {
    word(BEGIN_NODE)
    padded(propertyBytes(node.name))
    for (const [name, value] of node.properties) {
      if (!strings.has(name)) {
        strings.set(name, stringBytes)
        stringBytes += name.length + 1
      }
      word(PROPERTY)
      word(value.length)
      word(strings.get(name)!)
      padded(value)
    }
    node.children.forEach(visit)
    word(END_NODE)
  }
  visit(root)
  word(END)
  const reservations = HEADER_BYTES
  const structureAt = reservations + 16 // one entry of zeros ends the reservations (5.3)
  const stringsAt = structureAt + structure.length
  const blob = new Uint8Array(Math.ceil((stringsAt + stringBytes) / 8) * 8)
  const view = new DataView(blob.buffer)
  view.setUint32(0, MAGIC)
  view.setUint32(TOTAL_SIZE, blob.length)
  view.setUint32(OFFSET_STRUCTURE, structureAt)
  view.setUint32(OFFSET_STRINGS, stringsAt)
  view.setUint32(OFFSET_RESERVATIONS, reservations)
  view.setUint32(HEADER_VERSION, VERSION)
  view.setUint32(HEADER_LAST_COMPATIBLE, LAST_COMPATIBLE)
  view.setUint32(BOOT_HART, bootHart)
  view.setUint32(SIZE_STRINGS, stringBytes)
  view.setUint32(SIZE_STRUCTURE, structure.length)
  blob.set(structure, structureAt)
  for (const [name, at] of strings) blob.set(new TextEncoder().encode(name), stringsAt + at)
  return blob
}

/** Reads and checks a blob. Throws a `DeviceTreeError` that says what is wrong with it. */
export function decodeDeviceTree(blob: Uint8Array): DeviceTreeNode {
  if (blob.length < HEADER_BYTES) throw new DeviceTreeError(`not a device tree: ${blob.length} bytes are less than a header`)
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length)
  if (view.getUint32(0) !== MAGIC) throw new DeviceTreeError('not a device tree: it does not begin with d00dfeed')
  const total = view.getUint32(TOTAL_SIZE)
  if (total > blob.length) throw new DeviceTreeError(`truncated device tree: ${blob.length} of ${total} bytes`)
  const version = view.getUint32(HEADER_VERSION)
  if (version < LAST_COMPATIBLE || view.getUint32(HEADER_LAST_COMPATIBLE) > VERSION)
    throw new DeviceTreeError(`device tree of version ${version}: versions 16 and 17 are understood`)
  const structureAt = view.getUint32(OFFSET_STRUCTURE)
  // Version 16 does not say how long the structure is: END closes it.
  const structureEnd = version < VERSION ? total : structureAt + view.getUint32(SIZE_STRUCTURE)
  const stringsAt = view.getUint32(OFFSET_STRINGS)
  const stringsEnd = stringsAt + view.getUint32(SIZE_STRINGS)
  if (structureAt % 4 !== 0 || structureAt < HEADER_BYTES || structureEnd > total || stringsEnd > total)
    throw new DeviceTreeError('corrupt device tree: a block lies outside the file')

  let at = structureAt
  const corrupt = (what: string) => new DeviceTreeError(`corrupt device tree: ${what} at offset 0x${at.toString(16)}`)
  const word = () => {
    if (at + 4 > structureEnd) throw corrupt('the structure ends early')
    at += 4
    return view.getUint32(at - 4)
  }
  const text = (from: number, end: number) => {
    const stop = blob.indexOf(0, from)
    if (from >= end || stop < 0 || stop >= end) throw corrupt('a name without end')
    return new TextDecoder('latin1').decode(blob.subarray(from, stop))
  }
  const align = () => (at = Math.ceil(at / 4) * 4)

  let root: DeviceTreeNode | undefined
  const open: DeviceTreeNode[] = []
  for (;;) {
    const token = word()
    const parent = open[open.length - 1]
    switch (token) {
      case BEGIN_NODE: {
        const node = { name: text(at, structureEnd), properties: new Map<string, Uint8Array>(), children: [] }
        at += node.name.length + 1
        align()
        if (parent) parent.children.push(node)
        else if (root) throw corrupt('a second root')
        else root = node
        open.push(node)
        if (open.length > MOST_DEPTH) throw corrupt(`nodes nested deeper than ${MOST_DEPTH}`)
        break
      }
      case END_NODE:
        if (!open.pop()) throw corrupt('the end of a node that was not begun')
        break
      case PROPERTY: {
        const length = word()
        const name = word()
        if (!parent) throw corrupt('a property outside a node')
        if (at + length > structureEnd) throw corrupt('a property longer than the structure')
        if (parent.children.length > 0) throw corrupt('a property after a child node')
        parent.properties.set(text(stringsAt + name, stringsEnd), blob.slice(at, at + length))
        at += length
        align()
        break
      }
      case NOP:
        break
      case END:
        if (!root || open.length > 0) throw corrupt('the end inside a node')
        return root
      default:
        throw corrupt(`unknown token ${token}`)
    }
  }
}

/** The tree as source text. Values are strings where they look like strings, else cells, else bytes, as dtc prints them. */
export function printDeviceTree(root: DeviceTreeNode): string {
  const lines = ['/dts-v1/;', '']
  const visit = (node: DeviceTreeNode, indent: string) => {
    lines.push(`${indent}${node.name || '/'} {`)
    for (const [name, value] of node.properties) lines.push(`${indent}\t${name}${value.length === 0 ? '' : ` = ${printValue(value)}`};`)
    for (const child of node.children) {
      lines.push('')
      visit(child, indent + '\t')
    }
    lines.push(`${indent}};`)
  }
  visit(root, '')
  return lines.join('\n') + '\n'
}

function printValue(value: Uint8Array): string {
  const text = new TextDecoder('latin1').decode(value)
  if (/^([ -~]+\0)+$/.test(text)) {
    const strings = text.slice(0, -1).split('\0')
    return strings.map((part) => `"${part.replace(/["\\]/g, '\\$&')}"`).join(', ')
  }
  const bytes = [...value].map((byte) => byte.toString(16).padStart(2, '0'))
  if (value.length % 4 !== 0) return `[${bytes.join(' ')}]`
  const cells = []
  for (let at = 0; at < bytes.length; at += 4) cells.push(`0x${bytes.slice(at, at + 4).join('')}`)
  return `<${cells.join(' ')}>`
}
