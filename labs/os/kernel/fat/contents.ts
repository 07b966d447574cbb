// Owns the contents of files: reading with several blocks on their way at once, writing, changing the size. A file's own mutex is held
// throughout, the volume's only while clusters are taken or given back.
import { Errno } from '../abi'
import { BLOCK_SECTORS, Buffer, BufferKind, MOST_AHEAD, READ_AHEAD_BYTES, ReadAhead, clearBuffer, finishAhead, haveBuffer, isCacheFull, markDirty, readAhead, readBuffer, releaseBuffer } from '../block/cache'
import { SECTOR } from '../block/device'
import { FRAME } from '../mm/frames'
import { __release, tryCleared } from '../mm/heap'
import { copyIn, copyOut } from '../mm/user'
import { lockMutex, unlockMutex } from '../sync/mutex'
import { Activity } from '../task/task'
import { FatFile, clusterAt } from './entry'
import { allocateCluster, cutChain, freeLater } from './table'
import { now } from './time'
import { Volume, clusterBytes, clusterSector, flushVolume, noteChange } from './volume'

/** Sizes in directory entries have 32 bits. */
const MOST_BYTES: u64 = 0xffffffff
/** Who reads on where reading ended gets that much ahead. */
const AHEAD_BYTES: u32 = 32768

/** The sector that holds a byte of the file: 0 behind the last cluster, or -errno. */
async function sectorAt(file: FatFile, at: u32, activity: Activity): Promise<i64> {
  const volume = file.volume
  const cluster = await clusterAt(file, at / clusterBytes(volume), activity)
  if (cluster <= 0) return cluster
  return clusterSector(volume, <u32>cluster) + (at % clusterBytes(volume)) / SECTOR
}

/** Where a sector's block ends, as a number of bytes behind byte `at` of the file, which lies in that sector. */
@inline function toBlockEnd(sector: u32, at: u32): u32 {
  return FRAME - ((sector % BLOCK_SECTORS) * SECTOR + (at % SECTOR))
}

/** How many bytes from `at` on lie together in a block and in a cluster. */
function together(volume: Volume, sector: u32, at: u32): u32 {
  return min(toBlockEnd(sector, at), clusterBytes(volume) - (at % clusterBytes(volume)))
}

/** Asks for the blocks of a range that are not there yet, all at once. */
async function fetch(file: FatFile, from: u32, bytes: u32, activity: Activity): Promise<void> {
  const device = file.volume.device
  const list = changetype<ReadAhead>(tryCleared(READ_AHEAD_BYTES))
  if (changetype<usize>(list) == 0) return
  for (let at = from; at < from + bytes && list.count < MOST_AHEAD; ) {
    const sector = await sectorAt(file, at, activity)
    if (sector <= 0) break
    readAhead(device, <u32>sector / BLOCK_SECTORS, list)
    at += together(file.volume, <u32>sector, at)
  }
  await finishAhead(device, list, activity)
  __release(changetype<usize>(list))
}

export async function readContents(file: FatFile, address: u64, bytes: u32, offset: u64, activity: Activity): Promise<i64> {
  await lockMutex(file.mutex, activity)
  const size = file.node.size
  let result: i64 = 0
  let done: u32 = 0
  const count: u32 = offset >= size ? 0 : <u32>min<u64>(bytes, size - offset)
  let fetched: u32 = 0
  while (done < count) {
    const at = <u32>offset + done
    result = await sectorAt(file, at, activity)
    if (result == 0) result = -Errno.EIO
    if (result < 0) break
    const sector = <u32>result
    let buffer = haveBuffer(file.volume.device, sector / BLOCK_SECTORS)
    if (buffer == null) {
      if (done >= fetched) {
        const wanted = offset == file.readEnd ? max(count - done, AHEAD_BYTES) : count - done
        const most = min(wanted, (MOST_AHEAD - 1) * FRAME)
        await fetch(file, at, <u32>min<u64>(most, size - at), activity)
        fetched = done + most
      }
      result = await readBuffer(file.volume.device, sector / BLOCK_SECTORS, activity)
      if (result < 0) break
      buffer = changetype<Buffer>(<usize>result)
    }
    const part = min(together(file.volume, sector, at), count - done)
    const fine = copyOut(activity, address + done, buffer.memory + FRAME - toBlockEnd(sector, at), part)
    releaseBuffer(buffer)
    if (!fine) {
      result = -Errno.EFAULT
      break
    }
    done += part
  }
  file.readEnd = offset + done
  unlockMutex(file.mutex)
  return done == 0 && result < 0 ? result : done
}

/** The sector for a byte that may lie behind the last cluster: clusters are added up to there. */
async function sectorForWrite(file: FatFile, at: u32, activity: Activity): Promise<i64> {
  let sector = await sectorAt(file, at, activity)
  while (sector == 0) {
    const volume = file.volume
    // The walk ended at the last cluster.
    const last = file.first == 0 ? 0 : file.walkCluster
    await lockMutex(volume.mutex, activity)
    const added = await allocateCluster(volume, last, activity)
    if (added >= 0 && last == 0) {
      file.first = <u32>added
      file.entryChanged = 1
    }
    unlockMutex(volume.mutex)
    if (added < 0) return added
    sector = await sectorAt(file, at, activity)
  }
  return sector
}

/** Writes from user memory, or zeros when `zeros` is set; the file's mutex is held. The number of bytes, or -errno when none. */
async function put(file: FatFile, address: u64, zeros: bool, bytes: u32, offset: u32, activity: Activity): Promise<i64> {
  const volume = file.volume
  let result: i64 = 0
  let done: u32 = 0
  while (done < bytes) {
    if (isCacheFull()) {
      result = await flushVolume(volume, activity)
      if (result < 0) break
    }
    const at = offset + done
    result = await sectorForWrite(file, at, activity)
    if (result < 0) break
    const sector = <u32>result
    const part = min(together(volume, sector, at), bytes - done)
    const block = sector / BLOCK_SECTORS
    result = part == FRAME ? await clearBuffer(volume.device, block, activity) : await readBuffer(volume.device, block, activity)
    if (result < 0) break
    const buffer = changetype<Buffer>(<usize>result)
    const to = buffer.memory + FRAME - toBlockEnd(sector, at)
    let fine = true
    if (zeros) memory.fill(to, 0, part)
    else fine = copyIn(activity, to, address + done, part)
    markDirty(buffer, BufferKind.data, to, part)
    releaseBuffer(buffer)
    if (!fine) {
      result = -Errno.EFAULT
      break
    }
    done += part
    if (<u64>(offset + done) > file.node.size) file.node.size = offset + done
  }
  if (done != 0) {
    file.node.modified = now()
    file.entryChanged = 1
    noteChange(volume)
  }
  return done == 0 && result < 0 ? result : done
}

export async function writeContents(file: FatFile, address: u64, bytes: u32, offset: u64, activity: Activity): Promise<i64> {
  if (file.volume.readOnly) return -Errno.EROFS
  if (bytes == 0) return 0
  if (offset + bytes > MOST_BYTES) return -Errno.EFBIG
  await lockMutex(file.mutex, activity)
  let result: i64 = 0
  const size = <u32>file.node.size
  // FAT has no holes.
  if (offset > size) result = await put(file, 0, true, <u32>offset - size, size, activity)
  if (result >= 0 && file.node.size < offset) result = -Errno.ENOSPC
  if (result >= 0) result = await put(file, address, false, bytes, <u32>offset, activity)
  unlockMutex(file.mutex)
  return result
}

export async function resize(file: FatFile, size: u64, activity: Activity): Promise<i64> {
  const volume = file.volume
  if (volume.readOnly) return -Errno.EROFS
  if (size > MOST_BYTES) return -Errno.EFBIG
  await lockMutex(file.mutex, activity)
  const old = file.node.size
  let result: i64 = 0
  if (size > old) {
    result = await put(file, 0, true, <u32>(size - old), <u32>old, activity)
    if (result >= 0) result = file.node.size == size ? 0 : -Errno.ENOSPC
  } else if (size < old) {
    await lockMutex(volume.mutex, activity)
    result = await shrink(file, <u32>size, activity)
    unlockMutex(volume.mutex)
    if (result == 0) {
      file.node.size = size
      file.node.modified = now()
      file.entryChanged = 1
      noteChange(volume)
    }
  }
  unlockMutex(file.mutex)
  return result
}

async function shrink(file: FatFile, size: u32, activity: Activity): Promise<i64> {
  if (size == 0) {
    const status = file.first == 0 ? 0 : await freeLater(file.volume, file.first, activity)
    if (status == 0) file.first = 0
    file.walkCluster = 0
    return status
  }
  const last = await clusterAt(file, (size - 1) / clusterBytes(file.volume), activity)
  if (last <= 0) return last == 0 ? -Errno.EIO : last
  file.walkCluster = 0
  return await cutChain(file.volume, <u32>last, activity)
}
