// Owns making a process from a file: ELF64 for RISC-V (System V ABI, chapter 5), arguments on the stack as Linux puts them.
import { Access, Errno, FileType, User } from '../abi'
import { FRAME } from '../mm/frames'
import { __release, create, destroy, tryAllocate, tryCleared } from '../mm/heap'
import { AddressSpace, AreaFlag, addArea, areaAt, createSpace, destroySpace, touch } from '../mm/space'
import { copyOut } from '../mm/user'
import { mapVdso } from '../vdso'
import { Node, OpenFile, dropFile, dropNode, holdNode, makeFile } from '../vfs/node'
import { findNode } from '../vfs/path'
import { Process, addProcess, makeProcess, setName } from './process'
import { UserFrame, setRegister } from './frame'
import { Activity } from './task'
import { makeThread, startThread } from './thread'

/** Reserved for the first thread's stack; frames come when they are touched. */
const STACK_BYTES: u32 = 0x4_0000
const PAGE_SIZE: u64 = 6
const SYSINFO: u64 = 33

/** Texts of arguments or environment, one after the other, each ended by zero. */
@unmanaged export class Texts {
  count: u32
  bytes: u32
  at: u32
}

@unmanaged class Loading {
  entry: u64
  highest: u32
}

/** Makes a process of the program at a path and starts it: its number, or -errno. Files of the list are taken over only then. */
export async function spawnProgram(
  parent: Process | null,
  directory: Node,
  directoryText: usize,
  path: usize,
  args: Texts,
  environment: Texts,
  files: usize,
  fileCount: u32,
  frameLimit: u32,
  activity: Activity,
): Promise<i64> {
  const result = await findNode(directory, path, activity)
  if (result < 0) return result
  const node = changetype<Node>(<usize>result)
  const file = makeFile(node, 0)
  const kernel = create<Activity>()
  const space = createSpace(frameLimit)
  const loading = create<Loading>()
  let problem: i64 = 0
  if (file == null || kernel == null || space == null || loading == null) problem = -Errno.ENOMEM
  else if (node.type != FileType.regular) problem = -Errno.EACCES
  else problem = await loadElf(file, space, kernel, loading)
  if (problem == 0 && space != null && kernel != null && loading != null) {
    problem = start(parent, directory, directoryText, path, args, environment, files, fileCount, space, kernel, loading)
  }
  if (problem < 0 && space != null) destroySpace(space)
  if (loading != null) destroy(loading)
  if (file != null) await dropFile(file, activity)
  else await dropNode(node, activity)
  if (kernel != null) destroy(kernel)
  return problem
}

function start(
  parent: Process | null,
  directory: Node,
  directoryText: usize,
  path: usize,
  args: Texts,
  environment: Texts,
  files: usize,
  fileCount: u32,
  space: AddressSpace,
  kernel: Activity,
  loading: Loading,
): i64 {
  space.breakStart = (loading.highest + 2 * FRAME - 1) & ~(FRAME - 1)
  space.breakEnd = space.breakStart
  if (!addArea(space, User.stackTop - STACK_BYTES, User.stackTop, AreaFlag.read | AreaFlag.write) || !mapVdso(space)) return -Errno.ENOMEM
  const stack = writeStack(space, kernel, args, environment)
  if (stack == 0) return -Errno.E2BIG
  const process = makeProcess(parent, space)
  if (process == null) return -Errno.ENOMEM
  setName(process, path)
  const thread = makeThread(process, loading.entry, stack)
  const text = tryAllocate(lengthOf(directoryText) + 1)
  if (thread == null || text == 0) {
    if (thread != null) {
      __release(thread.frame)
      destroy(thread.activity)
      destroy(thread)
    }
    __release(text)
    __release(process.files)
    destroy(process)
    return -Errno.ENOMEM
  }
  memory.copy(text, directoryText, lengthOf(directoryText) + 1)
  process.directoryText = <u32>text
  process.directory = holdNode(directory)
  // The files of the list become the process' own; the caller has taken a reference for each.
  for (let index: u32 = 0; index < fileCount; index++) store<u32>(process.files + index * 4, load<u32>(files + index * 4))
  const frame = thread.frame
  setRegister(frame, UserFrame.a0, args.count)
  setRegister(frame, UserFrame.a1, <u64>stack + 8)
  setRegister(frame, UserFrame.a2, <u64>stack + 16 + args.count * 8)
  addProcess(process, parent)
  const pid = process.pid
  startThread(thread)
  return pid
}

function lengthOf(text: usize): u32 {
  let count: u32 = 0
  while (load<u8>(text + count) != 0) count++
  return count
}

// The stack at the start, from sp up (System V ABI, "Process Initialization"): argc, pointers to the arguments, 0, pointers to the
// environment, 0, pairs of the auxiliary vector, their texts. sp is a multiple of 16.
function writeStack(space: AddressSpace, kernel: Activity, args: Texts, environment: Texts): u32 {
  const pointers = 1 + args.count + 1 + environment.count + 1 + 6
  const texts = User.stackTop - ((args.bytes + environment.bytes + 15) & ~15)
  const sp = (texts - pointers * 8) & ~15
  if (User.stackTop - sp > STACK_BYTES / 2) return 0
  const bytes = User.stackTop - sp
  const block = tryCleared(bytes)
  if (block == 0) return 0
  let at = block
  store<u64>(at, args.count)
  at = pointTo(args, at + 8, block, sp, texts)
  at = pointTo(environment, at, block, sp, texts + args.bytes)
  store<u64>(at, PAGE_SIZE)
  store<u64>(at, FRAME, 8)
  store<u64>(at, SYSINFO, 16)
  store<u64>(at, User.vdsoCode, 24)
  kernel.space = <u32>changetype<usize>(space)
  kernel.access = <u8>Access.translate
  const fine = copyOut(kernel, sp, block, bytes)
  kernel.space = 0
  __release(block)
  return fine ? sp : 0
}

/** Copies texts behind and their addresses in front; gives where the next pointer goes. */
function pointTo(texts: Texts, at: usize, block: usize, sp: u32, address: u32): usize {
  memory.copy(block + (address - sp), texts.at, texts.bytes)
  let offset: u32 = 0
  for (let index: u32 = 0; index < texts.count; index++) {
    store<u64>(at, address + offset)
    at += 8
    offset += lengthOf(<usize>texts.at + offset) + 1
  }
  store<u64>(at, 0)
  return at + 8
}

const ELF_HEADER: u32 = 64
const PROGRAM_HEADER: u32 = 56

async function readExactly(file: OpenFile, to: usize, bytes: u32, offset: u64, kernel: Activity): Promise<bool> {
  let done: u32 = 0
  while (done < bytes) {
    const count = await file.node.operations.read(file, to + done, bytes - done, offset + done, kernel)
    if (count <= 0) return false
    done += <u32>count
  }
  return true
}

/** Maps the loadable segments; 0 or -errno. What the file does not say in full is refused, never guessed. */
async function loadElf(file: OpenFile, space: AddressSpace, kernel: Activity, loading: Loading): Promise<i64> {
  const header = tryAllocate(ELF_HEADER + PROGRAM_HEADER)
  if (header == 0) return -Errno.ENOMEM
  let problem: i64 = 0
  if (!(await readExactly(file, header, ELF_HEADER, 0, kernel))) problem = -Errno.ENOEXEC
  // ELF, 64 bits, little-endian; executable, RISC-V.
  else if (load<u32>(header) != 0x464c457f || load<u16>(header, 4) != 0x0102 || load<u16>(header, 16) != 2 || load<u16>(header, 18) != 243)
    problem = -Errno.ENOEXEC
  const headers = load<u64>(header, 32)
  const count: u32 = load<u16>(header, 56)
  loading.entry = load<u64>(header, 24)
  if (problem == 0 && (load<u16>(header, 54) != PROGRAM_HEADER || count > 32)) problem = -Errno.ENOEXEC
  for (let index: u32 = 0; index < count && problem == 0; index++) {
    const entry = header + ELF_HEADER
    if (!(await readExactly(file, entry, PROGRAM_HEADER, headers + index * PROGRAM_HEADER, kernel))) problem = -Errno.ENOEXEC
    else if (load<u32>(entry) == 1) problem = await loadSegment(file, space, kernel, loading, entry)
  }
  if (problem == 0 && areaAt(space, <u32>loading.entry) == null) problem = -Errno.ENOEXEC
  __release(header)
  return problem
}

async function loadSegment(file: OpenFile, space: AddressSpace, kernel: Activity, loading: Loading, entry: usize): Promise<i64> {
  const bits = load<u32>(entry, 4)
  const offset = load<u64>(entry, 8)
  const address = load<u64>(entry, 16)
  const inFile = load<u64>(entry, 32)
  const inMemory = load<u64>(entry, 40)
  if (inMemory == 0) return 0
  if (inFile > inMemory || address < User.lowest || address > User.programEnd || inMemory > User.programEnd - address) return -Errno.ENOEXEC
  // PF_X 1, PF_W 2, PF_R 4
  const flags = (bits & 4 ? AreaFlag.read : 0) | (bits & 2 ? AreaFlag.write : 0) | (bits & 1 ? AreaFlag.execute : 0)
  const start = <u32>address & ~(FRAME - 1)
  const end = (<u32>address + <u32>inMemory + FRAME - 1) & ~(FRAME - 1)
  // A page that two segments share has the rights of the first.
  const from = areaAt(space, start) == null ? start : start + FRAME
  if (from < end && !addArea(space, from, end, flags)) return -Errno.ENOEXEC
  if (end > loading.highest) loading.highest = end
  const need = flags & AreaFlag.execute ? AreaFlag.execute : flags & AreaFlag.write ? AreaFlag.write : AreaFlag.read
  let at = <u32>address
  const fileEnd = <u32>address + <u32>inFile
  while (at < fileEnd) {
    const part = min(fileEnd - at, FRAME - (at & (FRAME - 1)))
    const page = touch(space, at & ~(FRAME - 1), need)
    if (page == 0) return -Errno.ENOMEM
    if (!(await readExactly(file, page + (at & (FRAME - 1)), part, offset + (at - <u32>address), kernel))) return -Errno.ENOEXEC
    at += part
  }
  return 0
}
