/**
 * A: load-reserved, store-conditional, and the read-modify-writes. Harts take turns at check points only, so each of these
 * is atomic by itself; a reservation is lost when another hart gets its turn (schedule.ts), which is what makes a pair atomic.
 */
import {
  COST_AMO,
  COST_LINE_TRANSFER,
  GLOBAL,
  G_HART_COUNT,
  H_ID,
  H_RESERVATION,
  H_RESERVATION_VIRTUAL,
  LINE_ENTRIES,
  LINE_TABLE,
} from '../layout'
import { Amo } from './generated/decoder'
import { afterAtomicStore, watchpointHit } from './memory'
import { addStall, cost, reg, setReg } from './state'
import { resolve } from './tlb'
import { Access, faultCause, ramPointer } from './translate'
import { Cause, raise } from './trap'

const FAILED: u64 = <u64>-1
const NO_RESERVATION: u64 = <u64>-1

/** Charges for fetching a line that another hart last touched atomically. */
function touchLine(h: usize, physical: u64): void {
  if (load<u32>(GLOBAL + G_HART_COUNT) == 1) return
  const line = physical >>> 6
  const entry = LINE_TABLE + (<usize>(line & (LINE_ENTRIES - 1)) << 3)
  const mine = (line << 4) | <u64>(load<u32>(h, H_ID) + 1)
  const last = load<u64>(entry)
  if (last >>> 4 == line && last != mine) addStall(h, cost(COST_LINE_TRANSFER))
  store<u64>(entry, mine)
}

@inline function isDouble(operation: i32): bool {
  // Rows alternate .w and .d, the word form first.
  return (operation & 1) != 0
}

/** Executes one atomic; pc and counters are synchronised. False when it trapped. */
export function executeAtomic(h: usize, rd: u32, rs1: u32, rs2: u32, operation: i32): bool {
  const address = reg(h, rs1)
  const size: u32 = isDouble(operation) ? 8 : 4
  const isLoad = operation == Amo.lr_w || operation == Amo.lr_d
  if (watchpointHit(h, address, size, isLoad ? 1 : operation == Amo.sc_w || operation == Amo.sc_d ? 2 : 3, 0)) return false
  addStall(h, cost(COST_AMO))
  if (operation == Amo.sc_w || operation == Amo.sc_d) return storeConditional(h, rd, rs2, address, size)
  if (address & (size - 1)) {
    raise(h, isLoad ? Cause.loadMisaligned : Cause.storeMisaligned, address)
    return false
  }
  const physical = resolve(h, address, size, isLoad ? Access.read : Access.write)
  if (physical == FAILED) {
    raise(h, faultCause, address)
    return false
  }
  const pointer = ramPointer(physical, size)
  if (pointer == 0) {
    // Devices do no atomics.
    raise(h, isLoad ? Cause.loadAccess : Cause.storeAccess, address)
    return false
  }
  touchLine(h, physical)
  if (size == 4) {
    const old = load<i32>(pointer)
    if (isLoad) reserve(h, physical, address)
    else {
      store<i32>(pointer, combineWord(operation, old, <i32>reg(h, rs2)))
      afterAtomicStore(h, physical, 4)
    }
    setReg(h, rd, <u64>(<i64>old))
  } else {
    const old = load<i64>(pointer)
    if (isLoad) reserve(h, physical, address)
    else {
      store<i64>(pointer, combineDouble(operation, old, <i64>reg(h, rs2)))
      afterAtomicStore(h, physical, 8)
    }
    setReg(h, rd, <u64>old)
  }
  return true
}

function reserve(h: usize, physical: u64, address: u64): void {
  store<u64>(h, physical, H_RESERVATION)
  store<u64>(h, address, H_RESERVATION_VIRTUAL)
}

/** Without a reservation of this very address it fails and touches nothing, so it cannot fault either. */
function storeConditional(h: usize, rd: u32, rs2: u32, address: u64, size: u32): bool {
  const reservation = load<u64>(h, H_RESERVATION)
  store<u64>(h, NO_RESERVATION, H_RESERVATION)
  if (address & (size - 1)) {
    raise(h, Cause.storeMisaligned, address)
    return false
  }
  if (reservation == NO_RESERVATION || load<u64>(h, H_RESERVATION_VIRTUAL) != address) {
    setReg(h, rd, 1)
    return true
  }
  const physical = resolve(h, address, size, Access.write)
  if (physical == FAILED) {
    raise(h, faultCause, address)
    return false
  }
  const pointer = ramPointer(physical, size)
  if (physical != reservation || pointer == 0) {
    setReg(h, rd, 1)
    return true
  }
  touchLine(h, physical)
  if (size == 4) store<u32>(pointer, <u32>reg(h, rs2))
  else store<u64>(pointer, reg(h, rs2))
  afterAtomicStore(h, physical, size)
  setReg(h, rd, 0)
  return true
}

function combineWord(operation: i32, old: i32, operand: i32): i32 {
  switch (operation) {
    case Amo.amoswap_w:
      return operand
    case Amo.amoadd_w:
      return old + operand
    case Amo.amoxor_w:
      return old ^ operand
    case Amo.amoand_w:
      return old & operand
    case Amo.amoor_w:
      return old | operand
    case Amo.amomin_w:
      return min(old, operand)
    case Amo.amomax_w:
      return max(old, operand)
    case Amo.amominu_w:
      return <i32>min(<u32>old, <u32>operand)
    default:
      return <i32>max(<u32>old, <u32>operand)
  }
}

function combineDouble(operation: i32, old: i64, operand: i64): i64 {
  switch (operation) {
    case Amo.amoswap_d:
      return operand
    case Amo.amoadd_d:
      return old + operand
    case Amo.amoxor_d:
      return old ^ operand
    case Amo.amoand_d:
      return old & operand
    case Amo.amoor_d:
      return old | operand
    case Amo.amomin_d:
      return min(old, operand)
    case Amo.amomax_d:
      return max(old, operand)
    case Amo.amominu_d:
      return <i64>min(<u64>old, <u64>operand)
    default:
      return <i64>max(<u64>old, <u64>operand)
  }
}
