// Files of the memory file system: opening, reading, writing, places, sizes, descriptors.
import { Call, OpenFlag } from '../kernel/abi'
import { Stat, close, open, removeFile, statFile, statPath } from '../user/files'
import { take } from '../user/memory'
import { call3, sysControl, sysDuplicate, sysDuplicateTo, sysRead, sysReadAt, sysSeek, sysSync, sysTruncate, sysWrite, sysWriteAt } from '../user/system'
import { check, equal, fails, finish, test, works } from '../user/test'
import { call2, call1, sysStat, sysOpen, sysClose } from '../user/system'

export * from '../user/hooks'

const MAKE: u32 = OpenFlag.readWrite | OpenFlag.create | OpenFlag.truncate
const PATH = '/tmp/file'
const stat = changetype<Stat>(memory.data(128, 8))
const buffer = memory.data(8192, 16)
const other = memory.data(8192, 16)

/** Bytes that differ from place to place. */
function pattern(at: usize, bytes: u32, seed: u32): void {
  for (let index: u32 = 0; index < bytes; index++) store<u8>(at + index, <u8>((index * 7 + seed) ^ (index >> 8)))
}

function fresh(): i32 {
  return <i32>works(open(PATH, MAKE), 'open')
}

function done(file: i32): void {
  equal(close(file), 0, 'close')
  equal(removeFile(PATH), 0, 'unlink')
}

export function main(): i32 {
  test('what is written is read', () => {
    const file = fresh()
    pattern(buffer, 5000, 1)
    equal(sysWrite(file, buffer, 5000), 5000, 'write')
    equal(sysSeek(file, 0, 0), 0, 'seek')
    equal(sysRead(file, other, 8000), 5000, 'read')
    equal(memory.compare(buffer, other, 5000), 0, 'the difference')
    equal(sysRead(file, other, 10), 0, 'read at the end')
    done(file)
  })
  test('a file that is not there is not opened', () => {
    fails(open('/tmp/none'), 2, 'open')
    fails(open('/none/none', MAKE), 2, 'create in nothing')
    fails(open('/bin/sh/x', MAKE), 20, 'create in a file')
  })
  test('exclusive creation fails on what is there', () => {
    const file = fresh()
    fails(open(PATH, MAKE | OpenFlag.exclusive), 17, 'open')
    done(file)
  })
  test('truncation at opening empties', () => {
    let file = fresh()
    sysWrite(file, buffer, 100)
    close(file)
    file = fresh()
    equal(sysSeek(file, 0, 2), 0, 'its size')
    done(file)
  })
  test('appending writes at the end, wherever the place is', () => {
    let file = fresh()
    sysWrite(file, buffer, 10)
    close(file)
    file = <i32>open(PATH, OpenFlag.readWrite | OpenFlag.append)
    sysSeek(file, 0, 0)
    equal(sysWrite(file, buffer, 5), 5, 'write')
    equal(sysSeek(file, 0, 2), 15, 'its size')
    done(file)
  })
  test('a file opened to read cannot be written', () => {
    const file = <i32>works(open('/bin/sh'), 'open')
    fails(sysWrite(file, buffer, 1), 9, 'write')
    fails(sysTruncate(file, 0), 22, 'truncate')
    close(file)
  })
  test('a file opened to write cannot be read', () => {
    const file = <i32>works(open(PATH, OpenFlag.writeOnly | OpenFlag.create), 'open')
    fails(sysRead(file, buffer, 1), 9, 'read')
    done(file)
  })
  test('places: from the start, from here, from the end', () => {
    const file = fresh()
    sysWrite(file, buffer, 100)
    equal(sysSeek(file, 30, 0), 30, 'from the start')
    equal(sysSeek(file, 5, 1), 35, 'from here')
    equal(sysSeek(file, -1, 2), 99, 'from the end')
    fails(sysSeek(file, -1, 0), 22, 'before the start')
    fails(sysSeek(file, 0, 9), 22, 'from nowhere')
    done(file)
  })
  test('a hole reads as zero', () => {
    const file = fresh()
    store<u8>(buffer, 9)
    equal(sysWriteAt(file, buffer, 1, 10000), 1, 'write')
    memory.fill(other, 255, 8192)
    equal(sysReadAt(file, other, 8192, 0), 8192, 'read')
    let sum = 0
    for (let index = 0; index < 8192; index++) sum += load<u8>(other + index)
    equal(sum, 0, 'the sum of the hole')
    statFile(file, stat)
    equal(stat.size, 10001, 'its size')
    done(file)
  })
  test('reading and writing at a place leaves the place', () => {
    const file = fresh()
    pattern(buffer, 4096, 2)
    sysWrite(file, buffer, 4096)
    equal(sysReadAt(file, other, 100, 1000), 100, 'pread')
    equal(memory.compare(other, buffer + 1000, 100), 0, 'the difference')
    equal(sysWriteAt(file, buffer, 10, 50), 10, 'pwrite')
    equal(sysSeek(file, 0, 1), 4096, 'the place')
    fails(sysReadAt(file, other, 1, <u64>-1), 22, 'pread before the start')
    done(file)
  })
  test('cutting a file and letting it grow', () => {
    const file = fresh()
    pattern(buffer, 8192, 3)
    sysWrite(file, buffer, 8192)
    equal(sysTruncate(file, 100), 0, 'truncate')
    equal(sysReadAt(file, other, 8192, 0), 100, 'read')
    equal(sysTruncate(file, 5000), 0, 'grow')
    equal(sysReadAt(file, other, 8192, 0), 5000, 'read')
    let sum = 0
    for (let index = 100; index < 5000; index++) sum += load<u8>(other + index)
    equal(sum, 0, 'the sum of what was cut')
    fails(sysTruncate(file, <u64>-1), 22, 'a size below zero')
    done(file)
  })
  test('a megabyte comes back whole', () => {
    const file = fresh()
    for (let part: u32 = 0; part < 128; part++) {
      pattern(buffer, 8192, part)
      equal(sysWrite(file, buffer, 8192), 8192, 'write')
    }
    sysSeek(file, 0, 0)
    for (let part: u32 = 0; part < 128; part++) {
      pattern(buffer, 8192, part)
      equal(sysRead(file, other, 8192), 8192, 'read')
      equal(memory.compare(buffer, other, 8192), 0, 'the difference')
    }
    done(file)
  })
  test('stat tells type, size and number', () => {
    const file = fresh()
    sysWrite(file, buffer, 1234)
    equal(statPath(PATH, stat), 0, 'stat')
    equal(stat.size, 1234, 'size')
    equal(stat.mode & 0o170000, 0o100000, 'type')
    const number = stat.number
    equal(statFile(file, stat), 0, 'fstat')
    equal(stat.number, number, 'number')
    equal(stat.links, 1, 'links')
    fails(statPath('/tmp/none', stat), 2, 'stat of nothing')
    fails(sysStat(file, 8), 14, 'fstat to a bad address')
    done(file)
  })
  test('a file that was removed lives while it is open', () => {
    const file = fresh()
    sysWrite(file, buffer, 64)
    equal(removeFile(PATH), 0, 'unlink')
    fails(open(PATH), 2, 'open')
    equal(sysReadAt(file, other, 64, 0), 64, 'read')
    close(file)
  })
  test('copies of a descriptor share the place', () => {
    const file = fresh()
    const copy = <i32>works(sysDuplicate(file), 'dup')
    sysWrite(file, buffer, 10)
    equal(sysSeek(copy, 0, 1), 10, 'the place of the copy')
    close(copy)
    equal(sysWrite(file, buffer, 1), 1, 'write after the copy is closed')
    done(file)
  })
  test('two openings have places of their own', () => {
    const file = fresh()
    const second = <i32>open(PATH)
    sysWrite(file, buffer, 10)
    equal(sysSeek(second, 0, 1), 0, 'the place of the second')
    equal(sysRead(second, other, 100), 10, 'read')
    close(second)
    done(file)
  })
  test('a copy goes where it is told', () => {
    const file = fresh()
    equal(sysDuplicateTo(file, 77), 77, 'dup3')
    equal(sysWrite(77, buffer, 3), 3, 'write')
    close(77)
    fails(sysDuplicateTo(file, file), 22, 'dup3 to itself')
    fails(sysDuplicateTo(200, 5), 9, 'dup3 of nothing')
    fails(sysDuplicateTo(file, 100000), 9, 'dup3 beyond the limit')
    equal(sysControl(file, 0, 50), 50, 'fcntl F_DUPFD')
    close(50)
    done(file)
  })
  test('the lowest free descriptor comes first', () => {
    const first = fresh()
    const second = open('/')
    close(first)
    equal(open('/'), first, 'the next')
    close(second)
    close(first)
    removeFile(PATH)
  })
  test('descriptors that are not open are refused', () => {
    fails(sysRead(99, buffer, 1), 9, 'read')
    fails(sysWrite(-1, buffer, 1), 9, 'write')
    fails(close(99), 9, 'close')
    fails(sysSeek(99, 0, 0), 9, 'seek')
    fails(sysSync(99), 9, 'fsync')
    fails(call2(Call.fstat, u64.MAX_VALUE, buffer), 9, 'fstat')
    fails(call1(Call.close, 0x1_0000_0000), 9, 'close of a number with 33 bits')
  })
  test('bad buffers are refused', () => {
    const file = fresh()
    sysWrite(file, buffer, 100)
    sysSeek(file, 0, 0)
    fails(sysRead(file, 8, 10), 14, 'read to address 8')
    fails(call3(Call.read, file, 0xffff_ffff_8020_0000, 10), 14, 'read to the kernel')
    fails(call3(Call.write, file, 0x7fff_fff0, 100), 14, 'write from the end of the address space')
    fails(call3(Call.write, file, <u64>-8, 100), 14, 'write from the end of all')
    fails(sysOpen(8, 0), 14, 'a path at address 8')
    done(file)
  })
  test('code cannot be read over', () => {
    const file = fresh()
    sysWrite(file, buffer, 100)
    sysSeek(file, 0, 0)
    fails(sysRead(file, 0x1_0000, 10), 14, 'read to the program')
    done(file)
  })
  test('names have a longest length', () => {
    fails(open('/tmp/' + 'n'.repeat(300), MAKE), 36, 'a name of 300')
    fails(open('/tmp/' + 'n/'.repeat(1000), MAKE), 36, 'a path of 2000')
    const name = '/tmp/' + 'n'.repeat(255)
    const file = works(open(name, MAKE), 'a name of 255')
    close(file)
    equal(removeFile(name), 0, 'unlink')
  })
  test('names are UTF-8', () => {
    const file = works(open('/tmp/花粉', MAKE), 'open')
    close(file)
    equal(statPath('/tmp/花粉', stat), 0, 'stat')
    equal(removeFile('/tmp/花粉'), 0, 'unlink')
  })
  test('vectors are gathered and scattered', () => {
    const file = fresh()
    pattern(buffer, 30, 5)
    const vector = take(48)
    store<u64>(vector, buffer)
    store<u64>(vector, 10, 8)
    store<u64>(vector, buffer + 10, 16)
    store<u64>(vector, 20, 24)
    equal(call3(Call.writev, file, vector, 2), 30, 'writev')
    sysSeek(file, 0, 0)
    store<u64>(vector, other)
    store<u64>(vector, other + 10, 16)
    equal(call3(Call.readv, file, vector, 2), 30, 'readv')
    equal(memory.compare(buffer, other, 30), 0, 'the difference')
    fails(call3(Call.writev, file, vector, 65), 22, 'too many parts')
    fails(call3(Call.writev, file, 8, 1), 14, 'a bad vector')
    done(file)
  })
  test('files have a limit', () => {
    let last: i64 = 0
    let count = 0
    while (count < 1000 && (last = open('/')) >= 0) count++
    fails(last, 24, 'one too many')
    for (let descriptor = 3; descriptor < 3 + count; descriptor++) close(descriptor)
    check(count > 100, 'only ' + count.toString() + ' could be open')
  })
  test('flags of an open file can be asked and changed', () => {
    const file = fresh()
    equal(sysControl(file, 3, 0) & 3, 2, 'access')
    equal(sysControl(file, 4, OpenFlag.append), 0, 'fcntl F_SETFL')
    check((sysControl(file, 3, 0) & OpenFlag.append) != 0, 'appending is not set')
    fails(sysControl(file, 999, 0), 22, 'an unknown command')
    done(file)
  })
  test('fsync of a file and of a directory works', () => {
    const file = fresh()
    equal(sysSync(file), 0, 'fsync')
    const directory = <i32>open('/')
    equal(sysSync(directory), 0, 'fsync of a directory')
    sysClose(directory)
    done(file)
  })
  return finish()
}
