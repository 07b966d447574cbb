/**
 * UINTC, the controller of posted user interrupts. A sender posts a vector (0 to 63) to one of 512 receivers; while
 * the receiver is active, the hart that its entry names sees the software interrupt of the receiver's mode.
 *
 * Registers: 0x20 bytes for each receiver, in order of its number; each register is 64 bits, reached in halves of 4.
 *
 *     +0x00 SEND    write: sets pending bit VALUE, for a VALUE of 0..63; a larger one posts nothing. Reads as 0.
 *                   Only the low half posts, so that one 64-bit store sends once.
 *     +0x08 LOW     {0 active, 1 mode, 31:16 hart}; the high half is reserved, 0. Writing it moves the receiver.
 *     +0x10 HIGH    read: the pending bits, which it clears; write: replaces the pending bits by VALUE.
 *                   Each half returns and clears, or replaces, its own 32 vectors.
 *     +0x18 ACTIVE  {0 active}; a read or write touches nothing else of the entry.
 *
 * mode 0 is user (the hart's USIP), mode 1 is supervisor (SSIP). The wire of a hart and mode is high as long as any
 * receiver of that hart and mode is active and has a vector pending; posting to an inactive receiver is remembered and
 * raises the wire when the receiver becomes active. A hart that does not exist receives nothing.
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Device, DeviceLog, DeviceState, InterruptLine } from './device.ts'

const SEND = 0x00
const LOW = 0x08
const HIGH = 0x10
const ACTIVE = 0x18
const RECEIVER_STRIDE = 0x20
const UPPER = 4 // the high half of any of them

export const RECEIVER_COUNT = 512
export const UINTC_SIZE = RECEIVER_COUNT * RECEIVER_STRIDE

const ACTIVE_BIT = 1
const MODE_BIT = 2
const HART_SHIFT = 16
const LOW_MASK = 0xffff_0003

/** The two wires of one hart. */
export interface UintcOutputs {
  readonly user: InterruptLine
  readonly supervisor: InterruptLine
}

export class Uintc implements Device {
  /** The LOW word of each receiver: {0 active, 1 mode, 31:16 hart}. */
  private readonly low = new Uint32Array(RECEIVER_COUNT)
  /** Two words for each receiver. */
  private readonly pending = new Uint32Array(RECEIVER_COUNT * 2)
  /** How many receivers hold each wire high, at hart * 2 + mode. */
  private readonly holders: Uint32Array
  private readonly unknown: AccessLog

  constructor(
    readonly name: string,
    private readonly outputs: readonly UintcOutputs[],
    log: DeviceLog,
  ) {
    this.unknown = new AccessLog(name, log)
    this.holders = new Uint32Array(outputs.length * 2)
  }

  read(offset: number, size: AccessSize): number {
    const receiver = Math.floor(offset / RECEIVER_STRIDE)
    if (size !== 4 || receiver >= RECEIVER_COUNT) return this.unknown.unknownRead(offset, size)
    switch (offset % RECEIVER_STRIDE) {
      case SEND:
      case SEND + UPPER:
      case LOW + UPPER:
      case ACTIVE + UPPER:
        return 0
      case LOW:
        return this.low[receiver]
      case HIGH:
        return this.takePending(receiver, 0)
      case HIGH + UPPER:
        return this.takePending(receiver, 1)
      case ACTIVE:
        return this.low[receiver] & ACTIVE_BIT
      default:
        return this.unknown.unknownRead(offset, size)
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    const receiver = Math.floor(offset / RECEIVER_STRIDE)
    if (size !== 4 || receiver >= RECEIVER_COUNT) return this.unknown.unknownWrite(offset, value, size)
    switch (offset % RECEIVER_STRIDE) {
      case SEND:
        return this.send(receiver, value)
      case SEND + UPPER:
      case LOW + UPPER:
      case ACTIVE + UPPER:
        return // the high half of a 64-bit store
      case LOW:
        return this.change(receiver, () => (this.low[receiver] = value & LOW_MASK))
      case HIGH:
        return this.change(receiver, () => (this.pending[receiver * 2] = value))
      case HIGH + UPPER:
        return this.change(receiver, () => (this.pending[receiver * 2 + 1] = value))
      case ACTIVE:
        return this.setActive(receiver, (value & 1) !== 0)
      default:
        return this.unknown.unknownWrite(offset, value, size)
    }
  }

  /** Posts `vector` (0 to 63). A receiver or vector that does not exist is ignored, here and below. */
  send(receiver: number, vector: number): void {
    if (!exists(receiver) || vector < 0 || vector > 63) return
    this.change(receiver, () => (this.pending[receiver * 2 + (vector >>> 5)] |= 1 << (vector & 31)))
  }

  /** The pending vectors, one bit each; they are clear afterwards. */
  readPending(receiver: number): bigint {
    if (!exists(receiver)) return 0n
    return BigInt(this.takePending(receiver, 0)) | (BigInt(this.takePending(receiver, 1)) << 32n)
  }

  /** Replaces the pending vectors by `vectors`, one bit each. */
  writePending(receiver: number, vectors: bigint): void {
    if (!exists(receiver)) return
    this.change(receiver, () => {
      this.pending[receiver * 2] = Number(vectors & 0xffff_ffffn)
      this.pending[receiver * 2 + 1] = Number((vectors >> 32n) & 0xffff_ffffn)
    })
  }

  setActive(receiver: number, active: boolean): void {
    if (!exists(receiver)) return
    this.change(receiver, () => (this.low[receiver] = (this.low[receiver] & ~ACTIVE_BIT) | (active ? ACTIVE_BIT : 0)))
  }

  save(): DeviceState {
    return { low: this.low.slice(), pending: this.pending.slice() }
  }

  load(state: DeviceState): void {
    this.low.set(state.low as Uint32Array)
    this.pending.set(state.pending as Uint32Array)
    this.holders.fill(0)
    for (let receiver = 0; receiver < RECEIVER_COUNT; receiver++) {
      const wire = this.wire(receiver)
      if (wire !== undefined) this.holders[wire]++
    }
  }

  private takePending(receiver: number, word: 0 | 1): number {
    const value = this.pending[receiver * 2 + word]
    if (value !== 0) this.change(receiver, () => (this.pending[receiver * 2 + word] = 0))
    return value
  }

  private change(receiver: number, edit: () => void): void {
    const before = this.wire(receiver)
    edit()
    const after = this.wire(receiver)
    if (before === after) return
    if (after !== undefined && this.holders[after]++ === 0) this.output(after).set(true)
    if (before !== undefined && --this.holders[before] === 0) this.output(before).set(false)
  }

  /** The wire that the receiver holds high now, as hart * 2 + mode. */
  private wire(receiver: number): number | undefined {
    const low = this.low[receiver]
    const hart = low >>> HART_SHIFT
    if ((low & ACTIVE_BIT) === 0 || hart >= this.outputs.length) return undefined
    if (this.pending[receiver * 2] === 0 && this.pending[receiver * 2 + 1] === 0) return undefined
    return hart * 2 + (low & MODE_BIT ? 1 : 0)
  }

  private output(wire: number): InterruptLine {
    const hart = this.outputs[wire >>> 1]
    return wire & 1 ? hart.supervisor : hart.user
  }
}

function exists(receiver: number): boolean {
  return receiver >= 0 && receiver < RECEIVER_COUNT
}
