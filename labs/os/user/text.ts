// Owns texts between the two worlds: the dialect's strings are UTF-16, the kernel's end in zero and are UTF-8.
import { give, take } from './memory'

/** A copy for the kernel: give() it back. */
export function toKernel(text: string): usize {
  const bytes = String.UTF8.byteLength(text, true)
  const copy = take(bytes)
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, copy, true)
  return copy
}

export function textLength(at: usize): u32 {
  let count: u32 = 0
  while (load<u8>(at + count) != 0) count++
  return count
}

export function fromKernel(at: usize): string {
  return String.UTF8.decodeUnsafe(at, textLength(at))
}

@inline export function fromBytes(at: usize, bytes: u32): string {
  return String.UTF8.decodeUnsafe(at, bytes)
}

/** A number at the start of a text; -1 when there is none. */
export function parseNumber(text: string): i64 {
  let value: i64 = 0
  if (text.length == 0) return -1
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > 9 || value > 100000000000000000) return -1
    value = value * 10 + digit
  }
  return value
}

/** Texts of an array as the kernel's vectors want them: 64-bit pointers, 0 at the end. Give it back with giveVector. */
export function toVector(texts: string[]): usize {
  const vector = take(<u32>(texts.length + 1) * 8)
  for (let index = 0; index < texts.length; index++) store<u64>(vector + index * 8, toKernel(texts[index]))
  store<u64>(vector + texts.length * 8, 0)
  return vector
}

export function giveVector(vector: usize): void {
  for (let at = vector; load<u64>(at) != 0; at += 8) give(<usize>load<u64>(at))
  give(vector)
}
