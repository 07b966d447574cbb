// Waits: `sleep SECONDS`, with up to three digits after a point.
import { complain } from '../user/console'
import { blockSleep } from '../user/executor'
import { programArguments } from '../user/process'
import { parseNumber } from '../user/text'

export * from '../user/hooks'

export function main(): i32 {
  const args = programArguments()
  const text = args.length > 1 ? args[1] : ''
  const point = text.indexOf('.')
  const whole = parseNumber(point < 0 ? text : text.substring(0, point))
  const part = point < 0 ? 0 : parseNumber((text.substring(point + 1) + '000').substring(0, 3))
  if (whole < 0 || part < 0) {
    complain('usage: sleep SECONDS')
    return 2
  }
  blockSleep(whole * 1000 + part)
  return 0
}
