/** The SiFive test finisher: one register by which the guest ends or restarts the machine, as QEMU's `virt` has it. */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Device, DeviceLog, DeviceState } from './device.ts'

const FINISH = 0x0 // 15:0 command, 31:16 exit code of a failure

const FAIL = 0x3333
const PASS = 0x5555
const RESET = 0x7777

export interface FinisherEvents {
  /** The guest has ended with this exit status. */
  exit(code: number): void
  /** The guest asks for a reset of the whole machine. */
  reset(): void
}

export class Finisher implements Device {
  private readonly unknown: AccessLog

  constructor(
    readonly name: string,
    private readonly events: FinisherEvents,
    log: DeviceLog,
  ) {
    this.unknown = new AccessLog(name, log)
  }

  read(offset: number, size: AccessSize): number {
    return offset === FINISH ? 0 : this.unknown.unknownRead(offset, size)
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (offset !== FINISH || size === 1) return this.unknown.unknownWrite(offset, value, size)
    switch (value & 0xffff) {
      case PASS:
        return this.events.exit(0)
      case FAIL:
        // A failure never looks like success to the shell, even where the guest gave no code.
        return this.events.exit(value >>> 16 || 1)
      case RESET:
        return this.events.reset()
      default:
        return this.unknown.unknownWrite(offset, value, size)
    }
  }

  save(): DeviceState {
    return {}
  }

  load(_state: DeviceState): void {}
}
