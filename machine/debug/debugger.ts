/**
 * The debugger's hands: stops, steps, registers, memory, page tables of a machine. What it does not use costs nothing, and
 * where it stops a run leaves no trace in what the guest sees: cycles and events are those of a run that went through.
 */
import type { Machine, RunResult } from '../board/machine.ts'
import * as L from '../hart/layout.ts'
import { DebugError } from './error.ts'
import { type PageWalk, walkPageTable } from './page-walk.ts'
import { findRegister, readRegister, writeRegister } from './registers.ts'

export type WatchAccess = 'read' | 'write' | 'access'

/** Bytes whose use stops the machine before the instruction that would use them. Addresses are as the guest uses them. */
export interface Watchpoint {
  readonly address: bigint
  /** Bytes. */
  readonly length: number
  readonly access: WatchAccess
}

/** Which addresses a request means: those of a hart, translated as its page table says, or physical ones. */
export type AddressSpace = { readonly hart: number } | 'physical'

const WATCH_BITS: Readonly<Record<WatchAccess, number>> = { read: 1, write: 2, access: 3 }
const STEP_ARMED = 1
const PAGE = 4096n
const MASK = 2n ** 64n - 1n

export class Debugger {
  private readonly set = new Set<bigint>()
  private watched: Watchpoint[] = []
  /** Stops that were reported: hart, how much it had retired, and why. Going on passes exactly these. */
  private readonly reported = new Map<number, { readonly retired: number; readonly what: 'breakpoint' | 'watchpoint' }>()

  constructor(readonly machine: Machine) {}

  private get core() {
    return this.machine.core
  }
  private get harts(): number {
    return this.machine.options.harts
  }

  // ---- breakpoints and watchpoints ----

  /** Addresses at which a hart stops before it executes the instruction there. */
  get breakpoints(): readonly bigint[] {
    return [...this.set]
  }

  /** @throws DebugError when there are too many, or the address is odd. */
  addBreakpoint(address: bigint): void {
    if (address & 1n) throw new DebugError('bad-address', `0x${address.toString(16)} is odd: no instruction begins there`)
    if (this.set.has(address)) return
    if (this.set.size >= L.MAX_BREAKPOINTS) throw new DebugError('too-many', `there can be ${L.MAX_BREAKPOINTS} breakpoints at most`)
    this.set.add(address)
    this.applyBreakpoints()
  }

  removeBreakpoint(address: bigint): void {
    if (this.set.delete(address)) this.applyBreakpoints()
  }

  get watchpoints(): readonly Watchpoint[] {
    return this.watched
  }

  /** @throws DebugError when there are too many, or the length is not 1 to 4096. */
  addWatchpoint(watchpoint: Watchpoint): void {
    const { length } = watchpoint
    if (!Number.isInteger(length) || length < 1 || length > 4096)
      throw new DebugError('bad-length', `a watchpoint covers 1 to 4096 bytes, not ${length}`)
    if (this.watched.length >= L.MAX_WATCHPOINTS) throw new DebugError('too-many', `there can be ${L.MAX_WATCHPOINTS} watchpoints at most`)
    this.watched = [...this.watched, { ...watchpoint }]
    this.applyWatchpoints()
  }

  removeWatchpoint({ address, length, access }: Watchpoint): void {
    this.watched = this.watched.filter((other) => other.address !== address || other.length !== length || other.access !== access)
    this.applyWatchpoints()
  }

  /** Removes all breakpoints and watchpoints: the machine runs as if it had never been debugged. */
  clear(): void {
    this.set.clear()
    this.watched = []
    this.apply()
  }

  /** Puts breakpoints and watchpoints in force again, after the machine's state was replaced by a snapshot. */
  apply(): void {
    this.reported.clear()
    this.applyBreakpoints()
    this.applyWatchpoints()
  }

  /** Puts these breakpoints in the place of all others; those beyond the most there can be are left out. */
  setBreakpoints(addresses: readonly bigint[]): void {
    this.set.clear()
    for (const address of addresses) if (this.set.size < L.MAX_BREAKPOINTS) this.set.add(address & ~1n)
    this.applyBreakpoints()
  }

  private applyBreakpoints(): void {
    const { core } = this
    const offsets = L.GLOBAL + L.G_BREAKPOINT_OFFSETS
    core.bytes.fill(0, offsets, offsets + 256)
    let count = 0
    for (const address of this.set) {
      core.setGlobal64(L.G_BREAKPOINTS + count++ * 8, address)
      const halfword = Number(address & 0xfffn) >>> 1
      core.bytes[offsets + (halfword >>> 3)] |= 1 << (halfword & 7)
    }
    core.setGlobal32(L.G_BREAKPOINT_COUNT, count)
    core.exports.forgetCode()
  }

  private applyWatchpoints(): void {
    const { core } = this
    this.watched.forEach(({ address, length, access }, index) => {
      core.setGlobal64(L.G_WATCHPOINTS + index * 16, address)
      core.setGlobal64(L.G_WATCHPOINTS + index * 16 + 8, BigInt(length) | (BigInt(WATCH_BITS[access]) << 32n))
    })
    core.setGlobal32(L.G_WATCHPOINT_COUNT, this.watched.length)
    core.exports.watchpointsChanged()
  }

  // ---- running ----

  /** All harts go on together, until a breakpoint, a watchpoint, the cycle, or whatever else ends a run. */
  resume(untilCycle = Infinity): RunResult {
    return this.run(untilCycle)
  }

  /** Makes a run return `paused`: all harts stop where they look up next. For use while the machine runs, from a device or a timer. */
  pause(): void {
    this.machine.stop({ kind: 'paused' })
  }

  /** The harts have been seen where they stand: going on passes breakpoints there, though none was reported. */
  passHere(): void {
    for (let hart = 0; hart < this.harts; hart++) {
      if (this.reported.get(hart)?.retired !== this.core.retired(hart)) this.report(hart, 'breakpoint')
    }
  }

  /**
   * One instruction of one hart; a trap it takes is part of it. The other harts get the turns that the schedule gives them
   * meanwhile. A hart that waits steps when something wakes it, by `untilCycle` at the latest.
   */
  step(hart: number, untilCycle = this.machine.now + this.machine.timing.frequency): RunResult {
    this.checkHart(hart)
    this.core.setHart32(hart, L.H_STEP, STEP_ARMED)
    try {
      return this.run(untilCycle)
    } finally {
      this.core.setHart32(hart, L.H_STEP, 0)
    }
  }

  /** Runs until a hart, or that one, comes to `address` (again, if it stands there), or something else stops the run. */
  runTo(address: bigint, { hart, untilCycle = Infinity }: { hart?: number; untilCycle?: number } = {}): RunResult {
    const lasting = this.set.has(address)
    if (!lasting) this.addBreakpoint(address)
    for (let index = 0; index < this.harts; index++) if (this.core.pc(index) === address) this.report(index, 'breakpoint')
    try {
      for (;;) {
        const result = this.run(untilCycle)
        const elsewhere = result.kind === 'breakpoint' && result.address === address && hart !== undefined && result.hart !== hart
        if (!elsewhere || lasting) return result
      }
    } finally {
      if (!lasting) this.removeBreakpoint(address)
    }
  }

  private run(untilCycle: number): RunResult {
    const { core, reported } = this
    for (let hart = 0; hart < this.harts; hart++) {
      const stop = reported.get(hart)
      if (stop?.retired === core.retired(hart)) core.passStop(hart, stop.what === 'breakpoint' ? L.PASS_BREAKPOINT : L.PASS_WATCHPOINTS)
      else core.setHart32(hart, L.H_SKIP, 0)
    }
    const result = this.machine.run(untilCycle)
    if (result.kind === 'breakpoint' || result.kind === 'watchpoint') this.report(result.hart, result.kind)
    return result
  }

  private report(hart: number, what: 'breakpoint' | 'watchpoint'): void {
    this.reported.set(hart, { retired: this.core.retired(hart), what })
  }

  // ---- registers ----

  /** A register by name: `a0` or `x10`, `fa0` or `f10`, `pc`, `privilege` (0 U, 1 S, 3 M), or a CSR. @throws DebugError for an unknown one. */
  readRegister(hart: number, name: string): bigint {
    this.checkHart(hart)
    return readRegister(this.core, hart, findRegister(this.core, hart, name))
  }

  /** CSRs take what a `csrw` in M-mode would make of the value. @throws DebugError for an unknown or read-only register. */
  writeRegister(hart: number, name: string, value: bigint): void {
    this.checkHart(hart)
    writeRegister(this.core, hart, findRegister(this.core, hart, name), BigInt.asUintN(64, value))
    // Wherever it goes on, it has not been stopped at there.
    this.reported.delete(hart)
  }

  // ---- memory ----

  /** Bytes of RAM. Page tables are followed without their permissions, and A and D bits stay. @throws DebugError where there is no RAM. */
  readMemory(address: bigint, length: number, space: AddressSpace): Uint8Array {
    const bytes = new Uint8Array(length)
    for (const piece of this.pieces(address, length, space)) {
      bytes.set(this.core.bytes.subarray(piece.at, piece.at + piece.length), piece.offset)
    }
    return bytes
  }

  /** All or nothing. Code and reservations that the bytes were part of are forgotten. @throws DebugError where there is no RAM. */
  writeMemory(address: bigint, bytes: Uint8Array, space: AddressSpace): void {
    for (const piece of [...this.pieces(address, bytes.length, space)]) {
      this.core.bytes.set(bytes.subarray(piece.offset, piece.offset + piece.length), piece.at)
      this.core.exports.memoryChanged(BigInt(piece.physical), BigInt(piece.length))
    }
  }

  /** The physical address behind one of a hart's; undefined where nothing is mapped. */
  translate(hart: number, address: bigint): bigint | undefined {
    return this.walk(hart, address).physical
  }

  /** How a hart's page table translates an address, level by level. In M-mode nothing is translated. */
  walk(hart: number, address: bigint): PageWalk {
    this.checkHart(hart)
    return walkPageTable(this.machine, hart, address & MASK)
  }

  private *pieces(address: bigint, length: number, space: AddressSpace) {
    for (let offset = 0; offset < length;) {
      const virtual = (address + BigInt(offset)) & MASK
      const size = Math.min(length - offset, Number(PAGE - (virtual % PAGE)))
      const physical = space === 'physical' ? virtual : this.translate(space.hart, virtual)
      if (physical === undefined) throw new DebugError('not-mapped', `0x${virtual.toString(16)} is not mapped`)
      const at = physical < 2n ** 52n ? this.machine.ramAt(Number(physical), size) : -1
      if (at < 0) throw new DebugError('no-memory', `0x${virtual.toString(16)}: there is no RAM at physical 0x${physical.toString(16)}`)
      yield { offset, length: size, at, physical: Number(physical) }
      offset += size
    }
  }

  private checkHart(hart: number): void {
    if (!Number.isInteger(hart) || hart < 0 || hart >= this.harts) throw new DebugError('no-hart', `the board has no hart ${hart}`)
  }
}
