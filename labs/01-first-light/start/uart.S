# The serial port: a 16550 at 0x10000000. One register a byte.
        .equ UART, 0x10000000
        .equ THR, 0                     # write: the next character to send
        .equ RBR, 0                     # read: the next character received
        .equ FCR, 2                     # write: FIFO control
        .equ LCR, 3                     # line control
        .equ LSR, 5                     # line status
        .equ LSR_DATA_READY, 0x01       # a character was received
        .equ LSR_THR_EMPTY, 0x20        # there is room for the next character
        .equ LSR_ALL_SENT, 0x40         # nothing waits, and the line is silent
        .equ IER, 1                     # which events interrupt
        .equ IER_RECEIVED, 0x01
        .equ IER_THR_EMPTY, 0x02

        .text

# 115200 baud, 8 bits, no parity, one stop bit. FIFOs are off.
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
        ret

# Sends the character in a0.
        .globl  uart_put
uart_put:
        # Step 1: wait until there is room, then send the character.
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

# Returns when the last character has left.
        .globl  uart_flush
uart_flush:
        li      t0, UART
1:      lbu     t1, LSR(t0)
        andi    t1, t1, LSR_ALL_SENT
        beqz    t1, 1b
        ret

# Called by trap_entry when the port interrupts, with interrupts off.
        .globl  uart_interrupt
uart_interrupt:
        # Step 4: fetch what was received; while the FIFO is empty, give it the next sixteen characters of the queue.
        ret

        .bss
        .balign 8
# Step 4: characters on their way out. `head` is the place to fill, `tail` the place to send from; equal means empty.
        .equ QUEUE_SIZE, 1024
        .equ HEAD, 0
        .equ TAIL, 8
        .equ TEXT, 16
queue:  .zero   TEXT + QUEUE_SIZE
# ... and those received that nobody has fetched.
        .equ INPUT_SIZE, 64
input:  .zero   TEXT + INPUT_SIZE
