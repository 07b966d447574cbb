/** The wires between the interrupt controllers and the harts of a board. */
import { Clint } from '../device/clint.ts'
import type { InterruptLine } from '../device/device.ts'
import * as L from '../hart/layout.ts'
import type { Machine } from './machine.ts'

/** A wire into mip that takes its time: a rising edge travels; a falling one is there at once, and so is one that meets a rising one on its way. */
export function travellingWire({ clock, core }: Machine, hart: number, bits: number, delay: number): InterruptLine {
  const arrival = clock.timer(() => core.exports.setWires(hart, bits, 1))
  return {
    set: (level) => {
      if (level) arrival.at(clock.now + delay)
      else {
        arrival.cancel()
        core.exports.setWires(hart, bits, 0)
      }
    },
  }
}

/** The CLINT of a machine, with its IPIs under way for the delay of the timing profile. */
export function makeClint(machine: Machine): Clint {
  const { harts, cyclesPerTick } = machine.options
  const wires = Array.from({ length: harts }, (_, hart) => travellingWire(machine, hart, 1 << 3, machine.timing.ipiDelay))
  const ticks = () => BigInt(Math.floor(machine.clock.now / cyclesPerTick))
  return new Clint(
    'clint',
    harts,
    {
      setSoftware: (hart, level) => wires[hart].set(level),
      setTimerCompare: (hart, value) => machine.core.exports.setTimerCompare(hart, value),
      mtime: () => ticks() + machine.core.global64(L.G_TIME_OFFSET),
      setMtime: (value) => {
        machine.core.setGlobal64(L.G_TIME_OFFSET, value - ticks())
        machine.core.exports.timeChanged()
      },
    },
    machine.log,
  )
}
