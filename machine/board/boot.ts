/** Puts firmware, kernel, initial RAM disk and device tree into RAM and starts the harts, as a boot ROM would. */
import { DeviceTreeError, decodeDeviceTree } from './device-tree.ts'
import { LoadError, checkPlacements, loadProgram, type LoadedProgram, type Placement } from './loader.ts'
import type { Machine } from './machine.ts'
import type { VirtBoard } from './virt.ts'

export interface BootFile {
  /** For messages: the path as the user gave it. */
  readonly name: string
  readonly bytes: Uint8Array
}

export interface BootOptions {
  /** M-mode firmware at RAM's base; without it the kernel itself starts in M-mode. */
  readonly firmware?: BootFile
  readonly kernel?: BootFile
  readonly loads?: readonly { readonly file: BootFile; readonly address: number }[]
  readonly initrd?: BootFile
  readonly bootArguments?: string
  /** Instead of the generated device tree. */
  readonly deviceTree?: BootFile
}

export interface BootResult {
  /** The program whose symbols describe the run: the kernel's, or else the firmware's. */
  readonly program: LoadedProgram
  readonly deviceTreeAddress: number
}

/** Where firmware hands over to an S-mode payload. */
export const PAYLOAD_OFFSET = 0x20_0000
const MEBIBYTE2 = 0x20_0000

/** fw_dynamic's description of the next stage (OpenSBI, docs/firmware/fw_dynamic.md): six doublewords in a2. */
const FW_DYNAMIC_MAGIC = 0x4942534fn
const FW_DYNAMIC_VERSION = 2n
const NEXT_MODE_SUPERVISOR = 1n

/** True when a kernel does not start in M-mode at RAM's base. @throws LoadError when it cannot be read. */
export function needsFirmware(kernel: BootFile, ramBase: number): boolean {
  const { entry, supervisor } = loadProgram(kernel.name, kernel.bytes, ramBase)
  return supervisor === true || entry !== ramBase
}

/** @throws LoadError when a file cannot be used. */
export function boot(board: VirtBoard, options: BootOptions): BootResult {
  const { machine } = board
  const { ramBase, ramSize } = machine.options
  const firmware = options.firmware && loadProgram(options.firmware.name, options.firmware.bytes, ramBase)
  const kernel = options.kernel && loadProgram(options.kernel.name, options.kernel.bytes, firmware ? ramBase + PAYLOAD_OFFSET : ramBase)
  const first = firmware ?? kernel
  if (!first) throw new LoadError('nothing to boot: give a kernel, or firmware with --bios FILE')

  const placements: Placement[] = [...(firmware?.placements ?? []), ...(kernel?.placements ?? [])]
  for (const { file, address } of options.loads ?? []) {
    placements.push({ address, bytes: file.bytes, size: file.bytes.length, name: file.name })
  }

  // From the top of RAM down: device tree, hand-over block, initial RAM disk.
  const ramEnd = ramBase + ramSize
  const programEnd = Math.max(...placements.map(({ address, size }) => address + size), ramBase)
  const below = (limit: number, size: number) => {
    const aligned = Math.floor((limit - size) / MEBIBYTE2) * MEBIBYTE2
    return aligned >= programEnd ? aligned : Math.floor((limit - size) / 4096) * 4096
  }
  const treeRoom = 0x1_0000
  const treeAddress = below(ramEnd, treeRoom + 4096)
  const handOver = treeAddress + treeRoom
  let initrd: { start: number; end: number } | undefined
  if (options.initrd) {
    const start = below(treeAddress, options.initrd.bytes.length)
    initrd = { start, end: start + options.initrd.bytes.length }
    placements.push({ address: start, bytes: options.initrd.bytes, size: options.initrd.bytes.length, name: options.initrd.name })
  }
  const tree = options.deviceTree ? checkedTree(options.deviceTree) : board.deviceTree({ bootArguments: options.bootArguments, initrd })
  if (tree.length > treeRoom) throw new LoadError(`${options.deviceTree?.name ?? 'device tree'}: larger than ${treeRoom} bytes`)
  const treeName = options.deviceTree?.name ?? 'the device tree'
  placements.push({ address: treeAddress, bytes: tree, size: treeRoom, name: treeName })
  const next = kernel?.entry ?? ramBase + PAYLOAD_OFFSET
  placements.push({ address: handOver, bytes: dynamicInfo(next), size: 4096, name: 'the hand-over block' })

  checkPlacements(placements, ramBase, ramSize)
  machine.place(placements)
  for (let hart = 0; hart < machine.options.harts; hart++) {
    machine.core.setPc(hart, BigInt(first.entry))
    machine.core.setRegister(hart, 10, BigInt(hart))
    machine.core.setRegister(hart, 11, BigInt(treeAddress))
    machine.core.setRegister(hart, 12, BigInt(handOver))
  }
  const program = kernel ?? first
  serveHtif(machine, program)
  return { program, deviceTreeAddress: treeAddress }
}

function checkedTree(file: BootFile): Uint8Array {
  try {
    decodeDeviceTree(file.bytes)
    return file.bytes
  } catch (error) {
    if (error instanceof DeviceTreeError) throw new LoadError(`${file.name}: ${error.message}`)
    throw error
  }
}

export function dynamicInfo(nextAddress: number): Uint8Array {
  const fields = [FW_DYNAMIC_MAGIC, FW_DYNAMIC_VERSION, BigInt(nextAddress), NEXT_MODE_SUPERVISOR, 0n, 0n]
  const bytes = new Uint8Array(fields.length * 8)
  const view = new DataView(bytes.buffer)
  fields.forEach((value, index) => view.setBigUint64(index * 8, value, true))
  return bytes
}

/** Programs of the riscv-tests kind talk to the host through two symbols. */
export function serveHtif(machine: Machine, program: LoadedProgram): void {
  const symbol = (name: string) => program.elf?.symbols.find((candidate) => candidate.name === name && candidate.section !== undefined)
  const tohost = symbol('tohost')
  const fromhost = symbol('fromhost')
  if (tohost) machine.enableHtif(physical(program, tohost.value), fromhost && physical(program, fromhost.value))
}

/** Physical address of something in a program that may be linked elsewhere than it is loaded. */
function physical(program: LoadedProgram, address: bigint): number {
  for (const segment of program.elf?.segments ?? []) {
    if (address >= segment.vaddr && address < segment.vaddr + BigInt(segment.memorySize)) {
      return Number(address - segment.vaddr + segment.paddr)
    }
  }
  return Number(address)
}
