# Owns block moves, and the guarded ones between kernel and user memory (kernel/mm/user.ts is their caller).
# A fault between guarded_begin and guarded_end ends at guarded_failed (arch/trap.S). Registers: a0..a4, t0..t4.

    .section .text, "ax"
    .set SUM, 1 << 18

# user_copy(to, from, bytes): 0, or stval's page fault told by 1. Either side may be user memory.
    .globl user_copy
user_copy:
    li t4, SUM
    csrs sstatus, t4
guarded_begin:
    add a3, a0, a2
    or t0, a0, a1
    andi t0, t0, 7
    bnez t0, 3f
    addi a4, a3, -127
1:  bgeu a0, a4, 2f
    ld t0, 0(a1)
    ld t1, 8(a1)
    ld t2, 16(a1)
    ld t3, 24(a1)
    sd t0, 0(a0)
    sd t1, 8(a0)
    sd t2, 16(a0)
    sd t3, 24(a0)
    ld t0, 32(a1)
    ld t1, 40(a1)
    ld t2, 48(a1)
    ld t3, 56(a1)
    sd t0, 32(a0)
    sd t1, 40(a0)
    sd t2, 48(a0)
    sd t3, 56(a0)
    ld t0, 64(a1)
    ld t1, 72(a1)
    ld t2, 80(a1)
    ld t3, 88(a1)
    sd t0, 64(a0)
    sd t1, 72(a0)
    sd t2, 80(a0)
    sd t3, 88(a0)
    ld t0, 96(a1)
    ld t1, 104(a1)
    ld t2, 112(a1)
    ld t3, 120(a1)
    sd t0, 96(a0)
    sd t1, 104(a0)
    sd t2, 112(a0)
    sd t3, 120(a0)
    addi a0, a0, 128
    addi a1, a1, 128
    j 1b
2:  addi a4, a3, -7
4:  bgeu a0, a4, 3f
    ld t0, 0(a1)
    sd t0, 0(a0)
    addi a0, a0, 8
    addi a1, a1, 8
    j 4b
3:  bgeu a0, a3, 5f
    lbu t0, 0(a1)
    sb t0, 0(a0)
    addi a0, a0, 1
    addi a1, a1, 1
    j 3b
5:
guarded_end:
    csrc sstatus, t4
    li a0, 0
    ret
guarded_failed:
    csrc sstatus, t4
    li a0, 1
    ret
    .globl guarded_begin
    .globl guarded_end
    .globl guarded_failed

# memory.fill(at, byte, bytes)
    .globl pollen.memory.fill
pollen.memory.fill:
    slli a2, a2, 32
    srli a2, a2, 32
    add a3, a0, a2
    andi a1, a1, 255
    slli t0, a1, 8
    or a1, a1, t0
    slli t0, a1, 16
    or a1, a1, t0
    slli t0, a1, 32
    or a1, a1, t0
    andi t0, a0, 7
    bnez t0, 3f
    addi a4, a3, -63
1:  bgeu a0, a4, 2f
    sd a1, 0(a0)
    sd a1, 8(a0)
    sd a1, 16(a0)
    sd a1, 24(a0)
    sd a1, 32(a0)
    sd a1, 40(a0)
    sd a1, 48(a0)
    sd a1, 56(a0)
    addi a0, a0, 64
    j 1b
2:  addi a4, a3, -7
4:  bgeu a0, a4, 3f
    sd a1, 0(a0)
    addi a0, a0, 8
    j 4b
3:  bgeu a0, a3, 5f
    sb a1, 0(a0)
    addi a0, a0, 1
    j 3b
5:  ret
