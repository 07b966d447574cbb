/**
 * stdin and stdout as the guest's console. A terminal is put into raw mode (Ctrl-A x leaves, Ctrl-A Ctrl-A sends Ctrl-A) and idle
 * time passes at the wall clock's pace; a file is there from cycle 0, for runs that repeat; a pipe arrives as it arrives.
 */
import { fstatSync, readFileSync } from 'node:fs'
import type { ConsoleStream } from '../../machine/backend/console.ts'

const CTRL_A = 1

export class HostConsole {
  private readonly terminal = process.stdin.isTTY === true
  private escaped = false
  private ended = false
  private wake: () => void = () => {}
  private virtualStart = 0
  private wallStart = performance.now()
  /** The user asked to leave. */
  left = false

  /**
   * Delivers input to `stream`, stamped with the cycle that `now` returns. `endOfInput` follows the last byte, for a program that has
   * a way to be told.
   */
  start(stream: ConsoleStream, now: () => number, endOfInput = new Uint8Array()): void {
    if (this.terminal) process.stdin.setRawMode(true)
    else if (stdinIsFile()) {
      stream.push(readFileSync(0))
      stream.push(endOfInput)
      this.ended = true
      return
    }
    process.stdin.on('data', (data: Buffer) => {
      const bytes = this.terminal ? this.filter(data) : data
      if (bytes.length > 0) stream.push(bytes, now())
      this.wake()
    })
    const end = () => {
      if (this.ended) return
      this.ended = true
      if (!this.terminal) stream.push(endOfInput, now())
      this.wake()
    }
    process.stdin.on('end', end)
    process.stdin.on('error', end)
  }

  async stop(): Promise<void> {
    if (this.terminal) process.stdin.setRawMode(false)
    process.stdin.pause()
    process.stdin.unref?.()
    await new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
  }

  write(bytes: Uint8Array): void {
    process.stdout.write(bytes)
  }

  /** Input can still come. */
  get mayStillSend(): boolean {
    return !this.ended
  }

  /** Waits for input, its end, or `limit` seconds; true when input came or ended. */
  waitForInput(limit: number): Promise<boolean> {
    if (this.ended) return Promise.resolve(false)
    return this.wait(limit)
  }

  /** Lets input in; at a terminal also waits while the guest's idle time is ahead of the wall clock. */
  async breathe(virtualSeconds: number, limit: number): Promise<void> {
    if (this.terminal) {
      const ahead = virtualSeconds - this.virtualStart - (performance.now() - this.wallStart) / 1000
      if (ahead > 0.002) await this.wait(Math.min(ahead, limit))
      // A guest that is slower than real time never has to catch up.
      else if (ahead < -0.1) {
        this.virtualStart = virtualSeconds
        this.wallStart = performance.now()
      }
    }
    await new Promise((resolve) => setImmediate(resolve))
  }

  private wait(limit: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = limit === Infinity ? undefined : setTimeout(() => finish(false), Math.max(0, limit) * 1000)
      const finish = (arrived: boolean) => {
        clearTimeout(timer)
        this.wake = () => {}
        resolve(arrived)
      }
      this.wake = () => finish(true)
    })
  }

  private filter(data: Buffer): Uint8Array {
    const kept: number[] = []
    for (const byte of data) {
      if (this.escaped) {
        this.escaped = false
        if (byte === 0x78) this.left = true
        else kept.push(byte)
      } else if (byte === CTRL_A) this.escaped = true
      else kept.push(byte)
    }
    return Uint8Array.from(kept)
  }
}

function stdinIsFile(): boolean {
  try {
    return fstatSync(0).isFile()
  } catch {
    return false
  }
}
