// Owns the calls about open files. Called from syscall/table.ts only.
import { Errno, FileType, OpenFlag, Poll } from '../abi'
import { pollers } from '../dev/poll'

import { __release, tryAllocate, tryCleared } from '../mm/heap'
import { MOST_PATH, copyIn, copyOut, copyText } from '../mm/user'
import { endWait, finishTimer, park, prepareTimedWait } from '../sync/wait'
import { Process, fileOf, installFile, replaceFile } from '../task/process'
import { Activity, Wake, self } from '../task/task'
import { ticksOf } from '../task/timer'
import { Node, OpenFile, PENDING, dropFile, dropFileLater, dropNode, finishFile, holdNode, isDirectory, isLastReference, makeFile } from '../vfs/node'
import { PLACE_BYTES, Place, findNode, findPlace } from '../vfs/path'
import { makePipe } from '../vfs/pipe'

/** dirfd that stands for the working directory. */
const AT_FDCWD: i64 = -100
const AT_EMPTY_PATH: u64 = 0x1000
/** No single transfer is longer. */
const MOST_TRANSFER: u64 = 0x7fff_f000

/** The directory that relative paths of a call begin at, with a reference; or -errno. */
export function startOf(process: Process, directory: u64): i64 {
  if (<i64>(<i32>directory) == AT_FDCWD) return <i64>changetype<usize>(holdNode(process.directory))
  const file = fileOf(process, directory)
  if (file == null) return -Errno.EBADF
  const node = file.node
  const result: i64 = isDirectory(node) ? <i64>changetype<usize>(holdNode(node)) : -Errno.ENOTDIR
  dropFileLater(file)
  return result
}

/** read of what is at hand; PENDING when it must be waited for. */
export function readNow(activity: Activity, process: Process, descriptor: u64, address: u64, bytes: u64): i64 {
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  let result: i64 = -Errno.EBADF
  if ((file.flags & OpenFlag.accessMask) != OpenFlag.writeOnly) {
    result = file.node.operations.readNow(file, address, <u32>min(bytes, MOST_TRANSFER), file.offset, activity)
    if (result > 0) file.offset += result
  }
  dropFileLater(file)
  return result
}

export function writeNow(activity: Activity, process: Process, descriptor: u64, address: u64, bytes: u64): i64 {
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  let result: i64 = -Errno.EBADF
  if ((file.flags & OpenFlag.accessMask) != OpenFlag.readOnly) {
    const offset = file.flags & OpenFlag.append ? file.node.size : file.offset
    result = file.node.operations.writeNow(file, address, <u32>min(bytes, MOST_TRANSFER), offset, activity)
    if (result > 0) file.offset = offset + result
  }
  dropFileLater(file)
  return result
}

/** pread, or pwrite when `out`, of what is at hand. */
export function transferNow(activity: Activity, process: Process, descriptor: u64, address: u64, bytes: u64, offset: u64, out: bool): i64 {
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  let result: i64 = PENDING
  const count = <u32>min(bytes, MOST_TRANSFER)
  const access = file.flags & OpenFlag.accessMask
  if (file.node.type == FileType.regular && <i64>offset >= 0 && access != (out ? OpenFlag.readOnly : OpenFlag.writeOnly)) {
    const operations = file.node.operations
    result = out ? operations.writeNow(file, address, count, offset, activity) : operations.readNow(file, address, count, offset, activity)
  }
  dropFileLater(file)
  return result
}

export async function read(activity: Activity, process: Process, descriptor: u64, address: u64, bytes: u64): Promise<i64> {
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  let result: i64 = -Errno.EBADF
  if ((file.flags & OpenFlag.accessMask) != OpenFlag.writeOnly) {
    result = await file.node.operations.read(file, address, <u32>min(bytes, MOST_TRANSFER), file.offset, activity)
    if (result > 0) file.offset += result
  }
  if (isLastReference(file)) await finishFile(file, activity)
  return result
}

export async function write(activity: Activity, process: Process, descriptor: u64, address: u64, bytes: u64): Promise<i64> {
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  let result: i64 = -Errno.EBADF
  if ((file.flags & OpenFlag.accessMask) != OpenFlag.readOnly) {
    const offset = file.flags & OpenFlag.append ? file.node.size : file.offset
    result = await file.node.operations.write(file, address, <u32>min(bytes, MOST_TRANSFER), offset, activity)
    if (result > 0) file.offset = offset + result
  }
  if (isLastReference(file)) await finishFile(file, activity)
  return result
}

export async function readAt(activity: Activity, process: Process, descriptor: u64, address: u64, bytes: u64, offset: u64): Promise<i64> {
  if (<i64>offset < 0) return -Errno.EINVAL
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  let result: i64 = -Errno.EBADF
  if (file.node.type == FileType.fifo || file.node.type == FileType.characterDevice) result = -Errno.ESPIPE
  else if ((file.flags & OpenFlag.accessMask) != OpenFlag.writeOnly)
    result = await file.node.operations.read(file, address, <u32>min(bytes, MOST_TRANSFER), offset, activity)
  if (isLastReference(file)) await finishFile(file, activity)
  return result
}

export async function writeAt(activity: Activity, process: Process, descriptor: u64, address: u64, bytes: u64, offset: u64): Promise<i64> {
  if (<i64>offset < 0) return -Errno.EINVAL
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  let result: i64 = -Errno.EBADF
  if (file.node.type == FileType.fifo || file.node.type == FileType.characterDevice) result = -Errno.ESPIPE
  else if ((file.flags & OpenFlag.accessMask) != OpenFlag.readOnly)
    result = await file.node.operations.write(file, address, <u32>min(bytes, MOST_TRANSFER), offset, activity)
  if (isLastReference(file)) await finishFile(file, activity)
  return result
}

/** readv, writev: pairs of address and length, at most 64; stops at the first short transfer. */
export async function vector(activity: Activity, process: Process, descriptor: u64, address: u64, count: u64, out: bool): Promise<i64> {
  if (count > 64) return -Errno.EINVAL
  const pairs = tryAllocate(<u32>count * 16 + 16)
  if (pairs == 0) return -Errno.ENOMEM
  let total: i64 = 0
  if (!copyIn(activity, pairs, address, <u32>count * 16)) total = -Errno.EFAULT
  for (let index: u32 = 0; index < <u32>count && total >= 0; index++) {
    const at = load<u64>(pairs + index * 16)
    const bytes = load<u64>(pairs + index * 16, 8)
    const result = out ? await write(activity, process, descriptor, at, bytes) : await read(activity, process, descriptor, at, bytes)
    if (result < 0) {
      if (total == 0) total = result
      break
    }
    total += result
    if (<u64>result < bytes) break
  }
  __release(pairs)
  return total
}

export async function open(activity: Activity, process: Process, directory: u64, address: u64, flags: u32): Promise<i64> {
  const text = copyText(activity, address, MOST_PATH)
  if (text < 0) return text
  const path = <usize>text
  const start = startOf(process, directory)
  if (start < 0) {
    __release(path)
    return start
  }
  const from = changetype<Node>(<usize>start)
  let result = await openNode(from, path, flags, activity)
  await dropNode(from, activity)
  __release(path)
  if (result < 0) return result
  const node = changetype<Node>(<usize>result)
  const access = flags & OpenFlag.accessMask
  let problem = 0
  if (access == 3) problem = Errno.EINVAL
  else if (isDirectory(node) && access != OpenFlag.readOnly) problem = Errno.EISDIR
  else if (flags & OpenFlag.directory && !isDirectory(node)) problem = Errno.ENOTDIR
  if (problem == 0 && flags & OpenFlag.truncate && access != OpenFlag.readOnly && node.type == FileType.regular)
    problem = -(<i32>(await node.operations.truncate(node, 0, activity)))
  let file: OpenFile | null = null
  if (problem == 0) file = makeFile(node, flags)
  if (file == null) {
    await dropNode(node, activity)
    return problem != 0 ? -problem : -Errno.ENOMEM
  }
  result = installFile(process, file, 0)
  if (result < 0) await dropFile(file, activity)
  return result
}

/** Finds the node of a path, or makes it; with a reference. */
async function openNode(from: Node, path: usize, flags: u32, activity: Activity): Promise<i64> {
  if ((flags & OpenFlag.create) == 0) return await findNode(from, path, activity)
  const place = changetype<Place>(tryCleared(PLACE_BYTES))
  if (changetype<usize>(place) == 0) return -Errno.ENOMEM
  let result = await findPlace(from, path, place, activity)
  // A path that names no file to make, such as "/": open what is there.
  if (result == -Errno.EBUSY) result = await findNode(from, path, activity)
  else if (result == 0) {
    const parent = place.directory
    if (place.wantsDirectory) result = -Errno.EISDIR
    else {
      result = await parent.operations.lookup(parent, place.name, place.length, activity)
      if (result == -Errno.ENOENT) {
        result = await parent.operations.make(parent, place.name, place.length, FileType.regular, activity)
        // Somebody else was faster.
        if (result == -Errno.EEXIST && (flags & OpenFlag.exclusive) == 0)
          result = await parent.operations.lookup(parent, place.name, place.length, activity)
      } else if (result > 0 && flags & OpenFlag.exclusive) {
        await dropNode(changetype<Node>(<usize>result), activity)
        result = -Errno.EEXIST
      } else if (result > 0) {
        const found = changetype<Node>(<usize>result)
        const mounted = found.mounted
        if (mounted != null) {
          result = <i64>changetype<usize>(holdNode(mounted))
          await dropNode(found, activity)
        }
      }
    }
    await dropNode(parent, activity)
  }
  __release(changetype<usize>(place))
  return result
}

export async function close(activity: Activity, process: Process, descriptor: u64): Promise<i64> {
  if (descriptor >= process.fileCapacity) return -Errno.EBADF
  const file = replaceFile(process, <u32>descriptor, null)
  if (file == 0) return -Errno.EBADF
  await dropFile(changetype<OpenFile>(<usize>file), activity)
  return 0
}

export function seek(process: Process, descriptor: u64, offset: i64, whence: u32): i64 {
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  const type = file.node.type
  let result: i64 = -Errno.EINVAL
  if (type == FileType.fifo || type == FileType.characterDevice) result = -Errno.ESPIPE
  else if (whence <= 2) {
    const target = (whence == 0 ? 0 : whence == 1 ? <i64>file.offset : <i64>file.node.size) + offset
    if (target >= 0) {
      file.offset = target
      result = target
    }
  }
  dropFileLater(file)
  return result
}

const STAT_BYTES: u32 = 128

/** struct stat of Linux for riscv64. */
function fillStat(block: usize, node: Node): void {
  store<u64>(block, 1)
  store<u64>(block, node.number, 8)
  store<u32>(block, node.type | (isDirectory(node) ? 0o755 : 0o644), 16)
  store<u32>(block, max(node.links, <u32>1), 20)
  store<u64>(block, node.size, 48)
  store<u32>(block, 4096, 56)
  store<u64>(block, (node.size + 511) / 512, 64)
  for (let field: u32 = 72; field <= 104; field += 16) {
    store<u64>(block + field, node.modified / 1000000000)
    store<u64>(block + field, node.modified % 1000000000, 8)
  }
}

function copyStat(activity: Activity, node: Node, address: u64): i64 {
  const block = tryCleared(STAT_BYTES)
  if (block == 0) return -Errno.ENOMEM
  fillStat(block, node)
  const fine = copyOut(activity, address, block, STAT_BYTES)
  __release(block)
  return fine ? 0 : -Errno.EFAULT
}

export async function stat(activity: Activity, process: Process, descriptor: u64, address: u64): Promise<i64> {
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  const result = copyStat(activity, file.node, address)
  await dropFile(file, activity)
  return result
}

export async function statAt(activity: Activity, process: Process, directory: u64, path: u64, address: u64): Promise<i64> {
  const text = copyText(activity, path, MOST_PATH)
  if (text < 0) return text
  const start = startOf(process, directory)
  let result = start
  if (start >= 0) {
    const from = changetype<Node>(<usize>start)
    result = await findNode(from, <usize>text, activity)
    await dropNode(from, activity)
  }
  __release(<usize>text)
  if (result < 0) return result
  const node = changetype<Node>(<usize>result)
  result = copyStat(activity, node, address)
  await dropNode(node, activity)
  return result
}

export async function sync(activity: Activity, process: Process, descriptor: u64): Promise<i64> {
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  const result = await file.node.operations.sync(file.node, activity)
  await dropFile(file, activity)
  return result
}

export async function truncate(activity: Activity, process: Process, descriptor: u64, size: u64): Promise<i64> {
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  let result: i64 = -Errno.EINVAL
  if (<i64>size >= 0 && (file.flags & OpenFlag.accessMask) != OpenFlag.readOnly && file.node.type == FileType.regular)
    result = await file.node.operations.truncate(file.node, size, activity)
  await dropFile(file, activity)
  return result
}

export async function pipe(activity: Activity, process: Process, address: u64, flags: u32): Promise<i64> {
  if (flags & ~(OpenFlag.nonBlocking | OpenFlag.closeOnExec)) return -Errno.EINVAL
  const ends = tryAllocate(16)
  if (ends == 0) return -Errno.ENOMEM
  if (!(await makePipe(ends, flags, activity))) {
    __release(ends)
    return -Errno.ENOMEM
  }
  const reader = changetype<OpenFile>(<usize>load<u32>(ends))
  const writer = changetype<OpenFile>(<usize>load<u32>(ends, 4))
  const first = installFile(process, reader, 0)
  const second = first < 0 ? first : installFile(process, writer, 0)
  store<u32>(ends, <u32>first)
  store<u32>(ends, <u32>second, 4)
  let result: i64 = second < 0 ? second : 0
  if (result == 0 && !copyOut(activity, address, ends, 8)) result = -Errno.EFAULT
  __release(ends)
  if (result < 0) {
    if (first >= 0) replaceFile(process, <u32>first, null)
    if (second >= 0) replaceFile(process, <u32>second, null)
    await dropFile(reader, activity)
    await dropFile(writer, activity)
  }
  return result
}

/** dup, and dup3 when `exact`. */
export async function duplicate(activity: Activity, process: Process, descriptor: u64, target: u64, exact: bool): Promise<i64> {
  if (exact && (target >= process.fileLimit || target == descriptor)) return target == descriptor ? -Errno.EINVAL : -Errno.EBADF
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  let result: i64 = <i64>target
  if (!exact) result = installFile(process, file, <u32>min<u64>(target, u32.MAX_VALUE))
  else {
    const old = replaceFile(process, <u32>target, file)
    if (old == 1) result = -Errno.EMFILE
    else if (old != 0) await dropFile(changetype<OpenFile>(<usize>old), activity)
  }
  if (result < 0) await dropFile(file, activity)
  return result
}

/** F_DUPFD 0, F_GETFD 1, F_SETFD 2, F_GETFL 3, F_SETFL 4, F_DUPFD_CLOEXEC 1030. Without exec, close-on-exec changes nothing. */
export async function control(activity: Activity, process: Process, descriptor: u64, command: u32, value: u64): Promise<i64> {
  if (command == 0 || command == 1030) return await duplicate(activity, process, descriptor, value, false)
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  let result: i64 = 0
  if (command == 3) result = file.flags
  else if (command == 4) file.flags = (file.flags & ~(OpenFlag.append | OpenFlag.nonBlocking)) | (<u32>value & (OpenFlag.append | OpenFlag.nonBlocking))
  else if (command != 1 && command != 2) result = -Errno.EINVAL
  await dropFile(file, activity)
  return result
}

export async function deviceControl(activity: Activity, process: Process, descriptor: u64, request: u32, value: u64): Promise<i64> {
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  const result = await file.node.operations.control(file, request, value, activity)
  await dropFile(file, activity)
  return result
}

/** ppoll: entries {descriptor i32, events i16, revents i16}; a timespec, or 0 to wait for ever. At most 256 entries. */
export async function poll(activity: Activity, process: Process, address: u64, count: u64, timeout: u64): Promise<i64> {
  if (count > 256) return -Errno.EINVAL
  const bytes = <u32>count * 8
  const entries = tryAllocate(bytes + 16)
  if (entries == 0) return -Errno.ENOMEM
  let deadline = u64.MAX_VALUE
  let result: i64 = 0
  if (!copyIn(activity, entries + 16, address, bytes)) result = -Errno.EFAULT
  else if (timeout != 0) {
    if (!copyIn(activity, entries, timeout, 16)) result = -Errno.EFAULT
    else deadline = cpu.time() + ticksOf(load<u64>(entries) * 1000000000 + load<u64>(entries, 8))
  }
  while (result == 0) {
    // Prepared before looking: what changes while we look wakes us.
    const parked = prepareTimedWait(pollers, activity, self(), deadline)
    for (let index: u32 = 0; index < <u32>count; index++) {
      const entry = entries + 16 + index * 8
      const bits = readiness(process, load<i32>(entry), load<u16>(entry, 4))
      store<u16>(entry, <u16>bits, 6)
      if (bits != 0) result++
    }
    if (result != 0 && parked) endOwnWait(activity)
    if (parked) park()
    finishTimer(activity)
    if (result != 0) break
    if (activity.reason == Wake.timeout) break
    if (activity.reason == Wake.cancelled) result = -Errno.EINTR
  }
  if (result > 0 || (result == 0 && count != 0)) if (!copyOut(activity, address, entries + 16, bytes)) result = -Errno.EFAULT
  __release(entries)
  return result
}

/** Takes the wait back that is not needed: the task is made ready, and parks for a moment only. */
function endOwnWait(activity: Activity): void {
  endWait(activity, Wake.event)
}

export function readiness(process: Process, descriptor: i32, wanted: u32): u32 {
  if (descriptor < 0) return 0
  const file = fileOf(process, <u64>descriptor)
  if (file == null) return Poll.invalid
  const bits = file.node.operations.poll(file) & (wanted | Poll.error | Poll.hangUp)
  dropFileLater(file)
  return bits
}
