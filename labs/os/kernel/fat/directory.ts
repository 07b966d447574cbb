// Owns the entries of directories: going through them, adding and removing them. The volume's mutex is held by whoever calls.
import { Errno } from '../abi'
import { BLOCK_SECTORS, Buffer, BufferKind, clearBuffer, markDirty, readBuffer, releaseBuffer } from '../block/cache'
import { SECTOR } from '../block/device'
import { __release, tryCleared } from '../mm/heap'
import { Activity } from '../task/task'
import { ATTRIBUTES, ATTRIBUTE_LONG, ATTRIBUTE_VOLUME, CASES, FatFile, clusterAt } from './entry'
import { MOST_UNITS, SHORT_BYTES, UNITS_PER_ENTRY, exactShort, inventShort, sameName, shortCheck, shortUnits } from './names'
import { allocateCluster } from './table'
import { ENTRY, Volume, clusterBytes, clusterSector, inBuffer, noteChange, writeKind } from './volume'

/** Entries a directory may have ("FAT Directory Structure": 2 MiB). */
const MOST_ENTRIES: u32 = 65536
const DELETED: u8 = 0xe5
// Of a long entry: its place counts from 1 at the end of the name; the first on the disk has this bit.
const LAST_PART: u8 = 0x40
const CHECK: usize = 13

/** A way through a directory; `index` is where it goes on. After a find: where the entry is, a copy of it, and its name. */
@unmanaged export class Scan {
  directory: FatFile
  index: u32
  /** First entry of the name, the short entry itself, and where that lies. */
  firstIndex: u32
  shortIndex: u32
  sector: u32
  offset: u32
  /** Units of the name at UNITS, those of the short name at SHORT_UNITS. */
  count: u32
  shortCount: u32
  entry0: u64
  entry1: u64
  entry2: u64
  entry3: u64
}
const UNITS: u32 = 64
const SHORT_UNITS: u32 = 64 + 2 * 272
const SCAN_BYTES: u32 = 64 + 2 * 272 + 2 * 16

@inline export function scanUnits(scan: Scan): usize {
  return changetype<usize>(scan) + UNITS
}

@inline export function foundEntry(scan: Scan): usize {
  return changetype<usize>(scan) + offsetof<Scan>('entry0')
}

/** A scan from an entry on, or null when memory is out. To be given back by dropScan. */
export function makeScan(directory: FatFile, index: u32): Scan | null {
  const scan = changetype<Scan | null>(tryCleared(SCAN_BYTES))
  if (scan != null) {
    scan.directory = directory
    scan.index = index
  }
  return scan
}

export function dropScan(scan: Scan): void {
  __release(changetype<usize>(scan))
}

/** The sector of an entry: 0 behind the end of the directory, or -errno. */
async function sectorOfEntry(directory: FatFile, index: u32, activity: Activity): Promise<i64> {
  const volume = directory.volume
  const perCluster = clusterBytes(volume) / ENTRY
  if (index >= MOST_ENTRIES) return 0
  const cluster = await clusterAt(directory, index / perCluster, activity)
  if (cluster <= 0) return cluster
  return clusterSector(volume, <u32>cluster) + (index % perCluster) / (SECTOR / ENTRY)
}

/** Finds the next file, directory or dot entry: 1, 0 at the end, or -errno. */
export async function nextEntry(scan: Scan, activity: Activity): Promise<i64> {
  const directory = scan.directory
  let check: u32 = 0
  // The part that comes next, when a long name is being put together; 0 when none is.
  let part: u32 = 0
  let whole = false
  for (;;) {
    const sector = await sectorOfEntry(directory, scan.index, activity)
    if (sector <= 0) return sector
    const result = await readBuffer(directory.volume.device, <u32>sector / BLOCK_SECTORS, activity)
    if (result < 0) return result
    const buffer = changetype<Buffer>(<usize>result)
    const base = inBuffer(buffer, <u32>sector)
    let offset = (scan.index * ENTRY) % SECTOR
    for (; offset < SECTOR; offset += ENTRY, scan.index++) {
      const entry = base + offset
      const first = load<u8>(entry)
      if (first == 0) {
        releaseBuffer(buffer)
        return 0
      }
      const attributes = load<u8>(entry, ATTRIBUTES)
      if (first == DELETED || (attributes & 0x3f) != ATTRIBUTE_LONG) {
        if (first != DELETED && (attributes & ATTRIBUTE_VOLUME) == 0) {
          take(scan, entry, <u32>sector, offset, whole && check == shortCheck(entry))
          releaseBuffer(buffer)
          return 1
        }
        part = 0
        whole = false
        continue
      }
      if (first & LAST_PART) {
        part = first & 0x1f
        check = load<u8>(entry, CHECK)
        scan.firstIndex = scan.index
        scan.count = 0
        whole = false
      } else if ((first & 0x1f) != part || check != load<u8>(entry, CHECK)) part = 0
      if (part == 0 || part > 20) {
        part = 0
        continue
      }
      takePart(scan, entry, part)
      part--
      whole = part == 0
    }
    releaseBuffer(buffer)
  }
}

/** Where the units of a long entry are: 5 at 1, 6 at 14, 2 at 28. */
@inline function unitAt(index: u32): usize {
  return index < 5 ? 1 + index * 2 : index < 11 ? 4 + index * 2 : 6 + index * 2
}

function takePart(scan: Scan, entry: usize, part: u32): void {
  const from = (part - 1) * UNITS_PER_ENTRY
  for (let index: u32 = 0; index < UNITS_PER_ENTRY; index++) {
    const at = entry + unitAt(index)
    const unit: u32 = load<u8>(at) | (<u32>load<u8>(at, 1) << 8)
    if (unit == 0) break
    store<u16>(scanUnits(scan) + (from + index) * 2, <u16>unit)
    if (from + index + 1 > scan.count) scan.count = from + index + 1
  }
}

function take(scan: Scan, entry: usize, sector: u32, offset: u32, isLong: bool): void {
  memory.copy(foundEntry(scan), entry, ENTRY)
  scan.shortIndex = scan.index++
  scan.sector = sector
  scan.offset = offset
  scan.shortCount = shortUnits(entry, load<u8>(entry, CASES), changetype<usize>(scan) + SHORT_UNITS)
  if (isLong && scan.count <= MOST_UNITS) return
  scan.firstIndex = scan.shortIndex
  scan.count = scan.shortCount
  memory.copy(scanUnits(scan), changetype<usize>(scan) + SHORT_UNITS, scan.count * 2)
}

/** Whether what was found is "." or "..". */
export function isDots(scan: Scan): bool {
  return load<u8>(foundEntry(scan)) == 46
}

/** Goes on to the entry with a name: 1, 0 when there is none, or -errno. */
export async function findEntry(scan: Scan, units: usize, count: u32, activity: Activity): Promise<i64> {
  for (;;) {
    const result = await nextEntry(scan, activity)
    if (result <= 0) return result
    if (isDots(scan)) continue
    if (sameName(scanUnits(scan), scan.count, units, count)) return 1
    if (sameName(changetype<usize>(scan) + SHORT_UNITS, scan.shortCount, units, count)) return 1
  }
}

/** Whether a directory holds nothing: 1 or 0, or -errno. */
export async function isEmpty(directory: FatFile, activity: Activity): Promise<i64> {
  const scan = makeScan(directory, 0)
  if (scan == null) return -Errno.ENOMEM
  let result: i64
  do {
    result = await nextEntry(scan, activity)
  } while (result > 0 && isDots(scan))
  dropScan(scan)
  return result < 0 ? result : result == 0 ? 1 : 0
}

/**
 * Adds a name. `scan` has room for what is found there afterwards: the place of the short entry, which is a copy of `entry` with the
 * name put in. 0 or -errno.
 */
export async function addEntry(scan: Scan, units: usize, count: u32, entry: usize, activity: Activity): Promise<i64> {
  const directory = scan.directory
  const short = foundEntry(scan)
  let parts: u32 = 0
  memory.copy(short, entry, ENTRY)
  const cases = exactShort(units, count, short)
  if (cases >= 0) store<u8>(short, <u8>cases, CASES)
  else {
    const result = await uniqueShort(directory, units, count, short, activity)
    if (result < 0) return result
    parts = (count + UNITS_PER_ENTRY - 1) / UNITS_PER_ENTRY
    store<u8>(short, 0, CASES)
  }
  const from = await findRoom(directory, parts + 1, activity)
  if (from < 0) return from
  const block = tryCleared(ENTRY)
  if (block == 0) return -Errno.ENOMEM
  let result: i64 = 0
  const check = shortCheck(short)
  for (let index: u32 = 0; index <= parts && result >= 0; index++) {
    if (index < parts) fillPart(block, units, count, parts - index, index == 0, check)
    else memory.copy(block, short, ENTRY)
    result = await putEntry(directory, <u32>from + index, block, activity)
  }
  __release(block)
  if (result < 0) return result
  scan.firstIndex = <u32>from
  scan.shortIndex = <u32>from + parts
  scan.sector = <u32>result
  scan.offset = (scan.shortIndex * ENTRY) % SECTOR
  return 0
}

function fillPart(block: usize, units: usize, count: u32, part: u32, last: bool, check: u8): void {
  memory.fill(block, 0xff, ENTRY)
  store<u8>(block, <u8>part | (last ? LAST_PART : 0))
  store<u16>(block, ATTRIBUTE_LONG, ATTRIBUTES)
  store<u8>(block, check, CHECK)
  store<u16>(block, 0, 26)
  const from = (part - 1) * UNITS_PER_ENTRY
  for (let index: u32 = 0; index < UNITS_PER_ENTRY && from + index <= count; index++) {
    // A zero ends the name where its entry has room.
    const unit: u32 = from + index == count ? 0 : load<u16>(units + (from + index) * 2)
    const at = block + unitAt(index)
    store<u8>(at, <u8>unit)
    store<u8>(at, <u8>(unit >> 8), 1)
  }
}

/** Writes an entry; gives its sector. */
async function putEntry(directory: FatFile, index: u32, block: usize, activity: Activity): Promise<i64> {
  const sector = await sectorOfEntry(directory, index, activity)
  if (sector <= 0) return -Errno.EIO
  const result = await readBuffer(directory.volume.device, <u32>sector / BLOCK_SECTORS, activity)
  if (result < 0) return result
  const buffer = changetype<Buffer>(<usize>result)
  const at = inBuffer(buffer, <u32>sector) + ((index * ENTRY) % SECTOR)
  memory.copy(at, block, ENTRY)
  markDirty(buffer, BufferKind.directory, at, ENTRY)
  noteChange(directory.volume)
  releaseBuffer(buffer)
  return sector
}

/** A short name that no other entry has, in `short`. */
async function uniqueShort(directory: FatFile, units: usize, count: u32, short: usize, activity: Activity): Promise<i64> {
  for (let attempt: u32 = 1; attempt < 1000; attempt++) {
    inventShort(units, count, attempt, short)
    const scan = makeScan(directory, 0)
    if (scan == null) return -Errno.ENOMEM
    let taken = false
    let result: i64 = 1
    while (result > 0 && !taken) {
      result = await nextEntry(scan, activity)
      taken = result > 0 && equalShort(foundEntry(scan), short)
    }
    dropScan(scan)
    if (result < 0) return result
    if (!taken) return 0
  }
  return -Errno.ENOSPC
}

function equalShort(a: usize, b: usize): bool {
  for (let index: u32 = 0; index < SHORT_BYTES; index++) if (load<u8>(a + index) != load<u8>(b + index)) return false
  return true
}

/** The first of `needed` free entries in a row; the directory grows where it has none. */
async function findRoom(directory: FatFile, needed: u32, activity: Activity): Promise<i64> {
  const device = directory.volume.device
  let index: u32 = 0
  let run: u32 = 0
  let ended = false
  while (run < needed) {
    if (index + needed - run > MOST_ENTRIES) return -Errno.ENOSPC
    let sector = await sectorOfEntry(directory, index, activity)
    if (sector == 0) {
      const status = await growDirectory(directory, index / (clusterBytes(directory.volume) / ENTRY), activity)
      if (status < 0) return status
      sector = await sectorOfEntry(directory, index, activity)
    }
    if (sector <= 0) return sector == 0 ? -Errno.EIO : sector
    const result = await readBuffer(device, <u32>sector / BLOCK_SECTORS, activity)
    if (result < 0) return result
    const buffer = changetype<Buffer>(<usize>result)
    const base = inBuffer(buffer, <u32>sector)
    for (let offset = (index * ENTRY) % SECTOR; offset < SECTOR && run < needed; offset += ENTRY, index++) {
      const first = load<u8>(base + offset)
      ended = ended || first == 0
      run = ended || first == DELETED ? run + 1 : 0
    }
    releaseBuffer(buffer)
  }
  // What lies behind the end may be anything: it must go on being the end.
  if (ended) {
    const sector = await sectorOfEntry(directory, index, activity)
    if (sector < 0) return sector
    if (sector > 0) {
      const result = await readBuffer(device, <u32>sector / BLOCK_SECTORS, activity)
      if (result < 0) return result
      const buffer = changetype<Buffer>(<usize>result)
      const at = inBuffer(buffer, <u32>sector) + ((index * ENTRY) % SECTOR)
      store<u8>(at, 0)
      markDirty(buffer, BufferKind.directory, at, ENTRY)
      releaseBuffer(buffer)
    }
  }
  return index - needed
}

/** Adds a cluster of free entries to a directory that has `clusters` now. */
async function growDirectory(directory: FatFile, clusters: u32, activity: Activity): Promise<i64> {
  const last = await clusterAt(directory, clusters - 1, activity)
  if (last <= 0) return last == 0 ? -Errno.EIO : last
  const volume = directory.volume
  const added = await allocateCluster(volume, <u32>last, activity)
  if (added < 0) return added
  // The zeros are on the disk before the table says that the cluster is the directory's, and before there is something in it.
  const status = await clearCluster(volume, <u32>added, activity)
  return status < 0 ? status : await writeKind(volume, BufferKind.data, activity)
}

/** Fills a cluster with zeros, which must be on the disk before anything points at it. */
export async function clearCluster(volume: Volume, cluster: u32, activity: Activity): Promise<i64> {
  const start = clusterSector(volume, cluster)
  const end = start + (1 << volume.clusterShift)
  for (let sector = start; sector < end; ) {
    const whole = sector % BLOCK_SECTORS == 0 && end - sector >= BLOCK_SECTORS
    const block = sector / BLOCK_SECTORS
    const result = whole ? await clearBuffer(volume.device, block, activity) : await readBuffer(volume.device, block, activity)
    if (result < 0) return result
    const buffer = changetype<Buffer>(<usize>result)
    const next = min(end, (block + 1) * BLOCK_SECTORS)
    if (!whole) memory.fill(inBuffer(buffer, sector), 0, (next - sector) * SECTOR)
    markDirty(buffer, BufferKind.data, inBuffer(buffer, sector), (next - sector) * SECTOR)
    releaseBuffer(buffer)
    sector = next
  }
  return 0
}

/** Removes the entries from one to another. 0 or -errno. */
export async function removeEntries(directory: FatFile, from: u32, to: u32, activity: Activity): Promise<i64> {
  for (let index = from; index <= to; index++) {
    const sector = await sectorOfEntry(directory, index, activity)
    if (sector <= 0) return -Errno.EIO
    const result = await readBuffer(directory.volume.device, <u32>sector / BLOCK_SECTORS, activity)
    if (result < 0) return result
    const buffer = changetype<Buffer>(<usize>result)
    const at = inBuffer(buffer, <u32>sector) + ((index * ENTRY) % SECTOR)
    store<u8>(at, DELETED)
    markDirty(buffer, BufferKind.directory, at, ENTRY)
    releaseBuffer(buffer)
  }
  noteChange(directory.volume)
  return 0
}
