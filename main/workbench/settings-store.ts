/** Settings in one small file. A file that cannot be read is no reason not to start. */
import { readFile } from 'node:fs/promises'
import { settings, withPatch, type Settings, type SettingsPatch } from '../protocol/index.ts'
import { writeFileAtomically } from './atomic-write.ts'

export class SettingsStore {
  private current: Settings | undefined
  private writing: Promise<void> = Promise.resolve()

  constructor(private readonly file: string) {}

  async get(): Promise<Settings> {
    if (this.current) return this.current
    let stored: unknown = {}
    try {
      stored = JSON.parse(await readFile(this.file, 'utf8'))
    } catch {
      // Not there yet, or damaged: defaults.
    }
    const parsed = settings.safeParse(stored)
    return (this.current ??= parsed.success ? parsed.data : settings.parse({}))
  }

  async set(patch: SettingsPatch): Promise<Settings> {
    await this.get()
    // From what is current now, not from what was when this call came: another may have come between.
    const next = settings.parse(withPatch(this.current!, patch))
    this.current = next
    // One write after the other: the last one wins on disk too.
    this.writing = this.writing.catch(() => {}).then(() => writeFileAtomically(this.file, JSON.stringify(next, null, 2) + '\n'))
    await this.writing
    return next
  }
}
