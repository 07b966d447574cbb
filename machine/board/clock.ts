/** The board's clock and its devices' timers. Due timers expire in order of deadline, then of creation. */
import type { Clock, Timer } from '../device/device.ts'

/** Told whenever the earliest deadline changes; Infinity when no timer is armed. */
export type DeadlineListener = (cycle: number) => void

export class BoardClock implements Clock {
  private readonly timers: BoardTimer[] = []
  private earliest = Infinity
  private latest = 0

  constructor(
    readonly frequency: number,
    /** The cycle at which the guest stands: the hart's own clock while a hart accesses a device, else the board's. */
    private readonly source: () => number,
    private readonly onDeadline: DeadlineListener,
  ) {}

  /** Harts are up to a quantum apart; devices see the time of the one furthest ahead. */
  get now(): number {
    return (this.latest = Math.max(this.latest, this.source()))
  }

  /** What `now` would be. An observer asks here: `now` remembers that somebody has seen it. */
  get glimpse(): number {
    return Math.max(this.latest, this.source())
  }

  timer(expire: () => void): Timer {
    const timer = new BoardTimer(expire, () => this.changed())
    this.timers.push(timer)
    return timer
  }

  get nextDeadline(): number {
    return this.earliest
  }

  /** Expires everything due at `now`. */
  runDue(): void {
    const now = this.now
    for (;;) {
      let next: BoardTimer | undefined
      for (const timer of this.timers) if (timer.deadline <= now && (!next || timer.deadline < next.deadline)) next = timer
      if (!next) break
      next.deadline = Infinity
      next.expire()
    }
    this.changed()
  }

  save(): { deadlines: number[]; latest: number } {
    return { deadlines: this.timers.map((timer) => timer.deadline), latest: this.latest }
  }

  load(state: { deadlines: number[]; latest: number }): void {
    this.timers.forEach((timer, index) => (timer.deadline = state.deadlines[index] ?? Infinity))
    this.latest = state.latest
    this.earliest = NaN
    this.changed()
  }

  private changed(): void {
    let earliest = Infinity
    for (const timer of this.timers) if (timer.deadline < earliest) earliest = timer.deadline
    if (earliest === this.earliest) return
    this.earliest = earliest
    this.onDeadline(earliest)
  }
}

class BoardTimer implements Timer {
  deadline = Infinity
  constructor(
    readonly expire: () => void,
    private readonly changed: () => void,
  ) {}

  get armed(): boolean {
    return this.deadline !== Infinity
  }

  at(cycle: number): void {
    this.deadline = Math.ceil(cycle)
    this.changed()
  }

  cancel(): void {
    if (!this.armed) return
    this.deadline = Infinity
    this.changed()
  }
}
