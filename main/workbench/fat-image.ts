/** Makes an empty FAT32 image (Microsoft, "FAT32 File System Specification" 1.03): a disk for tests and for people without mkfs.fat. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'

const SECTOR = 512
const RESERVED = 32
const TABLES = 2
const ROOT = 2
/** Fewer clusters than that would be FAT16 ("FAT Type Determination"). */
const LEAST_CLUSTERS = 65525
const END_OF_CHAIN = 0x0fff_ffff

/** Writes the image, sparse where the system can; clusters of one sector. @throws Error when it is too small or the file cannot be written. */
export function createFatImage(file: string, bytes: number, label = 'POLLEN'): void {
  const sectors = Math.floor(bytes / SECTOR)
  // A table of t sectors serves 128 t - 2 clusters, and takes two times its size away from them.
  const tableSectors = Math.ceil((sectors - RESERVED + 2) / (SECTOR / 4 + TABLES))
  const clusters = sectors - RESERVED - TABLES * tableSectors
  if (clusters < LEAST_CLUSTERS) throw new Error(`${file}: FAT32 needs at least 34 MiB`)

  const name = label.padEnd(11).slice(0, 11)
  const boot = sector((view, bytes) => {
    bytes.set([0xeb, 0x58, 0x90])
    text(bytes, 3, 'POLLEN  ')
    view.setUint16(11, SECTOR, true)
    view.setUint8(13, 1)
    view.setUint16(14, RESERVED, true)
    view.setUint8(16, TABLES)
    view.setUint8(21, 0xf8)
    view.setUint16(24, 63, true)
    view.setUint16(26, 255, true)
    view.setUint32(32, sectors, true)
    view.setUint32(36, tableSectors, true)
    view.setUint32(44, ROOT, true)
    view.setUint16(48, 1, true)
    view.setUint16(50, 6, true)
    view.setUint8(64, 0x80)
    view.setUint8(66, 0x29)
    view.setUint32(67, 0x504f_4c4c, true)
    text(bytes, 71, name)
    text(bytes, 82, 'FAT32   ')
  })
  const information = sector((view) => {
    view.setUint32(0, 0x4161_5252, true)
    view.setUint32(484, 0x6141_7272, true)
    // The root and its cluster are taken.
    view.setUint32(488, clusters - 1, true)
    view.setUint32(492, ROOT + 1, true)
  })
  const table = new Uint8Array(SECTOR)
  const entries = new DataView(table.buffer)
  ;[0x0fff_fff8, END_OF_CHAIN, END_OF_CHAIN].forEach((value, index) => entries.setUint32(index * 4, value, true))
  const root = new Uint8Array(SECTOR)
  text(root, 0, name)
  root[11] = 0x08

  const handle = openSync(file, 'w')
  try {
    ftruncateSync(handle, sectors * SECTOR)
    const put = (place: number, bytes: Uint8Array) => writeSync(handle, bytes, 0, SECTOR, place * SECTOR)
    put(0, boot)
    put(1, information)
    put(6, boot)
    put(7, information)
    for (let copy = 0; copy < TABLES; copy++) put(RESERVED + copy * tableSectors, table)
    put(RESERVED + TABLES * tableSectors, root)
  } finally {
    closeSync(handle)
  }
}

function sector(fill: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(SECTOR)
  fill(new DataView(bytes.buffer), bytes)
  bytes.set([0x55, 0xaa], 510)
  return bytes
}

function text(bytes: Uint8Array, at: number, value: string): void {
  bytes.set(Buffer.from(value, 'latin1'), at)
}
