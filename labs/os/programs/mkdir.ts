// Makes directories; `-p` with those above, and without complaint where one is there.
import { complain } from '../user/console'
import { failed } from '../user/errors'
import { isDirectory, makeDirectory } from '../user/files'
import { programArguments } from '../user/process'

export * from '../user/hooks'

function makeAll(path: string): i32 {
  for (let at = 1; at <= path.length; at++) {
    if (at < path.length && path.charCodeAt(at) != 47) continue
    const part = path.substring(0, at)
    const result = makeDirectory(part)
    if (result < 0 && !isDirectory(part)) return failed('mkdir', part, result)
  }
  return 0
}

export function main(): i32 {
  const args = programArguments()
  const parents = args.length > 1 && args[1] == '-p'
  const first = parents ? 2 : 1
  if (args.length == first) {
    complain('usage: mkdir [-p] DIRECTORY...')
    return 2
  }
  let status = 0
  for (let index = first; index < args.length; index++) {
    if (parents) status |= makeAll(args[index])
    else {
      const result = makeDirectory(args[index])
      if (result < 0) status = failed('mkdir', args[index], result)
    }
  }
  return status
}
