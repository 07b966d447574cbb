# Owns the way to the shared functions of the vDSO, whose addresses are fixed (ABI.md, "vDSO"): C calls these by name.

    .section .text, "ax"
    .macro shared name, offset
    .globl \name
\name:
    lui t0, 0x7f000
    jr \offset(t0)
    .endm

    shared vdso_clock, 0
    shared vdso_ring_submit, 8
    shared vdso_ring_take, 16
    shared vdso_ring_wakes, 24
