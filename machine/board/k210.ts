/** The `k210` board: a Kendryte K210 as on the boards that carry it (k210-map.ts draws the map), privileged specification 1.9.1. */
import type { BlockImage } from '../backend/block-image.ts'
import type { ConsoleStream } from '../backend/console.ts'
import type { Device, DeviceState, InterruptLine } from '../device/device.ts'
import { DMA_CHANNELS, Dmac } from '../device/dmac.ts'
import { DwSpi } from '../device/dw-spi.ts'
import { DwTimer } from '../device/dw-timer.ts'
import { DwUart } from '../device/dw-uart.ts'
import { DwWatchdog } from '../device/dw-watchdog.ts'
import { Finisher } from '../device/finisher.ts'
import { Fpioa, PIN_FUNCTION } from '../device/fpioa.ts'
import { Gated } from '../device/gated.ts'
import { Gpio } from '../device/gpio.ts'
import { GpioHs } from '../device/gpiohs.ts'
import { K210Rtc } from '../device/k210-rtc.ts'
import { Plic, plicContext } from '../device/plic.ts'
import { SharedConsole } from '../device/routed-serial.ts'
import { SdCard, type SdFault } from '../device/sdcard.ts'
import { type Peripheral, type ResetCause, Sysctl } from '../device/sysctl.ts'
import { DEVICE_TIMING, type TimingProfile } from '../device/timing.ts'
import { Uarths } from '../device/uarths.ts'
import { Unmodelled } from '../device/unmodelled.ts'
import { WordRegisters } from '../device/word-registers.ts'
import type { Board } from './board.ts'
import { makeClint } from './interrupt-wires.ts'
import { CardSlot } from './k210-card.ts'
import { K210_MAP, K210_PINS } from './k210-map.ts'
import { DEFAULT_QUANTUM, type Engine, Machine } from './machine.ts'

export interface K210Options {
  readonly hartModule: WebAssembly.Module
  readonly harts?: number
  readonly timing?: TimingProfile
  readonly quantum?: number
  readonly engine?: Engine
  readonly console: ConsoleStream
  readonly sd?: BlockImage
  /** What goes wrong with the card. */
  readonly sdFaults?: readonly SdFault[]
  /** Why the chip starts: what sysctl's reset status reads. */
  readonly resetCause?: ResetCause
  readonly onWarning?: (text: string) => void
}

interface Place {
  readonly base: number
  readonly size: number
}

export const K210_MOST_HARTS = 2
/** Number of UART1's request to receive; transmission and the other UARTs follow. */
const FIRST_UART_REQUEST = 14
/** The CLINT counts one tick for so many CPU cycles. */
const CYCLES_PER_TICK = 50

export class K210Board implements Board {
  readonly kind = 'k210'
  readonly machine: Machine
  readonly uarths: Uarths
  readonly plic: Plic
  readonly sysctl: Sysctl
  readonly fpioa: Fpioa
  readonly dmac: Dmac
  readonly uarts: readonly DwUart[]
  private readonly spi: readonly DwSpi[]
  private readonly slot: CardSlot
  /** Why the chip was reset, once `run` returned `reset`. */
  resetCause: ResetCause = 'pin'
  private readonly resettable = new Map<Peripheral, () => void>()

  constructor(options: K210Options) {
    const harts = options.harts ?? K210_MOST_HARTS
    const timing = options.timing ?? 'k210'
    this.machine = new Machine({
      hartModule: options.hartModule,
      harts,
      ramBase: K210_MAP.ram.base,
      ramSize: K210_MAP.ram.size,
      uncachedBase: K210_MAP.uncached.base,
      timing,
      cyclesPerTick: CYCLES_PER_TICK,
      extensions: 0,
      privileged: 9,
      quantum: options.quantum ?? DEFAULT_QUANTUM,
      engine: options.engine ?? 'auto',
      onWarning: options.onWarning ?? (() => {}),
    })
    const { bus, clock, log } = this.machine
    const devices = DEVICE_TIMING[timing]
    const add = <T extends Device>(place: Place, device: T): T => {
      bus.add(place.base, place.size, device)
      return device
    }
    /** A device that takes partial accesses; `pure`: reading its registers changes nothing. */
    const addWords = <T extends Device>(place: Place, device: T, pure: boolean): T => {
      bus.add(place.base, place.size, new WordRegisters(device, pure))
      return device
    }
    /** One that also stops with its clock and has a reset bit. */
    const addGated = <T extends Device & { reset(): void }>(place: Place, peripheral: Peripheral, device: T, pure = false): T => {
      addWords(place, new Gated(device, () => this.sysctl.isClocked(peripheral), log), pure)
      this.resettable.set(peripheral, () => device.reset())
      return device
    }

    add(K210_MAP.clint, makeClint(this.machine))
    add(
      K210_MAP.finisher,
      new Finisher('finisher', { exit: (status) => this.machine.exit(status), reset: () => this.reset('software') }, log),
    )
    this.plic = add(K210_MAP.plic, this.makePlic(harts))
    const line = (source: number) => this.plic.source(source)
    this.sysctl = addWords(
      K210_MAP.sysctl,
      new Sysctl(
        'sysctl',
        clock,
        { resetChip: (cause) => this.reset(cause), resetPeripheral: (peripheral) => this.resettable.get(peripheral)?.() },
        log,
        options.resetCause,
      ),
      true,
    )
    this.dmac = addGated(K210_MAP.dmac, 'dma', this.makeDmac())
    this.fpioa = addGated(K210_MAP.fpioa, 'fpioa', new Fpioa('fpioa', log), true)
    this.fpioa.pull(K210_PINS.bootKey, true)
    const console = new SharedConsole(options.console, this.fpioa, log)
    const port = (name: string, receive: number, transmit: number) =>
      console.port(
        name,
        { receive: { role: receive, pin: K210_PINS.consoleReceive }, transmit: { role: transmit, pin: K210_PINS.consoleTransmit } },
        name === 'uarths',
      )
    this.uarths = addWords(
      K210_MAP.uarths,
      new Uarths('uarths', clock, line(K210_MAP.uarths.irq), port('uarths', PIN_FUNCTION.uarthsReceive, PIN_FUNCTION.uarthsTransmit), log, {
        timing: devices,
        inputClock: () => this.sysctl.cpuClock,
      }),
      false,
    )
    this.uarts = ([0, 1, 2] as const).map((index) => {
      const name = (['uart1', 'uart2', 'uart3'] as const)[index]
      return addGated(
        K210_MAP.uart[index],
        name,
        new DwUart(
          name,
          clock,
          line(K210_MAP.uart[index].irq),
          port(name, PIN_FUNCTION.uartReceive + 2 * index, PIN_FUNCTION.uartTransmit + 2 * index),
          log,
          { timing: devices, inputClock: () => this.sysctl.apbClock(0), onRequest: () => this.dmac.requestChanged() },
        ),
      )
    })
    for (const index of [0, 1, 2] as const) {
      const { irq } = K210_MAP.timer[index]
      const timerClock = () => this.sysctl.timerClock(index)
      const name = `timer${index}` as const
      addGated(K210_MAP.timer[index], name, new DwTimer(name, clock, [line(irq), line(irq + 1)], timerClock, log))
    }
    for (const index of [0, 1] as const) {
      const name = `wdt${index}` as const
      const place = K210_MAP.watchdog[index]
      const watchdogClock = () => this.sysctl.watchdogClock(index)
      addGated(place, name, new DwWatchdog(name, clock, line(place.irq), watchdogClock, () => this.reset(name), log))
    }
    addGated(K210_MAP.rtc, 'rtc', new K210Rtc('rtc', clock, line(K210_MAP.rtc.irq), log))
    const gpioLines = Array.from({ length: 32 }, (_, bit) => line(K210_MAP.gpiohs.irq + bit))
    addWords(K210_MAP.gpiohs, new GpioHs('gpiohs', this.fpioa, gpioLines, log), true)
    addGated(K210_MAP.gpio, 'gpio', new Gpio('gpio', this.fpioa, line(K210_MAP.gpio.irq), log), true)
    const card = options.sd && new SdCard('sdcard', options.sd, devices.sd, this.machine.timing.frequency, log)
    if (card) options.sdFaults?.forEach((fault) => card.fail(fault))
    const slot = (this.slot = new CardSlot(this.fpioa, card))
    this.spi = ([0, 1, 3] as const).map((number, index) =>
      addGated(
        K210_MAP.spi[index],
        `spi${number}`,
        new DwSpi(`spi${number}`, clock, line(K210_MAP.spi[index].irq), log, {
          fields: number === 3 ? { size: 0, mode: 10, format: 22 } : { size: 16, mode: 8, format: 21 },
          inputClock: () => this.sysctl.spiClock(number),
          exchange: (byte, cycle) => (number === 3 ? 0xff : slot.exchange(number, byte, cycle)),
          select: (targets) => (number === 3 ? undefined : slot.select(number, targets)),
          onRequest: () => this.dmac.requestChanged(),
        }),
      ),
    )
    for (const [name, place] of Object.entries(K210_MAP.unmodelled)) add(place, new Unmodelled(name, log))
  }

  drainConsole(): void {
    for (const uart of [this.uarths, ...this.uarts]) uart.drain()
  }

  saveDevices(): Record<string, DeviceState> {
    return { ...Object.fromEntries(this.machine.bus.devices.map((device) => [device.name, device.save()])), slot: this.slot.save() }
  }

  loadDevices(states: Record<string, DeviceState>): void {
    for (const device of this.machine.bus.devices) device.load(states[device.name])
    this.slot.load(states.slot)
  }

  private makeDmac(): Dmac {
    const { machine } = this
    const lines = Array.from({ length: DMA_CHANNELS }, (_, channel) => this.plic.source(K210_MAP.dmac.irq + channel))
    return new Dmac(
      'dmac',
      machine.clock,
      lines,
      {
        memory: machine.dma,
        devices: machine.bus,
        isMemory: (address) => machine.ramAt(address, 1) >= 0,
        isRequested: (handshake) => this.isRequested(this.sysctl.dmaSelection(handshake)),
      },
      machine.log,
    )
  }

  /** Requests to the DMA controller by their numbers (sysctl.h, sysctl_dma_select_t). */
  private isRequested(selection: number): boolean {
    const spi = this.spi[[0, 1, undefined, 2][selection >> 1] ?? -1]
    if (spi) return selection & 1 ? spi.wantsData : spi.hasData
    const uart = this.uarts[(selection >> 1) - FIRST_UART_REQUEST / 2]
    if (uart) return selection & 1 ? uart.wantsData : uart.hasData
    return false
  }

  private reset(cause: ResetCause): void {
    this.resetCause = cause
    this.machine.stop({ kind: 'reset' })
  }

  /** Only the machine contexts exist, at the places that they have where there are supervisor contexts, too. */
  private makePlic(harts: number): Plic {
    const plicOptions = {
      sources: K210_MAP.plic.sources,
      harts,
      onLine: (source: number, level: boolean) => this.machine.interruptLine(source, level),
    }
    const outputs = new Array<InterruptLine | undefined>(harts * 2).fill(undefined)
    for (let hart = 0; hart < harts; hart++) outputs[plicContext(plicOptions, hart, 'machine')] = this.machine.wire(hart, 11)
    return new Plic('plic', plicOptions, outputs, this.machine.log)
  }
}
