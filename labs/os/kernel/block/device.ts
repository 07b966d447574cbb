// Owns block devices and their requests: waiting ones stand in the order of their sectors and are merged with their neighbours when
// they go to the driver. The cache makes requests; a driver takes batches and completes them.
import { SpinLock } from '../sync/spin'
import { WaitQueue, park, prepareWait, wakeAll } from '../sync/wait'
import { Activity, self } from '../task/task'

export const SECTOR: u32 = 512
/** Requests that one transfer of the driver carries at most. */
export const MOST_MERGED: u32 = 16

export namespace BlockKind {
  export const read: u32 = 0
  export const write: u32 = 1
  /** What was written before is on the medium when it completes. */
  export const flush: u32 = 2
}

@unmanaged export class BlockRequest {
  next: BlockRequest | null
  kind: u32
  sector: u32
  sectors: u32
  memory: u32
  /** 0, or what is wrong as -errno, once `done` is set. */
  status: i32
  done: u32
  waitHead: u32
  waitTail: u32
}

@unmanaged export class BlockDevice {
  sectors: u32
  readOnly: u32
  lockWord: u32
  /** Waiting requests by sector, flushes last. */
  waiting: BlockRequest | null
  /** Where the last transfer ended: the next begins at or behind it, so that all have their turn. */
  position: u32
  /** The driver's: takes what it has room for. Called with the device's lock held. */
  start: (device: BlockDevice) => void
  driver: u32
  next: BlockDevice | null
  /** Counters: requests, and transfers that carried them. */
  requests: u32
  transfers: u32
}

@inline export function deviceLock(device: BlockDevice): SpinLock {
  return changetype<SpinLock>(changetype<usize>(device) + offsetof<BlockDevice>('lockWord'))
}

@inline function waiters(request: BlockRequest): WaitQueue {
  return changetype<WaitQueue>(changetype<usize>(request) + offsetof<BlockRequest>('waitHead'))
}

const list = memory.data(8, 8)

@init export function addBlockDevice(device: BlockDevice): void {
  let last = firstBlockDevice()
  if (last == null) {
    store<u32>(list, <u32>changetype<usize>(device))
    return
  }
  while (last.next != null) last = last.next!
  last.next = device
}

export function firstBlockDevice(): BlockDevice | null {
  return changetype<BlockDevice | null>(<usize>load<u32>(list))
}

/** Queues a request whose members but `status` and `done` are set. Nothing moves before kick. */
export function submit(device: BlockDevice, request: BlockRequest): void {
  request.done = 0
  request.status = 0
  const lock = deviceLock(device)
  lock.lock()
  device.requests++
  let before: BlockRequest | null = null
  let at = device.waiting
  while (at != null && at.kind != BlockKind.flush && (request.kind == BlockKind.flush || at.sector <= request.sector)) {
    before = at
    at = at.next
  }
  request.next = at
  if (before == null) device.waiting = request
  else before.next = request
  lock.unlock()
}

/** Lets the driver begin. */
export function kick(device: BlockDevice): void {
  const lock = deviceLock(device)
  lock.lock()
  device.start(device)
  lock.unlock()
}

/** Waits for a request to end, whatever else ends meanwhile: a device must not write into memory that has gone to another. */
export async function finish(device: BlockDevice, request: BlockRequest, activity: Activity): Promise<i32> {
  const lock = deviceLock(device)
  let cancelled: u8 = 0
  lock.lock()
  while (request.done == 0) {
    cancelled |= activity.cancelled
    activity.cancelled = 0
    prepareWait(waiters(request), activity, self())
    lock.unlock()
    park()
    lock.lock()
  }
  lock.unlock()
  if (cancelled) activity.cancelled = 1
  return request.status
}

/**
 * For drivers, with the lock held: takes the next request and those that follow it without a gap, linked by `next`. Null when none
 * waits.
 */
export function takeBatch(device: BlockDevice): BlockRequest | null {
  let before: BlockRequest | null = null
  let first = device.waiting
  while (first != null && first.kind != BlockKind.flush && first.sector < device.position) {
    before = first
    first = first.next
  }
  if (first == null || first.kind == BlockKind.flush) {
    // Behind the last: begin at the front again.
    before = null
    first = device.waiting
    if (first == null) return null
  }
  let last: BlockRequest = first
  if (first.kind != BlockKind.flush) {
    for (let count: u32 = 1; count < MOST_MERGED; count++) {
      const next = last.next
      if (next == null || next.kind != first.kind || next.sector != last.sector + last.sectors) break
      last = next
    }
    device.position = last.sector + last.sectors
  }
  if (before == null) device.waiting = last.next
  else before.next = last.next
  last.next = null
  device.transfers++
  return first
}

/** For drivers, with the lock held: all requests of a batch have ended alike. */
export function completeBatch(batch: BlockRequest, status: i32): void {
  let at: BlockRequest | null = batch
  while (at != null) {
    const next = at.next
    at.status = status
    at.done = 1
    wakeAll(waiters(at))
    at = next
  }
}
