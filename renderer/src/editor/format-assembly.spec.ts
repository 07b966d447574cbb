import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { formatAssembly } from './format-assembly'

const labs = path.join(import.meta.dirname, '../../../labs')

it('puts instructions and operands in their columns and keeps comments where they fit', () => {
  expect(formatAssembly('start: li a0,1\n  csrr   t0, mhartid   # which\n\taddi a0, a0, 1 \n1:nop')).toBe(
    ['start:  li      a0,1', '        csrr    t0, mhartid # which', '        addi    a0, a0, 1', '1:      nop', ''].join('\n'),
  )
})

it('leaves strings, directives, comments and macros alone', () => {
  const text = '#define X 1\n        .asciz "a # b\\n"   # text\n/* li  a0,1\n li  a0,1 */\n        li      t0, \'#\'\nname    value\n'
  expect(formatAssembly(text)).toBe(text)
})

it('agrees with how the labs are written', () => {
  for (const file of ['start/main.S', 'start/uart.S', 'solution/main.S', 'solution/uart.S']) {
    const text = readFileSync(path.join(labs, '01-first-light', file), 'utf8')
    expect(formatAssembly(text)).toBe(text)
  }
})
