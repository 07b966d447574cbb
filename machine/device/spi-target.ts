/** The far end of an SPI bus: what a controller of either board talks to. */
import type { DeviceState } from './device.ts'

export interface SpiTarget {
  /** The chip select wire, already told apart from its polarity. */
  select(selected: boolean): void
  /** One byte each way, complete at `cycle`. An unselected target answers 0xff, as the pulled-up wire does. */
  exchange(byte: number, cycle: number): number
  save(): DeviceState
  load(state: DeviceState): void
}
