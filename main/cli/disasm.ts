/** `pollen disasm ELF`: a listing with symbols and source lines. */
import { readFileSync } from 'node:fs'
import { DwarfError, readDebugInfo, type DebugInfo } from '../../machine/toolchain/dwarf/index.ts'
import { disassembleElf } from '../../machine/toolchain/disassembler/index.ts'
import { ElfError, readElf } from '../../machine/toolchain/elf/index.ts'

export interface DisasmOptions {
  /** Write instructions under their own names only. */
  readonly noAliases?: boolean
  /** Leave out source positions. */
  readonly noSource?: boolean
  /** Where the listing and complaints go; default the standard streams. */
  readonly write?: (text: string) => void
  readonly complain?: (text: string) => void
}

/** The exit status for a file that cannot be used (contracts.md, "Exit status"). */
const badImage = 125

/** Prints the listing; returns the exit status. */
export async function disasm(path: string, options: DisasmOptions = {}): Promise<number> {
  const write = options.write ?? ((text: string) => void process.stdout.write(text))
  const complain = options.complain ?? ((text: string) => void process.stderr.write(text))
  try {
    const elf = readElf(readFileSync(path))
    const debug = options.noSource ? undefined : readableDebug(() => readDebugInfo(elf), complain)
    write(disassembleElf(elf, { pseudo: !options.noAliases, debug, readLine: sourceReader() }))
    return 0
  } catch (error) {
    if (!(error instanceof ElfError) && (error as NodeJS.ErrnoException).code === undefined) throw error
    complain(`pollen disasm: ${path}: ${(error as Error).message}\n`)
    return badImage
  }
}

/** Damaged debug information costs the source lines, not the listing. */
function readableDebug(read: () => DebugInfo, complain: (text: string) => void): DebugInfo | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof DwarfError)) throw error
    complain(`pollen disasm: ${error.message}; source lines are left out\n`)
    return undefined
  }
}

/** Reads source lines, each file once; files that are gone have none. */
function sourceReader(): (file: string, line: number) => string | undefined {
  const files = new Map<string, readonly string[]>()
  return (file, line) => {
    let lines = files.get(file)
    if (!lines) {
      try {
        lines = readFileSync(file, 'utf8').split('\n')
      } catch {
        lines = []
      }
      files.set(file, lines)
    }
    return lines[line - 1]
  }
}
