// Owns finding nodes by path: components one by one, across mounts, "." and "..". Texts are kernel copies.
import { Errno } from '../abi'
import { Activity } from '../task/task'
import { Node, dropNode, holdNode, isDirectory } from './node'

const SLASH: u8 = 47
const DOT: u8 = 46
const MOST_NAME: u32 = 255

/** Where a path's last component is to be found. */
@unmanaged export class Place {
  /** Held by whoever asked. */
  directory: Node
  name: usize
  length: u32
  /** The path ends in a slash, "." or "..": it can only be a directory. */
  wantsDirectory: u32
}
export const PLACE_BYTES: u32 = 16

const rootCell = memory.data(8, 8)

@init export function setRoot(root: Node): void {
  store<u32>(rootCell, <u32>changetype<usize>(root))
}

export function rootNode(): Node {
  return changetype<Node>(<usize>load<u32>(rootCell))
}

@inline function covered(node: Node): Node {
  const mounted = node.mounted
  return mounted == null ? node : mounted
}

/** Goes one step: gives the node with a reference, having given back that of `from`. */
async function step(from: Node, name: usize, length: u32, activity: Activity): Promise<i64> {
  let result: i64
  if (!isDirectory(from)) result = -Errno.ENOTDIR
  else if (length == 1 && load<u8>(name) == DOT) return <i64>changetype<usize>(from)
  else if (length == 2 && load<u8>(name) == DOT && load<u8>(name + 1) == DOT) {
    const parent = from.parent
    result = <i64>changetype<usize>(holdNode(parent == null ? from : parent))
  } else if (length > MOST_NAME) result = -Errno.ENAMETOOLONG
  else {
    result = await from.operations.lookup(from, name, length, activity)
    if (result > 0) {
      const node = changetype<Node>(<usize>result)
      const mounted = node.mounted
      if (mounted != null) {
        result = <i64>changetype<usize>(holdNode(covered(node)))
        await dropNode(node, activity)
      }
    }
  }
  await dropNode(from, activity)
  return result
}

/** The node of a path, with a reference, or -errno. Relative paths begin at `start`. */
export async function findNode(start: Node, path: usize, activity: Activity): Promise<i64> {
  if (load<u8>(path) == 0) return -Errno.ENOENT
  let node = holdNode(load<u8>(path) == SLASH ? rootNode() : start)
  let at = path
  for (;;) {
    while (load<u8>(at) == SLASH) at++
    if (load<u8>(at) == 0) break
    const begin = at
    while (load<u8>(at) != 0 && load<u8>(at) != SLASH) at++
    const result = await step(node, begin, <u32>(at - begin), activity)
    if (result < 0) return result
    node = changetype<Node>(<usize>result)
  }
  if (load<u8>(at - 1) == SLASH && !isDirectory(node)) {
    await dropNode(node, activity)
    return -Errno.ENOTDIR
  }
  return <i64>changetype<usize>(node)
}

/** The directory of a path's last component, with a reference, and that component; 0 or -errno. Paths without one give EBUSY. */
export async function findPlace(start: Node, path: usize, place: Place, activity: Activity): Promise<i64> {
  if (load<u8>(path) == 0) return -Errno.ENOENT
  let node = holdNode(load<u8>(path) == SLASH ? rootNode() : start)
  let at = path
  for (;;) {
    while (load<u8>(at) == SLASH) at++
    const begin = at
    while (load<u8>(at) != 0 && load<u8>(at) != SLASH) at++
    const length = <u32>(at - begin)
    let rest = at
    while (load<u8>(rest) == SLASH) rest++
    if (load<u8>(rest) == 0) {
      const dots = (length == 1 && load<u8>(begin) == DOT) || (length == 2 && load<u8>(begin) == DOT && load<u8>(begin + 1) == DOT)
      let problem = 0
      if (length == 0 || dots) problem = Errno.EBUSY
      else if (length > MOST_NAME) problem = Errno.ENAMETOOLONG
      else if (!isDirectory(node)) problem = Errno.ENOTDIR
      if (problem != 0) {
        await dropNode(node, activity)
        return -problem
      }
      place.directory = node
      place.name = begin
      place.length = length
      place.wantsDirectory = rest != at ? 1 : 0
      return 0
    }
    const result = await step(node, begin, length, activity)
    if (result < 0) return result
    node = changetype<Node>(<usize>result)
  }
  return -Errno.ENOENT
}

/** Joins a working directory's text and a path into a clean absolute path of at most `most` bytes; its length, or 0 when it is too long. */
export function joinPath(base: usize, path: usize, into: usize, most: u32): u32 {
  let length: u32 = 0
  store<u8>(into, SLASH)
  for (let round = 0; round < 2; round++) {
    let at = round == 0 ? base : path
    if (round == 1 && load<u8>(path) == SLASH) length = 0
    for (;;) {
      while (load<u8>(at) == SLASH) at++
      if (load<u8>(at) == 0) break
      const begin = at
      while (load<u8>(at) != 0 && load<u8>(at) != SLASH) at++
      const part = <u32>(at - begin)
      if (part == 1 && load<u8>(begin) == DOT) continue
      if (part == 2 && load<u8>(begin) == DOT && load<u8>(begin + 1) == DOT) {
        while (length > 0 && load<u8>(into + --length) != SLASH) {}
        continue
      }
      if (length + 1 + part > most) return 0
      store<u8>(into + length, SLASH)
      memory.copy(into + length + 1, begin, part)
      length += 1 + part
    }
  }
  if (length == 0) length = 1
  store<u8>(into + length, 0)
  return length
}
