// Owns the lines that were entered before: the last 64, as bytes that end in zero.
import { give, take } from '../../user/memory'
import { textLength } from '../../user/text'

const MOST: u32 = 64
const lines = memory.data(256, 8)
const counts = memory.data(8, 8)

/** How many were ever entered; the last 64 of them are there. */
@inline export function historyEnd(): u32 {
  return load<u32>(counts)
}

@inline export function historyStart(): u32 {
  return historyEnd() > MOST ? historyEnd() - MOST : 0
}

export function historyLine(index: u32): usize {
  return load<u32>(lines + (index & (MOST - 1)) * 4)
}

function same(a: usize, b: usize, bytes: u32): bool {
  return memory.compare(a, b, bytes) == 0
}

/** Adds a line, unless it is empty or the same as the last one. */
export function remember(line: usize, bytes: u32): void {
  if (bytes == 0) return
  const end = historyEnd()
  if (end != 0 && textLength(historyLine(end - 1)) == bytes && same(historyLine(end - 1), line, bytes)) return
  const cell = lines + (end & (MOST - 1)) * 4
  give(load<u32>(cell))
  const copy = take(bytes + 1)
  memory.copy(copy, line, bytes)
  store<u8>(copy + bytes, 0)
  store<u32>(cell, <u32>copy)
  store<u32>(counts, end + 1)
}
