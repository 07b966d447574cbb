/**
 * The one table of control and status registers. Bits 9:8 of a number are the lowest privilege that may access it,
 * bits 11:10 = 3 make it read-only (Privileged 1.12, 2.1).
 */
import { GUEST_KIND_COUNT, GUEST_TRACE_CSR, REQUEST_ID_CSR } from './trace-kinds.ts'

export type CsrExtension = 'I' | 'F' | 'Zicntr' | 'Zihpm' | 'S' | 'Sstc' | 'N' | 'Uintc' | 'Debug' | 'Pollen' | 'Priv1.9'

export interface Csr {
  readonly name: string
  readonly number: number
  readonly extension: CsrExtension
}

const table: Csr[] = []

function add(extension: CsrExtension, list: Record<string, number>): void {
  for (const [name, number] of Object.entries(list)) table.push({ name, number, extension })
}

/** `mhpmcounter3..31` and the like. */
function series(extension: CsrExtension, prefix: string, first: number, last: number, base: number, suffix = '', step = 1): void {
  for (let i = first; i <= last; i += step) table.push({ name: `${prefix}${i}${suffix}`, number: base + i, extension })
}

add('F', { fflags: 0x001, frm: 0x002, fcsr: 0x003 })
add('Zicntr', { cycle: 0xc00, time: 0xc01, instret: 0xc02 })
series('Zihpm', 'hpmcounter', 3, 31, 0xc00)

add('S', {
  sstatus: 0x100,
  sie: 0x104,
  stvec: 0x105,
  scounteren: 0x106,
  senvcfg: 0x10a,
  sscratch: 0x140,
  sepc: 0x141,
  scause: 0x142,
  stval: 0x143,
  sip: 0x144,
  satp: 0x180,
})
add('Sstc', { stimecmp: 0x14d })

add('I', {
  mvendorid: 0xf11,
  marchid: 0xf12,
  mimpid: 0xf13,
  mhartid: 0xf14,
  mconfigptr: 0xf15,
  mstatus: 0x300,
  misa: 0x301,
  medeleg: 0x302,
  mideleg: 0x303,
  mie: 0x304,
  mtvec: 0x305,
  mcounteren: 0x306,
  menvcfg: 0x30a,
  mcountinhibit: 0x320,
  mscratch: 0x340,
  mepc: 0x341,
  mcause: 0x342,
  mtval: 0x343,
  mip: 0x344,
  mcycle: 0xb00,
  minstret: 0xb02,
})
series('Zihpm', 'mhpmevent', 3, 31, 0x320)
series('Zihpm', 'mhpmcounter', 3, 31, 0xb00)
series('I', 'pmpcfg', 0, 2, 0x3a0, '', 2)
series('I', 'pmpaddr', 0, 15, 0x3b0)

add('Debug', { tselect: 0x7a0, tdata1: 0x7a1, tdata2: 0x7a2, tdata3: 0x7a3, tinfo: 0x7a4 })

// User interrupts: machine/hart/user-interrupts.md.
add('N', {
  ustatus: 0x000,
  uie: 0x004,
  utvec: 0x005,
  uscratch: 0x040,
  uepc: 0x041,
  ucause: 0x042,
  utval: 0x043,
  uip: 0x044,
  utimecmp: 0x04d,
  sedeleg: 0x102,
  sideleg: 0x103,
})
add('Uintc', { suist: 0x1b0, suirs: 0x1b1, suicfg: 0x1b2 })

// Privileged 1.9.1 (K210): two registers that later versions renamed or reused.
add('Priv1.9', { mucounteren: 0x320, mscounteren: 0x321 })

// Trace events and the request id; free of cost on the board, absent on hardware.
series('Pollen', 'pollen.trace', 0, GUEST_KIND_COUNT - 1, GUEST_TRACE_CSR)
add('Pollen', { 'pollen.request': REQUEST_ID_CSR })

export const csrs: readonly Csr[] = table

const byName = new Map(table.map((row) => [row.name, row]))
const byNumber = new Map<number, Csr>()
for (const row of table) if (!byNumber.has(row.number)) byNumber.set(row.number, row)
// GNU's older names, still common in assembly sources.
for (const [alias, name] of [
  ['sbadaddr', 'stval'],
  ['mbadaddr', 'mtval'],
  ['ubadaddr', 'utval'],
  ['sptbr', 'satp'],
] as const) {
  byName.set(alias, byName.get(name)!)
}

export function findCsr(name: string): Csr | undefined {
  return byName.get(name)
}

/** The name of a CSR number under the current privileged specification, or undefined. */
export function csrName(number: number): string | undefined {
  return byNumber.get(number)?.name
}
