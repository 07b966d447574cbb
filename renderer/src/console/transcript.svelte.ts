/** The lines of the console as data, for the filter and for saving; runs before the current one stay until cleared. */
import type { ConsoleChunk } from '../../../main/protocol'

export interface ConsoleLine {
  readonly seconds: number
  readonly text: string
}

const MOST_LINES = 20_000

const ESCAPES = /\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]/g

export class Transcript {
  lines = $state.raw<ConsoleLine[]>([])
  private open = false

  /** A new run, or the whole of one from the host. */
  restart(replaces: boolean): void {
    if (replaces) this.lines = []
    this.open = false
  }

  clear(): void {
    this.lines = []
    this.open = false
  }

  add({ text, lines }: ConsoleChunk): void {
    const list = this.lines.slice(-MOST_LINES)
    const clean = (part: string) => part.replace(ESCAPES, '').replace(/\n$/, '')
    const firstBegin = lines[0]?.at ?? text.length
    if (firstBegin > 0) {
      const part = clean(text.slice(0, firstBegin))
      const last = list.at(-1)
      if (this.open && last) list[list.length - 1] = { ...last, text: last.text + part }
      else list.push({ seconds: 0, text: part })
    }
    for (const [index, { at, seconds }] of lines.entries()) list.push({ seconds, text: clean(text.slice(at, lines[index + 1]?.at)) })
    this.open = !text.endsWith('\n')
    this.lines = list
  }

  text(): string {
    return this.lines.map(({ seconds, text }) => `${seconds.toFixed(6).padStart(12)}  ${text}\n`).join('')
  }
}
