// Owns the names that * and ? stand for.
import { joinPath, listDirectory } from '../../user/files'
import { MANY, ONE } from './parse'

function matches(name: string, pattern: string, at: i32 = 0, from: i32 = 0): bool {
  for (; from < pattern.length; from++, at++) {
    const character = pattern.charCodeAt(from)
    if (character == MANY) {
      for (let end = at; end <= name.length; end++) if (matches(name, pattern, end, from + 1)) return true
      return false
    }
    if (at >= name.length || (character != ONE && character != name.charCodeAt(at))) return false
  }
  return at == name.length
}

function hasPattern(word: string): bool {
  for (let index = 0; index < word.length; index++) if (word.charCodeAt(index) == MANY || word.charCodeAt(index) == ONE) return true
  return false
}

/** The word with * and ? as they were written. */
export function plain(word: string): string {
  return word.replaceAll(String.fromCharCode(MANY), '*').replaceAll(String.fromCharCode(ONE), '?')
}

/** Adds what a word stands for: names that match its last component, or itself when none does. */
export function expand(word: string, to: string[]): void {
  const slash = word.lastIndexOf('/')
  const directory = word.substring(0, slash + 1)
  const pattern = word.substring(slash + 1)
  const before = to.length
  if (hasPattern(pattern) && !hasPattern(directory)) {
    const names = listDirectory(directory == '' ? '.' : directory).names
    for (let index = 0; index < names.length; index++) {
      const name = names[index]
      if (name.startsWith('.') && !pattern.startsWith('.')) continue
      if (matches(name, pattern)) to.push(directory == '' ? name : joinPath(directory, name))
    }
  }
  if (to.length == before) to.push(plain(word))
}
