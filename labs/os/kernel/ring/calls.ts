import { Errno } from '../abi'
import { Process } from '../task/process'
import { Activity } from '../task/task'
export async function setup(activity: Activity, process: Process, address: u64): Promise<i64> { return -Errno.ENOSYS }
export async function enter(activity: Activity, process: Process, id: u32, submit: u32, least: u32, timeout: u64): Promise<i64> { return -Errno.ENOSYS }
export async function close(activity: Activity, process: Process, id: u32, address: u64): Promise<i64> { return -Errno.ENOSYS }
export function register(activity: Activity, process: Process, id: u32, address: u64, count: u64): i64 { return -Errno.ENOSYS }
