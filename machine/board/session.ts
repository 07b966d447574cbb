/**
 * A board as a person uses it: run, pause, step, look inside. It knows nothing of threads: whoever owns it calls `advance`
 * again and again and passes on what it gathers.
 */
import { ConsoleStream } from '../backend/console.ts'
import { Debugger, type Watchpoint } from '../debug/debugger.ts'
import { DebugError } from '../debug/error.ts'
import type { PageWalk } from '../debug/page-walk.ts'
import { floatRegisterNames, integerRegisterNames } from '../isa/registers.ts'
import { LATENCY_KINDS, LatencyRecorder } from '../trace/latency.ts'
import { HartShares, type HartShare } from '../trace/hart-shares.ts'
import type { TimingProfile } from '../device/timing.ts'
import { boot, needsFirmware, type BootFile } from './boot.ts'
import { interruptView, type InterruptView } from './interrupt-view.ts'
import type { RunResult } from './machine.ts'
import { restoreSnapshot, takeSnapshot, type Snapshot } from './snapshot.ts'
import { VirtBoard } from './virt.ts'

export interface SessionOptions {
  readonly hartModule: WebAssembly.Module
  readonly harts: number
  readonly timing: TimingProfile
  readonly ramBytes: number
  readonly program: BootFile
  /** For programs that start in S-mode. */
  readonly firmware: BootFile
}

export interface ConsoleText {
  /** Characters printed before. */
  readonly offset: number
  readonly text: string
  readonly lines: { at: number; seconds: number }[]
}

export interface RegisterValues {
  readonly pc: bigint
  readonly privilege: 'U' | 'S' | 'M'
  readonly integer: readonly (readonly [string, bigint])[]
  readonly float: readonly (readonly [string, bigint])[]
  readonly csrs: readonly (readonly [string, bigint])[]
}

/** CSRs shown, in this order. */
const SHOWN_CSRS = (
  'mstatus mie mip mtvec mepc mcause mtval mscratch medeleg mideleg mcycle minstret ' +
  'sstatus sie sip stvec sepc scause stval sscratch satp fcsr'
).split(' ')

const PAGE = 4096

export class BoardSession {
  readonly board: VirtBoard
  readonly latency: LatencyRecorder
  readonly debugger: Debugger
  private readonly shares: HartShares
  private readonly input: ConsoleStream
  private readonly decoder = new TextDecoder()
  private wanted: readonly bigint[] = []
  private temporary: bigint | undefined
  private printed = 0
  private pending = ''
  private pendingLines: { at: number; seconds: number }[] = []

  constructor(options: SessionOptions) {
    this.input = new StampedConsole(
      (bytes, begins) => this.gather(bytes, begins),
      () => this.board.machine.seconds,
    )
    this.board = new VirtBoard({
      hartModule: options.hartModule,
      harts: options.harts,
      ramSize: options.ramBytes,
      timing: options.timing,
      console: this.input,
    })
    const { machine } = this.board
    this.debugger = new Debugger(machine)
    this.latency = new LatencyRecorder(machine.timing.frequency)
    this.shares = new HartShares(machine.core, options.harts)
    machine.onHtifOutput = (bytes) => bytes.forEach((byte) => this.input.write(byte))
    machine.trace.enable(LATENCY_KINDS)
    machine.trace.subscribe((events) => this.latency.take(events))
    const { program: kernel, firmware } = options
    boot(this.board, { kernel, firmware: needsFirmware(kernel, machine.options.ramBase) ? firmware : undefined })
  }

  get cycles(): number {
    return this.board.machine.now
  }

  get seconds(): number {
    return this.board.machine.seconds
  }

  get retired(): number {
    return this.board.machine.retired
  }

  /** Instructions that compiled code has executed. */
  get compiled(): number {
    return this.board.machine.jit?.report().compiledInstructions ?? 0
  }

  /** Runs for at most so many cycles of virtual time. */
  advance(cycles: number): RunResult {
    const { machine } = this.board
    const result = this.debugger.resume(machine.now + cycles)
    machine.trace.drain()
    this.shares.sample()
    if (result.kind === 'exit' || result.kind === 'reset') this.board.uart.drain()
    return result
  }

  /** Executes one instruction on one hart; the others run as the schedule has it. */
  step(hart: number): RunResult {
    const result = this.debugger.step(hart)
    this.board.machine.trace.drain()
    return result
  }

  /** Lets the next `advance` leave the breakpoints that harts stand on. */
  passBreakpoints(): void {
    this.debugger.passHere()
  }

  get breakpoints(): readonly bigint[] {
    return this.wanted
  }

  setBreakpoints(addresses: readonly bigint[]): void {
    this.wanted = [...addresses]
    this.applyBreakpoints()
  }

  /** One more that nobody asked for: where a step comes to its end. */
  setTemporaryBreakpoint(address: bigint | undefined): void {
    this.temporary = address
    this.applyBreakpoints()
  }

  private applyBreakpoints(): void {
    // It comes first: there may be as many others as there can be.
    this.debugger.setBreakpoints(this.temporary === undefined ? this.wanted : [this.temporary, ...this.wanted])
  }

  setWatchpoints(watchpoints: readonly Watchpoint[]): void {
    for (const old of this.debugger.watchpoints) this.debugger.removeWatchpoint(old)
    for (const watchpoint of watchpoints) this.debugger.addWatchpoint(watchpoint)
  }

  walk(hart: number, address: bigint): PageWalk {
    return this.debugger.walk(hart, address)
  }

  interrupts(): InterruptView {
    return interruptView(this.board)
  }

  snapshot(): Snapshot {
    this.input.flush()
    return takeSnapshot(this.board)
  }

  /** Time goes back: what was measured after the snapshot is forgotten, what was printed stays printed. */
  restore(snapshot: Snapshot): void {
    this.input.flush()
    restoreSnapshot(this.board, snapshot)
    this.debugger.apply()
    this.latency.rewind(this.cycles)
  }

  stackPointer(hart: number): bigint {
    return this.debugger.readRegister(hart, 'sp')
  }

  /** Typed now: it arrives at the cycle where the board stands. */
  type(bytes: Uint8Array): void {
    this.input.push(bytes, this.board.machine.clock.now)
  }

  /** The output since the last call; undefined when there is none. */
  takeOutput(): ConsoleText | undefined {
    this.input.flush()
    if (this.pending === '') return undefined
    const chunk = { offset: this.printed, text: this.pending, lines: this.pendingLines }
    this.printed += this.pending.length
    this.pending = ''
    this.pendingLines = []
    return chunk
  }

  hartShares(): HartShare[] {
    return this.shares.take()
  }

  pc(hart: number): bigint {
    return this.board.machine.core.pc(hart)
  }

  registers(hart: number): RegisterValues {
    const named = (names: readonly string[]) => names.map((name) => [name, this.debugger.readRegister(hart, name)] as const)
    return {
      pc: this.pc(hart),
      privilege: (['U', 'S', 'S', 'M'] as const)[Number(this.debugger.readRegister(hart, 'privilege'))],
      integer: named(integerRegisterNames),
      float: named(floatRegisterNames),
      csrs: named(SHOWN_CSRS),
    }
  }

  /** False when there is no such register, or it cannot be written. */
  writeRegister(hart: number, name: string, value: bigint): boolean {
    return succeeds(() => this.debugger.writeRegister(hart, name, value))
  }

  /** Bytes behind the hart's addresses; undefined where nothing is mapped or a device answers. */
  memory(hart: number, address: bigint, length: number): (number | undefined)[] {
    const bytes: (number | undefined)[] = []
    while (bytes.length < length) {
      const at = BigInt.asUintN(64, address + BigInt(bytes.length))
      const size = Math.min(length - bytes.length, PAGE - Number(at % BigInt(PAGE)))
      const there = succeeds(() => bytes.push(...this.debugger.readMemory(at, size, { hart })))
      if (!there) bytes.push(...Array<undefined>(size).fill(undefined))
    }
    return bytes
  }

  /** False when some of it is not RAM; nothing is then written. */
  writeMemory(hart: number, address: bigint, bytes: readonly number[]): boolean {
    return succeeds(() => this.debugger.writeMemory(address, Uint8Array.from(bytes), { hart }))
  }

  private gather(bytes: Uint8Array, begins: readonly { at: number; seconds: number }[]): void {
    let from = 0
    for (const { at, seconds } of begins) {
      this.pending += this.decoder.decode(bytes.subarray(from, at), { stream: true })
      this.pendingLines.push({ at: this.pending.length, seconds })
      from = at
    }
    this.pending += this.decoder.decode(bytes.subarray(from), { stream: true })
  }
}

function succeeds(action: () => void): boolean {
  try {
    action()
    return true
  } catch (error) {
    if (error instanceof DebugError) return false
    throw error
  }
}

/** Remembers when the first byte of each line was sent. */
class StampedConsole extends ConsoleStream {
  private sent = 0
  private begins: { at: number; seconds: number }[]
  private lineBegins = true

  constructor(
    output: (bytes: Uint8Array, begins: readonly { at: number; seconds: number }[]) => void,
    private readonly seconds: () => number,
  ) {
    const begins: { at: number; seconds: number }[] = []
    super((bytes) => {
      const taken = begins.splice(0)
      this.sent = 0
      output(bytes, taken)
    })
    this.begins = begins
  }

  override write(byte: number): void {
    if (this.lineBegins) this.begins.push({ at: this.sent, seconds: this.seconds() })
    this.lineBegins = byte === 10
    this.sent++
    super.write(byte)
  }
}
