/** What the board's thread says, as the contract puts it: hexadecimal text for numbers that JSON cannot hold. */
import type { RegisterValues } from '../../machine/board/session.ts'
import type { InterruptView } from '../../machine/board/interrupt-view.ts'
import type { PageFlags, PageWalk } from '../../machine/debug/page-walk.ts'
import type { RegisterFile, Response } from '../protocol/index.ts'

export function toHex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`
}

const hexOrNull = (value: bigint | undefined) => (value === undefined ? null : toHex(value))

/** Bits 53 to 10 of an entry are the number of the page or table it points to (Privileged 1.12, 4.4.1). */
const PAGE_NUMBER = 0xfff_ffff_ffffn

export function shownWalk({ mode, levels, physical, pageSize, problem }: PageWalk): Response<'board.walk'> {
  return {
    mode,
    levels: levels.map(({ level, table, index, entry, flags }) => ({
      ...{ level, index, table: toHex(table), entry: hexOrNull(entry), flags: flags ? flagLetters(flags) : '' },
      target: entry === undefined || !flags?.valid ? null : toHex(((entry >> 10n) & PAGE_NUMBER) << 12n),
    })),
    physical: hexOrNull(physical),
    pageSize: pageSize ?? null,
    problem: problem ?? null,
  }
}

/** In the order of the bits from the highest: D A G U X W R V, a dash for one that is off. */
function flagLetters({ dirty, accessed, global, user, execute, write, read, valid }: PageFlags): string {
  const bits = [dirty, accessed, global, user, execute, write, read, valid]
  return bits.map((on, index) => (on ? 'DAGUXWRV'[index] : '-')).join('')
}

export function shownInterrupts({ sources, contexts, time, harts }: InterruptView): Response<'board.interrupts'> {
  return {
    sources: sources.map((source) => ({ ...source, enabled: source.enabled.map((index) => contexts[index].name) })),
    contexts: [...contexts],
    time: toHex(time),
    harts: harts.map(({ software, timerCompare }) => ({ software, timerCompare: toHex(timerCompare) })),
  }
}

export function registerFile(hart: number, values: RegisterValues): RegisterFile {
  const rows = (list: readonly (readonly [string, bigint])[]) => list.map(([name, value]) => ({ name, value: toHex(value) }))
  return {
    hart,
    pc: toHex(values.pc),
    privilege: values.privilege,
    integer: rows(values.integer),
    float: rows(values.float),
    csrs: rows(values.csrs),
  }
}
