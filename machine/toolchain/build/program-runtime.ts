/** What a program gets unless it brings its own: start, traps, a bump allocator, block moves, the coroutine hooks. All weak. */
import { trapCodes } from '../ir/ir.ts'
import type { ProgramLayout } from './layouts.ts'

const firmwareStart = `
_start:
    csrr t0, mhartid
    bnez t0, 2f
    la sp, __stack_top
    la t0, __bss_start
    la t1, __bss_end
1:  bgeu t0, t1, 3f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 1b
2:  wfi
    j 2b
3:  li t0, 0x6000
    csrs mstatus, t0
    csrw fcsr, zero
    call __initialize
    call main
    tail __exit
`

const firmwareExit = `
__exit:
    li t0, 0x100000
    li t1, 0x5555
    beqz a0, 1f
    slli a0, a0, 16
    li t1, 0x3333
    or t1, t1, a0
1:  sw t1, 0(t0)
2:  wfi
    j 2b
__put:
    li t0, 0x10000000
1:  lbu t1, 5(t0)
    andi t1, t1, 0x20
    beqz t1, 1b
    sb a0, 0(t0)
    ret
`

const programStart = `
_start:
    call __initialize
    call main
    tail __exit
`

const programExit = `
__exit:
    li a7, 93
    ecall
    j __exit
__put:
    addi sp, sp, -16
    sb a0, 0(sp)
    li a0, 1
    mv a1, sp
    li a2, 1
    li a7, 64
    ecall
    addi sp, sp, 16
    ret
`

const kernelStart = `
_start:
    j _start
`

const kernelExit = `
__exit:
    wfi
    j __exit
__put:
    ret
`

/** Assembly of the defaults for a layout. A program that brings its own `_start` gets none, and then needs no `main` either. */
export function programRuntime(layout: ProgramLayout, ownStart = false): string {
  const [start, exit] =
    layout.name === 'kernel'
      ? [kernelStart, kernelExit]
      : layout.name === 'program'
        ? [programStart, programExit]
        : [firmwareStart, firmwareExit]
  // Pointers are 32 bits: how one becomes an address.
  const pointer = (register: string): string =>
    layout.model === 'physical' ? `    slli ${register}, ${register}, 32\n    srli ${register}, ${register}, 32\n` : ''
  const length = (register: string): string => `    slli ${register}, ${register}, 32\n    srli ${register}, ${register}, 32\n`
  const weak = [
    ...(ownStart ? [] : ['_start']),
    '__exit',
    '__put',
    '__trap',
    '__abort',
    '__allocate',
    '__release',
    '__coroutine_allocate',
    '__coroutine_free',
    '__wake',
    '__forget',
    '__idle',
  ]
  const memory = ['memory.copy', 'memory.fill', 'memory.size', 'memory.grow'].map((name) => `pollen.${name}`)
  return `
${[...weak, ...memory].map((name) => `    .weak ${name}`).join('\n')}
${ownStart ? '' : `    .section .text.start, "ax"\n${start}`}
    .section .text.runtime, "ax"
${exit}
# a0 = trap code; the return address tells the place
__trap:
    mv s0, a0
    la s1, trap_texts
1:  beqz s0, 3f
2:  lbu t0, 0(s1)
    addi s1, s1, 1
    bnez t0, 2b
    addi s0, s0, -1
    j 1b
3:  lbu a0, 0(s1)
    beqz a0, 4f
    call __put
    addi s1, s1, 1
    j 3b
4:  li a0, 10
    call __put
    li a0, 134
    tail __exit
__abort:
    li a0, 0
    tail __trap
# a0 = bytes; never gives anything back
__allocate:
${length('a0')}    addi a0, a0, 15
    andi a0, a0, -16
    la t0, heap_next
    ld t1, 0(t0)
    bnez t1, 1f
    la t1, __heap_start
    addi t1, t1, 15
    andi t1, t1, -16
1:  add a0, a0, t1
    sd a0, 0(t0)
    sext.w a0, t1
    ret
__release:
    ret
# a0 = bytes of header and slots
__coroutine_allocate:
    addi sp, sp, -16
    sd ra, 0(sp)
    call __allocate
${pointer('a0')}    sd zero, 0(a0)
    sd zero, 8(a0)
    sd zero, 16(a0)
    sd zero, 24(a0)
    sd zero, 32(a0)
    sd zero, 40(a0)
    ld ra, 0(sp)
    addi sp, sp, 16
    ret
__coroutine_free:
    tail __release
__forget:
    ret
__idle:
${layout.name === 'program' ? '' : '    wfi\n'}    ret
# Resumes the awaiter at once.
__wake:
${pointer('a0')}    ${layout.model === 'physical' ? 'lwu' : 'lw'} t0, 0(a0)
    jr t0
pollen.memory.copy:
${pointer('a0')}${pointer('a1')}${length('a2')}    bgeu a1, a0, 4f
    add a0, a0, a2
    add a1, a1, a2
1:  or t0, a0, a1
    or t0, t0, a2
    andi t0, t0, 7
    bnez t0, 3f
2:  beqz a2, 7f
    addi a0, a0, -8
    addi a1, a1, -8
    ld t0, 0(a1)
    sd t0, 0(a0)
    addi a2, a2, -8
    j 2b
3:  beqz a2, 7f
    addi a0, a0, -1
    addi a1, a1, -1
    lbu t0, 0(a1)
    sb t0, 0(a0)
    addi a2, a2, -1
    j 3b
4:  or t0, a0, a1
    andi t0, t0, 7
    bnez t0, 6f
    li t1, 8
5:  bltu a2, t1, 6f
    ld t0, 0(a1)
    sd t0, 0(a0)
    addi a0, a0, 8
    addi a1, a1, 8
    addi a2, a2, -8
    j 5b
6:  beqz a2, 7f
    lbu t0, 0(a1)
    sb t0, 0(a0)
    addi a0, a0, 1
    addi a1, a1, 1
    addi a2, a2, -1
    j 6b
7:  ret
pollen.memory.fill:
${pointer('a0')}${length('a2')}    andi a1, a1, 255
    slli t0, a1, 8
    or a1, a1, t0
    slli t0, a1, 16
    or a1, a1, t0
    slli t0, a1, 32
    or a1, a1, t0
    andi t0, a0, 7
    bnez t0, 2f
    li t1, 8
1:  bltu a2, t1, 2f
    sd a1, 0(a0)
    addi a0, a0, 8
    addi a2, a2, -8
    j 1b
2:  beqz a2, 3f
    sb a1, 0(a0)
    addi a0, a0, 1
    addi a2, a2, -1
    j 2b
3:  ret
pollen.memory.size:
    li a0, 65536
    ret
pollen.memory.grow:
    li a0, -1
    ret
    .section .rodata
trap_texts:
${trapCodes.map((text) => `    .asciz "trap: ${text}"`).join('\n')}
    .section .bss
    .balign 8
heap_next: .space 8
`
}
