/** Writes a file so that a reader, or a start after a crash, sees all of the old text or all of the new. */
import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'

export async function writeFileAtomically(file: string, data: string | Uint8Array): Promise<void> {
  const folder = path.dirname(file)
  await mkdir(folder, { recursive: true })
  // In the same folder: a rename across file systems is a copy.
  const temporary = path.join(folder, `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(data)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Left behind by a process that was killed between the two steps. */
export function isTemporary(name: string): boolean {
  return /^\..*\.[0-9a-f]{12}\.tmp$/.test(name)
}
