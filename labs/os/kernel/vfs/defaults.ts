// Owns the answers of operations that a kind of file does not have. A file system begins with these and puts its own in.
import { Errno, Poll } from '../abi'
import { Activity } from '../task/task'
import { DirectoryEntry, Node, NodeOperations, OpenFile, PENDING } from './node'

async function noLookup(directory: Node, name: usize, length: u32, activity: Activity): Promise<i64> {
  return -Errno.ENOTDIR
}
async function noMake(directory: Node, name: usize, length: u32, type: u32, activity: Activity): Promise<i64> {
  return -Errno.EROFS
}
async function noRemove(directory: Node, name: usize, length: u32, wantDirectory: bool, activity: Activity): Promise<i64> {
  return -Errno.EROFS
}
async function noRename(
  from: Node,
  name: usize,
  length: u32,
  to: Node,
  newName: usize,
  newLength: u32,
  activity: Activity,
): Promise<i64> {
  return -Errno.EROFS
}
async function noList(directory: Node, cursor: u64, entry: DirectoryEntry, activity: Activity): Promise<i64> {
  return -Errno.ENOTDIR
}
async function noTransfer(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): Promise<i64> {
  return -Errno.EINVAL
}
function notNow(file: OpenFile, address: u64, bytes: u32, offset: u64, activity: Activity): i64 {
  return PENDING
}
async function noTruncate(node: Node, size: u64, activity: Activity): Promise<i64> {
  return -Errno.EINVAL
}
async function nothing(node: Node, activity: Activity): Promise<i64> {
  return 0
}
function always(file: OpenFile): u32 {
  return Poll.readable | Poll.writable
}
function noClose(file: OpenFile): void {}
async function noControl(file: OpenFile, request: u32, argument: u64, activity: Activity): Promise<i64> {
  return -Errno.ENOTTY
}

/** Fills a table in. */
export function setDefaults(operations: NodeOperations): void {
  operations.lookup = noLookup
  operations.make = noMake
  operations.remove = noRemove
  operations.rename = noRename
  operations.list = noList
  operations.read = noTransfer
  operations.write = noTransfer
  operations.readNow = notNow
  operations.writeNow = notNow
  operations.truncate = noTruncate
  operations.sync = nothing
  operations.poll = always
  operations.release = nothing
  operations.close = noClose
  operations.control = noControl
}
