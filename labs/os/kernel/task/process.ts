// Owns processes and threads as data: the tree, descriptors, who is told when one ends. task/thread.ts runs them.
import { sbiSendIpi } from '../../arch/sbi'
import { Errno } from '../abi'
import { Hart, HartState, hartMask, stateOf, thisHart } from '../hart'
import { __release, create, destroy, tryCleared } from '../mm/heap'
import { AddressSpace } from '../mm/space'
import { SpinLock } from '../sync/spin'
import { WaitQueue, cancelActivity, wakeAll } from '../sync/wait'
import { Node, OpenFile, holdFile } from '../vfs/node'
import { Activity } from './task'

export const MOST_FILES: u32 = 256

@unmanaged export class Process {
  pid: u32
  group: u32
  parent: Process | null
  firstChild: Process | null
  sibling: Process | null
  next: Process | null
  space: AddressSpace
  /** Open files by descriptor; guarded by lock. */
  files: u32
  fileCapacity: u32
  fileLimit: u32
  directory: Node
  directoryText: u32
  threads: Thread | null
  threadCount: u32
  threadLimit: u32
  /** 1 once no thread is left; then only the parent's wait4 knows it. */
  ended: u8
  killed: u8
  /** As wait4 gives it: exit code << 8, or the signal. */
  status: u32
  childEnd: WaitQueue
  childEndAt: u64
  lock: SpinLock
  lockWord: u32
  /** The first of its rings. */
  rings: u32
  ringCount: u32
  userTicks: u64
  systemCalls: u64
  ringCalls: u64
  name: u64
  name1: u64
  name2: u64
  name3: u64
}

@unmanaged export class Thread {
  tid: u32
  process: Process
  activity: Activity
  /** UserFrame in task/frame.ts. */
  frame: u32
  next: Thread | null
  joiners: WaitQueue
  joinersAt: u64
  result: i64
  sliceEnd: u64
  stackStart: u32
  stackEnd: u32
  home: u32
  task: u32
  ended: u8
  joined: u8
  usesFloats: u8
  priority: u8
  /** System calls so far: the low half of its requests' numbers. */
  calls: u32
  /** The request that the program itself is at work on, as it told the trace. */
  ownRequest: u64
}

const processLock = changetype<SpinLock>(memory.data(64, 64))
/** First process, last number given. */
const table = memory.data(16, 8)

export function firstProcess(): Process | null {
  return changetype<Process | null>(<usize>load<u32>(table))
}

export function lockProcesses(): void {
  processLock.lock()
}

export function unlockProcesses(): void {
  processLock.unlock()
}

export function nextId(): u32 {
  return atomic.add<u32>(table + 4, 1) + 1
}

export function makeProcess(parent: Process | null, space: AddressSpace): Process | null {
  const process = create<Process>()
  if (process == null) return null
  const at = changetype<usize>(process)
  process.pid = nextId()
  process.group = parent == null ? process.pid : parent.group
  process.space = space
  process.lock = changetype<SpinLock>(at + offsetof<Process>('lockWord'))
  process.childEnd = changetype<WaitQueue>(at + offsetof<Process>('childEndAt'))
  process.fileLimit = parent == null ? MOST_FILES : parent.fileLimit
  process.threadLimit = parent == null ? 64 : parent.threadLimit
  process.fileCapacity = 16
  const files = tryCleared(16 * 4)
  if (files == 0) {
    destroy(process)
    return null
  }
  process.files = <u32>files
  return process
}

/** Makes it known: to the list, and to its parent. */
export function addProcess(process: Process, parent: Process | null): void {
  processLock.lock()
  process.parent = parent
  if (parent != null) {
    process.sibling = parent.firstChild
    parent.firstChild = process
  }
  process.next = firstProcess()
  store<u32>(table, <u32>changetype<usize>(process))
  processLock.unlock()
}

/** Takes a process that has ended out of everything and frees it. Call with the process lock held. */
export function forgetProcess(process: Process): void {
  const parent = process.parent
  if (parent != null) {
    if (parent.firstChild == process) parent.firstChild = process.sibling
    else {
      let before: Process | null = parent.firstChild
      while (before != null && before.sibling != process) before = before.sibling
      if (before != null) before.sibling = process.sibling
    }
  }
  if (firstProcess() == process) store<u32>(table, <u32>changetype<usize>(process.next))
  else {
    let before: Process | null = firstProcess()
    while (before != null && before.next != process) before = before.next
    if (before != null) before.next = process.next
  }
  destroy(process)
}

export function findProcess(pid: u32): Process | null {
  let process: Process | null = firstProcess()
  while (process != null && process.pid != pid) process = process.next
  return process
}

/** Ends all threads of a process at their next look; `status` as wait4 has it. The first reason stays. */
export function killProcess(process: Process, status: u32): void {
  process.lock.lock()
  if (process.killed == 0) {
    process.killed = 1
    process.status = status
  }
  let thread: Thread | null = process.threads
  while (thread != null) {
    cancelActivity(thread.activity)
    thread = thread.next
  }
  process.lock.unlock()
  // Threads that run user code on other harts come in to look.
  let mask: u64 = 0
  const own = thisHart().number
  for (let number: u32 = 0; number < 8; number++)
    if (number != own && hartMask & (1 << number) && cpu.load32(stateOf(number)) == HartState.user) mask |= 1 << number
  if (mask != 0) sbiSendIpi(mask)
}

/** Sends a signal to one process, or to a group (pid < 0); 0 or -errno. */
export function signal(pid: i32, number: u32): i64 {
  if (number > 64) return -Errno.EINVAL
  let found = false
  processLock.lock()
  let following: Process | null = firstProcess()
  while (following != null) {
    const process = following
    following = process.next
    if (process.ended || (pid > 0 ? process.pid != <u32>pid : process.group != <u32>-pid)) continue
    found = true
    if (number != 0 && !isIgnored(number)) killProcess(process, number)
  }
  processLock.unlock()
  return found ? 0 : -Errno.ESRCH
}

/** Signals that do nothing unless somebody asks for them: CHLD, CONT, URG, WINCH. */
function isIgnored(number: u32): bool {
  return number == 17 || number == 18 || number == 23 || number == 28
}

/** Ctrl-C for the console's group. */
export function interruptGroup(group: u32): void {
  if (group != 0) signal(-(<i32>group), 2)
}

/** The open file of a descriptor, with a reference; null when there is none. */
export function fileOf(process: Process, descriptor: u64): OpenFile | null {
  process.lock.lock()
  let file: OpenFile | null = null
  if (descriptor < process.fileCapacity) file = changetype<OpenFile | null>(<usize>load<u32>(process.files + <u32>descriptor * 4))
  if (file != null) holdFile(file)
  process.lock.unlock()
  return file
}

/** Puts a file, whose reference is taken over, at the lowest free descriptor from `least` on; -errno when there is none. */
export function installFile(process: Process, file: OpenFile, least: u32): i64 {
  process.lock.lock()
  let at = least
  while (at < process.fileCapacity && load<u32>(process.files + at * 4) != 0) at++
  if (at >= process.fileLimit) {
    process.lock.unlock()
    return -Errno.EMFILE
  }
  if (at >= process.fileCapacity && !growFiles(process, at + 1)) {
    process.lock.unlock()
    return -Errno.ENOMEM
  }
  store<u32>(process.files + at * 4, <u32>changetype<usize>(file))
  process.lock.unlock()
  return at
}

/** Puts a file at a descriptor and gives what was there; -errno as a small number is no file. */
export function replaceFile(process: Process, descriptor: u32, file: OpenFile | null): u32 {
  process.lock.lock()
  if (descriptor >= process.fileCapacity && (file == null || descriptor >= process.fileLimit || !growFiles(process, descriptor + 1))) {
    process.lock.unlock()
    return 1
  }
  const at = process.files + descriptor * 4
  const old = load<u32>(at)
  store<u32>(at, <u32>changetype<usize>(file))
  process.lock.unlock()
  return old
}

function growFiles(process: Process, least: u32): bool {
  let capacity = process.fileCapacity
  while (capacity < least) capacity *= 2
  const files = tryCleared(capacity * 4)
  if (files == 0) return false
  memory.copy(files, process.files, process.fileCapacity * 4)
  __release(process.files)
  process.files = <u32>files
  process.fileCapacity = capacity
  return true
}

@inline export function nameOf(process: Process): usize {
  return changetype<usize>(process) + offsetof<Process>('name')
}

/** Names a process after the last component of its path. */
export function setName(process: Process, path: usize): void {
  let last = path
  for (let at = path; load<u8>(at) != 0; at++) if (load<u8>(at) == 47 && load<u8>(at + 1) != 0) last = at + 1
  let index: u32 = 0
  for (; index < 31 && load<u8>(last + index) != 0; index++) store<u8>(nameOf(process) + index, load<u8>(last + index))
  store<u8>(nameOf(process) + index, 0)
}

/** Tells the parent that a child has ended. */
export function announceEnd(process: Process): void {
  const parent = process.parent
  if (parent != null) wakeAll(parent.childEnd)
}
