/** What a board says about guests that do unmodelled things: each text once, at most so many of them. */
import type { DeviceLog } from '../device/device.ts'

const MOST_TEXTS = 1000

export class BoardLog implements DeviceLog {
  private readonly seen = new Set<string>()

  constructor(private readonly show: (text: string) => void) {}

  warn(text: string): void {
    if (this.seen.has(text) || this.seen.size > MOST_TEXTS) return
    this.seen.add(text)
    this.show(this.seen.size > MOST_TEXTS ? 'further warnings of the board are left out' : text)
  }
}
