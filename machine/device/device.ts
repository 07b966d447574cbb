/**
 * The contract between a board and its devices. A device is one small class that owns its registers; it meets the
 * rest of the board only through what it is handed at construction: a clock, interrupt lines, guest memory.
 */

/** The width of one register access in bytes. The bus splits an 8-byte access into two of 4, low half first. */
export type AccessSize = 1 | 2 | 4

/** A memory-mapped device. Offsets count bytes from the device's base; the bus keeps them inside its window. */
export interface Device {
  /** A short name, unique on the board: it names the device in logs, traces and snapshots. */
  readonly name: string
  /** Reads a register. Returns an unsigned value of `size` bytes. */
  read(offset: number, size: AccessSize): number
  /** Writes a register. `value` is unsigned and `size` bytes wide. */
  write(offset: number, value: number, size: AccessSize): void
  /** Everything needed to resume: plain data (numbers, strings, bigint, typed arrays, arrays, objects). */
  save(): DeviceState
  /** Restores what `save` of the same version returned. Pending timers are restored by the clock. */
  load(state: DeviceState): void
}

export type DeviceState = { readonly [key: string]: unknown }

/** One interrupt wire. Level-sensitive: it stays as set until it is set otherwise. */
export interface InterruptLine {
  set(level: boolean): void
}

/** Time as a device sees it. One unit is one cycle of the board's clock. */
export interface Clock {
  /** Cycles since reset. */
  readonly now: number
  /** Cycles per second of virtual time. */
  readonly frequency: number
  /** Makes a timer that calls `expire` at most once per arming. Make timers in constructors only: creation order identifies them in snapshots and breaks ties. */
  timer(expire: () => void): Timer
}

export interface Timer {
  /** Arms (or re-arms) the timer for an absolute cycle; a cycle not after `now` expires at the next event point. */
  at(cycle: number): void
  cancel(): void
  readonly armed: boolean
}

/**
 * Guest memory as a bus master sees it. Addresses are physical. Each access is checked against RAM's bounds:
 * outside of it `read` returns undefined and `write` returns false, and nothing is transferred.
 */
export interface GuestMemory {
  /** A copy of `length` bytes. */
  read(address: number, length: number): Uint8Array | undefined
  write(address: number, bytes: Uint8Array): boolean
}

/** Where a device reports what a guest did that the device does not model. Each distinct text is shown once. */
export interface DeviceLog {
  warn(text: string): void
}
