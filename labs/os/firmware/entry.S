# The firmware's ways in and out: reset, traps to M-mode, the start of S-mode, and accesses that may fault.
# Stacks: hart h has the 4 KiB that end at __stack_top - h * 4096; mscratch holds that end while S or U runs.

.equ MAX_HARTS, 8
.equ STACK_SHIFT, 12
.equ MPP, 3 << 11
.equ MPP_S, 1 << 11
.equ MPRV, 1 << 17
.equ MXR, 1 << 19

# A trap's frame (trap.ts reads it): the registers that compiled code may change.
.equ FRAME, 256
.equ FRAME_RA, 0
.equ FRAME_SP, 8
.equ FRAME_TP, 16
.equ FRAME_T0, 24
.equ FRAME_A0, 48
.equ FRAME_T3, 112
# Only when an illegal instruction is emulated, which may write any register.
.equ FRAME_GP, 144
.equ FRAME_S0, 152
.equ ILLEGAL, 2

    .section .text.init, "ax"
    .globl _start
# a0 = hart, a1 = device tree, a2 = description of the next stage (or anything)
_start:
    csrw mie, zero
    csrw mip, zero
    csrr s0, mhartid
    li t0, MAX_HARTS
    bgeu s0, t0, park
    mv s1, a1
    mv s2, a2
    mv tp, s0
    la sp, __stack_top
    slli t0, s0, STACK_SHIFT
    sub sp, sp, t0
    csrw mscratch, sp
    la t0, trap_entry
    csrw mtvec, t0
    bnez s0, 3f

    la t0, __bss_start
    la t1, __bss_end
1:  bgeu t0, t1, 2f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 1b
2:  call __initialize
    mv a0, s1
    mv a1, s2
    call prepare
    fence rw, w
    la t0, prepared
    li t1, 1
    sw t1, 0(t0)
    call startFirst

3:  la t0, prepared
4:  lw t1, 0(t0)
    beqz t1, 4b
    fence r, rw
    call waitForStart

# More harts than this firmware serves.
park:
    wfi
    j park

    .text
    .balign 4
trap_entry:
    csrrw sp, mscratch, sp
    addi sp, sp, -FRAME
    sd ra, FRAME_RA(sp)
    sd tp, FRAME_TP(sp)
    sd t0, FRAME_T0(sp)
    sd t1, FRAME_T0+8(sp)
    sd t2, FRAME_T0+16(sp)
    sd a0, FRAME_A0(sp)
    sd a1, FRAME_A0+8(sp)
    sd a2, FRAME_A0+16(sp)
    sd a3, FRAME_A0+24(sp)
    sd a4, FRAME_A0+32(sp)
    sd a5, FRAME_A0+40(sp)
    sd a6, FRAME_A0+48(sp)
    sd a7, FRAME_A0+56(sp)
    sd t3, FRAME_T3(sp)
    sd t4, FRAME_T3+8(sp)
    sd t5, FRAME_T3+16(sp)
    sd t6, FRAME_T3+24(sp)
    addi t0, sp, FRAME
    csrrw t0, mscratch, t0
    sd t0, FRAME_SP(sp)
    csrr tp, mhartid
    sext.w a0, sp
    csrr a1, mcause
    li t0, ILLEGAL
    beq a1, t0, illegal_trap
    call trap
trap_return:
    ld ra, FRAME_RA(sp)
    ld tp, FRAME_TP(sp)
    ld t0, FRAME_T0(sp)
    ld t1, FRAME_T0+8(sp)
    ld t2, FRAME_T0+16(sp)
    ld a0, FRAME_A0(sp)
    ld a1, FRAME_A0+8(sp)
    ld a2, FRAME_A0+16(sp)
    ld a3, FRAME_A0+24(sp)
    ld a4, FRAME_A0+32(sp)
    ld a5, FRAME_A0+40(sp)
    ld a6, FRAME_A0+48(sp)
    ld a7, FRAME_A0+56(sp)
    ld t3, FRAME_T3(sp)
    ld t4, FRAME_T3+8(sp)
    ld t5, FRAME_T3+16(sp)
    ld t6, FRAME_T3+24(sp)
    ld sp, FRAME_SP(sp)
    mret

# Emulation sees, and may change, all registers.
illegal_trap:
    mv t0, sp
    sd gp, FRAME_GP(t0)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd s\n, FRAME_S0+8*\n(t0)
    .endr
    call trap
    ld gp, FRAME_GP(sp)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ld s\n, FRAME_S0+8*\n(sp)
    .endr
    j trap_return

# enterSupervisor(address, a0, a1): starts S-mode with nothing left of the firmware in its registers; does not return.
    .globl enterSupervisor
enterSupervisor:
    csrw mepc, a0
    li t0, MPP
    csrc mstatus, t0
    li t0, MPP_S
    csrs mstatus, t0
    la sp, __stack_top
    slli t0, tp, STACK_SHIFT
    sub sp, sp, t0
    csrw mscratch, sp
    mv a0, a1
    mv a1, a2
    li a2, 0
    li a3, 0
    li a4, 0
    li a5, 0
    li a6, 0
    li a7, 0
    li ra, 0
    li sp, 0
    li gp, 0
    li tp, 0
    li t0, 0
    li t1, 0
    li t2, 0
    li t3, 0
    li t4, 0
    li t5, 0
    li t6, 0
    li s0, 0
    li s1, 0
    li s2, 0
    li s3, 0
    li s4, 0
    li s5, 0
    li s6, 0
    li s7, 0
    li s8, 0
    li s9, 0
    li s10, 0
    li s11, 0
    fence.i
    mret

# enableSupervisorTimer(): menvcfg.STCE where there is Sstc; gives 1 then. The register may not exist: a trap goes on behind it.
    .globl enableSupervisorTimer
enableSupervisorTimer:
    li a0, 0
    csrr t2, mtvec
    la t0, 1f
    csrw mtvec, t0
    li t1, 1
    slli t1, t1, 63
    csrs menvcfg, t1
    csrr t0, menvcfg
    and t0, t0, t1
    snez a0, t0
    .balign 4
1:  csrw mtvec, t2
    ret

# loadAsSupervisor(address, result): the doubleword as S-mode would read it, stored at result. Gives 0, or the cause of the
# fault, with the address of the fault in mtval.
    .globl loadAsSupervisor
loadAsSupervisor:
    csrr t2, mtvec
    csrr t3, mepc
    csrr t4, mstatus
    la t0, 1f
    csrw mtvec, t0
    li t1, MPRV
    csrs mstatus, t1
    ld t0, 0(a0)
    csrw mstatus, t4
    csrw mtvec, t2
    slli a1, a1, 32
    srli a1, a1, 32
    sd t0, 0(a1)
    li a0, 0
    ret
    .balign 4
1:  csrw mstatus, t4
    csrw mepc, t3
    csrw mtvec, t2
    csrr a0, mcause
    ret

# fetchAsSupervisor(address, result): the four bytes of the instruction there, stored at result, as the privilege that trapped would
# read them even where it may only execute. Gives 0, or the cause of the fault, with its address in mtval.
    .globl fetchAsSupervisor
fetchAsSupervisor:
    csrr t2, mtvec
    csrr t3, mepc
    csrr t4, mstatus
    la t0, 1b
    csrw mtvec, t0
    li t1, MPRV | MXR
    csrs mstatus, t1
    lhu t0, 0(a0)
    li t1, 3
    and t5, t0, t1
    bne t5, t1, 2f
    lhu t5, 2(a0)
    slli t5, t5, 16
    or t0, t0, t5
2:  csrw mstatus, t4
    csrw mtvec, t2
    slli a1, a1, 32
    srli a1, a1, 32
    sw t0, 0(a1)
    li a0, 0
    ret

# firmwareEnd(): the first page behind the firmware's memory.
    .globl firmwareEnd
firmwareEnd:
    la a0, __stack_top
    li t0, 4095
    add a0, a0, t0
    not t0, t0
    and a0, a0, t0
    ret

# Fences of addresses and address spaces as S-mode has them.
    .globl fencePage
fencePage:
    sfence.vma a0, zero
    ret
    .globl fencePageOf
fencePageOf:
    sfence.vma a0, a1
    ret
    .globl fenceAllOf
fenceAllOf:
    sfence.vma zero, a0
    ret

# The fence of privileged 1.9.1: sfence.vm.
    .globl fenceVirtualMemory
fenceVirtualMemory:
    .word 0x10400073
    ret

    .data
    .balign 4
# Set when the first hart has made the tables that all use.
prepared: .word 0
