/**
 * Registers of 32 bits on a bus that lets the CPU touch parts of them: compilers access bit fields by the byte. A read takes its part
 * of the register. A write of a part changes only that part, or, where reading has effects, counts as one of the whole register.
 */
import type { AccessSize, Device, DeviceState } from './device.ts'

export class WordRegisters implements Device {
  constructor(
    private readonly device: Device,
    /** Reading a register changes nothing, so a partial write can keep the rest of it. */
    private readonly keepsRest: boolean,
  ) {}

  get name(): string {
    return this.device.name
  }

  read(offset: number, size: AccessSize): number {
    if (size === 4) return this.device.read(offset, size)
    const word = this.device.read(offset & ~3, 4)
    return (word >>> (8 * (offset & 3))) & (size === 1 ? 0xff : 0xffff)
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size === 4) return this.device.write(offset, value, size)
    const shift = 8 * (offset & 3)
    const mask = (size === 1 ? 0xff : 0xffff) << shift
    const rest = this.keepsRest ? this.device.read(offset & ~3, 4) & ~mask : 0
    this.device.write(offset & ~3, (rest | ((value << shift) & mask)) >>> 0, 4)
  }

  save(): DeviceState {
    return this.device.save()
  }

  load(state: DeviceState): void {
    this.device.load(state)
  }
}
