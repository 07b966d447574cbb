// Owns the calls about processes and threads. Called from syscall/table.ts only.
import { syncDisks } from '../vfs/mount'
import { Call, Errno, User } from '../abi'
import { FRAME } from '../mm/frames'
import { __release, create, destroy, tryAllocate } from '../mm/heap'
import { AreaFlag, addArea, findHole, removeRange } from '../mm/space'
import { MOST_PATH, copyIn, copyOut, copyText } from '../mm/user'
import { shutdown } from '../power'
import { park, prepareWait } from '../sync/wait'
import { exitProcess, waitChild } from '../task/exit'
import { UserFrame, setRegister } from '../task/frame'
import { Process, Thread, fileOf, findProcess, lockProcesses, signal, unlockProcesses } from '../task/process'
import { Texts, spawnProgram } from '../task/program'
import { Activity, Wake, self } from '../task/task'
import { forgetThread, leaveThread, makeThread, startThread } from '../task/thread'
import { OpenFile, dropFile, dropNode, holdNode } from '../vfs/node'

/** All texts of arguments or environment together, and how many there may be. */
const MOST_TEXT: u32 = 16384
const MOST_TEXTS: u32 = 256
const THREAD_STACK: u32 = 0x1_0000

/** Copies a vector of texts (64-bit pointers, ended by 0): null and a reason in `problem` otherwise. */
function copyTexts(activity: Activity, address: u64, texts: Texts): i64 {
  texts.count = 0
  texts.bytes = 0
  texts.at = <u32>tryAllocate(MOST_TEXT)
  if (texts.at == 0) return -Errno.ENOMEM
  if (address == 0) return 0
  const cell = tryAllocate(16)
  if (cell == 0) return -Errno.ENOMEM
  let problem: i64 = 0
  for (;;) {
    if (!copyIn(activity, cell, address + texts.count * 8, 8)) {
      problem = -Errno.EFAULT
      break
    }
    const at = load<u64>(cell)
    if (at == 0) break
    if (texts.count == MOST_TEXTS) {
      problem = -Errno.E2BIG
      break
    }
    const copy = copyText(activity, at, MOST_TEXT - 1)
    if (copy < 0) {
      problem = copy == -Errno.ENAMETOOLONG ? -Errno.E2BIG : copy
      break
    }
    let length: u32 = 1
    while (load<u8>(<usize>copy + length - 1) != 0) length++
    if (texts.bytes + length > MOST_TEXT) problem = -Errno.E2BIG
    else memory.copy(texts.at + texts.bytes, <usize>copy, length)
    __release(<usize>copy)
    if (problem != 0) break
    texts.bytes += length
    texts.count++
  }
  __release(cell)
  return problem
}

/**
 * spawn(path, argv, envp, files, count): files is an array of i32, the parent's descriptor for each of the child's, -1 for none;
 * 0 gives the child descriptors 0 to 2.
 */
export async function spawn(activity: Activity, process: Process, path: u64, argv: u64, envp: u64, list: u64, count: u64): Promise<i64> {
  if (count > 16) return -Errno.EINVAL
  const text = copyText(activity, path, MOST_PATH)
  if (text < 0) return text
  const args = create<Texts>()
  const environment = create<Texts>()
  const files = tryAllocate(64)
  let result: i64 = -Errno.ENOMEM
  if (args != null && environment != null && files != 0) {
    result = copyTexts(activity, argv, args)
    if (result == 0) result = copyTexts(activity, envp, environment)
    const wanted: u32 = list == 0 ? 3 : <u32>count
    for (let index: u32 = 0; index < 16; index++) store<u32>(files + index * 4, index)
    if (result == 0 && list != 0 && !copyIn(activity, files, list, wanted * 4)) result = -Errno.EFAULT
    if (result == 0) {
      for (let index: u32 = 0; index < wanted; index++) {
        const descriptor = load<i32>(files + index * 4)
        let file: OpenFile | null = null
        if (descriptor >= 0) file = fileOf(process, <u64>descriptor)
        if (file == null && descriptor >= 0 && list != 0) result = -Errno.EBADF
        store<u32>(files + index * 4, <u32>changetype<usize>(file))
      }
      process.lock.lock()
      const directory = holdNode(process.directory)
      process.lock.unlock()
      if (result == 0)
        result = await spawnProgram(
          process,
          directory,
          process.directoryText,
          <usize>text,
          args,
          environment,
          files,
          wanted,
          process.space.frameLimit,
          activity,
        )
      if (result < 0)
        for (let index: u32 = 0; index < wanted; index++) {
          const file = load<u32>(files + index * 4)
          if (file != 0) await dropFile(changetype<OpenFile>(<usize>file), activity)
        }
      await dropNode(directory, activity)
    }
  }
  if (args != null) {
    __release(args.at)
    destroy(args)
  }
  if (environment != null) {
    __release(environment.at)
    destroy(environment)
  }
  __release(files)
  __release(<usize>text)
  return result
}

export async function wait(activity: Activity, process: Process, pid: i32, status: u64, options: u32): Promise<i64> {
  return await waitChild(process, pid, status, options, activity)
}

export function kill(pid: i32, number: u32): i64 {
  // Everybody (-1) and the caller's group (0) are not for a system without users.
  return pid == -1 || pid == 0 ? -Errno.EINVAL : signal(pid, number)
}

export function parentOf(process: Process): i64 {
  lockProcesses()
  const parent = process.parent
  const pid: u32 = parent == null ? 0 : parent.pid
  unlockProcesses()
  return pid
}

export function setGroup(process: Process, pid: u32, group: u32): i64 {
  lockProcesses()
  const target = pid == 0 ? process : findProcess(pid)
  let result: i64 = 0
  if (target == null || (target != process && target.parent != process)) result = -Errno.ESRCH
  else target.group = group == 0 ? target.pid : group
  unlockProcesses()
  return result
}

export function groupOf(process: Process, pid: u32): i64 {
  lockProcesses()
  const target = pid == 0 ? process : findProcess(pid)
  const group: i64 = target == null ? -Errno.ESRCH : target.group
  unlockProcesses()
  return group
}

/** reboot: turns the machine off with an exit status; what was written is on the disks. */
export async function powerOff(activity: Activity, status: u32): Promise<i64> {
  await syncDisks(activity)
  shutdown(status & 0xff)
  return 0
}

/** exit of the first thread and exit_group end the process; thread_exit, and exit of others, the thread. */
export function leave(process: Process, thread: Thread, number: u32, code: u64): i64 {
  const first = thread.tid == process.pid
  if (number == Call.exit_group || (number == Call.exit && first)) exitProcess(process, <u32>code)
  else {
    if (process.threadCount == 1) process.status = (<u32>code & 0xff) << 8
    leaveThread(thread, code)
  }
  return 0
}

/** thread_create(entry, argument, stack top): a stack of 64 KiB is made when the third is 0. Gives the thread's number. */
export function createThread(activity: Activity, process: Process, entry: u64, argument: u64, stack: u64): i64 {
  if (process.threadCount >= process.threadLimit) return -Errno.EAGAIN
  let start: u32 = 0
  if (stack == 0) {
    const space = process.space
    space.lock.lock()
    start = findHole(space, THREAD_STACK, User.mappingsEnd, User.stackTop, FRAME)
    if (start != 0 && !addArea(space, start, start + THREAD_STACK, AreaFlag.read | AreaFlag.write)) start = 0
    space.lock.unlock()
    if (start == 0) return -Errno.ENOMEM
    stack = start + THREAD_STACK
  }
  const thread = makeThread(process, entry, stack & ~15)
  if (thread == null) {
    if (start != 0) {
      process.space.lock.lock()
      removeRange(process.space, start, start + THREAD_STACK)
      process.space.lock.unlock()
    }
    return -Errno.ENOMEM
  }
  thread.stackStart = start
  thread.stackEnd = start + THREAD_STACK
  setRegister(thread.frame, UserFrame.a0, argument)
  const tid = thread.tid
  startThread(thread)
  return tid
}

/** thread_join(tid, result address): waits, and frees the thread. */
export async function join(activity: Activity, process: Process, tid: u32, address: u64): Promise<i64> {
  for (;;) {
    process.lock.lock()
    let thread: Thread | null = process.threads
    while (thread != null && thread.tid != tid) thread = thread.next
    if (thread == null || thread.tid == process.pid || <u32>changetype<usize>(thread) == activity.thread) {
      process.lock.unlock()
      return thread == null ? -Errno.ESRCH : -Errno.EINVAL
    }
    if (thread.ended == 2) {
      const result = thread.result
      const start = thread.stackStart
      const end = thread.stackEnd
      forgetThread(process, thread)
      process.lock.unlock()
      if (start != 0) {
        process.space.lock.lock()
        removeRange(process.space, start, end)
        process.space.lock.unlock()
      }
      if (address == 0) return 0
      const cell = tryAllocate(16)
      if (cell == 0) return -Errno.ENOMEM
      store<i64>(cell, result)
      const fine = copyOut(activity, address, cell, 8)
      __release(cell)
      return fine ? 0 : -Errno.EFAULT
    }
    const parked = prepareWait(thread.joiners, activity, self())
    process.lock.unlock()
    if (parked) park()
    if (activity.reason != Wake.event) return -Errno.EINTR
  }
  return 0
}
