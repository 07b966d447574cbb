// Ends processes: `kill [-SIGNAL] PID...`, with signal 15 unless another is named; a PID below 0 is a group.
import { complain } from '../user/console'
import { failed } from '../user/errors'
import { kill, programArguments } from '../user/process'
import { parseNumber } from '../user/text'

export * from '../user/hooks'

export function main(): i32 {
  const args = programArguments()
  let signal: i64 = 15
  let first = 1
  if (args.length > 2 && args[1].startsWith('-')) {
    signal = parseNumber(args[1].substring(1))
    first = 2
  }
  if (args.length == first || signal < 0) {
    complain('usage: kill [-SIGNAL] PID...')
    return 2
  }
  let status = 0
  for (; first < args.length; first++) {
    const group = args[first].startsWith('-')
    const pid = parseNumber(group ? args[first].substring(1) : args[first])
    if (pid < 0) {
      complain('kill: ' + args[first] + ' is no number')
      status = 2
      continue
    }
    const result = kill(<i32>(group ? -pid : pid), <u32>signal)
    if (result < 0) status = failed('kill', args[first], result)
  }
  return status
}
