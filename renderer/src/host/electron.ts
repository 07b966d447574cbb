/** The Electron host: messages through the bridge that the preload script gives the page. */
import type { Transport } from './host'

/** What main/preload.ts puts on `window`. */
export interface Bridge {
  send(message: unknown): void
  onMessage(handler: (message: unknown) => void): void
}

export class BridgeTransport implements Transport {
  onMessage: (message: unknown) => void = () => {}
  onState: (connected: boolean) => void = () => {}

  constructor(private readonly bridge: Bridge) {
    bridge.onMessage((message) => this.onMessage(message))
    queueMicrotask(() => this.onState(true))
  }

  send(message: unknown): void {
    this.bridge.send(message)
  }
}
