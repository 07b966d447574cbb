// Owns the calls about names: directories, the working directory, making, removing and renaming. Called from syscall/table.ts only.
import { Errno, FileType } from '../abi'
import { __release, tryAllocate, tryCleared } from '../mm/heap'
import { MOST_PATH, copyOut, copyText } from '../mm/user'
import { Process, fileOf } from '../task/process'
import { Activity } from '../task/task'
import { DIRECTORY_ENTRY_BYTES, DirectoryEntry, Node, dropFile, dropNode, entryName, isDirectory } from '../vfs/node'
import { PLACE_BYTES, Place, findNode, findPlace, joinPath } from '../vfs/path'
import { startOf } from './files'

/** The place of a user's path: an object to be given to dropPlace, or -errno. The path's text follows the place. */
async function placeOf(activity: Activity, process: Process, directory: u64, address: u64): Promise<i64> {
  const text = copyText(activity, address, MOST_PATH)
  if (text < 0) return text
  const start = startOf(process, directory)
  const block = tryCleared(PLACE_BYTES + 16)
  if (start < 0 || block == 0) {
    __release(<usize>text)
    __release(block)
    return start < 0 ? start : -Errno.ENOMEM
  }
  const from = changetype<Node>(<usize>start)
  const result = await findPlace(from, <usize>text, changetype<Place>(block), activity)
  await dropNode(from, activity)
  store<u32>(block, <u32>text, PLACE_BYTES)
  if (result == 0) return <i64>block
  __release(<usize>text)
  __release(block)
  return result
}

async function dropPlace(place: Place, activity: Activity): Promise<void> {
  await dropNode(place.directory, activity)
  __release(load<u32>(changetype<usize>(place), PLACE_BYTES))
  __release(changetype<usize>(place))
}

export async function make(activity: Activity, process: Process, directory: u64, address: u64): Promise<i64> {
  let result = await placeOf(activity, process, directory, address)
  if (result < 0) return result == -Errno.EBUSY ? -Errno.EEXIST : result
  const place = changetype<Place>(<usize>result)
  const parent = place.directory
  result = await parent.operations.make(parent, place.name, place.length, FileType.directory, activity)
  await dropPlace(place, activity)
  if (result > 0) {
    await dropNode(changetype<Node>(<usize>result), activity)
    result = 0
  }
  return result
}

const AT_REMOVEDIR: u32 = 0x200

export async function remove(activity: Activity, process: Process, directory: u64, address: u64, flags: u32): Promise<i64> {
  if (flags & ~AT_REMOVEDIR) return -Errno.EINVAL
  let result = await placeOf(activity, process, directory, address)
  if (result < 0) return result
  const place = changetype<Place>(<usize>result)
  const parent = place.directory
  if (place.wantsDirectory && (flags & AT_REMOVEDIR) == 0) result = -Errno.ENOTDIR
  else result = await parent.operations.remove(parent, place.name, place.length, (flags & AT_REMOVEDIR) != 0, activity)
  await dropPlace(place, activity)
  return result
}

const RENAME_NOREPLACE: u64 = 1

export async function rename(activity: Activity, process: Process, fromDirectory: u64, fromPath: u64, toDirectory: u64, toPath: u64, flags: u64): Promise<i64> {
  if (flags & ~RENAME_NOREPLACE) return -Errno.EINVAL
  let result = await placeOf(activity, process, fromDirectory, fromPath)
  if (result < 0) return result
  const from = changetype<Place>(<usize>result)
  result = await placeOf(activity, process, toDirectory, toPath)
  if (result >= 0) {
    const to = changetype<Place>(<usize>result)
    const parent = from.directory
    result = 0
    if (parent.fileSystem != to.directory.fileSystem || changetype<usize>(parent.operations) != changetype<usize>(to.directory.operations)) result = -Errno.EXDEV
    else if (flags & RENAME_NOREPLACE) {
      result = await to.directory.operations.lookup(to.directory, to.name, to.length, activity)
      if (result > 0) {
        await dropNode(changetype<Node>(<usize>result), activity)
        result = -Errno.EEXIST
      } else if (result == -Errno.ENOENT) result = 0
    }
    if (result == 0) result = await parent.operations.rename(parent, from.name, from.length, to.directory, to.name, to.length, activity)
    await dropPlace(to, activity)
  }
  await dropPlace(from, activity)
  return result
}

/** getdents64: {inode u64, cursor u64, bytes u16, type u8, name}; the file's offset is the cursor. */
export async function list(activity: Activity, process: Process, descriptor: u64, address: u64, bytes: u64): Promise<i64> {
  const file = fileOf(process, descriptor)
  if (file == null) return -Errno.EBADF
  const entry = changetype<DirectoryEntry>(tryAllocate(DIRECTORY_ENTRY_BYTES + 24))
  let done: i64 = 0
  if (changetype<usize>(entry) == 0) done = -Errno.ENOMEM
  else if (!isDirectory(file.node)) done = -Errno.ENOTDIR
  else {
    // "." and ".." stand at cursors 0 and 1, what the file system lists from 3 on.
    while (done >= 0) {
      let next: i64
      const cursor = file.offset
      if (cursor < 2) {
        entry.type = FileType.directory
        entry.length = <u32>cursor + 1
        store<u32>(entryName(entry), 0x2e2e)
        const parent = file.node.parent
        entry.number = cursor == 0 || parent == null ? file.node.number : parent.number
        next = cursor == 0 ? 1 : 3
      } else next = await file.node.operations.list(file.node, cursor, entry, activity)
      if (next <= 0) {
        if (next < 0 && done == 0) done = next
        break
      }
      const size = (19 + entry.length + 1 + 7) & ~7
      if (<u64>done + size > bytes) {
        if (done == 0) done = -Errno.EINVAL
        break
      }
      if (!copyEntry(activity, address + done, entry, <u64>next, size)) {
        if (done == 0) done = -Errno.EFAULT
        break
      }
      done += size
      file.offset = next
    }
  }
  __release(changetype<usize>(entry))
  await dropFile(file, activity)
  return done
}

function copyEntry(activity: Activity, address: u64, entry: DirectoryEntry, cursor: u64, size: u32): bool {
  const block = tryCleared(288)
  if (block == 0) return false
  store<u64>(block, entry.number)
  store<u64>(block, cursor, 8)
  store<u16>(block, <u16>size, 16)
  // DT_* is the file type's upper bits.
  store<u8>(block, <u8>(entry.type >> 12), 18)
  memory.copy(block + 19, entryName(entry), entry.length)
  const fine = copyOut(activity, address, block, size)
  __release(block)
  return fine
}

export async function change(activity: Activity, process: Process, address: u64): Promise<i64> {
  const text = copyText(activity, address, MOST_PATH)
  if (text < 0) return text
  const joined = tryAllocate(MOST_PATH + 1)
  let result: i64 = -Errno.ENOMEM
  if (joined != 0) {
    const length = joinPath(process.directoryText, <usize>text, joined, MOST_PATH)
    result = length == 0 ? -Errno.ENAMETOOLONG : await findNode(process.directory, <usize>text, activity)
    if (result > 0) {
      const node = changetype<Node>(<usize>result)
      const copy = isDirectory(node) ? tryAllocate(length + 1) : 0
      if (copy == 0) {
        result = isDirectory(node) ? -Errno.ENOMEM : -Errno.ENOTDIR
        await dropNode(node, activity)
      } else {
        memory.copy(copy, joined, length + 1)
        process.lock.lock()
        const old = process.directory
        const oldText = process.directoryText
        process.directory = node
        process.directoryText = <u32>copy
        process.lock.unlock()
        __release(oldText)
        await dropNode(old, activity)
        result = 0
      }
    }
    __release(joined)
  }
  __release(<usize>text)
  return result
}

/** getcwd: the text with its zero; gives its length. */
export function current(activity: Activity, process: Process, address: u64, bytes: u64): i64 {
  let length: u32 = 1
  while (load<u8>(process.directoryText + length - 1) != 0) length++
  if (length > bytes) return -Errno.ERANGE
  return copyOut(activity, address, process.directoryText, length) ? <i64>length : -Errno.EFAULT
}
