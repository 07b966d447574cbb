/**
 * What compiled regions (machine/jit) call where their own fast paths do not hold. A region keeps its registers, its clock (retired
 * instructions + stalls, the current instruction and its cost included) and its stalls in locals; each call makes them visible first.
 * Results: GO_ON behind the instruction, or LEAVE or LOOK_UP: the region must store its registers and return that.
 */
import {
  GLOBAL,
  GO_ON,
  G_REGION_DROPPED,
  H_LIMIT,
  H_PC,
  H_RETIRED,
  H_STALL,
  LEAVE,
  LOOK_UP,
} from '../layout'
import { executeAtomic } from './atomic'
import { CsrOperation, executeCsr } from './csr'
import { illegal } from './csr-status'
import { addDouble, addSingle, executeFloat, fusedDouble, multiplyDouble, multiplySingle, roundingMode } from './float'
import { instructionWord } from './fetch'
import { Op } from './generated/decoder'
import { faulted, loadSlow, storeSlow } from './memory'
import { clock, floatReg, setReg, singleReg } from './state'
import { Cause, raise } from './trap'

@inline function synchronize(h: usize, pc: u64, retired: i64, stall: i64): void {
  store<u64>(h, pc, H_PC)
  store<i64>(h, retired, H_RETIRED)
  store<i64>(h, load<i64>(h, H_STALL) + stall, H_STALL)
}

@inline function takeBack(h: usize, stall: i64): u32 {
  store<i64>(h, load<i64>(h, H_STALL) - stall, H_STALL)
  return GO_ON
}

/** After an instruction that may have changed code: a region that is gone must not go on. */
@inline function unlessDropped(h: usize, length: u32, stall: i64): u32 {
  if (load<u32>(GLOBAL + G_REGION_DROPPED) == 0) return takeBack(h, stall)
  store<u32>(GLOBAL + G_REGION_DROPPED, 0)
  store<u64>(h, load<u64>(h, H_PC) + length, H_PC)
  return LEAVE
}

/** The value, zero-extended; H_FAULTED tells whether it trapped. */
export function regionLoad(h: usize, address: u64, size: u32, pc: u64, retired: i64, stall: i64): u64 {
  synchronize(h, pc, retired, stall)
  const value = loadSlow(h, address, size)
  if (!faulted(h)) takeBack(h, stall)
  return value
}

/** `shape` = size | instruction length << 8. */
export function regionStore(h: usize, address: u64, value: u64, shape: u32, pc: u64, retired: i64, stall: i64): u32 {
  synchronize(h, pc, retired, stall)
  storeSlow(h, address, shape & 255, value)
  return faulted(h) ? LOOK_UP : unlessDropped(h, shape >>> 8, stall)
}

/** Registers are in memory. `shape` = rd | rs1 << 8 | rs2 << 16 | operation << 24. */
export function regionAtomic(h: usize, shape: u32, pc: u64, retired: i64, stall: i64): u32 {
  synchronize(h, pc, retired, stall)
  return executeAtomic(h, shape & 255, (shape >>> 8) & 255, (shape >>> 16) & 255, shape >>> 24) ? unlessDropped(h, 4, stall) : LOOK_UP
}

/** rd is in memory. `shape` = CSR number | operation << 12 | writes << 14 | rd << 16. */
export function regionCsr(h: usize, operand: u64, shape: u32, pc: u64, retired: i64, stall: i64): u32 {
  synchronize(h, pc, retired, stall)
  const old = executeCsr(h, <i32>(shape & 0xfff), <CsrOperation>((shape >>> 12) & 3), operand, ((shape >>> 14) & 1) != 0)
  if (illegal) {
    raise(h, Cause.illegal, instructionWord(h, pc))
    return LOOK_UP
  }
  setReg(h, shape >>> 16, old)
  if (clock(h) < load<i64>(h, H_LIMIT)) return takeBack(h, stall)
  store<u64>(h, pc + 4, H_PC)
  return LOOK_UP
}

/**
 * A float instruction, its registers in memory; its cost is not in `stall` yet. `shape` = rd | rs1 << 8 | rs2 << 16 | operation << 24;
 * `immediate` as in its slot.
 */
export function regionFloat(h: usize, shape: u32, immediate: u32, pc: u64, retired: i64, stall: i64): u32 {
  synchronize(h, pc, retired, stall)
  const operation = <i32>(shape >>> 24)
  const rd = shape & 255
  const rs1 = (shape >>> 8) & 255
  const rs2 = (shape >>> 16) & 255
  let legal = true
  if (operation == Op.float) {
    // The region has the cost among its own.
    const before = load<i64>(h, H_STALL)
    legal = executeFloat(h, rd, rs1, rs2, immediate)
    store<i64>(h, before, H_STALL)
  } else legal = executeDirect(h, operation, rd, rs1, rs2, immediate)
  if (legal) return takeBack(h, stall)
  raise(h, Cause.illegal, instructionWord(h, pc))
  return LOOK_UP
}

/** Float arithmetic with an operation of its own; false when its rounding mode is invalid. */
function executeDirect(h: usize, operation: i32, rd: u32, rs1: u32, rs2: u32, immediate: u32): bool {
  const mode = roundingMode(h, immediate & 255)
  if (mode > 4) return false
  switch (operation) {
    case Op.fadd_d:
      addDouble(h, rd, floatReg(h, rs1), floatReg(h, rs2), 0, mode)
      break
    case Op.fsub_d:
      addDouble(h, rd, floatReg(h, rs1), floatReg(h, rs2), 1, mode)
      break
    case Op.fmul_d:
      multiplyDouble(h, rd, floatReg(h, rs1), floatReg(h, rs2), mode)
      break
    case Op.fmadd_d:
      fusedDouble(h, rd, floatReg(h, rs1), floatReg(h, rs2), floatReg(h, (immediate >>> 8) & 255), 0, 0, mode)
      break
    case Op.fadd_s:
      addSingle(h, rd, singleReg(h, rs1), singleReg(h, rs2), 0, mode)
      break
    case Op.fsub_s:
      addSingle(h, rd, singleReg(h, rs1), singleReg(h, rs2), 1, mode)
      break
    default:
      multiplySingle(h, rd, singleReg(h, rs1), singleReg(h, rs2), mode)
  }
  return true
}

export function regionIllegal(h: usize, pc: u64, retired: i64, stall: i64): u32 {
  synchronize(h, pc, retired, stall)
  raise(h, Cause.illegal, instructionWord(h, pc))
  return LOOK_UP
}
