// Owns the modes of the console: raw while a line is edited, cooked with Ctrl-C while programs run.
import { sysDevice } from '../../user/system'

const TCGETS: u32 = 0x5401
const TCSETS: u32 = 0x5402
const TIOCSPGRP: u32 = 0x5410
const TIOCGWINSZ: u32 = 0x5413
/** Offset of c_lflag. */
const LOCAL: usize = 12

const cooked = memory.data(64, 8)
const raw = memory.data(64, 8)
const cell = memory.data(8, 8)

/** False when standard input is no console. */
export function openTerminal(): bool {
  if (sysDevice(0, TCGETS, cooked) < 0) return false
  memory.copy(raw, cooked, 64)
  // ISIG 1, ICANON 2, ECHO 8
  store<u32>(raw, load<u32>(raw, LOCAL) & ~11, LOCAL)
  return true
}

export function setRaw(on: bool): void {
  sysDevice(0, TCSETS, on ? raw : cooked)
}

/** Ctrl-C ends the processes of this group from now on. */
export function setForeground(group: u32): void {
  store<u32>(cell, group)
  sysDevice(0, TIOCSPGRP, cell)
}

export function columns(): u32 {
  return sysDevice(0, TIOCGWINSZ, cell) < 0 || load<u16>(cell, 2) < 20 ? 80 : load<u16>(cell, 2)
}
