// The FAT32 file system on a disk at /mnt: names, large files, full directories, moves, several processes at once. files.ts and
// directories.ts have what all file systems share.
import { OpenFlag } from '../kernel/abi'
import { Stat, close, isDirectory, listDirectory, makeDirectory, open, removeDirectory, removeFile, rename, statPath } from '../user/files'
import { Ended, programArguments, spawn, wait } from '../user/process'
import { sysRead, sysReadAt, sysSeek, sysSync, sysTruncate, sysWrite, sysWriteAt } from '../user/system'
import { check, equal, equalText, fails, finish, part, test, works } from '../user/test'

export * from '../user/hooks'

const NEW: u32 = OpenFlag.readWrite | OpenFlag.create | OpenFlag.truncate
const MOST: u32 = 65536
const buffer = memory.data(65536, 16)
const other = memory.data(65536, 16)
const stat = changetype<Stat>(memory.data(128, 8))
const ended = changetype<Ended>(memory.data(16, 8))

function pattern(at: usize, bytes: u32, seed: u32): void {
  for (let index: u32 = 0; index < bytes; index++) store<u8>(at + index, <u8>(index * 7 + seed * 31 + (index >> 8)))
}

function make(path: string, bytes: u32, seed: u32): void {
  const file = <i32>works(open(path, NEW), 'open of ' + path)
  pattern(buffer, min(bytes, MOST), seed)
  for (let done: u32 = 0; done < bytes; done += MOST) works(sysWrite(file, buffer, min(MOST, bytes - done)), 'write')
  close(file)
}

function isWhole(path: string, bytes: u32, seed: u32): bool {
  const file = <i32>works(open(path), 'open of ' + path)
  if (file < 0) return false
  pattern(buffer, min(bytes, MOST), seed)
  let fine = true
  for (let done: u32 = 0; done < bytes && fine; ) {
    const count = sysRead(file, other, min(MOST, bytes - done))
    fine = count > 0 && memory.compare(buffer + (done % MOST), other, <u32>count) == 0
    done += <u32>count
  }
  fine = fine && sysRead(file, other, 1) == 0
  close(file)
  return check(fine, path + ' has not the contents that were written')
}

function size(path: string): i64 {
  return statPath(path, stat) == 0 ? <i64>stat.size : -1
}

/** A process of its own that writes, reads and removes files. */
function worker(name: string): i32 {
  const folder = '/mnt/' + name
  makeDirectory(folder)
  for (let index: u32 = 0; index < 8; index++) {
    const path = folder + '/file with a long name ' + index.toString()
    make(path, 3000 * (index + 1), index)
    if (!isWhole(path, 3000 * (index + 1), index)) return 1
    if (index % 2 == 1) removeFile(path)
  }
  for (let index: u32 = 0; index < 8; index += 2) removeFile(folder + '/file with a long name ' + index.toString())
  return removeDirectory(folder) == 0 ? 0 : 1
}

export function main(): i32 {
  if (part() != '') return worker(part())

  test('the disk is there and empty', () => {
    check(isDirectory('/mnt'), '/mnt is no directory')
    const listing = listDirectory('/mnt')
    equal(listing.problem, 0, 'listing')
    equal(listing.names.length, 0, 'the number of names')
  })
  test('names are kept as they are written', () => {
    const names = ['README', 'lower.txt', 'Mixed.Case', 'a name of several words.text', '.hidden', 'naïve über Ωμέγα 文件.md', 'x.y.z', '12345678.901']
    for (let index = 0; index < names.length; index++) make('/mnt/' + names[index], 10, index)
    const listing = listDirectory('/mnt')
    equal(listing.names.length, names.length, 'the number of names')
    for (let index = 0; index < names.length; index++) {
      check(listing.names.includes(names[index]), names[index] + ' is not listed')
      isWhole('/mnt/' + names[index], 10, index)
    }
    for (let index = 0; index < names.length; index++) equal(removeFile('/mnt/' + names[index]), 0, 'unlink')
  })
  test('names that differ in capitals only are one', () => {
    make('/mnt/Long Name One.text', 5, 1)
    isWhole('/mnt/LONG NAME ONE.TEXT', 5, 1)
    isWhole('/mnt/longna~1.tex', 5, 1)
    fails(open('/mnt/long name one.TEXT', NEW | OpenFlag.exclusive), 17, 'a second one')
    equal(rename('/mnt/Long Name One.text', '/mnt/long name ONE.text'), 0, 'rename')
    equalText(listDirectory('/mnt').names.join('|'), 'long name ONE.text', 'the listing')
    equal(removeFile('/mnt/LONG name one.text'), 0, 'unlink')
  })
  test('names that FAT cannot have are refused', () => {
    const names = ['a:b', 'what?', 'a*', 'a|b', '"', 'a\\b', '<', 'dot.', 'space ']
    for (let index = 0; index < names.length; index++) {
      fails(open('/mnt/' + names[index], NEW), 22, 'create of ' + names[index])
      fails(open('/mnt/' + names[index]), 2, 'open of ' + names[index])
    }
  })
  test('many names alike have each their own', () => {
    for (let index = 0; index < 30; index++) make('/mnt/a name like all others ' + index.toString(), 20, index)
    for (let index = 0; index < 30; index++) isWhole('/mnt/a name like all others ' + index.toString(), 20, index)
    equal(listDirectory('/mnt').names.length, 30, 'the number of names')
    for (let index = 0; index < 30; index++) equal(removeFile('/mnt/a name like all others ' + index.toString()), 0, 'unlink')
  })
  test('a file of half a megabyte comes back whole', () => {
    make('/mnt/large', 500000, 5)
    isWhole('/mnt/large', 500000, 5)
    equal(size('/mnt/large'), 500000, 'its size')
  })
  test('reading and writing at any place', () => {
    const file = <i32>works(open('/mnt/large', OpenFlag.readWrite), 'open')
    let place: u32 = 1
    for (let round: u32 = 0; round < 40; round++) {
      place = (place * 1103515245 + 12345) & 0x7ffff
      const at = place % 490000
      const bytes = 1 + (place >> 5) % 9000
      pattern(buffer, bytes, round)
      equal(sysWriteAt(file, buffer, bytes, at), bytes, 'write')
      equal(sysReadAt(file, other, bytes, at), bytes, 'read')
      equal(memory.compare(buffer, other, bytes), 0, 'the difference')
    }
    close(file)
    removeFile('/mnt/large')
  })
  test('what was skipped and what was cut reads as zeros', () => {
    const file = <i32>works(open('/mnt/holes', NEW), 'open')
    pattern(buffer, 5000, 3)
    equal(sysWrite(file, buffer, 5000), 5000, 'write')
    equal(sysTruncate(file, 100), 0, 'cut')
    equal(sysTruncate(file, 9000), 0, 'grow')
    equal(sysWriteAt(file, buffer, 10, 20000), 10, 'write behind the end')
    equal(size('/mnt/holes'), 20010, 'the size')
    equal(sysReadAt(file, other, 19900, 100), 19900, 'read')
    let sum: u32 = 0
    for (let index: u32 = 0; index < 19900; index++) sum |= load<u8>(other + index)
    equal(sum, 0, 'all bytes together')
    close(file)
    equal(removeFile('/mnt/holes'), 0, 'unlink')
  })
  test('a directory grows with its names', () => {
    equal(makeDirectory('/mnt/full'), 0, 'mkdir')
    for (let index = 0; index < 120; index++) make('/mnt/full/entry number ' + index.toString() + ' of this directory', 1, index)
    equal(listDirectory('/mnt/full').names.length, 120, 'the number of names')
    fails(removeDirectory('/mnt/full'), 39, 'rmdir of a full one')
    for (let index = 0; index < 120; index++) equal(removeFile('/mnt/full/entry number ' + index.toString() + ' of this directory'), 0, 'unlink')
    equal(removeDirectory('/mnt/full'), 0, 'rmdir')
  })
  test('directories move with what is in them', () => {
    makeDirectory('/mnt/a')
    makeDirectory('/mnt/b')
    makeDirectory('/mnt/a/inner')
    make('/mnt/a/inner/file', 7000, 9)
    equal(rename('/mnt/a/inner', '/mnt/b/moved'), 0, 'rename')
    isWhole('/mnt/b/moved/file', 7000, 9)
    isWhole('/mnt/b/moved/../moved/file', 7000, 9)
    fails(rename('/mnt/b', '/mnt/b/moved/b'), 22, 'rename into itself')
    equal(rename('/mnt/b/moved/file', '/mnt/a/file'), 0, 'rename of the file')
    isWhole('/mnt/a/file', 7000, 9)
    equal(removeFile('/mnt/a/file'), 0, 'unlink')
    equal(removeDirectory('/mnt/b/moved'), 0, 'rmdir')
    equal(removeDirectory('/mnt/a'), 0, 'rmdir')
    equal(removeDirectory('/mnt/b'), 0, 'rmdir')
  })
  test('a file takes the place of another', () => {
    make('/mnt/old', 3000, 1)
    make('/mnt/new', 100, 2)
    const held = <i32>works(open('/mnt/old'), 'open')
    equal(rename('/mnt/new', '/mnt/old'), 0, 'rename')
    isWhole('/mnt/old', 100, 2)
    pattern(buffer, 3000, 1)
    equal(sysRead(held, other, 3000), 3000, 'read of what was replaced')
    equal(memory.compare(buffer, other, 3000), 0, 'the difference')
    close(held)
    equal(removeFile('/mnt/old'), 0, 'unlink')
  })
  test('a file that was removed lives while it is open', () => {
    const file = <i32>works(open('/mnt/gone', NEW), 'open')
    pattern(buffer, 2000, 4)
    sysWrite(file, buffer, 2000)
    equal(removeFile('/mnt/gone'), 0, 'unlink')
    fails(open('/mnt/gone'), 2, 'open again')
    make('/mnt/gone', 2000, 5)
    sysSync(file)
    sysSeek(file, 0, 0)
    equal(sysRead(file, other, 2000), 2000, 'read')
    pattern(buffer, 2000, 4)
    equal(memory.compare(buffer, other, 2000), 0, 'the difference')
    close(file)
    isWhole('/mnt/gone', 2000, 5)
    equal(removeFile('/mnt/gone'), 0, 'unlink')
  })
  test('processes use the disk at the same time', () => {
    const path = programArguments()[0]
    for (let index = 0; index < 4; index++) works(spawn(path, [path, 'worker' + index.toString()]), 'spawn')
    for (let index = 0; index < 4; index++) {
      works(wait(-1, ended), 'wait')
      equal(ended.code, 0, 'the status of a worker')
    }
    equal(listDirectory('/mnt').names.length, 0, 'what they left')
  })
  test('sync works with nothing to write and with much', () => {
    const file = <i32>works(open('/mnt/synced', NEW), 'open')
    equal(sysSync(file), 0, 'fsync of an empty file')
    sysWrite(file, buffer, MOST)
    equal(sysSync(file), 0, 'fsync')
    equal(sysSync(file), 0, 'fsync again')
    close(file)
    equal(removeFile('/mnt/synced'), 0, 'unlink')
  })
  return finish()
}
