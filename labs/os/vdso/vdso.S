# Owns the code that every process shares: mapped read-only and executable at 0x7F000000 (ABI.md, "vDSO"), position-independent.
    .section .rodata.vdso, "a"
    .balign 4096
    .globl vdso_code_start
vdso_code_start:
    ret
    .balign 4096
    .globl vdso_code_end
vdso_code_end:
