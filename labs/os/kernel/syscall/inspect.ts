// Owns the calls that show and steer the system: tasks, counters, memory, priorities, limits. Called from syscall/table.ts only.
import { Errno } from '../abi'
import { Hart, hartAt, hartCount, hartMask, ioHart, ticksPerSecond } from '../hart'
import { countFrames, countFreeFrames } from '../mm/frames'
import { __release, countObjects, tryCleared } from '../mm/heap'
import { copyOut } from '../mm/user'
import { Process, Thread, firstProcess, lockProcesses, nameOf, unlockProcesses } from '../task/process'
import { Activity, DETACHED, LOWEST_PRIORITY, Task } from '../task/task'
import { nanosecondsOf } from '../task/timer'
import { countOpenFiles } from '../vfs/node'

function writeText(at: usize, text: string): void {
  for (let index = 0; index < text.length; index++) store<u8>(at + index, <u8>text.charCodeAt(index))
}

/** struct utsname: six fields of 65 bytes. */
export function uname(activity: Activity, address: u64): i64 {
  const block = tryCleared(390)
  if (block == 0) return -Errno.ENOMEM
  writeText(block, 'Pollen')
  writeText(block + 65, 'pollen')
  writeText(block + 130, '0.1.0')
  writeText(block + 195, 'asynchronous')
  writeText(block + 260, 'riscv64')
  const fine = copyOut(activity, address, block, 390)
  __release(block)
  return fine ? 0 : -Errno.EFAULT
}

/** struct sysinfo of Linux, 112 bytes: uptime at 0, total and free memory at 32 and 40, processes at 80, unit at 104. */
export function memoryInfo(activity: Activity, address: u64): i64 {
  const block = tryCleared(112)
  if (block == 0) return -Errno.ENOMEM
  let processes: u32 = 0
  lockProcesses()
  let following: Process | null = firstProcess()
  while (following != null) {
    const process = following
    following = process.next
    processes++
  }
  unlockProcesses()
  store<u64>(block, cpu.time() / ticksPerSecond)
  store<u64>(block, <u64>countFrames() * 4096, 32)
  store<u64>(block, <u64>countFreeFrames() * 4096, 40)
  store<u16>(block, <u16>processes, 80)
  store<u32>(block, 1, 104)
  const fine = copyOut(activity, address, block, 112)
  __release(block)
  return fine ? 0 : -Errno.EFAULT
}

// One entry of task_list, 128 bytes: pid u32, parent u32, tid u32, state u8 (0 ready or running, 1 waiting, 2 ended), priority u8,
// home hart u8, chain length u8; frames u32, group u32, open rings u32, reserved u32, name 32 bytes; then up to 4 of the await
// chain, innermost first, each the function's name cut to 16 bytes.
const ENTRY: u32 = 128

/** task_list(address, bytes): fills whole entries in and gives the number of threads there are. */
export function listTasks(activity: Activity, address: u64, bytes: u64): i64 {
  const most = <u32>min<u64>(bytes / ENTRY, 128)
  const block = tryCleared(most * ENTRY + 16)
  if (block == 0) return -Errno.ENOMEM
  let count: u32 = 0
  lockProcesses()
  let following: Process | null = firstProcess()
  while (following != null) {
    const process = following
    following = process.next
    process.lock.lock()
    if (process.threads == null) {
      if (count < most) describe(block + count * ENTRY, process, null)
      count++
    }
    let following: Thread | null = process.threads
    while (following != null) {
      const thread = following
      following = thread.next
      if (count < most) describe(block + count * ENTRY, process, thread)
      count++
    }
    process.lock.unlock()
  }
  unlockProcesses()
  const fine = copyOut(activity, address, block, min(count, most) * ENTRY)
  __release(block)
  return fine ? <i64>count : -Errno.EFAULT
}

function describe(at: usize, process: Process, thread: Thread | null): void {
  const parent = process.parent
  store<u32>(at, process.pid)
  store<u32>(at, parent == null ? 0 : parent.pid, 4)
  store<u32>(at, thread == null ? process.pid : thread.tid, 8)
  store<u8>(at, thread == null || thread.ended == 2 ? 2 : thread.activity.task != 0 ? 1 : 0, 12)
  if (thread != null) {
    store<u8>(at, thread.priority, 13)
    store<u8>(at, <u8>thread.home, 14)
  }
  if (!process.ended) store<u32>(at, process.space.frames, 16)
  store<u32>(at, process.group, 20)
  store<u32>(at, process.ringCount, 24)
  memory.copy(at + 32, nameOf(process), 32)
  if (thread == null) return
  // A waiting chain changes only when it is woken; names are constants of the kernel.
  let length: u32 = 0
  for (let task: u32 = thread.activity.task; task > DETACHED && length < 4; task = changetype<Task>(<usize>task).continuation) {
    const record: usize = changetype<Task>(<usize>task).frameType
    if (record == 0) break
    let name = record + load<u32>(record, 8)
    for (let end = name; load<u8>(end) != 0; end++) if (load<u8>(end) == 47) name = end + 1
    for (let index: u32 = 0; index < 15 && load<u8>(name + index) != 0; index++)
      store<u8>(at + 64 + length * 16 + index, load<u8>(name + index))
    length++
  }
  store<u8>(at, <u8>length, 15)
}

// counters(address, bytes): u64 each: 0 free frames, 1 frames, 2 kernel objects, 3 open files, 4 harts, 5 IO hart, 6 uptime in ns, 7 reserved;
// then per hart from 8 on, 8 each: switches, traps from user mode, interrupts, idle ns, wakes from other harts, system calls, IPIs sent,
// 1 if present.
const COUNTERS: u32 = 72

export function counters(activity: Activity, address: u64, bytes: u64): i64 {
  const block = tryCleared(COUNTERS * 8)
  if (block == 0) return -Errno.ENOMEM
  store<u64>(block, countFreeFrames())
  store<u64>(block, countFrames(), 8)
  store<u64>(block, countObjects(), 16)
  store<u64>(block, countOpenFiles(), 24)
  store<u64>(block, hartCount, 32)
  store<u64>(block, ioHart, 40)
  store<u64>(block, nanosecondsOf(cpu.time()), 48)
  for (let number: u32 = 0; number < 8; number++) {
    if ((hartMask & (1 << number)) == 0) continue
    const hart = hartAt(number)
    const at = block + 64 + number * 64
    store<u64>(at, hart.switches)
    store<u64>(at, hart.traps, 8)
    store<u64>(at, hart.interrupts, 16)
    store<u64>(at, nanosecondsOf(hart.idleTicks), 24)
    store<u64>(at, hart.wakeups, 32)
    store<u64>(at, hart.systemCalls, 40)
    store<u64>(at, hart.ipisSent, 48)
    store<u64>(at, 1, 56)
  }
  const fine = copyOut(activity, address, block, <u32>min<u64>(bytes, COUNTERS * 8))
  __release(block)
  return fine ? <i64>COUNTERS : -Errno.EFAULT
}

/** set_priority(tid, priority): of a thread of the caller's process (0: its own), 3 (best) to 7. Takes effect when it is queued next. */
export function setPriority(activity: Activity, tid: u32, priority: u32): i64 {
  if (priority < 3 || priority > LOWEST_PRIORITY) return -Errno.EINVAL
  const process = changetype<Process>(<usize>activity.process)
  process.lock.lock()
  let thread: Thread | null = process.threads
  if (tid == 0) thread = changetype<Thread | null>(<usize>activity.thread)
  else while (thread != null && thread.tid != tid) thread = thread.next
  if (thread != null && thread.ended != 2) {
    thread.priority = <u8>priority
    changetype<Task>(<usize>thread.task).priority = <u8>priority
  }
  process.lock.unlock()
  return thread == null ? -Errno.ESRCH : 0
}

/** set_limit(kind, value): 0 frames, 1 descriptors, 2 threads. Limits only go down; children inherit them. */
export function setLimit(process: Process, kind: u32, value: u64): i64 {
  if (kind == 0 && value <= process.space.frameLimit) process.space.frameLimit = <u32>value
  else if (kind == 1 && value <= process.fileLimit) process.fileLimit = <u32>value
  else if (kind == 2 && value <= process.threadLimit) process.threadLimit = <u32>value
  else return -Errno.EINVAL
  return 0
}
