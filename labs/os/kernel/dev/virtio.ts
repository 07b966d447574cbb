// Owns the memory-mapped virtio transport (virtio 1.2, 4.2): finding a device in the device tree, agreeing on features, one queue.
// Drivers of virtio devices call it; version 2 only, as the contracts say.
import { deviceAddress, physical } from '../../arch/address'
import { Property, nextCompatible, property } from '../../arch/device-tree'
import { allocateFrame } from '../mm/frames'
import { create } from '../mm/heap'
import { printLine } from '../print'

const MAGIC_VALUE: usize = 0x000
const VERSION: usize = 0x004
const DEVICE_ID: usize = 0x008
const DEVICE_FEATURES: usize = 0x010
const DEVICE_FEATURES_SELECT: usize = 0x014
const DRIVER_FEATURES: usize = 0x020
const DRIVER_FEATURES_SELECT: usize = 0x024
const QUEUE_SELECT: usize = 0x030
const QUEUE_MOST: usize = 0x034
const QUEUE_SIZE: usize = 0x038
const QUEUE_READY: usize = 0x044
const QUEUE_NOTIFY: usize = 0x050
const INTERRUPT_STATUS: usize = 0x060
const INTERRUPT_ACKNOWLEDGE: usize = 0x064
const STATUS: usize = 0x070
const QUEUE_DESCRIPTORS: usize = 0x080
const QUEUE_DRIVER: usize = 0x090
const QUEUE_DEVICE: usize = 0x0a0
export const CONFIGURATION: usize = 0x100

const MAGIC: u32 = 0x74726976
const ACKNOWLEDGE: u32 = 1
const DRIVER: u32 = 2
const DRIVER_OK: u32 = 4
const FEATURES_OK: u32 = 8
const FAILED: u32 = 128

/** Bit 32: the feature that says "not legacy". */
const VERSION_1: u64 = 1 << 32

// Descriptors of 16 bytes: address u64, length u32, flags u16, next u16 (2.7.5).
const NEXT: u16 = 1
const WRITABLE: u16 = 2
/** Entries of the queue: its three parts fit one frame. */
export const QUEUE_ENTRIES: u32 = 64
const AVAILABLE: u32 = 1024
const USED: u32 = 2048

@unmanaged export class VirtioDevice {
  registers: usize
  /** PLIC source. */
  source: u32
  features: u64
  /** The queue's frame: descriptors, what is available at 1024, what is used at 2048. */
  queue: u32
  /** List of free descriptors through their `next`, and how many. */
  free: u32
  freeCount: u32
  /** Entries of the used ring that were seen. */
  seen: u32
}

const found = changetype<Property>(memory.data(16, 8))

/** The next device of a kind (virtio 1.2, chapter 5) after the node `after`, 0 for the first: its node, or 0. */
@init export function nextVirtio(after: usize, kind: u32): usize {
  for (let node = nextCompatible(after, 'virtio,mmio'); node != 0; node = nextCompatible(node, 'virtio,mmio')) {
    if (!property(node, 'reg', found)) continue
    const registers = deviceAddress(found.cells64(0))
    if (cpu.load32(registers + MAGIC_VALUE) != MAGIC || cpu.load32(registers + DEVICE_ID) != kind) continue
    if (cpu.load32(registers + VERSION) == 2) return node
    printLine('kernel: a virtio device of the legacy kind is left alone: use modern virtio')
  }
  return 0
}

/** Takes a device over as far as its features: those of `wanted` that it has. Null when it refuses. */
@init export function openVirtio(node: usize, wanted: u64): VirtioDevice | null {
  const device = create<VirtioDevice>()
  if (device == null || !property(node, 'reg', found)) return null
  const registers = deviceAddress(found.cells64(0))
  device.registers = registers
  if (!property(node, 'interrupts', found)) return null
  device.source = found.cell(0)
  cpu.store32(registers + STATUS, 0)
  cpu.store32(registers + STATUS, ACKNOWLEDGE)
  cpu.store32(registers + STATUS, ACKNOWLEDGE | DRIVER)
  cpu.store32(registers + DEVICE_FEATURES_SELECT, 0)
  const low: u64 = cpu.load32(registers + DEVICE_FEATURES)
  cpu.store32(registers + DEVICE_FEATURES_SELECT, 1)
  const high: u64 = cpu.load32(registers + DEVICE_FEATURES)
  device.features = (low | (high << 32)) & (wanted | VERSION_1)
  cpu.store32(registers + DRIVER_FEATURES_SELECT, 0)
  cpu.store32(registers + DRIVER_FEATURES, <u32>device.features)
  cpu.store32(registers + DRIVER_FEATURES_SELECT, 1)
  cpu.store32(registers + DRIVER_FEATURES, <u32>(device.features >>> 32))
  cpu.store32(registers + STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK)
  if ((device.features & VERSION_1) == 0 || (cpu.load32(registers + STATUS) & FEATURES_OK) == 0 || !makeQueue(device)) {
    cpu.store32(registers + STATUS, FAILED)
    return null
  }
  return device
}

@init function makeQueue(device: VirtioDevice): bool {
  const registers = device.registers
  cpu.store32(registers + QUEUE_SELECT, 0)
  const frame = allocateFrame()
  if (frame == 0 || cpu.load32(registers + QUEUE_MOST) < QUEUE_ENTRIES) return false
  device.queue = frame
  for (let index: u32 = 0; index < QUEUE_ENTRIES; index++) store<u16>(frame + index * 16, <u16>(index + 1), 14)
  device.freeCount = QUEUE_ENTRIES
  cpu.store32(registers + QUEUE_SIZE, QUEUE_ENTRIES)
  setAddress(registers + QUEUE_DESCRIPTORS, frame)
  setAddress(registers + QUEUE_DRIVER, frame + AVAILABLE)
  setAddress(registers + QUEUE_DEVICE, frame + USED)
  cpu.store32(registers + QUEUE_READY, 1)
  return true
}

function setAddress(register: usize, address: usize): void {
  cpu.store32(register, <u32>physical(address))
  cpu.store32(register + 4, <u32>(physical(address) >>> 32))
}

/** The device may work from here on. */
@init export function startVirtio(device: VirtioDevice): void {
  cpu.store32(device.registers + STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)
}

@inline function descriptor(device: VirtioDevice, index: u32): usize {
  return device.queue + index * 16
}

/** Puts a buffer in front of the chain that begins at `next` (-1: none) and gives its descriptor. There must be a free one. */
export function addBuffer(device: VirtioDevice, address: usize, bytes: u32, writable: bool, next: i32): i32 {
  const index = device.free
  const at = descriptor(device, index)
  device.free = load<u16>(at, 14)
  device.freeCount--
  store<u64>(at, physical(address))
  store<u32>(at, bytes, 8)
  store<u16>(at, (writable ? WRITABLE : 0) | (next >= 0 ? NEXT : 0), 12)
  store<u16>(at, <u16>next, 14)
  return <i32>index
}

/** Offers a chain to the device; ring the bell afterwards. */
export function offer(device: VirtioDevice, head: i32): void {
  const available = device.queue + AVAILABLE
  const index = load<u16>(available, 2)
  store<u16>(available + (index & (QUEUE_ENTRIES - 1)) * 2, <u16>head, 4)
  // The entry before the index (2.7.13).
  cpu.fence()
  cpu.store16(available + 2, <u32>index + 1)
}

export function ringBell(device: VirtioDevice): void {
  cpu.fence()
  cpu.store32(device.registers + QUEUE_NOTIFY, 0)
}

/** The head of a chain that the device has finished, -1 when there is none. Its descriptors stay taken until freeChain. */
export function takeUsed(device: VirtioDevice): i32 {
  const used = device.queue + USED
  if (cpu.load16(used + 2) == (device.seen & 0xffff)) return -1
  cpu.fence()
  const head = load<u32>(used + (device.seen & (QUEUE_ENTRIES - 1)) * 8, 4)
  device.seen++
  return <i32>head
}

export function freeChain(device: VirtioDevice, head: i32): void {
  for (let index = <u32>head; ; ) {
    const at = descriptor(device, index)
    const more = (load<u16>(at, 12) & NEXT) != 0
    const next: u32 = load<u16>(at, 14)
    store<u16>(at, <u16>device.free, 14)
    device.free = index
    device.freeCount++
    if (!more) return
    index = next
  }
}

/** Tells the device that its interrupt was seen. */
export function acknowledge(device: VirtioDevice): void {
  cpu.store32(device.registers + INTERRUPT_ACKNOWLEDGE, cpu.load32(device.registers + INTERRUPT_STATUS))
}
