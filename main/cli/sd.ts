/** What the verbs of `pollen sd` do. Everything wrong is one line on stderr and status 125. */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { SECTOR_BYTES } from '../../machine/backend/block-image.ts'
import { FatError, FatVolume, type SectorStore } from '../../machine/backend/fat-volume.ts'
import { BAD_ARGUMENTS } from './exit-status.ts'

export interface CreateOptions {
  readonly size: number
  readonly mbr: boolean
  readonly force: boolean
}

export const create = (image: string, options: CreateOptions) => report(image, () => makeImage(image, options))
export const list = (image: string, where: string, json: boolean) => report(image, () => withVolume(image, false, listing(where, json)))
export const putFiles = (image: string, from: string, to: string) =>
  report(image, () => withVolume(image, true, (volume) => put(volume, from, onCard(to, from))))
export const getFiles = (image: string, from: string, to: string) =>
  report(image, () => withVolume(image, false, (volume) => get(volume, from, to)))

/** Runs a verb on an image. */
async function report(image: string, action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    const { code, message, path: file } = error as NodeJS.ErrnoException
    if (!(error instanceof FatError) && code === undefined) throw error
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'is a directory',
      EACCES: 'may not be used',
      EEXIST: 'exists already',
    }
    process.stderr.write(
      error instanceof FatError ? `pollen: ${image}: ${message}\n` : `pollen: ${file ?? image}: ${reasons[code!] ?? message}\n`,
    )
    process.exitCode = BAD_ARGUMENTS
  }
}

async function makeImage(image: string, { size, mbr, force }: CreateOptions): Promise<void> {
  if (!force && existsSync(image)) throw new FatError('the file exists already: use --force to make a new card of it')
  const descriptor = openSync(image, 'w+')
  try {
    ftruncateSync(descriptor, size)
    await FatVolume.format(new FileStore(descriptor, false), { partitioned: mbr })
  } catch (error) {
    unlinkSync(image)
    throw error
  } finally {
    closeSync(descriptor)
  }
}

function listing(where: string, json: boolean): (volume: FatVolume) => void {
  return (volume) => {
    const found = volume.find(where)
    if (!found) throw new FatError(`${where}: there is no such file or directory on the card`)
    const entries = found.directory ? volume.list(where) : [found]
    if (json) process.stdout.write(JSON.stringify(entries, null, 2) + '\n')
    else
      for (const { name, directory, bytes } of entries)
        process.stdout.write(`${directory ? '-'.padStart(12) : String(bytes).padStart(12)}  ${name}${directory ? '/' : ''}\n`)
  }
}

/** The place on the card: a directory stands for a file of the same name in it. */
function onCard(to: string, from: string): string {
  return to.endsWith('/') ? to + path.basename(path.resolve(from)) : to
}

function put(volume: FatVolume, from: string, to: string): void {
  if (!statSync(from).isDirectory()) return volume.write(to, readFileSync(from))
  const there = volume.find(to)
  if (there && !there.directory) throw new FatError(`${to}: is a file on the card, and ${from} is a directory`)
  if (!there) volume.makeDirectory(to)
  for (const name of readdirSync(from).sort()) put(volume, path.join(from, name), `${to}/${name}`)
}

function get(volume: FatVolume, from: string, to: string): void {
  const found = volume.find(from)
  if (!found) throw new FatError(`${from}: there is no such file or directory on the card`)
  const target = found.name !== '/' && existsSync(to) && statSync(to).isDirectory() ? path.join(to, found.name) : to
  copyOut(volume, from, target, found.directory)
}

function copyOut(volume: FatVolume, from: string, to: string, directory: boolean): void {
  if (!directory) return writeFileSync(to, volume.read(from))
  mkdirSync(to, { recursive: true })
  for (const entry of volume.list(from)) copyOut(volume, `${from}/${entry.name}`, path.join(to, entry.name), entry.directory)
}

async function withVolume(image: string, writes: boolean, use: (volume: FatVolume) => void): Promise<void> {
  const descriptor = openSync(image, writes ? 'r+' : 'r')
  try {
    const volume = await FatVolume.open(new FileStore(descriptor, !writes))
    try {
      use(volume)
    } finally {
      volume.close()
    }
  } finally {
    closeSync(descriptor)
  }
}

/** An image file as FatVolume sees it. */
class FileStore implements SectorStore {
  readonly sectors: number

  constructor(
    private readonly descriptor: number,
    readonly readOnly: boolean,
  ) {
    this.sectors = Math.floor(fstatSync(descriptor).size / SECTOR_BYTES)
  }

  read(sector: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count * SECTOR_BYTES)
    readSync(this.descriptor, bytes, 0, bytes.length, sector * SECTOR_BYTES)
    return bytes
  }

  write(sector: number, bytes: Uint8Array): void {
    writeSync(this.descriptor, bytes, 0, bytes.length, sector * SECTOR_BYTES)
  }
}
