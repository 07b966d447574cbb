/** Calls and events over a transport. */
import type { EndpointName, EventName, HostMessage, Request, Response } from '../../../main/protocol'
import { HostError, type EventHandler, type Host, type Transport } from './host'

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

export class Client implements Host {
  private readonly waiting = new Map<number, Waiting>()
  private readonly handlers = new Map<EventName, Set<(payload: never) => void | Promise<void>>>()
  private readonly connectionHandlers = new Set<(connected: boolean) => void>()
  private next = 1
  private seen = 0

  constructor(private readonly transport: Transport) {
    transport.onMessage = (message) => this.receive(message as HostMessage)
    transport.onState = (connected) => {
      // A new connection counts its events anew.
      this.seen = 0
      if (!connected) {
        for (const { reject } of this.waiting.values()) reject(new HostError('disconnected', 'the connection to Pollen was lost'))
        this.waiting.clear()
      }
      for (const handler of this.connectionHandlers) handler(connected)
    }
  }

  call<N extends EndpointName>(endpoint: N, request: Request<N>): Promise<Response<N>> {
    const id = this.next++
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      try {
        this.transport.send({ kind: 'call', id, endpoint, request })
      } catch (error) {
        this.waiting.delete(id)
        reject(error as Error)
      }
    })
  }

  on<N extends EventName>(event: N, handler: EventHandler<N>): () => void {
    const handlers = this.handlers.get(event) ?? new Set()
    this.handlers.set(event, handlers)
    handlers.add(handler)
    return () => handlers.delete(handler)
  }

  onConnection(handler: (connected: boolean) => void): void {
    this.connectionHandlers.add(handler)
  }

  private receive(message: HostMessage): void {
    if (message.kind === 'event') {
      const handlers = [...(this.handlers.get(message.event as EventName) ?? [])]
      void Promise.allSettled(handlers.map(async (handler) => handler(message.payload as never))).then(() => {
        this.seen++
        this.transport.send({ kind: 'seen', events: this.seen })
      })
      return
    }
    const waiting = this.waiting.get(message.id)
    this.waiting.delete(message.id)
    if (message.kind === 'result') waiting?.resolve(message.value)
    else waiting?.reject(new HostError(message.code, message.message))
  }
}
