/**
 * A whole machine at rest as plain data, and back. A run that is saved and resumed goes on exactly as one that was not: translation
 * caches are kept (their misses cost cycles), predecoded code is not (it costs none). What belongs to the host stays the host's:
 * breakpoints, watchpoints, which trace kinds are on.
 *
 *     file    8 bytes "POLLSNAP", u32 version, u32 length of the body, SHA-256 of the body, body: deflated structured data
 */
import { createHash } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import { deflateSync, inflateSync } from 'node:zlib'
import type { DeviceState } from '../device/device.ts'
import { hartAddress } from '../hart/core.ts'
import * as L from '../hart/layout.ts'
import type { Board } from './board.ts'

/** Grows whenever the layout of the core's state or of a device's changes. */
export const SNAPSHOT_VERSION = 1

const MAGIC = 'POLLSNAP'
const HEADER_BYTES = 16
const HASH_BYTES = 32
const PAGE = 4096
const MOST_BODY = 2 ** 32

/** A snapshot cannot be used; the message says why in one line. */
export class SnapshotError extends Error {}

export interface Snapshot {
  readonly version: number
  /** What the machine was built with; a snapshot fits only a machine of the same. */
  readonly configuration: string
  readonly global: Uint8Array
  readonly harts: readonly Uint8Array[]
  readonly lines: Uint8Array
  /** RAM pages that are not all zeros: their numbers, and their contents in that order. */
  readonly pageNumbers: Uint32Array
  readonly pages: Uint8Array
  readonly clock: { deadlines: number[]; latest: number }
  readonly trace: { low: number; high: number; count: number }
  readonly devices: Record<string, DeviceState>
  readonly htif?: { readonly tohost: number; readonly fromhost: number | undefined }
}

const GLOBAL_BYTES = 0x600

/** Parts of the global state that are the host's. */
const HOSTS_OWN: readonly (readonly [offset: number, bytes: number])[] = [
  [L.G_HOST_LIMIT, 8],
  [L.G_TRACE_MASK_LOW, 16],
  [L.G_REGION_DROPPED, 16],
  [L.G_TRACE_COUNT, 4],
  [L.G_BREAKPOINT_COUNT, 8],
  [L.G_BREAKPOINTS, L.MAX_BREAKPOINTS * 8],
  [L.G_WATCHPOINTS, L.MAX_WATCHPOINTS * 16],
  [L.G_BREAKPOINT_OFFSETS, 256],
]

function configurationOf(board: Board): string {
  const { harts, ramBase, ramSize, timing, cyclesPerTick, extensions, privileged, quantum } = board.machine.options
  const devices = board.machine.bus.devices.map((device) => device.name)
  return JSON.stringify({ board: board.kind, harts, ramBase, ramSize, timing, cyclesPerTick, extensions, privileged, quantum, devices })
}

/** Takes a snapshot. Output that waits for the host should have been flushed. */
export function takeSnapshot(board: Board): Snapshot {
  const { core, clock, trace, htif } = board.machine
  const slice = (at: number, length: number) => core.bytes.slice(at, at + length)
  const traceState = trace.save()
  const { pageNumbers, pages } = saveRam(board)
  return {
    version: SNAPSHOT_VERSION,
    configuration: configurationOf(board),
    global: slice(L.GLOBAL, GLOBAL_BYTES),
    harts: Array.from({ length: core.options.harts }, (_, hart) => slice(hartAddress(hart), L.HART_STRIDE)),
    lines: slice(L.LINE_TABLE, L.LINE_ENTRIES * 8),
    pageNumbers,
    pages,
    clock: clock.save(),
    trace: traceState,
    devices: board.saveDevices(),
    htif,
  }
}

/**
 * Puts a board back to where a snapshot was taken. The board was built with the same options.
 * @throws SnapshotError when the snapshot is of another version or machine.
 */
export function restoreSnapshot(board: Board, snapshot: Snapshot): void {
  if (snapshot.version !== SNAPSHOT_VERSION) {
    throw new SnapshotError(`the snapshot has version ${snapshot.version}, this program reads version ${SNAPSHOT_VERSION}`)
  }
  if (snapshot.configuration !== configurationOf(board)) {
    throw new SnapshotError(`the snapshot is of another machine: ${snapshot.configuration}, not ${configurationOf(board)}`)
  }
  const { core, clock, trace } = board.machine
  const kept = HOSTS_OWN.map(([offset, bytes]) => ({ offset, bytes: core.bytes.slice(L.GLOBAL + offset, L.GLOBAL + offset + bytes) }))
  core.bytes.set(snapshot.global, L.GLOBAL)
  for (const { offset, bytes } of kept) core.bytes.set(bytes, L.GLOBAL + offset)
  snapshot.harts.forEach((bytes, hart) => core.bytes.set(bytes, hartAddress(hart)))
  core.bytes.set(snapshot.lines, L.LINE_TABLE)
  core.bytes.fill(0, core.ramOffset, core.ramOffset + core.options.ramSize)
  snapshot.pageNumbers.forEach((page, index) => {
    core.bytes.set(snapshot.pages.subarray(index * PAGE, (index + 1) * PAGE), core.ramOffset + page * PAGE)
  })
  core.exports.forgetCode()
  core.exports.refreshTags()
  if (snapshot.htif) board.machine.enableHtif(snapshot.htif.tohost, snapshot.htif.fromhost)
  board.loadDevices(snapshot.devices)
  clock.load(snapshot.clock)
  trace.load(snapshot.trace)
}

function saveRam(board: Board): { pageNumbers: Uint32Array; pages: Uint8Array } {
  const { core } = board.machine
  const words = new BigUint64Array(core.memory.buffer, core.ramOffset, core.options.ramSize / 8)
  const numbers: number[] = []
  for (let page = 0; page < core.options.ramSize / PAGE; page++) {
    for (let i = page * (PAGE / 8); i < (page + 1) * (PAGE / 8); i++) {
      if (words[i] !== 0n) {
        numbers.push(page)
        break
      }
    }
  }
  const pages = new Uint8Array(numbers.length * PAGE)
  numbers.forEach((page, index) => {
    const at = core.ramOffset + page * PAGE
    pages.set(core.bytes.subarray(at, at + PAGE), index * PAGE)
  })
  return { pageNumbers: Uint32Array.from(numbers), pages }
}

/** A snapshot as the bytes of a file. */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const body = deflateSync(serialize(snapshot), { level: 1 })
  const file = new Uint8Array(HEADER_BYTES + HASH_BYTES + body.length)
  const view = new DataView(file.buffer)
  file.set(new TextEncoder().encode(MAGIC))
  view.setUint32(8, SNAPSHOT_VERSION, true)
  view.setUint32(12, body.length, true)
  file.set(createHash('sha256').update(body).digest(), HEADER_BYTES)
  file.set(body, HEADER_BYTES + HASH_BYTES)
  return file
}

/** @throws SnapshotError when the file is not a whole snapshot of this version. */
export function decodeSnapshot(file: Uint8Array): Snapshot {
  if (file.length < HEADER_BYTES + HASH_BYTES || new TextDecoder('latin1').decode(file.subarray(0, 8)) !== MAGIC) {
    throw new SnapshotError('not a snapshot: it does not begin with POLLSNAP')
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const version = view.getUint32(8, true)
  if (version !== SNAPSHOT_VERSION)
    throw new SnapshotError(`the snapshot has version ${version}, this program reads version ${SNAPSHOT_VERSION}`)
  const body = file.subarray(HEADER_BYTES + HASH_BYTES)
  if (body.length !== view.getUint32(12, true)) throw new SnapshotError('truncated snapshot')
  const hash = createHash('sha256').update(body).digest()
  if (!hash.equals(file.subarray(HEADER_BYTES, HEADER_BYTES + HASH_BYTES)))
    throw new SnapshotError('damaged snapshot: its checksum does not match')
  return deserialize(inflateSync(body, { maxOutputLength: MOST_BODY })) as Snapshot
}
