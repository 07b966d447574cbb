// Removes directories that are empty.
import { complain } from '../user/console'
import { failed } from '../user/errors'
import { removeDirectory } from '../user/files'
import { programArguments } from '../user/process'

export * from '../user/hooks'

export function main(): i32 {
  const args = programArguments()
  if (args.length < 2) {
    complain('usage: rmdir DIRECTORY...')
    return 2
  }
  let status = 0
  for (let index = 1; index < args.length; index++) {
    const result = removeDirectory(args[index])
    if (result < 0) status = failed('rmdir', args[index], result)
  }
  return status
}
