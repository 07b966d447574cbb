/** Which device answers at which physical address. */
import type { AccessSize, Device, DeviceLog } from '../device/device.ts'

export interface Window {
  readonly base: number
  readonly size: number
  readonly device: Device
}

export class Bus {
  private readonly windows: Window[] = []
  private last: Window | undefined

  constructor(private readonly log: DeviceLog) {}

  /** @throws Error when the window overlaps another. */
  add(base: number, size: number, device: Device): void {
    const other = this.windows.find((window) => base < window.base + window.size && window.base < base + size)
    if (other) throw new Error(`${device.name} at 0x${base.toString(16)} overlaps ${other.device.name}`)
    this.windows.push({ base, size, device })
  }

  get devices(): readonly Device[] {
    return this.windows.map((window) => window.device)
  }

  /** An unsigned value, or -1 when nothing answers. */
  read(address: number, size: AccessSize): number {
    const window = this.find(address, size)
    if (window) return window.device.read(address - window.base, size)
    this.log.warn(`nothing answers a read of ${size} bytes at 0x${address.toString(16)}`)
    return -1
  }

  /** False when nothing answers. */
  write(address: number, value: number, size: AccessSize): boolean {
    const window = this.find(address, size)
    if (window) window.device.write(address - window.base, value, size)
    else this.log.warn(`nothing answers a write of 0x${value.toString(16)} (${size} bytes) at 0x${address.toString(16)}`)
    return window !== undefined
  }

  private find(address: number, size: number): Window | undefined {
    const { last } = this
    if (last && address >= last.base && address + size <= last.base + last.size) return last
    const window = this.windows.find((candidate) => address >= candidate.base && address + size <= candidate.base + candidate.size)
    if (window) this.last = window
    return window
  }
}
