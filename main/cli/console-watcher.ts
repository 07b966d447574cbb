/** Looks for texts in the guest's output, across whatever pieces it arrives in. */
export class ConsoleWatcher {
  private readonly pending: Set<string>
  private tail = ''
  /** The `--fail-on` text that was seen. */
  failed: string | undefined
  private readonly longest: number

  constructor(
    private readonly expected: readonly string[],
    private readonly failures: readonly string[],
  ) {
    this.pending = new Set(expected)
    this.longest = Math.max(0, ...[...expected, ...failures].map((text) => Buffer.byteLength(text)))
  }

  /** Takes output; true when the run should stop. */
  see(bytes: Uint8Array): boolean {
    if (this.longest === 0) return false
    // One character a byte, so that texts in any encoding match byte for byte.
    const text = this.tail + Buffer.from(bytes).toString('latin1')
    const shows = (wanted: string) => text.includes(Buffer.from(wanted).toString('latin1'))
    this.failed ??= this.failures.find(shows)
    for (const wanted of [...this.pending]) if (shows(wanted)) this.pending.delete(wanted)
    this.tail = text.slice(Math.max(0, text.length - this.longest + 1))
    return this.failed !== undefined || this.met
  }

  /** Everything expected was seen, and something was expected. */
  get met(): boolean {
    return this.expected.length > 0 && this.pending.size === 0
  }

  /** An expected text not seen yet. */
  get unmet(): string | undefined {
    return [...this.pending][0]
  }
}
