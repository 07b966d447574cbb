# Owns the code that every process shares: one page, mapped read-only and executable at 0x7F000000 (ABI.md, "vDSO"). The kernel copies it, so
# it reaches nothing outside but the data page at 0x7F001000. Functions of the C calling convention; entries are 8 bytes apart.

    .set DATA_PAGE, 0x7f001
    .set TIME_REALTIME, 16
    .set TIME_SCALE, 24
    .set SUBMISSION_ENTRIES, 8
    .set COMPLETION_ENTRIES, 12
    .set SUBMISSION_OFFSET, 16
    .set COMPLETION_OFFSET, 20
    .set SUBMISSION_HEAD, 64
    .set SUBMISSION_TAIL, 128
    .set COMPLETION_HEAD, 192
    .set COMPLETION_TAIL, 256
    .set FLAGS, 320

    .section .rodata.vdso, "a"
    .balign 4096
    .globl vdso_code_start
vdso_code_start:
    .option push
    .option norvc
    j clock
    nop
    j ring_submit
    nop
    j ring_take
    nop
    j ring_wakes
    nop
    .option pop

# u64 clock(id): nanoseconds, since 1970 for 0 (CLOCK_REALTIME), since the machine started for any other id.
clock:
    lui t0, DATA_PAGE
    ld t1, TIME_SCALE(t0)
    rdtime t2
    mulhu t3, t1, t2
    mul t1, t1, t2
    slli t3, t3, 32
    srli t1, t1, 32
    bnez a0, 1f
    ld t2, TIME_REALTIME(t0)
    add t3, t3, t2
1:  add a0, t3, t1
    ret

# i64 ring_submit(ring, entry): copies an entry of 64 bytes into the submission queue and shows it: 0, or -11 (EAGAIN) when the queue is full.
ring_submit:
    lw t0, SUBMISSION_TAIL(a0)
    lw t1, SUBMISSION_HEAD(a0)
    lw t2, SUBMISSION_ENTRIES(a0)
    subw t1, t0, t1
    bgeu t1, t2, 2f
    addi t2, t2, -1
    and t2, t2, t0
    slli t2, t2, 6
    lwu t1, SUBMISSION_OFFSET(a0)
    add t2, t2, t1
    add t2, t2, a0
    .irp at, 0, 16, 32, 48
    ld t3, \at(a1)
    ld t4, \at + 8(a1)
    sd t3, \at(t2)
    sd t4, \at + 8(t2)
    .endr
    addiw t0, t0, 1
    fence rw, w
    sw t0, SUBMISSION_TAIL(a0)
    li a0, 0
    ret
2:  li a0, -11
    ret

# i64 ring_take(ring, completion): takes one completion of 16 bytes out: 1, or 0 when there is none.
ring_take:
    lw t0, COMPLETION_HEAD(a0)
    lw t1, COMPLETION_TAIL(a0)
    beq t0, t1, 3f
    fence r, r
    lw t2, COMPLETION_ENTRIES(a0)
    addi t2, t2, -1
    and t2, t2, t0
    slli t2, t2, 4
    lwu t1, COMPLETION_OFFSET(a0)
    add t2, t2, t1
    add t2, t2, a0
    ld t3, 0(t2)
    ld t4, 8(t2)
    sd t3, 0(a1)
    sd t4, 8(a1)
    addiw t0, t0, 1
    fence r, w
    sw t0, COMPLETION_HEAD(a0)
    li a0, 1
    ret
3:  li a0, 0
    ret

# u64 ring_wakes(ring): whether the server sleeps, so that ring_enter must follow what has been submitted.
ring_wakes:
    fence w, r
    lw a0, FLAGS(a0)
    andi a0, a0, 1
    ret

    .balign 4096
    .globl vdso_code_end
vdso_code_end:
