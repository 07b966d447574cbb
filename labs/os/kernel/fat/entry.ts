// Owns files that somebody has, as FAT sees them: where their clusters and their directory entry are. A file's mutex guards its
// clusters, size and walk; those of a directory are guarded by the volume's, as its entries are.
import { Errno } from '../abi'
import { BLOCK_SECTORS, Buffer, BufferKind, markDirty, readBuffer, releaseBuffer } from '../block/cache'
import { create, destroy, tryCleared, __release } from '../mm/heap'
import { Mutex, MUTEX_BYTES, mutexAt } from '../sync/mutex'
import { Activity } from '../task/task'
import { Node } from '../vfs/node'
import { LAST, follower, followerAtHand } from './table'
import { packTime } from './time'
import { Volume, inBuffer, isCluster } from './volume'

@unmanaged export class FatFile {
  next: FatFile | null
  volume: Volume
  node: Node
  /** The short entry: its sector and the byte in it. Sector 0: the root, which has none. */
  sector: u32
  offset: u32
  /** First cluster, 0 while there is none. */
  first: u32
  /** A place in the chain that was visited: the walkIndex-th cluster is walkCluster, unless that is 0. */
  walkIndex: u32
  walkCluster: u32
  /** Size, first cluster or time are newer than the entry in the directory. */
  entryChanged: u32
  /** Its entry is gone: its clusters go with the last reference. */
  removed: u32
  /** Not in the volume's list any more: another has taken its place. */
  replaced: u32
  /** Where reading ended last: who goes on there gets more than is asked for. */
  readEnd: u64
  mutex: Mutex
}

// Bytes of a short entry ("FAT Directory Structure").
export const ATTRIBUTES: usize = 11
export const CASES: usize = 12
export const FIRST_HIGH: usize = 20
export const TIME: usize = 22
export const FIRST_LOW: usize = 26
export const SIZE: usize = 28
const ACCESS_DATE: usize = 18

export const ATTRIBUTE_READ_ONLY: u8 = 0x01
export const ATTRIBUTE_VOLUME: u8 = 0x08
export const ATTRIBUTE_DIRECTORY: u8 = 0x10
export const ATTRIBUTE_ARCHIVE: u8 = 0x20
export const ATTRIBUTE_LONG: u8 = 0x0f

/** What `node` means on the volume, listed there; null when memory is out. */
export function makeFatFile(volume: Volume, node: Node): FatFile | null {
  const file = create<FatFile>()
  const lock = tryCleared(MUTEX_BYTES)
  if (file == null || lock == 0) {
    if (file != null) destroy(file)
    return null
  }
  file.mutex = mutexAt(lock)
  file.volume = volume
  file.node = node
  file.next = volume.files
  volume.files = file
  node.data = <u32>changetype<usize>(file)
  node.fileSystem = <u32>changetype<usize>(volume)
  return file
}

/** Takes a file off the volume's list. */
export function unlistFile(file: FatFile): void {
  const volume = file.volume
  if (volume.files == file) volume.files = file.next
  else {
    let before = volume.files!
    while (before.next != file) before = before.next!
    before.next = file.next
  }
}

export function destroyFatFile(file: FatFile): void {
  __release(changetype<usize>(file.mutex))
  destroy(file)
}

@inline export function fatFileOf(node: Node): FatFile {
  return changetype<FatFile>(<usize>node.data)
}

/** The index-th cluster of a file: 0 when the chain is shorter, -errno when it is damaged. */
export async function clusterAt(file: FatFile, index: u32, activity: Activity): Promise<i64> {
  const volume = file.volume
  let cluster = file.first
  let at: u32 = 0
  if (cluster == 0) return 0
  if (file.walkCluster != 0 && file.walkIndex <= index) {
    cluster = file.walkCluster
    at = file.walkIndex
  }
  if (!isCluster(volume, cluster)) return -Errno.EIO
  while (at < index) {
    let next = followerAtHand(volume, cluster)
    if (next < 0) next = await follower(volume, cluster, activity)
    if (next < 0) return next
    if (<u32>next >= LAST) break
    if (!isCluster(volume, <u32>next)) return -Errno.EIO
    cluster = <u32>next
    at++
  }
  file.walkIndex = at
  file.walkCluster = cluster
  return at == index ? cluster : 0
}

@inline export function setFirst(entry: usize, cluster: u32): void {
  store<u16>(entry, <u16>(cluster >> 16), FIRST_HIGH)
  store<u16>(entry, <u16>cluster, FIRST_LOW)
}

@inline export function firstIn(entry: usize): u32 {
  return load<u16>(entry, FIRST_LOW) | (<u32>load<u16>(entry, FIRST_HIGH) << 16)
}

export function setTime(entry: usize, nanoseconds: u64): void {
  const packed = packTime(nanoseconds)
  store<u16>(entry, <u16>packed, TIME)
  store<u16>(entry, <u16>(packed >> 16), TIME + 2)
  store<u16>(entry, <u16>(packed >> 16), ACCESS_DATE)
}

/** Brings the entry in the directory up to date. The volume's mutex is held. */
export async function writeEntry(file: FatFile, activity: Activity): Promise<i32> {
  const result = await readBuffer(file.volume.device, file.sector / BLOCK_SECTORS, activity)
  if (result < 0) return <i32>result
  const buffer = changetype<Buffer>(<usize>result)
  const entry = inBuffer(buffer, file.sector) + file.offset
  file.entryChanged = 0
  setFirst(entry, file.first)
  store<u32>(entry, <u32>file.node.size, SIZE)
  setTime(entry, file.node.modified)
  store<u8>(entry, load<u8>(entry, ATTRIBUTES) | ATTRIBUTE_ARCHIVE, ATTRIBUTES)
  markDirty(buffer, BufferKind.directory, entry, 32)
  releaseBuffer(buffer)
  return 0
}
