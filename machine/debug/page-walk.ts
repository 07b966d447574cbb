/** A page-table walk as data (Privileged 1.12, 4.3 and 4.4). It reads memory and changes nothing, not even A and D bits. */
import type { Machine } from '../board/machine.ts'
import * as L from '../hart/layout.ts'

export interface PageFlags {
  readonly valid: boolean
  readonly read: boolean
  readonly write: boolean
  readonly execute: boolean
  readonly user: boolean
  readonly global: boolean
  readonly accessed: boolean
  readonly dirty: boolean
}

export interface PageWalkLevel {
  /** The root's is 2 under Sv39, 3 under Sv48; 0 is that of 4 KiB pages. */
  readonly level: number
  /** Physical address of the table. */
  readonly table: bigint
  readonly index: number
  /** The entry as it is in memory; undefined when the table is not in RAM. */
  readonly entry: bigint | undefined
  readonly flags: PageFlags | undefined
}

export interface PageWalk {
  readonly mode: 'bare' | 'sv39' | 'sv48'
  /** From the root down. Empty where nothing is translated. */
  readonly levels: readonly PageWalkLevel[]
  /** Undefined when the walk ends without a page. */
  readonly physical: bigint | undefined
  /** Bytes of the page found. */
  readonly pageSize: number | undefined
  /** Why there is no page. */
  readonly problem: string | undefined
}

const MACHINE = 3
const PPN = 0x003f_ffff_ffff_fc00n
const RESERVED = 0xffc0_0000_0000_0000n

export function walkPageTable(machine: Machine, hart: number, address: bigint): PageWalk {
  const { core } = machine
  const mode = translationMode(machine, hart)
  if (mode === 'bare') return { mode, levels: [], physical: address, pageSize: undefined, problem: undefined }

  const count = mode === 'sv39' ? 3 : 4
  const levels: PageWalkLevel[] = []
  const fail = (problem: string): PageWalk => ({ mode, levels, physical: undefined, pageSize: undefined, problem })
  const bits = 12 + 9 * count
  if (BigInt.asUintN(64, BigInt.asIntN(bits, address)) !== address) return fail(`the address is not a sign-extended one of ${bits} bits`)

  let table = (core.hart64(hart, L.H_SATP) & 0xfff_ffff_ffffn) << 12n
  for (let level = count - 1; level >= 0; level--) {
    const shift = BigInt(12 + 9 * level)
    const index = Number((address >> shift) & 511n)
    const at = table < 2n ** 52n ? machine.ramAt(Number(table) + index * 8, 8) : -1
    const entry = at < 0 ? undefined : core.view.getBigUint64(at, true)
    levels.push({ level, table, index, entry, flags: entry === undefined ? undefined : flagsOf(entry) })
    if (entry === undefined) return fail('the table is not in RAM')
    const flags = flagsOf(entry)
    if (!flags.valid) return fail('the entry is not valid')
    if ((entry & RESERVED) !== 0n) return fail('the entry has reserved bits set')
    if (flags.write && !flags.read) return fail('the entry has the reserved combination of write without read')
    const target = (entry & PPN) << 2n
    if (flags.read || flags.execute) {
      const offset = (1n << shift) - 1n
      if ((target & offset) !== 0n) return fail('the superpage is not aligned')
      return { mode, levels, physical: target | (address & offset), pageSize: 2 ** Number(shift), problem: undefined }
    }
    table = target
  }
  return fail('the last level points to yet another table')
}

/** How the hart translates at its current privilege; MPRV is left out, since it is M's view of someone else. */
function translationMode(machine: Machine, hart: number): 'bare' | 'sv39' | 'sv48' {
  const { core } = machine
  if (core.hart32(hart, L.H_PRIVILEGE) === MACHINE) return 'bare'
  if (machine.options.privileged === 9) return (core.hart64(hart, L.H_MSTATUS) >> 24n) % 32n === 9n ? 'sv39' : 'bare'
  const mode = core.hart64(hart, L.H_SATP) >> 60n
  return mode === 8n ? 'sv39' : mode === 9n ? 'sv48' : 'bare'
}

function flagsOf(entry: bigint): PageFlags {
  const bit = (index: number) => ((entry >> BigInt(index)) & 1n) !== 0n
  return {
    ...{ valid: bit(0), read: bit(1), write: bit(2), execute: bit(3) },
    ...{ user: bit(4), global: bit(5), accessed: bit(6), dirty: bit(7) },
  }
}
