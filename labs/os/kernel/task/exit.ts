// Owns the end of processes: everything is given back in order (rings, files, memory), then the parent is told.
import { Errno } from '../abi'
import { __release, tryAllocate } from '../mm/heap'
import { destroySpace } from '../mm/space'
import { copyOut } from '../mm/user'
import { shutdown } from '../power'
import { printLine } from '../print'
import { closeRings } from '../ring/teardown'
import { park, prepareWait } from '../sync/wait'
import { OpenFile, dropFile, dropNode } from '../vfs/node'
import {
  Process,
  announceEnd,
  findProcess,
  firstProcess,
  forgetProcess,
  killProcess,
  lockProcesses,
  unlockProcesses,
} from './process'
import { syncDisks } from '../vfs/mount'
import { forgetThread } from './thread'
import { Activity, Wake, self } from './task'

/** Called by the last thread of a process, whose activity this is. */
export async function endProcess(process: Process, activity: Activity): Promise<void> {
  process.killed = 1
  // What is left to wait for here must be waited for.
  activity.cancelled = 0
  await closeRings(process, activity)
  for (let descriptor: u32 = 0; descriptor < process.fileCapacity; descriptor++) {
    const file = load<u32>(process.files + descriptor * 4)
    store<u32>(process.files + descriptor * 4, 0)
    if (file != 0) await dropFile(changetype<OpenFile>(<usize>file), activity)
  }
  await dropNode(process.directory, activity)
  __release(process.directoryText)
  __release(process.files)
  destroySpace(process.space)
  // The machine goes off with the first process.
  if (process.pid == 1) await syncDisks(activity)
  const status = process.status
  lockProcesses()
  const isInit = process.pid == 1
  adopt(process)
  process.ended = 1
  announceEnd(process)
  // Threads are freed last: this activity is one's.
  while (process.threads != null) forgetThread(process, process.threads!)
  if (process.parent == null) forgetProcess(process)
  unlockProcesses()
  if (isInit) endMachine(status)
}

/** Children of a process that ends become the first process'. */
function adopt(process: Process): void {
  const init = findProcess(1)
  while (process.firstChild != null) {
    const child = process.firstChild!
    process.firstChild = child.sibling
    if (init == null || init == process) {
      child.parent = null
      child.sibling = null
      if (child.ended) forgetProcess(child)
    } else {
      child.parent = init
      child.sibling = init.firstChild
      init.firstChild = child
      if (child.ended) announceEnd(child)
    }
  }
}

/** The first process has ended, and with it the machine's work. */
function endMachine(status: u32): void {
  shutdown((status & 0x7f) != 0 ? 128 + (status & 0x7f) : (status >> 8) & 0xff)
}

/** exit_group: ends the process of an activity. */
export function exitProcess(process: Process, code: u32): void {
  killProcess(process, (code & 0xff) << 8)
}

const NO_HANG: u32 = 1

/** wait4: a child that has ended, by pid, or any (-1); its number and status. */
export async function waitChild(process: Process, pid: i32, statusAddress: u64, options: u32, activity: Activity): Promise<i64> {
  for (;;) {
    lockProcesses()
    let any = false
    let ended: Process | null = null
    let following: Process | null = process.firstChild
    while (following != null && ended == null) {
      const child = following
      following = child.sibling
      if (pid > 0 ? child.pid != <u32>pid : pid < -1 ? child.group != <u32>-pid : false) continue
      any = true
      if (child.ended) ended = child
    }
    if (ended != null) {
      const number = ended.pid
      const status = ended.status
      forgetProcess(ended)
      unlockProcesses()
      if (statusAddress != 0) {
        const block = tryAllocate(16)
        if (block == 0) return -Errno.ENOMEM
        store<u32>(block, status)
        const fine = copyOut(activity, statusAddress, block, 4)
        __release(block)
        if (!fine) return -Errno.EFAULT
      }
      return number
    }
    if (!any || options & NO_HANG) {
      unlockProcesses()
      return any ? 0 : -Errno.ECHILD
    }
    const parked = prepareWait(process.childEnd, activity, self())
    unlockProcesses()
    if (parked) park()
    if (activity.reason != Wake.event) return -Errno.EINTR
  }
  return 0
}
