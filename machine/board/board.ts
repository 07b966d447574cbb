/** What every board is to those who boot, watch, save and stop it. */
import type { DeviceState } from '../device/device.ts'
import type { Machine } from './machine.ts'

export interface Board {
  readonly kind: 'virt' | 'k210'
  readonly machine: Machine
  /** The characters that serial ports still hold go out: the machine has stopped and they would never leave. */
  drainConsole(): void
  saveDevices(): Record<string, DeviceState>
  loadDevices(states: Record<string, DeviceState>): void
}
