// Owns the console: a 16550 driven by interrupts in both directions, and its line discipline (editing, echo, Ctrl-C, Ctrl-D, raw mode).
// Readers and writers await; the handler runs on the hart that serves devices.
import { Property, property } from '../../arch/device-tree'
import { Errno, FileType, Poll } from '../abi'
import { __release, tryAllocate } from '../mm/heap'
import { copyIn, copyOut } from '../mm/user'
import { SpinLock } from '../sync/spin'
import { WaitQueue, park, prepareWait, wakeAll, wakeAllAt } from '../sync/wait'
import { interruptGroup } from '../task/process'
import { reportTasks } from '../task/report'
import { Activity, Priority, Wake, self } from '../task/task'
import { setDefaults } from '../vfs/defaults'
import { Node, NodeOperations, OpenFile } from '../vfs/node'
import { memNode } from '../vfs/memfs'
import { printThroughConsole } from '../print'
import { registerEvent } from './events'
import { pollChanged } from './poll'

const TRANSMIT_BYTES: u32 = 4096
const RECEIVE_BYTES: u32 = 4096
const LINE_BYTES: u32 = 1024
const FIFO: u32 = 16

const IER: u32 = 1
const IIR: u32 = 2
const FCR: u32 = 2
const LSR: u32 = 5
const IER_RECEIVE: u32 = 1
const IER_EMPTY: u32 = 2
const LSR_READY: u32 = 1
const LSR_EMPTY: u32 = 0x20

/** Bits of c_lflag as Linux has them. */
const SIGNALS: u32 = 1
const CANONICAL: u32 = 2
const ECHO: u32 = 8

@unmanaged class Console {
  registers: u32
  shift: u32
  /** Free-running positions in the two rings. */
  transmitHead: u32
  transmitTail: u32
  receiveHead: u32
  receiveTail: u32
  line: u32
  modes: u32
  /** Ends of input waiting to be read, as Ctrl-D makes them. */
  ends: u32
  group: u32
  enabled: u32
  readers: WaitQueue
  writers: WaitQueue
  queues: u64
  queues2: u64
}

const console = changetype<Console>(memory.data(96, 64))
const transmitRing = memory.data(4096, 64)
const receiveRing = memory.data(4096, 64)
const lineBuffer = memory.data(1024, 64)
const consoleLock = changetype<SpinLock>(memory.data(64, 64))
const operations = changetype<NodeOperations>(memory.data(64, 8))
const found = changetype<Property>(memory.data(16, 8))

@inline function get(register: u32): u32 {
  return cpu.load8(console.registers + (register << console.shift))
}
@inline function put(register: u32, value: u32): void {
  cpu.store8(console.registers + (register << console.shift), value)
}

/** Takes over a 16550 of the device tree; interrupts go to `hart`. */
@init export function startConsole(registers: usize, shift: u32, node: usize, hart: u32): void {
  console.registers = <u32>registers
  console.shift = shift
  console.modes = SIGNALS | CANONICAL | ECHO
  console.readers = changetype<WaitQueue>(changetype<usize>(console) + offsetof<Console>('queues'))
  console.writers = changetype<WaitQueue>(changetype<usize>(console) + offsetof<Console>('queues2'))
  put(FCR, 7)
  if (!property(node, 'interrupts', found)) return
  if (!registerEvent(found.cell(0), consoleInterrupt, 0, null, Priority.driver, hart)) return
  console.enabled = IER_RECEIVE
  put(IER, IER_RECEIVE)
}

/** The node of /dev/console. */
@init export function consoleNode(): Node {
  setDefaults(operations)
  operations.read = consoleRead
  operations.write = consoleWrite
  operations.poll = consolePoll
  operations.control = consoleControl
  const node = memNode(FileType.characterDevice)
  if (node == null) throw new Error('no memory for the console')
  node.operations = operations
  return node
}

function consoleInterrupt(context: u32): void {
  consoleLock.lock()
  // Reading IIR takes the "transmitter empty" interrupt back.
  get(IIR)
  while (get(LSR) & LSR_READY) receive(get(0))
  transmit()
  consoleLock.unlock()
}

/** Moves characters to the device while it has room. */
@holds(consoleLock) function transmit(): void {
  if (console.transmitHead != console.transmitTail && get(LSR) & LSR_EMPTY) {
    for (let room = FIFO; room != 0 && console.transmitHead != console.transmitTail; room--)
      put(0, load<u8>(transmitRing + (console.transmitHead++ & (TRANSMIT_BYTES - 1))))
    if (TRANSMIT_BYTES - (console.transmitTail - console.transmitHead) >= TRANSMIT_BYTES / 2) wakeAll(console.writers)
  }
  const wanted = IER_RECEIVE | (console.transmitHead != console.transmitTail ? IER_EMPTY : 0)
  if (wanted == console.enabled) return
  console.enabled = wanted
  put(IER, wanted)
}

/** Queues a character for output if there is room. */
@holds(consoleLock) function queue(character: u32): void {
  if (console.transmitTail - console.transmitHead < TRANSMIT_BYTES) store<u8>(transmitRing + (console.transmitTail++ & (TRANSMIT_BYTES - 1)), <u8>character)
}

@holds(consoleLock) function echo(character: u32): void {
  if ((console.modes & ECHO) == 0) return
  if (character == 10) queue(13)
  queue(character)
}

@holds(consoleLock) function deliver(character: u32): void {
  if (console.receiveTail - console.receiveHead < RECEIVE_BYTES) store<u8>(receiveRing + (console.receiveTail++ & (RECEIVE_BYTES - 1)), <u8>character)
}

@holds(consoleLock) function receive(character: u32): void {
  if (character == 3 && console.modes & SIGNALS) {
    console.line = 0
    if (console.modes & ECHO) {
      queue(94)
      queue(67)
      echo(10)
    }
    interruptGroup(console.group)
    return
  }
  if (character == 20 && console.modes & SIGNALS) {
    // With the lock held: straight to the device.
    printThroughConsole(false)
    drain()
    reportTasks()
    printThroughConsole(true)
    return
  }
  if ((console.modes & CANONICAL) == 0) {
    deliver(character)
    wakeReaders()
    return
  }
  if (character == 13) character = 10
  if (character == 8 || character == 127) {
    if (console.line == 0) return
    console.line--
    if (console.modes & ECHO) {
      queue(8)
      queue(32)
      queue(8)
    }
    return
  }
  if (character == 21) {
    while (console.line != 0) receive(127)
    return
  }
  if (character == 4) {
    if (console.line == 0) console.ends++
    else flushLine()
    wakeReaders()
    return
  }
  echo(character)
  if (console.line < LINE_BYTES) store<u8>(lineBuffer + console.line++, <u8>character)
  if (character == 10) {
    flushLine()
    wakeReaders()
  }
}

@holds(consoleLock) function flushLine(): void {
  for (let index: u32 = 0; index < console.line; index++) deliver(load<u8>(lineBuffer + index))
  console.line = 0
}

@holds(consoleLock) function wakeReaders(): void {
  // A key that is pressed goes ahead of whatever computes.
  wakeAllAt(console.readers, Priority.boosted)
  pollChanged()
}

async function consoleRead(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): Promise<i64> {
  if (bytes == 0) return 0
  consoleLock.lock()
  while (console.receiveHead == console.receiveTail) {
    if (console.ends != 0) {
      console.ends--
      consoleLock.unlock()
      return 0
    }
    if (file.flags & 0o4000) {
      consoleLock.unlock()
      return -Errno.EAGAIN
    }
    const parked = prepareWait(console.readers, activity, self())
    consoleLock.unlock()
    if (parked) park()
    if (activity.reason != Wake.event) return -Errno.EINTR
    consoleLock.lock()
  }
  // One line at most, or what is there in raw mode; at most 256 bytes at once.
  let count: u32 = 0
  const most = min(bytes, <u32>256)
  const copy = tryAllocate(256)
  if (copy == 0) {
    consoleLock.unlock()
    return -Errno.ENOMEM
  }
  const head = console.receiveHead
  while (count < most && head + count != console.receiveTail) {
    const character = load<u8>(receiveRing + ((head + count) & (RECEIVE_BYTES - 1)))
    store<u8>(copy + count++, character)
    if (character == 10 && console.modes & CANONICAL) break
  }
  console.receiveHead = head + count
  consoleLock.unlock()
  const fine = copyOut(activity, address, copy, count)
  __release(copy)
  return fine ? <i64>count : -Errno.EFAULT
}

async function consoleWrite(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): Promise<i64> {
  const copy = tryAllocate(256)
  if (copy == 0) return -Errno.ENOMEM
  let done: u32 = 0
  let problem = 0
  while (done < bytes && problem == 0) {
    const part = min(bytes - done, <u32>256)
    if (!copyIn(activity, copy, address + done, part)) {
      problem = Errno.EFAULT
      break
    }
    let index: u32 = 0
    consoleLock.lock()
    while (index < part) {
      // Room for a line end's two characters.
      if (TRANSMIT_BYTES - (console.transmitTail - console.transmitHead) < 2) {
        transmit()
        const parked = prepareWait(console.writers, activity, self())
        consoleLock.unlock()
        if (parked) park()
        if (activity.reason != Wake.event) {
          problem = Errno.EINTR
          break
        }
        consoleLock.lock()
        continue
      }
      const character: u32 = load<u8>(copy + index++)
      if (character == 10) queue(13)
      queue(character)
    }
    if (problem == 0) {
      transmit()
      consoleLock.unlock()
    }
    done += index
  }
  __release(copy)
  return done != 0 ? <i64>done : -problem
}

function consolePoll(file: OpenFile): u32 {
  consoleLock.lock()
  const readable = console.receiveHead != console.receiveTail || console.ends != 0
  consoleLock.unlock()
  return readable ? Poll.readable | Poll.writable : Poll.writable
}

/** TCGETS, TCSETS (and W, F), TIOCGPGRP, TIOCSPGRP, TIOCGWINSZ, FIONREAD. */
async function consoleControl(file: OpenFile, request: u32, argument: u64, activity: Activity): Promise<i64> {
  const block = tryAllocate(64)
  if (block == 0) return -Errno.ENOMEM
  memory.fill(block, 0, 64)
  let result: i64 = 0
  switch (request) {
    case 0x5401:
      store<u32>(block, console.modes, 12)
      store<u8>(block, 3, 17)
      store<u8>(block, 127, 19)
      store<u8>(block, 4, 21)
      if (!copyOut(activity, argument, block, 36)) result = -Errno.EFAULT
      break
    case 0x5402:
    case 0x5403:
    case 0x5404:
      if (!copyIn(activity, block, argument, 36)) result = -Errno.EFAULT
      else {
        consoleLock.lock()
        console.modes = load<u32>(block, 12) & (SIGNALS | CANONICAL | ECHO)
        if ((console.modes & CANONICAL) == 0) flushLine()
        consoleLock.unlock()
      }
      break
    case 0x540f:
      store<u32>(block, console.group)
      if (!copyOut(activity, argument, block, 4)) result = -Errno.EFAULT
      break
    case 0x5410:
      if (!copyIn(activity, block, argument, 4)) result = -Errno.EFAULT
      else console.group = load<u32>(block)
      break
    case 0x5413:
      store<u16>(block, 24)
      store<u16>(block, 80, 2)
      if (!copyOut(activity, argument, block, 8)) result = -Errno.EFAULT
      break
    case 0x541b:
      store<u32>(block, console.receiveTail - console.receiveHead)
      if (!copyOut(activity, argument, block, 4)) result = -Errno.EFAULT
      break
    default:
      result = -Errno.ENOTTY
  }
  __release(block)
  return result
}

/** Sends what is still queued by hand: the machine is about to go off. Takes no lock, because its holder may be the one that failed. */
export function flushConsole(): void {
  if (console.registers == 0) return
  drain()
  while ((get(LSR) & 0x40) == 0) {}
}

function drain(): void {
  while (console.transmitHead != console.transmitTail) {
    while ((get(LSR) & LSR_EMPTY) == 0) {}
    put(0, load<u8>(transmitRing + (console.transmitHead++ & (TRANSMIT_BYTES - 1))))
  }
}

/** Takes a character of the kernel's; false when there is no room. */
export function queueCharacter(character: u32): bool {
  consoleLock.lock()
  const fits = console.transmitTail - console.transmitHead < TRANSMIT_BYTES
  if (fits) {
    queue(character)
    transmit()
  }
  consoleLock.unlock()
  return fits
}
