# Owns the first instructions of a program and of its further threads. Everything else of the library is TypeScript or C.
# At the start sp points to argc, the arguments, 0, the environment, 0 (System V ABI, "Process Initialization").
# In user mode tp points to the thread's block (thread.ts), whose first bytes are the state of its executor.

    .set CALL_THREAD_EXIT, 1002

    .section .text.start, "ax"
    .globl _start
_start:
    ld s0, 0(sp)
    addi s1, sp, 8
    andi sp, sp, -16
    la tp, first_thread
    la t0, program_vector
    sd s0, 0(t0)
    sd s1, 8(t0)
    call __initialize
    la t0, first_thread
    sd gp, 8(t0)
# C's vectors have pointers of 32 bits: a copy of both on the stack.
    mv t0, s1
1:  ld t1, 0(t0)
    addi t0, t0, 8
    bnez t1, 1b
2:  ld t1, 0(t0)
    addi t0, t0, 8
    bnez t1, 2b
    sub t2, t0, s1
    srli t2, t2, 1
    sub sp, sp, t2
    andi sp, sp, -16
    mv t3, sp
3:  lw t1, 0(s1)
    sw t1, 0(t3)
    addi s1, s1, 8
    addi t3, t3, 4
    bne s1, t0, 3b
    mv a0, s0
    mv a1, sp
    slli a2, s0, 2
    add a2, a2, sp
    addi a2, a2, 4
    la t0, program_vector
    sd a2, 16(t0)
    call main
    tail __exit

# A thread begins with a0 = its block: 8 its C stack. thread_main(block) is TypeScript's or C's, and gives the thread's result.
thread_start:
    mv tp, a0
    ld gp, 8(a0)
    call thread_main
    li a7, CALL_THREAD_EXIT
    ecall

# thread_entry(): the address that thread_create wants.
    .globl thread_entry
thread_entry:
    la a0, thread_start
    ret

# program_vector_at(): where argc, argv and C's environment are kept, 8 bytes each.
    .globl program_vector_at
program_vector_at:
    la a0, program_vector
    ret

# heap_start(): the first address after everything of the program.
    .globl heap_start
heap_start:
    la a0, __heap_start
    ret

    .weak thread_main
    .section .bss
    .balign 16
program_vector: .space 32
first_thread: .space 384
