/** `pollen run`: boots a program on a board with the console on stdin and stdout. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type BlockImage, DiskImageError } from '../../machine/backend/block-image.ts'
import { ConsoleStream } from '../../machine/backend/console.ts'
import { type DiskImage, openDiskImage } from '../../machine/backend/disk-image.ts'
import type { Board } from '../../machine/board/board.ts'
import { needsFirmware, type BootFile } from '../../machine/board/boot.ts'
import { LoadError, type LoadedProgram } from '../../machine/board/loader.ts'
import type { RunResult } from '../../machine/board/machine.ts'
import { VIRT_MAP } from '../../machine/board/virt-device-tree.ts'
import { boardTraceKinds } from '../../machine/trace/kinds.ts'
import { PerfettoRecorder } from '../../machine/trace/perfetto.ts'
import { loadFirmware } from '../workbench/firmware.ts'
import { loadHartModule } from '../workbench/hart-module.ts'
import { ConsoleWatcher } from './console-watcher.ts'
import { BAD_ARGUMENTS, LIMIT_REACHED, UNMET } from './exit-status.ts'
import { addRunOptions, type RunOptions } from './run-options.ts'
import { HostConsole } from './host-console.ts'
import { checkBoardOptions, makeBoard } from './make-board.ts'

export function addRunCommand(program: Command): void {
  const command = program
    .command('run')
    .argument('[kernel]', 'ELF, RISC-V Linux Image, gzip of either, or raw bytes')
    .description('boot a program on a board; the console is on stdin and stdout (Ctrl-A x leaves)')
    .addHelpText(
      'after',
      "\nThe exit status is the guest's own; 1 when --expect is not met or --fail-on is; 124 at a limit; 125 for bad arguments or images.",
    )
  addRunOptions(command).action(async (kernel: string | undefined, options: RunOptions) => {
    process.exitCode = await run(kernel, options)
  })
}

/** Runs to the end and returns the exit status. Errors about arguments and files are one line on stderr. */
export async function run(kernel: string | undefined, options: RunOptions): Promise<number> {
  try {
    return await new Session(kernel, options).run()
  } catch (error) {
    if (!(error instanceof LoadError || error instanceof DiskImageError)) throw error
    process.stderr.write(`pollen: ${error.message}\n`)
    return BAD_ARGUMENTS
  }
}

/** A program that reads its console to the end names, in this absolute symbol, the byte that marks it. */
const END_OF_INPUT = 'pollen_end_of_input'

/** Wall time that one slice should take: short enough for Ctrl-C and typing, long enough to cost nothing. */
const SLICE_SECONDS = 0.02

class Session {
  private readonly files: {
    firmware?: BootFile
    kernel?: BootFile
    initrd?: BootFile
    deviceTree?: BootFile
    loads: { file: BootFile; address: number }[]
  }
  private readonly watcher: ConsoleWatcher
  private readonly host: HostConsole
  private readonly stream: ConsoleStream
  private readonly disks: readonly DiskImage[]
  private readonly sd: DiskImage | undefined
  private readonly hartModule = loadHartModule()
  private board!: Board
  private program!: LoadedProgram
  private recorder: PerfettoRecorder | undefined
  /** Counts of the boots before the last reset. */
  private earlier = { instructions: 0, cycles: 0 }

  constructor(
    kernel: string | undefined,
    private readonly options: RunOptions,
  ) {
    checkBoardOptions(options)
    const optional = (name: string | undefined) => (name === undefined ? undefined : readFile(name))
    const kernelFile = optional(kernel)
    this.files = {
      firmware: firmwareFor(options, kernelFile),
      kernel: kernelFile,
      initrd: optional(options.initrd),
      deviceTree: optional(options.dtb),
      loads: options.load.map(({ file, address }) => ({ file: readFile(file), address })),
    }
    this.watcher = new ConsoleWatcher(options.expect, options.failOn)
    this.host = new HostConsole()
    this.stream = new ConsoleStream((bytes) => {
      this.host.write(bytes)
      if (this.watcher.see(bytes)) this.board.machine.stop({ kind: 'paused' })
    })
    const open = (file: string) => openDiskImage(file, { writeBack: options.writeBack })
    this.disks = options.disk.map(open)
    this.sd = options.sd === undefined ? undefined : open(options.sd)
    this.start()
  }

  async run(): Promise<number> {
    const endOfInput = this.program.elf?.symbols.find(({ name }) => name === END_OF_INPUT)
    this.host.start(this.stream, () => this.board.machine.now, endOfInput && Uint8Array.of(Number(endOfInput.value)))
    const startedAt = performance.now()
    try {
      const status = await this.loop(startedAt)
      return status
    } finally {
      this.board.drainConsole()
      this.stream.flush()
      for (const image of [...this.disks, ...(this.sd ? [this.sd] : [])]) image.close()
      this.writeReports((performance.now() - startedAt) / 1000)
      await this.host.stop()
    }
  }

  private start(): void {
    const { options } = this
    const parts = {
      hartModule: this.hartModule,
      console: this.stream,
      disks: this.disks as readonly BlockImage[],
      sd: this.sd,
      files: this.files,
      onWarning: (text: string) => void process.stderr.write(`pollen: board: ${text}\n`),
    }
    const { board, program } = makeBoard(options, parts, this.board)
    this.board = board
    this.program = program
    const { machine } = this.board
    machine.onHtifOutput = (bytes) => {
      for (const byte of bytes) this.stream.write(byte)
    }
    if (options.trace !== undefined) {
      this.recorder ??= new PerfettoRecorder(machine.timing.frequency, this.program.elf)
      machine.trace.subscribe((events) => this.recorder!.add(events))
      machine.trace.enable(boardTraceKinds)
    }
  }

  private async loop(startedAt: number): Promise<number> {
    const { options } = this
    let sliceCycles = 1_000_000
    for (;;) {
      const { machine } = this.board
      const virtualLimit = options.timeout === undefined ? Infinity : options.timeout * machine.timing.frequency
      const instructionsLeft = (options.maxInstructions ?? Infinity) - this.earlier.instructions - machine.retired
      if (instructionsLeft <= 0) return this.limit('the instruction limit')
      if (machine.now >= virtualLimit) return this.limit('the time limit')
      const sliceStart = performance.now()
      if (options.wallTimeout !== undefined && sliceStart - startedAt >= options.wallTimeout * 1000)
        return this.limit('the wall-clock limit')

      const until = Math.min(machine.now + sliceCycles, virtualLimit, machine.now + Math.ceil(instructionsLeft / machine.options.harts))
      const result = machine.run(until)
      this.stream.flush()
      const status = this.statusOf(result)
      if (status !== undefined) return status
      if (this.host.left) return 0

      const took = (performance.now() - sliceStart) / 1000
      sliceCycles = Math.min(1e9, Math.max(10_000, Math.round(sliceCycles * Math.min(2, SLICE_SECONDS / Math.max(took, 1e-4)))))
      if (result.kind === 'idle') {
        if (virtualLimit !== Infinity && !this.host.mayStillSend) return this.limit('the time limit')
        if (!(await this.host.waitForInput(this.wallTimeLeft(startedAt)))) {
          if (!this.host.mayStillSend) return this.limit('a point where the guest waits for ever')
        }
      } else await this.host.breathe(machine.seconds, this.wallTimeLeft(startedAt))
    }
  }

  /** The exit status when a result ends the run. */
  private statusOf(result: RunResult): number | undefined {
    if (result.kind === 'exit') this.board.drainConsole()
    if (this.watcher.failed !== undefined) {
      process.stderr.write(`pollen: the console shows ${JSON.stringify(this.watcher.failed)}\n`)
      return UNMET
    }
    if (this.watcher.met) return 0
    if (result.kind === 'exit') {
      const unmet = this.watcher.unmet
      if (unmet === undefined) return result.status
      process.stderr.write(`pollen: the guest ended with status ${result.status} and never showed ${JSON.stringify(unmet)}\n`)
      return UNMET
    }
    if (result.kind === 'reset') {
      this.earlier = {
        instructions: this.earlier.instructions + this.board.machine.retired,
        cycles: this.earlier.cycles + this.board.machine.now,
      }
      this.board.drainConsole()
      this.start()
    }
    return undefined
  }

  private limit(what: string): number {
    const unmet = this.watcher.unmet
    process.stderr.write(
      `pollen: stopped at ${what}${unmet === undefined ? '' : `, and the console never showed ${JSON.stringify(unmet)}`}\n`,
    )
    return LIMIT_REACHED
  }

  private wallTimeLeft(startedAt: number): number {
    return this.options.wallTimeout === undefined ? Infinity : this.options.wallTimeout - (performance.now() - startedAt) / 1000
  }

  private writeReports(wallSeconds: number): void {
    const { machine } = this.board
    const instructions = this.earlier.instructions + machine.retired
    const cycles = this.earlier.cycles + machine.now
    if (this.options.stats !== undefined) {
      writeFileSync(
        this.options.stats,
        JSON.stringify(
          {
            instructions,
            cycles,
            virtualSeconds: cycles / machine.timing.frequency,
            wallSeconds,
            mips: instructions / wallSeconds / 1e6,
            harts: Array.from({ length: machine.options.harts }, (_, hart) => ({
              instructions: machine.core.retired(hart),
              waitedCycles: machine.waited(hart),
            })),
            jit: machine.jit?.report(),
            traceEvents: machine.trace.count,
            traceHash: machine.trace.hash,
          },
          null,
          2,
        ) + '\n',
      )
    }
    if (this.options.trace !== undefined && this.recorder) {
      machine.trace.drain()
      this.recorder.write(this.options.trace)
    }
  }
}

function readFile(name: string): BootFile {
  try {
    return { name, bytes: readFileSync(name) }
  } catch (error) {
    const reasons: Record<string, string> = { ENOENT: 'there is no such file', EISDIR: 'is a directory', EACCES: 'may not be read' }
    const { code, message } = error as NodeJS.ErrnoException
    throw new LoadError(`${name}: ${reasons[code ?? ''] ?? message}`)
  }
}

/** The built-in firmware unless the kernel does without, or another is named. */
function firmwareFor({ bios, board }: RunOptions, kernel: BootFile | undefined): BootFile | undefined {
  const chosen = bios ?? (kernel && needsFirmware(kernel, VIRT_MAP.ram.base) ? 'builtin' : 'none')
  if (chosen === 'none') return undefined
  if (chosen !== 'builtin') return readFile(chosen)
  return loadFirmware(board)
}
