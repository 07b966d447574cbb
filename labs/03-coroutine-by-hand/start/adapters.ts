// Step 3: each model from the other.
import { Future, Stepper, Waker } from './models'

/** A stepper where a future is wanted. It never knows when it can go on, so it always wants to be called again. */
export class StepperFuture extends Future {
  constructor(readonly stepper: Stepper) {
    super()
  }

  poll(waker: Waker): bool {
    return true
  }
}

/** A future where a stepper is wanted. It polls only after it was woken: a step in between costs next to nothing. */
export class FutureStepper extends Stepper {
  constructor(readonly future: Future) {
    super()
  }

  step(): bool {
    return true
  }
}
