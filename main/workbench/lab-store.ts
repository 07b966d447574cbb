/** The labs that come with the product: definitions, guides, the files they hand out and their solutions. */
import { readFile, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { filePath, labDefinition, labId, type LabDefinition } from '../protocol/index.ts'
import { WorkbenchError } from './errors.ts'
import { projectRoot } from './worker-thread.ts'

const MANIFEST = 'pollen.json'

export class LabStore {
  private readonly bases = new Map<string, Map<string, string>>()

  constructor(private readonly root = path.join(projectRoot(), 'labs')) {}

  /** In the order of their names. */
  async ids(): Promise<string[]> {
    const entries = await readdir(this.root, { withFileTypes: true }).catch(() => [])
    const ids: string[] = []
    for (const entry of entries) {
      if (entry.isDirectory() && /^\d\d-/.test(entry.name) && (await this.isFile(path.join(this.root, entry.name, 'lab.json'))))
        ids.push(entry.name)
    }
    return ids.sort()
  }

  /** @throws WorkbenchError naming what is wrong with a lab.json. */
  async definition(id: string): Promise<LabDefinition> {
    const file = path.join(this.folder(id), 'lab.json')
    const text = await readFile(file, 'utf8').catch(() => {
      throw new WorkbenchError('not-found', `there is no lab called ${id}`)
    })
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch (error) {
      throw new WorkbenchError('failed', `labs/${id}/lab.json: ${(error as Error).message}`)
    }
    const parsed = labDefinition.safeParse(json)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      throw new WorkbenchError('failed', `labs/${id}/lab.json: ${issue.path.join('.')}: ${issue.message}`)
    }
    if (parsed.data.id !== id) throw new WorkbenchError('failed', `labs/${id}/lab.json: the id must be ${id}`)
    return parsed.data
  }

  async guide(id: string): Promise<{ en: string; 'zh-CN': string }> {
    const read = (locale: string) => readFile(path.join(this.folder(id), `guide.${locale}.md`), 'utf8')
    return { en: await read('en'), 'zh-CN': await read('zh-CN') }
  }

  start(id: string): string {
    return path.join(this.folder(id), 'start')
  }

  /** What the learner begins with, or with `solution` laid over it, by path. */
  async files(id: string, of: 'start' | 'solution'): Promise<Map<string, string>> {
    const files = await readFolder(this.start(id))
    if (of === 'solution') for (const [file, text] of await readFolder(path.join(this.folder(id), 'solution'))) files.set(file, text)
    return files
  }

  /** The read-only files underneath, by path; none for a lab that stands alone. */
  async base(id: string): Promise<Map<string, string>> {
    const { base } = await this.definition(id)
    if (!base) return new Map()
    let files = this.bases.get(base)
    if (!files) this.bases.set(base, (files = await readFolder(path.join(this.root, base))))
    return files
  }

  async original(id: string, file: string, of: 'start' | 'solution'): Promise<string | null> {
    if (!filePath.safeParse(file).success) return null
    return (await this.files(id, of)).get(file) ?? null
  }

  private folder(id: string): string {
    if (!labId.safeParse(id).success) throw new WorkbenchError('not-found', `there is no lab called ${id}`)
    return path.join(this.root, id)
  }

  private async isFile(file: string): Promise<boolean> {
    return (await stat(file).catch(() => undefined))?.isFile() ?? false
  }
}

/**
 * A lab's files over those underneath. Both may have a pollen.json: the lab's says only what differs, and what it puts into the root
 * file system comes on top.
 */
export function layered(base: ReadonlyMap<string, string>, own: ReadonlyMap<string, string>): Map<string, string> {
  const files = new Map([...base, ...own])
  const [below, above] = [base.get(MANIFEST), own.get(MANIFEST)]
  if (below === undefined || above === undefined) return files
  try {
    const [lower, upper] = [JSON.parse(below), JSON.parse(above)] as { root?: object }[]
    files.set(MANIFEST, JSON.stringify({ ...lower, ...upper, root: { ...lower.root, ...upper.root } }))
  } catch {
    // The build says what is wrong with it.
  }
  return files
}

async function readFolder(root: string): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  const visit = async (relative: string) => {
    for (const entry of await readdir(path.join(root, relative), { withFileTypes: true }).catch(() => [])) {
      const name = relative ? `${relative}/${entry.name}` : entry.name
      if (entry.isDirectory()) await visit(name)
      // Tests of the product's own are no part of the program.
      else if (entry.isFile() && !entry.name.endsWith('.spec.ts')) files.set(name, await readFile(path.join(root, name), 'utf8'))
    }
  }
  await visit('')
  return files
}
