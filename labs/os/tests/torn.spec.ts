/**
 * A disk whose machine stops at any moment: writes that were not flushed may be lost in any combination. FAT32 must be repairable, and
 * what was synced before must be whole.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { BlockImage, BlockImageState } from '../../../machine/backend/block-image.ts'
import { ConsoleStream } from '../../../machine/backend/console.ts'
import { boot } from '../../../machine/board/boot.ts'
import { VirtBoard } from '../../../machine/board/virt.ts'
import { Random } from '../../../machine/device/random.ts'
import { testHartModule } from '../../../machine/testing/hart-module.ts'
import { describeWith, oracle } from '../../../machine/testing/oracles.ts'
import { createFatImage } from '../../../main/workbench/fat-image.ts'
import { loadFirmware } from '../../../main/workbench/firmware.ts'
import { buildTests } from '../../../main/workbench/guest-tests.ts'

const SECTOR = 512
const IMAGE_BYTES = 36 << 20
const ROUNDS = 60
const CRASHES = 30
/** Others than these: POLLEN_TORN_SEEDS=3,4,5. */
const SEEDS = process.env.POLLEN_TORN_SEEDS?.split(',').map(Number) ?? [1, 2]

interface Write {
  readonly sector: number
  readonly bytes: Uint8Array
}

/** A disk in memory that remembers what was written in which order, and where flushes were. */
class RecordingImage implements BlockImage {
  readonly readOnly = false
  readonly log: (Write | 'flush')[] = []
  private readonly bytes: Uint8Array

  constructor(
    readonly sectors: number,
    file: string,
  ) {
    this.bytes = readFileSync(file)
  }

  read(sector: number, count: number): Uint8Array {
    return this.bytes.slice(sector * SECTOR, (sector + count) * SECTOR)
  }

  write(sector: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, sector * SECTOR)
    this.log.push({ sector, bytes: bytes.slice() })
  }

  zero(sector: number, count: number): void {
    this.write(sector, new Uint8Array(count * SECTOR))
  }

  flush(): void {
    this.log.push('flush')
  }

  save(): BlockImageState {
    return {}
  }

  load(): void {}
}

interface Synced {
  readonly number: number
  readonly size: number
  /** Length of the log when the guest had said so. */
  readonly at: number
}

interface Run {
  readonly seed: number
  readonly log: readonly (Write | 'flush')[]
  readonly synced: readonly Synced[]
  readonly renamed: ReadonlySet<number>
  readonly deleted: ReadonlySet<number>
}

function contents({ number, size }: Synced): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, at) => (number * 31 + at * 7 + (at >> 8)) & 0xff))
}

function record(elf: Uint8Array, empty: string, seed: number, harts: number): Run {
  const image = new RecordingImage(IMAGE_BYTES / SECTOR, empty)
  const synced: Synced[] = []
  const renamed = new Set<number>()
  const deleted = new Set<number>()
  let line = ''
  const stream = new ConsoleStream((bytes) => {
    for (const character of Buffer.from(bytes).toString()) {
      if (character !== '\n') {
        line += character
        continue
      }
      const [, what, number, size] = /^(synced|renaming|deleting|failed) +(\d+) +(\d+)/.exec(line) ?? []
      if (what === 'failed') throw new Error(line)
      if (what === 'synced') synced.push({ number: Number(number), size: Number(size), at: image.log.length })
      if (what === 'renaming') renamed.add(Number(number))
      if (what === 'deleting') deleted.add(Number(number))
      line = ''
    }
  })
  const board = new VirtBoard({ hartModule: testHartModule(), harts, ramSize: 64 << 20, console: stream, disks: [image] })
  boot(board, { firmware: loadFirmware(), kernel: { name: 'os', bytes: elf }, bootArguments: `init=/bin/torn ${seed} ${ROUNDS}` })
  for (;;) {
    const result = board.machine.run(board.machine.now + 1_000_000)
    if (result.kind === 'exit') board.uart.drain()
    stream.flush()
    if (result.kind === 'exit') {
      expect(result.status).toBe(0)
      return { seed, log: image.log, synced, renamed, deleted }
    }
    if (result.kind === 'idle' || board.machine.seconds > 600) throw new Error(`the guest did not end: ${result.kind}`)
  }
}

describeWith(['fsck.fat', 'mcopy'], 'a disk whose machine stops at any moment', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pollen-torn-'))
  const empty = path.join(folder, 'empty.img')
  let elf: Uint8Array
  beforeAll(async () => {
    createFatImage(empty, IMAGE_BYTES)
    const built = await buildTests(path.join(import.meta.dirname, '..'))
    expect(built.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
    elf = built.elf!
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  /** The disk after the first `count` writes, of which those behind the last flush are there or not. */
  function crash(run: Run, count: number, random: Random, name: string): string {
    const image = path.join(folder, name)
    execFileSync('cp', ['--sparse=always', empty, image])
    const flushed = run.log.lastIndexOf('flush', Math.max(0, count - 1))
    const handle = openSync(image, 'r+')
    run.log.slice(0, count).forEach((entry, index) => {
      if (entry === 'flush' || (index > flushed && random.bytes(1)[0] < 128)) return
      writeSync(handle, entry.bytes, 0, entry.bytes.length, entry.sector * SECTOR)
    })
    closeSync(handle)
    return image
  }

  it.each(SEEDS)('can be repaired, and keeps what was synced (seed %i)', (seed) => {
    const run = record(elf, empty, seed, seed % 2 === 0 ? 2 : 1)
    expect(run.synced.length).toBeGreaterThan(10)
    const random = new Random(BigInt(seed))
    for (let index = 0; index <= CRASHES; index++) {
      const { length } = run.log
      const count = index === CRASHES ? length : new DataView(random.bytes(4).buffer).getUint32(0) % length
      const image = crash(run, count, random, `crash-${seed}.img`)
      const where = `seed ${seed}, crash after ${count} of ${length} writes`
      const repair = spawnSync(oracle('fsck.fat'), ['-a', image], { encoding: 'utf8' })
      if (index === CRASHES && repair.status !== 0)
        throw new Error(`${where}: not clean
${repair.stdout}`)
      const again = spawnSync(oracle('fsck.fat'), ['-n', image], { encoding: 'utf8' })
      if (again.status !== 0)
        throw new Error(`${where}: not repaired
${repair.stdout}
${again.stdout}`)
      const files = path.join(folder, 'files')
      rmSync(files, { recursive: true, force: true })
      mkdirSync(files)
      spawnSync(oracle('mcopy'), ['-n', '-i', image, '::*', files])
      for (const file of run.synced.filter(({ at, number }) => at <= count && !run.deleted.has(number))) {
        const names = [`s${file.number}`, ...(run.renamed.has(file.number) ? [`renamed to a long name ${file.number}`] : [])]
        const found = names.map((name) => path.join(files, name)).filter((name) => existsSync(name))
        const whole = found.some((name) => readFileSync(name).equals(contents(file)))
        if (!whole)
          throw new Error(`${where}: ${names[0]} is not whole, under ${found.length} names
${repair.stdout}`)
      }
    }
  })
})
