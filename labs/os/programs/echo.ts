// Prints its arguments; `-n` leaves the line end out.
import { print, putByte } from '../user/console'
import { programArguments } from '../user/process'

export * from '../user/hooks'

export function main(): i32 {
  const args = programArguments()
  const bare = args.length > 1 && args[1] == '-n'
  for (let index = bare ? 2 : 1; index < args.length; index++) {
    if (index > (bare ? 2 : 1)) putByte(32)
    print(args[index])
  }
  if (!bare) putByte(10)
  return 0
}
