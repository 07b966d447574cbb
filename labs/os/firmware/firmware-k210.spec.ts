/** The firmware on a K210: S-mode finds what harts of 1.9.1 lack (privileged-1.9.ts lists it). Programs know nothing of the chip but its map. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConsoleStream } from '../../../machine/backend/console.ts'
import { bootK210 } from '../../../machine/board/k210-boot.ts'
import { K210Board } from '../../../machine/board/k210.ts'
import { testHartModule } from '../../../machine/testing/hart-module.ts'
import { linkProgram } from '../../../machine/testing/programs.ts'

const FIRMWARE = path.join(import.meta.dirname, '../../../dist/firmware-k210.elf')

/** `show REGISTER` prints it in hexadecimal by the legacy call, and a space; `finish` shuts down; traps go to `trap` of the program. */
const PRELUDE = `
.macro sbi extension, function
  li a7, \\extension
  li a6, \\function
  ecall
.endm
.macro show register
  mv t0, \\register
  call show_hex
.endm
.macro finish
  li a0, 0
  li a1, 0
  sbi 0x53525354, 0
.endm
.globl _start
_start:
  la sp, first_stack
  mv s0, a0
  mv s1, a1
  la t0, trap
  csrw stvec, t0
  j main
show_hex:
  li t1, 60
1: srl t2, t0, t1
  beqz t1, 2f
  bnez t2, 2f
  addi t1, t1, -4
  j 1b
2: srl t2, t0, t1
  andi t2, t2, 15
  li a0, '0'
  li t3, 10
  bltu t2, t3, 3f
  li a0, 'a' - 10
3: add a0, a0, t2
  li a7, 1
  ecall
  addi t1, t1, -4
  bgez t1, 2b
  li a0, ' '
  li a7, 1
  ecall
  ret
.section .bss
.balign 4096
root: .skip 4096
.skip 4096
first_stack:
.skip 4096
second_stack:
.text
# Sv39 with gigabyte pages: RAM and devices where they are; 0xc0000000 is RAM once more, with the flags in a0
make_table:
  la t0, root
  li t1, 0xcf
  sd t1, 0(t0)
  li t1, (0x40000000 >> 2) | 0xcf
  sd t1, 8(t0)
  li t1, (0x80000000 >> 2) | 0xcf
  sd t1, 16(t0)
  li t1, 0x80000000 >> 2
  or t1, t1, a0
  sd t1, 24(t0)
  srli t0, t0, 12
  li t1, 8 << 60
  or t0, t0, t1
  csrw satp, t0
  sfence.vma
  ret
.balign 4
`

function run(source: string, options: { harts?: number; input?: string } = {}): { text: string; status: number | undefined } {
  let text = ''
  const stream = new ConsoleStream((bytes) => (text += Buffer.from(bytes).toString('latin1')))
  const board = new K210Board({ hartModule: testHartModule(), harts: options.harts ?? 1, timing: 'ideal', console: stream })
  if (options.input) stream.push(new TextEncoder().encode(options.input), 200_000)
  const kernel = { name: 'kernel', bytes: linkProgram(PRELUDE + source, { origin: 0x8002_0000 }) }
  bootK210(board, { firmware: { name: 'firmware', bytes: readFileSync(FIRMWARE) }, kernel })
  const result = board.machine.run(20_000_000)
  board.drainConsole()
  stream.flush()
  return { text, status: result.kind === 'exit' ? result.status : undefined }
}

const NO_TRAP = '.balign 4\ntrap: li a0, 33\n li a7, 1\n ecall\n csrr s5, scause\n show s5\n finish\n'
/** Shows cause and value of a trap and ends. */
const SHOW_TRAP = '.balign 4\ntrap: csrr s5, scause\n csrr s6, stval\n show s5\n show s6\n finish\n'

describe('the firmware on a K210', () => {
  it('starts S-mode with a device tree, and shuts down', () => {
    expect(run(`main: show s0\n lwu s2, 0(s1)\n show s2\n finish\n${NO_TRAP}`)).toEqual({ text: '0 edfe0dd0 ', status: 0 })
  })

  it('puts the table in satp into force at sfence.vma, and out of it when satp is 0', () => {
    expect(
      run(`main: li a0, 0xcf
        call make_table
        la s2, value
        li s3, 0x40000000
        add s3, s3, s2
        ld s4, 0(s3)
        show s4
        csrw satp, zero
        sfence.vma
        ld s4, 0(s3)
        ${SHOW_TRAP}
        .data
        .balign 8
        value: .dword 0xabc`),
    ).toMatchObject({ text: expect.stringMatching(/^abc 5 c0/) as string, status: 0 })
  })

  it.each([
    ['load', 'ld t1, 0(s3)', 0, 'd c0001000 '],
    ['store', 'sd t1, 0(s3)', 0, 'f c0001000 '],
    ['fetch', 'jr s3', 0, 'c c0001000 '],
    ['store to what may only be read', 'sd t1, 0(s3)', 0xc3, 'f c0001000 '],
    ['fetch of what may only be read', 'jr s3', 0xc3, 'c c0001000 '],
  ])('tells page faults from faults of memory: %s', (_, instruction, flags, text) => {
    expect(run(`main: li a0, ${flags}\n call make_table\n li s3, 0xc0001000\n ${instruction}\n ${SHOW_TRAP}`)).toEqual({ text, status: 0 })
  })

  it('leaves faults of memory what they are', () => {
    expect(run(`main: li a0, 0xcf\n call make_table\n li s3, 0x10000000\n ld t1, 0(s3)\n ${SHOW_TRAP}`).text).toBe('5 10000000 ')
  })

  it('reads the time into any register, and nothing else is changed', () => {
    const registers = ['ra', 'gp', 'tp', 't0', 's0', 's1', 'a0', 'a7', 's2', 's11', 't3', 't6']
    const source = registers.map((name) => `rdtime ${name}\n mv s5, ${name}\n rdtime s6\n bltu s6, s5, bad\n beqz s5, bad\n`).join('')
    expect(run(`main: li s7, 77\n ${source} show s7\n finish\nbad: ebreak\n ${NO_TRAP}`)).toEqual({ text: '4d ', status: 0 })
  })

  it('hands on instructions that are really illegal, with their bits', () => {
    expect(run(`main: .word 0xc0001073\n ${SHOW_TRAP}`).text).toBe('2 c0001073 ')
  })

  it.each([
    ['the call for it', 'sbi 0x0a000005, 0'],
    ['setting the timer by the old call', 'li a0, -1\n sbi 0, 0'],
  ])('turns external interrupts into software interrupts with stval 9, one at a time, from %s on', (_, enable) => {
    const program = `main:
      li t0, 0x0c000000
      li t1, 1
      sw t1, 132(t0)
      li t0, 0x0c002004
      li t1, 2
      sw t1, 0(t0)
      csrwi sie, 2
      ${enable}
      csrsi sstatus, 2
    1: j 1b
    .balign 4
    trap:
      csrr s5, scause
      csrr s6, stval
      show s5
      show s6
      csrci sip, 2
      li s3, 0x0c200004
      lw s4, 0(s3)
      show s4
      li a7, 2
      ecall
      mv s5, a0
      show s5
      sw s4, 0(s3)
      li t0, 'b'
      beq s5, t0, done
      sbi 0x0a000005, 0
      sret
    done: finish
    `
    expect(run(program, { input: 'ab' })).toEqual({ text: '8000000000000001 9 21 61 8000000000000001 9 21 62 ', status: 0 })
  })

  it('starts the second hart, and hands on its timer', () => {
    expect(
      run(
        `main: li a0, 1
          la a1, second
          li a2, 0x55
          sbi 0x48534d, 0
        1: wfi
          j 1b
        second: mv s0, a0
          mv s1, a1
          la sp, second_stack
          la t0, tick
          csrw stvec, t0
          show s0
          show s1
          rdtime t0
          addi a0, t0, 200
          sbi 0x54494d45, 0
          li t0, 32
          csrw sie, t0
          csrsi sstatus, 2
        2: j 2b
        .balign 4
        tick: csrr s5, scause
          show s5
          finish
        ${NO_TRAP}`,
        { harts: 2 },
      ),
    ).toEqual({ text: '1 55 8000000000000005 ', status: 0 })
  })
})
