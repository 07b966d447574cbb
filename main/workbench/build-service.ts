/** Builds of labs: numbered, kept while their sources stay as they are. */
import { createHash } from 'node:crypto'
import type { BuildResult, ListingLine, Timing } from '../protocol/index.ts'
import { cyclesOf, type ListedLine } from './listing.ts'
import type { Toolchain } from './toolchain.ts'
import type { Workspace } from './workspace.ts'

export interface Build {
  readonly lab: string
  readonly result: BuildResult
  readonly elf?: Uint8Array
  readonly listing: readonly ListedLine[]
  readonly key: string
}

export class BuildService {
  private readonly last = new Map<string, Build>()
  private readonly lastGood = new Map<string, Build>()
  private number = 0

  constructor(
    private readonly workspace: Workspace,
    private readonly toolchain: Toolchain,
    private readonly onBuild: (lab: string, result: BuildResult) => void,
  ) {}

  /** Builds what is on disk now; the same sources are not built twice. */
  async current(lab: string): Promise<Build> {
    const files = await this.workspace.readAll(lab)
    const key = keyOf(files)
    const last = this.last.get(lab)
    if (last?.key === key) return last
    const begin = performance.now()
    const program = await this.toolchain.build(files)
    const result: BuildResult = {
      number: ++this.number,
      ok: program.elf !== undefined,
      diagnostics: [...program.diagnostics],
      milliseconds: performance.now() - begin,
      bytes: program.elf?.length ?? 0,
      sources: Object.fromEntries(files),
    }
    const build: Build = { lab, result, elf: program.elf, listing: program.listing, key }
    this.last.set(lab, build)
    if (build.elf) this.lastGood.set(lab, build)
    this.onBuild(lab, result)
    return build
  }

  lastResult(lab: string): BuildResult | null {
    return this.last.get(lab)?.result ?? null
  }

  /** Of the last build that worked. */
  listing(lab: string, timing: Timing): { build: number; lines: ListingLine[] } {
    const build = this.lastGood.get(lab)
    return { build: build?.result.number ?? 0, lines: (build?.listing ?? []).map((row) => listingLine(row, timing)) }
  }
}

function listingLine({ address, word, length, text, cost, file, line, symbol }: ListedLine, timing: Timing): ListingLine {
  return {
    address: `0x${address.toString(16)}`,
    word: word.toString(16).padStart(length * 2, '0'),
    text,
    cycles: cyclesOf(cost, timing),
    file,
    line,
    symbol,
  }
}

function keyOf(files: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const [file, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(`${file}\0${text.length}\0${text}`)
  return hash.digest('hex')
}
