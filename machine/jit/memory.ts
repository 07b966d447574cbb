/** Loads and stores: the TLB inline, everything else by the core's slow paths; atomics and CSR instructions by the core alone. */
import * as L from '../hart/layout.ts'
import { groupMembers, identifier } from '../hart/operations.ts'
import { I64, type MemoryOpcodeName, type OpcodeName } from './code.ts'
import { requireFloat, setSingleBits, storeFloatDirty } from './float-state.ts'
import type { Frame } from './frame.ts'
import type { Instruction } from './slots.ts'

interface Access {
  readonly size: 1 | 2 | 4 | 8
  readonly fast: MemoryOpcodeName
  /** From the zero-extended value of the slow path. */
  readonly slow?: OpcodeName
  readonly float?: 'single' | 'double'
}

const LOADS: Readonly<Record<string, Access>> = {
  lb: { size: 1, fast: 'i64_load8_s', slow: 'i64_extend8_s' },
  lh: { size: 2, fast: 'i64_load16_s', slow: 'i64_extend16_s' },
  lw: { size: 4, fast: 'i64_load32_s', slow: 'i64_extend32_s' },
  ld: { size: 8, fast: 'i64_load' },
  lbu: { size: 1, fast: 'i64_load8_u' },
  lhu: { size: 2, fast: 'i64_load16_u' },
  lwu: { size: 4, fast: 'i64_load32_u' },
  flw: { size: 4, fast: 'i64_load32_u', float: 'single' },
  fld: { size: 8, fast: 'i64_load', float: 'double' },
}

const STORES: Readonly<Record<string, Access>> = {
  sb: { size: 1, fast: 'i64_store8' },
  sh: { size: 2, fast: 'i64_store16' },
  sw: { size: 4, fast: 'i64_store32' },
  sd: { size: 8, fast: 'i64_store' },
  fsw: { size: 4, fast: 'i64_store32', float: 'single' },
  fsd: { size: 8, fast: 'i64_store', float: 'double' },
}

const ATOMICS: readonly string[] = groupMembers('amo').map(({ name }) => identifier(name))
const CSR_OPERATIONS: Readonly<Record<string, number>> = { csrrw: 0, csrrs: 1, csrrc: 2, csrrwi: 0, csrrsi: 1, csrrci: 2 }

/** Translates an instruction that reaches beyond the registers; false when it does not. */
export function translateAccess(frame: Frame, instruction: Instruction): boolean {
  const { name } = instruction
  if (name in LOADS) load(frame, instruction, LOADS[name])
  else if (name in STORES) store(frame, instruction, STORES[name])
  else if (name in CSR_OPERATIONS) csr(frame, instruction)
  else if (ATOMICS.includes(name)) atomic(frame, instruction)
  else return false
  return true
}

/** Leaves the local of the address; the low word is in `frame.word`, its TLB entry in `frame.pointer`. */
function lookUp(frame: Frame, { rs1, raw }: Instruction): number {
  const { code } = frame
  let address = frame.address
  if (raw === 0 && rs1 !== 0) address = frame.localX(rs1)
  else {
    frame.getX(rs1)
    code.i64(raw)
    code.op('i64_add')
    code.set(address)
  }
  code.get(address)
  code.op('i32_wrap_i64')
  code.tee(frame.word)
  code.i32(8)
  code.op('i32_shr_u')
  code.get(frame.word)
  code.op('i32_xor')
  code.i32(7)
  code.op('i32_shr_u')
  code.i32((L.TLB_ENTRIES - 1) * L.TLB_ENTRY_BYTES)
  code.op('i32_and')
  frame.pushEntry()
  code.tee(frame.pointer)
  return address
}

/** The tag on the stack against the page of the access. A misaligned one, which might cross to the next page, never matches. */
function pushMiss(frame: Frame, address: number, size: number): void {
  const { code } = frame
  code.get(address)
  code.i64(-4096 + size - 1)
  code.op('i64_and', 'i64_ne')
}

function pushPointer(frame: Frame): void {
  const { code } = frame
  code.get(frame.word)
  code.get(frame.pointer)
  frame.loadEntry('i32_load', 16)
  code.op('i32_add')
}

function load(frame: Frame, instruction: Instruction, { size, fast, slow, float }: Access): void {
  const { code } = frame
  if (float) requireFloat(frame, instruction)
  frame.charge(L.COST_LOAD)
  const address = lookUp(frame, instruction)
  frame.loadEntry('i64_load', 0)
  pushMiss(frame, address, size)
  code.if(false, I64)
  frame.pushHart()
  code.get(address)
  code.i32(size)
  frame.callCore('regionLoad', instruction)
  frame.loadHart('i32_load', L.H_FAULTED)
  code.if(false)
  frame.leaveSynchronized(L.LOOK_UP)
  code.end()
  if (slow) code.op(slow)
  code.else()
  pushPointer(frame)
  code.memory(fast, 0)
  code.end()
  if (float === 'double') {
    code.op('f64_reinterpret_i64')
    frame.setF(instruction.rd)
  } else if (float === 'single') setSingleBits(frame, instruction.rd)
  else frame.setX(instruction.rd)
  if (float) storeFloatDirty(frame)
}

function store(frame: Frame, instruction: Instruction, { size, fast, float }: Access): void {
  const { code } = frame
  if (float) requireFloat(frame, instruction)
  frame.charge(L.COST_STORE)
  const address = lookUp(frame, instruction)
  const pushValue = () => {
    if (!float) return frame.getX(instruction.rs2)
    frame.getF(instruction.rs2)
    code.op('i64_reinterpret_f64')
  }
  frame.loadEntry('i64_load', 8)
  pushMiss(frame, address, size)
  code.if(false)
  frame.pushHart()
  code.get(address)
  pushValue()
  code.i32(size | (instruction.length << 8))
  frame.callCore('regionStore', instruction)
  frame.leaveUnlessZero()
  code.else()
  pushPointer(frame)
  pushValue()
  code.memory(fast, 0)
  code.end()
}

/** The core works on registers in memory; rd too, since an atomic that traps leaves it as it was. */
function atomic(frame: Frame, instruction: Instruction): void {
  const { code } = frame
  const { name, rd, rs1, rs2 } = instruction
  for (const register of new Set([rs1, rs2, rd])) frame.storeInteger(register)
  frame.pushHart()
  code.i32((rd === 0 ? L.X_DISCARD : rd) | (rs1 << 8) | (rs2 << 16) | (ATOMICS.indexOf(name) << 24))
  frame.callCore('regionAtomic', instruction)
  frame.loadInteger(rd)
  frame.leaveUnlessZero()
}

function csr(frame: Frame, instruction: Instruction): void {
  const { code } = frame
  const { name, rd, rs1, raw } = instruction
  frame.charge(L.COST_CSR)
  const operation = CSR_OPERATIONS[name]
  const writes = operation === 0 || rs1 !== 0
  frame.storeInteger(rd)
  frame.pushHart()
  if (name.endsWith('i')) code.i64(rs1)
  else frame.getX(rs1)
  code.i32(raw | (operation << 12) | ((writes ? 1 : 0) << 14) | ((rd === 0 ? L.X_DISCARD : rd) << 16))
  frame.callCore('regionCsr', instruction)
  frame.loadInteger(rd)
  frame.leaveUnlessZero()
  frame.tlbMayHaveMoved(instruction.offset + instruction.length)
  frame.forgetFloatState()
}
