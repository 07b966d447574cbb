/**
 * One window's connection, whatever carries it: validates what enters, calls the service, answers, and passes events on no
 * faster than the window takes them.
 */
import {
  clientMessage,
  endpoints,
  events,
  type EndpointName,
  type EventName,
  type EventPayload,
  type HostMessage,
} from '../protocol/index.ts'
import { WorkbenchError } from './errors.ts'
import type { Workbench } from './workbench.ts'

/** Events that may be on their way; later ones wait, which in the end makes the board wait. */
const MOST_UNSEEN = 64
/** A window that takes nothing must not fill the host's memory: of these only the last counts. */
const REPLACEABLE: ReadonlySet<EventName> = new Set([
  'board.status',
  'board.charts',
  'checks.changed',
  'settings.changed',
  'build.progress',
])

interface Queued {
  readonly event: EventName
  readonly payload: unknown
  readonly taken: () => void
}

export class Connection {
  private sent = 0
  private seen = 0
  private queue: Queued[] = []
  private open = true
  private readonly disconnect: () => void
  private waiting: { upTo: number; taken: () => void }[] = []

  constructor(
    private readonly workbench: Workbench,
    private readonly send: (message: HostMessage) => void,
    private readonly log: (text: string) => void = () => {},
  ) {
    this.disconnect = workbench.connect((event, payload) => this.emit(event, payload))
  }

  /** A message as it came in: anything at all. */
  async receive(message: unknown): Promise<void> {
    const parsed = clientMessage.safeParse(message)
    if (!parsed.success) {
      this.log('a message that is none was dropped')
      return
    }
    if (parsed.data.kind === 'seen') return this.acknowledge(parsed.data.events)
    const { id, endpoint, request } = parsed.data
    const answer = await this.call(endpoint, request).then(
      (value): HostMessage => ({ kind: 'result', id, value }),
      (error: unknown): HostMessage => {
        if (error instanceof WorkbenchError) return { kind: 'error', id, code: error.code, message: error.message }
        this.log(`${endpoint}: ${(error as Error).stack ?? String(error)}`)
        return { kind: 'error', id, code: 'failed', message: (error as Error).message }
      },
    )
    if (this.open) this.send(answer)
  }

  close(): void {
    this.open = false
    this.disconnect()
    for (const { taken } of [...this.queue, ...this.waiting]) taken()
    this.queue = []
    this.waiting = []
  }

  private async call(endpoint: string, request: unknown): Promise<unknown> {
    if (!Object.hasOwn(endpoints, endpoint)) throw new WorkbenchError('bad-request', `there is no endpoint ${endpoint}`)
    const name = endpoint as EndpointName
    const parsed = endpoints[name].request.safeParse(request)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      throw new WorkbenchError('bad-request', `${name}: ${[issue.path.join('.'), issue.message].filter(Boolean).join(': ')}`)
    }
    const handler = this.workbench.handlers[name] as (request: unknown) => Promise<unknown>
    return handler(parsed.data)
  }

  /** Resolves when the window has taken the event. */
  emit<N extends EventName>(event: N, payload: EventPayload<N>): Promise<void> {
    return new Promise((resolve) => {
      if (REPLACEABLE.has(event)) {
        const old = this.queue.findIndex((queued) => queued.event === event)
        if (old >= 0) this.queue.splice(old, 1)[0].taken()
      }
      this.queue.push({ event, payload, taken: resolve })
      this.drain()
    })
  }

  private drain(): void {
    while (this.open && this.queue.length > 0 && this.sent - this.seen < MOST_UNSEEN) {
      const { event, payload, taken } = this.queue.shift()!
      this.sent++
      this.waiting.push({ upTo: this.sent, taken })
      this.send({ kind: 'event', event, payload: events[event].parse(payload) })
    }
  }

  private acknowledge(count: number): void {
    // A window cannot have seen what was not sent.
    this.seen = Math.max(this.seen, Math.min(count, this.sent))
    while (this.waiting.length > 0 && this.waiting[0].upTo <= this.seen) this.waiting.shift()!.taken()
    this.drain()
  }
}
