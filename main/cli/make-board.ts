/** From the options of `pollen run` to a board with its programs loaded, and what of the options a board cannot use. */
import type { BlockImage } from '../../machine/backend/block-image.ts'
import type { ConsoleStream } from '../../machine/backend/console.ts'
import type { Board } from '../../machine/board/board.ts'
import { boot, type BootFile } from '../../machine/board/boot.ts'
import { bootK210 } from '../../machine/board/k210-boot.ts'
import { K210_MOST_HARTS, K210Board } from '../../machine/board/k210.ts'
import { LoadError, type LoadedProgram } from '../../machine/board/loader.ts'
import { VirtBoard } from '../../machine/board/virt.ts'
import type { ResetCause } from '../../machine/device/sysctl.ts'
import type { RunOptions } from './run-options.ts'

export interface BoardParts {
  readonly hartModule: WebAssembly.Module
  readonly console: ConsoleStream
  readonly disks: readonly BlockImage[]
  readonly sd?: BlockImage
  readonly files: {
    readonly firmware?: BootFile
    readonly kernel?: BootFile
    readonly initrd?: BootFile
    readonly deviceTree?: BootFile
    readonly loads: readonly { readonly file: BootFile; readonly address: number }[]
  }
  readonly onWarning: (text: string) => void
}

/** Options of `virt` that say nothing to a K210. */
const NOT_ON_K210 = ['ram', 'initrd', 'append', 'dtb'] as const

/** @throws LoadError for options that do not go together. */
export function checkBoardOptions(options: RunOptions): void {
  if (options.sdFault.length > 0 && options.sd === undefined) throw new LoadError('--sd-fault: there is no card: use --sd FILE')
  if (options.board !== 'k210') return
  const given = NOT_ON_K210.find((name) => options[name] !== undefined)
  if (given) throw new LoadError(`--${given}: the k210 board has no use for it: its memory is fixed and its boot ROM passes nothing on`)
  if (options.disk.length > 0) throw new LoadError('--disk: the k210 board has no virtio disks: use --sd FILE')
  if (options.ext.n) throw new LoadError('--ext: the harts of the k210 board have no user interrupts')
  if ((options.harts ?? 1) > K210_MOST_HARTS) throw new LoadError(`--harts ${options.harts}: the k210 board has ${K210_MOST_HARTS} harts`)
}

/** Makes the board and loads its memory; `before` is the board that asked to be reset. @throws LoadError when a file cannot be used. */
export function makeBoard(options: RunOptions, parts: BoardParts, before?: Board): { board: Board; program: LoadedProgram } {
  const common = {
    hartModule: parts.hartModule,
    harts: options.harts,
    timing: options.timing,
    quantum: options.quantum,
    engine: options.engine,
    console: parts.console,
    sd: parts.sd,
    sdFaults: options.sdFault,
    onWarning: parts.onWarning,
  }
  if (options.board === 'k210') {
    const resetCause: ResetCause = before instanceof K210Board ? before.resetCause : 'pin'
    const board = new K210Board({ ...common, resetCause })
    const { firmware, kernel, loads } = parts.files
    return { board, program: bootK210(board, { firmware, kernel, loads }).program }
  }
  const board = new VirtBoard({
    ...common,
    ramSize: options.ram,
    userInterrupts: options.ext,
    seed: options.seed,
    disks: parts.disks,
    legacyVirtio: options.virtio === 'legacy',
  })
  return { board, program: boot(board, { ...parts.files, bootArguments: options.append }).program }
}
