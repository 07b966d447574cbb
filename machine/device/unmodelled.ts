/** A place on the bus where hardware has a device that we do not model: reads as zero, ignores writes, says so once an address. */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Device, DeviceLog, DeviceState } from './device.ts'

export class Unmodelled implements Device {
  private readonly unknown: AccessLog

  constructor(
    readonly name: string,
    log: DeviceLog,
  ) {
    this.unknown = new AccessLog(name, log)
  }

  read(offset: number, size: AccessSize): number {
    return this.unknown.unknownRead(offset, size)
  }

  write(offset: number, value: number, size: AccessSize): void {
    this.unknown.unknownWrite(offset, value, size)
  }

  save(): DeviceState {
    return {}
  }

  load(): void {}
}
