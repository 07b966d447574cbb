/**
 * A whole machine: hart core, RAM, bus, clock, trace, run loop. What is on the bus and where is a board's business
 * (virt.ts, k210.ts); everything here is common to boards.
 */
import { BoardClock } from './clock.ts'
import { Bus } from './bus.ts'
import { Htif } from './htif.ts'
import { BoardLog } from './log.ts'
import { BOARD_TIMING, COST_OFFSETS, type BoardTiming, type HartCosts } from './timing.ts'
import type { AccessSize, GuestMemory, InterruptLine } from '../device/device.ts'
import type { TimingProfile } from '../device/timing.ts'
import { HartCore, NEVER } from '../hart/core.ts'
import * as L from '../hart/layout.ts'
import { Jit } from '../jit/jit.ts'
import type { Placement } from './loader.ts'
import { TraceCollector } from '../trace/collector.ts'
import { traceKind } from '../trace/kinds.ts'

/** How instructions are executed; no guest can tell. `auto`: what is fastest, the JIT. */
export type Engine = 'auto' | 'interpreter' | 'jit'

export interface MachineOptions {
  /** The compiled `hart.wasm`. */
  readonly hartModule: WebAssembly.Module
  readonly harts: number
  readonly ramBase: number
  readonly ramSize: number
  /** Where RAM answers a second time, past the caches. */
  readonly uncachedBase?: number
  readonly timing: TimingProfile
  /** Clock cycles per tick of `time`. */
  readonly cyclesPerTick: number
  readonly extensions: number
  readonly privileged: 12 | 9
  /** Cycles of a round when several harts run. */
  readonly quantum: number
  readonly engine: Engine
  readonly onWarning: (text: string) => void
}

const DMA_READ = traceKind('dma-read')
const DMA_WRITE = traceKind('dma-write')
const INTERRUPT_LINE = traceKind('interrupt-line')

export const DEFAULT_QUANTUM = 500
/** The longest stay in the core: a few milliseconds. */
const SLICE_CYCLES = 2_000_000

/** Why `run` came back. */
export type RunResult =
  | { readonly kind: 'limit' }
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'breakpoint'; readonly hart: number; readonly address: bigint }
  | { readonly kind: 'watchpoint'; readonly hart: number; readonly address: bigint }
  | { readonly kind: 'stepped' }
  /** Every hart waits and nothing is scheduled: only input from the host can go on. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'paused' }

export class Machine {
  readonly core: HartCore
  readonly bus: Bus
  readonly clock: BoardClock
  readonly log: BoardLog
  readonly timing: BoardTiming
  readonly trace: TraceCollector
  readonly dma: GuestMemory
  /** Absent where the interpreter does everything. */
  readonly jit: Jit | undefined = undefined
  private htifDevice: Htif | undefined
  /** Where HTIF is served, when it is. */
  htif: { readonly tohost: number; readonly fromhost: number | undefined } | undefined
  private outcome: RunResult | undefined
  /** Hart whose device access is under way, or -1. */
  private accessing = -1
  /** Answers `uipi`; set by a board that has a UINTC. */
  userInterrupts: ((hart: number, operation: number, receiver: number, value: bigint) => bigint) | undefined
  /** Receives what HTIF programs print. */
  onHtifOutput: (bytes: Uint8Array) => void = () => {}

  constructor(readonly options: MachineOptions) {
    this.timing = BOARD_TIMING[options.timing]
    this.log = new BoardLog(options.onWarning)
    this.bus = new Bus(this.log)
    this.core = new HartCore(
      { ...options, module: options.hartModule },
      {
        mmioRead: (hart, address, size) => this.mmioRead(hart, address >>> 0, size as AccessSize),
        mmioWrite: (hart, address, size, value) => this.mmioWrite(hart, address >>> 0, size as AccessSize, value >>> 0),
        runEvents: () => this.clock.runDue(),
        drainTrace: () => this.trace.drain(),
        tohost: (low, high) => this.htifDevice?.command(low >>> 0, high >>> 0),
        hot: (hart, slot, low, high) => this.jit?.hot(hart, slot >>> 0, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)),
        refused: (hart, slot) => this.jit?.refused(hart, slot >>> 0),
        codeChanged: (page, first, last) => this.jit?.codeChanged(page >>> 0, first, last),
        codeForgotten: () => this.jit?.codeForgotten(),
        userInterrupt: (hart, operation, receiver, value) => this.userInterrupt(hart, operation, receiver >>> 0, BigInt.asUintN(64, value)),
      },
    )
    if (options.engine !== 'interpreter') this.jit = new Jit(this.core)
    this.setCosts(this.timing.costs)
    this.core.setGlobal64(L.G_UNCACHED, BigInt(options.uncachedBase ?? 0))
    this.clock = new BoardClock(
      this.timing.frequency,
      () => (this.accessing < 0 ? this.now : Math.max(this.now, this.core.clock(this.accessing))),
      (cycle) => this.deadlineChanged(cycle),
    )
    this.trace = new TraceCollector(this.core)
    this.dma = {
      read: (address, length) => {
        const at = this.ramAt(address, length)
        this.deviceEvent(DMA_READ, address, length)
        return at < 0 ? undefined : this.core.bytes.slice(at, at + length)
      },
      write: (address, bytes) => {
        const at = this.ramAt(address, bytes.length)
        this.deviceEvent(DMA_WRITE, address, bytes.length)
        if (at < 0) return false
        this.core.bytes.set(bytes, at)
        const physical = at - this.core.ramOffset + options.ramBase
        if (bytes.length) this.core.exports.memoryChanged(BigInt(physical), BigInt(bytes.length))
        return true
      },
    }
  }

  /** Cycles since reset. In the middle of a round: where the hart stands whose turn it is. */
  get now(): number {
    const now = this.core.globalCycle(L.G_NOW)
    return this.core.global32(L.G_ROUND_ACTIVE) ? Math.max(now, this.core.clock(this.core.global32(L.G_CURRENT))) : now
  }

  /** Seconds of virtual time since reset. */
  get seconds(): number {
    return this.now / this.timing.frequency
  }

  /** Instructions retired by all harts. */
  get retired(): number {
    let sum = 0
    for (let hart = 0; hart < this.options.harts; hart++) sum += this.core.retired(hart)
    return sum
  }

  /** Cycles that a hart spent in wfi. */
  waited(hart: number): number {
    return Number(this.core.hart64(hart, L.H_WAITED))
  }

  setCosts(costs: HartCosts): void {
    for (const [name, offset] of Object.entries(COST_OFFSETS)) this.core.setGlobal32(offset, costs[name as keyof HartCosts])
    // Compiled code has them inside.
    this.core.exports.forgetCode()
  }

  /** A wire into a hart's mip: `bit` 11 is MEIP, and so on. */
  wire(hart: number, bit: number): InterruptLine {
    const mask = 2 ** bit
    return {
      set: (level) => {
        if (((this.core.hart32(hart, L.H_MIP_WIRES) & mask) !== 0) !== level) this.core.exports.setWires(hart, mask, level ? 1 : 0)
      },
    }
  }

  /** Copies placements into RAM. They have been checked. */
  place(placements: readonly Placement[]): void {
    for (const { address, bytes, size } of placements) {
      const at = this.ramAt(address, size)
      this.core.bytes.fill(0, at, at + size)
      this.core.bytes.set(bytes.subarray(0, size), at)
    }
  }

  /** Serves HTIF at these addresses (physical). */
  enableHtif(tohost: number, fromhost: number | undefined): void {
    this.core.setGlobal64(L.G_TOHOST, BigInt(tohost))
    this.htif = { tohost, fromhost }
    this.htifDevice = new Htif(
      {
        readDoubleword: (address) => {
          const bytes = this.dma.read(address, 8)
          return bytes && new DataView(bytes.buffer).getBigUint64(0, true)
        },
        writeDoubleword: (address, value) => {
          const bytes = new Uint8Array(8)
          new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, value), true)
          this.dma.write(address, bytes)
        },
        readBytes: (address, length) => this.dma.read(address, length),
        putBytes: (bytes) => this.onHtifOutput(bytes),
        exit: (status) => this.exit(status),
      },
      tohost,
      fromhost,
    )
  }

  /** The guest ends the run with this status. */
  exit(status: number): void {
    this.stop({ kind: 'exit', status })
  }

  /** Makes `run` return with this result as soon as the harts look up. */
  stop(result: RunResult): void {
    // The guest runs on until its harts look up; what it asked for first counts.
    if (this.outcome?.kind !== 'exit') this.outcome = result
    this.core.exports.requestStop(L.STOP_REQUESTED)
  }

  /** Runs until `untilCycle` at the latest. Where the host stops a run leaves no trace in what the guest sees. */
  run(untilCycle = Infinity): RunResult {
    this.outcome = undefined
    let reason: number
    // In slices: the engine replaces the interpreter by its optimised form only when it is entered anew.
    do {
      this.core.setGlobal64(L.G_HOST_LIMIT, cycleOrNever(Math.min(untilCycle, this.now + SLICE_CYCLES)))
      reason = this.core.exports.run()
      this.jit?.flush()
    } while (reason === L.STOP_LIMIT && this.now < untilCycle)
    switch (reason) {
      case L.STOP_BREAKPOINT:
      case L.STOP_WATCHPOINT: {
        const kind = reason === L.STOP_BREAKPOINT ? 'breakpoint' : 'watchpoint'
        return { kind, hart: this.core.global32(L.G_HIT_HART), address: BigInt.asUintN(64, this.core.global64(L.G_HIT_ADDRESS)) }
      }
      case L.STOP_STEPPED:
        return { kind: 'stepped' }
      case L.STOP_IDLE:
        return { kind: 'idle' }
      case L.STOP_REQUESTED:
        return this.outcome ?? { kind: 'paused' }
      default:
        return { kind: 'limit' }
    }
  }

  /** Index into the core's memory of RAM at a physical address, or -1 when the range is not all RAM. */
  ramAt(address: number, length: number): number {
    const { ramBase, ramSize, uncachedBase } = this.options
    const base = uncachedBase !== undefined && address < ramBase ? uncachedBase : ramBase
    const offset = address - base
    return offset >= 0 && length >= 0 && offset + length <= ramSize ? this.core.ramOffset + offset : -1
  }

  private mmioRead(hart: number, address: number, size: AccessSize): number {
    this.accessing = hart
    const value = this.bus.read(address, size)
    this.accessing = -1
    return value
  }

  private mmioWrite(hart: number, address: number, size: AccessSize, value: number): number {
    this.accessing = hart
    const answered = this.bus.write(address, value, size)
    this.accessing = -1
    return answered ? 0 : -1
  }

  private userInterrupt(hart: number, operation: number, receiver: number, value: bigint): bigint {
    this.accessing = hart
    const result = this.userInterrupts?.(hart, operation, receiver, value) ?? 0n
    this.accessing = -1
    return result
  }

  /** A device's wire into the interrupt controller changed. */
  interruptLine(source: number, level: boolean): void {
    this.deviceEvent(INTERRUPT_LINE, source * 2 + (level ? 1 : 0), 0)
  }

  private deviceEvent(kind: number, a: number, b: number): void {
    if (this.trace.enabled(kind)) this.trace.record(kind, this.clock.glimpse, BigInt(a), BigInt(b))
  }

  private deadlineChanged(cycle: number): void {
    this.core.setGlobal64(L.G_NEXT_EVENT, cycleOrNever(cycle))
    // An event within the round under way ends the round there, whether a hart or the host caused it.
    if (cycle !== Infinity) this.core.exports.endRoundAt(BigInt(Math.max(cycle, 1)))
  }
}

function cycleOrNever(cycle: number): bigint {
  return cycle >= Number.MAX_SAFE_INTEGER ? NEVER : BigInt(Math.ceil(cycle))
}
