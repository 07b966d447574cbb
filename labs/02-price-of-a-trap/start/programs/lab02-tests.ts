// What your sum must do, and what it must not fall for. Nothing here is yours to change.
import { Errno } from '../kernel/abi'
import { call2 } from '../user/system'
import { equal, fails, finish, test } from '../user/test'

export * from '../user/hooks'

const SUM: u32 = 1102
const numbers = memory.data(8 * 1025, 8)

function fill(count: u32): void {
  for (let index: u32 = 0; index < count; index++) store<u64>(numbers + 8 * index, index * index)
}

export function main(): i32 {
  test('sum adds nothing', () => {
    equal(call2(SUM, numbers, 0), 0, 'the sum of no number')
  })
  test('sum adds what the program wrote', () => {
    fill(1024)
    equal(call2(SUM, numbers, 1), 0, 'the sum of one number')
    equal(call2(SUM, numbers, 10), 285, 'the sum of ten numbers')
    equal(call2(SUM, numbers, 1024), 357389824, 'the sum of 1,024 numbers')
  })
  test('sum takes at most 1,024 numbers', () => {
    fails(call2(SUM, numbers, 1025), Errno.EINVAL, 'the sum of 1,025 numbers')
    fails(call2(SUM, numbers, 0x2000_0000_0000_0000), Errno.EINVAL, 'the sum of 2^61 numbers')
  })
  test('sum refuses addresses of the kernel', () => {
    fails(call2(SUM, 0xffff_ffff_8020_0000, 4), Errno.EFAULT, 'the sum of kernel code')
    fails(call2(SUM, 0x8020_0000, 4), Errno.EFAULT, 'the sum at 0x80200000')
  })
  test('sum refuses addresses without memory', () => {
    fails(call2(SUM, 0, 4), Errno.EFAULT, 'the sum at 0')
    fails(call2(SUM, 0x6000_0000, 1024), Errno.EFAULT, 'the sum at 0x60000000')
    fails(call2(SUM, 0xffff_ffff_ffff_fff8, 4), Errno.EFAULT, 'the sum at the end of all addresses')
  })
  return finish()
}
