// Four ways to wait for an answer. Step 3 is yours; step 1 needs the first only.
import { sysYield } from '../user/system'
import { Answer, Ring } from './ring'

/** Raw token: looks again and again. Wakes the kernel's half when that sleeps, else nobody would ever answer. */
export function waitSpinning(ring: Ring, answer: Answer): void {
  while (!ring.reap(answer)) if (ring.sleeps) ring.enter(0)
}

/** Poll and yield: between two looks, lets other threads have the hart (sysYield). */
export function waitYielding(ring: Ring, answer: Answer): void {
  while (!ring.reap(answer)) {
    if (ring.sleeps) ring.enter(0)
    else sysYield()
  }
}

/** Sleeping wait: the thread sleeps in the kernel until an answer is there. A trap, but the hart is free meanwhile. */
export function waitSleeping(ring: Ring, answer: Answer): void {
  while (!ring.reap(answer)) ring.enter(1)
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
  if (token.done == 0) {
    token.waiter = <u32>co.frame()
    co.suspend()
  }
  return token.result
}

/** Takes all answers that are there and resumes whoever waits for them; gives how many they were. */
export function deliver(ring: Ring, answer: Answer): u32 {
  let count: u32 = 0
  while (ring.reap(answer)) {
    const token = changetype<Token>(<usize>answer.userData)
    token.result = answer.result
    token.done = 1
    const waiter: usize = token.waiter
    token.waiter = 0
    if (waiter != 0) co.resume(waiter)
    count++
  }
  return count
}
