// Owns waiting for readiness: whoever polls waits in one queue, and looks again when any pollable thing has changed.
import { WaitQueue, wakeAll } from '../sync/wait'

export const pollers = changetype<WaitQueue>(memory.data(8, 8))

/** Something may be readable or writable now that was not. */
@inline export function pollChanged(): void {
  if (pollers.head != 0) wakeAll(pollers)
}
