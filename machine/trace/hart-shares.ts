/**
 * How each hart spends its time: waiting is counted to the cycle; the rest of each slice of a run goes to the privilege in
 * which the slice ended, which is right on average and costs the board nothing.
 */
import type { HartCore } from '../hart/core.ts'
import * as L from '../hart/layout.ts'

/** Parts of 1. */
export interface HartShare {
  readonly user: number
  readonly kernel: number
  readonly idle: number
}

interface Counters {
  clock: number
  waited: number
  user: number
  kernel: number
  idle: number
}

export class HartShares {
  private readonly harts: Counters[]

  constructor(
    private readonly core: HartCore,
    count: number,
  ) {
    this.harts = Array.from({ length: count }, () => ({ clock: 0, waited: 0, user: 0, kernel: 0, idle: 0 }))
  }

  /** Called after each slice of a run. */
  sample(): void {
    const board = this.core.globalCycle(L.G_NOW)
    this.harts.forEach((counters, hart) => {
      const waiting = this.core.hart32(hart, L.H_WAITING) !== 0
      // A hart that waits has not been charged for the current wait yet.
      const clock = waiting ? Math.max(board, this.core.clock(hart)) : this.core.clock(hart)
      const waited = Number(this.core.hart64(hart, L.H_WAITED)) + (waiting ? clock - this.core.clock(hart) : 0)
      const idle = Math.max(0, waited - counters.waited)
      const busy = Math.max(0, clock - counters.clock - idle)
      counters.idle += idle
      if (this.core.hart32(hart, L.H_PRIVILEGE) === 0) counters.user += busy
      else counters.kernel += busy
      counters.clock = clock
      counters.waited = waited
    })
  }

  /** Shares since the last call. */
  take(): HartShare[] {
    return this.harts.map((counters) => {
      const sum = counters.user + counters.kernel + counters.idle
      const share =
        sum === 0
          ? { user: 0, kernel: 0, idle: 1 }
          : { user: counters.user / sum, kernel: counters.kernel / sum, idle: counters.idle / sum }
      counters.user = counters.kernel = counters.idle = 0
      return share
    })
  }
}
