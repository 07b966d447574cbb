// Owns the allocation table: what follows a cluster, and which are free. The volume's mutex is held by whoever changes it.
import { Errno } from '../abi'
import { BLOCK_SECTORS, Buffer, BufferKind, haveBuffer, markDirty, readBuffer, releaseBuffer } from '../block/cache'
import { FRAME } from '../mm/frames'
import { Activity } from '../task/task'
import { FIRST_CLUSTER, Volume, flushLocked, inBuffer, isCluster, noteChange } from './volume'

const PER_SECTOR: u32 = 128
/** The upper four bits of an entry are not the file system's. */
const MASK: u32 = 0x0fffffff
/** From here on: the last of its chain. */
export const LAST: u32 = 0x0ffffff8
const END: u32 = 0x0fffffff
/** Chains that wait to be freed. */
const MOST_PENDING: u32 = FRAME / 4

@inline function sectorOf(volume: Volume, cluster: u32): u32 {
  return volume.tableSector + cluster / PER_SECTOR
}

@inline function entryIn(volume: Volume, buffer: Buffer, cluster: u32): usize {
  return inBuffer(buffer, sectorOf(volume, cluster)) + (cluster % PER_SECTOR) * 4
}

/** What follows a cluster, if it can be had without waiting: else -1. */
@inline export function followerAtHand(volume: Volume, cluster: u32): i64 {
  const buffer = haveBuffer(volume.device, sectorOf(volume, cluster) / BLOCK_SECTORS)
  if (buffer == null) return -1
  const value = load<u32>(entryIn(volume, buffer, cluster)) & MASK
  releaseBuffer(buffer)
  return value
}

/** What the table says of a cluster, or -errno. */
export async function follower(volume: Volume, cluster: u32, activity: Activity): Promise<i64> {
  const result = await readBuffer(volume.device, sectorOf(volume, cluster) / BLOCK_SECTORS, activity)
  if (result < 0) return result
  const buffer = changetype<Buffer>(<usize>result)
  const value = load<u32>(entryIn(volume, buffer, cluster)) & MASK
  releaseBuffer(buffer)
  return value
}

/** Changes an entry in all tables. */
async function setFollower(volume: Volume, cluster: u32, value: u32, activity: Activity): Promise<i32> {
  for (let copy: u32 = 0; copy < volume.tables; copy++) {
    const sector = sectorOf(volume, cluster) + copy * volume.tableSectors
    const result = await readBuffer(volume.device, sector / BLOCK_SECTORS, activity)
    if (result < 0) return <i32>result
    const buffer = changetype<Buffer>(<usize>result)
    const at = inBuffer(buffer, sector) + (cluster % PER_SECTOR) * 4
    store<u32>(at, (load<u32>(at) & ~MASK) | value)
    markDirty(buffer, BufferKind.table, at, 4)
    releaseBuffer(buffer)
  }
  noteChange(volume)
  return 0
}

/** Takes a free cluster as the last of a chain, behind `previous` unless that is 0: its number, or -errno. */
export async function allocateCluster(volume: Volume, previous: u32, activity: Activity): Promise<i64> {
  let cluster = await findFree(volume, activity)
  if (cluster == -Errno.ENOSPC && volume.pendingCount != 0) {
    // What was deleted becomes free by a flush.
    const status = await flushLocked(volume, activity)
    if (status < 0) return status
    cluster = await findFree(volume, activity)
  }
  if (cluster < 0) return cluster
  let status = await setFollower(volume, <u32>cluster, END, activity)
  if (status == 0 && previous != 0) status = await setFollower(volume, previous, <u32>cluster, activity)
  if (status < 0) return status
  volume.nextFree = <u32>cluster + 1 < volume.clusterEnd ? <u32>cluster + 1 : FIRST_CLUSTER
  if (volume.freeClusters != u32.MAX_VALUE && volume.freeClusters != 0) volume.freeClusters--
  return cluster
}

async function findFree(volume: Volume, activity: Activity): Promise<i64> {
  let cluster = volume.nextFree
  let left = volume.clusterEnd - FIRST_CLUSTER
  while (left != 0) {
    const block = sectorOf(volume, cluster) / BLOCK_SECTORS
    const result = await readBuffer(volume.device, block, activity)
    if (result < 0) return result
    const buffer = changetype<Buffer>(<usize>result)
    while (left != 0 && sectorOf(volume, cluster) / BLOCK_SECTORS == block) {
      if ((load<u32>(entryIn(volume, buffer, cluster)) & MASK) == 0) {
        releaseBuffer(buffer)
        return cluster
      }
      left--
      if (++cluster == volume.clusterEnd) {
        cluster = FIRST_CLUSTER
        break
      }
    }
    releaseBuffer(buffer)
  }
  return -Errno.ENOSPC
}

/** Ends a chain at `last`; what follows is freed at the next flush. */
export async function cutChain(volume: Volume, last: u32, activity: Activity): Promise<i32> {
  const next = await follower(volume, last, activity)
  if (next < 0) return <i32>next
  if (!isCluster(volume, <u32>next)) return 0
  const status = await setFollower(volume, last, END, activity)
  return status < 0 ? status : await freeLater(volume, <u32>next, activity)
}

/** Frees a chain when the directory on the disk does not name it any more. */
export async function freeLater(volume: Volume, first: u32, activity: Activity): Promise<i32> {
  if (volume.pendingCount == MOST_PENDING) {
    const status = await flushLocked(volume, activity)
    if (status < 0) return <i32>status
  }
  store<u32>(volume.pending + volume.pendingCount++ * 4, first)
  noteChange(volume)
  return 0
}

export async function freePending(volume: Volume, activity: Activity): Promise<i32> {
  while (volume.pendingCount != 0) {
    const place = volume.pending + (volume.pendingCount - 1) * 4
    let cluster = load<u32>(place)
    while (isCluster(volume, cluster)) {
      const next = await follower(volume, cluster, activity)
      if (next < 0) return <i32>next
      // Free already: a damaged table, in which chains share clusters or go in circles.
      if (next == 0) break
      const status = await setFollower(volume, cluster, 0, activity)
      if (status < 0) return status
      if (volume.freeClusters != u32.MAX_VALUE) volume.freeClusters++
      cluster = <u32>next
      store<u32>(place, cluster)
    }
    volume.pendingCount--
  }
  return 0
}
