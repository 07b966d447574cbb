/**
 * Disk and card images: copy-on-write in memory over a file or over bytes, and with write-back kept in the file.
 *
 * Write-back survives a kill at any moment. Changes gather in memory and are committed together, when the guest
 * flushes, when many have gathered and at close, so that the file always holds a state the guest's disk has had:
 *
 *     1. all changed blocks go to IMAGE.pollen-journal, closed by their SHA-256; the journal is synchronised;
 *     2. the blocks go to IMAGE; IMAGE is synchronised;
 *     3. the journal is emptied, and removed at close.
 *
 * Who opens IMAGE next finds a journal that is whole (killed in 2 or 3: its blocks are the newer state and are carried
 * over once more), or one that is not (killed in 1: IMAGE was not touched, the journal is dropped). Emptying needs no
 * synchronisation: a journal that comes back carries what IMAGE already holds, for step 2 of the next commit begins
 * only after the next journal is safe.
 *
 *     journal  {8 bytes magic, u64 image size, u64 inode, u32 block bytes, u32 count}, count times {u64 block, block}, SHA-256
 */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import path from 'node:path'
import { type BlockImage, type BlockImageState, DiskImageError, SECTOR_BYTES } from './block-image.ts'

const BLOCK_BYTES = 4096
const BLOCK_SECTORS = BLOCK_BYTES / SECTOR_BYTES
/** Without a flush from the guest a commit follows after this many changed blocks (8 MiB). */
const MOST_DIRTY_BLOCKS = 2048

const JOURNAL_SUFFIX = '.pollen-journal'
const MAGIC = 'POLLENJ1'
const HEADER_BYTES = 32
const HASH_BYTES = 32

const ZERO_BLOCK = new Uint8Array(BLOCK_BYTES)

/** The file system as this file uses it; tests put one here that fails in the middle. */
export type FileCalls = Pick<
  typeof fs,
  'openSync' | 'closeSync' | 'fstatSync' | 'readSync' | 'writeSync' | 'fsyncSync' | 'ftruncateSync' | 'unlinkSync' | 'existsSync'
>

export interface DiskImageOptions {
  /** Keep what the guest writes in the file. */
  readonly writeBack?: boolean
  readonly readOnly?: boolean
  readonly calls?: FileCalls
}

/** Where blocks come from that were never written. A block beyond the end reads as zeros. */
interface Base {
  readonly bytes: number
  read(position: number, length: number): Uint8Array
  commit?(blocks: ReadonlyMap<number, Uint8Array>): void
  close(): void
}

export class DiskImage implements BlockImage {
  readonly sectors: number
  private overlay = new Map<number, Uint8Array>()
  /** Blocks of the overlay that no snapshot shares: they may be changed in place. */
  private readonly owned = new Set<number>()
  private readonly dirty = new Set<number>()
  /** What the file held before a commit overwrote it, so that an earlier snapshot can be gone back to. */
  private readonly pristine = new Map<number, Uint8Array>()

  constructor(
    private readonly base: Base,
    readonly readOnly = false,
  ) {
    this.sectors = Math.ceil(base.bytes / SECTOR_BYTES)
  }

  read(sector: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count * SECTOR_BYTES)
    this.visit(sector, count, (block, from, to, at) => {
      const stored = this.overlay.get(block) ?? this.fromBase(block)
      bytes.set(stored.subarray(from, to), at)
    })
    return bytes
  }

  write(sector: number, bytes: Uint8Array): void {
    this.visit(sector, bytes.length / SECTOR_BYTES, (block, from, to, at) => {
      this.writable(block).set(bytes.subarray(at, at + to - from), from)
    })
    this.commitIfMany()
  }

  zero(sector: number, count: number): void {
    this.visit(sector, count, (block, from, to) => {
      if (to - from < BLOCK_BYTES) return this.writable(block).fill(0, from, to)
      this.overlay.set(block, ZERO_BLOCK)
      this.owned.delete(block)
      this.markDirty(block)
    })
    this.commitIfMany()
  }

  flush(): void {
    if (!this.base.commit || this.dirty.size === 0) return
    const blocks = new Map<number, Uint8Array>()
    for (const block of [...this.dirty].sort((a, b) => a - b)) {
      if (!this.pristine.has(block)) this.pristine.set(block, this.fromBase(block))
      blocks.set(block, this.overlay.get(block)!)
    }
    this.base.commit(blocks)
    this.dirty.clear()
  }

  /** Commits what is left and lets go of the file. */
  close(): void {
    try {
      this.flush()
    } finally {
      this.base.close()
    }
  }

  /** The blocks are shared with the image until either changes them. */
  save(): BlockImageState {
    this.owned.clear()
    return { blocks: [...this.overlay.keys()], contents: [...this.overlay.values()] }
  }

  load(state: BlockImageState): void {
    const blocks = state.blocks as number[]
    const contents = state.contents as Uint8Array[]
    this.owned.clear()
    this.overlay = new Map(this.pristine)
    blocks.forEach((block, index) => this.overlay.set(block, contents[index]))
    for (const block of this.overlay.keys()) this.markDirty(block)
  }

  private visit(sector: number, count: number, part: (block: number, from: number, to: number, at: number) => void): void {
    const end = sector + count
    for (let next = sector; next < end;) {
      const first = next % BLOCK_SECTORS
      const last = Math.min(BLOCK_SECTORS, first + end - next)
      part(Math.floor(next / BLOCK_SECTORS), first * SECTOR_BYTES, last * SECTOR_BYTES, (next - sector) * SECTOR_BYTES)
      next += last - first
    }
  }

  private writable(block: number): Uint8Array {
    this.markDirty(block)
    const stored = this.overlay.get(block)
    if (stored && this.owned.has(block)) return stored
    const copy = (stored ?? this.fromBase(block)).slice()
    this.overlay.set(block, copy)
    this.owned.add(block)
    return copy
  }

  private fromBase(block: number): Uint8Array {
    const position = block * BLOCK_BYTES
    const length = Math.min(BLOCK_BYTES, this.base.bytes - position)
    if (length === BLOCK_BYTES) return this.base.read(position, length)
    const bytes = new Uint8Array(BLOCK_BYTES)
    if (length > 0) bytes.set(this.base.read(position, length))
    return bytes
  }

  private markDirty(block: number): void {
    if (this.base.commit) this.dirty.add(block)
  }

  private commitIfMany(): void {
    if (this.dirty.size >= MOST_DIRTY_BLOCKS) this.flush()
  }
}

/** An image over bytes, which stay as they are. */
export function memoryImage(bytes: Uint8Array, readOnly = false): DiskImage {
  return new DiskImage(
    { bytes: bytes.length, read: (position, length) => bytes.slice(position, position + length), close: () => {} },
    readOnly,
  )
}

/** Opens an image file. Errors are `DiskImageError`s of one line that names the file. */
export function openDiskImage(file: string, options: DiskImageOptions = {}): DiskImage {
  const calls = options.calls ?? fs
  const base = refuse(file, 'cannot be opened', () => new FileBase(file, calls, options.writeBack ?? false))
  return new DiskImage(base, options.readOnly)
}

class FileBase implements Base {
  readonly bytes: number
  readonly commit?: (blocks: ReadonlyMap<number, Uint8Array>) => void
  private readonly descriptor: number
  private readonly inode: bigint
  private readonly journalFile: string
  private journal: number | undefined
  /** Blocks of a whole journal whose carrying over failed: the journal must outlive them. */
  private unfinished: ReadonlyMap<number, Uint8Array> | undefined
  /** Blocks of a whole journal that an image opened without write-back must not carry over into the file. */
  private recovered = new Map<number, Uint8Array>()

  constructor(
    private readonly file: string,
    private readonly calls: FileCalls,
    writeBack: boolean,
  ) {
    this.journalFile = file + JOURNAL_SUFFIX
    this.descriptor = calls.openSync(file, writeBack ? 'r+' : 'r')
    try {
      const status = calls.fstatSync(this.descriptor)
      if (!status.isFile()) throw new DiskImageError(`${file}: is not a regular file`)
      this.bytes = status.size
      this.inode = BigInt(status.ino)
      if (this.bytes === 0) throw new DiskImageError(`${file}: is empty, a disk image has at least one sector of 512 bytes`)
      if (writeBack && this.bytes % SECTOR_BYTES !== 0)
        throw new DiskImageError(
          `${file}: ${this.bytes} bytes are not a multiple of 512, which write-back needs: extend it with "truncate -s %512"`,
        )
      this.recovered = this.readJournal()
      if (writeBack) {
        this.commit = (blocks) => refuse(file, 'cannot be written', () => this.commitBlocks(blocks))
        if (this.recovered.size > 0) this.writeBlocks(this.recovered)
        this.recovered.clear()
        this.removeJournal()
      }
    } catch (error) {
      calls.closeSync(this.descriptor)
      throw error
    }
  }

  read(position: number, length: number): Uint8Array {
    const recovered = this.recovered.get(position / BLOCK_BYTES)
    if (recovered) return recovered.slice(0, length)
    return refuse(this.file, 'cannot be read', () => readAll(this.calls, this.descriptor, position, length))
  }

  close(): void {
    if (this.journal !== undefined) this.calls.closeSync(this.journal)
    if (this.commit && !this.unfinished) this.removeJournal()
    this.calls.closeSync(this.descriptor)
  }

  private commitBlocks(blocks: ReadonlyMap<number, Uint8Array>): void {
    if (this.unfinished) this.writeBlocks(this.unfinished)
    if (this.journal === undefined) {
      this.journal = this.calls.openSync(this.journalFile, 'w+')
      this.synchroniseFolder()
    }
    this.calls.ftruncateSync(this.journal, 0)
    const hash = createHash('sha256')
    let position = 0
    const append = (bytes: Uint8Array) => {
      writeAll(this.calls, this.journal!, position, bytes)
      position += bytes.length
    }
    const add = (bytes: Uint8Array) => {
      hash.update(bytes)
      append(bytes)
    }
    add(this.journalHeader(blocks.size))
    for (const [block, contents] of blocks) {
      const number = new Uint8Array(8)
      new DataView(number.buffer).setBigUint64(0, BigInt(block), true)
      add(number)
      add(contents)
    }
    append(hash.digest())
    this.calls.fsyncSync(this.journal)
    this.writeBlocks(blocks)
    this.calls.ftruncateSync(this.journal, 0)
  }

  private writeBlocks(blocks: ReadonlyMap<number, Uint8Array>): void {
    this.unfinished = blocks
    for (const [block, contents] of blocks) {
      const position = block * BLOCK_BYTES
      writeAll(this.calls, this.descriptor, position, contents.subarray(0, Math.min(BLOCK_BYTES, this.bytes - position)))
    }
    this.calls.fsyncSync(this.descriptor)
    this.unfinished = undefined
  }

  /** The blocks of a whole journal; none if there is no journal or it was not finished. */
  private readJournal(): Map<number, Uint8Array> {
    const blocks = new Map<number, Uint8Array>()
    if (!this.calls.existsSync(this.journalFile)) return blocks
    const descriptor = this.calls.openSync(this.journalFile, 'r')
    let bytes: Uint8Array
    try {
      bytes = readAll(this.calls, descriptor, 0, this.calls.fstatSync(descriptor).size)
    } finally {
      this.calls.closeSync(descriptor)
    }
    const end = bytes.length - HASH_BYTES
    if (end < HEADER_BYTES) return blocks
    const hash = createHash('sha256').update(bytes.subarray(0, end)).digest()
    if (!hash.equals(bytes.subarray(end))) return blocks
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const count = view.getUint32(28, true)
    if (!sameBytes(bytes.subarray(0, HEADER_BYTES), this.journalHeader(count)))
      throw new DiskImageError(
        `${this.journalFile}: holds changes to another image than the ${this.file} that is there now: put that one back, or delete the journal`,
      )
    for (let at = HEADER_BYTES; at < end; at += 8 + BLOCK_BYTES) {
      blocks.set(Number(view.getBigUint64(at, true)), bytes.slice(at + 8, at + 8 + BLOCK_BYTES))
    }
    return blocks
  }

  private journalHeader(count: number): Uint8Array {
    const header = new Uint8Array(HEADER_BYTES)
    const view = new DataView(header.buffer)
    new TextEncoder().encodeInto(MAGIC, header)
    view.setBigUint64(8, BigInt(this.bytes), true)
    view.setBigUint64(16, this.inode, true)
    view.setUint32(24, BLOCK_BYTES, true)
    view.setUint32(28, count, true)
    return header
  }

  private removeJournal(): void {
    if (this.calls.existsSync(this.journalFile)) this.calls.unlinkSync(this.journalFile)
  }

  /** Makes the journal's name as lasting as its contents. Windows has no such call and no need of it. */
  private synchroniseFolder(): void {
    if (process.platform === 'win32') return
    const folder = this.calls.openSync(path.dirname(path.resolve(this.file)), 'r')
    try {
      this.calls.fsyncSync(folder)
    } finally {
      this.calls.closeSync(folder)
    }
  }
}

function readAll(calls: FileCalls, descriptor: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length;) {
    const count = calls.readSync(descriptor, bytes, done, length - done, position + done)
    if (count === 0) throw new Error('it is shorter than when it was opened')
    done += count
  }
  return bytes
}

function writeAll(calls: FileCalls, descriptor: number, position: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += calls.writeSync(descriptor, bytes, done, bytes.length - done, position + done)
  }
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.every((byte, index) => byte === right[index])
}

/** Runs a file operation; what goes wrong becomes one line that names the file. */
function refuse<T>(file: string, what: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof DiskImageError) throw error
    throw new DiskImageError(`${file}: ${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
