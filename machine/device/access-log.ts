/** Reports accesses that a device does not model: each register once per direction, with its offset and value. */
import type { AccessSize, DeviceLog } from './device.ts'

/** A guest that scans a whole window would otherwise fill the log. */
const MOST_REPORTS = 64

export class AccessLog {
  private readonly seen = new Set<string>()

  constructor(
    private readonly device: string,
    private readonly log: DeviceLog,
  ) {}

  /** Always 0: what a register that does not exist reads as. */
  unknownRead(offset: number, size: AccessSize): number {
    this.once(`read ${offset}`, `read of ${size} bytes at offset ${hex(offset)} is not modelled: reads as 0`)
    return 0
  }

  unknownWrite(offset: number, value: number, size: AccessSize): void {
    this.once(`write ${offset}`, `write of ${hex(value)} (${size} bytes) at offset ${hex(offset)} is not modelled: ignored`)
  }

  /** Says `text` if nothing was said under `key` before. */
  once(key: string, text: string): void {
    if (this.seen.has(key) || this.seen.size >= MOST_REPORTS) return
    this.seen.add(key)
    this.log.warn(`${this.device}: ${text}`)
  }
}

export function hex(value: number): string {
  return '0x' + value.toString(16)
}
