// Owns pipes: one frame as a ring of bytes, two ends, waiting on both sides. Writes up to 512 bytes are not mixed with others'.
import { Errno, FileType, Poll } from '../abi'
import { pollChanged } from '../dev/poll'
import { allocateFrames, dropFrame } from '../mm/frames'
import { create, destroy } from '../mm/heap'
import { copyIn, copyOut } from '../mm/user'
import { SpinLock } from '../sync/spin'
import { WaitQueue, park, prepareWait, wakeAll } from '../sync/wait'
import { Activity, Wake, self } from '../task/task'
import { setDefaults } from './defaults'
import { memNode } from './memfs'
import { Node, NodeOperations, OpenFile, PENDING, dropNode, holdNode, makeFile } from './node'

const CAPACITY: u32 = 4096
const ATOMIC: u32 = 512
const NON_BLOCKING: u32 = 0o4000

@unmanaged class Pipe {
  lock: SpinLock
  word: u32
  frame: u32
  head: u32
  tail: u32
  readerOpen: u32
  writerOpen: u32
  readers: WaitQueue
  writers: WaitQueue
  queue1: u64
  queue2: u64
}

const operations = changetype<NodeOperations>(memory.data(64, 8))

@init export function startPipes(): void {
  setDefaults(operations)
  operations.read = pipeRead
  operations.write = pipeWrite
  operations.readNow = pipeReadNow
  operations.poll = pipePoll
  operations.close = pipeClose
  operations.release = pipeRelease
}

/** Makes the two ends; false when memory is out. ends[0] reads, ends[1] writes. */
export async function makePipe(ends: usize, flags: u32, activity: Activity): Promise<bool> {
  const pipe = create<Pipe>()
  const node = memNode(FileType.fifo)
  const frame = allocateFrames(0)
  if (pipe == null || node == null || frame == 0) {
    if (pipe != null) destroy(pipe)
    if (node != null) destroy(node)
    if (frame != 0) dropFrame(frame)
    return false
  }
  const at = changetype<usize>(pipe)
  pipe.lock = changetype<SpinLock>(at + offsetof<Pipe>('word'))
  pipe.readers = changetype<WaitQueue>(at + offsetof<Pipe>('queue1'))
  pipe.writers = changetype<WaitQueue>(at + offsetof<Pipe>('queue2'))
  pipe.frame = frame
  pipe.readerOpen = 1
  pipe.writerOpen = 1
  node.operations = operations
  node.data = <u32>at
  const reader = makeFile(node, flags & NON_BLOCKING)
  const writer = makeFile(holdNode(node), (flags & NON_BLOCKING) | 1)
  if (reader == null || writer == null) {
    if (reader != null) destroy(reader)
    if (writer != null) destroy(writer)
    await dropNode(node, activity)
    await dropNode(node, activity)
    return false
  }
  store<u32>(ends, <u32>changetype<usize>(reader))
  store<u32>(ends, <u32>changetype<usize>(writer), 4)
  return true
}

@inline function pipeOf(file: OpenFile): Pipe {
  return changetype<Pipe>(<usize>file.node.data)
}

async function pipeRead(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): Promise<i64> {
  if (file.flags & 1) return -Errno.EBADF
  if (bytes == 0) return 0
  const pipe = pipeOf(file)
  pipe.lock.lock()
  while (pipe.head == pipe.tail) {
    if (pipe.writerOpen == 0 || file.flags & NON_BLOCKING) {
      const result: i64 = pipe.writerOpen == 0 ? 0 : -Errno.EAGAIN
      pipe.lock.unlock()
      return result
    }
    const parked = prepareWait(pipe.readers, activity, self())
    pipe.lock.unlock()
    if (parked) park()
    if (activity.reason != Wake.event) return -Errno.EINTR
    pipe.lock.lock()
  }
  return takeOut(pipe, address, bytes, activity)
}

function pipeReadNow(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): i64 {
  const pipe = pipeOf(file)
  if (file.flags & 1 || bytes == 0) return PENDING
  pipe.lock.lock()
  if (pipe.head == pipe.tail) {
    pipe.lock.unlock()
    return PENDING
  }
  return takeOut(pipe, address, bytes, activity)
}

/** Reads what is there. Called with the lock of a pipe that is not empty, and gives it back. */
function takeOut(pipe: Pipe, address: u64, bytes: u32, activity: Activity): i64 {
  const count = min(bytes, pipe.tail - pipe.head)
  let done: u32 = 0
  let fine = true
  while (done < count && fine) {
    const at = (pipe.head + done) & (CAPACITY - 1)
    const part = min(count - done, CAPACITY - at)
    fine = copyOut(activity, address + done, pipe.frame + at, part)
    done += part
  }
  if (fine) pipe.head += count
  pipe.lock.unlock()
  if (!fine) return -Errno.EFAULT
  wakeAll(pipe.writers)
  pollChanged()
  return count
}

async function pipeWrite(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): Promise<i64> {
  if ((file.flags & 1) == 0) return -Errno.EBADF
  const pipe = pipeOf(file)
  let done: u32 = 0
  let problem = 0
  pipe.lock.lock()
  while (done < bytes || bytes == 0) {
    if (pipe.readerOpen == 0) {
      problem = Errno.EPIPE
      break
    }
    if (bytes == 0) break
    const room = CAPACITY - (pipe.tail - pipe.head)
    const wanted = bytes - done
    if (room == 0 || (bytes <= ATOMIC && room < wanted)) {
      if (file.flags & NON_BLOCKING) {
        problem = Errno.EAGAIN
        break
      }
      const parked = prepareWait(pipe.writers, activity, self())
      pipe.lock.unlock()
      if (parked) park()
      const reason = activity.reason
      pipe.lock.lock()
      if (reason != Wake.event) {
        problem = Errno.EINTR
        break
      }
      continue
    }
    const at = pipe.tail & (CAPACITY - 1)
    const part = min(min(wanted, room), CAPACITY - at)
    if (!copyIn(activity, pipe.frame + at, address + done, part)) {
      problem = Errno.EFAULT
      break
    }
    pipe.tail += part
    done += part
    wakeAll(pipe.readers)
  }
  pipe.lock.unlock()
  pollChanged()
  return done != 0 ? <i64>done : -problem
}

function pipePoll(file: OpenFile): u32 {
  const pipe = pipeOf(file)
  if (file.flags & 1) {
    if (pipe.readerOpen == 0) return Poll.writable | Poll.error
    return CAPACITY - (pipe.tail - pipe.head) >= ATOMIC ? Poll.writable : 0
  }
  let bits: u32 = pipe.head != pipe.tail ? Poll.readable : 0
  if (pipe.writerOpen == 0) bits |= Poll.hangUp
  return bits
}

function pipeClose(file: OpenFile): void {
  const pipe = pipeOf(file)
  pipe.lock.lock()
  if (file.flags & 1) pipe.writerOpen = 0
  else pipe.readerOpen = 0
  pipe.lock.unlock()
  wakeAll(pipe.readers)
  wakeAll(pipe.writers)
  pollChanged()
}

async function pipeRelease(node: Node, activity: Activity): Promise<i64> {
  const pipe = changetype<Pipe>(<usize>node.data)
  dropFrame(pipe.frame)
  destroy(pipe)
  destroy(node)
  return 0
}
