# Bare board to S-mode with RAM at its kernel address, as Pollen OS has it; then every benchmark, with its instructions counted.
    .section .text.start, "ax"
    .globl _start
_start:
    csrr t0, mhartid
    bnez t0, park
    lla t0, page_table
    # Entries 0 and 2: devices and RAM where they are; 510: RAM at -2 GiB.
    li t1, 0xef
    sd t1, 0(t0)
    li t1, 0x200000ef
    sd t1, 16(t0)
    li t2, 510 * 8
    add t2, t2, t0
    sd t1, 0(t2)
    srli t0, t0, 12
    li t1, 8 << 60
    or t0, t0, t1
    csrw satp, t0
    sfence.vma
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 31
    csrw pmpcfg0, t0
    li t0, 7
    csrw mcounteren, t0
    csrw scounteren, t0
    lla t0, park
    andi t0, t0, -4
    csrw mtvec, t0
    li t0, 0x6800
    csrs mstatus, t0
    li t0, 0x1000
    csrc mstatus, t0
    lla t0, high
    li t1, 0xffffffff00000000
    or t0, t0, t1
    csrw mepc, t0
    mret
    .balign 4
park:
    wfi
    j park
high:
    lla sp, bench_stack_top
#ifdef POLLEN
    call __initialize
#endif
    lla s0, benchmarks
1:  ld s1, 0(s0)
    beqz s1, 3f
    jalr s1
    rdinstret s2
    jalr s1
    rdinstret s3
    sub s2, s3, s2
    mv s4, a0
    mv a0, s2
    call number
    mv a0, s4
    call number
    li a0, 10
    call put
    addi s0, s0, 8
    j 1b
3:  li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
2:  j 2b
put:
    li t0, 0x10000000
    sb a0, 0(t0)
    ret
number:
    addi sp, sp, -48
    sd ra, 40(sp)
    sd s0, 32(sp)
    addi s0, sp, 24
    sb zero, 0(s0)
    li t1, 10
    slli a0, a0, 32
    srli a0, a0, 32
1:  remu t0, a0, t1
    divu a0, a0, t1
    addi t0, t0, 48
    addi s0, s0, -1
    sb t0, 0(s0)
    bnez a0, 1b
2:  lbu a0, 0(s0)
    beqz a0, 3f
    call put
    addi s0, s0, 1
    j 2b
3:  li a0, 32
    call put
    ld ra, 40(sp)
    ld s0, 32(sp)
    addi sp, sp, 48
    ret
    .section .rodata
    .balign 8
benchmarks:
    .irp name, calls, hash, sieve, matrix, sort, list, interpreter, indirect, text, floats, bits, queue, pingpong
    .dword bench_\name
    .endr
    .dword 0
    .section .bss
    .balign 4096
page_table: .space 4096
    .space 65536
bench_stack_top:
