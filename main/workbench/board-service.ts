/** The one board of the workbench: every window sees and drives the same. */
import type {
  BoardOptions,
  BoardStatus,
  ChartFrame,
  EventName,
  EventPayload,
  ListingLine,
  RegisterFile,
  Request,
  Response,
  Watchpoint,
} from '../protocol/index.ts'
import type { WorkerStatus } from '../../machine/worker.ts'
import { SymbolNames } from '../../machine/toolchain/disassembler/index.ts'
import { readDebugInfo, type DebugInfo } from '../../machine/toolchain/dwarf/index.ts'
import { readElf } from '../../machine/toolchain/elf/index.ts'
import { BoardClient, type BoardNews } from './board-client.ts'
import type { Build, BuildService } from './build-service.ts'
import { STACK_BYTES, callStack, type StackFrame } from './call-stack.ts'
import { ConsoleHistory } from './console-history.ts'
import { WorkbenchError } from './errors.ts'
import { loadFirmware } from './firmware.ts'
import { loadHartModule } from './hart-module.ts'
import type { ListedLine } from './listing.ts'
import { registerFile, shownInterrupts, shownWalk, toHex } from './shown.ts'

export type Emit = <N extends EventName>(event: N, payload: EventPayload<N>) => Promise<void>

const OFF: BoardOptions = { kind: 'virt', harts: 1, timing: 'rocket100', ramMiB: 32 }

export class BoardService {
  private client: BoardClient | undefined
  private module: WebAssembly.Module | undefined
  private readonly history = new ConsoleHistory()
  private charts: ChartFrame = { seconds: 0, classes: [] }
  private build: Build | undefined
  private current: BoardStatus = {
    phase: 'off',
    options: OFF,
    build: 0,
    seconds: 0,
    cycles: 0,
    mips: 0,
    compiled: 0,
    harts: [],
    paced: true,
  }
  private breakpoints: { lab: string; path: string; line: number }[] = []
  private watchpoints: Watchpoint[] = []
  private debug: { build: Build; debug: DebugInfo; symbolAt: (address: bigint) => string | undefined } | undefined
  private starting: Promise<unknown> = Promise.resolve()
  /** Counts boards: what one says is heard only until the next is made. */
  private generation = 0

  constructor(
    private readonly builds: BuildService,
    private readonly emit: Emit,
  ) {}

  /** Builds, boots and runs. One after the other when asked twice. */
  start(request: Request<'board.start'>, paced: boolean): Promise<BoardStatus> {
    const next = this.starting.catch(() => {}).then(() => this.boot(request, paced))
    this.starting = next
    return next
  }

  private async boot({ lab, options, paused }: Request<'board.start'>, paced: boolean): Promise<BoardStatus> {
    const build = await this.builds.current(lab)
    if (!build.elf) throw new WorkbenchError('build-failed', 'the program does not build')
    await this.stop()
    this.history.clear()
    this.charts = { seconds: 0, classes: [] }
    this.build = build
    this.current = { phase: 'paused', options, build: build.result.number, seconds: 0, cycles: 0, mips: 0, compiled: 0, harts: [], paced }
    const generation = ++this.generation
    const client = await BoardClient.start(
      {
        hartModule: (this.module ??= loadHartModule()),
        harts: options.harts,
        timing: options.timing,
        ramBytes: options.ramMiB << 20,
        firmware: loadFirmware(),
        program: { name: `${lab}, build ${build.result.number}`, bytes: build.elf },
        paced,
      },
      (news) => this.news(generation, news),
      (reason) => this.crashed(generation, reason),
    )
    this.client = client
    await this.applyBreakpoints()
    await this.applyWatchpoints()
    void this.emit('board.restarted', this.current)
    return this.update(await client.call(paused ? 'pause' : 'run', {}))
  }

  async run(): Promise<BoardStatus> {
    return this.update(await this.on().call('run', {}))
  }

  async pause(): Promise<BoardStatus> {
    return this.update(await this.on().call('pause', {}))
  }

  async step({ unit, hart }: Request<'board.step'>): Promise<BoardStatus> {
    this.checkHart(hart)
    if (unit === 'out') return this.stepOut(hart)
    const lines = unit === 'instruction' ? undefined : lineRanges(this.build?.listing ?? [])
    return this.update(await this.on().call('step', { hart, lines, over: unit === 'over' }))
  }

  private async stepOut(hart: number): Promise<BoardStatus> {
    const [, caller] = await this.frames(hart)
    if (!caller) throw new WorkbenchError('bad-request', 'nothing is known of a caller here')
    return this.update(await this.on().call('runTo', { hart, goal: { address: caller.pc, stack: caller.stack ?? 0n } }))
  }

  async stack(hart: number): Promise<Response<'board.stack'>> {
    this.mustBePaused()
    const frames = await this.frames(this.checkHart(hart))
    return frames.map(({ pc, stack: _stack, ...frame }) => ({ ...frame, pc: toHex(pc), variables: [...frame.variables] }))
  }

  private async frames(hart: number): Promise<StackFrame[]> {
    const { build } = this
    if (!build?.elf) return []
    const registers = await this.on().call('registers', { hart })
    const stack = await this.on().call('memory', { hart, address: registers.integer[2][1], length: STACK_BYTES })
    this.debug = this.debug?.build === build ? this.debug : { build, ...debugInfo(build.elf) }
    return callStack({ ...this.debug, registers, stack })
  }

  async setWatchpoints(watchpoints: Watchpoint[]): Promise<Watchpoint[]> {
    this.watchpoints = watchpoints
    await this.applyWatchpoints()
    void this.emit('board.watchpoints', watchpoints)
    return watchpoints
  }

  async walk({ hart, address }: Request<'board.walk'>): Promise<Response<'board.walk'>> {
    return shownWalk(await this.on().call('walk', { hart: this.checkHart(hart), address: BigInt(address) }))
  }

  async interrupts(): Promise<Response<'board.interrupts'>> {
    return shownInterrupts(await this.on().call('interrupts', {}))
  }

  async snapshot(): Promise<BoardStatus> {
    return this.update(await this.on().call('snapshot', {}))
  }

  async restore(): Promise<BoardStatus> {
    if (this.current.snapshot === undefined) throw new WorkbenchError('bad-request', 'there is no snapshot of this run')
    return this.update(await this.on().call('restore', {}))
  }

  async stop(): Promise<BoardStatus> {
    const client = this.client
    this.client = undefined
    this.generation++
    await client?.close()
    this.current = {
      ...this.current,
      phase: 'off',
      mips: 0,
      compiled: 0,
      stop: undefined,
      crash: undefined,
      exit: undefined,
      snapshot: undefined,
    }
    void this.emit('board.status', this.current)
    return this.current
  }

  async pace(paced: boolean): Promise<BoardStatus> {
    this.current = { ...this.current, paced }
    if (!this.client) return this.current
    return this.update(await this.client.call('pace', { paced }))
  }

  attach(): Response<'board.attach'> {
    return {
      status: this.current,
      console: this.history.all(),
      charts: this.charts,
      breakpoints: this.breakpoints,
      watchpoints: this.watchpoints,
    }
  }

  async input(text: string): Promise<void> {
    await this.on().call('input', { bytes: new TextEncoder().encode(text) })
  }

  async setBreakpoints({ lab, breakpoints }: Request<'board.breakpoints'>): Promise<Response<'board.breakpoints'>> {
    this.breakpoints = [
      ...this.breakpoints.filter((other) => other.lab !== lab),
      ...breakpoints.map((breakpoint) => ({ lab, ...breakpoint })),
    ]
    await this.applyBreakpoints()
    return breakpoints.map(({ path, line }) => ({ path, line, address: hexOrNull(this.addressOf(lab, path, line)) }))
  }

  async registers(hart: number): Promise<RegisterFile> {
    return registerFile(hart, await this.on().call('registers', { hart: this.checkHart(hart) }))
  }

  async writeRegister({ hart, name, value }: Request<'board.writeRegister'>): Promise<RegisterFile> {
    this.mustBePaused()
    const written = await this.on().call('writeRegister', { hart: this.checkHart(hart), name, value: BigInt(value) })
    if (!written) throw new WorkbenchError('failed', `${name} cannot be written`)
    return this.registers(hart)
  }

  async memory({ hart, address, length }: Request<'board.memory'>): Promise<Response<'board.memory'>> {
    const bytes = await this.on().call('memory', { hart: this.checkHart(hart), address: BigInt(address), length })
    return { address, bytes: bytes.map((byte) => byte ?? null) }
  }

  async writeMemory({ hart, address, bytes }: Request<'board.writeMemory'>): Promise<void> {
    this.mustBePaused()
    const written = await this.on().call('writeMemory', { hart: this.checkHart(hart), address: BigInt(address), bytes })
    if (!written) throw new WorkbenchError('failed', `${address} is not RAM`)
  }

  async requests(request: Request<'board.requests'>): Promise<Response<'board.requests'>> {
    const { total, rows } = await this.on().call('requests', request)
    const { frequency } = this
    return { total, rows: rows.map(({ id, end, cycles }) => ({ id: String(id), seconds: (end - cycles) / frequency, cycles })) }
  }

  /** Ends the thread as a defect would: for tests of what the user then sees. */
  async crashForTest(): Promise<void> {
    await this.client?.killForTest()
  }

  private get frequency(): number {
    return this.current.seconds > 0 ? this.current.cycles / this.current.seconds : 100_000_000
  }

  private on(): BoardClient {
    if (!this.client) throw new WorkbenchError('board-off', 'the board is off')
    return this.client
  }

  private checkHart(hart: number): number {
    if (hart >= this.current.options.harts) throw new WorkbenchError('bad-request', `the board has no hart ${hart}`)
    return hart
  }

  private mustBePaused(): void {
    if (this.current.phase !== 'paused') throw new WorkbenchError('bad-request', 'pause the board first')
  }

  private update(status: WorkerStatus): BoardStatus {
    const { phase, seconds, cycles, mips, compiled, harts, exit, stop, snapshot } = status
    const here = stop && this.build ? lineAt(this.build.listing, stop.pc) : undefined
    this.current = {
      ...this.current,
      ...{ phase, seconds, cycles, mips, compiled, exit, snapshot },
      harts: harts.length ? [...harts] : this.current.harts,
      stop: stop && {
        hart: stop.hart,
        pc: toHex(stop.pc),
        reason: stop.reason,
        address: stop.address === undefined ? undefined : toHex(stop.address),
        ...here,
      },
    }
    void this.emit('board.status', this.current)
    return this.current
  }

  private news(generation: number, news: BoardNews): void {
    // What a replaced board still says is about a run that is over.
    if (generation !== this.generation) return
    if (news.kind === 'status') this.update(news.status)
    else if (news.kind === 'charts') {
      this.charts = { seconds: news.seconds, classes: news.classes }
      void this.emit('board.charts', this.charts)
    } else {
      this.history.add(news.chunk)
      // The board goes on when the windows have taken what it printed.
      void this.emit('board.console', news.chunk).then(() => this.client?.printed(news.chunk.text.length))
    }
  }

  private crashed(generation: number, reason: string): void {
    if (generation !== this.generation) return
    const client = this.client
    this.client = undefined
    void client?.close()
    this.current = { ...this.current, phase: 'crashed', mips: 0, compiled: 0, crash: reason, snapshot: undefined }
    void this.emit('board.status', this.current)
  }

  private async applyBreakpoints(): Promise<void> {
    if (!this.client || !this.build) return
    const { lab } = this.build
    const addresses = this.breakpoints
      .filter((breakpoint) => breakpoint.lab === lab)
      .map(({ path, line }) => this.addressOf(lab, path, line))
      .filter((address) => address !== undefined)
    await this.client.call('breakpoints', { addresses })
  }

  private async applyWatchpoints(): Promise<void> {
    if (!this.client) return
    const watchpoints = this.watchpoints.map(({ address, length, access }) => ({ address: BigInt(address), length, access }))
    await this.client.call('watchpoints', { watchpoints })
  }

  private addressOf(lab: string, path: string, line: number): bigint | undefined {
    if (this.build?.lab !== lab) return undefined
    return this.build.listing.find((row) => row.file === path && row.line === line)?.address
  }
}

function debugInfo(elf: Uint8Array): { debug: DebugInfo; symbolAt: (address: bigint) => string | undefined } {
  const file = readElf(elf)
  const names = new SymbolNames(file)
  return { debug: readDebugInfo(file), symbolAt: (address) => names.nearest(address)?.name }
}

function hexOrNull(value: bigint | undefined): string | null {
  return value === undefined ? null : toHex(value)
}

function lineAt(listing: readonly ListedLine[], pc: bigint): Pick<ListingLine, 'file' | 'line'> | undefined {
  const row = listing.find((candidate) => candidate.address === pc)
  return row?.file === undefined ? undefined : { file: row.file, line: row.line }
}

/** Address ranges of consecutive instructions of one source line. */
function lineRanges(listing: readonly ListedLine[]): { start: bigint; end: bigint }[] {
  const ranges: { start: bigint; end: bigint; key: string }[] = []
  for (const { address, length, file, line } of listing) {
    if (file === undefined) continue
    const key = `${file}:${line}`
    const last = ranges.at(-1)
    const end = address + BigInt(length)
    if (last && last.key === key && last.end === address) last.end = end
    else ranges.push({ start: address, end, key })
  }
  return ranges.map(({ start, end }) => ({ start, end }))
}
