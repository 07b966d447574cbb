// Step 2: the poll model by hand.
import { now, say } from './board'
import { Future, Waker, callAt } from './models'

/** Ready once so many ticks have passed since it was first polled. */
export class Sleep extends Future {
  private deadline: u64 = 0

  constructor(readonly ticks: u64) {
    super()
  }

  poll(waker: Waker): bool {
    if (this.deadline == 0) {
      this.deadline = now() + this.ticks
      callAt(this.deadline, waker)
    }
    return now() >= this.deadline
  }
}

/** The same walker. It waits by polling a Sleep of its own. */
export class PollWalker extends Future {
  total: i32 = 0
  private at: i32 = 0
  private sleep: Sleep | null = null

  constructor(
    readonly name: u8,
    readonly steps: i32,
    readonly pause: u64,
  ) {
    super()
  }

  poll(waker: Waker): bool {
    while (true) {
      const sleep = this.sleep
      if (sleep != null) {
        if (!sleep.poll(waker)) return false
        this.sleep = null
      }
      if (this.at == this.steps) return true
      this.at++
      say(this.name, this.at)
      this.total += this.at
      this.sleep = new Sleep(this.pause)
    }
  }
}
