// Step 4: order. Writes three pieces of a file, one after the other, and makes sure that they are on the disk.
import { Call, SubmissionFlag } from '../kernel/abi'
import { Ring } from './ring'

/** Number of calls that `submitLetter` submits. */
export const LETTER_CALLS: u32 = 4

/**
 * Submits the writes of "Dear ", "ring, " and "yours." to a file, and an fsync behind them; user data are 1 to 4. Calls of a ring run in
 * any order, and all at once. These must not: say so with flags. If one fails, those behind it must not happen.
 */
export function submitLetter(ring: Ring, file: i64, dear: usize, name: usize, yours: usize): void {
  ring.submit(Call.write, file, dear, 5, 0, 1, SubmissionFlag.link)
  ring.submit(Call.write, file, name, 6, 0, 2, SubmissionFlag.link)
  ring.submit(Call.write, file, yours, 6, 0, 3, SubmissionFlag.link)
  ring.submit(Call.fsync, file, 0, 0, 0, 4, 0)
  ring.publish()
}
