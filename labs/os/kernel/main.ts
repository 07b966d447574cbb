// Owns the order in which the kernel starts. What assembly and the toolchain call is exported from here.
import { physical, virtual } from '../arch/address'
import { Csr } from '../arch/csr'
import { Property, childOfRoot, nextCompatible, nextNode, nodeName, openTree, property, same, treeBytes } from '../arch/device-tree'
import { sbiHartStatus, sbiStartHart } from '../arch/sbi'
import { startCache } from './block/cache'
import { startConsole } from './dev/console'
import { attachEvents, startEvents } from './dev/events'
import { startDisks } from './dev/virtio-blk'
import { HartState, hartAt, hartCount, hartMask, ioHart, setMachine, stateOf, thisHart, ticksPerSecond } from './hart'
import { addFrames, countFreeFrames, startFrames } from './mm/frames'
import { startHeap, tryAllocate } from './mm/heap'
import { startRoot, startInit } from './init'
import { startSpaces } from './mm/space'
import { startPower, shutdown } from './power'
import { print, printLine, printPair, usePort, printThroughConsole } from './print'
import { startVdso } from './vdso'
import { runHart, startExecutors } from './task/executor'
import { nanosecondsOf } from './task/timer'
import { deviceAddress } from '../arch/address'

export { __allocate, __release, __coroutine_allocate, __coroutine_free } from './mm/heap'
export { __wake, __forget, __idle } from './task/executor'
export { __abort, panicCode, panicTrap } from './panic'

@external('env', 'kernel_symbol') declare function kernelSymbol(index: u32): u32
@external('env', 'patch_trace') declare function patchTrace(): void

const property0 = changetype<Property>(memory.data(16, 8))

@init export function kernelMain(hart: u64, treeAddress: u64): void {
  const treeAt = virtual(treeAddress)
  if (!openTree(treeAt)) {
    printLine('kernel: the firmware gave no device tree')
    shutdown(1)
  }
  startSerial()
  readMachine(<u32>hart)
  startMemory(treeAt)
  startHeap()
  startExecutors()
  startPower()
  startEvents()
  startSpaces(kernelSymbol(8))
  startVdso(kernelSymbol(6), readClock())
  startConsoleDevice()
  startRoot(kernelSymbol(4), kernelSymbol(5), initrdStart, initrdEnd)
  startCache()
  startDisks()
  startHarts(<u32>hart)
  cpu.store32(stateOf(<u32>hart), HartState.kernel)
  cpu.csrWrite(Csr.scounteren, 7)
  printPair('Pollen OS: ', hartCount, hartCount == 1 ? ' hart' : ' harts')
  if (hartCount == 1) printThroughConsole(true)
  detach(startInit())
  runHart()
}

/** The first instructions of the other harts in this language. */
export function secondaryMain(hart: u64): void {
  attachEvents(<u32>hart)
  // The console's interrupts are served from here on.
  if (<u32>hart == ioHart) printThroughConsole(true)
  cpu.csrWrite(Csr.scounteren, 7)
  cpu.store32(stateOf(<u32>hart), HartState.kernel)
  runHart()
}

@init function startSerial(): void {
  const node = nextCompatible(0, 'ns16550a')
  if (node == 0 || !property(node, 'reg', property0)) return
  const registers = deviceAddress(property0.cells64(0))
  const shift = property(node, 'reg-shift', property0) ? property0.cell(0) : 0
  usePort(registers, shift)
}

/** The serial port again, now with interrupts, at the hart that serves devices. */
@init function startConsoleDevice(): void {
  const node = nextCompatible(0, 'ns16550a')
  if (node == 0 || !property(node, 'reg', property0)) return
  const registers = deviceAddress(property0.cells64(0))
  const shift = property(node, 'reg-shift', property0) ? property0.cell(0) : 0
  startConsole(registers, shift, node, ioHart)
}

/** Nanoseconds since 1970 at tick 0, by the board's clock; 0 when it has none. Reading the low half holds the high one still. */
@init function readClock(): u64 {
  const node = nextCompatible(0, 'google,goldfish-rtc')
  if (node == 0 || !property(node, 'reg', property0)) return 0
  const registers = deviceAddress(property0.cells64(0))
  const low: u64 = cpu.load32(registers)
  const now = ((<u64>cpu.load32(registers + 4)) << 32) | low
  return now - nanosecondsOf(cpu.time())
}

@readOnly let initrdStart: u32 = 0
@readOnly let initrdEnd: u32 = 0

/** An initrd named by the tree, as addresses of 4 or 8 bytes. */
@init function findInitrd(): void {
  const chosen = childOfRoot('chosen')
  if (chosen == 0) return
  if (property(chosen, 'linux,initrd-start', property0)) initrdStart = property0.cell(property0.bytes / 4 - 1)
  if (property(chosen, 'linux,initrd-end', property0)) initrdEnd = property0.cell(property0.bytes / 4 - 1)
  if (initrdEnd <= initrdStart) initrdStart = 0
}

/** Harts, time and extensions from the tree. */
@init function readMachine(boot: u32): void {
  let mask: u32 = 0
  let timebase: u64 = 10000000
  let sstc = true
  for (let node = nextNode(0); node != 0; node = nextNode(node)) {
    const name = nodeName(node)
    if (same(name, 'cpus')) {
      if (property(node, 'timebase-frequency', property0)) timebase = property0.cell(0)
      continue
    }
    if (load<u32>(name) != 0x40757063) continue
    if (!property(node, 'reg', property0)) continue
    const number = property0.cell(0)
    if (number >= 8 || (number != boot && sbiHartStatus(number) < 0)) continue
    mask |= 1 << number
    if (!property(node, 'riscv,isa', property0) || !contains(property0, '_sstc')) sstc = false
  }
  let io = boot
  for (let number: u32 = 0; number < 8; number++) if (mask & (1 << number) && number != boot) io = number
  const traced = property(nextNode(0), 'pollen,trace', property0)
  setMachine(mask, boot, io, timebase, sstc, traced)
  if (!traced) patchTrace()
}

function contains(text: Property, part: string): bool {
  for (let at: u32 = 0; at + <u32>part.length < text.bytes; at++) {
    let index = 0
    while (index < part.length && load<u8>(text.at + at + index) == <u8>part.charCodeAt(index)) index++
    if (index == part.length) return true
  }
  return false
}

/** RAM less what is in use: firmware, the kernel and its data, the device tree, an initrd. */
@init function startMemory(treeAt: usize): void {
  const node = childOfRoot('memory')
  if (node == 0 || !property(node, 'reg', property0)) throw new Error('the device tree names no memory')
  const base = property0.cells64(0)
  let bytes = property0.cells64(2)
  // The kernel's window ends at 0xC0000000.
  if (base + bytes > 0xc0000000) bytes = 0xc0000000 - base
  const from = <u32>virtual(base)
  const to = from + <u32>bytes
  const textEnd = kernelSymbol(0)
  const dataStart = kernelSymbol(1)
  const end = startFrames(from, to, (kernelSymbol(2) + 4095) & ~4095)
  const treeStart = <u32>treeAt & ~4095
  const treeEnd = (<u32>treeAt + treeBytes(treeAt) + 4095) & ~4095
  findInitrd()
  hole(0, treeStart, treeEnd)
  hole(1, initrdStart & ~4095, (initrdEnd + 4095) & ~4095)
  addExcept(textEnd, dataStart, 0)
  addExcept(end, to, 0)
}

/** Ranges that are in use: start and end each. */
const HOLES = memory.data(16, 8)

function hole(index: u32, start: u32, end: u32): void {
  store<u32>(HOLES + index * 8, start)
  store<u32>(HOLES + index * 8, end, 4)
}

/** Adds a range but for the holes from one on. */
function addExcept(from: u32, to: u32, first: u32): void {
  if (from >= to) return
  if (first == 2) {
    addFrames(from, to)
    return
  }
  const start = load<u32>(HOLES + first * 8)
  const end = load<u32>(HOLES + first * 8, 4)
  if (start >= to || end <= from) {
    addExcept(from, to, first + 1)
    return
  }
  if (start > from) addExcept(from, start, first + 1)
  if (end < to) addExcept(end, to, first + 1)
}

@init function startHarts(boot: u32): void {
  for (let number: u32 = 0; number < 8; number++) {
    if (number == boot || (hartMask & (1 << number)) == 0) continue
    const stack = tryAllocate(16384)
    if (stack == 0) throw new Error('no memory for the stack of a hart')
    hartAt(number).stack = <u32>stack
    // Sign-extended: a kernel address.
    const top = <u64>(<i64>(<i32>(stack + 16384)))
    if (sbiStartHart(number, physical(kernelSymbol(3)), top) < 0) printPair('kernel: the firmware does not start hart ', number, '')
  }
}
