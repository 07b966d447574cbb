# The serial port: a 16550 at 0x10000000. One register a byte.
        .equ UART, 0x10000000
        .equ THR, 0                     # write: the next character to send
        .equ RBR, 0                     # read: the next character received
        .equ FCR, 2                     # write: FIFO control
        .equ LCR, 3                     # line control
        .equ LSR, 5                     # line status
        .equ LSR_DATA_READY, 0x01       # a character was received
        .equ LSR_THR_EMPTY, 0x20        # there is room for the next character
        .equ FIFO_SIZE, 16

        .text

# 115200 baud, 8 bits, no parity, one stop bit. FIFOs are on: sixteen characters may wait.
        .globl  uart_init
uart_init:
        li      t0, UART
        li      t1, 0x80                # the divisor shows at offsets 0 and 1
        sb      t1, LCR(t0)
        li      t1, 2                   # 3686400 Hz / 16 / 2 = 115200
        sb      t1, 0(t0)
        sb      zero, 1(t0)
        li      t1, 0x03
        sb      t1, LCR(t0)
        li      t1, 0x07                # FIFOs on, and empty
        sb      t1, FCR(t0)
        la      t0, room
        sw      zero, (t0)
        ret

# Sends the character in a0.
        .globl  uart_put
uart_put:
        li      t0, UART
        la      t2, room                # places known to be free in the FIFO
        lw      t3, (t2)
1:      lbu     t1, LSR(t0)
        andi    t1, t1, LSR_THR_EMPTY   # with FIFOs on: all sixteen places are free
        beqz    t1, 2f
        li      t3, FIFO_SIZE
2:      beqz    t3, 1b
        addi    t3, t3, -1
        sw      t3, (t2)
        sb      a0, THR(t0)
        ret

# Sends the text at a0, which ends with a zero byte.
        .globl  uart_print
uart_print:
        addi    sp, sp, -16
        sd      ra, 0(sp)
        sd      s0, 8(sp)
        mv      s0, a0
1:      lbu     a0, (s0)
        beqz    a0, 2f
        call    uart_put
        addi    s0, s0, 1
        j       1b
2:      ld      ra, 0(sp)
        ld      s0, 8(sp)
        addi    sp, sp, 16
        ret

# a0: the character received, or -1 when there is none.
        .globl  uart_get
uart_get:
        li      t0, UART
        lbu     t1, LSR(t0)
        andi    t1, t1, LSR_DATA_READY
        li      a0, -1
        beqz    t1, 1f
        lbu     a0, RBR(t0)
1:      ret

        .bss
        .balign 4
room:   .zero   4
