/** When each line of a terminal was begun. The terminal trims and wraps, so lines are counted from one marker that it keeps. */
import type { IMarker, Terminal } from '@xterm/xterm'

const MOST_KEPT = 20_000

export class LineStamps {
  /** Absolute line to seconds. */
  private readonly stamps = new Map<number, number>()
  private anchor: { marker: IMarker; absolute: number } | undefined

  constructor(private readonly terminal: Terminal) {}

  /** Writes text whose lines begin at the given places; resolves when the terminal has taken it. */
  async write(text: string, lines: readonly { at: number; seconds: number }[]): Promise<void> {
    let from = 0
    let done: Promise<void> = Promise.resolve()
    for (const { at, seconds } of lines) {
      if (at > from) done = this.put(text.slice(from, at))
      from = at
      done = this.put('', () => this.stamp(seconds))
    }
    if (from < text.length) done = this.put(text.slice(from))
    await done
  }

  /** Seconds of a line of the buffer. */
  at(line: number): number | undefined {
    return this.anchor && !this.anchor.marker.isDisposed
      ? this.stamps.get(this.anchor.absolute + line - this.anchor.marker.line)
      : undefined
  }

  private put(text: string, then: () => void = () => {}): Promise<void> {
    return new Promise((resolve) =>
      this.terminal.write(text, () => {
        then()
        resolve()
      }),
    )
  }

  private stamp(seconds: number): void {
    const { baseY, cursorY } = this.terminal.buffer.active
    const line = baseY + cursorY
    const alive = this.anchor && !this.anchor.marker.isDisposed
    const absolute = alive ? this.anchor!.absolute + line - this.anchor!.marker.line : 0
    if (!alive) this.stamps.clear()
    // A fresh marker at the cursor is the last to be trimmed.
    const marker = this.terminal.registerMarker(0)
    if (!marker) return
    this.anchor?.marker.dispose()
    this.anchor = { marker, absolute }
    this.stamps.set(absolute, seconds)
    if (this.stamps.size > MOST_KEPT) this.stamps.delete(this.stamps.keys().next().value!)
  }
}
