/**
 * Programs that were built before, in the user's cache folder: an operating system has dozens, of which a change concerns few. An entry
 * is used only by the same toolchain and while all that it was made of is unchanged; a damaged one is as good as none.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { CachedProgram, ProgramCache } from '../../machine/toolchain/build.ts'
import { projectRoot } from './worker-thread.ts'

const entrySchema = z.object({
  toolchain: z.string(),
  elf: z.string(),
  digest: z.string(),
  diagnostics: z.array(z.unknown()),
  files: z.record(z.string(), z.string().nullable()),
})

const MOST_ENTRIES = 500

export class DiskProgramCache implements ProgramCache {
  private readonly toolchain = toolchainIdentity()

  /** `folder`: where the paths of the programs begin. */
  constructor(
    private readonly folder: string,
    private readonly place = cachePlace(),
  ) {}

  get(key: string): CachedProgram | undefined {
    try {
      const entry = entrySchema.parse(JSON.parse(readFileSync(this.file(key), 'utf8')))
      if (entry.toolchain !== this.toolchain || digestOf(entry.elf) !== entry.digest) return undefined
      return { elf: Buffer.from(entry.elf, 'base64'), diagnostics: entry.diagnostics as CachedProgram['diagnostics'], files: entry.files }
    } catch {
      return undefined
    }
  }

  set(key: string, { elf, diagnostics, files }: CachedProgram): void {
    const base64 = Buffer.from(elf).toString('base64')
    const entry: z.input<typeof entrySchema> = {
      toolchain: this.toolchain,
      elf: base64,
      digest: digestOf(base64),
      diagnostics: [...diagnostics],
      files,
    }
    const file = this.file(key)
    try {
      mkdirSync(this.place, { recursive: true })
      writeFileSync(`${file}.${process.pid}`, JSON.stringify(entry))
      renameSync(`${file}.${process.pid}`, file)
      this.prune()
    } catch {
      // A full or read-only disk costs time, not the build.
    }
  }

  private file(key: string): string {
    return path.join(
      this.place,
      `${createHash('sha256')
        .update(JSON.stringify([path.resolve(this.folder), key]))
        .digest('hex')}.json`,
    )
  }

  /** The oldest go first. */
  private prune(): void {
    const names = readdirSync(this.place)
    if (names.length <= MOST_ENTRIES) return
    const aged = names.map((name) => ({ name, at: statSync(path.join(this.place, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    for (const { name } of aged.sort((a, b) => a.at - b.at).slice(0, names.length - MOST_ENTRIES))
      rmSync(path.join(this.place, name), { force: true })
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function cachePlace(): string {
  return path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'pollen', 'programs')
}

/** Changes with the toolchain: a bundle's names hold the hashes of what it imports; sources are read. Packages count by the lock file. */
function toolchainIdentity(): string {
  const hash = createHash('sha256')
  const self = fileURLToPath(import.meta.url)
  const sources = self.endsWith('.ts') ? typescriptBelow(path.join(projectRoot(), 'machine/toolchain')) : []
  for (const file of [self, ...sources]) hash.update(readFileSync(file))
  try {
    hash.update(readFileSync(path.join(projectRoot(), 'package-lock.json')))
  } catch {
    // An installed product has none, and its packages do not change.
  }
  return hash.digest('hex')
}

function typescriptBelow(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  return names.sort().map((name) => path.join(folder, name))
}
