/** The `virt` board: QEMU's addresses and interrupt numbers (virt-device-tree.ts draws the map), with an SD card and, on demand, user interrupts. */
import type { BlockImage } from '../backend/block-image.ts'
import type { ConsoleStream } from '../backend/console.ts'
import type { Clint } from '../device/clint.ts'
import type { Device, DeviceState, InterruptLine } from '../device/device.ts'
import { Finisher } from '../device/finisher.ts'
import { Plic, plicContext } from '../device/plic.ts'
import { GoldfishRtc } from '../device/rtc.ts'
import { SdCard, type SdFault } from '../device/sdcard.ts'
import { SiFiveSpi } from '../device/spi.ts'
import { DEVICE_TIMING, type TimingProfile } from '../device/timing.ts'
import { Uart16550 } from '../device/uart16550.ts'
import { Uintc } from '../device/uintc.ts'
import { VirtioBlock } from '../device/virtio-blk.ts'
import { VirtioConsole } from '../device/virtio-console.ts'
import { VirtioEntropy } from '../device/virtio-entropy.ts'
import { NoVirtioDevice, VirtioMmio, type VirtioModel } from '../device/virtio-mmio.ts'
import * as L from '../hart/layout.ts'
import type { Board } from './board.ts'
import { encodeDeviceTree } from './device-tree.ts'
import { makeClint, travellingWire } from './interrupt-wires.ts'
import { DEFAULT_QUANTUM, type Engine, Machine } from './machine.ts'
import { BOARD_TIMING } from './timing.ts'
import { VIRT_MAP, virtDeviceTree } from './virt-device-tree.ts'

export interface VirtOptions {
  readonly hartModule: WebAssembly.Module
  readonly harts?: number
  /** Bytes of RAM, a multiple of 4096; 128 MiB unless given. */
  readonly ramSize?: number
  readonly timing?: TimingProfile
  readonly quantum?: number
  readonly engine?: Engine
  readonly userInterrupts?: { readonly n: boolean; readonly uintc: boolean }
  readonly seed?: bigint
  readonly console: ConsoleStream
  /** Images of virtio disks, in order; the first takes slot 0. */
  readonly disks?: readonly BlockImage[]
  readonly sd?: BlockImage
  /** What goes wrong with the card. */
  readonly sdFaults?: readonly SdFault[]
  readonly legacyVirtio?: boolean
  /** A virtio console beside the UART. */
  readonly virtioConsole?: ConsoleStream
  readonly onWarning?: (text: string) => void
}

export const VIRT_DEFAULT_RAM = 128 << 20
/** The most RAM that fits the linear memory of the core. */
export const VIRT_MOST_RAM = 3 * 2 ** 30

export interface VirtTree {
  readonly bootArguments?: string
  readonly initrd?: { readonly start: number; readonly end: number }
}

export class VirtBoard implements Board {
  readonly kind = 'virt'
  readonly machine: Machine
  readonly uart: Uart16550
  readonly plic: Plic
  readonly clint: Clint
  readonly uintc: Uintc | undefined

  constructor(private readonly options: VirtOptions) {
    const harts = options.harts ?? 1
    const timing = options.timing ?? 'ideal'
    const extensions = options.userInterrupts ?? { n: false, uintc: false }
    const board = BOARD_TIMING[timing]
    this.machine = new Machine({
      hartModule: options.hartModule,
      harts,
      ramBase: VIRT_MAP.ram.base,
      ramSize: options.ramSize ?? VIRT_DEFAULT_RAM,
      timing,
      cyclesPerTick: Math.round(board.frequency / board.timebase),
      extensions: L.EXT_SSTC | (extensions.n ? L.EXT_N : 0) | (extensions.uintc ? L.EXT_UINTC : 0),
      privileged: 12,
      quantum: options.quantum ?? DEFAULT_QUANTUM,
      engine: options.engine ?? 'auto',
      onWarning: options.onWarning ?? (() => {}),
    })
    const { bus, clock, log, dma } = this.machine
    const devices = DEVICE_TIMING[timing]
    const add = <T extends Device>(place: { base: number; size: number }, device: T): T => {
      bus.add(place.base, place.size, device)
      return device
    }

    this.clint = add(VIRT_MAP.clint, makeClint(this.machine))
    const onLine = (source: number, level: boolean) => this.machine.interruptLine(source, level)
    const plicOptions = { sources: VIRT_MAP.plic.sources, harts, userContexts: extensions.n, edgeTriggered: [VIRT_MAP.uart.irq], onLine }
    const outputs: InterruptLine[] = []
    for (let hart = 0; hart < harts; hart++) {
      outputs[plicContext(plicOptions, hart, 'machine')] = this.machine.wire(hart, 11)
      outputs[plicContext(plicOptions, hart, 'supervisor')] = this.machine.wire(hart, 9)
      if (extensions.n) outputs[plicContext(plicOptions, hart, 'user')] = this.machine.wire(hart, 8)
    }
    this.plic = add(VIRT_MAP.plic, new Plic('plic', plicOptions, outputs, log))
    const line = (source: number) => this.plic.source(source)
    this.uart = add(
      VIRT_MAP.uart,
      new Uart16550('uart', clock, line(VIRT_MAP.uart.irq), options.console, log, {
        clockFrequency: VIRT_MAP.uart.clockFrequency,
        timing: devices,
      }),
    )
    add(VIRT_MAP.rtc, new GoldfishRtc('rtc', clock, line(VIRT_MAP.rtc.irq), log))
    add(
      VIRT_MAP.finisher,
      new Finisher('finisher', { exit: (status) => this.machine.exit(status), reset: () => this.machine.stop({ kind: 'reset' }) }, log),
    )
    if (extensions.uintc) this.uintc = add(VIRT_MAP.uintc, this.makeUintc(harts, board.ipiDelay))
    if (options.sd) {
      const card = new SdCard('sdcard', options.sd, devices.sd, board.frequency, log)
      options.sdFaults?.forEach((fault) => card.fail(fault))
      add(VIRT_MAP.spi, new SiFiveSpi('spi', clock, line(VIRT_MAP.spi.irq), log, VIRT_MAP.spi.clockFrequency, card))
    }

    const models: VirtioModel[] = (options.disks ?? []).map((image) => new VirtioBlock(clock, image, devices.block))
    if (options.virtioConsole) models.push(new VirtioConsole(clock, options.virtioConsole, devices.console))
    models.push(new VirtioEntropy(clock, options.seed ?? 0n, devices.entropy))
    while (models.length < VIRT_MAP.virtio.slots) models.push(new NoVirtioDevice())
    models.slice(0, VIRT_MAP.virtio.slots).forEach((model, slot) =>
      add(
        { base: VIRT_MAP.virtio.base + slot * VIRT_MAP.virtio.size, size: VIRT_MAP.virtio.size },
        new VirtioMmio(`virtio${slot}`, model, {
          memory: dma,
          line: line(VIRT_MAP.virtio.irq + slot),
          log,
          legacy: options.legacyVirtio,
        }),
      ),
    )
  }

  /** The device tree of this very board. */
  deviceTree(tree: VirtTree = {}): Uint8Array {
    const { options } = this
    const user = options.userInterrupts ?? { n: false, uintc: false }
    return encodeDeviceTree(
      virtDeviceTree({
        harts: options.harts ?? 1,
        ramBytes: this.machine.options.ramSize,
        extensions: ['i', 'm', 'a', 'f', 'd', 'c', ...(user.n ? ['n'] : []), 'zicsr', 'zifencei', 'zicntr', 'zihpm', 'sstc'],
        mmu: 'sv48',
        timebase: this.machine.timing.timebase,
        userContexts: user.n,
        uintc: user.uintc,
        sdCard: options.sd !== undefined,
        trace: true,
        seed: options.seed,
        ...tree,
      }),
    )
  }

  drainConsole(): void {
    this.uart.drain()
  }

  saveDevices(): Record<string, DeviceState> {
    return Object.fromEntries(this.machine.bus.devices.map((device) => [device.name, device.save()]))
  }

  loadDevices(states: Record<string, DeviceState>): void {
    for (const device of this.machine.bus.devices) device.load(states[device.name])
  }

  private makeUintc(harts: number, delay: number): Uintc {
    const { machine } = this
    const outputs = Array.from({ length: harts }, (_, hart) => ({
      user: travellingWire(machine, hart, 1 << 0, delay),
      supervisor: travellingWire(machine, hart, 1 << 1, delay),
    }))
    const uintc = new Uintc('uintc', outputs, machine.log)
    machine.userInterrupts = (_hart, operation, receiver, value) => {
      if (operation === 0) uintc.send(receiver, Number(value))
      else if (operation === 1) return uintc.readPending(receiver)
      else if (operation === 2) uintc.writePending(receiver, value)
      else uintc.setActive(receiver, operation === 3)
      return 0n
    }
    return uintc
  }
}
