// Owns completion with Tab: names of commands at the start of one, paths elsewhere.
import { print, putByte } from '../../user/console'
import { isDirectory, joinPath, listDirectory } from '../../user/files'
import { arenaBegin, arenaEnd, give } from '../../user/memory'
import { fromBytes, textLength, toKernel } from '../../user/text'
import { builtins } from './builtins'
import { insert, line } from './editor'

/** The start of the word before the cursor. */
function wordStart(cursor: u32): u32 {
  let at = cursor
  while (at > 0 && !endsWord(load<u8>(line + at - 1))) at--
  return at
}

@inline function endsWord(character: u32): bool {
  return character == 32 || character == 124 || character == 38 || character == 59 || character == 60 || character == 62
}

/** Whether a command's name stands there, not an argument. */
function isCommand(start: u32): bool {
  let at = start
  while (at > 0 && load<u8>(line + at - 1) == 32) at--
  if (at == 0) return true
  const before = load<u8>(line + at - 1)
  return before == 124 || before == 38 || before == 59
}

function addMatching(to: string[], names: string[], start: string): void {
  for (let index = 0; index < names.length; index++) {
    const name = names[index]
    if (name.startsWith(start) && !to.includes(name) && (start.length > 0 || !name.startsWith('.'))) to.push(name)
  }
}

/** Completes the word before the cursor as far as it is certain. True when possible names were listed instead. */
export function complete(cursor: u32): bool {
  arenaBegin()
  const listed = completeWord(cursor)
  arenaEnd()
  return listed
}

function completeWord(cursor: u32): bool {
  const start = wordStart(cursor)
  const word = fromBytes(line + start, cursor - start)
  const slash = word.lastIndexOf('/')
  const directory = slash < 0 ? '.' : slash == 0 ? '/' : word.substring(0, slash)
  const stem = word.substring(slash + 1)
  const found: string[] = []
  const command = slash < 0 && isCommand(start)
  if (command) {
    addMatching(found, builtins(), stem)
    addMatching(found, listDirectory('/bin').names, stem)
    found.sort()
  } else addMatching(found, listDirectory(directory).names, stem)
  if (found.length == 0) {
    putByte(7)
    return false
  }
  let common = found[0]
  for (let index = 1; index < found.length; index++) {
    let same = 0
    while (same < common.length && same < found[index].length && common.charCodeAt(same) == found[index].charCodeAt(same)) same++
    common = common.substring(0, same)
  }
  let addition = common.substring(stem.length)
  if (found.length == 1) addition += !command && isDirectory(joinPath(directory, found[0])) ? '/' : ' '
  if (addition.length > 0) {
    const text = toKernel(addition)
    if (!insert(text, textLength(text))) putByte(7)
    give(text)
    return false
  }
  putByte(10)
  for (let index = 0; index < found.length; index++) {
    if (index > 0) print('  ')
    print(found[index])
  }
  return true
}
