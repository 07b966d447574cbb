/** Requests that a device has accepted and not yet answered: latencies overlap, transfers take turns on one channel. */
import type { Clock, DeviceState, Timer } from './device.ts'
import { cyclesOf, type TransferTiming } from './timing.ts'

interface Entry<Request> {
  readonly request: Request
  /** The cycle at which it completes. */
  readonly due: number
}

/** `Request` is plain data: it goes into snapshots as it is. */
export class InFlight<Request> {
  /** Ordered by `due`, equal ones by submission. */
  private entries: Entry<Request>[] = []
  /** The cycle until which the channel is taken. */
  private channelFree = 0
  private readonly timer: Timer

  constructor(
    private readonly clock: Clock,
    private readonly timing: TransferTiming,
    private readonly complete: (request: Request) => void,
  ) {
    this.timer = clock.timer(() => this.expire())
  }

  get count(): number {
    return this.entries.length
  }

  /** Starts a request that moves `bytes`, not before cycle `from`. */
  submit(request: Request, bytes: number, from = this.clock.now): void {
    const ready = Math.max(from, this.clock.now) + cyclesOf(this.timing.latency, this.clock.frequency)
    const transfer = bytes === 0 ? 0 : cyclesOf(bytes / this.timing.rate, this.clock.frequency)
    const due = transfer === 0 ? ready : Math.max(ready, this.channelFree) + transfer
    if (transfer > 0) this.channelFree = due
    let place = this.entries.length
    while (place > 0 && this.entries[place - 1].due > due) place--
    this.entries.splice(place, 0, { request, due })
    this.schedule()
  }

  /** Forgets the requests for which `which` holds: they are never answered. */
  drop(which: (request: Request) => boolean): void {
    this.entries = this.entries.filter(({ request }) => !which(request))
    if (this.entries.length === 0) this.channelFree = 0
    this.schedule()
  }

  save(): DeviceState {
    return { entries: structuredClone(this.entries), channelFree: this.channelFree }
  }

  load(state: DeviceState): void {
    this.entries = structuredClone(state.entries as Entry<Request>[])
    this.channelFree = state.channelFree as number
  }

  private expire(): void {
    while (this.entries.length > 0 && this.entries[0].due <= this.clock.now) this.complete(this.entries.shift()!.request)
    this.schedule()
  }

  private schedule(): void {
    if (this.entries.length === 0) this.timer.cancel()
    else this.timer.at(this.entries[0].due)
  }
}
