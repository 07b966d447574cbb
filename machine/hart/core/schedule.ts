/**
 * Time on a board of several harts. Time moves in rounds: in each, every running hart executes until its clock reaches the
 * round's end, one hart after the other. A round is one quantum long, shorter when a device timer or a waiting hart's timer
 * comes first, and as long as nothing else can happen while one hart runs alone. Everything here follows from the state of
 * the machine; where the host interrupts a run leaves no trace in it.
 */
import {
  GLOBAL,
  G_CURRENT,
  G_HART_COUNT,
  G_HOST_LIMIT,
  G_NEXT_EVENT,
  G_NOW,
  G_QUANTUM,
  G_ROUND_ACTIVE,
  G_ROUND_ALONE,
  G_ROUND_END,
  G_STOP,
  G_TURN,
  H_LIMIT,
  H_MIDWAY,
  H_MIE,
  H_MIP_SOFTWARE,
  H_MIP_WIRES,
  H_MTIMECMP,
  H_PC,
  H_RESERVATION,
  H_RUNNING,
  H_STALL,
  H_STEP,
  H_TIMER_DEADLINE,
  H_WAITED,
  H_WAITING,
  H_WAIT_START,
  STOP_IDLE,
  STOP_LIMIT,
  STOP_NONE,
  STOP_STEPPED,
} from '../layout'
import { Kind, emit, tracing } from './events'
import { execute } from './generated/execute'
import { STEP_DONE } from './fetch'
import { runEvents } from './host'
import { NEVER, attend, clock, hartAddress } from './state'
import { updateTimers } from './timers'
import { pendingInterrupts, takeInterrupt } from './trap'

@inline function now(): i64 {
  return load<i64>(GLOBAL + G_NOW)
}

@inline function isRunning(h: usize): bool {
  return load<u32>(h, H_RUNNING) != 0 && load<u32>(h, H_WAITING) == 0
}

/**
 * The hart looks up: takes a due interrupt and sets the clock of the next look.
 * False when it must not go on: end of round, host limit, a stop, waiting, a step done.
 */
export function service(h: usize): bool {
  const stopping = load<u32>(GLOBAL + G_STOP) != STOP_NONE || load<u32>(h, H_STEP) == STEP_DONE
  if (load<u32>(h, H_MIDWAY) != 0) {
    // No check point, but where the debugger stops the hart or where it goes on; H_LIMIT is 0, so the next one looks up.
    if (stopping) return false
    store<u32>(h, 0, H_MIDWAY)
    return true
  }
  if (load<u32>(h, H_WAITING) != 0) return false
  // Whoever writes a compare register updates the timers: until the deadline nothing about them changes.
  if (clock(h) >= load<i64>(h, H_TIMER_DEADLINE)) updateTimers(h)
  takeInterrupt(h)
  let limit = min(load<i64>(GLOBAL + G_ROUND_END), load<i64>(GLOBAL + G_HOST_LIMIT))
  limit = min(limit, load<i64>(h, H_TIMER_DEADLINE))
  store<i64>(h, limit, H_LIMIT)
  return !stopping && clock(h) < limit
}

/** Ends a wait at a cycle: time passed without instructions. */
function wake(h: usize, cycle: i64): void {
  const waited = max(cycle - clock(h), 0)
  store<u32>(h, 0, H_WAITING)
  store<i64>(h, load<i64>(h, H_STALL) + waited, H_STALL)
  store<i64>(h, load<i64>(h, H_WAITED) + waited, H_WAITED)
  attend(h)
  if (tracing(Kind.wfiEnd)) emit(h, Kind.wfiEnd, <u64>(clock(h) - load<i64>(h, H_WAIT_START)), load<u64>(h, H_PC))
  // A hart that ran alone no longer does: its round ends where it stands.
  if (load<u32>(GLOBAL + G_ROUND_ACTIVE) != 0 && load<u32>(GLOBAL + G_ROUND_ALONE) != 0) endRoundAt(cycle)
}

/** Shortens the round under way. */
export function endRoundAt(cycle: i64): void {
  if (load<u32>(GLOBAL + G_ROUND_ACTIVE) == 0 || cycle >= load<i64>(GLOBAL + G_ROUND_END)) return
  store<i64>(GLOBAL + G_ROUND_END, cycle)
  attend(hartAddress(load<u32>(GLOBAL + G_CURRENT)))
}

/** A wire of mip changes at the board's time: `bits` go to `level`. */
export function setWires(index: u32, bits: u32, level: bool): void {
  const h = hartAddress(index)
  const old = load<u64>(h, H_MIP_WIRES)
  store<u64>(h, level ? old | <u64>bits : old & ~(<u64>bits), H_MIP_WIRES)
  if (!level) return
  if (load<u32>(h, H_WAITING) != 0) {
    if (pendingInterrupts(h) & load<u64>(h, H_MIE)) wake(h, max(now(), clock(h)))
  } else attend(h)
}

/** Software bits of mip set from outside: what a receiver of user interrupts does. */
export function setSoftware(index: u32, bits: u32, level: bool): void {
  const h = hartAddress(index)
  const old = load<u64>(h, H_MIP_SOFTWARE)
  store<u64>(h, level ? old | <u64>bits : old & ~(<u64>bits), H_MIP_SOFTWARE)
  setWires(index, 0, level)
}

/** The CLINT's compare register of a hart. */
export function setTimerCompare(index: u32, value: u64): void {
  const h = hartAddress(index)
  store<u64>(h, value, H_MTIMECMP)
  updateTimers(h)
  attend(h)
}

/** After `time` jumped. */
export function timeChanged(): void {
  const count = load<u32>(GLOBAL + G_HART_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    updateTimers(hartAddress(i))
    attend(hartAddress(i))
  }
}

/** When a waiting hart's timers end its wait; NEVER when they cannot. */
function wakeTime(h: usize): i64 {
  updateTimers(h)
  const enabled = load<u64>(h, H_MIE)
  if (pendingInterrupts(h) & enabled) return clock(h)
  // The deadline is that of the earliest timer; an enabled later one is found when this one has passed.
  return load<i64>(h, H_TIMER_DEADLINE)
}

/** Passes a waiting hart's deadlines up to a cycle: wakes it when one of them is enabled. */
function passDeadlines(h: usize, cycle: i64): void {
  while (load<u32>(h, H_WAITING) != 0) {
    const at = wakeTime(h)
    if (at > cycle) return
    const waited = max(at - clock(h), 0)
    store<i64>(h, load<i64>(h, H_STALL) + waited, H_STALL)
    store<i64>(h, load<i64>(h, H_WAITED) + waited, H_WAITED)
    updateTimers(h)
    if (pendingInterrupts(h) & load<u64>(h, H_MIE)) wake(h, at)
  }
}

/** Starts a round, or returns the reason why none can start. */
function startRound(): u32 {
  const count = load<u32>(GLOBAL + G_HART_COUNT)
  let running: u32 = 0
  let earliest = NEVER
  let wakeAt = NEVER
  for (let i: u32 = 0; i < count; i++) {
    const h = hartAddress(i)
    if (load<u32>(h, H_WAITING) != 0) passDeadlines(h, now())
    if (isRunning(h)) {
      running++
      earliest = min(earliest, clock(h))
    } else if (load<u32>(h, H_WAITING) != 0) wakeAt = min(wakeAt, wakeTime(h))
  }
  const next = min(load<i64>(GLOBAL + G_NEXT_EVENT), wakeAt)
  if (running == 0) {
    if (next >= NEVER) return STOP_IDLE
    const hostLimit = load<i64>(GLOBAL + G_HOST_LIMIT)
    if (next > hostLimit) {
      store<i64>(GLOBAL + G_NOW, max(now(), hostLimit))
      return STOP_LIMIT
    }
    store<i64>(GLOBAL + G_NOW, max(now(), next))
    return STOP_NONE
  }
  // No hart may be left behind by more than it takes to catch up: the slowest sets the time.
  store<i64>(GLOBAL + G_NOW, max(now(), earliest))
  const quantum = <i64>load<u32>(GLOBAL + G_QUANTUM)
  let end = running == 1 ? next : min(next, now() + quantum)
  end = max(end, now() + 1)
  store<i64>(GLOBAL + G_ROUND_END, end)
  store<u32>(GLOBAL + G_ROUND_ALONE, running == 1 ? 1 : 0)
  store<u32>(GLOBAL + G_CURRENT, 0)
  store<u32>(GLOBAL + G_ROUND_ACTIVE, 1)
  return STOP_NONE
}

/** Runs the harts in turn; false when the host must look at something before the round can go on. */
function continueRound(): bool {
  const count = load<u32>(GLOBAL + G_HART_COUNT)
  let index = load<u32>(GLOBAL + G_CURRENT)
  while (index < count) {
    const h = hartAddress(index)
    if (isRunning(h) && (clock(h) < load<i64>(GLOBAL + G_ROUND_END) || load<u32>(h, H_MIDWAY) != 0)) {
      // Another hart may have run since: whatever was reserved may have changed.
      if (load<u32>(GLOBAL + G_ROUND_ALONE) == 0 && load<u32>(GLOBAL + G_TURN) != index + 1) store<u64>(h, <u64>-1, H_RESERVATION)
      store<u32>(GLOBAL + G_TURN, index + 1)
      attend(h)
      execute(h)
      if (load<u32>(GLOBAL + G_STOP) != STOP_NONE) return false
      if (load<u32>(h, H_STEP) == STEP_DONE) {
        store<u32>(GLOBAL + G_STOP, STOP_STEPPED)
        return false
      }
      if (isRunning(h) && clock(h) < load<i64>(GLOBAL + G_ROUND_END)) {
        store<u32>(GLOBAL + G_STOP, STOP_LIMIT)
        return false
      }
    }
    index++
    store<u32>(GLOBAL + G_CURRENT, index)
  }
  return true
}

/** Time moves to the round's end, or to where a lone hart began to wait. */
function endRound(): void {
  const count = load<u32>(GLOBAL + G_HART_COUNT)
  let slowest = NEVER
  let fastest: i64 = 0
  for (let i: u32 = 0; i < count; i++) {
    const h = hartAddress(i)
    if (isRunning(h)) slowest = min(slowest, clock(h))
    fastest = max(fastest, load<u32>(h, H_WAITING) != 0 ? load<i64>(h, H_WAIT_START) : 0)
  }
  let reached = load<i64>(GLOBAL + G_ROUND_END)
  if (slowest >= NEVER) reached = min(reached, fastest)
  store<i64>(GLOBAL + G_NOW, max(now(), reached))
  store<u32>(GLOBAL + G_ROUND_ACTIVE, 0)
}

/** Runs the machine until something stops it; returns the STOP_* reason. */
export function run(): u32 {
  store<u32>(GLOBAL + G_STOP, STOP_NONE)
  while (true) {
    if (load<u32>(GLOBAL + G_ROUND_ACTIVE) == 0) {
      if (load<i64>(GLOBAL + G_NEXT_EVENT) <= now()) {
        runEvents()
        if (load<u32>(GLOBAL + G_STOP) != STOP_NONE) break
        continue
      }
      if (now() >= load<i64>(GLOBAL + G_HOST_LIMIT)) return STOP_LIMIT
      const reason = startRound()
      if (reason != STOP_NONE) return reason
      if (load<u32>(GLOBAL + G_ROUND_ACTIVE) == 0) continue
    }
    if (!continueRound()) break
    endRound()
  }
  return load<u32>(GLOBAL + G_STOP)
}
