/** The wires between the K210's SPI controllers and the card slot: what is on the slot's pins is FPIOA's business. */
import type { DeviceState } from '../device/device.ts'
import { type Fpioa, PIN_FUNCTION } from '../device/fpioa.ts'
import type { SpiTarget } from '../device/spi-target.ts'
import { K210_PINS } from './k210-map.ts'

/** Roles of a controller's wires; SPI3 has pads of its own, with the flash memory, which is not modelled. */
const ROLES = [
  { clock: PIN_FUNCTION.spi0Clock, data: PIN_FUNCTION.spi0Data, select: PIN_FUNCTION.spi0Select },
  { clock: PIN_FUNCTION.spi1Clock, data: PIN_FUNCTION.spi1Data, select: PIN_FUNCTION.spi1Select },
] as const

const SELECTS = 4
/** The level of a wire that nobody drives: the slot's wires are pulled up. */
const IDLE = 0xff

export class CardSlot {
  /** Targets that each controller selects. */
  private selected = [0, 0]

  constructor(
    private readonly fpioa: Fpioa,
    /** What is in the slot, if anything. */
    private readonly card: SpiTarget | undefined,
  ) {
    for (const pin of [K210_PINS.cardOut, K210_PINS.cardClock, K210_PINS.cardIn, K210_PINS.cardSelect]) fpioa.pull(pin, true)
    ROLES.forEach((roles, controller) => {
      for (let target = 0; target < SELECTS; target++) {
        fpioa.drive(roles.select + target, () => (this.selected[controller] & (1 << target)) === 0)
      }
    })
    fpioa.onChange(() => card?.select(!fpioa.level(K210_PINS.cardSelect)))
  }

  save(): DeviceState {
    return { selected: [...this.selected], card: this.card?.save() ?? {} }
  }

  load(state: DeviceState): void {
    this.selected = [...(state.selected as number[])]
    this.card?.load(state.card as DeviceState)
  }

  /** A controller's select wires, one bit for each that is active. */
  select(controller: 0 | 1, targets: number): void {
    this.selected[controller] = targets
    this.fpioa.changed()
  }

  /** A byte that a controller clocks, as far as its wires reach the slot. */
  exchange(controller: 0 | 1, byte: number, cycle: number): number {
    const { fpioa, card } = this
    const roles = ROLES[controller]
    if (!card || !fpioa.sends(roles.clock, K210_PINS.cardClock)) return IDLE
    const answer = card.exchange(fpioa.sends(roles.data, K210_PINS.cardIn) ? byte : IDLE, cycle)
    return fpioa.receives(roles.data + 1, K210_PINS.cardOut) ? answer : IDLE
  }
}
