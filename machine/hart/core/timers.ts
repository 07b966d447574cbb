/** Timer interrupts: mtimecmp (CLINT), stimecmp (Sstc) and utimecmp (user-interrupts.md) against `time` at the hart's clock. */
import {
  EXT_N,
  EXT_SSTC,
  GLOBAL,
  G_CYCLES_PER_TICK,
  G_TIME_OFFSET,
  H_MENVCFG,
  H_MIP_WIRES,
  H_MTIMECMP,
  H_STIMECMP,
  H_TIMER_DEADLINE,
  H_UTIMECMP,
} from '../layout'
import { NEVER, hasExtension, timeNow } from './state'

export const MTIP: u64 = 1 << 7
export const STIP: u64 = 1 << 5
export const UTIP: u64 = 1 << 4
/** menvcfg.STCE: supervisor timer compare in force. */
export const STCE: u64 = 1 << 63

/** True when stimecmp drives STIP. */
@inline export function sstcActive(h: usize): bool {
  return hasExtension(EXT_SSTC) && (load<u64>(h, H_MENVCFG) & STCE) != 0
}

/** First cycle at which `time` reaches `compare`. */
function deadlineOf(compare: u64): i64 {
  const ticks = compare - load<u64>(GLOBAL + G_TIME_OFFSET)
  const scale = <u64>load<u32>(GLOBAL + G_CYCLES_PER_TICK)
  return ticks > <u64>NEVER / scale ? NEVER : <i64>(ticks * scale)
}

/** Sets the timer bits of mip and the cycle of the next change. */
export function updateTimers(h: usize): void {
  const now = timeNow(h)
  let wires = load<u64>(h, H_MIP_WIRES) & ~(MTIP | UTIP)
  let deadline = NEVER
  const machine = load<u64>(h, H_MTIMECMP)
  if (now >= machine) wires |= MTIP
  else deadline = deadlineOf(machine)
  if (sstcActive(h)) {
    const supervisor = load<u64>(h, H_STIMECMP)
    if (now >= supervisor) wires |= STIP
    else {
      wires &= ~STIP
      deadline = min(deadline, deadlineOf(supervisor))
    }
  } else wires &= ~STIP
  if (hasExtension(EXT_N)) {
    const user = load<u64>(h, H_UTIMECMP)
    if (now >= user) wires |= UTIP
    else deadline = min(deadline, deadlineOf(user))
  }
  store<u64>(h, wires, H_MIP_WIRES)
  store<i64>(h, deadline, H_TIMER_DEADLINE)
}
