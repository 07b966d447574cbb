/** Builds an operating system with its tests, boots it on our board or on QEMU, and reads what the tests say. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ConsoleStream } from '../../machine/backend/console.ts'
import { openDiskImage } from '../../machine/backend/disk-image.ts'
import { boot } from '../../machine/board/boot.ts'
import { VirtBoard } from '../../machine/board/virt.ts'
import { buildImage, type ImageResult, type ProgramConfiguration } from '../../machine/toolchain/build.ts'
import { createFatImage } from './fat-image.ts'
import { loadFirmware } from './firmware.ts'
import { loadHartModule } from './hart-module.ts'
import { DiskProgramCache } from './program-cache.ts'
import { programFolder } from './program-folder.ts'
import { TapReader, type GuestTest } from './tap.ts'

export interface GuestTestOptions {
  readonly on: 'board' | 'qemu'
  readonly harts: number
  /** Only programs whose names contain it. */
  readonly pattern?: string
  /** Seconds: virtual ones on the board, real ones on QEMU. */
  readonly timeout: number
  readonly ramMiB?: number
  readonly onTest?: (test: GuestTest) => void
}

export interface GuestTestRun {
  readonly tests: readonly GuestTest[]
  /** Why the run is no success although no test failed. */
  readonly problem?: string
  readonly console: string
  /** The limit was reached. */
  readonly timedOut: boolean
}

/** The runner that the tests of an operating system bring with them. */
const RUNNER = '/test/run'
const DISK_BYTES = 40 << 20
const RAM_MIB = 64

/** The image with everything that tests need. */
export function buildTests(folder: string): Promise<ImageResult> {
  const configuration = JSON.parse(readFileSync(path.join(folder, 'pollen.json'), 'utf8')) as ProgramConfiguration
  return buildImage({ configuration, ...programFolder(folder), programs: new DiskProgramCache(folder), tests: true })
}

/** Runs the tests of an image that buildTests made. */
export async function runTests(elf: Uint8Array, options: GuestTestOptions): Promise<GuestTestRun> {
  const folder = mkdtempSync(path.join(tmpdir(), 'pollen-tests-'))
  try {
    const disk = path.join(folder, 'disk.img')
    createFatImage(disk, DISK_BYTES)
    const reader = new TapReader(options.onTest)
    const append = `init=${RUNNER}${options.pattern ? ` ${options.pattern}` : ''}`
    const { console, end } =
      options.on === 'qemu' ? await onQemu(elf, disk, folder, append, options, reader) : onBoard(elf, disk, append, options, reader)
    return { tests: reader.tests, problem: problemOf(reader, end), console, timedOut: end === 'limit' }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type End = number | 'limit' | 'idle'

function problemOf(reader: TapReader, end: End): string | undefined {
  if (end === 'limit') return 'the time limit came before the end of the tests'
  if (end === 'idle') return 'the guest waits for ever'
  if (!reader.ended) return `the machine ended with status ${end} before the tests did`
  if (reader.tests.length === 0) return 'no test ran'
  if (end !== 0 && reader.tests.every(({ ok }) => ok)) return `the machine ended with status ${end}`
  return undefined
}

/** Virtual seconds between two looks at the console. */
const SLICE = 0.05

function onBoard(
  elf: Uint8Array,
  disk: string,
  append: string,
  options: GuestTestOptions,
  reader: TapReader,
): { console: string; end: End } {
  let text = ''
  const decoder = new TextDecoder()
  const stream = new ConsoleStream((bytes) => {
    const piece = decoder.decode(bytes, { stream: true })
    text += piece
    reader.add(piece)
  })
  const image = openDiskImage(disk, { writeBack: false })
  try {
    const board = new VirtBoard({
      hartModule: loadHartModule(),
      harts: options.harts,
      ramSize: (options.ramMiB ?? RAM_MIB) << 20,
      console: stream,
      disks: [image],
    })
    boot(board, { firmware: loadFirmware(), kernel: { name: 'the operating system', bytes: elf }, bootArguments: append })
    const { machine } = board
    for (;;) {
      const result = machine.run(machine.now + SLICE * machine.timing.frequency)
      if (result.kind === 'exit') board.uart.drain()
      stream.flush()
      if (result.kind === 'exit') return { console: text, end: result.status }
      if (result.kind === 'idle') return { console: text, end: 'idle' }
      if (machine.seconds >= options.timeout) return { console: text, end: 'limit' }
    }
  } finally {
    image.close()
  }
}

function onQemu(
  elf: Uint8Array,
  disk: string,
  folder: string,
  append: string,
  options: GuestTestOptions,
  reader: TapReader,
): Promise<{ console: string; end: End }> {
  const kernel = path.join(folder, 'os.elf')
  writeFileSync(kernel, elf)
  const machine = [
    '-M',
    'virt',
    '-smp',
    String(options.harts),
    '-m',
    `${options.ramMiB ?? RAM_MIB}M`,
    '-display',
    'none',
    '-serial',
    'stdio',
  ]
  const drive = ['-drive', `file=${disk},if=none,format=raw,id=disk`, '-device', 'virtio-blk-device,drive=disk']
  const modern = ['-global', 'virtio-mmio.force-legacy=false']
  return new Promise((resolve, reject) => {
    const qemu = spawn('qemu-system-riscv64', [...machine, ...modern, ...drive, '-kernel', kernel, '-append', append], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    let late = false
    const clock = setTimeout(() => {
      late = true
      qemu.kill()
    }, options.timeout * 1000)
    qemu.stdout.setEncoding('utf8')
    qemu.stdout.on('data', (piece: string) => {
      text += piece
      reader.add(piece)
    })
    qemu.on('error', (error) => {
      clearTimeout(clock)
      reject(error)
    })
    qemu.on('close', (status) => {
      clearTimeout(clock)
      resolve({ console: text, end: late ? 'limit' : (status ?? 1) })
    })
  })
}
