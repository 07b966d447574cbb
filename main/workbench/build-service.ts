/** Builds of labs: numbered, kept while their sources stay as they are. */
import { createHash } from 'node:crypto'
import type { BuildResult, ListingLine, StageRow, Timing } from '../protocol/index.ts'
import { cyclesOf, type ListedLine } from './listing.ts'
import { layered, type LabStore } from './lab-store.ts'
import type { Toolchain } from './toolchain.ts'
import type { Workspace } from './workspace.ts'

export interface Build {
  readonly lab: string
  readonly result: BuildResult
  readonly elf?: Uint8Array
  readonly listing: readonly ListedLine[]
  readonly programListing: readonly ListedLine[]
  /** Whether the lab's files lie over others, which are most of the listing. */
  readonly layered: boolean
  /** All that went into it. */
  readonly files: ReadonlyMap<string, string>
  readonly key: string
}

export class BuildService {
  private readonly last = new Map<string, Build>()
  private readonly lastGood = new Map<string, Build>()
  private number = 0

  constructor(
    private readonly workspace: Workspace,
    private readonly labs: LabStore,
    private readonly toolchain: Toolchain,
    private readonly onBuild: (lab: string, result: BuildResult) => void,
    private readonly onProgress: (lab: string, stage: string | null) => void = () => {},
  ) {}

  /** Builds what is on disk now; the same sources are not built twice. */
  async current(lab: string): Promise<Build> {
    const files = await this.workspace.readAll(lab)
    const key = keyOf(files)
    const last = this.last.get(lab)
    if (last?.key === key) return last
    const begin = performance.now()
    const base = await this.labs.base(lab)
    const all = layered(base, files)
    const own = base.size > 0 ? [...files.keys()] : []
    const program = await this.toolchain.build(all, (stage) => this.onProgress(lab, stage), own).finally(() => this.onProgress(lab, null))
    // Of what lies underneath the window needs the text of what is wrong only.
    const wrong = [...new Set(program.diagnostics.map(({ file }) => file))].filter((file) => !files.has(file) && base.has(file))
    const result: BuildResult = {
      number: ++this.number,
      ok: program.elf !== undefined,
      diagnostics: [...program.diagnostics],
      milliseconds: performance.now() - begin,
      bytes: program.elf?.length ?? 0,
      sources: Object.fromEntries([...files, ...wrong.map((file) => [file, base.get(file)!] as const)]),
    }
    const build: Build = {
      lab,
      result,
      elf: program.elf,
      listing: program.listing,
      programListing: program.programListing,
      layered: base.size > 0,
      files: all,
      key,
    }
    this.last.set(lab, build)
    if (build.elf) this.lastGood.set(lab, build)
    this.onBuild(lab, result)
    return build
  }

  lastResult(lab: string): BuildResult | null {
    return this.last.get(lab)?.result ?? null
  }

  /** A stage of the last build that worked. */
  async stage(lab: string, stage: 'wasm' | 'ir'): Promise<{ build: number; functions: StageRow[][] }> {
    const build = this.lastGood.get(lab)
    if (!build) return { build: 0, functions: [] }
    const functions = await this.toolchain.stage(build.files, stage)
    // Of what lies underneath the window shows nothing.
    const own = functions.filter((rows) => rows.some(({ file }) => file !== undefined && file in build.result.sources))
    return { build: build.result.number, functions: own }
  }

  /** Of the last build that worked. */
  listing(lab: string, timing: Timing): { build: number; lines: ListingLine[] } {
    const build = this.lastGood.get(lab)
    const own = build?.result.sources ?? {}
    const kernel = (build?.listing ?? []).filter(({ file }) => !build!.layered || (file !== undefined && file in own))
    const rows = [...kernel, ...(build?.programListing ?? [])]
    return { build: build?.result.number ?? 0, lines: rows.map((row) => listingLine(row, timing)) }
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
