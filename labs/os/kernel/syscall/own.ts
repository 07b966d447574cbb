// Owns the calls that nobody else does: numbers from 1100 to 1199 are free for labs and experiments, which bring a file of their own.
// Called from syscall/table.ts only.
import { Errno } from '../abi'
import { Process } from '../task/process'
import { Activity } from '../task/task'

/** The result of a call that Pollen OS does not know. `args` points to six u64. */
export function ownCall(activity: Activity, process: Process, number: u32, args: usize): i64 {
  return -Errno.ENOSYS
}
