/**
 * Puts programs into the K210's memory and starts both harts at its base, as the boot ROM does with what it finds in flash.
 * Firmware lies at the base and its payload 128 KiB above, where images for RustSBI carry it.
 */
import { LoadError, checkPlacements, loadProgram, type LoadedProgram, type Placement } from './loader.ts'
import { dynamicInfo, serveHtif, type BootFile } from './boot.ts'
import { encodeDeviceTree } from './device-tree.ts'
import { k210DeviceTree } from './k210-device-tree.ts'
import type { K210Board } from './k210.ts'

export interface K210BootOptions {
  /** M-mode firmware; without it the kernel itself starts in M-mode. */
  readonly firmware?: BootFile
  readonly kernel?: BootFile
  readonly loads?: readonly { readonly file: BootFile; readonly address: number }[]
}

/** The boot ROM's stacks: images exist that push before they set up their own. At the top of the general memory, growing down. */
const ROM_STACK_OFFSET = 6 << 20
const ROM_STACK_BYTES = 0x1000

/** Below the stacks, at the end of the general memory. */
const TREE_OFFSET = ROM_STACK_OFFSET - 0x1_0000
const TREE_BYTES = 0x4000
const PAGE = 0x1000

/** From the start of memory to a payload. */
export const K210_PAYLOAD_OFFSET = 0x2_0000

/** @throws LoadError when a file cannot be used. */
export function bootK210(board: K210Board, options: K210BootOptions): { readonly program: LoadedProgram } {
  const { machine } = board
  const { ramBase, ramSize } = machine.options
  const firmware = options.firmware && loadProgram(options.firmware.name, options.firmware.bytes, ramBase)
  const kernelBase = firmware ? ramBase + K210_PAYLOAD_OFFSET : ramBase
  const kernel = options.kernel && loadProgram(options.kernel.name, options.kernel.bytes, kernelBase)
  const first = firmware ?? kernel
  if (!first) throw new LoadError('nothing to boot: give a kernel, or firmware with --bios FILE')
  const placements: Placement[] = [...(firmware?.placements ?? []), ...(kernel?.placements ?? [])]
  for (const { file, address } of options.loads ?? []) {
    placements.push({ address, bytes: file.bytes, size: file.bytes.length, name: file.name })
  }
  // The ROM passes nothing on; firmware gets what firmware expects: a device tree, and where its next stage is.
  const treeAddress = ramBase + TREE_OFFSET
  if (firmware) {
    const tree = encodeDeviceTree(
      k210DeviceTree({ harts: machine.options.harts, timebase: machine.timing.frequency / machine.options.cyclesPerTick }),
    )
    const next = dynamicInfo(kernel?.entry ?? kernelBase)
    placements.push({ address: treeAddress, bytes: tree, size: TREE_BYTES, name: 'the device tree' })
    placements.push({ address: treeAddress + TREE_BYTES, bytes: next, size: PAGE, name: 'the hand-over block' })
  }
  checkPlacements(placements, ramBase, ramSize)
  machine.place(placements)
  for (let hart = 0; hart < machine.options.harts; hart++) {
    machine.core.setPc(hart, BigInt(first.entry))
    machine.core.setRegister(hart, 2, BigInt(ramBase + ROM_STACK_OFFSET - hart * ROM_STACK_BYTES))
    machine.core.setRegister(hart, 10, BigInt(hart))
    if (firmware) {
      machine.core.setRegister(hart, 11, BigInt(treeAddress))
      machine.core.setRegister(hart, 12, BigInt(treeAddress + TREE_BYTES))
    }
  }
  const program = kernel ?? first
  serveHtif(machine, program)
  return { program }
}
