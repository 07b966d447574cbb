// Calls of your own: numbers from 1100 on. Called from syscall/table.ts only.
import { Errno } from '../abi'
import { __release, tryAllocate } from '../mm/heap'
import { copyIn } from '../mm/user'
import { Process } from '../task/process'
import { Activity } from '../task/task'

const NOTHING: u32 = 1100
const ADD: u32 = 1101
const SUM: u32 = 1102

/** The most numbers that one sum takes: nobody may keep the kernel busy for ever. */
const MOST: u64 = 1024

/** The result of a call that Pollen OS does not know. `args` points to six u64. */
export function ownCall(activity: Activity, process: Process, number: u32, args: usize): i64 {
  if (number == NOTHING) return 0
  if (number == ADD) return load<i64>(args) + load<i64>(args, 8)
  if (number == SUM) return sum(activity, load<u64>(args), load<u64>(args, 8))
  return -Errno.ENOSYS
}

/** sum(address, count): the sum of so many u64 in the caller's memory; EINVAL beyond MOST, EFAULT where it may not read. */
function sum(activity: Activity, address: u64, count: u64): i64 {
  if (count > MOST) return -Errno.EINVAL
  const numbers = tryAllocate(<usize>count * 8)
  if (numbers == 0) return -Errno.ENOMEM
  let total: i64 = -Errno.EFAULT
  if (copyIn(activity, numbers, address, <u32>count * 8)) {
    total = 0
    for (let index: u32 = 0; index < <u32>count; index++) total += load<i64>(numbers + 8 * index)
  }
  __release(numbers)
  return total
}
