/**
 * A board as a person uses it: run, pause, step, look inside. It knows nothing of threads: whoever owns it calls `advance`
 * again and again and passes on what it gathers.
 */
import { ConsoleStream } from '../backend/console.ts'
import { csrs } from '../isa/csrs.ts'
import { floatRegisterNames, integerRegisterNames } from '../isa/registers.ts'
import * as L from '../hart/layout.ts'
import { LATENCY_KINDS, LatencyRecorder } from '../trace/latency.ts'
import { HartShares, type HartShare } from '../trace/hart-shares.ts'
import type { TimingProfile } from '../device/timing.ts'
import { boot } from './boot.ts'
import type { RunResult } from './machine.ts'
import { VirtBoard } from './virt.ts'

export interface SessionOptions {
  readonly hartModule: WebAssembly.Module
  readonly harts: number
  readonly timing: TimingProfile
  readonly ramBytes: number
  readonly program: { readonly name: string; readonly bytes: Uint8Array }
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

const ALL_ONES = 0xffff_ffff_ffff_ffffn
const STEP_ARMED = 1

export class BoardSession {
  readonly board: VirtBoard
  readonly latency: LatencyRecorder
  private readonly shares: HartShares
  private readonly input: ConsoleStream
  private readonly decoder = new TextDecoder()
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
    this.latency = new LatencyRecorder(machine.timing.frequency)
    this.shares = new HartShares(machine.core, options.harts)
    machine.onHtifOutput = (bytes) => bytes.forEach((byte) => this.input.write(byte))
    machine.trace.enable(LATENCY_KINDS)
    machine.trace.subscribe((events) => this.latency.take(events))
    boot(this.board, { kernel: options.program })
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

  /** Runs for at most so many cycles of virtual time. */
  advance(cycles: number): RunResult {
    const { machine } = this.board
    const result = machine.run(machine.now + cycles)
    machine.trace.drain()
    this.shares.sample()
    if (result.kind === 'exit' || result.kind === 'reset') this.board.uart.drain()
    return result
  }

  /** Executes one instruction on one hart; the others run as the schedule has it. */
  step(hart: number): RunResult {
    const { machine } = this.board
    const { core } = machine
    core.setHart32(hart, L.H_STEP, STEP_ARMED)
    const result = machine.run(machine.now + machine.timing.frequency)
    core.setHart32(hart, L.H_STEP, 0)
    machine.trace.drain()
    return result
  }

  /** Lets the next `advance` leave the breakpoints it stands on. */
  passBreakpoints(): void {
    const { core, options } = this.board.machine
    for (let hart = 0; hart < options.harts; hart++) core.passStop(hart)
  }

  setBreakpoints(addresses: readonly bigint[]): void {
    const { core } = this.board.machine
    const offsets = L.GLOBAL + L.G_BREAKPOINT_OFFSETS
    core.bytes.fill(0, offsets, offsets + 256)
    addresses.slice(0, L.MAX_BREAKPOINTS).forEach((address, index) => {
      core.setGlobal64(L.G_BREAKPOINTS + index * 8, address)
      const offset = Number(address & 0xffen)
      core.bytes[offsets + (offset >>> 4)] |= 1 << ((offset >>> 1) & 7)
    })
    core.setGlobal32(L.G_BREAKPOINT_COUNT, Math.min(addresses.length, L.MAX_BREAKPOINTS))
    core.exports.forgetCode()
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
    const { core } = this.board.machine
    const numbers = new Map(csrs.map((csr) => [csr.name, csr.number]))
    return {
      pc: core.pc(hart),
      privilege: (['U', 'S', 'S', 'M'] as const)[core.hart32(hart, L.H_PRIVILEGE)],
      integer: integerRegisterNames.map((name, index) => [name, core.register(hart, index)]),
      float: floatRegisterNames.map((name, index) => [name, core.hart64(hart, L.H_F + index * 8)]),
      csrs: SHOWN_CSRS.filter((name) => numbers.has(name)).map((name) => [
        name,
        BigInt.asUintN(64, core.exports.readRegister(hart, numbers.get(name)!)),
      ]),
    }
  }

  /** False when there is no such register, or it cannot be written. */
  writeRegister(hart: number, name: string, value: bigint): boolean {
    const { core } = this.board.machine
    if (name === 'pc') return (core.setPc(hart, value), true)
    const integer = integerRegisterNames.indexOf(name)
    if (integer > 0) return (core.setRegister(hart, integer, value), true)
    const float = floatRegisterNames.indexOf(name)
    if (float >= 0) return (core.setHart64(hart, L.H_F + float * 8, value), true)
    const csr = csrs.find((candidate) => candidate.name === name)
    return csr !== undefined && core.exports.writeRegister(hart, csr.number, BigInt.asIntN(64, value)) !== 0
  }

  /** Bytes as the hart would read them; undefined where nothing is mapped or a device answers. */
  memory(hart: number, address: bigint, length: number): (number | undefined)[] {
    const { machine } = this.board
    return Array.from({ length }, (_, index) => {
      const at = this.ramAt(hart, BigInt.asUintN(64, address + BigInt(index)))
      return at < 0 ? undefined : machine.core.bytes[at]
    })
  }

  /** False when some of it is not RAM; nothing is then written. */
  writeMemory(hart: number, address: bigint, bytes: readonly number[]): boolean {
    const { machine } = this.board
    const places = bytes.map((_, index) => this.ramAt(hart, BigInt.asUintN(64, address + BigInt(index))))
    if (places.some((at) => at < 0)) return false
    const base = BigInt(machine.options.ramBase - machine.core.ramOffset)
    places.forEach((at, index) => {
      machine.core.bytes[at] = bytes[index]
      machine.core.exports.memoryChanged(base + BigInt(at), 1n)
    })
    return true
  }

  private ramAt(hart: number, address: bigint): number {
    const { machine } = this.board
    const physical = BigInt.asUintN(64, machine.core.exports.translateForDebugger(hart, address, 0))
    return physical === ALL_ONES || physical > BigInt(Number.MAX_SAFE_INTEGER) ? -1 : machine.ramAt(Number(physical), 1)
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
