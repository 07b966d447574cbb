/** What a run has printed, kept so that a window that opens or reloads later shows it too. */
import type { ConsoleChunk } from '../protocol/index.ts'

/** Characters. */
const MOST_KEPT = 1_000_000

export class ConsoleHistory {
  private text = ''
  private lines: { at: number; seconds: number }[] = []
  /** Characters printed before `text`. */
  private dropped = 0

  add(chunk: ConsoleChunk): void {
    const base = this.text.length
    this.text += chunk.text
    for (const { at, seconds } of chunk.lines) this.lines.push({ at: base + at, seconds })
    if (this.text.length > MOST_KEPT * 1.25) this.drop()
  }

  clear(): void {
    this.text = ''
    this.lines = []
    this.dropped = 0
  }

  all(): ConsoleChunk {
    return { offset: this.dropped, text: this.text, lines: this.lines }
  }

  /** Whole lines go. */
  private drop(): void {
    const cut = this.lines.find((line) => line.at >= this.text.length - MOST_KEPT)?.at ?? this.text.length - MOST_KEPT
    this.text = this.text.slice(cut)
    this.dropped += cut
    this.lines = this.lines.filter((line) => line.at >= cut).map((line) => ({ ...line, at: line.at - cut }))
  }
}
