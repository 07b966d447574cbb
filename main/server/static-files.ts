/** The built window as files: read from one folder and from nowhere else. */
import { readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { contentType } from './policy.ts'

export interface StaticFile {
  readonly type: string
  readonly bytes: Uint8Array
}

export class StaticFiles {
  constructor(readonly root: string) {}

  /** The file of a URL's path, or undefined: a path that leads out of the folder is no file. */
  async get(urlPath: string): Promise<StaticFile | undefined> {
    let name: string
    try {
      name = decodeURIComponent(urlPath)
    } catch {
      return undefined
    }
    if (name === '/') name = '/index.html'
    if (name.includes('\0') || name.includes('\\') || name.split('/').includes('..')) return undefined
    const type = contentType(name)
    if (!type) return undefined
    try {
      const root = await realpath(this.root)
      const file = await realpath(path.join(root, name))
      if (!file.startsWith(root + path.sep)) return undefined
      return { type, bytes: await readFile(file) }
    } catch {
      return undefined
    }
  }
}
