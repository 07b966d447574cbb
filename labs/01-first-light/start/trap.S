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
        # Step 4: mtvec, the PLIC, mie, and last of all mstatus. Step 5: the timer as well.
        ret

# The timer calls when `time` reaches a0.
        .globl  timer_set
timer_set:
        # Step 5.
        ret

# Whatever was running goes on afterwards and must find its registers as they were.
        .balign 4                       # mtvec keeps its two low bits for itself
trap_entry:
        csrr    t0, mcause
        bgez    t0, trap_stop           # bit 63 is 0: no interrupt but a mistake
        # Step 4: save what uart_interrupt may change, claim, call it, complete, restore. It is a request of class INTERRUPT.
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
