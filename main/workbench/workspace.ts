/**
 * The user's files: one folder a lab, under one root. A path from outside is used only after it has been shown to lie inside,
 * links included.
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { cp, lstat, mkdir, open, readdir, realpath, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { MOST_TEXT, filePath } from '../protocol/index.ts'
import { isTemporary, writeFileAtomically } from './atomic-write.ts'
import { WorkbenchError } from './errors.ts'

const MOST_FILES = 2000

export interface StoredText {
  readonly text: string
  /** Changes whenever the text does. */
  readonly version: string
}

export class Workspace {
  constructor(readonly root: string) {}

  /** True when the lab was opened before. */
  async has(lab: string): Promise<boolean> {
    return (await stat(this.folder(lab)).catch(() => undefined))?.isDirectory() ?? false
  }

  /** Copies what is missing from `source`; never writes over a file of the user's. */
  async addMissing(lab: string, source: string): Promise<void> {
    await mkdir(this.folder(lab), { recursive: true })
    await cp(source, this.folder(lab), { recursive: true, force: false, errorOnExist: false })
  }

  async list(lab: string): Promise<string[]> {
    const found: string[] = []
    const visit = async (relative: string) => {
      const entries = await readdir(path.join(this.folder(lab), relative), { withFileTypes: true }).catch(() => [])
      for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name))) {
        if (entry.name.startsWith('.') || isTemporary(entry.name) || found.length >= MOST_FILES) continue
        const name = relative ? `${relative}/${entry.name}` : entry.name
        if (entry.isDirectory()) await visit(name)
        else if (entry.isFile()) found.push(name)
      }
    }
    await visit('')
    return found
  }

  async read(lab: string, file: string): Promise<StoredText> {
    const place = await this.confine(lab, file)
    let handle
    try {
      // A name can be swapped for a link between the check and the use.
      handle = await open(place, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    } catch {
      throw new WorkbenchError('not-found', `${file}: there is no such file in the workspace`)
    }
    try {
      const { size } = await handle.stat()
      if (size > MOST_TEXT) throw new WorkbenchError('failed', `${file}: ${size} bytes are too many for the editor`)
      const text = await handle.readFile('utf8')
      return { text, version: versionOf(text) }
    } finally {
      await handle.close()
    }
  }

  /**
   * Saves a file. `version` is what the window last saw: another text on disk is not written over.
   * @throws WorkbenchError `changed-on-disk`
   */
  async write(lab: string, file: string, text: string, version?: string): Promise<string> {
    const place = await this.confine(lab, file)
    if (version !== undefined) {
      const onDisk = await this.read(lab, file).catch(() => undefined)
      if (onDisk && onDisk.version !== version && onDisk.text !== text) {
        throw new WorkbenchError('changed-on-disk', `${file} was changed by another program`)
      }
    }
    await writeFileAtomically(place, text)
    return versionOf(text)
  }

  async create(lab: string, file: string): Promise<string> {
    const place = await this.confine(lab, file)
    if (await lstat(place).catch(() => undefined)) throw new WorkbenchError('failed', `${file} is there already`)
    await writeFileAtomically(place, '')
    return versionOf('')
  }

  async remove(lab: string, file: string): Promise<void> {
    await rm(await this.confine(lab, file), { force: true })
  }

  /** All texts of a lab by path, for a build. */
  async readAll(lab: string): Promise<Map<string, string>> {
    const texts = new Map<string, string>()
    for (const file of await this.list(lab)) texts.set(file, (await this.read(lab, file)).text)
    return texts
  }

  folder(lab: string): string {
    return path.join(this.root, lab)
  }

  /** The absolute place of a path. @throws WorkbenchError `outside-workspace` */
  private async confine(lab: string, file: string): Promise<string> {
    const refused = () => new WorkbenchError('outside-workspace', `${file}: not a path inside the workspace`)
    if (!filePath.safeParse(file).success || file.includes(':') || path.isAbsolute(file)) throw refused()
    const base = await realpath(this.folder(lab)).catch(() => {
      throw new WorkbenchError('not-found', `${lab}: the lab was not opened yet`)
    })
    const place = path.join(base, ...file.split('/'))
    if (!place.startsWith(base + path.sep)) throw refused()
    // The nearest folder that exists must lie inside too: a link may point anywhere.
    for (let folder = place; folder !== base; folder = path.dirname(folder)) {
      const real = await realpath(folder).catch(() => undefined)
      if (real === undefined) {
        if ((await lstat(folder).catch(() => undefined))?.isSymbolicLink()) throw refused()
        continue
      }
      if (real !== base && !real.startsWith(base + path.sep)) throw refused()
      break
    }
    return place
  }
}

export function versionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
