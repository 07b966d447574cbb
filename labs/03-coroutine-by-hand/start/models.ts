// The two models, and what drives each of them. Nothing here is yours to change; read it all the same.
import { begin, end, now } from './board'

/** The yield model: whoever runs goes a step further and gives the hart back by returning. */
export abstract class Stepper {
  /** True when there is nothing left to do. */
  abstract step(): bool
}

/** The poll model: whoever waits says to whom it wants to be called back, and is asked again only then. */
export abstract class Future {
  /** True when it is ready. Otherwise `waker` has been given to whatever it waits for. */
  abstract poll(waker: Waker): bool
}

export class Waker {
  woken: bool = true
  wake(): void {
    this.woken = true
  }
}

/** Cycles of one resume are requests of these classes. */
export const YIELD: u32 = 1
export const POLL: u32 = 2
export const AWAIT: u32 = 3

/** Drives steppers round and round until all are done; gives the number of steps. */
export function runSteppers(steppers: StaticArray<Stepper>): u64 {
  let steps: u64 = 0
  let left = steppers.length
  const done = new StaticArray<bool>(steppers.length)
  while (left > 0) {
    for (let i = 0; i < steppers.length; i++) {
      if (done[i]) continue
      steps++
      begin(YIELD)
      const finished = steppers[i].step()
      end()
      if (finished) {
        done[i] = true
        left--
      }
    }
    expireTimers()
  }
  return steps
}

class Timer {
  deadline: u64 = 0
  waker: Waker | null = null
}

/** Who is to be called when. The hardware has one timer; this is how many share it. */
const timers = new StaticArray<Timer>(16)
for (let i = 0; i < timers.length; i++) timers[i] = new Timer()

/** Wakes `waker` when the clock reaches `deadline`. */
export function callAt(deadline: u64, waker: Waker): void {
  for (let i = 0; i < timers.length; i++) {
    if (timers[i].waker != null) continue
    timers[i].deadline = deadline
    timers[i].waker = waker
    return
  }
  unreachable()
}

/** Wakes everybody whose time has come. */
export function expireTimers(): void {
  const time = now()
  for (let i = 0; i < timers.length; i++) {
    const waker = timers[i].waker
    if (waker == null || timers[i].deadline > time) continue
    timers[i].waker = null
    waker.wake()
  }
}

/** Polls whoever was woken until all are ready; gives the number of polls. */
export function runFutures(futures: StaticArray<Future>): u64 {
  let polls: u64 = 0
  let left = futures.length
  const done = new StaticArray<bool>(futures.length)
  const wakers = new StaticArray<Waker>(futures.length)
  for (let i = 0; i < wakers.length; i++) wakers[i] = new Waker()
  while (left > 0) {
    for (let i = 0; i < futures.length; i++) {
      if (done[i] || !wakers[i].woken) continue
      wakers[i].woken = false
      polls++
      begin(POLL)
      const ready = futures[i].poll(wakers[i])
      end()
      if (ready) {
        done[i] = true
        left--
      }
    }
    expireTimers()
  }
  return polls
}
