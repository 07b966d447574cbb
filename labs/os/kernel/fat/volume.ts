// Owns a mounted FAT32 file system (Microsoft, "FAT32 File System Specification" 1.03): where its parts are, its lock, and the order in
// which changes go to the disk. Whatever moment the machine stops at, what was synced is whole and the rest can be repaired: contents
// go first, then the tables, then the directories that point at them; clusters are free again only after that.
import { Errno } from '../abi'
import { BlockDevice, SECTOR } from '../block/device'
import { BLOCK_SECTORS, Buffer, BufferKind, flushDevice, markDirty, readBuffer, releaseBuffer, writeBack } from '../block/cache'
import { thisHart, ticksPerSecond } from '../hart'
import { allocateFrame } from '../mm/frames'
import { create, tryCleared } from '../mm/heap'
import { printLine } from '../print'
import { Mutex, MUTEX_BYTES, lockMutex, mutexAt, unlockMutex } from '../sync/mutex'
import { SpinLock } from '../sync/spin'
import { WaitQueue, finishTimer, nowhere, park, prepareTimedWait, prepareWait, wakeAll } from '../sync/wait'
import { Activity, self } from '../task/task'
import { FatFile, writeEntry } from './entry'
import { freePending } from './table'

/** Bytes of a directory entry. */
export const ENTRY: u32 = 32
/** Clusters are numbered from 2. */
export const FIRST_CLUSTER: u32 = 2
/** A change is on the disk after that many seconds at the latest. */
const FLUSH_SECONDS: u64 = 1

@unmanaged export class Volume {
  device: BlockDevice
  /** First sector of the first table; sectors of each; how many there are. */
  tableSector: u32
  tableSectors: u32
  tables: u32
  dataSector: u32
  /** Sectors of a cluster, as a power of two. */
  clusterShift: u32
  /** One more than the highest number of a cluster. */
  clusterEnd: u32
  root: u32
  /** FSInfo, or 0. */
  informationSector: u32
  freeClusters: u32
  nextFree: u32
  readOnly: u32
  /** Guards tables and directories. Who also needs a file's lock takes that first. */
  mutex: Mutex
  /** Files that somebody has. */
  files: FatFile | null
  /** First clusters of the chains to be freed at the next flush: a frame of them. */
  pending: u32
  pendingCount: u32
  /** Something has changed since the last flush. */
  changed: u32
  /** A flush is due a while from now. */
  flushing: u32
  flushLock: u32
  flusherHead: u32
  flusherTail: u32
}

@inline export function clusterBytes(volume: Volume): u32 {
  return SECTOR << volume.clusterShift
}

@inline export function clusterSector(volume: Volume, cluster: u32): u32 {
  return volume.dataSector + ((cluster - FIRST_CLUSTER) << volume.clusterShift)
}

@inline export function isCluster(volume: Volume, cluster: u32): bool {
  return cluster >= FIRST_CLUSTER && cluster < volume.clusterEnd
}

/** Address of a sector in the buffer of its block. */
@inline export function inBuffer(buffer: Buffer, sector: u32): usize {
  return buffer.memory + (sector % BLOCK_SECTORS) * SECTOR
}

/** Reads the file system's description: a Volume, or -errno when this is none that can be used. */
export async function openVolume(device: BlockDevice, activity: Activity): Promise<i64> {
  let start: u32 = 0
  let result = await readBuffer(device, 0, activity)
  if (result < 0) return result
  let buffer = changetype<Buffer>(<usize>result)
  // A partition table (type at byte 4, start at 8 of its entry) or the file system itself.
  const type = load<u8>(buffer.memory, 446 + 4)
  if (load<u16>(buffer.memory, 510) == 0xaa55 && unaligned16(buffer.memory + 11) != SECTOR && (type == 0x0b || type == 0x0c))
    start = unaligned16(buffer.memory + 446 + 8) | (unaligned16(buffer.memory + 446 + 10) << 16)
  releaseBuffer(buffer)
  result = await readBuffer(device, start / BLOCK_SECTORS, activity)
  if (result < 0) return result
  buffer = changetype<Buffer>(<usize>result)
  const volume = readDescription(device, start, inBuffer(buffer, start))
  releaseBuffer(buffer)
  if (volume == null) return -Errno.EINVAL
  if (volume.informationSector != 0) await readInformation(volume, activity)
  return <i64>changetype<usize>(volume)
}

/** The BIOS parameter block ("Boot Sector and BPB"). Null for anything but FAT32 with sectors of 512 bytes that fits the disk. */
function readDescription(device: BlockDevice, start: u32, at: usize): Volume | null {
  if (load<u16>(at, 510) != 0xaa55 || unaligned16(at + 11) != SECTOR) return null
  const perCluster: u32 = load<u8>(at, 13)
  const reserved: u32 = load<u16>(at, 14)
  const tables: u32 = load<u8>(at, 16)
  const total = load<u32>(at, 32)
  const tableSectors = load<u32>(at, 36)
  // FAT32 has no fixed root directory and no table size of 16 bits.
  if (unaligned16(at + 17) != 0 || load<u16>(at, 22) != 0 || popcnt(perCluster) != 1) return null
  if (reserved == 0 || tables == 0 || tables > 2 || tableSectors == 0 || tableSectors > 1 << 21) return null
  const dataOffset: u64 = <u64>reserved + <u64>tables * tableSectors
  if (dataOffset >= total || <u64>start + total > device.sectors) return null
  const clusters = (total - <u32>dataOffset) / perCluster
  if (clusters == 0 || <u64>(clusters + FIRST_CLUSTER) * 4 > <u64>tableSectors * SECTOR || clusters >= 0x0ffffff5) return null
  const volume = create<Volume>()
  const lock = tryCleared(MUTEX_BYTES)
  const pending = allocateFrame()
  if (volume == null || lock == 0 || pending == 0) return null
  volume.pending = pending
  volume.mutex = mutexAt(lock)
  volume.device = device
  volume.tableSector = start + reserved
  volume.tableSectors = tableSectors
  volume.tables = tables
  volume.dataSector = start + <u32>dataOffset
  volume.clusterShift = ctz(perCluster)
  volume.clusterEnd = clusters + FIRST_CLUSTER
  volume.root = load<u32>(at, 44)
  volume.readOnly = device.readOnly
  volume.freeClusters = u32.MAX_VALUE
  volume.nextFree = FIRST_CLUSTER
  const information: u32 = load<u16>(at, 48)
  if (information != 0 && information < reserved) volume.informationSector = start + information
  return isCluster(volume, volume.root) ? volume : null
}

@inline function unaligned16(at: usize): u32 {
  return load<u8>(at) | (<u32>load<u8>(at, 1) << 8)
}

// FSInfo ("FSInfo Sector Structure"): counts that may be wrong, so they are hints.
const INFORMATION_LEAD: u32 = 0x41615252
const INFORMATION_MIDDLE: u32 = 0x61417272
const MIDDLE: usize = 484
const FREE_COUNT: usize = 488
const NEXT_FREE: usize = 492

async function readInformation(volume: Volume, activity: Activity): Promise<void> {
  const result = await readBuffer(volume.device, volume.informationSector / BLOCK_SECTORS, activity)
  if (result < 0) return
  const buffer = changetype<Buffer>(<usize>result)
  const at = inBuffer(buffer, volume.informationSector)
  if (load<u32>(at) == INFORMATION_LEAD && load<u32>(at, MIDDLE) == INFORMATION_MIDDLE) {
    const free = load<u32>(at, FREE_COUNT)
    if (free <= volume.clusterEnd - FIRST_CLUSTER) volume.freeClusters = free
    if (isCluster(volume, load<u32>(at, NEXT_FREE))) volume.nextFree = load<u32>(at, NEXT_FREE)
  } else volume.informationSector = 0
  releaseBuffer(buffer)
}

async function writeInformation(volume: Volume, activity: Activity): Promise<i32> {
  if (volume.informationSector == 0) return 0
  const result = await readBuffer(volume.device, volume.informationSector / BLOCK_SECTORS, activity)
  if (result < 0) return <i32>result
  const buffer = changetype<Buffer>(<usize>result)
  const at = inBuffer(buffer, volume.informationSector)
  if (load<u32>(at, FREE_COUNT) != volume.freeClusters || load<u32>(at, NEXT_FREE) != volume.nextFree) {
    store<u32>(at, volume.freeClusters, FREE_COUNT)
    store<u32>(at, volume.nextFree, NEXT_FREE)
    markDirty(buffer, BufferKind.table, at, SECTOR)
  }
  releaseBuffer(buffer)
  return 0
}

/** Writes the changed sectors of a kind and waits until they are on the medium. */
export async function writeKind(volume: Volume, kind: u32, activity: Activity): Promise<i32> {
  const written = await writeBack(volume.device, kind, activity)
  return written <= 0 ? written : await flushDevice(volume.device, activity)
}

/** Writes every change to the disk, in the order that keeps it repairable. The volume's mutex is held. 0 or -errno. */
export async function flushLocked(volume: Volume, activity: Activity): Promise<i64> {
  if (!volume.changed) return 0
  volume.changed = 0
  let status: i32 = 0
  let next = volume.files
  while (next != null && status == 0) {
    const file = next
    if (file.entryChanged && !file.removed) status = await writeEntry(file, activity)
    next = file.next
  }
  if (status == 0) status = await writeKind(volume, BufferKind.data, activity)
  if (status == 0) status = await writeInformation(volume, activity)
  if (status == 0) status = await writeKind(volume, BufferKind.table, activity)
  if (status == 0) status = await writeKind(volume, BufferKind.directory, activity)
  if (status == 0 && volume.pendingCount != 0) {
    status = await freePending(volume, activity)
    if (status == 0) status = await writeInformation(volume, activity)
    if (status == 0) status = await writeKind(volume, BufferKind.table, activity)
  }
  if (status != 0) volume.changed = 1
  return status
}

export async function flushVolume(volume: Volume, activity: Activity): Promise<i64> {
  await lockMutex(volume.mutex, activity)
  const status = await flushLocked(volume, activity)
  unlockMutex(volume.mutex)
  return status
}

@inline function flushLock(volume: Volume): SpinLock {
  return changetype<SpinLock>(changetype<usize>(volume) + offsetof<Volume>('flushLock'))
}

@inline function flusher(volume: Volume): WaitQueue {
  return changetype<WaitQueue>(changetype<usize>(volume) + offsetof<Volume>('flusherHead'))
}

/** Notes a change: the volume's flusher writes it a while later, unless somebody does before. Nothing runs while nothing changes. */
export function noteChange(volume: Volume): void {
  volume.changed = 1
  if (volume.flushing) return
  const lock = flushLock(volume)
  lock.lock()
  volume.flushing = 1
  lock.unlock()
  wakeAll(flusher(volume))
}

/** Starts the task that flushes. */
export function startFlusher(volume: Volume, activity: Activity): void {
  const hart = thisHart()
  const caller = hart.activity
  hart.activity = <u32>changetype<usize>(activity)
  detach(flushForEver(volume, activity))
  hart.activity = caller
}

async function flushForEver(volume: Volume, activity: Activity): Promise<void> {
  const lock = flushLock(volume)
  for (;;) {
    lock.lock()
    while (!volume.flushing) {
      prepareWait(flusher(volume), activity, self())
      lock.unlock()
      park()
      lock.lock()
    }
    lock.unlock()
    prepareTimedWait(nowhere, activity, self(), cpu.time() + FLUSH_SECONDS * ticksPerSecond)
    park()
    finishTimer(activity)
    volume.flushing = 0
    if ((await flushVolume(volume, activity)) < 0) printLine('kernel: a disk could not be written')
  }
}
