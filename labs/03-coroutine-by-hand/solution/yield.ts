// Step 1: the yield model by hand.
import { now, say } from './board'
import { Stepper } from './models'

/** Says its name and a number `steps` times, and waits `pause` ticks after each. Written as a loop it would be:
 *
 *     for (let step = 1; step <= steps; step++) {
 *       say(name, step)
 *       total += step
 *       const until = now() + pause
 *       while (now() < until) yield
 *     }
 */
export class YieldWalker extends Stepper {
  total: i32 = 0
  private at: i32 = 0
  private until: u64 = 0

  constructor(
    readonly name: u8,
    readonly steps: i32,
    readonly pause: u64,
  ) {
    super()
  }

  step(): bool {
    if (now() < this.until) return false
    if (this.at == this.steps) return true
    this.at++
    say(this.name, this.at)
    this.total += this.at
    this.until = now() + this.pause
    return false
  }
}
