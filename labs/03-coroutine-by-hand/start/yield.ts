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

  constructor(
    readonly name: u8,
    readonly steps: i32,
    readonly pause: u64,
  ) {
    super()
  }

  step(): bool {
    // Where was I? A local variable does not survive the return, so whatever must survive is a member.
    return true
  }
}
