// Null calls, and reads of a file in memory: by trap, and by ring at many depths; the clock of the vDSO beside them.
import { Access, Call, OpenFlag } from '../../os/kernel/abi'
import { nanosecondsNow } from '../../os/user/clock'
import { close, open } from '../../os/user/files'
import { call0, sysReadAt, sysWrite } from '../../os/user/system'
import { parameter, sample, series } from '../measure'
import { RawRing, add, closeRing, openRing, show, takeAll } from '../raw-ring'

export * from '../../os/user/hooks'

const buffer = memory.data(4096, 4096)

/** The cycles of one call, of `depth` that are under way together. */
function byRing(ring: RawRing, rounds: u32, depth: u32, number: u32, file: u64, bytes: u64): void {
  for (let round: u32 = 0; round < rounds; round++) {
    const start = cpu.cycle()
    for (let index: u32 = 0; index < depth; index++) add(ring, number, 0, file, <u64>buffer, bytes, 0)
    show(ring)
    takeAll(ring, depth)
    if (round >= rounds / 8) sample((cpu.cycle() - start) / depth)
  }
}

function byTrap(rounds: u32, file: i32, bytes: u32): void {
  for (let round: u32 = 0; round < rounds; round++) {
    const start = cpu.cycle()
    if (bytes == 0) call0(Call.getpid)
    else sysReadAt(file, buffer, bytes, 0)
    if (round >= rounds / 8) sample(cpu.cycle() - start)
  }
}

export function main(): i32 {
  const rounds = parameter('rounds')
  const most = parameter('depth')
  const file = <i32>open('/tmp/data', OpenFlag.create | OpenFlag.readWrite)
  sysWrite(file, buffer, 4096)

  series('null trap')
  byTrap(rounds, 0, 0)
  series('clock vdso')
  for (let round: u32 = 0; round < rounds; round++) {
    const start = cpu.cycle()
    nanosecondsNow()
    sample(cpu.cycle() - start)
  }
  const ring = openRing(256, Access.cached)
  for (let depth: u32 = 1; depth <= most; depth *= 2) {
    series('null ring ' + depth.toString())
    byRing(ring, rounds, depth, Call.getpid, 0, 0)
  }
  for (let bytes: u32 = 64; bytes <= 4096; bytes *= 64) {
    series(bytes.toString() + ' trap')
    byTrap(rounds, file, bytes)
    for (let depth: u32 = 1; depth <= 32; depth *= 32) {
      series(bytes.toString() + ' ring ' + depth.toString())
      byRing(ring, rounds, depth, Call.pread64, file, bytes)
    }
  }
  closeRing(ring)
  close(file)
  return 0
}
