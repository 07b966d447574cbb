/** A program's folder on disk, as the toolchain wants it: texts, bytes and names by path relative to it. */
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

export interface ProgramFiles {
  readonly readFile: (name: string) => string | undefined
  readonly readBytes: (name: string) => Uint8Array | undefined
  readonly files: readonly string[]
}

export function programFolder(folder: string): ProgramFiles {
  const readBytes = (name: string): Buffer | undefined => {
    try {
      return readFileSync(path.join(folder, name))
    } catch {
      return undefined
    }
  }
  return { readFile: (name) => readBytes(name)?.toString('utf8'), readBytes, files: listFiles(folder) }
}

/** Names have slashes on every system; hidden folders and packages are no part of a program. */
function listFiles(folder: string): string[] {
  const found: string[] = []
  const visit = (relative: string) => {
    for (const entry of readdirSync(path.join(folder, relative), { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
      const name = relative ? `${relative}/${entry.name}` : entry.name
      if (entry.isDirectory()) visit(name)
      else if (entry.isFile()) found.push(name)
    }
  }
  visit('')
  return found.sort()
}
