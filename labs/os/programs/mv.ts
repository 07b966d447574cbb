// Renames a file or directory, or moves several into a directory.
import { complain } from '../user/console'
import { failed } from '../user/errors'
import { baseName, isDirectory, joinPath, rename } from '../user/files'
import { programArguments, run } from '../user/process'

export * from '../user/hooks'

/** To another file system: copied, then removed. */
function carry(from: string, to: string): i32 {
  const copied = run('/bin/cp', ['cp', '-r', from, to])
  if (copied != 0) return copied < 0 ? failed('mv', '/bin/cp', copied) : 1
  const removed = run('/bin/rm', ['rm', '-r', from])
  return removed < 0 ? failed('mv', '/bin/rm', removed) : <i32>removed
}

export function main(): i32 {
  const args = programArguments()
  const last = args.length - 1
  if (last < 2) {
    complain('usage: mv FROM... TO')
    return 2
  }
  const into = isDirectory(args[last])
  if (last > 2 && !into) return failed('mv', args[last], -20)
  let status = 0
  for (let index = 1; index < last; index++) {
    const to = into ? joinPath(args[last], baseName(args[index])) : args[last]
    const result = rename(args[index], to)
    if (result == -18) status |= carry(args[index], to)
    else if (result < 0) status = failed('mv', args[index], result)
  }
  return status
}
