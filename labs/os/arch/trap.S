# Owns the way into user mode and back. sscratch is 0 in the kernel, the running thread's frame in user mode.
# The frame's layout is UserFrame in kernel/task/frame.ts:
#   0 pc, 8*n register n (1..31), 256 sstatus, 264 scause, 272 stval, 280 kernel sp, 288 kernel tp, 296 f0..f31, 552 fcsr

    .section .text, "ax"

# enter_user(frame): runs the thread until it traps; gives scause. Interrupts are off before and after.
    .globl enter_user
enter_user:
    addi sp, sp, -112
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
    sd sp, 280(a0)
    sd tp, 288(a0)
    csrw sscratch, a0
    ld t0, 0(a0)
    ld t1, 256(a0)
    csrw sepc, t0
    csrw sstatus, t1
    ld ra, 8(a0)
    ld sp, 16(a0)
    ld gp, 24(a0)
    ld tp, 32(a0)
    ld t0, 40(a0)
    ld t1, 48(a0)
    ld t2, 56(a0)
    ld s0, 64(a0)
    ld s1, 72(a0)
    ld a1, 88(a0)
    ld a2, 96(a0)
    ld a3, 104(a0)
    ld a4, 112(a0)
    ld a5, 120(a0)
    ld a6, 128(a0)
    ld a7, 136(a0)
    ld s2, 144(a0)
    ld s3, 152(a0)
    ld s4, 160(a0)
    ld s5, 168(a0)
    ld s6, 176(a0)
    ld s7, 184(a0)
    ld s8, 192(a0)
    ld s9, 200(a0)
    ld s10, 208(a0)
    ld s11, 216(a0)
    ld t3, 224(a0)
    ld t4, 232(a0)
    ld t5, 240(a0)
    ld t6, 248(a0)
    ld a0, 80(a0)
    sret

    .balign 4
    .globl trap_vector
trap_vector:
    csrrw a0, sscratch, a0
    beqz a0, kernel_trap
    sd ra, 8(a0)
    sd sp, 16(a0)
    sd gp, 24(a0)
    sd tp, 32(a0)
    sd t0, 40(a0)
    sd t1, 48(a0)
    sd t2, 56(a0)
    sd s0, 64(a0)
    sd s1, 72(a0)
    sd a1, 88(a0)
    sd a2, 96(a0)
    sd a3, 104(a0)
    sd a4, 112(a0)
    sd a5, 120(a0)
    sd a6, 128(a0)
    sd a7, 136(a0)
    sd s2, 144(a0)
    sd s3, 152(a0)
    sd s4, 160(a0)
    sd s5, 168(a0)
    sd s6, 176(a0)
    sd s7, 184(a0)
    sd s8, 192(a0)
    sd s9, 200(a0)
    sd s10, 208(a0)
    sd s11, 216(a0)
    sd t3, 224(a0)
    sd t4, 232(a0)
    sd t5, 240(a0)
    sd t6, 248(a0)
    csrrw t0, sscratch, zero
    csrr t1, sepc
    csrr t2, sstatus
    csrr t3, stval
    sd t0, 80(a0)
    sd t1, 0(a0)
    sd t2, 256(a0)
    sd t3, 272(a0)
    ld sp, 280(a0)
    ld tp, 288(a0)
    mv t0, a0
    csrr a0, scause
    sd a0, 264(t0)
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
    addi sp, sp, 112
    ret

# A trap of the kernel itself: in a guarded copy it makes the copy fail; elsewhere it is a panic.
# Copies use a0..a4, t0..t4 only, so t5 and t6 are free there.
kernel_trap:
    csrrw a0, sscratch, a0
    csrr t5, sepc
    la t6, guarded_begin
    bltu t5, t6, 1f
    la t6, guarded_end
    bgeu t5, t6, 1f
    la t5, guarded_failed
    csrw sepc, t5
    sret
1:  csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    mv a3, ra
    mv a4, s0
    call panicTrap
2:  wfi
    j 2b

# load_floats(frame), save_floats(frame): the caller has set sstatus.FS.
    .globl load_floats
load_floats:
    addi a0, a0, 296
    ld t0, 256(a0)
    csrw fcsr, t0
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fld f\n, 8 * \n(a0)
    .endr
    ret
    .globl save_floats
save_floats:
    addi a0, a0, 296
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fsd f\n, 8 * \n(a0)
    .endr
    csrr t0, fcsr
    sd t0, 256(a0)
    ret

# return_address(): where the caller of the caller's caller goes on; trap_entry hands it to panics.
    .globl __trap
__trap:
    mv a1, ra
    mv a2, s0
    tail panicCode
