// Owns the spin lock: for a few instructions, never across an await (the compiler checks). The kernel runs with interrupts off,
// so a lock is only ever waited for by other harts.
import { hartCount } from '../hart'

@unmanaged export class SpinLock {
  word: u32

  @inline lock(): void {
    if (hartCount > 1) this.contend()
  }

  @inline unlock(): void {
    if (hartCount > 1) atomic.xchg<u32>(changetype<usize>(this), 0)
  }

  contend(): void {
    while (atomic.xchg<u32>(changetype<usize>(this), 1) != 0) {
      while (cpu.load32(changetype<usize>(this)) != 0) {}
    }
  }
}
