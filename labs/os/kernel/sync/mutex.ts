// Owns the sleeping lock: held across awaits, handed to the longest waiter. Waiting for it cannot be cancelled: who holds it goes on soon.
//
//     await mutex.lock(activity)  ...  mutex.unlock()
import { Activity, Wake, self } from '../task/task'
import { SpinLock } from './spin'
import { WaitQueue, park, prepareWait, wakeOne } from './wait'

@unmanaged export class Mutex {
  spin: SpinLock
  waiters: WaitQueue
  held: u32
}

/** Bytes of a mutex with its parts behind it, cleared by the caller. */
export const MUTEX_BYTES: u32 = 32

/** Makes a mutex of cleared memory of MUTEX_BYTES. */
export function mutexAt(at: usize): Mutex {
  const mutex = changetype<Mutex>(at)
  mutex.spin = changetype<SpinLock>(at + 12)
  mutex.waiters = changetype<WaitQueue>(at + 16)
  return mutex
}

export async function lockMutex(mutex: Mutex, activity: Activity): Promise<void> {
  let cancelled: u8 = 0
  for (;;) {
    mutex.spin.lock()
    if (mutex.held == 0) {
      mutex.held = 1
      mutex.spin.unlock()
      break
    }
    // A cancelled activity waits like any other here, and one that is cancelled meanwhile waits on.
    cancelled |= activity.cancelled
    activity.cancelled = 0
    prepareWait(mutex.waiters, activity, self())
    mutex.spin.unlock()
    park()
    if (activity.reason == Wake.event) break
  }
  if (cancelled) activity.cancelled = 1
}

export function unlockMutex(mutex: Mutex): void {
  mutex.spin.lock()
  if (!wakeOne(mutex.waiters)) mutex.held = 0
  mutex.spin.unlock()
}
