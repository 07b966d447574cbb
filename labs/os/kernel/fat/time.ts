// Owns the times of directory entries ("Date and Time Formats"): days since 1980 in fields, two seconds a step, taken as UTC.
import { nanosecondsOf } from '../task/timer'
import { realtimeBase } from '../vdso'

const NANOSECONDS: u64 = 1000000000
/** Days from 1970 to 1980. */
const EPOCH_DAYS: u64 = 3652

export function now(): u64 {
  return realtimeBase() + nanosecondsOf(cpu.time())
}

/** Time in the low half, date in the high half, of nanoseconds since 1970. */
export function packTime(nanoseconds: u64): u32 {
  const seconds = nanoseconds / NANOSECONDS
  let days = seconds / 86400
  if (days < EPOCH_DAYS) return (1 << 21) | (1 << 16)
  days -= EPOCH_DAYS
  let year: u32 = 0
  while (days >= yearDays(year) && year < 127) days -= yearDays(year++)
  let month: u32 = 0
  while (days >= monthDays(year, month)) days -= monthDays(year, month++)
  const inDay = <u32>(seconds % 86400)
  const time = ((inDay / 3600) << 11) | (((inDay / 60) % 60) << 5) | ((inDay % 60) / 2)
  return time | (((year << 9) | ((month + 1) << 5) | (<u32>days + 1)) << 16)
}

export function unpackTime(packed: u32): u64 {
  const date = packed >> 16
  const year = date >> 9
  const month = ((date >> 5) & 15) - 1
  let days: u64 = EPOCH_DAYS + (date & 31) - 1
  for (let at: u32 = 0; at < year; at++) days += yearDays(at)
  for (let at: u32 = 0; at < month && at < 12; at++) days += monthDays(year, at)
  const seconds: u64 = ((packed >> 11) & 31) * 3600 + ((packed >> 5) & 63) * 60 + (packed & 31) * 2
  return (days * 86400 + seconds) * NANOSECONDS
}

/** Years from 1980 on: every fourth is a leap year up to 2100. */
function isLeap(year: u32): bool {
  return (year & 3) == 0 && year != 120
}

function yearDays(year: u32): u64 {
  return isLeap(year) ? 366 : 365
}

/** Months from 0 on. */
function monthDays(year: u32, month: u32): u64 {
  if (month == 1) return isLeap(year) ? 29 : 28
  return month == 3 || month == 5 || month == 8 || month == 10 ? 30 : 31
}
