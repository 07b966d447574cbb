// The user's half of a ring (labs/os/ABI.md, "Rings"). Steps 1 and 4 are yours.
import { Call, Completion, RingHeader, RingSetup, RingState, Submission } from '../kernel/abi'
import { call1, call2, call4 } from '../user/system'

const parameters = memory.data(128, 8)

/** A completion, as it was taken from the ring. */
@unmanaged export class Answer {
  userData: u64
  result: i64
}

export class Ring {
  /** Where the block of shared pages begins: first the header. */
  base: usize = 0
  /** Where the entries begin. */
  submissions: usize = 0
  completions: usize = 0
  /** Where the next call goes; what others see of it is in the header. */
  tail: u32 = 0
  private number: u32 = 0

  constructor(
    /** A power of two. */
    readonly entries: u32,
    readonly completionEntries: u32,
  ) {}

  /** 0, or a negative errno. */
  open(): i64 {
    memory.fill(parameters, 0, RingSetup.bytes)
    store<u32>(parameters, this.entries, RingSetup.entries)
    store<u32>(parameters, this.completionEntries, RingSetup.completionEntries)
    const result = call1(Call.setup_io, parameters)
    if (result < 0) return result
    this.number = load<u32>(parameters, RingSetup.outId)
    this.base = <usize>load<u64>(parameters, RingSetup.outAddress)
    this.submissions = this.base + load<u32>(this.base, RingHeader.submissionOffset)
    this.completions = this.base + load<u32>(this.base, RingHeader.completionOffset)
    return 0
  }

  close(): i64 {
    return call2(Call.ring_close, this.number, 0)
  }

  /** One of the four numbers in the header. The kernel changes its own at any time: never keep what you read. */
  @inline counter(offset: u32): u32 {
    return cpu.load32(this.base + offset)
  }

  /** Writes an entry of the ring, without showing it to anybody. */
  write(entry: usize, number: u32, a: u64, b: u64, c: u64, d: u64, userData: u64, flags: u32): void {
    store<u64>(entry, number | (flags << 16))
    store<u64>(entry, userData, Submission.userData)
    store<u64>(entry, a, Submission.arguments)
    store<u64>(entry, b, Submission.arguments + 8)
    store<u64>(entry, c, Submission.arguments + 16)
    store<u64>(entry, d, Submission.arguments + 24)
  }

  /** Step 1: puts a call into the next free entry; false when the ring is full. Nobody sees it before `publish`. */
  submit(number: u32, a: u64, b: u64, c: u64, d: u64, userData: u64, flags: u32): bool {
    if (this.tail - this.counter(RingHeader.submissionHead) == this.entries) return false
    const entry = this.submissions + (this.tail & (this.entries - 1)) * Submission.bytes
    this.write(entry, number, a, b, c, d, userData, flags)
    this.tail++
    return true
  }

  /** Step 1: shows the kernel what was submitted: behind a fence, the tail moves, once for all. */
  publish(): void {
    cpu.fence()
    cpu.store32(this.base + RingHeader.submissionTail, this.tail)
  }

  /** Step 1: takes the oldest completion; false when there is none. */
  reap(answer: Answer): bool {
    const head = load<u32>(this.base, RingHeader.completionHead)
    if (head == this.counter(RingHeader.completionTail)) return false
    cpu.fence()
    const entry = this.completions + (head & (this.completionEntries - 1)) * Completion.bytes
    answer.userData = load<u64>(entry, Completion.userData)
    answer.result = load<i64>(entry, Completion.result)
    cpu.fence()
    cpu.store32(this.base + RingHeader.completionHead, head + 1)
    return true
  }

  /** True while the kernel's half sleeps: it looks at the ring again only after `enter`. */
  @inline get sleeps(): bool {
    return (this.counter(RingHeader.flags) & RingState.needWakeup) != 0
  }

  /** A trap: wakes the kernel's half, and waits for so many unread completions (0: does not wait). */
  enter(least: u32): i64 {
    return call4(Call.ring_enter, this.number, 0, least, 0)
  }
}
