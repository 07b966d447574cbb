/**
 * Files in an image of an SD card: the FAT volume in it, with or without a partition table (MBR) around it. The file system itself is
 * FatFs (npm: js-fatfs); here are its disk, its errors in words, and memory handed back.
 */
import * as FatFs from 'js-fatfs'
import { SECTOR_BYTES } from './block-image.ts'

/** The message is for the user and names what is wrong; the caller adds the image's name. */
export class FatError extends Error {}

/** Where the sectors of an image are. */
export interface SectorStore {
  readonly sectors: number
  readonly readOnly: boolean
  read(sector: number, count: number): Uint8Array
  write(sector: number, bytes: Uint8Array): void
}

export interface FatEntry {
  readonly name: string
  readonly directory: boolean
  readonly bytes: number
}

export interface FormatOptions {
  /** Put the volume into the first partition of an MBR, as cards come from the shop. */
  readonly partitioned: boolean
}

/** The smallest volume that counts as FAT32: 65,525 clusters of a sector, and the tables. Smaller cards get FAT16 or FAT12. */
const LEAST_FAT32 = 66_600

const WORK_BYTES = 4096
const TRANSFER_BYTES = 65_536

const REASONS: Readonly<Record<number, string>> = {
  [FatFs.FR_DISK_ERR]: 'the image cannot be read or written there',
  [FatFs.FR_INT_ERR]: 'the file system is damaged',
  [FatFs.FR_NO_FILE]: 'there is no such file',
  [FatFs.FR_NO_PATH]: 'there is no such directory',
  [FatFs.FR_INVALID_NAME]: 'FAT allows no such name',
  [FatFs.FR_DENIED]: 'not possible: the card is full, the directory not empty, or the file is read-only',
  [FatFs.FR_EXIST]: 'it exists already',
  [FatFs.FR_WRITE_PROTECTED]: 'the image is read-only',
  [FatFs.FR_NO_FILESYSTEM]: 'there is no FAT file system in it: make one with "pollen sd create"',
  [FatFs.FR_MKFS_ABORTED]: 'it is too small or too large for a FAT file system',
}

export class FatVolume {
  private constructor(
    private readonly ff: FatFs.FatFs,
    private readonly mounted: number,
  ) {}

  /** Opens the volume of an image. @throws FatError when there is none. */
  static async open(store: SectorStore): Promise<FatVolume> {
    const ff = await FatFs.create({ diskio: new StoreDisk(store) })
    const mounted = ff.malloc(FatFs.sizeof_FATFS)
    check(ff.f_mount(mounted, '', 1))
    return new FatVolume(ff, mounted)
  }

  /** Makes an empty file system, FAT32 where the image is large enough for it. */
  static async format(store: SectorStore, options: FormatOptions): Promise<void> {
    const ff = await FatFs.create({ diskio: new StoreDisk(store) })
    const work = ff.malloc(WORK_BYTES)
    const kind = store.sectors >= LEAST_FAT32 ? FatFs.FM_FAT32 : FatFs.FM_FAT
    // Of the sizes that FatFs chooses by itself, those for small FAT32 volumes are too large to count as FAT32.
    const clusterBytes = kind === FatFs.FM_FAT32 && store.sectors < 16 * LEAST_FAT32 ? SECTOR_BYTES : 0
    const fmt = kind | (options.partitioned ? 0 : FatFs.FM_SFD)
    check(ff.f_mkfs('', { fmt, n_fat: 2, align: 0, n_root: 0, au_size: clusterBytes }, work, WORK_BYTES))
    ff.free(work)
  }

  list(path: string): FatEntry[] {
    const { ff } = this
    return this.with([FatFs.sizeof_DIR, FatFs.sizeof_FILINFO], ([directory, info]) => {
      check(ff.f_opendir(directory, path), path)
      const entries: FatEntry[] = []
      for (;;) {
        check(ff.f_readdir(directory, info), path)
        const name = ff.FILINFO_fname(info)
        if (name === '') break
        entries.push({ name, directory: (ff.FILINFO_fattrib(info) & FatFs.AM_DIR) !== 0, bytes: ff.FILINFO_fsize(info) })
      }
      check(ff.f_closedir(directory), path)
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    })
  }

  /** What a path names; undefined when there is nothing. */
  find(path: string): FatEntry | undefined {
    if (path.replaceAll('/', '') === '') return { name: '/', directory: true, bytes: 0 }
    const { ff } = this
    return this.with([FatFs.sizeof_FILINFO], ([info]) => {
      const result = ff.f_stat(path, info)
      if (result === FatFs.FR_NO_FILE || result === FatFs.FR_NO_PATH) return undefined
      check(result, path)
      return {
        name: ff.FILINFO_fname(info),
        directory: (ff.FILINFO_fattrib(info) & FatFs.AM_DIR) !== 0,
        bytes: ff.FILINFO_fsize(info),
      }
    })
  }

  read(path: string): Uint8Array {
    const { ff } = this
    return this.withFile(path, FatFs.FA_READ, (file, buffer, moved) => {
      const parts: Uint8Array[] = []
      for (;;) {
        check(ff.f_read(file, buffer, TRANSFER_BYTES, moved), path)
        const count = ff.getValue(moved, 'i32')
        if (count === 0) break
        parts.push(ff.HEAPU8.slice(buffer, buffer + count))
      }
      return Uint8Array.from(Buffer.concat(parts))
    })
  }

  /** Writes a whole file, over what there was. @throws FatError when the card is full; what there was is then gone. */
  write(path: string, bytes: Uint8Array): void {
    const { ff } = this
    this.withFile(path, FatFs.FA_WRITE | FatFs.FA_CREATE_ALWAYS, (file, buffer, moved) => {
      for (let at = 0; at < bytes.length; at += TRANSFER_BYTES) {
        const part = bytes.subarray(at, at + TRANSFER_BYTES)
        ff.HEAPU8.set(part, buffer)
        check(ff.f_write(file, buffer, part.length, moved), path)
        if (ff.getValue(moved, 'i32') < part.length) throw new FatError(`${path}: the card is full`)
      }
    })
  }

  makeDirectory(path: string): void {
    check(this.ff.f_mkdir(path), path)
  }

  /** Removes a file or an empty directory. */
  remove(path: string): void {
    check(this.ff.f_unlink(path), path)
  }

  close(): void {
    check(this.ff.f_unmount(''))
    this.ff.free(this.mounted)
  }

  private withFile<T>(path: string, mode: number, use: (file: number, buffer: number, moved: number) => T): T {
    const { ff } = this
    return this.with([FatFs.sizeof_FIL, TRANSFER_BYTES, 4], ([file, buffer, moved]) => {
      check(ff.f_open(file, path, mode), path)
      try {
        return use(file, buffer, moved)
      } finally {
        check(ff.f_close(file), path)
      }
    })
  }

  /** Lends memory of FatFs. */
  private with<T>(sizes: readonly number[], use: (pointers: number[]) => T): T {
    const pointers = sizes.map((size) => this.ff.malloc(size))
    try {
      return use(pointers)
    } finally {
      for (const pointer of pointers) this.ff.free(pointer)
    }
  }
}

function check(result: number, path?: string): void {
  if (result === FatFs.FR_OK) return
  const reason = REASONS[result] ?? `the file system answers with error ${result}`
  throw new FatError(path === undefined ? reason : `${path}: ${reason}`)
}

/** The disk that FatFs sees. */
class StoreDisk implements FatFs.DiskIO {
  constructor(private readonly store: SectorStore) {}

  initialize(): number {
    return this.status()
  }

  status(): number {
    return this.store.readOnly ? FatFs.STA_PROTECT : 0
  }

  read(ff: FatFs.FatFs, _drive: number, buffer: number, sector: number, count: number): number {
    if (sector + count > this.store.sectors) return FatFs.RES_PARERR
    ff.HEAPU8.set(this.store.read(sector, count), buffer)
    return FatFs.RES_OK
  }

  write(ff: FatFs.FatFs, _drive: number, buffer: number, sector: number, count: number): number {
    if (sector + count > this.store.sectors) return FatFs.RES_PARERR
    this.store.write(sector, ff.HEAPU8.slice(buffer, buffer + count * SECTOR_BYTES))
    return FatFs.RES_OK
  }

  ioctl(ff: FatFs.FatFs, _drive: number, command: number, buffer: number): number {
    switch (command) {
      case FatFs.CTRL_SYNC:
        return FatFs.RES_OK
      case FatFs.GET_SECTOR_COUNT:
        ff.setValue(buffer, this.store.sectors, 'i32')
        return FatFs.RES_OK
      case FatFs.GET_SECTOR_SIZE:
        ff.setValue(buffer, SECTOR_BYTES, 'i16')
        return FatFs.RES_OK
      case FatFs.GET_BLOCK_SIZE:
        ff.setValue(buffer, 1, 'i32')
        return FatFs.RES_OK
      default:
        return FatFs.RES_PARERR
    }
  }
}
