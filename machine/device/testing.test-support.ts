/** Stand-ins for a board, for tests that drive one device by its real offsets. */
import type { Clock, DeviceLog, GuestMemory, InterruptLine, Timer } from './device.ts'

/** A clock that moves only when the test says so. */
export class MockClock implements Clock {
  now = 0
  private timers: MockTimer[] = []
  constructor(readonly frequency = 100_000_000) {}

  timer(expire: () => void): Timer {
    const timer = new MockTimer(expire)
    this.timers.push(timer)
    return timer
  }

  /** Moves time to `cycle`, expiring timers in order of deadline, then of creation. */
  advanceTo(cycle: number): void {
    for (;;) {
      let next: MockTimer | undefined
      for (const timer of this.timers) {
        if (timer.armed && timer.deadline <= cycle && (!next || timer.deadline < next.deadline)) next = timer
      }
      if (!next) break
      this.now = Math.max(this.now, next.deadline)
      next.armed = false
      next.expire()
    }
    this.now = cycle
  }

  advanceBy(cycles: number): void {
    this.advanceTo(this.now + cycles)
  }

  /** Takes over time and armed timers of another clock with the same timers, as a board's clock does after a snapshot. */
  copy(other: MockClock): void {
    this.now = other.now
    for (const [index, timer] of this.timers.entries()) {
      timer.armed = other.timers[index].armed
      timer.deadline = other.timers[index].deadline
    }
  }
}

class MockTimer implements Timer {
  armed = false
  deadline = 0
  constructor(readonly expire: () => void) {}
  at(cycle: number): void {
    this.deadline = cycle
    this.armed = true
  }
  cancel(): void {
    this.armed = false
  }
}

export class MockLine implements InterruptLine {
  level = false
  /** How often the line went from low to high. */
  rises = 0
  set(level: boolean): void {
    if (level && !this.level) this.rises++
    this.level = level
  }
}

/** A few pages of RAM starting at `base`. */
export class MockMemory implements GuestMemory {
  readonly bytes: Uint8Array
  constructor(
    readonly base = 0x8000_0000,
    size = 0x10_0000,
  ) {
    this.bytes = new Uint8Array(size)
  }
  read(address: number, length: number): Uint8Array | undefined {
    const start = address - this.base
    return start < 0 || length < 0 || start + length > this.bytes.length ? undefined : this.bytes.slice(start, start + length)
  }
  write(address: number, bytes: Uint8Array): boolean {
    const start = address - this.base
    if (start < 0 || start + bytes.length > this.bytes.length) return false
    this.bytes.set(bytes, start)
    return true
  }
}

export class MockLog implements DeviceLog {
  readonly texts: string[] = []
  warn(text: string): void {
    if (!this.texts.includes(text)) this.texts.push(text)
  }
}
