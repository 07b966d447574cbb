// Owns the file system in memory: directories are lists of names, files lists of frames; files of the root archive are read where
// they lie until somebody writes. Nothing here waits. A node's spin lock guards its names or frames; directories that change together
// (rename) are guarded by treeLock.
import { Errno, FileType } from '../abi'
import { FRAME, allocateFrame, dropFrame } from '../mm/frames'
import { __release, destroy, tryAllocate } from '../mm/heap'
import { clearOut, copyIn, copyOut } from '../mm/user'
import { SpinLock } from '../sync/spin'
import { Activity } from '../task/task'
import { setDefaults } from './defaults'
import { DirectoryEntry, Node, NodeOperations, OpenFile, dropNode, entryName, holdNode, isDirectory, makeNode } from './node'

const MOST_BYTES: u64 = 0x4000_0000

@unmanaged class Name {
  next: Name | null
  node: Node
  /** Position in listings; grows, so that a listing goes on where it was. */
  cursor: u32
  length: u32
}
const NAME_BYTES: u32 = 16

const operations = changetype<NodeOperations>(memory.data(64, 8))
const treeLock = changetype<SpinLock>(memory.data(64, 64))
const numbers = memory.data(8, 8)

// Of a directory: data is the first Name, data2 the next cursor. Of a file: data is the list of frames, data2 its capacity in entries;
// device is the archive's copy of the contents, where the list begins with 0 frames.

function nextNumber(): u64 {
  return atomic.add<u64>(numbers, 1) + 1
}

/** The root of a fresh file system. */
@init export function startMemfs(): Node {
  setDefaults(operations)
  operations.lookup = memLookup
  operations.make = memMake
  operations.remove = memRemove
  operations.rename = memRename
  operations.list = memList
  operations.read = memRead
  operations.write = memWrite
  operations.readNow = memReadNow
  operations.writeNow = memWriteNow
  operations.truncate = memTruncate
  operations.release = memRelease
  const root = makeNode(operations, FileType.directory)
  if (root == null) throw new Error('no memory for the root directory')
  root.number = nextNumber()
  root.parent = root
  root.data2 = 3
  return root
}

function nameText(name: Name): usize {
  return changetype<usize>(name) + NAME_BYTES
}

function equal(a: usize, b: usize, length: u32): bool {
  for (let index: u32 = 0; index < length; index++) if (load<u8>(a + index) != load<u8>(b + index)) return false
  return true
}

@holds(treeLock) function find(directory: Node, name: usize, length: u32): Name | null {
  let at = changetype<Name | null>(<usize>directory.data)
  while (at != null && (at.length != length || !equal(nameText(at), name, length))) at = at.next
  return at
}

async function memLookup(directory: Node, name: usize, length: u32, activity: Activity): Promise<i64> {
  treeLock.lock()
  const found = find(directory, name, length)
  const node: u32 = found == null ? 0 : <u32>changetype<usize>(holdNode(found.node))
  treeLock.unlock()
  return node == 0 ? -Errno.ENOENT : <i64>node
}

/** Adds a name for a node, whose reference it takes. */
@holds(treeLock) function addName(directory: Node, name: usize, length: u32, node: Node): bool {
  const added = changetype<Name | null>(tryAllocate(NAME_BYTES + length))
  if (added == null) return false
  memory.copy(nameText(added), name, length)
  added.length = length
  added.node = node
  added.cursor = directory.data2++
  added.next = null
  // At the end, so that listings are in order of making.
  let last = directory.data
  if (last == 0) directory.data = <u32>changetype<usize>(added)
  else {
    // The link is a name's first field.
    while (load<u32>(last) != 0) last = load<u32>(last)
    store<u32>(last, <u32>changetype<usize>(added))
  }
  return true
}

@holds(treeLock) function takeName(directory: Node, name: Name): void {
  if (directory.data == <u32>changetype<usize>(name)) {
    directory.data = <u32>changetype<usize>(name.next)
    return
  }
  let before = changetype<Name>(<usize>directory.data)
  while (before.next != name) before = before.next!
  before.next = name.next
}

/** Makes a node with a name at once; null when it exists or memory is out. For mounting the archive and for devices. */
export function memAdd(directory: Node, name: usize, length: u32, node: Node): bool {
  treeLock.lock()
  const fine = find(directory, name, length) == null && addName(directory, name, length, node)
  if (fine && isDirectory(node)) node.parent = holdNode(directory)
  treeLock.unlock()
  return fine
}

export function memNode(type: u32): Node | null {
  const node = makeNode(operations, type)
  if (node == null) return null
  node.number = nextNumber()
  if (type == FileType.directory) node.data2 = 3
  return node
}

/** Gives a new file contents that lie elsewhere in kernel memory for good. */
export function memBorrow(node: Node, at: usize, bytes: u32): void {
  node.device = <u32>at
  node.size = bytes
}

async function memMake(directory: Node, name: usize, length: u32, type: u32, activity: Activity): Promise<i64> {
  if (directory.links == 0) return -Errno.ENOENT
  const node = memNode(type)
  if (node == null) return -Errno.ENOMEM
  // One reference is the name's, one the caller's.
  node.references = 2
  treeLock.lock()
  const exists = find(directory, name, length) != null
  const fine = !exists && addName(directory, name, length, node)
  if (fine && type == FileType.directory) node.parent = holdNode(directory)
  treeLock.unlock()
  if (fine) return <i64>changetype<usize>(node)
  destroy(node)
  return exists ? -Errno.EEXIST : -Errno.ENOMEM
}

async function memRemove(directory: Node, name: usize, length: u32, wantDirectory: bool, activity: Activity): Promise<i64> {
  treeLock.lock()
  const found = find(directory, name, length)
  let problem = 0
  if (found == null) problem = Errno.ENOENT
  else if (wantDirectory && !isDirectory(found.node)) problem = Errno.ENOTDIR
  else if (!wantDirectory && isDirectory(found.node)) problem = Errno.EISDIR
  else if (found.node.mounted != null) problem = Errno.EBUSY
  else if (wantDirectory && found.node.data != 0) problem = Errno.ENOTEMPTY
  if (problem != 0 || found == null) {
    treeLock.unlock()
    return -problem
  }
  const node = found.node
  takeName(directory, found)
  node.links = 0
  treeLock.unlock()
  destroy(found)
  await dropNode(node, activity)
  return 0
}

async function memRename(
  from: Node,
  name: usize,
  length: u32,
  to: Node,
  newName: usize,
  newLength: u32,
  activity: Activity,
): Promise<i64> {
  treeLock.lock()
  const found = find(from, name, length)
  const old = find(to, newName, newLength)
  let problem = 0
  if (found == null) problem = Errno.ENOENT
  else if (to.links == 0) problem = Errno.ENOENT
  else if (isDirectory(found.node)) {
    // Not into itself.
    let above: Node | null = to
    while (above != null && above != found.node && above.parent != above) above = above.parent
    if (above == found.node) problem = Errno.EINVAL
    else if (old != null && !isDirectory(old.node)) problem = Errno.ENOTDIR
    else if (old != null && old.node.data != 0 && old != found) problem = Errno.ENOTEMPTY
  } else if (old != null && isDirectory(old.node)) problem = Errno.EISDIR
  if (problem == 0 && found == old) {
    treeLock.unlock()
    return 0
  }
  if (problem == 0 && found != null && !addName(to, newName, newLength, found.node)) problem = Errno.ENOMEM
  if (problem != 0 || found == null) {
    treeLock.unlock()
    return -problem
  }
  const moved = found.node
  takeName(from, found)
  let replaced: Node | null = null
  if (old != null) {
    takeName(to, old)
    replaced = old.node
    replaced.links = 0
  }
  let left: Node | null = null
  if (isDirectory(moved) && from != to) {
    left = moved.parent
    moved.parent = holdNode(to)
  }
  treeLock.unlock()
  destroy(found)
  if (old != null) destroy(old)
  if (replaced != null) await dropNode(replaced, activity)
  if (left != null) await dropNode(left, activity)
  return 0
}

async function memList(directory: Node, cursor: u64, entry: DirectoryEntry, activity: Activity): Promise<i64> {
  treeLock.lock()
  let at = changetype<Name | null>(<usize>directory.data)
  while (at != null && at.cursor < cursor) at = at.next
  let next: i64 = 0
  if (at != null) {
    entry.number = at.node.number
    entry.type = at.node.type
    entry.length = at.length
    memory.copy(entryName(entry), nameText(at), at.length)
    store<u8>(entryName(entry) + at.length, 0)
    next = <i64>at.cursor + 1
  }
  treeLock.unlock()
  return next
}

async function memRead(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): Promise<i64> {
  return memReadNow(file, address, bytes, offset, activity)
}

function memReadNow(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): i64 {
  const node = file.node
  if (isDirectory(node)) return -Errno.EISDIR
  node.lock.lock()
  if (offset >= node.size) {
    node.lock.unlock()
    return 0
  }
  const count = <u32>min<u64>(bytes, node.size - offset)
  let fine = true
  if (node.device != 0) fine = copyOut(activity, address, node.device + <u32>offset, count)
  else {
    let done: u32 = 0
    while (done < count && fine) {
      const at = <u32>offset + done
      const part = min(count - done, FRAME - (at & (FRAME - 1)))
      const frame = at >> 12 < node.data2 ? load<u32>(node.data + (at >> 12) * 4) : 0
      fine = frame == 0 ? clearOut(activity, address + done, part) : copyOut(activity, address + done, frame + (at & (FRAME - 1)), part)
      done += part
    }
  }
  node.lock.unlock()
  return fine ? <i64>count : -Errno.EFAULT
}

/** Room in the list for a file of that many bytes. */
function reserve(node: Node, bytes: u32): bool {
  const entries = (bytes + FRAME - 1) >> 12
  if (entries <= node.data2) return true
  let capacity = max(node.data2 * 2, <u32>4)
  while (capacity < entries) capacity *= 2
  const list = tryAllocate(capacity * 4)
  if (list == 0) return false
  memory.fill(list, 0, capacity * 4)
  memory.copy(list, node.data, node.data2 * 4)
  __release(node.data)
  node.data = <u32>list
  node.data2 = capacity
  return true
}

function frameAt(node: Node, at: u32): u32 {
  const slot = node.data + (at >> 12) * 4
  let frame = load<u32>(slot)
  if (frame == 0) {
    frame = allocateFrame()
    store<u32>(slot, frame)
  }
  return frame
}

/** Makes borrowed contents the file's own. */
function own(node: Node): bool {
  if (node.device == 0) return true
  const bytes = <u32>node.size
  if (!reserve(node, bytes)) return false
  for (let at: u32 = 0; at < bytes; at += FRAME) {
    const frame = frameAt(node, at)
    if (frame == 0) return false
    memory.copy(frame, node.device + at, min(FRAME, bytes - at))
  }
  node.device = 0
  return true
}

async function memWrite(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): Promise<i64> {
  return memWriteNow(file, address, bytes, offset, activity)
}

function memWriteNow(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): i64 {
  const node = file.node
  if (isDirectory(node)) return -Errno.EISDIR
  if (offset + bytes > MOST_BYTES) return -Errno.EFBIG
  if (bytes == 0) return 0
  node.lock.lock()
  if (!own(node) || !reserve(node, <u32>offset + bytes)) {
    node.lock.unlock()
    return -Errno.ENOSPC
  }
  let done: u32 = 0
  let problem = 0
  while (done < bytes) {
    const at = <u32>offset + done
    const part = min(bytes - done, FRAME - (at & (FRAME - 1)))
    const frame = frameAt(node, at)
    if (frame == 0) {
      problem = Errno.ENOSPC
      break
    }
    if (!copyIn(activity, frame + (at & (FRAME - 1)), address + done, part)) {
      problem = Errno.EFAULT
      break
    }
    done += part
  }
  if (done != 0 && offset + done > node.size) node.size = offset + done
  node.lock.unlock()
  return done != 0 ? <i64>done : -problem
}

async function memTruncate(node: Node, size: u64, activity: Activity): Promise<i64> {
  if (isDirectory(node)) return -Errno.EISDIR
  if (size > MOST_BYTES) return -Errno.EFBIG
  node.lock.lock()
  if (!own(node)) {
    node.lock.unlock()
    return -Errno.ENOSPC
  }
  if (size < node.size) {
    const keep = (<u32>size + FRAME - 1) >> 12
    for (let index = keep; index < node.data2; index++) {
      const frame = load<u32>(node.data + index * 4)
      store<u32>(node.data + index * 4, 0)
      if (frame != 0) dropFrame(frame)
    }
    const inLast = <u32>size & (FRAME - 1)
    if (inLast != 0) {
      const frame = load<u32>(node.data + (keep - 1) * 4)
      if (frame != 0) memory.fill(frame + inLast, 0, FRAME - inLast)
    }
  }
  node.size = size
  node.lock.unlock()
  return 0
}

async function memRelease(node: Node, activity: Activity): Promise<i64> {
  if (!isDirectory(node)) {
    for (let index: u32 = 0; index < node.data2; index++) {
      const frame = load<u32>(node.data + index * 4)
      if (frame != 0) dropFrame(frame)
    }
    __release(node.data)
  }
  destroy(node)
  return 0
}
