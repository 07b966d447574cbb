# Owns the first instructions of every hart: the boot page table, the jump to the kernel's addresses, the first stack.
# Entered in S-mode, translation off, a0 = hart, a1 = device tree (boot hart) or stack (others): SBI 1.0, "HSM".
#
#   boot page table (gigapages)      2  PA 0x80000000 at itself, for the switch only
#                                  510  PA 0x80000000 at 0xFFFFFFFF80000000: RAM
#                                  511  PA 0          at 0xFFFFFFFFC0000000: devices

    .set LEAF, 0xef             # D A G X W R V (Privileged 1.12, 4.3.1)

    .section .text.init, "ax"
    .globl _start
_start:
    csrw sie, zero
    csrw satp, zero
    la t0, __bss_start
    la t1, __bss_end
1:  bgeu t0, t1, 2f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 1b
2:  la t0, boot_page_table
    li t1, 0x20000000 | LEAF
    sd t1, 16(t0)
    li t2, 510 * 8
    add t2, t2, t0
    sd t1, 0(t2)
    li t1, LEAF
    sd t1, 8(t2)
    call enter_high_half
    la sp, __stack_top
    mv s0, a0
    mv s1, a1
    mv tp, a0
    call __initialize
    mv a0, s0
    mv a1, s1
    call kernelMain
    j park

    .globl secondary_start
secondary_start:
    csrw sie, zero
    call enter_high_half
    mv sp, a1
    mv tp, a0
    call secondaryMain
park:
    wfi
    j park

# Turns translation on and returns at the kernel's addresses. Needs the boot page table; changes t0, t1.
enter_high_half:
    la t0, boot_page_table
    slli t0, t0, 32
    srli t0, t0, 44
    li t1, 8 << 60
    or t0, t0, t1
    sfence.vma
    csrw satp, t0
    sfence.vma
    la t0, trap_vector
    li t1, -1 << 32
    or t0, t0, t1
    csrw stvec, t0
    csrw sscratch, zero
    or ra, ra, t1
    ret

    .section .bss
    .balign 4096
    .globl boot_page_table
boot_page_table: .space 4096

    .section .text, "ax"
# kernel_symbol(index): addresses that only the linker knows: 0 end of text, 1 start of data, 2 end of everything, 3 secondary_start,
# 4 and 5 the embedded root archive (equal when there is none), 6 and 7 the vDSO's code,
# 8 the boot page table.
    .globl kernel_symbol
kernel_symbol:
    la t0, kernel_symbols
    slli a0, a0, 2
    add t0, t0, a0
    lw a0, 0(t0)
    ret

# patch_trace(): makes nops of all guest trace sites, on hardware that has no such registers (contracts.md, "Trace").
# Text is mapped writable; each site is one 4-byte csrrw.
    .globl patch_trace
patch_trace:
    la t0, __pollen_trace_start
    la t1, __pollen_trace_end
    li t2, 0x13
1:  bgeu t0, t1, 2f
    ld t3, 0(t0)
    sh t2, 0(t3)
    sh zero, 2(t3)
    addi t0, t0, 8
    j 1b
2:  fence.i
    ret

    .weak __root_start
    .weak __root_end
    .section .rodata
    .balign 4
kernel_symbols:
    .word __code_end, __data_start, __heap_start, secondary_start
    .word __root_start, __root_end, vdso_code_start, vdso_code_end
    .word boot_page_table
