/**
 * Builds an operating system's image: the kernel, with its root file system as an archive between `__root_start` and `__root_end`.
 * The archive's programs are built here too, each by itself, and kept in a cache with what they were made of.
 */
import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { assemble } from '../assembler/index.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { stripElf } from '../elf/strip.ts'
import { writeCpio, type ArchiveFile } from './cpio.ts'
import { buildProgram, programSchema, type BuildInput, type BuildResult, type ProgramConfiguration, type RootFiles } from './program.ts'

export interface ImageInput extends Omit<BuildInput, 'includes' | 'layout' | 'objects'> {
  /** Bytes of a file that goes into the archive as it is. */
  readonly readBytes: (path: string) => Uint8Array | undefined
  /** All paths that the other members may read. */
  readonly files: readonly string[]
  /** Adds what only tests need to the archive. */
  readonly tests?: boolean
  readonly programs?: ProgramCache
}

export interface BuiltFile {
  /** In the archive. */
  readonly path: string
  /** With symbols and debug information, which the archive leaves out. */
  readonly elf: Uint8Array
}

export interface ImageResult extends BuildResult {
  readonly programs: readonly BuiltFile[]
}

/** A program, and the hash of every file that was looked at for it; null for those that are not there. */
export interface CachedProgram {
  readonly elf: Uint8Array
  readonly diagnostics: readonly Diagnostic[]
  readonly files: Readonly<Record<string, string | null>>
}

export interface ProgramCache {
  get(key: string): CachedProgram | undefined
  set(key: string, program: CachedProgram): void
}

const SOURCE = /\.(ts|c|cc|cpp|cxx|s|S)$/
const HEADER = /\.(h|hpp|inc)$/

/** Builds any program; one with a root becomes an image. Paths in diagnostics start where the configuration is. */
export async function buildImage(input: ImageInput): Promise<ImageResult> {
  const parsed = programSchema.safeParse(input.configuration)
  const includes = input.files.filter((path) => HEADER.test(path))
  // What is wrong with the configuration is said there.
  if (!parsed.success || (!parsed.data.root && !parsed.data.tests)) return { ...(await buildProgram({ ...input, includes })), programs: [] }
  const { root = {}, tests = {} } = parsed.data
  const archive = await new Archive(input, includes).build({ ...root, ...(input.tests ? tests : {}) })
  if (!archive.bytes) return { diagnostics: archive.diagnostics, map: '', modules: [], objects: [], programs: [] }
  const kernel = await buildProgram({ ...input, includes, objects: [rootObject(archive.bytes)] })
  return { ...kernel, diagnostics: [...archive.diagnostics, ...kernel.diagnostics], programs: archive.programs }
}

function rootObject(bytes: Uint8Array) {
  // Code and read-only data have limited room; the archive goes behind the data.
  const source =
    '.section .data.root, "aw"\n.balign 4096\n.globl __root_start\n__root_start:\n.incbin "root"\n.globl __root_end\n__root_end:\n.balign 4096\n'
  const { object, diagnostics } = assemble(source, { file: 'root.s', readFile: () => ({ path: 'root', bytes }) })
  if (!object) throw new Error(diagnostics.map(({ message }) => message).join('\n'))
  return object
}

class Archive {
  private readonly diagnostics: Diagnostic[] = []
  private readonly programs: BuiltFile[] = []
  /** By what they are made from: one program may have several names. */
  private readonly built = new Map<string, Uint8Array | undefined>()

  constructor(
    private readonly input: ImageInput,
    private readonly includes: readonly string[],
  ) {}

  async build(root: RootFiles): Promise<{ bytes?: Uint8Array; programs: BuiltFile[]; diagnostics: Diagnostic[] }> {
    const files: ArchiveFile[] = []
    for (const [path, source] of Object.entries(root)) {
      if (!/^(\/[^/\0]+)+$/.test(path) || path.split('/').some((part) => part === '.' || part === '..'))
        this.error('pollen.json', `root: ${path} is no path from the root`)
      else files.push(...(await this.entry(path, source)))
    }
    const { diagnostics, programs } = this
    const failed = diagnostics.some(({ severity }) => severity === 'error')
    return { bytes: failed ? undefined : writeCpio(files), programs, diagnostics }
  }

  private error(file: string, message: string): void {
    const at = { line: 1, column: 1 }
    this.diagnostics.push({ file, ...at, end: at, severity: 'error', code: 'build/root', message })
  }

  private async entry(path: string, source: RootFiles[string]): Promise<ArchiveFile[]> {
    if (typeof source !== 'string') return this.program(path, { version: 1, kind: 'program', sources: [...source] })
    const place = posix.normalize(source).replace(/\/$/, '')
    const description = `${place}/pollen.json`
    const text = this.input.readFile(description)
    if (text !== undefined) {
      const configuration = this.configuration(place, description, text)
      return configuration ? this.program(path, configuration) : []
    }
    if (SOURCE.test(place)) return this.program(path, { version: 1, kind: 'program', sources: [place] })
    const bytes = this.input.readBytes(place)
    if (bytes) return [{ path, bytes, executable: false }]
    const below = this.input.files.filter((file) => file.startsWith(`${place}/`))
    if (below.length === 0) this.error('pollen.json', `root: ${path}: there is no file or folder ${place}`)
    return below.flatMap((file) => {
      const found = this.input.readBytes(file)
      return found ? [{ path: path + file.slice(place.length), bytes: found, executable: false }] : []
    })
  }

  /** A program's own description, with the paths of its sources seen from here. */
  private configuration(folder: string, file: string, text: string): ProgramConfiguration | undefined {
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch (error) {
      this.error(file, (error as Error).message)
      return undefined
    }
    const parsed = programSchema.safeParse(json)
    if (!parsed.success) {
      for (const { path, message } of parsed.error.issues) this.error(file, [path.join('.'), message].filter(Boolean).join(': '))
      return undefined
    }
    const { data } = parsed
    if (data.kind !== 'program') {
      this.error(file, `kind: ${data.kind} cannot be a file of the root; only a program can`)
      return undefined
    }
    const here = (name: string) => posix.normalize(posix.join(folder, name))
    return { ...data, sources: data.sources.map(here), entry: data.entry === undefined ? undefined : here(data.entry) }
  }

  private async program(path: string, configuration: ProgramConfiguration): Promise<ArchiveFile[]> {
    const key = JSON.stringify([configuration, this.input.level ?? 2])
    if (!this.built.has(key)) this.built.set(key, await this.make(key, configuration))
    const elf = this.built.get(key)
    if (!elf) return []
    this.programs.push({ path, elf })
    return [{ path, bytes: stripElf(elf), executable: true }]
  }

  private async make(key: string, configuration: ProgramConfiguration): Promise<Uint8Array | undefined> {
    const { input } = this
    const known = input.programs?.get(key)
    if (known && Object.entries(known.files).every(([file, hash]) => hashOf(input.readFile(file)) === hash)) {
      this.diagnostics.push(...known.diagnostics)
      return known.elf
    }
    const files: Record<string, string | null> = {}
    const { elf, diagnostics } = await buildProgram({
      configuration,
      includes: this.includes,
      readFile: (file) => {
        const text = input.readFile(file)
        files[file] = hashOf(text)
        return text
      },
      level: input.level,
      cache: input.cache,
      signal: input.signal,
      onProgress: input.onProgress && ((stage) => input.onProgress!(`${configuration.sources[0]}: ${stage}`)),
    })
    this.diagnostics.push(...diagnostics)
    if (elf) input.programs?.set(key, { elf, diagnostics, files })
    return elf
  }
}

function hashOf(text: string | undefined): string | null {
  return text === undefined ? null : createHash('sha256').update(text).digest('base64')
}
