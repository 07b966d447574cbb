# Interrupts: who calls, and where the hart goes then.
        .equ PLIC_PRIORITY, 0x0c000000  # four bytes a source
        .equ PLIC_ENABLE, 0x0c002000    # of hart 0 in machine mode: one bit a source
        .equ PLIC_THRESHOLD, 0x0c200000 # sources of a higher priority than this may call
        .equ PLIC_CLAIM, 0x0c200004     # read: who calls; write it back: done with it
        .equ UART_SOURCE, 10
        .equ MTIMECMP, 0x02004000       # the timer calls while `time` is not below this
        .equ TIMER, 7                   # bits in mie, and causes in mcause
        .equ EXTERNAL, 11
        .equ MIE, 8                     # bit 3 of mstatus: interrupts are on
        .equ REQUEST_BEGIN, 0x80a
        .equ REQUEST_END, 0x80b
        .equ REQUEST_ID, 0x840
        .equ INTERRUPT, 2               # the class of these requests

        .text

# Lets the serial port and the timer interrupt this hart.
        .globl  trap_init
trap_init:
        la      t0, trap_entry
        csrw    mtvec, t0
        li      t0, PLIC_PRIORITY + 4 * UART_SOURCE
        li      t1, 1
        sw      t1, (t0)
        li      t0, PLIC_ENABLE
        li      t1, 1 << UART_SOURCE
        sw      t1, (t0)
        li      t0, PLIC_THRESHOLD
        sw      zero, (t0)
        li      t0, MTIMECMP
        li      t1, -1                  # not yet
        sd      t1, (t0)
        li      t0, 1 << EXTERNAL | 1 << TIMER
        csrs    mie, t0
        csrsi   mstatus, MIE
        ret

# The timer calls when `time` reaches a0.
        .globl  timer_set
timer_set:
        li      t0, MTIMECMP
        sd      a0, (t0)
        ret

# Whatever was running goes on afterwards and must find its registers as they were.
        .balign 4                       # mtvec keeps its two low bits for itself
trap_entry:
        addi    sp, sp, -144
        sd      ra, 0(sp)
        sd      t0, 8(sp)
        sd      t1, 16(sp)
        sd      t2, 24(sp)
        sd      t3, 32(sp)
        sd      t4, 40(sp)
        sd      t5, 48(sp)
        sd      t6, 56(sp)
        sd      a0, 64(sp)
        sd      a1, 72(sp)
        sd      a2, 80(sp)
        sd      a3, 88(sp)
        sd      a4, 96(sp)
        sd      a5, 104(sp)
        sd      a6, 112(sp)
        sd      a7, 120(sp)
        csrr    t0, mcause
        bgez    t0, trap_stop           # bit 63 is 0: no interrupt but a mistake
        csrr    t0, REQUEST_ID          # it belongs to whoever was interrupted
        sd      t0, 128(sp)
        la      t1, interrupts
        lw      t0, (t1)
        addi    t0, t0, 1
        sw      t0, (t1)
        csrw    REQUEST_ID, t0
        csrwi   REQUEST_BEGIN, INTERRUPT
        csrr    t0, mcause
        andi    t0, t0, 63
        li      t1, EXTERNAL
        bne     t0, t1, 1f
        li      t0, PLIC_CLAIM
        lw      t1, (t0)
        beqz    t1, 2f                  # nobody, after all
        sd      t1, 136(sp)
        call    uart_interrupt
        ld      t1, 136(sp)
        li      t0, PLIC_CLAIM
        sw      t1, (t0)
        j       2f
1:      li      t0, MTIMECMP            # the timer: quiet until it is set again
        li      t1, -1
        sd      t1, (t0)
2:      csrw    REQUEST_END, zero
        ld      t0, 128(sp)
        csrw    REQUEST_ID, t0
        ld      ra, 0(sp)
        ld      t0, 8(sp)
        ld      t1, 16(sp)
        ld      t2, 24(sp)
        ld      t3, 32(sp)
        ld      t4, 40(sp)
        ld      t5, 48(sp)
        ld      t6, 56(sp)
        ld      a0, 64(sp)
        ld      a1, 72(sp)
        ld      a2, 80(sp)
        ld      a3, 88(sp)
        ld      a4, 96(sp)
        ld      a5, 104(sp)
        ld      a6, 112(sp)
        ld      a7, 120(sp)
        addi    sp, sp, 144
        mret

# An exception: the port still works by polling, so say so and switch off with status 1.
trap_stop:
        li      t0, 0x10000000
        li      t1, '!'
        sb      t1, (t0)
        li      t0, 0x100000
        li      t1, 0x13333
        sw      t1, (t0)
1:      j       1b

        .data
        .balign 4
interrupts:
        .word   0x10000                 # so that no line has the number of an interrupt
