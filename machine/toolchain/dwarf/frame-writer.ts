/** `.debug_frame`: how to find the callers' registers (DWARF 5, 6.4). */
import type { DebugFrame, DebugFrameRow } from '../object.ts'
import { ByteWriter } from './byte-writer.ts'
import { CFA } from './constants.ts'

const ra = 1
const sp = 2
const dataAlignment = -8
const addressSize = 8

/** Writes the one common entry that all ranges share; returns its offset. */
export function writeCommonEntry(out: ByteWriter): number {
  const at = out.length
  writeEntry(out, () => {
    out.u32(0xffff_ffff)
    // Version 4: the first with an address size; debuggers of any age read it.
    out.u8(4)
    out.u8(0)
    out.u8(addressSize)
    out.u8(0)
    out.uleb(1)
    out.sleb(dataAlignment)
    out.uleb(ra)
    out.u8(CFA.defCfa)
    out.uleb(sp)
    out.uleb(0)
  })
  return at
}

/** Pads what `body` writes with nops to a multiple of the address size. */
function writeEntry(out: ByteWriter, body: () => void): void {
  out.sized(() => {
    const start = out.length
    body()
    while ((out.length - start + 4) % addressSize !== 0) out.u8(CFA.nop)
  })
}

/** Writes the rows of one range of code that starts at `address`. */
export function writeFrame(out: ByteWriter, frame: DebugFrame, address: bigint, commonEntry: number): void {
  writeEntry(out, () => {
    out.u32(commonEntry)
    out.u64(address)
    out.u64(BigInt(frame.size))
    let before: DebugFrameRow = { offset: 0, cfa: { register: sp, offset: 0 }, saved: [] }
    for (const row of frame.rows) {
      advance(out, row.offset - before.offset)
      writeRow(out, before, row)
      before = row
    }
  })
}

function advance(out: ByteWriter, delta: number): void {
  if (delta === 0) return
  if (delta < 0x40) out.u8(CFA.advanceLoc | delta)
  else if (delta < 0x100) {
    out.u8(CFA.advanceLoc1)
    out.u8(delta)
  } else {
    out.u8(CFA.advanceLoc4)
    out.u32(delta)
  }
}

function writeRow(out: ByteWriter, before: DebugFrameRow, row: DebugFrameRow): void {
  if (row.cfa.register !== before.cfa.register) {
    out.u8(CFA.defCfa)
    out.uleb(row.cfa.register)
    out.uleb(row.cfa.offset)
  } else if (row.cfa.offset !== before.cfa.offset) {
    out.u8(CFA.defCfaOffset)
    out.uleb(row.cfa.offset)
  }
  const old = new Map(before.saved.map(({ register, offset }) => [register, offset]))
  for (const { register, offset } of row.saved) {
    if (old.get(register) === offset) {
      old.delete(register)
      continue
    }
    old.delete(register)
    out.u8(CFA.offsetExtendedSf)
    out.uleb(register)
    out.sleb(offset / dataAlignment)
  }
  for (const register of old.keys()) {
    out.u8(CFA.restoreExtended)
    out.uleb(register)
  }
}
