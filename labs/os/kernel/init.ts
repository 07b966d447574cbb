// Owns the first process: the root file system, its devices, and the program that the boot arguments name.
import { Property, childOfRoot, property } from '../arch/device-tree'
import { FileType } from './abi'
import { consoleNode } from './dev/console'
import { thisHart } from './hart'
import { countFrames } from './mm/frames'
import { create, destroy, tryAllocate } from './mm/heap'
import { shutdown } from './power'
import { print, printLine, printNumber, printText, putCharacter } from './print'
import { Texts, spawnProgram } from './task/program'
import { Activity } from './task/task'
import { mountDisks } from './vfs/mount'
import { unpackArchive } from './vfs/archive'
import { memAdd, memNode, startMemfs } from './vfs/memfs'
import { Node, OpenFile, holdNode, makeFile } from './vfs/node'
import { rootNode, setRoot } from './vfs/path'
import { startPipes } from './vfs/pipe'

const DEFAULT = '/bin/sh'
const consoleCell = memory.data(8, 8)

/** Makes the root: from an initrd when there is one, else from the archive in the kernel. */
@init export function startRoot(embedded: u32, embeddedEnd: u32, initrd: u32, initrdEnd: u32): void {
  const root = startMemfs()
  setRoot(root)
  startPipes()
  const from = initrd != 0 ? initrd : embedded
  const to = initrd != 0 ? initrdEnd : embeddedEnd
  if (from < to && !unpackArchive(root, from, to)) printLine('kernel: the root archive is damaged')
  const devices = directory(root, 'dev')
  directory(root, 'tmp')
  const console = consoleNode()
  store<u32>(consoleCell, <u32>changetype<usize>(console))
  if (devices != null) add(devices, 'console', console)
}

/** A directory of the root by name, made when it is missing. */
export function directory(root: Node, name: string): Node | null {
  const node = memNode(FileType.directory)
  return node != null && add(root, name, node) ? node : null
}

/** Adds a node under an ASCII name. */
export function add(parent: Node, name: string, node: Node): bool {
  const text = tryAllocate(name.length + 1)
  for (let index = 0; index < name.length; index++) store<u8>(text + index, <u8>name.charCodeAt(index))
  return memAdd(parent, text, name.length, node)
}

/** Starts the first process: `init=PATH ARGUMENTS...` of the boot arguments (to their end), or /bin/sh. */
export async function startInit(): Promise<void> {
  const activity = create<Activity>()
  const args = create<Texts>()
  const environment = create<Texts>()
  const text = tryAllocate(1024)
  const files = tryAllocate(16)
  if (activity == null || args == null || environment == null || text == 0 || files == 0) throw new Error('no memory for the first process')
  // The tasks begun below are this activity's.
  thisHart().activity = <u32>changetype<usize>(activity)
  await mountDisks(activity)
  args.at = <u32>text
  bootArguments(args)
  const console = makeFile(holdNode(changetype<Node>(<usize>load<u32>(consoleCell))), 2)
  if (console == null) throw new Error('no memory for the first process')
  console.references = 3
  for (let index: u32 = 0; index < 3; index++) store<u32>(files + index * 4, <u32>changetype<usize>(console))
  const slash = tryAllocate(16)
  store<u16>(slash, 0x2f)
  const result = await spawnProgram(null, rootNode(), slash, text, args, environment, files, 3, countFrames(), activity)
  if (result < 0) {
    print('kernel: cannot start ')
    printText(text)
    print(': error ')
    printNumber(-result)
    putCharacter(10)
    shutdown(1)
  }
  destroy(args)
  destroy(environment)
}

/** Splits what follows init= at spaces. */
function bootArguments(args: Texts): void {
  const found = changetype<Property>(memory.data(16, 8))
  const chosen = childOfRoot('chosen')
  let from: usize = 0
  if (chosen != 0 && property(chosen, 'bootargs', found)) {
    for (let at = found.at; at + 5 < found.at + found.bytes; at++)
      if (load<u32>(at) == 0x74696e69 && load<u8>(at + 4) == 61) {
        from = at + 5
        break
      }
  }
  let bytes: u32 = 0
  if (from == 0) {
    for (let index = 0; index < DEFAULT.length; index++) store<u8>(args.at + bytes++, <u8>DEFAULT.charCodeAt(index))
    store<u8>(args.at + bytes++, 0)
    args.count = 1
  } else {
    let within = false
    for (; load<u8>(from) != 0 && bytes < 1000; from++) {
      const character = load<u8>(from)
      if (character == 32) {
        if (within) store<u8>(args.at + bytes++, 0)
        within = false
      } else {
        if (!within) args.count++
        within = true
        store<u8>(args.at + bytes++, character)
      }
    }
    store<u8>(args.at + bytes++, 0)
  }
  args.bytes = bytes
}
