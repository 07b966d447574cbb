// Owns what a program prints: standard output and errors, gathered in buffers. A buffer is written when it is full, at flush(), before
// standard input is read and at exit.
import { sysWrite } from './system'

const ROOM: u32 = 1024
/** Bytes in the buffer. */
const filled = memory.data(8, 8)
const buffer = memory.data(1024, 16)

/** Writes all of it; false when the other end is gone or the disk full. */
export function writeAll(descriptor: i32, from: usize, bytes: u32): bool {
  let done: u32 = 0
  while (done < bytes) {
    const count = sysWrite(descriptor, from + done, bytes - done)
    if (count <= 0) return false
    done += <u32>count
  }
  return true
}

export function flush(): void {
  const count = load<u32>(filled)
  store<u32>(filled, 0)
  if (count != 0) writeAll(1, buffer, count)
}

@inline export function putByte(character: u32): void {
  if (load<u32>(filled) == ROOM) flush()
  const count = load<u32>(filled)
  store<u8>(buffer + count, <u8>character)
  store<u32>(filled, count + 1)
}

export function printBytes(from: usize, bytes: u32): void {
  for (let index: u32 = 0; index < bytes; index++) putByte(load<u8>(from + index))
}

/** A character in UTF-8 (RFC 3629). */
export function putCharacter(point: u32): void {
  if (point < 0x80) putByte(point)
  else if (point < 0x800) {
    putByte(0xc0 | (point >> 6))
    putByte(0x80 | (point & 0x3f))
  } else if (point < 0x1_0000) {
    putByte(0xe0 | (point >> 12))
    putByte(0x80 | ((point >> 6) & 0x3f))
    putByte(0x80 | (point & 0x3f))
  } else {
    putByte(0xf0 | (point >> 18))
    putByte(0x80 | ((point >> 12) & 0x3f))
    putByte(0x80 | ((point >> 6) & 0x3f))
    putByte(0x80 | (point & 0x3f))
  }
}

/** Prints without allocating. */
export function print(text: string): void {
  for (let index = 0; index < text.length; index++) {
    const unit = <u32>text.charCodeAt(index)
    if (unit >= 0xd800 && unit < 0xdc00 && index + 1 < text.length)
      putCharacter(0x1_0000 + ((unit & 0x3ff) << 10) + (<u32>text.charCodeAt(++index) & 0x3ff))
    else putCharacter(unit)
  }
}

export function printLine(text: string): void {
  print(text)
  putByte(10)
}

/** A number in decimal, to the right in `width` columns. */
export function printNumber(value: i64, width: i32 = 0): void {
  const digits = memory.data(24, 8)
  let magnitude = <u64>(value < 0 ? -value : value)
  let at: u32 = 24
  do {
    store<u8>(digits + --at, <u8>(48 + (magnitude % 10)))
    magnitude /= 10
  } while (magnitude != 0)
  if (value < 0) store<u8>(digits + --at, 45)
  for (let column = <i32>(24 - at); column < width; column++) putByte(32)
  printBytes(digits + at, 24 - at)
}

export function printHex(value: u64): void {
  print('0x')
  let shift = 60
  while (shift > 0 && value >> shift == 0) shift -= 4
  for (; shift >= 0; shift -= 4) {
    const digit = <u32>(value >> shift) & 15
    putByte(digit < 10 ? 48 + digit : 87 + digit)
  }
}

/** A text to the left in `width` columns. */
export function printColumn(text: string, width: i32): void {
  print(text)
  for (let column = text.length; column < width; column++) putByte(32)
}

/** One line on standard error. */
export function complain(text: string): void {
  flush()
  const bytes = String.UTF8.encode(text + '\n')
  writeAll(2, changetype<usize>(bytes), bytes.byteLength)
}
