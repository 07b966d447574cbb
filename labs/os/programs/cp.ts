// Copies a file to a file, or files into a directory; `-r` directories with all in them.
import { OpenFlag } from '../kernel/abi'
import { complain } from '../user/console'
import { failed } from '../user/errors'
import { Stat, baseName, close, copyFile, isDirectory, joinPath, listDirectory, makeDirectory, open, statPath } from '../user/files'
import { programArguments } from '../user/process'

export * from '../user/hooks'

const source = changetype<Stat>(memory.data(128, 8))
const target = changetype<Stat>(memory.data(128, 8))

function copy(from: string, to: string, recursive: bool): i32 {
  if (isDirectory(from)) {
    if (!recursive) return failed('cp', from, -21)
    return copyDirectory(from, to)
  }
  let result = statPath(from, source)
  if (result < 0) return failed('cp', from, result)
  if (statPath(to, target) == 0 && target.number == source.number && target.device == source.device && target.size == source.size) {
    complain('cp: ' + from + ' and ' + to + ' are the same file')
    return 1
  }
  const input = open(from)
  if (input < 0) return failed('cp', from, input)
  const output = open(to, OpenFlag.writeOnly | OpenFlag.create | OpenFlag.truncate)
  if (output < 0) {
    close(input)
    return failed('cp', to, output)
  }
  result = copyFile(input, output)
  close(input)
  const closed = close(output)
  if (result == 0) result = closed
  return result < 0 ? failed('cp', to, result) : 0
}

function copyDirectory(from: string, to: string): i32 {
  // The list is made before anything is, so that a directory copied into itself ends.
  const listing = listDirectory(from)
  if (listing.problem < 0) return failed('cp', from, listing.problem)
  const result = makeDirectory(to)
  if (result < 0 && result != -17) return failed('cp', to, result)
  let status = 0
  for (let index = 0; index < listing.names.length; index++)
    if (copy(joinPath(from, listing.names[index]), joinPath(to, listing.names[index]), true) != 0) status = 1
  return status
}

export function main(): i32 {
  const args = programArguments()
  const recursive = args.length > 1 && args[1] == '-r'
  const first = recursive ? 2 : 1
  const last = args.length - 1
  if (last - first < 1) {
    complain('usage: cp [-r] FROM... TO')
    return 2
  }
  const into = isDirectory(args[last])
  if (last - first > 1 && !into) return failed('cp', args[last], -20)
  let status = 0
  for (let index = first; index < last; index++)
    if (copy(args[index], into ? joinPath(args[last], baseName(args[index])) : args[last], recursive) != 0) status = 1
  return status
}
