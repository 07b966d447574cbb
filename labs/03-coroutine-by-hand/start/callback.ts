// Where it begins: a walker made of callbacks. It works; read it, and see where its loop and its variables have gone.
import { say } from './board'
import { Waker, callAt } from './models'
import { now } from './board'

/** Says its name and a number `steps` times, and waits `pause` ticks after each. */
export class CallbackWalker extends Waker {
  private step: i32 = 0
  total: i32 = 0
  done: bool = false

  constructor(
    readonly name: u8,
    readonly steps: i32,
    readonly pause: u64,
  ) {
    super()
  }

  // A for loop, inside out: each turn ends by asking to be called for the next one.
  wake(): void {
    if (this.step == this.steps) {
      this.done = true
      return
    }
    this.step++
    say(this.name, this.step)
    this.total += this.step
    callAt(now() + this.pause, this)
  }
}
