// Numbers and bits of the CSRs that the firmware uses (Privileged 1.12, chapter 2; Sstc 1.0).

export const SSTATUS: u32 = 0x100
export const STVEC: u32 = 0x105
export const SEPC: u32 = 0x141
export const SCAUSE: u32 = 0x142
export const STVAL: u32 = 0x143
export const STIMECMP: u32 = 0x14d
export const SATP: u32 = 0x180
export const MSTATUS: u32 = 0x300
export const MEDELEG: u32 = 0x302
export const MIDELEG: u32 = 0x303
export const MIE: u32 = 0x304
export const MCOUNTEREN: u32 = 0x306
export const MEPC: u32 = 0x341
export const MTVAL: u32 = 0x343
export const MIP: u32 = 0x344
export const PMPCFG0: u32 = 0x3a0
export const PMPADDR0: u32 = 0x3b0
export const PMPADDR1: u32 = 0x3b1
export const PMPADDR2: u32 = 0x3b2
export const MVENDORID: u32 = 0xf11
export const MARCHID: u32 = 0xf12
export const MIMPID: u32 = 0xf13

export const MSTATUS_SIE: u64 = 1 << 1
export const MSTATUS_SPIE: u64 = 1 << 5
export const MSTATUS_MPIE: u64 = 1 << 7
export const MSTATUS_SPP: u64 = 1 << 8
export const MSTATUS_MPP_SHIFT: u64 = 11
export const MSTATUS_FS_INITIAL: u64 = 1 << 13
export const MSTATUS_MPRV: u64 = 1 << 17

export const SUPERVISOR_SOFTWARE: u64 = 1 << 1
export const SUPERVISOR_TIMER: u64 = 1 << 5
export const MACHINE_SOFTWARE: u64 = 1 << 3
export const MACHINE_TIMER: u64 = 1 << 7

export const CAUSE_INTERRUPT: u64 = 1 << 63
export const CAUSE_MACHINE_SOFTWARE: u64 = CAUSE_INTERRUPT | 3
export const CAUSE_MACHINE_TIMER: u64 = CAUSE_INTERRUPT | 7
export const CAUSE_SUPERVISOR_CALL: u64 = 9
