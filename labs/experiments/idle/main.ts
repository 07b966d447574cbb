// An open ring, and nothing to do: what the whole machine retires meanwhile is counted from outside.
import { Access } from '../../os/kernel/abi'
import { sysSleep } from '../../os/user/system'
import { flush, printLine } from '../../os/user/console'
import { parameter } from '../measure'
import { closeRing, openRing } from '../raw-ring'

export * from '../../os/user/hooks'

const time = memory.data(16, 8)

function sleep(seconds: u64): void {
  store<u64>(time, seconds)
  store<u64>(time, 0, 8)
  sysSleep(time)
}

export function main(): i32 {
  const seconds = parameter('seconds')
  const ring = openRing(32, Access.cached)
  sleep(1)
  printLine('idle begins')
  flush()
  sleep(seconds)
  printLine('idle ends')
  flush()
  closeRing(ring)
  return 0
}
