# Starts in M-mode at RAM's base, maps memory one to one with Sv39 gigapages, and calls main in S-mode with paging on.
# main's result ends the run through the test finisher: 0 passes.
.section .text.start
.globl _start
_start:
    csrr t0, mhartid
    bnez t0, park
    la sp, stack_top
    # Everything is allowed by PMP entry 0.
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    # Gigapages 0 (devices) and 2, 3 (RAM): V R W X A D.
    la t0, root
    li t1, (0 << 28) | 0xcf
    sd t1, 0(t0)
    li t1, (2 << 28) | 0xcf
    sd t1, 16(t0)
    li t1, (3 << 28) | 0xcf
    sd t1, 24(t0)
    # 4 KiB pages for the window at 1 GiB: 64 MiB of it, on the RAM behind the program.
    la t1, middle
    srli t2, t1, 12
    slli t2, t2, 10
    ori t2, t2, 1
    sd t2, 8(t0)
    la t3, leaves
    li t4, 32
1:  srli t2, t3, 12
    slli t2, t2, 10
    ori t2, t2, 1
    sd t2, 0(t1)
    addi t1, t1, 8
    li t5, 4096
    add t3, t3, t5
    addi t4, t4, -1
    bnez t4, 1b
    la t1, leaves
    li t2, (0x81000000 >> 12 << 10) | 0xcf
    li t4, 32 * 512
    li t5, 1 << 10
1:  sd t2, 0(t1)
    add t2, t2, t5
    addi t1, t1, 8
    addi t4, t4, -1
    bnez t4, 1b
    srli t0, t0, 12
    li t1, 8 << 60
    or t0, t0, t1
    csrw satp, t0
    sfence.vma
    # To S-mode, float unit on.
    li t0, (1 << 11) | (1 << 13)
    csrw mstatus, t0
    la t0, run
    csrw mepc, t0
    mret
run:
    call main
    li t0, 0x100000
    bnez a0, 1f
    li t1, 0x5555
    sw t1, 0(t0)
    j park
1:  slli a0, a0, 16
    li t1, 0x3333
    or t1, t1, a0
    sw t1, 0(t0)
park:
    wfi
    j park

.bss
.balign 4096
root: .skip 4096
middle: .skip 4096
leaves: .skip 32 * 4096
.balign 16
.skip 65536
stack_top:
