// Memory of a process: heap, mappings, big pages, guard pages, rights, what a fault does.
import { blocksInUse, give, take, tryTake } from '../user/memory'
import { sysBreak, sysExit, sysMap, sysUnmap, sysWrite, call3 } from '../user/system'
import { check, equal, fails, finish, part, runPart, test, works } from '../user/test'
import { Call, User } from '../kernel/abi'

export * from '../user/hooks'

const PAGE: u64 = 4096
const READ: u32 = 1
const WRITE: u32 = 2
const EXECUTE: u32 = 4
const PRIVATE: u32 = 0x22
const FIXED: u32 = 0x10
const HUGE: u32 = 0x40000
const SEGMENTATION_FAULT: i64 = 128 + 11
const ILLEGAL: i64 = 128 + 4

/** What children do; each must end them. */
function child(name: string): void {
  if (name == 'null') cpu.load8(8)
  else if (name == 'kernel') cpu.load8(<usize>0x8020_0000)
  else if (name == 'code') store<u8>(0x1_0000, 1)
  else if (name == 'vdso') store<u8>(User.vdsoData, 1)
  else if (name == 'vdso-code') store<u8>(User.vdsoCode, 1)
  else if (name == 'read-only') store<u8>(<usize>sysMap(0, PAGE, READ, PRIVATE, -1, 0), 1)
  else if (name == 'unmapped') {
    const at = sysMap(0, PAGE, READ | WRITE, PRIVATE, -1, 0)
    sysUnmap(at, PAGE)
    store<u8>(<usize>at, 1)
  } else if (name == 'no-rights') cpu.load8(<usize>sysMap(0, PAGE, 0, PRIVATE, -1, 0))
  else if (name == 'stack') recurse(0)
  else if (name == 'privileged') cpu.csrWrite(0x180, 0)
  else if (name == 'guard') {
    // Below the stack of the first thread.
    store<u8>(User.stackTop - 0x4_0000 - 8, 1)
  }
  sysExit(77)
}

function recurse(depth: u64): u64 {
  const block = memory.data(8)
  store<u64>(block, depth)
  return depth > 1 << 40 ? depth : recurse(depth + 1) + load<u64>(block)
}

export function main(): i32 {
  const name = part()
  if (name != '') child(name)

  test('fresh memory is zero', () => {
    const at = <usize>works(sysMap(0, 8 * PAGE, READ | WRITE, PRIVATE, -1, 0), 'mmap')
    let sum: u64 = 0
    for (let offset: u32 = 0; offset < 8 * 4096; offset += 8) sum |= load<u64>(at + offset)
    equal(sum, 0, 'all words together')
    equal(sysUnmap(at, 8 * PAGE), 0, 'munmap')
  })

  test('what is written is there', () => {
    const at = <usize>works(sysMap(0, 64 * PAGE, READ | WRITE, PRIVATE, -1, 0), 'mmap')
    for (let page: u32 = 0; page < 64; page++) store<u32>(at + page * 4096 + page * 4, page * 77)
    for (let page: u32 = 0; page < 64; page++) equal(load<u32>(at + page * 4096 + page * 4), page * 77, 'a word')
    sysUnmap(at, 64 * PAGE)
  })

  test('the break grows and shrinks', () => {
    const start = sysBreak(0)
    equal(sysBreak(start + 100000), start + 100000, 'brk')
    store<u32>(<usize>start + 99996, 5)
    equal(sysBreak(start), start, 'brk back')
    equal(sysBreak(start + 100000), start + 100000, 'brk again')
    equal(load<u32>(<usize>start + 99996), 0, 'a page that was given back')
    sysBreak(start)
  })

  test('a break that cannot be leaves the old one', () => {
    const start = sysBreak(0)
    equal(sysBreak(0x7fff_ffff), start, 'brk beyond the program')
    equal(sysBreak(1), start, 'brk before the program')
  })

  test('mappings do not overlap', () => {
    const first = works(sysMap(0, 4 * PAGE, READ | WRITE, PRIVATE, -1, 0), 'mmap')
    const second = works(sysMap(0, 4 * PAGE, READ | WRITE, PRIVATE, -1, 0), 'mmap')
    check(second >= first + <i64>(4 * PAGE) || first >= second + <i64>(4 * PAGE), 'the mappings overlap')
    sysUnmap(first, 4 * PAGE)
    sysUnmap(second, 4 * PAGE)
  })

  test('a hole in a mapping leaves the rest', () => {
    const at = <usize>works(sysMap(0, 3 * PAGE, READ | WRITE, PRIVATE, -1, 0), 'mmap')
    store<u8>(at, 1)
    store<u8>(at + 8192, 3)
    equal(sysUnmap(at + 4096, PAGE), 0, 'munmap')
    equal(load<u8>(at), 1, 'before the hole')
    equal(load<u8>(at + 8192), 3, 'behind the hole')
    equal(sysMap(at + 4096, PAGE, READ | WRITE, PRIVATE | FIXED, -1, 0), at + 4096, 'mmap into the hole')
    equal(load<u8>(at + 4096), 0, 'in the hole')
    sysUnmap(at, 3 * PAGE)
  })

  test('a fixed mapping is where it was asked for', () => {
    equal(sysMap(0x5000_0000, PAGE, READ | WRITE, PRIVATE | FIXED, -1, 0), 0x5000_0000, 'mmap')
    store<u64>(0x5000_0000, 1)
    equal(sysUnmap(0x5000_0000, PAGE), 0, 'munmap')
  })

  test('a big page is aligned and whole', () => {
    const at = <usize>works(sysMap(0, 0x20_0000, READ | WRITE, PRIVATE | HUGE, -1, 0), 'mmap')
    equal(at & 0x1f_ffff, 0, 'the low bits of its address')
    store<u32>(at, 1)
    store<u32>(at + 0x1f_fffc, 2)
    equal(load<u32>(at) + load<u32>(at + 0x1f_fffc), 3, 'both ends')
    equal(sysUnmap(at, 0x20_0000), 0, 'munmap')
  })

  test('nothing is writable and executable', () => {
    fails(sysMap(0, PAGE, READ | WRITE | EXECUTE, PRIVATE, -1, 0), 13, 'mmap')
  })

  test('senseless mappings are refused', () => {
    fails(sysMap(0, 0, READ, PRIVATE, -1, 0), 22, 'no bytes')
    fails(sysMap(0, PAGE, READ, PRIVATE | 0x8000_0000, -1, 0), 22, 'unknown flag')
    fails(sysMap(0x5000_0001, PAGE, READ, PRIVATE | FIXED, -1, 0), 22, 'odd address')
    fails(sysMap(0, PAGE, READ | WRITE, 2, 99, 0), 9, 'no such descriptor')
    fails(sysMap(0, u64.MAX_VALUE, READ, PRIVATE, -1, 0), 22, 'everything')
    fails(sysUnmap(0x5000_0001, PAGE), 22, 'munmap of an odd address')
    fails(sysUnmap(<u64>0xffff_ffff_8020_0000, PAGE), 22, 'munmap of the kernel')
  })

  test('a mapping needs address space', () => {
    fails(sysMap(0, 0x3000_0000, READ, PRIVATE, -1, 0), 12, 'mmap of 768 MiB')
  })

  test('reading address 0 ends the process', () => {
    equal(runPart('null'), SEGMENTATION_FAULT, 'status')
  })
  test('reading kernel memory ends the process', () => {
    equal(runPart('kernel'), SEGMENTATION_FAULT, 'status')
  })
  test('code cannot be written', () => {
    equal(runPart('code'), SEGMENTATION_FAULT, 'status')
  })
  test('data of the vDSO cannot be written', () => {
    equal(runPart('vdso'), SEGMENTATION_FAULT, 'status')
  })
  test('code of the vDSO cannot be written', () => {
    equal(runPart('vdso-code'), SEGMENTATION_FAULT, 'status')
  })
  test('a read-only mapping cannot be written', () => {
    equal(runPart('read-only'), SEGMENTATION_FAULT, 'status')
  })
  test('a mapping without rights cannot be read', () => {
    equal(runPart('no-rights'), SEGMENTATION_FAULT, 'status')
  })
  test('an address that was given back is gone', () => {
    equal(runPart('unmapped'), SEGMENTATION_FAULT, 'status')
  })
  test('a stack that overflows meets its guard page', () => {
    equal(runPart('stack'), SEGMENTATION_FAULT, 'status')
  })
  test('below the stack is nothing', () => {
    equal(runPart('guard'), SEGMENTATION_FAULT, 'status')
  })
  test('a privileged instruction ends the process', () => {
    equal(runPart('privileged'), ILLEGAL, 'status')
  })

  test('the heap gives what is asked for, aligned, apart', () => {
    let before: usize = 0
    for (let bytes: u32 = 1; bytes < 5000; bytes = bytes * 2 + 1) {
      const block = take(bytes)
      equal(block & 15, 0, 'alignment')
      memory.fill(block, <u8>bytes, bytes)
      if (before != 0) equal(load<u8>(before), <u8>((bytes - 1) / 2), 'the block before')
      before = block
    }
  })
  test('the heap takes back', () => {
    const before = blocksInUse()
    const first = take(100)
    give(first)
    equal(take(100), first, 'the next block')
    give(first)
    equal(blocksInUse(), before, 'blocks in use')
  })
  test('a large block is given back to the kernel', () => {
    const block = tryTake(4 << 20)
    check(block != 0, 'no block')
    store<u8>(block + (4 << 20) - 1, 1)
    give(block)
    equal(call3(Call.write, 1, block, 1), -14, 'writing from where it was')
  })
  test('the kernel refuses memory that is not there', () => {
    fails(sysWrite(1, 0x4fff_0000, 16), 14, 'write')
  })
  return finish()
}
