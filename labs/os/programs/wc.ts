// Counts lines, words and bytes of files, or of standard input.
import { print, printNumber, putByte } from '../user/console'
import { failed } from '../user/errors'
import { close, open } from '../user/files'
import { take } from '../user/memory'
import { programArguments } from '../user/process'
import { sysRead } from '../user/system'

export * from '../user/hooks'

function count(file: i32, name: string): i64 {
  const buffer = take(4096)
  let lines: i64 = 0
  let words: i64 = 0
  let bytes: i64 = 0
  let within = false
  for (;;) {
    const got = sysRead(file, buffer, 4096)
    if (got < 0) return got
    if (got == 0) break
    bytes += got
    for (let index: u32 = 0; index < <u32>got; index++) {
      const character = load<u8>(buffer + index)
      if (character == 10) lines++
      const space = character == 32 || (character >= 9 && character <= 13)
      if (!space && !within) words++
      within = !space
    }
  }
  printNumber(lines, 7)
  printNumber(words, 8)
  printNumber(bytes, 8)
  if (name.length != 0) {
    putByte(32)
    print(name)
  }
  putByte(10)
  return 0
}

export function main(): i32 {
  const args = programArguments()
  let status = 0
  if (args.length == 1) {
    const result = count(0, '')
    if (result < 0) status = failed('wc', 'standard input', result)
  }
  for (let index = 1; index < args.length; index++) {
    const file = open(args[index])
    const result = file < 0 ? file : count(<i32>file, args[index])
    if (result < 0) status = failed('wc', args[index], result)
    if (file >= 0) close(file)
  }
  return status
}
