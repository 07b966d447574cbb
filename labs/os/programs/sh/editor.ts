// Owns editing of one line: keys in, what is shown, the line's bytes. Keys as in Emacs and readline: arrows, Home, End, Delete,
// Ctrl-A E B F P N K U W L D C, Tab.
import { flush, print, printBytes, putByte } from '../../user/console'
import { sysRead } from '../../user/system'
import { give } from '../../user/memory'
import { textLength, toKernel } from '../../user/text'
import { complete } from './complete'
import { historyEnd, historyLine, historyStart, remember } from './history'
import { columns } from './terminal'

export const MOST_LINE: u32 = 1024
/** The line, and what was being typed before history was looked at. */
export const line = memory.data(1025, 8)
const draft = memory.data(1025, 8)
const input = memory.data(64, 8)
const prompt = memory.data(1100, 8)
/** 0 bytes, 4 cursor, 8 index in the history, 12 unread input from, 16 to, 20 first byte shown, 24 bytes of the prompt. */
const state = memory.data(32, 8)

@inline function length(): u32 {
  return load<u32>(state)
}
@inline function cursor(): u32 {
  return load<u32>(state, 4)
}
@inline function promptBytes(): u32 {
  return load<u32>(state, 24)
}

/** What stands in front of the line from now on. */
export function setPrompt(text: string): void {
  const copy = toKernel(text)
  const bytes = min<u32>(textLength(copy), 1100)
  memory.copy(prompt, copy, bytes)
  store<u32>(state, bytes, 24)
  give(copy)
}

@inline function setLength(value: u32): void {
  store<u32>(state, value)
}
@inline function setCursor(value: u32): void {
  store<u32>(state, value, 4)
}

/** The next byte typed; -1 at the end of input. */
function key(): i32 {
  if (load<u32>(state, 12) == load<u32>(state, 16)) {
    flush()
    const count = sysRead(0, input, 64)
    if (count <= 0) return -1
    store<u32>(state, 0, 12)
    store<u32>(state, <u32>count, 16)
  }
  const at = load<u32>(state, 12)
  store<u32>(state, at + 1, 12)
  return load<u8>(input + at)
}

/** Not the first byte of a character in UTF-8. */
@inline function isRest(at: u32): bool {
  return (load<u8>(line + at) & 0xc0) == 0x80
}

function left(at: u32): u32 {
  if (at == 0) return 0
  do at--
  while (at > 0 && isRest(at))
  return at
}

function right(at: u32): u32 {
  if (at >= length()) return at
  do at++
  while (at < length() && isRest(at))
  return at
}

/** Columns between two places of the line: one a character. */
function width(from: u32, to: u32): u32 {
  let count: u32 = 0
  for (let at = from; at < to; at++) if (!isRest(at)) count++
  return count
}

/** Shows the part of the line around the cursor that fits behind the prompt. */
function show(): void {
  const room = columns() - promptBytes() - 1
  let start = load<u32>(state, 20)
  if (cursor() < start) start = cursor()
  while (width(start, cursor()) > room) start = right(start)
  if (start > 0 && width(0, length()) <= room) start = 0
  store<u32>(state, start, 20)
  let end = start
  while (end < length() && width(start, right(end)) <= room) end = right(end)
  putByte(13)
  printBytes(prompt, promptBytes())
  printBytes(line + start, end - start)
  print('\x1b[K')
  const back = width(cursor(), end)
  if (back != 0) {
    print('\x1b[')
    print(back.toString())
    putByte(68)
  }
}

/** Puts bytes in at the cursor; false when the line is full. */
export function insert(bytes: usize, count: u32): bool {
  if (length() + count > MOST_LINE) return false
  memory.copy(line + cursor() + count, line + cursor(), length() - cursor())
  memory.copy(line + cursor(), bytes, count)
  setLength(length() + count)
  setCursor(cursor() + count)
  return true
}

function remove(from: u32, to: u32): void {
  memory.copy(line + from, line + to, length() - to)
  setLength(length() - (to - from))
  setCursor(from)
}

function replace(text: usize): void {
  const bytes = min(textLength(text), MOST_LINE)
  memory.copy(line, text, bytes)
  setLength(bytes)
  setCursor(bytes)
}

/** Goes to an older or a newer line; what was being typed comes back behind the newest. */
function recall(step: i32): void {
  const index = load<u32>(state, 8)
  const next = index + step
  if (next < historyStart() || next > historyEnd() || <i32>next < 0) return
  if (index == historyEnd()) {
    memory.copy(draft, line, length())
    store<u8>(draft + length(), 0)
  }
  store<u32>(state, next, 8)
  replace(next == historyEnd() ? draft : historyLine(next))
}

/** ESC [ A and the like, and ESC O A. */
function escape(): void {
  let second = key()
  if (second != 91 && second != 79) return
  let parameter = 0
  second = key()
  while (second >= 48 && second <= 57) {
    parameter = parameter * 10 + second - 48
    second = key()
  }
  if (second == 65) recall(-1)
  else if (second == 66) recall(1)
  else if (second == 67) setCursor(right(cursor()))
  else if (second == 68) setCursor(left(cursor()))
  else if (second == 72 || (second == 126 && (parameter == 1 || parameter == 7))) setCursor(0)
  else if (second == 70 || (second == 126 && (parameter == 4 || parameter == 8))) setCursor(length())
  else if (second == 126 && parameter == 3) remove(cursor(), right(cursor()))
}

function removeWord(): void {
  let from = cursor()
  while (from > 0 && load<u8>(line + from - 1) == 32) from--
  while (from > 0 && load<u8>(line + from - 1) != 32) from--
  remove(from, cursor())
}

/** Lets the user enter a line, which is then at `line`; its bytes, or -1 at the end of input. */
export function readLine(): i32 {
  setLength(0)
  setCursor(0)
  store<u32>(state, historyEnd(), 8)
  store<u32>(state, 0, 20)
  printBytes(prompt, promptBytes())
  for (;;) {
    const character = key()
    if (character < 0) return -1
    // Typing at the end needs no redrawing.
    if (character >= 32 && character != 127) {
      store<u8>(draft + MOST_LINE, <u8>character)
      const atEnd = cursor() == length() && width(load<u32>(state, 20), length()) + 1 + promptBytes() + 1 < columns()
      if (!insert(draft + MOST_LINE, 1)) putByte(7)
      else if (atEnd) putByte(character)
      else show()
      continue
    }
    switch (character) {
      case 10:
      case 13:
        if (cursor() != length()) {
          setCursor(length())
          show()
        }
        putByte(10)
        flush()
        remember(line, length())
        store<u8>(line + length(), 0)
        return length()
      case 1:
        setCursor(0)
        break
      case 2:
        setCursor(left(cursor()))
        break
      case 3:
        print('^C\n')
        setLength(0)
        setCursor(0)
        store<u32>(state, historyEnd(), 8)
        break
      case 4:
        if (length() == 0) {
          putByte(10)
          return -1
        }
        remove(cursor(), right(cursor()))
        break
      case 5:
        setCursor(length())
        break
      case 6:
        setCursor(right(cursor()))
        break
      case 8:
      case 127:
        remove(left(cursor()), cursor())
        break
      case 9:
        if (complete(cursor())) putByte(10)
        break
      case 11:
        setLength(cursor())
        break
      case 12:
        print('\x1b[H\x1b[2J')
        break
      case 14:
        recall(1)
        break
      case 16:
        recall(-1)
        break
      case 21:
        remove(0, cursor())
        break
      case 23:
        removeWord()
        break
      case 27:
        escape()
        break
      default:
        putByte(7)
    }
    show()
  }
  return -1
}
