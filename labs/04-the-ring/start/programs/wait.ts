// Four ways to wait for an answer. Step 3 is yours; step 1 needs the first only.
import { sysYield } from '../user/system'
import { Answer, Ring } from './ring'

/** Raw token: looks again and again. Wakes the kernel's half when that sleeps, else nobody would ever answer. */
export function waitSpinning(ring: Ring, answer: Answer): void {
  while (!ring.reap(answer)) if (ring.sleeps) ring.enter(0)
}

/** Poll and yield: between two looks, lets other threads have the hart (sysYield). */
export function waitYielding(ring: Ring, answer: Answer): void {
  waitSpinning(ring, answer)
}

/** Sleeping wait: the thread sleeps in the kernel until an answer is there. A trap, but the hart is free meanwhile. */
export function waitSleeping(ring: Ring, answer: Answer): void {
  waitSpinning(ring, answer)
}

/** An answer that a coroutine waits for. Its address is the request's user data. */
@unmanaged export class Token {
  /** The coroutine's frame; 0 while nobody waits. */
  waiter: u32
  done: u32
  result: i64
}

/** Coroutine: suspends until `deliver` has the token's answer, and gives its result. */
export async function waitFor(token: Token): Promise<i64> {
  // Step 3: say who waits (co.frame()), then co.suspend(). It may be done already.
  return token.result
}

/** Takes all answers that are there and resumes whoever waits for them; gives how many they were. */
export function deliver(ring: Ring, answer: Answer): u32 {
  let count: u32 = 0
  while (ring.reap(answer)) {
    const token = changetype<Token>(<usize>answer.userData)
    token.result = answer.result
    token.done = 1
    // Step 3: whoever waits goes on: co.resume(frame).
    count++
  }
  return count
}
