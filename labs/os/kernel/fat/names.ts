// Owns the names of FAT: UTF-8 on the kernel's side, UTF-16 in long entries, 11 bytes in short ones ("Long File Name Implementation").
// Pure functions on kernel memory.

/** Units of a long name, and units that one of its entries holds. */
export const MOST_UNITS: u32 = 255
export const UNITS_PER_ENTRY: u32 = 13
export const SHORT_BYTES: u32 = 11
/** Bits of byte 12 of a short entry: its base, its extension is in small letters. */
export const LOWER_BASE: u8 = 0x08
export const LOWER_EXTENSION: u8 = 0x10

const DOT: u32 = 46
const SPACE: u32 = 32
const TILDE: u32 = 126

/** UTF-8 to UTF-16: how many units, or 0 for a name that FAT cannot have. `units` has room for MOST_UNITS. */
export function unitsOf(name: usize, length: u32, units: usize): u32 {
  let count: u32 = 0
  for (let at: u32 = 0; at < length; ) {
    const first: u32 = load<u8>(name + at)
    let more: u32 = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1
    if ((first & 0xc0) == 0x80 || first >= 0xf8 || at + more >= length) return 0
    let code = more == 0 ? first : first & (0x3f >> more)
    for (at++; more != 0; more--, at++) {
      const next: u32 = load<u8>(name + at)
      if ((next & 0xc0) != 0x80) return 0
      code = (code << 6) | (next & 0x3f)
    }
    if (count + (code < 0x10000 ? 1 : 2) > MOST_UNITS || code > 0x10ffff || !isAllowed(code)) return 0
    if (code >= 0x10000) {
      store<u16>(units + count++ * 2, <u16>(0xd800 + ((code - 0x10000) >> 10)))
      store<u16>(units + count++ * 2, <u16>(0xdc00 + (code & 0x3ff)))
    } else store<u16>(units + count++ * 2, <u16>code)
  }
  // Other systems take these away.
  const last: u32 = count == 0 ? SPACE : load<u16>(units + (count - 1) * 2)
  return last == DOT || last == SPACE ? 0 : count
}

function isAllowed(code: u32): bool {
  // " * / : < > ? \ |
  if (code < 32 || code == 127 || code == 34 || code == 42 || code == 47 || code == 58 || code == 60) return false
  return code != 62 && code != 63 && code != 92 && code != 124
}

/** UTF-16 to UTF-8 of at most 255 bytes: how many, or 0 when it does not fit. */
export function utf8Of(units: usize, count: u32, name: usize): u32 {
  let length: u32 = 0
  for (let index: u32 = 0; index < count; index++) {
    let code: u32 = load<u16>(units + index * 2)
    if ((code & 0xfc00) == 0xd800 && index + 1 < count) {
      const low: u32 = load<u16>(units + (index + 1) * 2)
      if ((low & 0xfc00) == 0xdc00) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff)
        index++
      }
    }
    if (length + (code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4) > 255) return 0
    if (code < 0x80) store<u8>(name + length++, <u8>code)
    else {
      const more: u32 = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3
      store<u8>(name + length++, <u8>((0xff00 >> (more + 1)) | (code >> (6 * more))))
      for (let left = more; left != 0; left--) store<u8>(name + length++, <u8>(0x80 | ((code >> (6 * (left - 1))) & 0x3f)))
    }
  }
  return length
}

/** Capital letters of Latin, Greek and Cyrillic: names that differ in nothing else are the same. */
function capital(unit: u32): u32 {
  if (unit < 0x61) return unit
  if (unit <= 0x7a) return unit - 32
  if (unit >= 0xe0 && unit <= 0xfe && unit != 0xf7) return unit - 32
  if (unit >= 0x3b1 && unit <= 0x3c9 && unit != 0x3c2) return unit - 32
  if (unit >= 0x430 && unit <= 0x44f) return unit - 32
  return unit >= 0x450 && unit <= 0x45f ? unit - 80 : unit
}

export function sameName(a: usize, aCount: u32, b: usize, bCount: u32): bool {
  if (aCount != bCount) return false
  for (let index: u32 = 0; index < aCount; index++) if (capital(load<u16>(a + index * 2)) != capital(load<u16>(b + index * 2))) return false
  return true
}

/** The name in a short entry, as units: how many. `cases` is byte 12 of the entry. */
export function shortUnits(short: usize, cases: u8, units: usize): u32 {
  let count = partUnits(short, 8, (cases & LOWER_BASE) != 0, units, 0)
  // 0xE5 marks a deleted entry, so a name that begins with it begins with 5.
  if (load<u8>(short) == 5) store<u16>(units, 0xe5)
  if (load<u8>(short + 8) == SPACE) return count
  store<u16>(units + count++ * 2, <u16>DOT)
  return partUnits(short + 8, 3, (cases & LOWER_EXTENSION) != 0, units, count)
}

function partUnits(from: usize, most: u32, lower: bool, units: usize, count: u32): u32 {
  let used = most
  while (used != 0 && load<u8>(from + used - 1) == SPACE) used--
  for (let index: u32 = 0; index < used; index++) {
    const character: u32 = load<u8>(from + index)
    store<u16>(units + count++ * 2, <u16>(lower && character >= 65 && character <= 90 ? character + 32 : character))
  }
  return count
}

/** Whether a short name may have this character; small letters count as their capitals. */
function isShort(unit: u32): bool {
  if (unit >= 97 && unit <= 122) return true
  if ((unit >= 48 && unit <= 57) || (unit >= 65 && unit <= 90)) return true
  // ! # $ % & ' ( ) - @ ^ _ ` { } ~
  return unit == 33 || (unit >= 35 && unit <= 41) || unit == 45 || unit == 64 || (unit >= 94 && unit <= 96) || unit == 123 || unit == 125 || unit == TILDE
}

/** Whether the name is a short name as it is, each part in letters of one size: then `short` has it, and the result is byte 12; else -1. */
export function exactShort(units: usize, count: u32, short: usize): i32 {
  memory.fill(short, <u8>SPACE, SHORT_BYTES)
  let at: u32 = 0
  let end: u32 = 8
  let cases: i32 = 0
  let lower = false
  let upper = false
  for (let index: u32 = 0; index < count; index++) {
    const unit: u32 = load<u16>(units + index * 2)
    if (unit == DOT) {
      if (end != 8 || at == 0 || index + 1 == count) return -1
      if (lower && upper) return -1
      if (lower) cases = <i32>LOWER_BASE
      lower = upper = false
      at = 8
      end = 11
      continue
    }
    if (at == end || !isShort(unit)) return -1
    if (unit >= 97 && unit <= 122) lower = true
    else if (unit >= 65 && unit <= 90) upper = true
    store<u8>(short + at++, <u8>capital(unit))
  }
  if (lower && upper) return -1
  if (lower) cases |= end == 8 ? LOWER_BASE : LOWER_EXTENSION
  return cases
}

/** A short name to go with a long one; each `attempt` from 1 on gives another. */
export function inventShort(units: usize, count: u32, attempt: u32, short: usize): void {
  memory.fill(short, <u8>SPACE, SHORT_BYTES)
  let dot = count
  while (dot != 0 && load<u16>(units + (dot - 1) * 2) != DOT) dot--
  // The extension follows the last dot, unless the name begins with that.
  const baseEnd = dot > 1 ? dot - 1 : count
  let at: u32 = 0
  let hash: u32 = 0
  for (let index: u32 = 0; index < count; index++) hash = hash * 31 + capital(load<u16>(units + index * 2))
  // Many names alike: two characters and four digits of the whole name.
  const room: u32 = attempt > 4 ? 2 : 6
  for (let index: u32 = 0; index < baseEnd && at < room; index++) {
    const unit: u32 = load<u16>(units + index * 2)
    if (unit == DOT || unit == SPACE) continue
    store<u8>(short + at++, <u8>(isShort(unit) ? capital(unit) : <u32>95))
  }
  if (attempt > 4) {
    const mixed = hash + attempt * 0x9e37
    for (let shift: u32 = 16; shift != 0; shift -= 4) {
      const digit = (mixed >> (shift - 4)) & 15
      store<u8>(short + at++, <u8>(digit < 10 ? 48 + digit : 55 + digit))
    }
  }
  store<u8>(short + at++, <u8>TILDE)
  store<u8>(short + at, <u8>(48 + (attempt > 4 ? 1 : attempt)))
  at = 8
  for (let index = dot; dot > 1 && index < count && at < SHORT_BYTES; index++) {
    const unit: u32 = load<u16>(units + index * 2)
    if (unit != SPACE) store<u8>(short + at++, <u8>(isShort(unit) ? capital(unit) : <u32>95))
  }
}

/** The check in each long entry: of the short name that it belongs to. */
export function shortCheck(short: usize): u8 {
  let sum: u32 = 0
  for (let index: u32 = 0; index < SHORT_BYTES; index++) sum = (((sum & 1) << 7) + (sum >> 1) + load<u8>(short + index)) & 0xff
  return <u8>sum
}
