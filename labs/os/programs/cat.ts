// Prints files, or standard input, one after the other.
import { flush } from '../user/console'
import { failed } from '../user/errors'
import { close, copyFile, open } from '../user/files'
import { programArguments } from '../user/process'

export * from '../user/hooks'

export function main(): i32 {
  const args = programArguments()
  let status = 0
  flush()
  if (args.length == 1) {
    const result = copyFile(0, 1)
    if (result < 0) status = failed('cat', 'standard input', result)
  }
  for (let index = 1; index < args.length; index++) {
    const file = open(args[index])
    const result = file < 0 ? file : copyFile(file, 1)
    if (result < 0) status = failed('cat', args[index], result)
    if (file >= 0) close(file)
  }
  return status
}
