/** A device behind a clock gate: while its clock is stopped it answers with zeros and keeps nothing, which is said once. */
import type { AccessSize, Device, DeviceLog, DeviceState } from './device.ts'

export class Gated implements Device {
  private warned = false

  constructor(
    private readonly device: Device,
    private readonly isClocked: () => boolean,
    private readonly log: DeviceLog,
  ) {}

  get name(): string {
    return this.device.name
  }

  read(offset: number, size: AccessSize): number {
    return this.reaches() ? this.device.read(offset, size) : 0
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (this.reaches()) this.device.write(offset, value, size)
  }

  save(): DeviceState {
    return this.device.save()
  }

  load(state: DeviceState): void {
    this.device.load(state)
  }

  private reaches(): boolean {
    if (this.isClocked()) return true
    if (!this.warned) this.log.warn(`${this.name}: used while its clock is stopped: enable it in sysctl's clock enable register first`)
    this.warned = true
    return false
  }
}
