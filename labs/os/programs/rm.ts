// Removes files; `-r` directories with all in them, `-f` says nothing of what is not there.
import { complain } from '../user/console'
import { failed } from '../user/errors'
import { isDirectory, joinPath, listDirectory, removeDirectory, removeFile } from '../user/files'
import { programArguments } from '../user/process'

export * from '../user/hooks'

function remove(path: string, recursive: bool, force: bool): i32 {
  if (recursive && isDirectory(path)) {
    const listing = listDirectory(path)
    if (listing.problem < 0) return failed('rm', path, listing.problem)
    let status = 0
    for (let index = 0; index < listing.names.length; index++) status |= remove(joinPath(path, listing.names[index]), true, force)
    const result = removeDirectory(path)
    return result < 0 ? failed('rm', path, result) : status
  }
  const result = removeFile(path)
  if (result == -2 && force) return 0
  return result < 0 ? failed('rm', path, result) : 0
}

export function main(): i32 {
  const args = programArguments()
  let recursive = false
  let force = false
  let status = 0
  let first = 1
  for (; first < args.length && args[first].startsWith('-') && args[first].length > 1; first++) {
    for (let at = 1; at < args[first].length; at++) {
      const letter = args[first].charAt(at)
      if (letter == 'r') recursive = true
      else if (letter == 'f') force = true
      else {
        complain('rm: no option -' + letter + '; there are -r and -f')
        return 2
      }
    }
  }
  if (first == args.length && !force) {
    complain('usage: rm [-rf] FILE...')
    return 2
  }
  for (; first < args.length; first++) status |= remove(args[first], recursive, force)
  return status
}
