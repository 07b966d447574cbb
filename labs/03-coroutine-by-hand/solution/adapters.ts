// Step 3: each model from the other.
import { Future, Stepper, Waker } from './models'

/** A stepper where a future is wanted. It never knows when it can go on, so it always wants to be called again. */
export class StepperFuture extends Future {
  constructor(readonly stepper: Stepper) {
    super()
  }

  poll(waker: Waker): bool {
    if (this.stepper.step()) return true
    waker.wake()
    return false
  }
}

/** A future where a stepper is wanted. It polls only after it was woken: a step in between costs next to nothing. */
export class FutureStepper extends Stepper {
  private readonly waker: Waker = new Waker()

  constructor(readonly future: Future) {
    super()
  }

  step(): bool {
    if (!this.waker.woken) return false
    this.waker.woken = false
    return this.future.poll(this.waker)
  }
}
