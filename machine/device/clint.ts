/**
 * The core-local interruptor: software interrupts and the machine timer of every hart (SiFive FU540-C000 manual,
 * "Core-Local Interruptor"). It keeps no timer of its own: the hart compares `time` with its mtimecmp.
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Device, DeviceLog, DeviceState } from './device.ts'

const MSIP = 0x0000 // 4 bytes for each hart
const MTIMECMP = 0x4000 // 8 bytes for each hart
const MTIME = 0xbff8
const MTIMECMP_END = MTIME

const LOW_HALF = 0xffff_ffffn

/** What the CLINT does to the harts. */
export interface ClintHarts {
  /** Drives mip.MSIP. */
  setSoftware(hart: number, level: boolean): void
  /** From now on mip.MTIP of `hart` is mtime >= mtimecmp, both unsigned 64 bits. */
  setTimerCompare(hart: number, mtimecmp: bigint): void
  mtime(): bigint
  setMtime(mtime: bigint): void
}

export class Clint implements Device {
  private readonly msip: number[]
  private readonly mtimecmp: bigint[]
  private readonly unknown: AccessLog

  constructor(
    readonly name: string,
    private readonly hartCount: number,
    private readonly harts: ClintHarts,
    log: DeviceLog,
  ) {
    this.unknown = new AccessLog(name, log)
    this.msip = new Array<number>(hartCount).fill(0)
    // Reset leaves mtimecmp undefined; all ones keeps an early timer interrupt from a guest that forgets to set it.
    this.mtimecmp = new Array<bigint>(hartCount).fill(0xffff_ffff_ffff_ffffn)
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4 || offset % 4 !== 0) return this.unknown.unknownRead(offset, size)
    if (offset < MSIP + 4 * this.hartCount) return this.msip[offset / 4]
    if (offset >= MTIMECMP && offset < MTIMECMP_END) {
      const hart = (offset - MTIMECMP) >> 3
      if (hart < this.hartCount) return half(this.mtimecmp[hart], offset)
    }
    if (offset === MTIME || offset === MTIME + 4) return half(this.harts.mtime(), offset)
    return this.unknown.unknownRead(offset, size)
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4 || offset % 4 !== 0) return this.unknown.unknownWrite(offset, value, size)
    if (offset < MSIP + 4 * this.hartCount) {
      const hart = offset / 4
      this.msip[hart] = value & 1
      return this.harts.setSoftware(hart, this.msip[hart] === 1)
    }
    if (offset >= MTIMECMP && offset < MTIMECMP_END) {
      const hart = (offset - MTIMECMP) >> 3
      if (hart < this.hartCount) {
        this.mtimecmp[hart] = withHalf(this.mtimecmp[hart], offset, value)
        return this.harts.setTimerCompare(hart, this.mtimecmp[hart])
      }
    }
    if (offset === MTIME || offset === MTIME + 4) return this.harts.setMtime(withHalf(this.harts.mtime(), offset, value))
    this.unknown.unknownWrite(offset, value, size)
  }

  /** mtime itself belongs to the harts, which save it. */
  save(): DeviceState {
    return { msip: [...this.msip], mtimecmp: [...this.mtimecmp] }
  }

  load(state: DeviceState): void {
    const { msip, mtimecmp } = state as { msip: number[]; mtimecmp: bigint[] }
    for (let hart = 0; hart < this.hartCount; hart++) {
      this.msip[hart] = msip[hart]
      this.mtimecmp[hart] = mtimecmp[hart]
    }
  }
}

function half(value: bigint, offset: number): number {
  return Number(offset & 4 ? value >> 32n : value & LOW_HALF)
}

function withHalf(whole: bigint, offset: number, value: number): bigint {
  return offset & 4 ? (whole & LOW_HALF) | (BigInt(value) << 32n) : (whole & ~LOW_HALF) | BigInt(value)
}
