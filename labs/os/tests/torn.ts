// Changes a disk in every way, at random and without an end, for torn.spec.ts, which stops the machine at any moment. Arguments: seed, rounds.
// Says which files were synced (their contents follow from their number), and which of them will be renamed or deleted.
import { OpenFlag } from '../kernel/abi'
import { flush, print, printLine, printNumber } from '../user/console'
import { close, makeDirectory, open, removeDirectory, removeFile, rename } from '../user/files'
import { give, take } from '../user/memory'
import { programArguments } from '../user/process'
import { sysSync, sysTruncate, sysWrite } from '../user/system'
import { parseNumber } from '../user/text'

export * from '../user/hooks'

const NEW: u32 = OpenFlag.create | OpenFlag.readWrite
const state = memory.data(8, 8)

/** A number below `limit` (xorshift64). */
function random(limit: u32): u32 {
  let value = load<u64>(state)
  value ^= value << 13
  value ^= value >> 7
  value ^= value << 17
  store<u64>(state, value)
  return <u32>(value >> 20) % limit
}

function say(what: string, number: u32, size: u32): void {
  print(what)
  printNumber(number)
  print(' ')
  printNumber(size)
  printLine('')
  flush()
}

function fill(name: string, number: u32, size: u32, sync: bool): bool {
  const descriptor = open(name, NEW)
  if (descriptor < 0) return false
  const buffer = take(size + 1)
  for (let at: u32 = 0; at < size; at++) store<u8>(buffer + at, <u8>(number * 31 + at * 7 + (at >> 8)))
  let done: u32 = 0
  while (done < size) {
    const count = sysWrite(<i32>descriptor, buffer + done, min(size - done, 1 + random(9000)))
    if (count <= 0) break
    done += <u32>count
  }
  give(buffer)
  const fine = done == size && (!sync || sysSync(<i32>descriptor) == 0)
  close(descriptor)
  return fine
}

function one(number: u32): void {
  const name = '/mnt/a rather long name for file ' + number.toString()
  switch (random(8)) {
    case 0:
    case 1:
    case 2: {
      const size = random(30000)
      if (fill('/mnt/s' + number.toString(), number, size, true)) say('synced ', number, size)
      else say('failed ', number, size)
      break
    }
    case 3:
      fill(name, number, random(60000), false)
      break
    case 4: {
      const directory = '/mnt/folder ' + number.toString()
      makeDirectory(directory)
      for (let index: u32 = 0; index < random(20); index++) fill(directory + '/long name within ' + index.toString(), index, random(2000), false)
      break
    }
    case 5: {
      // A file of before, if it is there.
      const other = number - random(min(number, 10) + 1)
      removeFile('/mnt/a rather long name for file ' + other.toString())
      removeFile('/mnt/folder ' + other.toString() + '/long name within 0')
      removeDirectory('/mnt/folder ' + other.toString())
      break
    }
    case 6: {
      const other = number - random(min(number, 6) + 1)
      if (random(3) == 0) {
        say('deleting ', other, 0)
        removeFile('/mnt/s' + other.toString())
      } else {
        say('renaming ', other, 0)
        rename('/mnt/s' + other.toString(), '/mnt/renamed to a long name ' + other.toString())
      }
      break
    }
    default: {
      const descriptor = open('/mnt/shared', NEW | OpenFlag.append)
      if (descriptor < 0) break
      sysWrite(<i32>descriptor, changetype<usize>(state), 8)
      if (random(4) == 0) sysTruncate(<i32>descriptor, random(4000))
      close(descriptor)
    }
  }
}

export function main(): i32 {
  const args = programArguments()
  store<u64>(state, <u64>parseNumber(args[1]) * 0x9e3779b97f4a7c15 + 1)
  const rounds = <u32>parseNumber(args[2])
  for (let number: u32 = 0; number < rounds; number++) one(number)
  return 0
}
