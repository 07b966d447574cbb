// Owns the buffer cache: blocks of 4 KiB of all disks in frames, found by number, forgotten by age. File systems read and write
// disks through it alone. A buffer that is held stays; one that is dirty stays until writeBack.
import { Errno } from '../abi'
import { FRAME, allocateFrame, countFreeFrames } from '../mm/frames'
import { __release, create, destroy, tryCleared } from '../mm/heap'
import { SpinLock } from '../sync/spin'
import { WaitQueue, park, prepareWait, wakeAll } from '../sync/wait'
import { Activity, self } from '../task/task'
import { BlockDevice, BlockKind, BlockRequest, SECTOR, finish, kick, submit } from './device'

export const BLOCK_SECTORS: u32 = 8

/** Which buffers are written together, and in which order (fat/volume.ts): a lower one never depends on a higher. */
export namespace BufferKind {
  export const data: u32 = 0
  export const table: u32 = 1
  export const directory: u32 = 2
}

@unmanaged export class Buffer {
  device: BlockDevice
  block: u32
  /** 4096 bytes. */
  memory: u32
  references: u32
  /** The contents are the disk's, or newer. */
  valid: u32
  /** A request for it is on its way. */
  busy: u32
  /** Changed sectors: bit 8 * BufferKind + sector. */
  dirty: u32
  hashNext: Buffer | null
  older: Buffer | null
  newer: Buffer | null
  waitHead: u32
  waitTail: u32
  /** The sectors on their way, and the next buffer that is written in the same round. */
  run: u32
  writeNext: Buffer | null
  request: BlockRequest
}

const HASHES: u32 = 256
const table = memory.data(1024, 64)
const cacheLock = changetype<SpinLock>(memory.data(64, 64))
@guardedBy(cacheLock) let count: u32 = 0
@guardedBy(cacheLock) let dirtyCount: u32 = 0
@guardedBy(cacheLock) let oldest: Buffer | null = null
@guardedBy(cacheLock) let newest: Buffer | null = null
@readOnly let most: u32 = 0
/** Buffers with their requests, made at the start. */
@readOnly let pool: usize = 0
const BUFFER_BYTES: u32 = offsetof<Buffer>()
const POOLED_BYTES: u32 = BUFFER_BYTES + offsetof<BlockRequest>()

/** A sixteenth of memory, at most 4 MiB, at least 128 KiB. */
@init export function startCache(): void {
  most = max<u32>(32, min<u32>(1024, countFreeFrames() / 16))
  pool = tryCleared(most * POOLED_BYTES)
  if (pool == 0) throw new Error('no memory for the buffer cache')
}

/** Half of the cache is dirty: whoever writes on should write back first. */
export function isCacheFull(): bool {
  cacheLock.lock()
  const full = dirtyCount > most / 2
  cacheLock.unlock()
  return full
}

@inline function slot(device: BlockDevice, block: u32): usize {
  return table + (((block ^ (<u32>changetype<usize>(device) >> 6)) & (HASHES - 1)) << 2)
}

@inline function waiters(buffer: Buffer): WaitQueue {
  return changetype<WaitQueue>(changetype<usize>(buffer) + offsetof<Buffer>('waitHead'))
}

function find(device: BlockDevice, block: u32): Buffer | null {
  let at = changetype<Buffer | null>(<usize>load<u32>(slot(device, block)))
  while (at != null && (at.block != block || at.device != device)) at = at.hashNext
  return at
}

@holds(cacheLock) function unlinkAge(buffer: Buffer): void {
  if (buffer.older != null) buffer.older!.newer = buffer.newer
  else oldest = buffer.newer
  if (buffer.newer != null) buffer.newer!.older = buffer.older
  else newest = buffer.older
}

@holds(cacheLock) function linkNewest(buffer: Buffer): void {
  buffer.older = newest
  buffer.newer = null
  if (newest != null) newest!.newer = buffer
  else oldest = buffer
  newest = buffer
}

@holds(cacheLock) function unhash(buffer: Buffer): void {
  const at = slot(buffer.device, buffer.block)
  let other = changetype<Buffer>(<usize>load<u32>(at))
  if (other == buffer) store<u32>(at, <u32>changetype<usize>(buffer.hashNext))
  else {
    while (other.hashNext != buffer) other = other.hashNext!
    other.hashNext = buffer.hashNext
  }
}

/** A buffer for a block that has none: the longest unused, or a new one while there may be more, or when all are in use. */
@holds(cacheLock) function make(device: BlockDevice, block: u32): Buffer | null {
  let buffer: Buffer | null = null
  if (count >= most) {
    buffer = oldest
    while (buffer != null && (buffer.references != 0 || buffer.dirty || buffer.busy)) buffer = buffer.newer
  }
  if (buffer != null) {
    unhash(buffer)
    unlinkAge(buffer)
  } else {
    // More than planned when all are in use at once.
    const at = count < most ? pool + count * POOLED_BYTES : tryCleared(POOLED_BYTES)
    const frame = at == 0 ? 0 : allocateFrame()
    if (frame == 0) {
      if (count >= most) __release(at)
      return null
    }
    buffer = changetype<Buffer>(at)
    buffer.request = changetype<BlockRequest>(at + BUFFER_BYTES)
    buffer.memory = frame
    count++
  }
  buffer.device = device
  buffer.block = block
  buffer.valid = 0
  buffer.references = 0
  const at = slot(device, block)
  buffer.hashNext = changetype<Buffer | null>(<usize>load<u32>(at))
  store<u32>(at, <u32>changetype<usize>(buffer))
  linkNewest(buffer)
  return buffer
}

/** The buffer of a block with a reference for the caller, whatever is in it; null when memory is out. */
function hold(device: BlockDevice, block: u32): Buffer | null {
  cacheLock.lock()
  let buffer = find(device, block)
  if (buffer == null) buffer = make(device, block)
  else if (buffer != newest) {
    unlinkAge(buffer)
    linkNewest(buffer)
  }
  if (buffer != null) buffer.references++
  cacheLock.unlock()
  return buffer
}

/** Begins reading a held buffer unless it is valid or on its way. True when the request has to be finished by the caller. */
function begin(buffer: Buffer): bool {
  cacheLock.lock()
  const mine = !buffer.valid && !buffer.busy
  if (mine) buffer.busy = 1
  cacheLock.unlock()
  if (mine) ask(buffer, BlockKind.read, 0, min(BLOCK_SECTORS, buffer.device.sectors - buffer.block * BLOCK_SECTORS))
  return mine
}

/** Submits a transfer of some of the buffer's sectors. */
function ask(buffer: Buffer, kind: u32, first: u32, sectors: u32): void {
  const request = buffer.request
  request.kind = kind
  request.sector = buffer.block * BLOCK_SECTORS + first
  request.sectors = sectors
  request.memory = buffer.memory + first * SECTOR
  submit(buffer.device, request)
}

/** Waits for the request that this caller began; others that wait for the buffer go on too. */
async function settle(buffer: Buffer, activity: Activity): Promise<i32> {
  const status = await finish(buffer.device, buffer.request, activity)
  cacheLock.lock()
  if (status == 0) buffer.valid = 1
  buffer.busy = 0
  cacheLock.unlock()
  wakeAll(waiters(buffer))
  return status
}

/** Waits until nobody else's request for the buffer is on its way. */
async function quiet(buffer: Buffer, activity: Activity): Promise<void> {
  let cancelled: u8 = 0
  cacheLock.lock()
  while (buffer.busy) {
    cancelled |= activity.cancelled
    activity.cancelled = 0
    prepareWait(waiters(buffer), activity, self())
    cacheLock.unlock()
    park()
    cacheLock.lock()
  }
  cacheLock.unlock()
  if (cancelled) activity.cancelled = 1
}

/** The contents of a block: a buffer to be given back, or -errno. */
export async function readBuffer(device: BlockDevice, block: u32, activity: Activity): Promise<i64> {
  if (block * BLOCK_SECTORS >= device.sectors) return -Errno.EIO
  const buffer = hold(device, block)
  if (buffer == null) return -Errno.ENOMEM
  while (!buffer.valid) {
    if (begin(buffer)) {
      kick(device)
      const status = await settle(buffer, activity)
      if (status < 0) {
        releaseBuffer(buffer)
        return status
      }
    } else await quiet(buffer, activity)
  }
  return <i64>changetype<usize>(buffer)
}

/** A buffer that is there already, with a reference, or null: what can be had without waiting. */
export function haveBuffer(device: BlockDevice, block: u32): Buffer | null {
  cacheLock.lock()
  const buffer = find(device, block)
  const fine = buffer != null && buffer.valid
  if (fine) buffer!.references++
  cacheLock.unlock()
  return fine ? buffer : null
}

/** A buffer of zeros, for a block whose contents do not matter any more: to be given back, or -errno. */
export async function clearBuffer(device: BlockDevice, block: u32, activity: Activity): Promise<i64> {
  if (block * BLOCK_SECTORS >= device.sectors) return -Errno.EIO
  const buffer = hold(device, block)
  if (buffer == null) return -Errno.ENOMEM
  await quiet(buffer, activity)
  memory.fill(buffer.memory, 0, FRAME)
  buffer.valid = 1
  return <i64>changetype<usize>(buffer)
}

/** Buffers that readAhead asked for, to be finished together. */
@unmanaged export class ReadAhead {
  count: u32
  buffer0: u32
}
export const MOST_AHEAD: u32 = 32
export const READ_AHEAD_BYTES: u32 = 4 + 4 * 32

/** Begins to read a block that will be needed; kick once after all. What memory does not allow is left for later. */
export function readAhead(device: BlockDevice, block: u32, list: ReadAhead): void {
  if (list.count == MOST_AHEAD || block * BLOCK_SECTORS >= device.sectors) return
  const buffer = hold(device, block)
  if (buffer == null) return
  if (!begin(buffer)) {
    releaseBuffer(buffer)
    return
  }
  store<u32>(changetype<usize>(list) + offsetof<ReadAhead>('buffer0') + list.count * 4, <u32>changetype<usize>(buffer))
  list.count++
}

/** Waits for all that readAhead began. Errors are met again by who reads the block. */
export async function finishAhead(device: BlockDevice, list: ReadAhead, activity: Activity): Promise<void> {
  if (list.count == 0) return
  kick(device)
  for (let index: u32 = 0; index < list.count; index++) {
    const buffer = changetype<Buffer>(<usize>load<u32>(changetype<usize>(list) + offsetof<ReadAhead>('buffer0') + index * 4))
    await settle(buffer, activity)
    releaseBuffer(buffer)
  }
  list.count = 0
}

export function releaseBuffer(buffer: Buffer): void {
  cacheLock.lock()
  buffer.references--
  cacheLock.unlock()
}

/**
 * Bytes of a held buffer have changed. A sector that was to be written as data, before anything points at it, stays data until it is:
 * several kinds may share a buffer, but not a sector.
 */
export function markDirty(buffer: Buffer, kind: u32, at: usize, bytes: u32): void {
  const from = (<u32>at - buffer.memory) / SECTOR
  const end = (<u32>at - buffer.memory + bytes + SECTOR - 1) / SECTOR
  const sectors = ((1 << end) - 1) & ~((1 << from) - 1)
  cacheLock.lock()
  if (buffer.dirty == 0) dirtyCount++
  buffer.dirty |= (kind == BufferKind.data ? sectors : sectors & ~buffer.dirty) << (kind * BLOCK_SECTORS)
  cacheLock.unlock()
}

/** Takes the first run of changed sectors of a kind off a buffer: first << 8 | how many; 0 when there is none. */
@holds(cacheLock) function takeRun(buffer: Buffer, kind: u32): u32 {
  const shift = kind * BLOCK_SECTORS
  const sectors = (buffer.dirty >> shift) & 0xff
  if (sectors == 0) return 0
  const first = ctz(sectors)
  const count = ctz(~(sectors >> first))
  buffer.dirty &= ~(((1 << count) - 1) << (first + shift))
  if (buffer.dirty == 0) dirtyCount--
  return (first << 8) | count
}

/** Writes all changed sectors of a kind, and waits: how many transfers, or -errno. What could not be written stays to be written. */
export async function writeBack(device: BlockDevice, kind: u32, activity: Activity): Promise<i32> {
  let result: i32 = 0
  let written: i32 = 0
  for (;;) {
    // Requests of one round are on their way together.
    let list: Buffer | null = null
    let taken: u32 = 0
    cacheLock.lock()
    let next = oldest
    while (next != null && taken < MOST_AHEAD * 4) {
      const buffer = next
      next = buffer.newer
      if (buffer.dirty == 0 || buffer.busy || buffer.device != device) continue
      const run = takeRun(buffer, kind)
      if (run == 0) continue
      buffer.run = run
      buffer.busy = 1
      buffer.references++
      buffer.writeNext = list
      list = buffer
      taken++
    }
    cacheLock.unlock()
    if (list == null) return written
    for (let at: Buffer | null = list; at != null; at = at.writeNext) ask(at, BlockKind.write, at.run >> 8, at.run & 0xff)
    kick(device)
    while (list != null) {
      const buffer = list
      list = buffer.writeNext
      const status = await settle(buffer, activity)
      if (status < 0) {
        result = status
        markDirty(buffer, kind, buffer.memory + (buffer.run >> 8) * SECTOR, (buffer.run & 0xff) * SECTOR)
      } else written++
      releaseBuffer(buffer)
    }
    if (result < 0) return result
  }
}

/** Everything written before is on the medium at the return; 0 or -errno. */
export async function flushDevice(device: BlockDevice, activity: Activity): Promise<i32> {
  const request = create<BlockRequest>()
  if (request == null) return -Errno.ENOMEM
  request.kind = BlockKind.flush
  submit(device, request)
  kick(device)
  const status = await finish(device, request, activity)
  destroy(request)
  return status
}
