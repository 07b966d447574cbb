/** The window's one way to the workbench; which host carries the messages is chosen once, in `connect`. */
import type { EndpointName, ErrorCode, EventName, EventPayload, Request, Response } from '../../../main/protocol'

export class HostError extends Error {
  constructor(
    readonly code: ErrorCode | 'disconnected',
    message: string,
  ) {
    super(message)
  }
}

export type EventHandler<N extends EventName> = (payload: EventPayload<N>) => void | Promise<void>

export interface Host {
  call<N extends EndpointName>(endpoint: N, request: Request<N>): Promise<Response<N>>
  /** An event counts as seen when its handlers are done: the host sends no faster than that. */
  on<N extends EventName>(event: N, handler: EventHandler<N>): () => void
  /** Called whenever the connection is lost or back. */
  onConnection(handler: (connected: boolean) => void): void
}

/** What carries messages. */
export interface Transport {
  send(message: unknown): void
  onMessage: (message: unknown) => void
  onState: (connected: boolean) => void
}
