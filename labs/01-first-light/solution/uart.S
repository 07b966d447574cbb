# The serial port: a 16550 at 0x10000000. One register a byte.
        .equ UART, 0x10000000
        .equ THR, 0                     # write: the next character to send
        .equ RBR, 0                     # read: the next character received
        .equ FCR, 2                     # write: FIFO control
        .equ LCR, 3                     # line control
        .equ LSR, 5                     # line status
        .equ LSR_DATA_READY, 0x01       # a character was received
        .equ LSR_THR_EMPTY, 0x20        # with FIFOs on: all sixteen places are free
        .equ LSR_ALL_SENT, 0x40         # nothing waits, and the line is silent
        .equ IER, 1                     # which events interrupt
        .equ IER_RECEIVED, 0x01
        .equ IER_THR_EMPTY, 0x02
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
        li      t1, IER_RECEIVED
        sb      t1, IER(t0)
        ret

# Sends the character in a0.
        .globl  uart_put
uart_put:
        addi    sp, sp, -16
        sd      ra, 0(sp)
        call    enqueue
        call    start_sending
        ld      ra, 0(sp)
        addi    sp, sp, 16
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
        call    enqueue
        addi    s0, s0, 1
        j       1b
2:      call    start_sending
        ld      ra, 0(sp)
        ld      s0, 8(sp)
        addi    sp, sp, 16
        ret

# The port interrupts when its FIFO is empty: at once, if it is so now.
start_sending:
        li      t0, UART
        li      t1, IER_RECEIVED | IER_THR_EMPTY
        sb      t1, IER(t0)
        ret

# Puts the character in a0 into the queue; when that is full, interrupts make room.
enqueue:
        la      t0, queue
        ld      t1, HEAD(t0)
        addi    t2, t1, 1
        andi    t2, t2, QUEUE_SIZE - 1
        ld      t3, TAIL(t0)
        bne     t2, t3, 2f
        li      t4, UART
        li      t5, IER_RECEIVED | IER_THR_EMPTY
        sb      t5, IER(t4)
1:      ld      t3, TAIL(t0)
        beq     t2, t3, 1b
2:      add     t3, t0, t1
        sb      a0, TEXT(t3)
        sd      t2, HEAD(t0)
        ret

# a0: the character received, or -1 when there is none.
        .globl  uart_get
uart_get:
        la      t0, input
        ld      t1, TAIL(t0)
        ld      t2, HEAD(t0)
        li      a0, -1
        beq     t1, t2, 1f
        add     t2, t0, t1
        lbu     a0, TEXT(t2)
        addi    t1, t1, 1
        andi    t1, t1, INPUT_SIZE - 1
        sd      t1, TAIL(t0)
1:      ret

# Returns when the last character has left.
        .globl  uart_flush
uart_flush:
        la      t0, queue
1:      ld      t1, HEAD(t0)
        ld      t2, TAIL(t0)
        bne     t1, t2, 1b
        li      t0, UART
2:      lbu     t1, LSR(t0)
        andi    t1, t1, LSR_ALL_SENT
        beqz    t1, 2b
        ret

# Called by trap_entry when the port interrupts, with interrupts off.
        .globl  uart_interrupt
uart_interrupt:
        li      t0, UART
        la      t1, input
1:      lbu     t2, LSR(t0)
        andi    t3, t2, LSR_DATA_READY
        beqz    t3, 2f
        lbu     t3, RBR(t0)
        ld      t4, HEAD(t1)
        addi    t5, t4, 1
        andi    t5, t5, INPUT_SIZE - 1
        ld      t6, TAIL(t1)
        beq     t5, t6, 1b              # nobody fetched sixty-three: this one is lost
        add     t4, t4, t1
        sb      t3, TEXT(t4)
        sd      t5, HEAD(t1)
        j       1b
2:      andi    t2, t2, LSR_THR_EMPTY
        beqz    t2, 5f
        la      t1, queue
        ld      t2, TAIL(t1)
        ld      t3, HEAD(t1)
        li      t4, FIFO_SIZE
3:      beq     t2, t3, 4f
        add     t5, t1, t2
        lbu     t6, TEXT(t5)
        sb      t6, THR(t0)
        addi    t2, t2, 1
        andi    t2, t2, QUEUE_SIZE - 1
        addi    t4, t4, -1
        bnez    t4, 3b
        sd      t2, TAIL(t1)
        ret
4:      sd      t2, TAIL(t1)
        li      t5, IER_RECEIVED        # nothing left: no more of these until start_sending
        sb      t5, IER(t0)
5:      ret

        .bss
        .balign 8
# Characters on their way out. `head` is the place to fill, `tail` the place to send from; equal means empty.
        .equ QUEUE_SIZE, 1024
        .equ HEAD, 0
        .equ TAIL, 8
        .equ TEXT, 16
queue:  .zero   TEXT + QUEUE_SIZE
# ... and those received that nobody has fetched.
        .equ INPUT_SIZE, 64
input:  .zero   TEXT + INPUT_SIZE
