// Owns the table of system calls: one implementation each, begun here for traps and rings alike. A call is an ordinary function when it
// never waits, an async one otherwise; one that is done at once costs no switch.
import { Call, Errno, RingOp } from '../abi'
import { __coroutine_free } from '../mm/heap'
import { Process, Thread } from '../task/process'
import { Activity } from '../task/task'
import { PENDING } from '../vfs/node'
import { syncDisks } from '../vfs/mount'
import * as files from './files'
import * as directories from './directories'
import * as memoryCalls from './memory'
import * as processes from './processes'
import { ownCall } from './own'
import * as time from './time'
import * as inspect from './inspect'
import * as rings from '../ring/calls'

export { PENDING } from '../vfs/node'

@inline export function pendingCall(activity: Activity): Promise<i64> {
  return changetype<Promise<i64>>(<usize>activity.pending)
}

/** The result of a call that is done, or PENDING. */
export function finish(activity: Activity, promise: Promise<i64>): i64 {
  if (promise.state == 2) {
    const result = promise.result
    __coroutine_free(changetype<usize>(promise))
    return result
  }
  activity.pending = <u32>changetype<usize>(promise)
  return PENDING
}

@inline function argument(args: usize, index: u32): u64 {
  return load<u64>(args + index * 8)
}

@inline export function processOf(activity: Activity): Process {
  return changetype<Process>(<usize>activity.process)
}

@inline export function threadOf(activity: Activity): Thread {
  return changetype<Thread>(<usize>activity.thread)
}

/**
 * Begins a call: gives its result, or PENDING, and then pendingCall is to be awaited. `args` points to six u64, which are only read here.
 * The smallest calls are answered here, before the registers are saved that the others need.
 */
export function startCall(activity: Activity, number: u32, args: usize): i64 {
  if (number == Call.getpid) return processOf(activity).pid
  return startOther(activity, number, args)
}

function startOther(activity: Activity, number: u32, args: usize): i64 {
  const process = processOf(activity)
  const a = argument(args, 0)
  const b = argument(args, 1)
  const c = argument(args, 2)
  const d = argument(args, 3)
  switch (number) {
    case Call.read: {
      const result = files.readNow(activity, process, a, b, c)
      return result != PENDING ? result : finish(activity, files.read(activity, process, a, b, c))
    }
    case Call.write: {
      const result = files.writeNow(activity, process, a, b, c)
      return result != PENDING ? result : finish(activity, files.write(activity, process, a, b, c))
    }
    case Call.pread64: {
      const result = files.transferNow(activity, process, a, b, c, d, false)
      return result != PENDING ? result : finish(activity, files.readAt(activity, process, a, b, c, d))
    }
    case Call.pwrite64: {
      const result = files.transferNow(activity, process, a, b, c, d, true)
      return result != PENDING ? result : finish(activity, files.writeAt(activity, process, a, b, c, d))
    }
    case Call.readv:
      return finish(activity, files.vector(activity, process, a, b, c, false))
    case Call.writev:
      return finish(activity, files.vector(activity, process, a, b, c, true))
    case Call.openat:
      return finish(activity, files.open(activity, process, a, b, <u32>c))
    case Call.close:
      return finish(activity, files.close(activity, process, a))
    case Call.lseek:
      return files.seek(process, a, <i64>b, <u32>c)
    case Call.fstat:
      return finish(activity, files.stat(activity, process, a, b))
    case Call.fstatat:
      return finish(activity, files.statAt(activity, process, a, b, c))
    case Call.fsync:
    case Call.fdatasync:
      return finish(activity, files.sync(activity, process, a))
    case Call.ftruncate:
      return finish(activity, files.truncate(activity, process, a, b))
    case Call.pipe2:
      return finish(activity, files.pipe(activity, process, a, <u32>b))
    case Call.dup:
      return finish(activity, files.duplicate(activity, process, a, 0, false))
    case Call.dup3:
      return finish(activity, files.duplicate(activity, process, a, b, true))
    case Call.fcntl:
      return finish(activity, files.control(activity, process, a, <u32>b, c))
    case Call.ioctl:
      return finish(activity, files.deviceControl(activity, process, a, <u32>b, c))
    case Call.ppoll:
      return finish(activity, files.poll(activity, process, a, b, c))
    case Call.sync:
      return finish(activity, syncDisks(activity))
    case Call.getdents64:
      return finish(activity, directories.list(activity, process, a, b, c))
    case Call.mkdirat:
      return finish(activity, directories.make(activity, process, a, b))
    case Call.unlinkat:
      return finish(activity, directories.remove(activity, process, a, b, <u32>c))
    case Call.renameat2:
      return finish(activity, directories.rename(activity, process, a, b, c, d, argument(args, 4)))
    case Call.chdir:
      return finish(activity, directories.change(activity, process, a))
    case Call.getcwd:
      return directories.current(activity, process, a, b)
    case Call.brk:
      return memoryCalls.setBreak(process, a)
    case Call.mmap:
      return finish(activity, memoryCalls.map(activity, process, a, b, <u32>c, <u32>d, argument(args, 4), argument(args, 5)))
    case Call.munmap:
      return memoryCalls.unmap(process, a, b)
    case Call.exit:
    case Call.exit_group:
    case Call.thread_exit:
    case Call.thread_create:
    case Call.sched_yield:
      return activity.thread == 0 ? -Errno.EINVAL : ownThreadCall(activity, process, number, args)
    case Call.thread_join:
      return finish(activity, processes.join(activity, process, <u32>a, b))
    case Call.spawn:
      return finish(activity, processes.spawn(activity, process, a, b, c, d, argument(args, 4)))
    case Call.wait4:
      return finish(activity, processes.wait(activity, process, <i32>a, b, <u32>c))
    case Call.kill:
      return processes.kill(<i32>a, <u32>b)
    case Call.getppid:
      return processes.parentOf(process)
    case Call.gettid:
      return activity.thread == 0 ? process.pid : threadOf(activity).tid
    case Call.setpgid:
      return processes.setGroup(process, <u32>a, <u32>b)
    case Call.getpgid:
      return processes.groupOf(process, <u32>a)
    case Call.reboot:
      return finish(activity, processes.powerOff(activity, <u32>a))
    case Call.nanosleep:
      return finish(activity, time.sleep(activity, a))
    case Call.clock_gettime:
      return time.get(activity, <u32>a, b)
    case Call.gettimeofday:
      return time.getMicroseconds(activity, a)
    case Call.uname:
      return inspect.uname(activity, a)
    case Call.sysinfo:
      return inspect.memoryInfo(activity, a)
    case Call.task_list:
      return inspect.listTasks(activity, a, b)
    case Call.counters:
      return inspect.counters(activity, a, b)
    case Call.set_priority:
      return inspect.setPriority(activity, <u32>a, <u32>b)
    case Call.set_limit:
      return inspect.setLimit(process, <u32>a, b)
    case Call.setup_io:
      return activity.thread == 0 ? -Errno.EINVAL : finish(activity, rings.setup(activity, process, a))
    case Call.ring_enter:
      return activity.thread == 0 ? -Errno.EINVAL : finish(activity, rings.enter(activity, process, <u32>a, <u32>b, <u32>c, d))
    case Call.ring_close:
      return activity.thread == 0 ? -Errno.EINVAL : finish(activity, rings.close(activity, process, <u32>a, b))
    case Call.register_buffers:
      return rings.register(activity, process, <u32>a, b, c)
  }
  return ownCall(activity, process, number, args)
}

/** Calls about the calling thread itself, which only a trap can make. */
function ownThreadCall(activity: Activity, process: Process, number: u32, args: usize): i64 {
  const thread = threadOf(activity)
  const a = argument(args, 0)
  if (number == Call.sched_yield) return finish(activity, time.giveWay(activity))
  if (number == Call.thread_create) return processes.createThread(activity, process, a, argument(args, 1), argument(args, 2))
  return processes.leave(process, thread, number, a)
}
