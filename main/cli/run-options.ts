/** The options of `pollen run`: their syntax, their limits, and what is refused. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { MAX_HARTS } from '../../machine/hart/layout.ts'
import { DEFAULT_QUANTUM, type Engine } from '../../machine/board/machine.ts'
import { VIRT_MOST_RAM } from '../../machine/board/virt.ts'
import type { SdFault } from '../../machine/device/sdcard.ts'

export interface RunOptions {
  readonly board: 'virt' | 'k210'
  /** One on `virt`, both on `k210` unless given. */
  readonly harts?: number
  readonly ram?: number
  readonly ext: { readonly n: boolean; readonly uintc: boolean }
  readonly timing: 'ideal' | 'rocket100' | 'k210'
  readonly quantum: number
  readonly bios?: string
  readonly load: readonly { readonly file: string; readonly address: number }[]
  readonly initrd?: string
  readonly append?: string
  readonly dtb?: string
  readonly disk: readonly string[]
  readonly sd?: string
  readonly sdFault: readonly SdFault[]
  readonly writeBack: boolean
  readonly virtio: 'modern' | 'legacy'
  readonly engine: Engine
  readonly seed: bigint
  readonly maxInstructions?: number
  /** Virtual seconds. */
  readonly timeout?: number
  /** Seconds of the host's clock. */
  readonly wallTimeout?: number
  readonly expect: readonly string[]
  readonly failOn: readonly string[]
  readonly stats?: string
  readonly trace?: string
}

function wholeNumber(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : NaN
    if (!(value >= lowest && value <= highest)) throw new InvalidArgumentError(`It must be a whole number from ${lowest} to ${highest}.`)
    return value
  }
}

function seconds(text: string): number {
  const value = Number(text)
  if (!(value > 0) || value === Infinity) throw new InvalidArgumentError('It must be a positive number of seconds.')
  return value
}

const LEAST_RAM = 1 << 20

/** `128M`, `1G`, `6144K` or a number of bytes. */
export function parseRam(text: string): number {
  const match = /^(\d+)([KMG]?)(i?B)?$/i.exec(text)
  const unit = { '': 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 }[match?.[2].toUpperCase() ?? ''] ?? 1
  const bytes = match ? Number(match[1]) * unit : NaN
  if (!(bytes >= LEAST_RAM && bytes <= VIRT_MOST_RAM) || bytes % 4096 !== 0) {
    throw new InvalidArgumentError('It must be a size such as 128M, from 1M to 3G, in whole pages of 4096 bytes.')
  }
  return bytes
}

function parseExtensions(text: string): RunOptions['ext'] {
  const names = text.split(',').filter((name) => name !== '')
  const unknown = names.find((name) => name !== 'n' && name !== 'uintc')
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no extension "${unknown}"; there are n and uintc.`)
  const uintc = names.includes('uintc')
  if (uintc && !names.includes('n')) throw new InvalidArgumentError('uintc needs n: use --ext n,uintc.')
  return { n: names.includes('n'), uintc }
}

function parseLoad(text: string, earlier: RunOptions['load'] = []): RunOptions['load'] {
  const at = text.lastIndexOf('@')
  const address = at > 0 && /^(0x[0-9a-f]+|\d+)$/i.test(text.slice(at + 1)) ? Number(text.slice(at + 1)) : NaN
  if (!Number.isSafeInteger(address)) throw new InvalidArgumentError('It must be FILE@ADDRESS, such as data.bin@0x81000000.')
  return [...earlier, { file: text.slice(0, at), address }]
}

const SD_FAULTS: Readonly<Record<string, SdFault['kind']>> = {
  crc: 'checksum',
  timeout: 'timeout',
  read: 'read',
  write: 'write',
  removed: 'removed',
}

/** `crc`, `timeout@2048`, `removed@1.5s`. */
export function parseSdFault(text: string, earlier: readonly SdFault[] = []): readonly SdFault[] {
  const match = /^(\w+)(?:@(?:(\d+|0x[0-9a-f]+)|(\d+(?:\.\d+)?)s))?$/i.exec(text)
  const kind = match ? SD_FAULTS[match[1]] : undefined
  if (!match || !kind) {
    throw new InvalidArgumentError(
      `It must be ${Object.keys(SD_FAULTS).join(', ')}, with a sector (crc@2048) or a virtual time (removed@1.5s) or neither.`,
    )
  }
  const [, , sector, seconds] = match
  const where = { ...(sector ? { sector: Number(sector) } : {}), ...(seconds ? { seconds: Number(seconds) } : {}) }
  return [...earlier, { kind, ...where }]
}

function parseSeed(text: string): bigint {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return BigInt(text)
}

function collect(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text]
}

/** Declared so that they are refused by name; not shown in the help. */
const NOT_AVAILABLE_YET = ['--net <options>', '--gdb <port>', '--record <file>', '--replay <file>']

function refuse(what: string): (text: string) => never {
  return () => {
    throw new InvalidArgumentError(`${what} is not available yet.`)
  }
}

function choice<T extends string>(available: readonly T[], later: readonly string[]): (text: string) => T {
  return (text) => {
    if (later.includes(text)) throw new InvalidArgumentError(`"${text}" is not available yet.`)
    if (!available.includes(text as T)) throw new InvalidArgumentError(`There is: ${available.join(', ')}.`)
    return text as T
  }
}

export function addRunOptions(command: Command): Command {
  command
    .option('--board <name>', 'virt or k210', choice(['virt', 'k210'], []), 'virt')
    .option('--harts <n>', `number of harts, 1 to ${MAX_HARTS} (virt, default 1), 1 or 2 (k210, default 2)`, wholeNumber(1, MAX_HARTS))
    .option('--ram <size>', 'size of RAM on virt (default: 128M)', parseRam)
    .addOption(
      new Option('--ext <list>', 'user interrupts: n, or n,uintc').argParser(parseExtensions).default({ n: false, uintc: false }, 'none'),
    )
    .option('--timing <profile>', 'ideal, rocket100 or k210', choice(['ideal', 'rocket100', 'k210'], []), 'ideal')
    .option('--quantum <cycles>', 'how long one hart runs before the next', wholeNumber(1, 1_000_000), DEFAULT_QUANTUM)
    .option('--bios <firmware>', 'builtin, none, or a file with M-mode firmware (default: builtin unless KERNEL starts in M-mode)')
    .option('--load <file@address>', 'put a file into RAM (repeatable)', parseLoad, [])
    .option('--initrd <file>', 'initial RAM disk')
    .option('--append <text>', "the kernel's command line")
    .option('--dtb <file>', 'device tree to use instead of the generated one')
    .option('--disk <file>', 'image of a virtio disk (repeatable)', collect, [])
    .option('--sd <file>', 'image of an SD card')
    .option(
      '--sd-fault <kind[@where]>',
      'make the card fail once (repeatable): crc, timeout, read or write error, or removed, at its next block, at sector N (crc@N), or from a virtual time on (removed@1.5s)',
      parseSdFault,
      [],
    )
    .option('--write-back', 'keep what the guest writes in the image files', false)
    .option('--virtio <version>', 'modern or legacy', choice(['modern', 'legacy'], []), 'modern')
    .option('--engine <name>', 'auto, interpreter or jit; no guest can tell', choice(['auto', 'interpreter', 'jit'], []), 'auto')
    .addOption(new Option('--seed <n>', 'seed of everything random').argParser(parseSeed).default(0n, '0'))
    .option('--max-instructions <n>', 'stop after this many instructions, status 124', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--timeout <seconds>', 'stop after this much virtual time, status 124', seconds)
    .option('--wall-timeout <seconds>', 'stop after this much time, status 124', seconds)
    .option('--expect <text>', 'stop with status 0 once the console has shown this; all of several (repeatable)', collect, [])
    .option('--fail-on <text>', 'stop with status 1 when the console shows this (repeatable)', collect, [])
    .option('--stats <file>', 'write instructions, cycles, times and MIPS as JSON')
    .option('--trace <file>', 'write a trace for Perfetto or chrome://tracing')
  for (const flags of NOT_AVAILABLE_YET) command.addOption(new Option(flags).argParser(refuse(flags.split(' ')[0])).hideHelp())
  return command
}
