// Owns the numbers and bits of the control and status registers that the kernel uses (Privileged 1.12).

export namespace Csr {
  export const sstatus: u32 = 0x100
  export const sie: u32 = 0x104
  export const scounteren: u32 = 0x106
  export const stval: u32 = 0x143
  export const sip: u32 = 0x144
  export const stimecmp: u32 = 0x14d
  export const satp: u32 = 0x180
  /** The request on whose behalf the hart runs, for traces (contracts.md, "Trace"); only on boards with pollen,trace. */
  export const requestId: u32 = 0x840
}

export namespace Interrupt {
  export const software: u64 = 1 << 1
  export const timer: u64 = 1 << 5
  export const external: u64 = 1 << 9
}

export namespace Cause {
  export const interrupt: u64 = 1 << 63
  export const illegal: u64 = 2
  export const breakpoint: u64 = 3
  export const userCall: u64 = 8
  export const instructionPage: u64 = 12
  export const loadPage: u64 = 13
  export const storePage: u64 = 15
}

export namespace Status {
  /** Previous interrupt enable. */
  export const spie: u64 = 1 << 5
  export const sum: u64 = 1 << 18
  export const floatMask: u64 = 3 << 13
  export const floatInitial: u64 = 1 << 13
  export const floatClean: u64 = 2 << 13
  export const floatDirty: u64 = 3 << 13
}
