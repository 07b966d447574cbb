/** The browser host: messages over a WebSocket to the server that sent the page, opened again when it is lost. */
import type { Transport } from './host'

const RETRY_MILLISECONDS = 1000

export class WebSocketTransport implements Transport {
  onMessage: (message: unknown) => void = () => {}
  onState: (connected: boolean) => void = () => {}
  private socket: WebSocket | undefined
  private waiting: string[] = []

  constructor() {
    this.open()
  }

  send(message: unknown): void {
    const text = JSON.stringify(message)
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text)
    else if ((message as { kind: string }).kind === 'call') this.waiting.push(text)
  }

  private open(): void {
    const socket = new WebSocket(`ws://${location.host}/socket`)
    this.socket = socket
    socket.onopen = () => {
      this.onState(true)
      for (const text of this.waiting.splice(0)) socket.send(text)
    }
    socket.onmessage = ({ data }) => this.onMessage(JSON.parse(data as string))
    socket.onclose = () => {
      this.waiting = []
      this.onState(false)
      setTimeout(() => this.open(), RETRY_MILLISECONDS)
    }
  }
}
