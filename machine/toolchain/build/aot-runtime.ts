/**
 * The runtime of `pollen aot`, in assembly: start, console, the protocol of contracts.md ("pollen aot --target bare"),
 * calls into the module with a way back after a trap, and the instructions that are calls (memory.grow, table.set, ...).
 *
 * The module keeps s10 = bytes of linear memory and s11 = its address; the runtime keeps both in variables between calls.
 */
import { trapCodes } from '../ir/ir.ts'

const bare = `
# M-mode on virt: UART at 0x10000000, finisher at 0x100000.
    # The byte by which this program's console says that its input ends: a UART knows no end of file.
    .globl pollen_end_of_input
    .equ pollen_end_of_input, 4
    .globl _start
    .section .text.start, "ax"
_start:
    csrr t0, mhartid
    bnez t0, park
    la sp, pollen.stack.top
    li t0, 0x6000
    csrs mstatus, t0
    csrw fcsr, zero
    la t0, machine_trap
    csrw mtvec, t0
    la t0, pollen.memory.image
    la t1, pollen.memory.base
    sd t0, 0(t1)
    la t0, pollen.stack.bottom
    li t1, 0x10000
    add t0, t0, t1
    la t1, pollen.stack.limit
    sd t0, 0(t1)
    j main
park:
    wfi
    j park
    .balign 4
machine_trap:
    la a0, text_machine
    call print
    csrr a0, mcause
    call print_decimal
    csrr a0, mepc
    li a1, 16
    call print_hex
    li a0, 10
    call put
    li a0, 3
    j exit
# a0 = status
exit:
    li t0, 0x100000
    beqz a0, 1f
    slli a0, a0, 16
    li t1, 0x3333
    or t1, t1, a0
    sw t1, 0(t0)
    j park
1:  li t1, 0x5555
    sw t1, 0(t0)
    j park
# a0 = byte
put:
    li t0, 0x10000000
1:  lbu t1, 5(t0)
    andi t1, t1, 0x20
    beqz t1, 1b
    sb a0, 0(t0)
    ret
# gives a byte; EOT, the end of input unless an export's name goes on with it, as 256 + 4
get:
    li t0, 0x10000000
1:  lbu t1, 5(t0)
    andi t1, t1, 1
    beqz t1, 1b
    lbu a0, 0(t0)
    li t1, 4
    bne a0, t1, 2f
    li a0, 260
2:  ret
flush:
    ret
    .section .bss
    .balign 16
pollen.stack.bottom:
    .space 0x200000
pollen.stack.top:
    .section .rodata
text_machine: .asciz "machine trap "
`

const linux = `
    .globl _start
    .section .text.start, "ax"
_start:
    li t0, -0x600000
    add t0, t0, sp
    la t1, pollen.stack.limit
    sd t0, 0(t1)
    # Address space for all that linear memory may become; pages come with their first use.
    li a0, 0
    li a1, 0x100010000
    li a2, 3
    li a3, 0x4022
    li a4, -1
    li a5, 0
    li a7, 222
    ecall
    bltz a0, 3f
    la t1, pollen.memory.base
    sd a0, 0(t1)
    la t0, pollen.memory.image
    la t1, pollen.memory.image.size
    ld t1, 0(t1)
    add t1, t1, t0
1:  bgeu t0, t1, 2f
    lbu t2, 0(t0)
    sb t2, 0(a0)
    addi t0, t0, 1
    addi a0, a0, 1
    j 1b
2:  j main
3:  li a0, 3
    j exit
exit:
    mv s0, a0
    call flush
    mv a0, s0
    li a7, 93
    ecall
put:
    la t0, output_length
    ld t1, 0(t0)
    la t2, output
    add t2, t2, t1
    sb a0, 0(t2)
    addi t1, t1, 1
    sd t1, 0(t0)
    li t2, 4096
    beq t1, t2, flush
    ret
flush:
    la t0, output_length
    ld a2, 0(t0)
    sd zero, 0(t0)
    la a1, output
    li a0, 1
    li a7, 64
    ecall
    ret
get:
    la t0, input_position
    ld t1, 0(t0)
    ld t2, 8(t0)
    bltu t1, t2, 1f
    li a0, 0
    la a1, input
    li a2, 4096
    li a7, 63
    ecall
    blez a0, 2f
    la t0, input_position
    sd a0, 8(t0)
    li t1, 0
1:  la t2, input
    add t2, t2, t1
    lbu a0, 0(t2)
    addi t1, t1, 1
    sd t1, 0(t0)
    ret
2:  li a0, -1
    ret
    .section .bss
    .balign 8
input_position: .space 16
output_length: .space 8
output: .space 4096
input: .space 4096
`

const common = `
    .section .text
main:
    la t0, pollen.instantiate
    lw a0, 4(t0)
    bgez a0, instantiation_trapped
    ld t1, 8(t0)
    beqz t1, next_line
    la t0, target
    sd t1, 0(t0)
    la t0, stack_bytes
    sd zero, 0(t0)
    la a0, instantiation_trapped
    call enter
next_line:
    call read_line
    bltz a0, end_of_input
    la s0, line
    add s1, s0, a0
    sb zero, 0(s1)
    # The export whose name is the line's beginning, up to a space or the end; the longest one.
    la s2, pollen.exports
    ld s3, 0(s2)
    addi s2, s2, 8
    li s4, 0
    li s7, -1
find:
    beqz s3, found
    ld t0, 0(s2)
    ld t1, 8(s2)
    mv t2, s0
    add t3, t0, t1
1:  beq t0, t3, 2f
    lbu t4, 0(t0)
    lbu t5, 0(t2)
    bne t4, t5, 3f
    beq t2, s1, 3f
    addi t0, t0, 1
    addi t2, t2, 1
    j 1b
2:  beq t2, s1, 4f
    lbu t5, 0(t2)
    li t6, 32
    bne t5, t6, 3f
4:  ble t1, s7, 3f
    mv s7, t1
    mv s4, s2
    mv s5, t2
3:  addi s2, s2, 48
    addi s3, s3, -1
    j find
found:
    beqz s4, unknown
    # s4 = export {name, length, types, counts, code, stack bytes}, s5 = arguments
    ld s6, 16(s4)
    lw s7, 24(s4)
    la s8, integers
    la s9, floats
    la s10, stack
    la s11, floats
arguments:
    beqz s7, run
    lbu s3, 0(s6)
    addi s6, s6, 1
    addi s7, s7, -1
    mv a0, s5
    mv a1, s1
    mv a2, s3
    call parse
    bnez a2, malformed
    mv s5, a1
    li t0, 'f'
    beq s3, t0, 1f
    li t0, 'd'
    beq s3, t0, 2f
    la t0, floats
    beq s8, t0, 3f
    sd a0, 0(s8)
    addi s8, s8, 8
    j arguments
1:  li t1, -1
    slli t1, t1, 32
    or a0, a0, t1
2:  la t0, stack
    beq s9, t0, 3f
    sd a0, 0(s9)
    addi s9, s9, 8
    j arguments
3:  sd a0, 0(s10)
    addi s10, s10, 8
    j arguments
run:
    mv a0, s5
    mv a1, s1
    call skip_spaces
    bne a0, s1, malformed
    ld t0, 32(s4)
    la t1, target
    sd t0, 0(t1)
    ld t0, 40(s4)
    la t1, stack_bytes
    sd t0, 0(t1)
    # How many stack words are arguments: results that did not fit lie behind them.
    la t1, stack
    sub s2, s10, t1
    la a0, call_trapped
    call enter
    lw s7, 28(s4)
    beqz s7, no_result
    la s8, integers
    la s9, floats
    la s10, stack
    add s10, s10, s2
results:
    lbu s3, 0(s6)
    addi s6, s6, 1
    li t0, 'f'
    beq s3, t0, 2f
    li t0, 'd'
    beq s3, t0, 2f
    la t0, floats
    beq s8, t0, 3f
    ld a0, 0(s8)
    addi s8, s8, 8
    j 4f
2:  la t0, stack
    beq s9, t0, 3f
    ld a0, 0(s9)
    addi s9, s9, 8
    j 4f
3:  ld a0, 0(s10)
    addi s10, s10, 8
4:  mv a1, s3
    call print_value
    addi s7, s7, -1
    li a0, 32
    bnez s7, 5f
    li a0, 10
5:  call put
    bnez s7, results
    call flush
    j next_line
no_result:
    la a0, text_ok
    call print
    call flush
    j next_line
end_of_input:
    li a0, 0
    j exit
unknown:
    # An empty line calls the export without a name, or nothing.
    beq s0, s1, next_line
    la a0, text_unknown
    call print
    call flush
    j next_line
malformed:
    la a0, text_malformed
    call print
    call flush
    j next_line
instantiation_trapped:
    call print_trap
    li a0, 1
    j exit
call_trapped:
    call print_trap
    j next_line

# Calls *target with the prepared registers; a trap resumes at a0 with the code in a0 and our registers.
enter:
    addi sp, sp, -224
    sd ra, 0(sp)
    sd s0, 8(sp)
    sd s1, 16(sp)
    sd s2, 24(sp)
    sd s3, 32(sp)
    sd s4, 40(sp)
    sd s5, 48(sp)
    sd s6, 56(sp)
    sd s7, 64(sp)
    sd s8, 72(sp)
    sd s9, 80(sp)
    sd s10, 88(sp)
    sd s11, 96(sp)
    sd a0, 104(sp)
    la t0, way_back
    sd sp, 0(t0)
    la s10, pollen.memory.bytes
    ld s10, 0(s10)
    la s11, pollen.memory.base
    ld s11, 0(s11)
    la t0, stack_bytes
    ld t0, 0(t0)
    mv s0, sp
    sub sp, sp, t0
    la t1, stack
    mv t2, sp
1:  bgeu t2, s0, 2f
    ld t3, 0(t1)
    sd t3, 0(t2)
    addi t1, t1, 8
    addi t2, t2, 8
    j 1b
2:  la t0, integers
    ld a0, 0(t0)
    ld a1, 8(t0)
    ld a2, 16(t0)
    ld a3, 24(t0)
    ld a4, 32(t0)
    ld a5, 40(t0)
    ld a6, 48(t0)
    ld a7, 56(t0)
    fld fa0, 64(t0)
    fld fa1, 72(t0)
    fld fa2, 80(t0)
    fld fa3, 88(t0)
    fld fa4, 96(t0)
    fld fa5, 104(t0)
    fld fa6, 112(t0)
    fld fa7, 120(t0)
    la t1, target
    ld t1, 0(t1)
    jalr t1
    la t0, integers
    sd a0, 0(t0)
    sd a1, 8(t0)
    sd a2, 16(t0)
    sd a3, 24(t0)
    sd a4, 32(t0)
    sd a5, 40(t0)
    sd a6, 48(t0)
    sd a7, 56(t0)
    fsd fa0, 64(t0)
    fsd fa1, 72(t0)
    fsd fa2, 80(t0)
    fsd fa3, 88(t0)
    fsd fa4, 96(t0)
    fsd fa5, 104(t0)
    fsd fa6, 112(t0)
    fsd fa7, 120(t0)
    la t1, stack
    mv t2, sp
3:  bgeu t2, s0, 4f
    ld t3, 0(t2)
    sd t3, 0(t1)
    addi t1, t1, 8
    addi t2, t2, 8
    j 3b
4:  mv sp, s0
    la t0, leave
    jr t0
# a0 = code. The module called this from anywhere; its frames are forgotten.
    .globl pollen.trap
pollen.trap:
    la t0, way_back
    ld sp, 0(t0)
    ld t1, 104(sp)
    sd t1, 0(sp)
leave:
    la t0, pollen.memory.bytes
    sd s10, 0(t0)
    ld ra, 0(sp)
    ld s0, 8(sp)
    ld s1, 16(sp)
    ld s2, 24(sp)
    ld s3, 32(sp)
    ld s4, 40(sp)
    ld s5, 48(sp)
    ld s6, 56(sp)
    ld s7, 64(sp)
    ld s8, 72(sp)
    ld s9, 80(sp)
    ld s10, 88(sp)
    ld s11, 96(sp)
    addi sp, sp, 224
    ret

# Gives the length of the line, or -1 at the end of input. Names of exports may contain any byte: one that would end the
# line is part of it where an export's name goes on so.
read_line:
    addi sp, sp, -32
    sd ra, 0(sp)
    sd s0, 8(sp)
    sd s1, 16(sp)
    la s0, line
    la t0, ended
    ld t0, 0(t0)
    bnez t0, 3f
1:  call get
    bltz a0, 3f
    mv s1, a0
    li t0, 260
    beq a0, t0, 7f
    li t0, 10
    beq a0, t0, 5f
    li t0, 13
    beq a0, t0, 5f
6:  la t0, line_end
    bgeu s0, t0, 1b
    sb s1, 0(s0)
    addi s0, s0, 1
    j 1b
    # Where a line begins there is no doubt that EOT ends the input.
7:  la t0, line
    beq s0, t0, 3f
5:  andi a0, a0, 255
    call name_goes_on
    bnez a0, 6b
    li t0, 13
    beq s1, t0, 1b
    li t0, 10
    beq s1, t0, 2f
    # Nothing comes after the end, be there a last newline or not.
    la t0, ended
    sd s1, 0(t0)
3:  la t0, line
    bne s0, t0, 2f
    li a0, -1
    j 4f
2:  la t0, line
    sub a0, s0, t0
4:  ld ra, 0(sp)
    ld s0, 8(sp)
    ld s1, 16(sp)
    addi sp, sp, 32
    ret
# a0 = byte, s0 = the end of the line so far; gives 1 when an export's name begins with both
name_goes_on:
    la t0, pollen.exports
    ld t1, 0(t0)
    addi t0, t0, 8
    la t2, line
    sub a1, s0, t2
1:  beqz t1, 4f
    ld t3, 8(t0)
    bgeu a1, t3, 3f
    ld t3, 0(t0)
    add t4, t3, a1
    lbu t5, 0(t4)
    bne t5, a0, 3f
2:  beq t3, t4, 5f
    lbu t5, 0(t3)
    lbu t6, 0(t2)
    bne t5, t6, 3f
    addi t3, t3, 1
    addi t2, t2, 1
    j 2b
3:  la t2, line
    addi t0, t0, 48
    addi t1, t1, -1
    j 1b
4:  li a0, 0
    ret
5:  li a0, 1
    ret

# a0 = text, a1 = end; gives a0 behind the spaces
skip_spaces:
    li t1, 32
1:  beq a0, a1, 2f
    lbu t0, 0(a0)
    bne t0, t1, 2f
    addi a0, a0, 1
    j 1b
2:  ret

# a0 = text, a1 = end, a2 = type letter; gives a0 = value, a1 = text behind it, a2 = 0 or an error
parse:
    mv t6, a1
    mv a3, ra
    call skip_spaces
    mv ra, a3
    # The type's name, then a colon.
    la t0, type_names
1:  lbu t1, 0(t0)
    beqz t1, bad
    addi t0, t0, 1
    beq t1, a2, 2f
3:  lbu t1, 0(t0)
    addi t0, t0, 1
    bnez t1, 3b
    j 1b
2:  lbu t1, 0(t0)
    addi t0, t0, 1
    beqz t1, number
    beq a0, t6, bad
    lbu t2, 0(a0)
    bne t1, t2, bad
    addi a0, a0, 1
    j 2b
number:
    li t5, 0
    li t4, 0
    beq a0, t6, bad
    lbu t2, 0(a0)
    li t1, 'n'
    beq t2, t1, null
    li t1, '-'
    bne t2, t1, 1f
    li t4, 1
    addi a0, a0, 1
1:  li t3, 10
    beq a0, t6, bad
    mv a4, a0
    lbu t2, 0(a0)
    li t1, '0'
    bne t2, t1, digits
    addi a0, a0, 1
    beq a0, t6, finished
    lbu t2, 0(a0)
    li t1, 'x'
    bne t2, t1, digits
    addi a0, a0, 1
    li t3, 16
    mv a4, a0
digits:
    beq a0, t6, finished
    lbu t2, 0(a0)
    li t1, 32
    beq t2, t1, finished
    addi t2, t2, -48
    li t1, 10
    bltu t2, t1, 2f
    ori t2, t2, 32
    addi t2, t2, -49
    li t1, 6
    bgeu t2, t1, bad
    addi t2, t2, 10
    bgeu t2, t3, bad
2:  mul t5, t5, t3
    add t5, t5, t2
    addi a0, a0, 1
    j digits
null:
    addi a0, a0, 4
    bltu t6, a0, bad
    mv a1, a0
    li a0, 0
    li a2, 0
    ret
finished:
    beq a0, a4, bad
    mv a1, a0
    mv a0, t5
    beqz t4, 1f
    neg a0, a0
1:  li t0, 'i'
    bne a2, t0, 2f
    sext.w a0, a0
2:  li t0, 'r'
    bne a2, t0, 3f
    # An external reference is its number plus one: 0 is null.
    addi a0, a0, 1
3:  li a2, 0
    ret
bad:
    li a2, 1
    ret

# a0 = value, a1 = type letter
print_value:
    addi sp, sp, -32
    sd ra, 0(sp)
    sd s0, 8(sp)
    sd s1, 16(sp)
    mv s0, a0
    mv s1, a1
    la a0, type_names
1:  lbu t1, 0(a0)
    addi a0, a0, 1
    beq t1, s1, 2f
3:  lbu t1, 0(a0)
    addi a0, a0, 1
    bnez t1, 3b
    j 1b
2:  call print
    mv a0, s0
    li t0, 'f'
    li a1, 8
    beq s1, t0, 5f
    li t0, 'd'
    li a1, 16
    beq s1, t0, 5f
    li t0, 'r'
    beq s1, t0, 4f
    li t0, 'g'
    beq s1, t0, 4f
    li t0, 'i'
    bne s1, t0, 7f
    sext.w a0, a0
7:  call print_decimal
    j 6f
4:  addi a0, s0, -1
    bnez s0, 7b
    la a0, text_null
    call print
    j 6f
5:  call print_hex
6:  ld ra, 0(sp)
    ld s0, 8(sp)
    ld s1, 16(sp)
    addi sp, sp, 32
    ret

# a0 = zero-terminated text
print:
    addi sp, sp, -16
    sd ra, 0(sp)
    sd s0, 8(sp)
    mv s0, a0
1:  lbu a0, 0(s0)
    beqz a0, 2f
    call put
    addi s0, s0, 1
    j 1b
2:  ld ra, 0(sp)
    ld s0, 8(sp)
    addi sp, sp, 16
    ret

# a0 = signed number
print_decimal:
    addi sp, sp, -64
    sd ra, 0(sp)
    sd s0, 8(sp)
    sd s1, 16(sp)
    mv s0, a0
    bgez a0, 1f
    li a0, '-'
    call put
    neg s0, s0
1:  addi s1, sp, 63
    sb zero, 0(s1)
    li t1, 10
2:  remu t0, s0, t1
    divu s0, s0, t1
    addi t0, t0, 48
    addi s1, s1, -1
    sb t0, 0(s1)
    bnez s0, 2b
    mv a0, s1
    call print
    ld ra, 0(sp)
    ld s0, 8(sp)
    ld s1, 16(sp)
    addi sp, sp, 64
    ret

# a0 = bits, a1 = digits
print_hex:
    addi sp, sp, -32
    sd ra, 0(sp)
    sd s0, 8(sp)
    sd s1, 16(sp)
    mv s0, a0
    slli s1, a1, 2
    la a0, text_hex
    call print
1:  addi s1, s1, -4
    srl a0, s0, s1
    andi a0, a0, 15
    li t0, 10
    blt a0, t0, 2f
    addi a0, a0, 39
2:  addi a0, a0, 48
    call put
    bnez s1, 1b
    ld ra, 0(sp)
    ld s0, 8(sp)
    ld s1, 16(sp)
    addi sp, sp, 32
    ret

# a0 = trap code
print_trap:
    addi sp, sp, -16
    sd ra, 0(sp)
    sd s0, 8(sp)
    mv s0, a0
    la a0, text_trap
    call print
    la a0, trap_texts
1:  beqz s0, 3f
2:  lbu t0, 0(a0)
    addi a0, a0, 1
    bnez t0, 2b
    addi s0, s0, -1
    j 1b
3:  call print
    li a0, 10
    call put
    call flush
    ld ra, 0(sp)
    ld s0, 8(sp)
    addi sp, sp, 16
    ret

# Instructions that are calls. Pages and bytes are unsigned 32-bit numbers in sign-extended registers.
    .macro unsigned reg:vararg
    .irp r, \\reg
    slli \\r, \\r, 32
    srli \\r, \\r, 32
    .endr
    .endm
    .globl pollen.memory.size
pollen.memory.size:
    srli a0, s10, 16
    ret
    .globl pollen.memory.grow
pollen.memory.grow:
    unsigned a0
    srli t0, s10, 16
    add t1, t0, a0
    la t2, pollen.memory.maximum
    ld t2, 0(t2)
    bltu t2, t1, 1f
    slli s10, t1, 16
    mv a0, t0
    ret
1:  li a0, -1
    ret
out_of_bounds:
    li a0, 3
    j pollen.trap
table_out_of_bounds:
    li a0, 4
    j pollen.trap
    .globl pollen.memory.copy
pollen.memory.copy:
    unsigned a0, a1, a2
    add t0, a0, a2
    bltu s10, t0, out_of_bounds
    add t0, a1, a2
    bltu s10, t0, out_of_bounds
    add a0, a0, s11
    add a1, a1, s11
# a0 = to, a1 = from, a2 = bytes; may overlap
move:
    bgeu a1, a0, 2f
    add a0, a0, a2
    add a1, a1, a2
1:  beqz a2, 3f
    addi a0, a0, -1
    addi a1, a1, -1
    lbu t0, 0(a1)
    sb t0, 0(a0)
    addi a2, a2, -1
    j 1b
2:  beqz a2, 3f
    lbu t0, 0(a1)
    sb t0, 0(a0)
    addi a0, a0, 1
    addi a1, a1, 1
    addi a2, a2, -1
    j 2b
3:  ret
    .globl pollen.memory.fill
pollen.memory.fill:
    unsigned a0, a2
    add t0, a0, a2
    bltu s10, t0, out_of_bounds
    add a0, a0, s11
1:  beqz a2, 2f
    sb a1, 0(a0)
    addi a0, a0, 1
    addi a2, a2, -1
    j 1b
2:  ret
# a0 = to, a1 = from, a2 = bytes, a3 = segment {address, length}
    .globl pollen.memory.init
pollen.memory.init:
    unsigned a0, a1, a2
    add t0, a0, a2
    bltu s10, t0, out_of_bounds
    add t0, a1, a2
    ld t1, 8(a3)
    bltu t1, t0, out_of_bounds
    ld t1, 0(a3)
    add a0, a0, s11
    add a1, a1, t1
    j move
    .globl pollen.data.drop
    .globl pollen.elem.drop
pollen.data.drop:
pollen.elem.drop:
    sd zero, 8(a0)
    ret
# A table is {size, capacity, entries of 8 bytes: code, type}.
    .globl pollen.table.size
pollen.table.size:
    ld a0, 0(a0)
    ret
    .globl pollen.table.get
pollen.table.get:
    unsigned a0
    ld t0, 0(a1)
    bgeu a0, t0, table_out_of_bounds
    slli a0, a0, 3
    add a0, a0, a1
    ld a0, 16(a0)
    ret
    .globl pollen.table.set
pollen.table.set:
    unsigned a0
    ld t0, 0(a2)
    bgeu a0, t0, table_out_of_bounds
    slli a0, a0, 3
    add a0, a0, a2
    sd a1, 16(a0)
    ret
# a0 = value, a1 = count, a2 = table
    .globl pollen.table.grow
pollen.table.grow:
    unsigned a1
    ld t0, 0(a2)
    ld t1, 8(a2)
    add t2, t0, a1
    bltu t1, t2, 3f
    sd t2, 0(a2)
    slli t3, t0, 3
    add t3, t3, a2
1:  beqz a1, 2f
    sd a0, 16(t3)
    addi t3, t3, 8
    addi a1, a1, -1
    j 1b
2:  sext.w a0, t0
    ret
3:  li a0, -1
    ret
# a0 = at, a1 = value, a2 = count, a3 = table
    .globl pollen.table.fill
pollen.table.fill:
    unsigned a0, a2
    add t0, a0, a2
    ld t1, 0(a3)
    bltu t1, t0, table_out_of_bounds
    slli a0, a0, 3
    add a0, a0, a3
1:  beqz a2, 2f
    sd a1, 16(a0)
    addi a0, a0, 8
    addi a2, a2, -1
    j 1b
2:  ret
# a0 = to, a1 = from, a2 = count, a3 = table to, a4 = table from
    .globl pollen.table.copy
pollen.table.copy:
    unsigned a0, a1, a2
    add t0, a0, a2
    ld t1, 0(a3)
    bltu t1, t0, table_out_of_bounds
    add t0, a1, a2
    ld t1, 0(a4)
    bltu t1, t0, table_out_of_bounds
    addi a4, a4, 16
table_move:
    slli a0, a0, 3
    slli a1, a1, 3
    slli a2, a2, 3
    add a0, a0, a3
    addi a0, a0, 16
    add a1, a1, a4
    j move
# a0 = to, a1 = from, a2 = count, a3 = segment {address, length}, a4 = table
    .globl pollen.table.init
pollen.table.init:
    unsigned a0, a1, a2
    add t0, a0, a2
    ld t1, 0(a4)
    bltu t1, t0, table_out_of_bounds
    add t0, a1, a2
    ld t1, 8(a3)
    bltu t1, t0, table_out_of_bounds
    mv t2, a4
    ld a4, 0(a3)
    mv a3, t2
    j table_move
# One agent, so nobody waits and nobody is woken.
    .globl pollen.memory.atomic.notify
    .globl pollen.memory.atomic.wait32
    .globl pollen.memory.atomic.wait64
pollen.memory.atomic.notify:
    li a0, 0
    ret
pollen.memory.atomic.wait32:
pollen.memory.atomic.wait64:
    li a0, 2
    ret
# What the specification's tests import; the console carries answers only.
    .globl spectest.print
spectest.print:
    # Zero, or NaN in both float formats.
    li a0, 0
    li t0, 0xffffffff7fc00000
    fmv.d.x fa0, t0
    ret

    .section .rodata
type_names:
    .byte 'i'
    .asciz "i32:"
    .byte 'l'
    .asciz "i64:"
    .byte 'f'
    .asciz "f32:"
    .byte 'd'
    .asciz "f64:"
    .byte 'r'
    .asciz "externref:"
    .byte 'g'
    .asciz "funcref:"
    .byte 0
text_ok: .asciz "ok\\n"
text_null: .asciz "null"
text_hex: .asciz "0x"
text_trap: .asciz "trap: "
text_unknown: .asciz "error: unknown function\\n"
text_malformed: .asciz "error: malformed arguments\\n"
trap_texts:
@TRAPS@
    .section .bss
    .balign 8
target: .space 8
stack_bytes: .space 8
way_back: .space 8
ended: .space 8
    .globl pollen.memory.base
pollen.memory.base: .space 8
    .globl pollen.stack.limit
pollen.stack.limit: .space 8
integers: .space 64
floats: .space 64
stack: .space 8192
line: .space 65536
line_end: .space 16
`

/** The runtime's assembly source for a target. */
export function aotRuntime(target: 'bare' | 'linux-user'): string {
  const traps = trapCodes.map((text) => `    .asciz "${text}"`).join('\n')
  return (target === 'bare' ? bare : linux) + common.replace('@TRAPS@', traps)
}
