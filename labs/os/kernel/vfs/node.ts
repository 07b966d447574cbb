// Owns what a file is to the rest of the kernel: nodes, the operations a file system gives for them, open files. A file system
// keeps one node per file while anybody has a reference; node.data is its own.
import { FileType } from '../abi'
import { create, destroy } from '../mm/heap'
import { SpinLock } from '../sync/spin'
import { Activity } from '../task/task'

/**
 * A file system's operations. Results are counts, pointers or -errno. User memory is `address` as the activity has it
 * (mm/user.ts); names are kernel pointers with their length, never empty, "." or "..", at most 255 bytes.
 */
@unmanaged export class NodeOperations {
  /** The node of a name, with a reference for the caller. */
  lookup: (directory: Node, name: usize, length: u32, activity: Activity) => Promise<i64>
  /** Makes a file or directory (FileType) and gives its node, with a reference. */
  make: (directory: Node, name: usize, length: u32, type: u32, activity: Activity) => Promise<i64>
  remove: (directory: Node, name: usize, length: u32, wantDirectory: bool, activity: Activity) => Promise<i64>
  /** Within one file system; replaces what has the new name. */
  rename: (from: Node, name: usize, length: u32, to: Node, newName: usize, newLength: u32, activity: Activity) => Promise<i64>
  /** Fills `entry` with what stands at `cursor`; gives the cursor after it, or 0 at the end. */
  list: (directory: Node, cursor: u64, entry: DirectoryEntry, activity: Activity) => Promise<i64>
  read: (file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity) => Promise<i64>
  write: (file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity) => Promise<i64>
  /** The same when it can be done without waiting, else PENDING: what is at hand costs no task. */
  readNow: (file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity) => i64
  writeNow: (file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity) => i64
  truncate: (node: Node, size: u64, activity: Activity) => Promise<i64>
  sync: (node: Node, activity: Activity) => Promise<i64>
  /** Poll bits that hold now. */
  poll: (file: OpenFile) => u32
  /** The last reference to the node is gone. */
  release: (node: Node, activity: Activity) => Promise<i64>
  /** The last reference to an open file is gone. */
  close: (file: OpenFile) => void
  control: (file: OpenFile, request: u32, argument: u64, activity: Activity) => Promise<i64>
}

/** No result of an operation or call: it is not done yet. */
export const PENDING: i64 = i64.MIN_VALUE

@unmanaged export class Node {
  operations: NodeOperations
  /** FileType. */
  type: u32
  size: u64
  number: u64
  /** Nanoseconds since 1970. */
  modified: u64
  links: u32
  references: u32
  /** Of a directory: the one it lies in, held. The root's is itself. */
  parent: Node | null
  /** The root node of the file system mounted here. */
  mounted: Node | null
  /** The file system's own. */
  data: u32
  data2: u32
  fileSystem: u32
  lock: SpinLock
  lockWord: u32
  device: u32
}

@unmanaged export class DirectoryEntry {
  number: u64
  type: u32
  length: u32
  /** 256 bytes. */
  name: u64
}
export const DIRECTORY_ENTRY_BYTES: u32 = 16 + 256

@inline export function entryName(entry: DirectoryEntry): usize {
  return changetype<usize>(entry) + offsetof<DirectoryEntry>('name')
}

@unmanaged export class OpenFile {
  node: Node
  flags: u32
  offset: u64
  references: u32
  data: u32
}

const countLock = changetype<SpinLock>(memory.data(64, 64))
const counters = memory.data(8, 8)

/** A node with one reference, or null. */
export function makeNode(operations: NodeOperations, type: u32): Node | null {
  const node = create<Node>()
  if (node == null) return null
  node.operations = operations
  node.type = type
  node.references = 1
  node.links = 1
  node.lock = changetype<SpinLock>(changetype<usize>(node) + offsetof<Node>('lockWord'))
  return node
}

export function holdNode(node: Node): Node {
  countLock.lock()
  node.references++
  countLock.unlock()
  return node
}

/** The same for a node found without one; false when its last reference has gone and its release is on the way. */
export function tryHoldNode(node: Node): bool {
  countLock.lock()
  const alive = node.references != 0
  if (alive) node.references++
  countLock.unlock()
  return alive
}

/** Gives a reference back; the file system hears of the last. */
export async function dropNode(node: Node, activity: Activity): Promise<void> {
  countLock.lock()
  const left = --node.references
  countLock.unlock()
  if (left != 0) return
  const parent = node.parent
  await node.operations.release(node, activity)
  if (parent != null && parent != node) await dropNode(parent, activity)
}

/** An open file with one reference, which takes over the node's. */
export function makeFile(node: Node, flags: u32): OpenFile | null {
  const file = create<OpenFile>()
  if (file == null) return null
  file.node = node
  file.flags = flags
  file.references = 1
  countLock.lock()
  store<u32>(counters, load<u32>(counters) + 1)
  countLock.unlock()
  return file
}

export function holdFile(file: OpenFile): OpenFile {
  atomic.add<u32>(changetype<usize>(file) + offsetof<OpenFile>('references'), 1)
  return file
}

/** Gives a reference back; true when it was the last: then finishFile is due. */
@inline export function isLastReference(file: OpenFile): bool {
  return atomic.sub<u32>(changetype<usize>(file) + offsetof<OpenFile>('references'), 1) == 1
}

/** Closes a file that nobody has any more. */
export async function finishFile(file: OpenFile, activity: Activity): Promise<void> {
  countLock.lock()
  store<u32>(counters, load<u32>(counters) - 1)
  countLock.unlock()
  const node = file.node
  node.operations.close(file)
  destroy(file)
  await dropNode(node, activity)
}

export async function dropFile(file: OpenFile, activity: Activity): Promise<void> {
  if (isLastReference(file)) await finishFile(file, activity)
}

/** Gives a reference back where nothing can be awaited. */
export function dropFileLater(file: OpenFile): void {
  if (isLastReference(file)) detach(finishAlone(file))
}

async function finishAlone(file: OpenFile): Promise<void> {
  const activity = create<Activity>()
  if (activity == null) throw new Error('no memory to close a file')
  await finishFile(file, activity)
  destroy(activity)
}

export function countOpenFiles(): u32 {
  return load<u32>(counters)
}

@inline export function isDirectory(node: Node): bool {
  return node.type == FileType.directory
}
