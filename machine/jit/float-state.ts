/** What float instructions share: the unit's state, NaN boxes, and calls of the core for what host arithmetic cannot do exactly. */
import * as L from '../hart/layout.ts'
import type { Frame } from './frame.ts'
import { operandsOf } from './operands.ts'
import type { Instruction } from './slots.ts'

const DIRTY = 3
const CANONICAL_SINGLE_NAN = 0x7fc0_0000
const BOX = -(2 ** 32)

/** Raises an illegal instruction while mstatus.FS is off. Once a block is enough. */
export function requireFloat(frame: Frame, instruction: Instruction): void {
  if (frame.floatIsOn) return
  frame.floatIsOn = true
  const { code } = frame
  frame.loadHart('i32_load8_u', L.H_FS)
  code.op('i32_eqz')
  code.if(false)
  frame.pushHart()
  frame.callCore('regionIllegal', instruction)
  code.op('drop')
  frame.leaveSynchronized(L.LOOK_UP)
  code.end()
}

export function storeFloatDirty(frame: Frame): void {
  if (frame.floatIsDirty) return
  frame.floatIsDirty = true
  frame.storeHart('i32_store8', L.H_FS, () => frame.code.i32(DIRTY))
}

/** The single in a float register, as an f32; what is not NaN-boxed reads as the canonical NaN (Unprivileged, 12.2). */
export function pushSingle(frame: Frame, register: number): void {
  const { code } = frame
  frame.getF(register)
  code.op('i64_reinterpret_f64')
  code.tee(frame.wide)
  code.op('i32_wrap_i64')
  code.i32(CANONICAL_SINGLE_NAN)
  code.get(frame.wide)
  code.i64(BOX)
  code.op('i64_ge_u', 'select', 'f32_reinterpret_i32')
}

/** The bits of a single, zero-extended on the stack, into a float register. */
export function setSingleBits(frame: Frame, register: number): void {
  frame.code.i64(BOX)
  frame.code.op('i64_or', 'f64_reinterpret_i64')
  frame.setF(register)
}

/** An f32 on the stack into a float register. */
export function setSingle(frame: Frame, register: number): void {
  frame.code.op('i32_reinterpret_f32', 'i64_extend_i32_u')
  setSingleBits(frame, register)
}

export const NEAREST_EVEN = 0
export const DYNAMIC = 7
const NX = 1
/** fflags and frm as one doubleword: NX set, and rounding to nearest even. */
const DYNAMIC_MASK = -(2 ** 32) + NX

/**
 * Pushes whether host arithmetic may be used: the mode is RNE and NX is set already (core/fastfloat.ts says why). False when the mode is
 * a static one that the host has not; nothing is pushed then.
 */
export function pushPlain(frame: Frame, mode: number): boolean {
  if (mode !== NEAREST_EVEN && mode !== DYNAMIC) return false
  const { code } = frame
  const flag = frame.plain[mode === DYNAMIC ? 1 : 0]
  if (flag.known) {
    code.get(flag.local)
    return true
  }
  flag.known = true
  frame.loadHart('i64_load', L.H_FFLAGS)
  code.i64(mode === DYNAMIC ? DYNAMIC_MASK : NX)
  code.op('i64_and')
  code.i64(NX)
  code.op('i64_eq')
  code.tee(flag.local)
  return true
}

/** The instruction by the core, which works on registers in memory. */
export function callFloat(frame: Frame, instruction: Instruction): void {
  const { code } = frame
  const { integer, float, writes } = operandsOf(instruction)
  for (const register of integer) frame.storeInteger(register)
  for (const register of float) frame.storeFloat(register)
  const rd = writes ? writes.register : L.X_DISCARD
  frame.pushHart()
  code.i32(rd | (instruction.rs1 << 8) | (instruction.rs2 << 16) | (instruction.operation << 24))
  code.i32(instruction.raw)
  frame.callCore('regionFloat', instruction)
  frame.leaveUnlessZero()
  if (writes?.kind === 'x') frame.loadInteger(writes.register)
  else if (writes) frame.loadFloat(writes.register)
}
