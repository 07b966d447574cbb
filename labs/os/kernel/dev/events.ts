// Owns the registration table of event sources and the PLIC that most of them come through. Drivers register a handler, a queue, or both;
// a handler runs in the executor's loop of the hart that serves devices, between tasks, and may do what ordinary functions may.
import { Property, nextCompatible, nextNode, nodeName, property } from '../../arch/device-tree'
import { deviceAddress } from '../../arch/address'
import { print, printLine } from '../print'
import { WaitQueue, wakeAll } from '../sync/wait'

const SOURCES: u32 = 128

/** One source: its handler fn(context), the queue it wakes, and how often it has happened. */
@unmanaged export class EventSource {
  handler: u32
  context: u32
  queue: WaitQueue | null
  priority: u32
  hart: u32
  count: u64
}

const TABLE = memory.data(128 * 32, 64)
@readOnly let plic: usize = 0
/** The PLIC's supervisor context of each hart, all ones where unknown. */
const CONTEXTS = memory.data(8 * 4, 8)

@inline export function eventSource(source: u32): EventSource {
  return changetype<EventSource>(TABLE + source * 32)
}

/** Registers a device's interrupt source. The handler may be null when a queue is given. */
export function registerEvent(
  source: u32,
  handler: ((context: u32) => void) | null,
  context: u32,
  queue: WaitQueue | null,
  priority: u32,
  hart: u32,
): bool {
  if (source == 0 || source >= SOURCES || plic == 0) return false
  const entry = eventSource(source)
  entry.handler = <u32>changetype<usize>(handler)
  entry.context = context
  entry.queue = queue
  entry.priority = priority
  entry.hart = hart
  cpu.store32(plic + source * 4, priority < 7 ? 7 - priority : 1)
  enable(source, hart)
  return true
}

function enable(source: u32, hart: u32): void {
  const at = plic + 0x2000 + load<u32>(CONTEXTS + hart * 4) * 0x80 + (source >> 5) * 4
  cpu.store32(at, cpu.load32(at) | ((<u32>1) << (source & 31)))
}

/** Lets a hart that has just started have its devices: firmware may clear its context when it starts the hart. */
export function attachEvents(hart: u32): void {
  if (plic == 0 || load<u32>(CONTEXTS + hart * 4) == u32.MAX_VALUE) return
  for (let source: u32 = 1; source < SOURCES; source++) {
    const entry = eventSource(source)
    if (entry.hart == hart && (entry.handler != 0 || entry.queue != null)) enable(source, hart)
  }
  // Last: QEMU looks at what is pending when the threshold is written, not when a source is enabled.
  cpu.store32(plic + 0x200000 + load<u32>(CONTEXTS + hart * 4) * 0x1000, 0)
}

/** Finds the PLIC and the contexts of the harts: entry i of interrupts-extended is context i; cause 9 is a supervisor's. */
@init export function startEvents(): void {
  const found = changetype<Property>(memory.data(16, 8))
  let node = nextCompatible(0, 'sifive,plic-1.0.0')
  if (node == 0) node = nextCompatible(0, 'riscv,plic0')
  if (node == 0 || !property(node, 'reg', found)) {
    printLine('kernel: no interrupt controller')
    return
  }
  plic = deviceAddress(found.cells64(0))
  memory.fill(CONTEXTS, 0xff, 32)
  if (!property(node, 'interrupts-extended', found)) return
  for (let index: u32 = 0; index < found.bytes / 8; index++) {
    if (found.cell(index * 2 + 1) != 9) continue
    const hart = hartOfController(found.cell(index * 2))
    if (hart >= 8) continue
    store<u32>(CONTEXTS + hart * 4, index)
    cpu.store32(plic + 0x200000 + index * 0x1000, 0)
  }
}

/** The number of the hart whose interrupt controller has a phandle: the reg of the cpu node before it. */
function hartOfController(phandle: u32): u32 {
  const found = changetype<Property>(memory.data(16, 8))
  let hart: u32 = 0xff
  for (let node = nextNode(0); node != 0; node = nextNode(node)) {
    const name = nodeName(node)
    if (load<u32>(name) == 0x40757063 && property(node, 'reg', found)) hart = found.cell(0)
    else if (property(node, 'interrupt-controller', found) && property(node, 'phandle', found) && found.cell(0) == phandle) return hart
  }
  return 0xff
}

/** Serves every device that wants this hart. */
export function pollDevices(hart: u32): void {

  const claim = plic + 0x200004 + load<u32>(CONTEXTS + hart * 4) * 0x1000
  for (;;) {
    const source = cpu.load32(claim)
    if (source == 0) return
    if (source < SOURCES) {
      const entry = eventSource(source)
      entry.count++
      if (entry.handler != 0) changetype<(context: u32) => void>(<usize>entry.handler)(entry.context)
      const queue = entry.queue
      if (queue != null) wakeAll(queue)
    } else print('kernel: an interrupt of no known source\n')
    cpu.store32(claim, source)
  }
}
