// Owns what FAT32 is to the rest of the kernel: the operations of its nodes, and mounting. A name's node is made when somebody first
// asks for it and found again in the volume's list.
import { Errno, FileType } from '../abi'
import { BLOCK_SECTORS, Buffer, BufferKind, markDirty, readBuffer, releaseBuffer } from '../block/cache'
import { BlockDevice } from '../block/device'
import { __release, create, destroy, tryCleared } from '../mm/heap'
import { lockMutex, unlockMutex } from '../sync/mutex'
import { Activity } from '../task/task'
import { setDefaults } from '../vfs/defaults'
import { DirectoryEntry, Node, NodeOperations, OpenFile, dropNode, entryName, holdNode, isDirectory, makeNode, tryHoldNode } from '../vfs/node'
import { readContents, resize, writeContents } from './contents'
import { Scan, addEntry, clearCluster, dropScan, findEntry, foundEntry, isDots, isEmpty, makeScan, nextEntry, removeEntries, scanUnits } from './directory'
import { ATTRIBUTES, ATTRIBUTE_ARCHIVE, ATTRIBUTE_DIRECTORY, FatFile, SIZE, TIME, destroyFatFile, fatFileOf, firstIn, makeFatFile, setFirst, setTime, unlistFile, writeEntry } from './entry'
import { MOST_UNITS, SHORT_BYTES, unitsOf, utf8Of } from './names'
import { allocateCluster, freeLater } from './table'
import { now, unpackTime } from './time'
import { ENTRY, Volume, clusterSector, flushLocked, flushVolume, inBuffer, noteChange, openVolume, startFlusher } from './volume'

const operations = changetype<NodeOperations>(memory.data(64, 8))
/** Listings begin there: what is below belongs to "." and "..". */
const FIRST_CURSOR: u64 = 3
const ROOT_NUMBER: u64 = 1

@init export function startFat(): void {
  setDefaults(operations)
  operations.lookup = fatLookup
  operations.make = fatMake
  operations.remove = fatRemove
  operations.rename = fatRename
  operations.list = fatList
  operations.read = fatRead
  operations.write = fatWrite
  operations.truncate = fatTruncate
  operations.sync = fatSync
  operations.release = fatRelease
}

/** The root node of the file system on a disk, or -errno: EINVAL when there is none. */
export async function openFat(device: BlockDevice, activity: Activity): Promise<i64> {
  const result = await openVolume(device, activity)
  if (result < 0) return result
  const volume = changetype<Volume>(<usize>result)
  const node = makeNode(operations, FileType.directory)
  if (node == null) return -Errno.ENOMEM
  const file = makeFatFile(volume, node)
  if (file == null) return -Errno.ENOMEM
  file.first = volume.root
  node.number = ROOT_NUMBER
  node.parent = node
  const own = create<Activity>()
  if (own == null) return -Errno.ENOMEM
  if (!volume.readOnly) startFlusher(volume, own)
  return <i64>changetype<usize>(node)
}

@inline function numberOf(scan: Scan): u64 {
  return <u64>scan.sector * 16 + scan.offset / ENTRY + 16
}

@inline function volumeOf(node: Node): Volume {
  return fatFileOf(node).volume
}

/** Units of a name in memory of their own, or -errno; the first doubleword is their number. */
function unitsFrom(name: usize, length: u32): i64 {
  const block = tryCleared(8 + 2 * (MOST_UNITS + 1))
  if (block == 0) return -Errno.ENOMEM
  const count = unitsOf(name, length, block + 8)
  store<u32>(block, count)
  if (count != 0) return <i64>block
  __release(block)
  return -Errno.EINVAL
}

/** Scans a directory for a name: the scan, or 0 when there is none, or -errno. */
async function search(directory: FatFile, units: usize, activity: Activity): Promise<i64> {
  const scan = makeScan(directory, 0)
  if (scan == null) return -Errno.ENOMEM
  const result = await findEntry(scan, units + 8, load<u32>(units), activity)
  if (result == 1) return <i64>changetype<usize>(scan)
  dropScan(scan)
  return result
}

/** Who has the file of an entry open, or null. */
function openFile(volume: Volume, scan: Scan): FatFile | null {
  let file = volume.files
  while (file != null && (file.sector != scan.sector || file.offset != scan.offset || file.removed)) file = file.next
  return file
}

/** The node of what was found, with a reference, or -errno. The volume's mutex is held. */
async function nodeOf(directory: Node, scan: Scan, activity: Activity): Promise<i64> {
  const volume = volumeOf(directory)
  const known = openFile(volume, scan)
  if (known != null) {
    if (tryHoldNode(known.node)) return <i64>changetype<usize>(known.node)
    // Its last reference has just gone, and its release waits for the mutex: that finds nothing to do but free it.
    if (known.entryChanged) {
      const status = await writeEntry(known, activity)
      if (status < 0) return status
      store<u32>(foundEntry(scan), <u32>known.node.size, SIZE)
      setFirst(foundEntry(scan), known.first)
    }
    unlistFile(known)
    known.replaced = 1
  }
  const entry = foundEntry(scan)
  const isFolder = (load<u8>(entry, ATTRIBUTES) & ATTRIBUTE_DIRECTORY) != 0
  const node = makeNode(operations, isFolder ? FileType.directory : FileType.regular)
  if (node == null) return -Errno.ENOMEM
  const file = makeFatFile(volume, node)
  if (file == null) {
    destroy(node)
    return -Errno.ENOMEM
  }
  file.sector = scan.sector
  file.offset = scan.offset
  file.first = firstIn(entry)
  node.number = numberOf(scan)
  node.size = isFolder ? 0 : load<u32>(entry, SIZE)
  node.modified = unpackTime(load<u16>(entry, TIME) | (<u32>load<u16>(entry, TIME + 2) << 16))
  if (isFolder) node.parent = holdNode(directory)
  return <i64>changetype<usize>(node)
}

async function fatLookup(directory: Node, name: usize, length: u32, activity: Activity): Promise<i64> {
  const units = unitsFrom(name, length)
  // A name that cannot be is not there.
  if (units < 0) return units == -Errno.EINVAL ? -Errno.ENOENT : units
  const volume = volumeOf(directory)
  await lockMutex(volume.mutex, activity)
  let result = await search(fatFileOf(directory), <usize>units, activity)
  if (result > 0) {
    const scan = changetype<Scan>(<usize>result)
    result = await nodeOf(directory, scan, activity)
    dropScan(scan)
  } else if (result == 0) result = -Errno.ENOENT
  unlockMutex(volume.mutex)
  __release(<usize>units)
  return result
}

async function fatMake(directory: Node, name: usize, length: u32, type: u32, activity: Activity): Promise<i64> {
  const volume = volumeOf(directory)
  if (volume.readOnly) return -Errno.EROFS
  if (type != FileType.regular && type != FileType.directory) return -Errno.EPERM
  const units = unitsFrom(name, length)
  if (units < 0) return units
  await lockMutex(volume.mutex, activity)
  let result = fatFileOf(directory).removed ? -Errno.ENOENT : await search(fatFileOf(directory), <usize>units, activity)
  if (result > 0) {
    dropScan(changetype<Scan>(<usize>result))
    result = -Errno.EEXIST
  } else if (result == 0) result = await makeEntry(directory, <usize>units, type, activity)
  unlockMutex(volume.mutex)
  __release(<usize>units)
  return result
}

async function makeEntry(directory: Node, units: usize, type: u32, activity: Activity): Promise<i64> {
  const parent = fatFileOf(directory)
  const volume = parent.volume
  const scan = makeScan(parent, 0)
  const entry = tryCleared(ENTRY)
  if (scan == null || entry == 0) return -Errno.ENOMEM
  let result: i64 = 0
  store<u8>(entry, type == FileType.directory ? ATTRIBUTE_DIRECTORY : ATTRIBUTE_ARCHIVE, ATTRIBUTES)
  setTime(entry, now())
  if (type == FileType.directory) {
    result = await allocateCluster(volume, 0, activity)
    if (result > 0) {
      const cluster = <u32>result
      setFirst(entry, cluster)
      result = await fillDirectory(volume, cluster, entry, parent, activity)
      if (result < 0) await freeLater(volume, cluster, activity)
    }
  }
  if (result >= 0) {
    result = await addEntry(scan, units + 8, load<u32>(units), entry, activity)
    if (result < 0 && type == FileType.directory) await freeLater(volume, firstIn(entry), activity)
  }
  if (result >= 0) {
    result = await nodeOf(directory, scan, activity)
    directory.modified = now()
  }
  dropScan(scan)
  __release(entry)
  return result
}

/** A new directory's "." and "..". */
async function fillDirectory(volume: Volume, cluster: u32, entry: usize, parent: FatFile, activity: Activity): Promise<i64> {
  let result = await clearCluster(volume, cluster, activity)
  if (result < 0) return result
  const sector = clusterSector(volume, cluster)
  result = await readBuffer(volume.device, sector / BLOCK_SECTORS, activity)
  if (result < 0) return result
  const buffer = changetype<Buffer>(<usize>result)
  for (let index: u32 = 0; index < 2; index++) {
    const at = inBuffer(buffer, sector) + index * ENTRY
    memory.copy(at, entry, ENTRY)
    memory.fill(at, 32, SHORT_BYTES)
    store<u8>(at, 46)
    if (index == 1) store<u8>(at, 46, 1)
    setFirst(at, index == 0 ? cluster : parentNumber(parent))
  }
  markDirty(buffer, BufferKind.data, inBuffer(buffer, sector), 2 * ENTRY)
  releaseBuffer(buffer)
  return 0
}

/** What ".." says: 0 means the root. */
function parentNumber(parent: FatFile): u32 {
  return parent.sector == 0 ? 0 : parent.first
}

async function fatRemove(directory: Node, name: usize, length: u32, wantDirectory: bool, activity: Activity): Promise<i64> {
  const volume = volumeOf(directory)
  if (volume.readOnly) return -Errno.EROFS
  const units = unitsFrom(name, length)
  if (units < 0) return units == -Errno.EINVAL ? -Errno.ENOENT : units
  await lockMutex(volume.mutex, activity)
  let gone: Node | null = null
  let result = await search(fatFileOf(directory), <usize>units, activity)
  if (result == 0) result = -Errno.ENOENT
  else if (result > 0) {
    const scan = changetype<Scan>(<usize>result)
    result = await nodeOf(directory, scan, activity)
    if (result > 0) {
      gone = changetype<Node>(<usize>result)
      result = await mayRemove(gone, wantDirectory, activity)
      if (result == 0) result = await removeEntries(fatFileOf(directory), scan.firstIndex, scan.shortIndex, activity)
      if (result == 0) {
        fatFileOf(gone).removed = 1
        gone.links = 0
        directory.modified = now()
      }
    }
    dropScan(scan)
  }
  unlockMutex(volume.mutex)
  __release(<usize>units)
  // The clusters go with the last reference.
  if (gone != null) await dropNode(gone, activity)
  return result
}

/** 0, or why a node cannot be removed. */
async function mayRemove(node: Node, wantDirectory: bool, activity: Activity): Promise<i64> {
  if (wantDirectory && !isDirectory(node)) return -Errno.ENOTDIR
  if (!wantDirectory && isDirectory(node)) return -Errno.EISDIR
  if (node.mounted != null) return -Errno.EBUSY
  if (!isDirectory(node)) return 0
  const empty = await isEmpty(fatFileOf(node), activity)
  return empty < 0 ? empty : empty == 1 ? 0 : -Errno.ENOTEMPTY
}

async function fatRename(from: Node, name: usize, length: u32, to: Node, newName: usize, newLength: u32, activity: Activity): Promise<i64> {
  const volume = volumeOf(from)
  if (volume.readOnly) return -Errno.EROFS
  const units = unitsFrom(name, length)
  if (units < 0) return units == -Errno.EINVAL ? -Errno.ENOENT : units
  const newUnits = unitsFrom(newName, newLength)
  if (newUnits < 0) {
    __release(<usize>units)
    return newUnits
  }
  await lockMutex(volume.mutex, activity)
  let replaced: Node | null = null
  let moved: Node | null = null
  let left: Node | null = null
  let result = fatFileOf(to).removed ? -Errno.ENOENT : await search(fatFileOf(from), <usize>units, activity)
  if (result == 0) result = -Errno.ENOENT
  else if (result > 0) {
    const scan = changetype<Scan>(<usize>result)
    result = await nodeOf(from, scan, activity)
    if (result > 0) {
      moved = changetype<Node>(<usize>result)
      result = await search(fatFileOf(to), <usize>newUnits, activity)
      const old = result > 0 ? changetype<Scan>(<usize>result) : null
      if (result > 0) {
        result = await nodeOf(to, old!, activity)
        if (result > 0) replaced = changetype<Node>(<usize>result)
      }
      if (result >= 0) result = mayMove(moved, to, replaced)
      if (result == 0 && replaced != null && replaced != moved) result = await mayRemove(replaced, isDirectory(replaced), activity)
      if (result == 0) {
        result = await moveEntry(scan, moved, to, replaced == moved ? null : old, <usize>newUnits, activity)
        if (result == 0) {
          if (replaced != null && replaced != moved) {
            fatFileOf(replaced).removed = 1
            replaced.links = 0
          }
          if (isDirectory(moved) && from != to) {
            left = moved.parent
            moved.parent = holdNode(to)
          }
          from.modified = now()
          to.modified = from.modified
        }
      }
      if (old != null) dropScan(old)
    }
    dropScan(scan)
  }
  unlockMutex(volume.mutex)
  __release(<usize>units)
  __release(<usize>newUnits)
  if (replaced != null) await dropNode(replaced, activity)
  if (moved != null) await dropNode(moved, activity)
  if (left != null) await dropNode(left, activity)
  return result
}

function mayMove(moved: Node, to: Node, replaced: Node | null): i64 {
  if (moved.mounted != null) return -Errno.EBUSY
  if (!isDirectory(moved)) return replaced != null && isDirectory(replaced) ? -Errno.EISDIR : 0
  // Not into itself.
  let above: Node | null = to
  while (above != null && above != moved && above.parent != above) above = above.parent
  if (above == moved) return -Errno.EINVAL
  return replaced != null && !isDirectory(replaced) ? -Errno.ENOTDIR : 0
}

/** Gives what `scan` found its new place: the entry of `old` if there is one, else one of its own; then the old entry goes. */
async function moveEntry(scan: Scan, moved: Node, to: Node, old: Scan | null, newUnits: usize, activity: Activity): Promise<i64> {
  const file = fatFileOf(moved)
  const volume = file.volume
  const target = fatFileOf(to)
  let status: i64 = 0
  if (file.entryChanged) status = await writeEntry(file, activity)
  if (status < 0) return status
  const place = old != null ? old : makeScan(target, 0)
  if (place == null) return -Errno.ENOMEM
  const entry = foundEntry(scan)
  setFirst(entry, file.first)
  store<u32>(entry, isDirectory(moved) ? 0 : <u32>moved.size, SIZE)
  if (old == null) status = await addEntry(place, newUnits + 8, load<u32>(newUnits), entry, activity)
  else status = await overwriteEntry(volume, old, entry, activity)
  // The old name goes when the new one is on the disk, unless one write carries both.
  if (status == 0 && place.sector / BLOCK_SECTORS != scan.sector / BLOCK_SECTORS) status = await flushLocked(volume, activity)
  if (status == 0) status = await removeEntries(scan.directory, scan.firstIndex, scan.shortIndex, activity)
  if (status == 0) {
    file.sector = place.sector
    file.offset = place.offset
    moved.number = numberOf(place)
    if (isDirectory(moved) && scan.directory != target) status = await setParent(volume, file, parentNumber(target), activity)
  }
  if (old == null) dropScan(place)
  return status
}

/** Everything but the name: of what was there before, the name stays as it was written. */
async function overwriteEntry(volume: Volume, old: Scan, entry: usize, activity: Activity): Promise<i64> {
  const result = await readBuffer(volume.device, old.sector / BLOCK_SECTORS, activity)
  if (result < 0) return result
  const buffer = changetype<Buffer>(<usize>result)
  const at = inBuffer(buffer, old.sector) + old.offset
  const cases = load<u8>(at, SHORT_BYTES + 1)
  memory.copy(at + SHORT_BYTES, entry + SHORT_BYTES, ENTRY - SHORT_BYTES)
  store<u8>(at, cases, SHORT_BYTES + 1)
  markDirty(buffer, BufferKind.directory, at, ENTRY)
  noteChange(volume)
  releaseBuffer(buffer)
  return 0
}

async function setParent(volume: Volume, file: FatFile, number: u32, activity: Activity): Promise<i64> {
  const sector = clusterSector(volume, file.first)
  const result = await readBuffer(volume.device, sector / BLOCK_SECTORS, activity)
  if (result < 0) return result
  const buffer = changetype<Buffer>(<usize>result)
  setFirst(inBuffer(buffer, sector) + ENTRY, number)
  markDirty(buffer, BufferKind.directory, inBuffer(buffer, sector) + ENTRY, ENTRY)
  releaseBuffer(buffer)
  return 0
}

async function fatList(directory: Node, cursor: u64, entry: DirectoryEntry, activity: Activity): Promise<i64> {
  const volume = volumeOf(directory)
  const scan = makeScan(fatFileOf(directory), cursor < FIRST_CURSOR ? 0 : <u32>(cursor - FIRST_CURSOR))
  if (scan == null) return -Errno.ENOMEM
  await lockMutex(volume.mutex, activity)
  let result: i64
  do {
    result = await nextEntry(scan, activity)
  } while (result > 0 && isDots(scan))
  unlockMutex(volume.mutex)
  if (result > 0) {
    entry.number = numberOf(scan)
    entry.type = (load<u8>(foundEntry(scan), ATTRIBUTES) & ATTRIBUTE_DIRECTORY) != 0 ? FileType.directory : FileType.regular
    entry.length = utf8Of(scanUnits(scan), scan.count, entryName(entry))
    store<u8>(entryName(entry) + entry.length, 0)
    result = <i64>scan.index + FIRST_CURSOR
  }
  dropScan(scan)
  return result
}

async function fatRead(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): Promise<i64> {
  if (isDirectory(file.node)) return -Errno.EISDIR
  return await readContents(fatFileOf(file.node), address, bytes, offset, activity)
}

async function fatWrite(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): Promise<i64> {
  if (isDirectory(file.node)) return -Errno.EISDIR
  return await writeContents(fatFileOf(file.node), address, bytes, offset, activity)
}

async function fatTruncate(node: Node, size: u64, activity: Activity): Promise<i64> {
  if (isDirectory(node)) return -Errno.EISDIR
  return await resize(fatFileOf(node), size, activity)
}

async function fatSync(node: Node, activity: Activity): Promise<i64> {
  return await flushVolume(volumeOf(node), activity)
}

/** Nobody has the file any more: its entry is brought up to date, or its clusters are freed if it has none. */
async function fatRelease(node: Node, activity: Activity): Promise<i64> {
  const file = fatFileOf(node)
  const volume = file.volume
  let status: i64 = 0
  await lockMutex(volume.mutex, activity)
  if (!file.replaced) {
    if (file.removed) status = file.first == 0 ? 0 : await freeLater(volume, file.first, activity)
    else if (file.entryChanged) status = await writeEntry(file, activity)
    unlistFile(file)
  }
  unlockMutex(volume.mutex)
  destroyFatFile(file)
  destroy(node)
  return status
}
