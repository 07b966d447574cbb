// Owns the calls about a process' memory. Called from syscall/table.ts only.
import { Errno, User } from '../abi'
import { FRAME } from '../mm/frames'
import { AreaFlag, addArea, areaAt, fillBig, findHole, removeRange } from '../mm/space'
import { Process, fileOf } from '../task/process'
import { Activity } from '../task/task'
import { OpenFile, dropFile } from '../vfs/node'

const BIG: u32 = 0x20_0000
const MAP_SHARED: u32 = 1
const MAP_PRIVATE: u32 = 2
const MAP_FIXED: u32 = 0x10
const MAP_ANONYMOUS: u32 = 0x20
const MAP_HUGETLB: u32 = 0x40000
const MAP_KNOWN: u32 = MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_HUGETLB | 0x8000 | 0x4000 | 0x20000

/** brk: gives the end, the old one when the new one is not possible. */
export function setBreak(process: Process, address: u64): i64 {
  const space = process.space
  space.lock.lock()
  const old = space.breakEnd
  if (address >= space.breakStart && address <= User.programEnd) {
    const oldPage = (old + FRAME - 1) & ~(FRAME - 1)
    const newPage = (<u32>address + FRAME - 1) & ~(FRAME - 1)
    let fine = true
    if (newPage > oldPage) {
      // One area grows; the first time there is none.
      const area = oldPage > space.breakStart ? areaAt(space, oldPage - FRAME) : null
      if (area == null) fine = addArea(space, oldPage, newPage, AreaFlag.read | AreaFlag.write)
      else {
        const next = area.next
        fine = next == null || next.start >= newPage
        if (fine) area.end = newPage
      }
    } else if (newPage < oldPage) fine = removeRange(space, newPage, oldPage)
    if (fine) space.breakEnd = <u32>address
  }
  const result = space.breakEnd
  space.lock.unlock()
  return result
}

/** mmap: anonymous memory, in 2 MiB pages on demand; or a private copy of a part of a file. */
export async function map(
  activity: Activity,
  process: Process,
  address: u64,
  bytes: u64,
  protection: u32,
  flags: u32,
  descriptor: u64,
  offset: u64,
): Promise<i64> {
  if (bytes == 0 || bytes > User.mappingsEnd || protection & ~7 || flags & ~MAP_KNOWN) return -Errno.EINVAL
  // W^X: memory is never writable and executable at once.
  if ((protection & 6) == 6) return -Errno.EACCES
  const big = (flags & MAP_HUGETLB) != 0
  const unit = big ? BIG : FRAME
  const length = (<u32>bytes + unit - 1) & ~(unit - 1)
  const anonymous = (flags & MAP_ANONYMOUS) != 0
  if (!anonymous && (flags & MAP_SHARED || big || offset & (FRAME - 1))) return -Errno.EINVAL
  let file: OpenFile | null = null
  if (!anonymous) file = fileOf(process, descriptor)
  if (!anonymous && file == null) return -Errno.EBADF
  const space = process.space
  space.lock.lock()
  let at: u32 = 0
  let problem = Errno.ENOMEM
  if (flags & MAP_FIXED) {
    if (address & (unit - 1) || address < User.lowest || address + length > User.stackTop) problem = Errno.EINVAL
    else if (!removeRange(space, <u32>address, <u32>address + length)) problem = Errno.EBUSY
    else at = <u32>address
  } else at = findHole(space, length, User.mappings, User.mappingsEnd, unit)
  // Without any right it is a hole that nothing else gets.
  if (at != 0 && !addArea(space, at, at + length, protection | (big ? AreaFlag.big : 0))) at = 0
  if (at != 0 && big && !fillBig(space, at, at + length, protection)) {
    removeRange(space, at, at + length)
    at = 0
  }
  space.lock.unlock()
  if (file == null) return at == 0 ? -problem : <i64>at
  let result: i64 = at == 0 ? -problem : <i64>at
  if (at != 0) {
    if ((protection & AreaFlag.write) == 0) result = -Errno.EACCES
    let done: u32 = 0
    while (result > 0 && done < <u32>bytes) {
      const count = await file.node.operations.read(file, at + done, <u32>bytes - done, offset + done, activity)
      if (count < 0) result = count
      if (count <= 0) break
      done += <u32>count
    }
    if (result < 0) {
      space.lock.lock()
      removeRange(space, at, at + length)
      space.lock.unlock()
    }
  }
  await dropFile(file, activity)
  return result
}

export function unmap(process: Process, address: u64, bytes: u64): i64 {
  if (address & (FRAME - 1) || bytes == 0 || address < User.lowest || address >= User.rings || bytes > User.rings - address) return -Errno.EINVAL
  const space = process.space
  space.lock.lock()
  const fine = removeRange(space, <u32>address, (<u32>(address + bytes) + FRAME - 1) & ~(FRAME - 1))
  space.lock.unlock()
  return fine ? 0 : -Errno.EBUSY
}
