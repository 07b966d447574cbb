// Owns virtio block devices (virtio 1.2, 5.2): many transfers in flight, completed by interrupt. The block layer is its only caller.
import { Errno } from '../abi'
import { BlockDevice, BlockKind, BlockRequest, MOST_MERGED, SECTOR, addBlockDevice, completeBatch, deviceLock, takeBatch } from '../block/device'
import { ioHart } from '../hart'
import { allocateFrame } from '../mm/frames'
import { create } from '../mm/heap'
import { printLine } from '../print'
import { Priority } from '../task/task'
import { registerEvent } from './events'
import { CONFIGURATION, VirtioDevice, acknowledge, addBuffer, freeChain, nextVirtio, offer, openVirtio, ringBell, startVirtio, takeUsed } from './virtio'

const DEVICE_ID: u32 = 2
const READ_ONLY: u64 = 1 << 5
const FLUSH: u64 = 1 << 9

const TYPE_READ: u32 = 0
const TYPE_WRITE: u32 = 1
const TYPE_FLUSH: u32 = 4

// A frame of each disk holds what the device reads and writes beside the data, 32 bytes for each transfer in flight:
// {type u32, 0 u32, sector u64, status u8, ..., batch u32 at 28, 0 while it is free}; behind them, by the head of a chain, the number
// of its transfer, u16 each.
const TRANSFER_BYTES: u32 = 32
const MOST_TRANSFERS: u32 = 32
const HEADS: u32 = 1024
const STATUS: u32 = 16
const BATCH: u32 = 28
const HEADER_BYTES: u32 = 16

@unmanaged class Disk {
  virtio: VirtioDevice
  transfers: u32
  /** Transfers on their way. */
  inFlight: u32
}

/** Finds the disks; their interrupts go to the hart that serves devices. */
@init export function startDisks(): void {
  for (let node = nextVirtio(0, DEVICE_ID); node != 0; node = nextVirtio(node, DEVICE_ID)) {
    const virtio = openVirtio(node, READ_ONLY | FLUSH)
    const disk = create<Disk>()
    const device = create<BlockDevice>()
    const frame = allocateFrame()
    if (virtio == null || disk == null || device == null || frame == 0) {
      printLine('kernel: a disk cannot be used')
      continue
    }
    disk.virtio = virtio
    disk.transfers = frame
    const capacity = cpu.load64(virtio.registers + CONFIGURATION)
    device.sectors = <u32>min<u64>(capacity, u32.MAX_VALUE)
    device.readOnly = (virtio.features & READ_ONLY) != 0 ? 1 : 0
    device.start = startTransfers
    device.driver = <u32>changetype<usize>(disk)
    if (!registerEvent(virtio.source, diskInterrupt, <u32>changetype<usize>(device), null, Priority.driver, ioHart)) continue
    startVirtio(virtio)
    addBlockDevice(device)
  }
}

@inline function diskOf(device: BlockDevice): Disk {
  return changetype<Disk>(<usize>device.driver)
}

/** Takes batches while there are descriptors: header, data of each request, status. */
function startTransfers(device: BlockDevice): void {
  const disk = diskOf(device)
  const virtio = disk.virtio
  let any = false
  while (virtio.freeCount >= MOST_MERGED + 2) {
    const batch = takeBatch(device)
    if (batch == null) break
    if (batch.kind == BlockKind.flush && (virtio.features & FLUSH) == 0) {
      // A disk without the feature writes through (5.2.6.2).
      completeBatch(batch, 0)
      continue
    }
    startTransfer(disk, batch)
    any = true
  }
  if (any) ringBell(virtio)
}

function startTransfer(disk: Disk, batch: BlockRequest): void {
  const virtio = disk.virtio
  let count: u32 = 0
  for (let at: BlockRequest | null = batch; at != null; at = at.next) count++
  if (batch.kind == BlockKind.flush) count = 0
  const transfer = disk.transfers + transferNumber(disk) * TRANSFER_BYTES
  store<u32>(transfer, batch.kind == BlockKind.read ? TYPE_READ : batch.kind == BlockKind.write ? TYPE_WRITE : TYPE_FLUSH)
  store<u32>(transfer, 0, 4)
  store<u64>(transfer, batch.kind == BlockKind.flush ? 0 : batch.sector, 8)
  store<u8>(transfer, 0xff, STATUS)
  store<u32>(transfer, <u32>changetype<usize>(batch), BATCH)
  let chain = addBuffer(virtio, transfer + STATUS, 1, true, -1)
  for (; count != 0; count--) {
    let at = batch
    for (let skip: u32 = 1; skip < count; skip++) at = at.next!
    chain = addBuffer(virtio, at.memory, at.sectors * SECTOR, batch.kind == BlockKind.read, chain)
  }
  chain = addBuffer(virtio, transfer, HEADER_BYTES, false, chain)
  store<u16>(disk.transfers + HEADS + <u32>chain * 2, <u16>((transfer - disk.transfers) / TRANSFER_BYTES))
  disk.inFlight++
  offer(virtio, chain)
}

/** A transfer that is not in use; there are more than chains fit the queue. */
function transferNumber(disk: Disk): u32 {
  let number: u32 = 0
  while (number < MOST_TRANSFERS && load<u32>(disk.transfers + number * TRANSFER_BYTES, BATCH) != 0) number++
  return number
}

function diskInterrupt(context: u32): void {
  const device = changetype<BlockDevice>(<usize>context)
  const disk = diskOf(device)
  const lock = deviceLock(device)
  acknowledge(disk.virtio)
  lock.lock()
  for (let head = takeUsed(disk.virtio); head >= 0; head = takeUsed(disk.virtio)) {
    const number: u32 = load<u16>(disk.transfers + HEADS + <u32>head * 2)
    const transfer = disk.transfers + number * TRANSFER_BYTES
    const batch = changetype<BlockRequest>(<usize>load<u32>(transfer, BATCH))
    const status = load<u8>(transfer, STATUS)
    store<u32>(transfer, 0, BATCH)
    freeChain(disk.virtio, head)
    disk.inFlight--
    completeBatch(batch, status == 0 ? 0 : -Errno.EIO)
  }
  startTransfers(device)
  lock.unlock()
}
