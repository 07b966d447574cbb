/** What the interrupt controllers of `virt` hold, for people: sources with names, contexts, timers. */
import type { VirtBoard } from './virt.ts'
import { VIRT_MAP } from './virt-device-tree.ts'

export interface InterruptView {
  readonly sources: readonly {
    readonly number: number
    readonly name: string
    readonly priority: number
    readonly level: boolean
    readonly pending: boolean
    readonly inService: boolean
    /** Indices into `contexts`. */
    readonly enabled: readonly number[]
  }[]
  readonly contexts: readonly { readonly name: string; readonly threshold: number }[]
  readonly time: bigint
  readonly harts: readonly { readonly software: boolean; readonly timerCompare: bigint }[]
}

const MTIME = 0xbff8

/** Sources that have a device, and whatever else a program has touched. */
export function interruptView({ plic, clint, machine }: VirtBoard): InterruptView {
  const state = plic.save() as Record<'priority' | 'level' | 'pending' | 'inService' | 'enable' | 'threshold', Uint32Array>
  const timers = clint.save() as { msip: number[]; mtimecmp: bigint[] }
  const { harts } = machine.options
  const words = state.level.length
  const bit = (list: Uint32Array, index: number, from = 0) => ((list[from + (index >>> 5)] >>> (index & 31)) & 1) === 1
  const contexts = [...state.threshold].map((threshold, index) => ({ name: contextName(index, harts), threshold }))
  const sources = Array.from({ length: state.priority.length }, (_, number) => ({
    number,
    name: sourceName(number),
    priority: state.priority[number],
    level: bit(state.level, number),
    pending: bit(state.pending, number),
    inService: bit(state.inService, number),
    enabled: contexts.flatMap((_context, index) => (bit(state.enable, number, index * words) ? [index] : [])),
  })).filter(({ name, priority, pending, enabled }) => name !== '' || priority > 0 || pending || enabled.length > 0)
  const half = (offset: number) => BigInt(clint.read(offset, 4) >>> 0)
  return {
    sources,
    contexts,
    time: half(MTIME) | (half(MTIME + 4) << 32n),
    harts: timers.msip.map((software, hart) => ({ software: software !== 0, timerCompare: timers.mtimecmp[hart] })),
  }
}

/** In the order that plic.ts gives them. */
function contextName(index: number, harts: number): string {
  if (index >= harts * 2) return `h${index - harts * 2} U`
  return `h${index >> 1} ${index % 2 ? 'S' : 'M'}`
}

function sourceName(number: number): string {
  const { rtc, uart, virtio, spi } = VIRT_MAP
  if (number === rtc.irq) return 'rtc'
  if (number === uart.irq) return 'uart'
  if (number === spi.irq) return 'spi'
  return number >= virtio.irq && number < virtio.irq + virtio.slots ? `virtio ${number - virtio.irq}` : ''
}
