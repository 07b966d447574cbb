// The table of harts: which there are, the state of each (SBI 1.0, chapter 9), and what other harts ask of it. Shared by all
// harts, so every field is atomic. hsm.ts, ipi.ts and fence.ts change it.
import { MSIP } from './board-virt'

export const MAX_HARTS: u32 = 8

// States as the SBI numbers them. A hart that somebody is about to start is CLAIMED until its address is in place.
export const STARTED: u32 = 0
export const STOPPED: u32 = 1
export const START_PENDING: u32 = 2
export const SUSPENDED: u32 = 4
export const CLAIMED: u32 = 0x100 | START_PENDING

// What a software interrupt may be for.
export const REASON_INTERRUPT: u32 = 1
export const REASON_FENCE: u32 = 2

// A hart's entry: 0 state, 4 reasons, 8 start address, 16 its a1. 64 bytes, so that no two harts share a line.
const table: usize = memory.data(512, 64)
const REASONS: usize = 4
const ADDRESS: usize = 8
const OPAQUE: usize = 16

// Bit h: hart h exists. By the device tree, or else those that have come by.
const present: usize = memory.data(8, 8)
const ARRIVED: usize = 4

function entry(hart: u32): usize {
  return table + (hart << 6)
}

export function stateOf(hart: u32): u32 {
  return atomic.load<u32>(entry(hart))
}

export function setState(hart: u32, state: u32): void {
  atomic.store<u32>(entry(hart), state)
}

/** True when the state was `from`, and is `to` now. */
export function changeState(hart: u32, from: u32, to: u32): bool {
  return atomic.cmpxchg<u32>(entry(hart), from, to) == from
}

export function setStart(hart: u32, address: u64, opaque: u64): void {
  store<u64>(entry(hart), address, ADDRESS)
  store<u64>(entry(hart), opaque, OPAQUE)
}

export function startAddress(hart: u32): u64 {
  return load<u64>(entry(hart), ADDRESS)
}

export function startOpaque(hart: u32): u64 {
  return load<u64>(entry(hart), OPAQUE)
}

export function setPresent(harts: u32): void {
  atomic.store<u32>(present, harts)
}

export function arrive(hart: u32): void {
  atomic.or<u32>(present + ARRIVED, 1 << hart)
}

export function allHarts(): u32 {
  const told = atomic.load<u32>(present)
  return told != 0 ? told : atomic.load<u32>(present + ARRIVED)
}

export function exists(hart: u64): bool {
  return hart < MAX_HARTS && ((allHarts() >>> <u32>hart) & 1) != 0
}

/** Asks something of a hart that runs or sleeps. */
export function ask(hart: u32, reason: u32): void {
  atomic.or<u32>(entry(hart) + REASONS, reason)
  raise(hart)
}

/** What is asked of this hart; nothing is asked any more afterwards. */
export function takeReasons(hart: u32): u32 {
  return atomic.xchg<u32>(entry(hart) + REASONS, 0)
}

export function raise(hart: u32): void {
  cpu.fence()
  cpu.store32(MSIP + (hart << 2), 1)
}

export function lower(hart: u32): void {
  cpu.store32(MSIP + (hart << 2), 0)
  cpu.fence()
}
