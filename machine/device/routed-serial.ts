/** A serial port behind the pin multiplexer: characters cross only while the port's functions are on the console's pins. */
import type { ConsoleState, SerialPort } from '../backend/console.ts'
import type { DeviceLog } from './device.ts'
import type { Fpioa } from './fpioa.ts'

export interface SerialRoute {
  readonly receive: { readonly role: number; readonly pin: number }
  readonly transmit: { readonly role: number; readonly pin: number }
}

/** Shares one console between the ports of a board, each of which sees it while it is routed there. */
export class SharedConsole {
  private readonly wakes: (() => void)[] = []

  constructor(
    readonly stream: SerialPort,
    readonly fpioa: Fpioa,
    private readonly log: DeviceLog,
  ) {
    const wakeAll = () => this.wakes.forEach((wake) => wake())
    stream.onInput(wakeAll)
    fpioa.onChange(wakeAll)
  }

  /** The port of a device. `keepsInput`: this one saves the input that waits, on behalf of all. */
  port(name: string, { receive, transmit }: SerialRoute, keepsInput: boolean): SerialPort {
    const { stream, fpioa, log } = this
    let warned = false
    return {
      onInput: (wake) => void this.wakes.push(wake),
      nextArrival: () => (fpioa.receives(receive.role, receive.pin) ? stream.nextArrival() : Infinity),
      take: () => stream.take(),
      giveBack: (bytes) => stream.giveBack(bytes),
      write: (byte) => {
        if (fpioa.sends(transmit.role, transmit.pin)) return stream.write(byte)
        if (!warned) log.warn(`${name}: its transmitter is not on pin ${transmit.pin}, so its characters reach nobody`)
        warned = true
      },
      flush: () => stream.flush(),
      save: () => (keepsInput ? stream.save() : { chunks: [] }),
      load: (state: ConsoleState) => {
        if (keepsInput) stream.load(state)
      },
    }
  }
}
