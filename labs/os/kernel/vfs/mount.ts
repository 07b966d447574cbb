// Owns which disk's file system is where: the first at /mnt, the next at /mnt1, and so on, from before the first process on; and
// bringing all of them up to date.
import { BlockDevice, firstBlockDevice } from '../block/device'
import { openFat, startFat } from '../fat/operations'
import { FileType } from '../abi'
import { tryAllocate } from '../mm/heap'
import { printPair } from '../print'
import { Activity } from '../task/task'
import { memAdd, memNode } from './memfs'
import { Node, holdNode } from './node'
import { rootNode } from './path'

const PREFIX: u32 = 0x746e6d // mnt
const MOST_MOUNTS: u32 = 8
/** Their root nodes. */
const mounts = memory.data(32, 8)

export async function mountDisks(activity: Activity): Promise<void> {
  startFat()
  let index: u32 = 0
  let next = firstBlockDevice()
  while (next != null && index < MOST_MOUNTS) {
    const device = next
    next = device.next
    const result = await openFat(device, activity)
    if (result > 0) mount(changetype<Node>(<usize>result), index)
    else printPair('kernel: no FAT32 file system on disk ', index, '')
    index++
  }
}

function mount(root: Node, index: u32): void {
  const place = memNode(FileType.directory)
  const name = tryAllocate(8)
  if (place == null || name == 0) return
  store<u32>(name, PREFIX)
  store<u8>(name, <u8>(48 + index), 3)
  if (!memAdd(rootNode(), name, index == 0 ? 3 : 4, place)) return
  place.mounted = root
  root.parent = holdNode(rootNode())
  store<u32>(mounts + index * 4, <u32>changetype<usize>(root))
}

/** Everything that was written is on the disks at the return; 0 or the last error as -errno. */
export async function syncDisks(activity: Activity): Promise<i64> {
  let result: i64 = 0
  for (let index: u32 = 0; index < MOST_MOUNTS; index++) {
    const root = changetype<Node | null>(<usize>load<u32>(mounts + index * 4))
    if (root == null) continue
    const status = await root.operations.sync(root, activity)
    if (status < 0) result = status
  }
  return result
}
