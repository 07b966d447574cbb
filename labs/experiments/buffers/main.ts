// The ways in which the IO core reaches a process' memory: page tables walked in software, remembered translations, the process' own
// tables switched to, and registered buffers. Reads of a file in memory, by a ring.
import { Access, Call, OpenFlag, SubmissionFlag } from '../../os/kernel/abi'
import { open } from '../../os/user/files'
import { sysWrite } from '../../os/user/system'
import { parameter, sample, series } from '../measure'
import { RawRing, add, closeRing, openRing, register, show, takeAll } from '../raw-ring'

export * from '../../os/user/hooks'

const MOST: u32 = 65536
const buffer = memory.data(65536, 4096)

function measure(name: string, ring: RawRing, flags: u32, file: u64, address: u64, rounds: u32, depth: u32): void {
  for (let bytes: u32 = 64; bytes <= MOST; bytes *= 32) {
    series(name + ' ' + bytes.toString())
    const count = bytes == MOST ? rounds / 4 : rounds
    for (let round: u32 = 0; round < count; round++) {
      const start = cpu.cycle()
      for (let index: u32 = 0; index < depth; index++) add(ring, Call.pread64, flags, file, address, bytes, 0)
      show(ring)
      const result = takeAll(ring, depth)
      if (result != bytes) throw new Error('a read gave ' + result.toString())
      if (round >= count / 8) sample((cpu.cycle() - start) / depth)
    }
  }
}

export function main(): i32 {
  const rounds = parameter('rounds')
  const depth = parameter('depth')
  const file = open('/tmp/data', OpenFlag.create | OpenFlag.readWrite)
  for (let done: u32 = 0; done < MOST; done += 4096) sysWrite(<i32>file, buffer, 4096)
  for (let access: u32 = Access.translate; access <= <u32>Access.switchTables; access++) {
    const ring = openRing(32, access)
    measure(access == <u32>Access.translate ? 'translate' : access == <u32>Access.cached ? 'cached' : 'switch', ring, 0, file, <u64>buffer, rounds, depth)
    closeRing(ring)
  }
  const ring = openRing(32, Access.translate)
  register(ring, buffer, MOST)
  measure('registered', ring, SubmissionFlag.fixedBuffer, file, 0, rounds, depth)
  closeRing(ring)
  return 0
}
