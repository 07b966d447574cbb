# First light: the first instructions of a machine, a greeting, then a line every 20 ms.
        .equ TICK, 200000               # 20 ms of the 10 MHz clock that `time` counts
        .equ TICKS, 1000
        .equ LONG_LINE, 16              # one line in sixteen is long
        .equ FINISHER, 0x100000         # writing 0x5555 switches the board off
        .equ REQUEST_BEGIN, 0x80a       # trace registers: they cost no cycle
        .equ REQUEST_END, 0x80b
        .equ SAMPLE, 0x817              # leaves a number for the chart
        .equ REQUEST_ID, 0x840
        .equ MIE, 8                     # bit 3 of mstatus: interrupts are on
        .equ PRINT_LINE, 1              # the class of our requests

        .section .text.init
        .globl  _start
_start:
        csrr    t0, mhartid             # only hart 0 goes on
        bnez    t0, park
        la      sp, __stack_top
        call    uart_init
        call    trap_init
        la      a0, greeting
        call    uart_print

        li      s1, 1                   # number of the line
        rdtime  s2                      # when the next one is due
        rdinstret s3
loop:
        # Step 5: sleep here until somebody calls.
        call    uart_get
        bgez    a0, typed
        rdtime  t0
        bltu    t0, s2, loop
        j       due
typed:
        li      t0, 'q'
        beq     a0, t0, power_off
        call    uart_put                # echo
        j       loop
due:
        rdinstret t0                    # instructions since the last line: what waiting costs
        sub     t1, t0, s3
        mv      s3, t0
        csrw    SAMPLE, t1
        li      t0, TICK
        add     s2, s2, t0

        mv      a0, s1
        call    write_number
        csrw    REQUEST_ID, s1
        # Step 2: begin request PRINT_LINE here ...
        la      a0, line
        andi    t0, s1, LONG_LINE - 1
        bnez    t0, 2f
        la      a0, long_line
2:      call    uart_print
        # ... and end it here.

        addi    s1, s1, 1
        li      t0, TICKS
        bleu    s1, t0, loop
power_off:
        la      a0, farewell
        call    uart_print
        call    uart_flush
        li      t0, FINISHER
        li      t1, 0x5555
        sw      t1, (t0)
park:   wfi
        j       park

# Writes a0 as four digits into both lines.
write_number:
        la      t0, line_number + 4
        la      t3, long_line_number + 4
        li      t1, 10
        li      t4, 4
1:      remu    t2, a0, t1
        divu    a0, a0, t1
        addi    t2, t2, '0'
        addi    t0, t0, -1
        addi    t3, t3, -1
        sb      t2, (t0)
        sb      t2, (t3)
        addi    t4, t4, -1
        bnez    t4, 1b
        ret

        .data
greeting:
        .asciz "Hello from hart 0\n"
line:
        .ascii "line "
line_number:
        .asciz "0000 ok\n"
long_line:
        .ascii "line "
long_line_number:
        .asciz "0000 and this one is longer than the sixteen places of the FIFO\n"
farewell:
        .asciz "\nGood night\n"
