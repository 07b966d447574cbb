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
    mv a0, s0
    mv a1, s1
    slli a2, s0, 3
    add a2, a2, s1
    addi a2, a2, 8
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

# program_vector_at(): where argc and argv are kept.
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
program_vector: .space 16
first_thread: .space 128
