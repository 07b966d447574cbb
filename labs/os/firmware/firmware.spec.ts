/** The firmware from the next stage's side: S-mode programs call the SBI on our board, and on QEMU with ours and with OpenSBI. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { boot } from '../../../machine/board/boot.ts'
import { decodeDeviceTree, type DeviceTreeNode } from '../../../machine/board/device-tree.ts'
import { describeWith, oracle } from '../../../machine/testing/oracles.ts'
import { linkProgram, TestBoard, type TestBoardOptions } from '../../../machine/testing/programs.ts'

const FIRMWARE = path.join(import.meta.dirname, '../../../dist/firmware.elf')

/**
 *     sbi EXTENSION, FUNCTION   calls; arguments are in a0..a5
 *     say TEXT                  prints
 *     show REGISTER             prints it in hexadecimal, and a space; clobbers t0..t3
 *     finish                    ends the run with status 0
 */
const PRELUDE = `
.macro sbi extension, function
  li a7, \\extension
  li a6, \\function
  ecall
.endm
.macro say text
  .section .rodata
  7: .asciz "\\text"
  .text
  la t0, 7b
  call say_text
.endm
.macro show register
  mv t0, \\register
  call show_hex
.endm
.macro finish
  li a0, 0
  li a1, 0
  sbi SRST, 0
.endm
.equ BASE, 0x10
.equ TIME, 0x54494D45
.equ IPI, 0x735049
.equ RFENCE, 0x52464E43
.equ HSM, 0x48534D
.equ SRST, 0x53525354
.equ DBCN, 0x4442434E
.globl _start
_start:
  la sp, first_stack
  mv s0, a0
  mv s1, a1
  j main
# t0 = text; keeps everything but t0..t3 and ra
say_text:
  li t1, 0x10000000
1: lbu t2, 0(t0)
  beqz t2, 3f
2: lbu t3, 5(t1)
  andi t3, t3, 0x20
  beqz t3, 2b
  sb t2, 0(t1)
  addi t0, t0, 1
  j 1b
3: ret
show_hex:
  la t1, digits + 16
1: andi t2, t0, 15
  la t3, hexadecimal
  add t3, t3, t2
  lbu t3, 0(t3)
  addi t1, t1, -1
  sb t3, 0(t1)
  srli t0, t0, 4
  bnez t0, 1b
  mv t0, t1
  j say_text
.data
hexadecimal: .ascii "0123456789abcdef"
digits: .ascii "                "
  .asciz " "
.bss
.balign 4096
.skip 4096
first_stack:
.skip 4096
second_stack:
.text
`

function kernel(source: string): { name: string; bytes: Uint8Array } {
  return { name: 'kernel', bytes: linkProgram(PRELUDE + source, { origin: 0x8020_0000 }) }
}

function start(source: string, options: TestBoardOptions = {}): TestBoard {
  const run = new TestBoard(options)
  boot(run.board, { firmware: { name: 'firmware', bytes: readFileSync(FIRMWARE) }, kernel: kernel(source) })
  return run
}

/** What a program prints until it shuts the machine down. */
function output(source: string, options: TestBoardOptions = {}): string {
  const run = start(source, options)
  const result = run.run(200_000_000)
  expect({ ...result, text: run.text }).toMatchObject({ kind: 'exit', status: 0 })
  return run.text
}

function treeAt(run: TestBoard, address: number): DeviceTreeNode {
  const at = run.machine.ramAt(address, 0x10000)
  return decodeDeviceTree(new Uint8Array(run.machine.core.view.buffer, at, 0x10000).slice())
}

function words(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(index * 4))
}

function onQemu(source: string, harts: number, bios: string): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pollen-sbi-'))
  try {
    writeFileSync(path.join(folder, 'kernel.elf'), kernel(source).bytes)
    const options = [
      '-M',
      'virt',
      '-m',
      '16M',
      '-smp',
      String(harts),
      '-nographic',
      '-bios',
      bios,
      '-kernel',
      path.join(folder, 'kernel.elf'),
    ]
    const { stdout, status } = spawnSync(oracle('qemu-system-riscv64'), options, { timeout: 60_000, encoding: 'utf8' })
    expect({ status, stdout }).toMatchObject({ status: 0 })
    return stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Calls of one hart whose answers every SBI gives alike: a7, a6, a0, a1, a2, a3. */
const CALLS: readonly (readonly [string, string | number, ...(string | number)[]])[] = [
  ['an unknown extension', 0x12345, 0, 0, 0],
  ['the specification version', 'BASE', 0, 0, 0],
  ['an unknown base function', 'BASE', 77, 0, 0],
  ...['BASE', 'TIME', 'IPI', 'RFENCE', 'HSM', 'SRST', 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x12345].map(
    (extension) => [`a probe of ${extension}`, 'BASE', 3, extension, 0] as const,
  ),
  ['vendor', 'BASE', 4, 0, 0],
  ['the state of this hart', 'HSM', 2, 's0', 0],
  ['the state of no hart', 'HSM', 2, 63, 0],
  ['a start of this hart', 'HSM', 0, 's0', 'main'],
  ['a start of no hart', 'HSM', 0, 63, 'main'],
  ['an unknown suspension', 'HSM', 3, 1, 'main'],
  ['an unknown function of harts', 'HSM', 9, 0, 0],
  ['an interrupt to all', 'IPI', 0, 0, -1],
  ['an interrupt to nobody', 'IPI', 0, 0, 0],
  ['an unknown function of interrupts', 'IPI', 5, 0, 0],
  ['a fence of instructions', 'RFENCE', 0, 1, 0],
  ['a fence of translations', 'RFENCE', 1, 1, 0, 0x1000, 0x2000],
  ['a fence of a space', 'RFENCE', 2, 1, 0, 0, -1],
  ['an unknown kind of reset', 'SRST', 0, 77, 0],
  ['an unknown function of reset', 'SRST', 9, 0, 0],
  ['a timer', 'TIME', 0, -1, 0],
  ['an unknown function of timers', 'TIME', 9, 0, 0],
  ['a timer of old', 0, 0, -1, 0x77],
]
const load = (register: string, value: string | number | undefined) =>
  typeof value === 'string' && value !== 's0' && value === value.toLowerCase()
    ? `la ${register}, ${value}\n`
    : value === 's0'
      ? `mv ${register}, s0\n`
      : `li ${register}, ${value ?? 0}\n`
const TABLE = `main:
${CALLS.map(
  ([title, extension, fn, ...args]) => `
  ${args.map((value, index) => load(`a${index}`, value)).join('  ')}
  sbi ${extension}, ${fn}
  mv s2, a0
  mv s3, a1
  say "\\n${title}: "
  show s2
  show s3`,
).join('\n')}
  say "\\n"
  finish`

/** Two harts: start, interrupts both ways, stop, and start again with another argument. */
const TWO_HARTS = `main:
  xori s4, s0, 1
  mv a0, s4
  la a1, second
  li a2, 0x11
  sbi HSM, 0
  call await_interrupt
  say "answered\\n"
  li s6, 1
  sll a0, s6, s4
  li a1, 0
  sbi IPI, 0
1: mv a0, s4
  sbi HSM, 2
  li t0, 1
  bne a1, t0, 1b
  say "stopped\\n"
  mv a0, s4
  la a1, second
  li a2, 0x22
  sbi HSM, 0
  call await_interrupt
  say "answered\\n"
  mv a0, s4
  sbi HSM, 2
  show a1
  say "\\n"
  finish
await_interrupt:
  li t0, 2
  csrs sie, t0
1: wfi
  csrr t0, sip
  andi t0, t0, 2
  beqz t0, 1b
  csrci sip, 2
  ret
second:
  mv s5, a1
  la sp, second_stack
  csrr s6, sstatus
  andi s6, s6, 2
  csrr s7, satp
  say "second "
  show s5
  show s6
  show s7
  say "\\n"
  xori a0, a0, 1
  li a1, 1
  sll a0, a1, a0
  li a1, 0
  sbi IPI, 0
  call await_interrupt
  sbi HSM, 1
`

describe('the built-in firmware', () => {
  it('answers each call as the SBI has it', () => {
    const lines = output(TABLE).trim().split('\n')
    const answers = Object.fromEntries(lines.map((line) => line.trim().split(': ')))
    expect(answers).toMatchObject({
      'an unknown extension': 'fffffffffffffffe 0',
      'the specification version': '0 1000000',
      'a probe of HSM': '0 1',
      'a probe of 74565': '0 0',
      'the state of this hart': '0 0',
      'the state of no hart': 'fffffffffffffffd 0',
      'a start of this hart': 'fffffffffffffffa 0',
      'a start of no hart': 'fffffffffffffffd 0',
      'a timer of old': '0 77',
    })
  })

  it('refuses hart masks that name a hart that is not there', () => {
    const source = `main:
      li a0, 4
      li a1, 0
      sbi IPI, 0
      show a0
      li a0, 1
      li a1, 2
      sbi RFENCE, 0
      show a0
      finish`
    expect(output(source, { harts: 2 })).toBe('fffffffffffffffd fffffffffffffffd ')
  })

  it('starts and stops harts, and carries interrupts between them', () => {
    expect(output(TWO_HARTS, { harts: 2 })).toBe('second 11 0 0 \nanswered\nstopped\nsecond 22 0 0 \nanswered\n0 \n')
  })

  it('brings up all of eight harts', () => {
    const source = `main:
      li s2, 1
    1: mv a0, s2
      la a1, others
      sbi HSM, 0
      bnez a0, bad
      addi s2, s2, 1
      li t0, 8
      blt s2, t0, 1b
      la s3, count
    2: lw t0, 0(s3)
      li t1, 7
      bne t0, t1, 2b
      say "eight\\n"
      finish
    bad: say "refused\\n"
      finish
    others:
      la t0, count
      li t1, 1
      amoadd.w zero, t1, (t0)
    3: wfi
      j 3b
    .data
    .balign 8
    count: .dword 0`
    expect(output(source, { harts: 8 })).toBe('eight\n')
  })

  it('gives the timer to S-mode, and takes it back when the next is set', () => {
    const source = `main:
      li t0, 0x20
      csrs sie, t0
      rdtime s2
      li t0, 1000
      add s2, s2, t0
      mv a0, s2
      sbi TIME, 0
    1: wfi
      csrr t0, sip
      andi t0, t0, 0x20
      beqz t0, 1b
      rdtime t1
      bltu t1, s2, bad
      li a0, -1
      sbi TIME, 0
      csrr t0, sip
      andi t0, t0, 0x20
      show t0
      finish
    bad: say "early"
      finish`
    expect(output(source)).toBe('0 ')
  })

  it('suspends a hart with and without its registers', () => {
    const source = `main:
      li t0, 0x20
      csrs sie, t0
      rdtime a0
      addi a0, a0, 500
      sbi TIME, 0
      li s5, 0x55
      li a0, 0
      sbi HSM, 3
      show a0
      show s5
      li a0, 0x80000000
      la a1, again
      li a2, 0x99
      sbi HSM, 3
    again:
      mv s2, a0
      mv s3, a1
      show s2
      show s3
      finish`
    expect(output(source)).toBe('0 55 0 99 ')
  })

  it('fences translations on another hart before the call is over', () => {
    // The second hart reads a page that the first gives another frame.
    const source = `main:
      la s2, root
      # RAM at its own addresses, and the page at 2 MiB
      li t0, 0x200000cf
      sd t0, 16(s2)
      la t0, middle
      srli t0, t0, 2
      ori t0, t0, 1
      sd t0, 0(s2)
      la t1, middle
      la t0, leaves
      srli t0, t0, 2
      ori t0, t0, 1
      sd t0, 8(t1)
      la s4, leaves
      la t0, page_a
      srli t0, t0, 2
      ori t0, t0, 0xcf
      sd t0, 0(s4)
      li a0, 1
      la a1, second
      li a2, 0
      sbi HSM, 0
      la s5, seen
    1: ld t0, 0(s5)
      li t1, 0xa
      bne t0, t1, 1b
      la t0, page_b
      srli t0, t0, 2
      ori t0, t0, 0xcf
      sd t0, 0(s4)
      fence
      li a0, 2
      li a1, 0
      li a2, 0x200000
      li a3, 0x1000
      sbi RFENCE, 1
      show a0
      li t0, 1
      sd t0, 8(s5)
    2: ld t0, 16(s5)
      beqz t0, 2b
      show t0
      finish
    second:
      la t0, root
      srli t0, t0, 12
      li t1, 8 << 60
      or t0, t0, t1
      csrw satp, t0
      sfence.vma
      la s5, seen
      li s6, 0x200000
    3: ld t0, 0(s6)
      sd t0, 0(s5)
      ld t1, 8(s5)
      beqz t1, 3b
      ld t0, 0(s6)
      sd t0, 16(s5)
    4: wfi
      j 4b
    .data
    .balign 4096
    root: .skip 4096
    middle: .skip 4096
    leaves: .skip 4096
    page_a: .dword 0xa
      .balign 4096
    page_b: .dword 0xb
      .balign 4096
    seen: .skip 64`
    expect(output(source, { harts: 2 })).toBe('0 b ')
  })

  it('lets harts fence each other at the same time', () => {
    const source = `
    main:
      li a0, 1
      la a1, work
      sbi HSM, 0
      li a0, 0
    work:
      mv s0, a0
      li s2, 200
    1: li a0, 0
      li a1, -1
      li a2, 0
      li a3, -1
      sbi RFENCE, 1
      bnez a0, bad
      addi s2, s2, -1
      bnez s2, 1b
      la t0, done
      li t1, 1
      amoadd.w zero, t1, (t0)
    2: lw t1, 0(t0)
      li t2, 2
      bne t1, t2, 2b
      bnez s0, 3f
      say "done"
      finish
    3: wfi
      j 3b
    bad: say "refused"
      finish
    .data
    .balign 8
    done: .dword 0`
    expect(output(source, { harts: 2 })).toBe('done')
  })

  it('has a console by the old calls and by the debug console', () => {
    const source = `main:
      li a0, 'a'
      sbi 1, 0
      li a0, 3
      la a1, text
      li a2, 0
      sbi DBCN, 0
      show a1
      li a0, 'c'
      sbi DBCN, 2
      sbi 2, 0
      show a0
    1: sbi 2, 0
      bltz a0, 1b
      show a0
    2: li t1, 0x10000005
      lbu t0, 0(t1)
      andi t0, t0, 1
      beqz t0, 2b
      li a0, 8
      la a1, text
      li a2, 0
      sbi DBCN, 1
      mv s3, a1
      la s2, text
      lbu s2, 0(s2)
      show s3
      show s2
      li a0, 8
      li a1, 0x80000000
      li a2, 0
      sbi DBCN, 0
      show a0
      finish
    .data
    text: .ascii "-b-"
      .skip 8`
    const run = start(source)
    run.runUntilShown('cffffffffffffffff ')
    run.input.push(new TextEncoder().encode('xy'), run.machine.clock.now)
    expect(run.run(50_000_000)).toMatchObject({ kind: 'exit' })
    expect(run.text).toBe('a-b-3 cffffffffffffffff 78 1 79 fffffffffffffffd ')
  })

  it('keeps S-mode out of its memory', () => {
    const source = `main:
      la t0, fault
      csrw stvec, t0
      li s2, 0x80000000
      ld t0, 0(s2)
      say "read"
      finish
      .balign 4
    fault:
      csrr s2, scause
      csrr s3, stval
      show s2
      show s3
      finish`
    expect(output(source)).toBe('5 80000000 ')
  })

  it('says in the device tree which memory it has', () => {
    const run = new TestBoard({ harts: 4 })
    const { deviceTreeAddress } = boot(run.board, {
      firmware: { name: 'firmware', bytes: readFileSync(FIRMWARE) },
      kernel: kernel('main: finish'),
      bootArguments: 'kept=1',
    })
    const before = treeAt(run, deviceTreeAddress)
    expect(run.run(10_000_000)).toMatchObject({ kind: 'exit' })
    const after = treeAt(run, deviceTreeAddress)
    const added = after.children.at(-1)!
    expect({ ...after, children: after.children.slice(0, -1) }).toEqual(before)
    expect(added).toMatchObject({ name: 'reserved-memory', children: [{ name: 'firmware@80000000' }] })
    const [, base, , size] = words(added.children[0].properties.get('reg')!)
    expect({ base, size }).toEqual({ base: 0x8000_0000, size: 0x109000 })
  })

  it('gives the fault of a hart mask that cannot be read to S-mode', () => {
    const source = `main:
      la t0, fault
      csrw stvec, t0
      li a0, 0x40000000
    call: sbi 4, 0
      say "came back"
      finish
      .balign 4
    fault:
      csrr s2, scause
      csrr s3, stval
      show s2
      show s3
      la a0, mask
      sbi 4, 0
      csrr s2, sip
      show a0
      show s2
      finish
    .data
    .balign 8
    mask: .dword 1`
    expect(output(source)).toBe('5 40000000 0 2 ')
  })

  it('ends the run with the status that fits the reason, or begins it again', () => {
    const reset = (kind: number, reason: number) => {
      const run = start(`main:\nli a0, ${kind}\nli a1, ${reason}\nsbi SRST, 0\n1: j 1b`)
      return run.run(10_000_000)
    }
    expect(reset(0, 0)).toEqual({ kind: 'exit', status: 0 })
    expect(reset(0, 1)).toEqual({ kind: 'exit', status: 1 })
    expect(reset(1, 0)).toEqual({ kind: 'reset' })
    expect(start('main: sbi 8, 0').run(10_000_000)).toEqual({ kind: 'exit', status: 0 })
  })

  it('says in one line what went wrong in itself, and ends', () => {
    const run = start('main: j main')
    run.run(200)
    run.machine.core.setPc(0, 0x10n)
    expect(run.run(10_000_000)).toEqual({ kind: 'exit', status: 1 })
    expect(run.text).toMatch(/^firmware: hart 0x0: unexpected trap, cause 0x1, pc 0x10, value 0x10\n$/)
  })
})

describeWith(['qemu-system-riscv64', 'opensbi/generic/fw_dynamic.elf'], 'the built-in firmware beside OpenSBI on QEMU', () => {
  it('answers alike, here and there', () => {
    const ours = onQemu(TABLE, 1, FIRMWARE)
    const theirs = onQemu(TABLE, 1, 'default')
    expect(ours).toBe(output(TABLE))
    const answers = (text: string) => text.slice(text.indexOf('\nan unknown extension')).trim().split(/\r?\n/)
    expect(answers(ours)).toEqual(answers(theirs))
  })

  it('starts, interrupts and stops harts on QEMU', () => {
    // Harts print at the same time there: only the order within each is certain.
    const text = onQemu(TWO_HARTS, 2, FIRMWARE)
    expect(text.match(/second (11|22) 0 0/g)).toEqual(['second 11 0 0', 'second 22 0 0'])
  })
})
