// Step 2: the poll model by hand.
import { now, say } from './board'
import { Future, Waker, callAt } from './models'

/** Ready once so many ticks have passed since it was first polled. */
export class Sleep extends Future {
  constructor(readonly ticks: u64) {
    super()
  }

  poll(waker: Waker): bool {
    // The first time: remember when, and say to whom `callAt` shall call back.
    return true
  }
}

/** The same walker. It waits by polling a Sleep of its own. */
export class PollWalker extends Future {
  total: i32 = 0

  constructor(
    readonly name: u8,
    readonly steps: i32,
    readonly pause: u64,
  ) {
    super()
  }

  poll(waker: Waker): bool {
    return true
  }
}
