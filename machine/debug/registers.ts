/** Registers by name, for reading and writing while the machine stands. */
import type { HartCore } from '../hart/core.ts'
import * as L from '../hart/layout.ts'
import { findCsr } from '../isa/csrs.ts'
import { floatRegister, integerRegister } from '../isa/registers.ts'
import { GUEST_KIND_COUNT, GUEST_TRACE_CSR } from '../isa/trace-kinds.ts'
import { DebugError } from './error.ts'

export type RegisterName =
  | { readonly kind: 'integer' | 'float' | 'csr'; readonly number: number; readonly name: string }
  | { readonly kind: 'pc' | 'privilege'; readonly name: string }

const FFLAGS = 0x001
const FRM = 0x002
const FCSR = 0x003

/** @throws DebugError when the hart has no such register. */
export function findRegister(core: HartCore, hart: number, name: string): RegisterName {
  if (name === 'pc' || name === 'privilege') return { kind: name, name }
  const integer = integerRegister(name)
  if (integer !== undefined) return { kind: 'integer', number: integer, name }
  const float = floatRegister(name)
  if (float !== undefined) return { kind: 'float', number: float, name }
  const csr = findCsr(name)
  if (!csr || !core.exports.hasRegister(hart, csr.number)) throw new DebugError('no-register', `hart ${hart} has no register ${name}`)
  return { kind: 'csr', number: csr.number, name }
}

export function readRegister(core: HartCore, hart: number, register: RegisterName): bigint {
  switch (register.kind) {
    case 'pc':
      return core.pc(hart)
    case 'privilege':
      return BigInt(core.hart32(hart, L.H_PRIVILEGE))
    case 'integer':
      return core.register(hart, register.number)
    case 'float':
      return core.hart64(hart, L.H_F + register.number * 8)
    case 'csr':
      return readCsr(core, hart, register.number)
  }
}

function readCsr(core: HartCore, hart: number, number: number): bigint {
  // The guest cannot read these while the float unit is off; they are there all the same.
  const flags = core.hart32(hart, L.H_FFLAGS)
  const mode = core.hart32(hart, L.H_FRM)
  if (number === FFLAGS) return BigInt(flags)
  if (number === FRM) return BigInt(mode)
  if (number === FCSR) return BigInt(flags | (mode << 5))
  return BigInt.asUintN(64, core.exports.readRegister(hart, number))
}

export function writeRegister(core: HartCore, hart: number, register: RegisterName, value: bigint): void {
  switch (register.kind) {
    case 'pc':
      return core.setPc(hart, value & ~1n)
    case 'privilege':
      if (value !== 0n && value !== 1n && value !== 3n) throw new DebugError('bad-address', `privilege ${value}: 0 is U, 1 is S, 3 is M`)
      core.setHart32(hart, L.H_PRIVILEGE, Number(value))
      return core.exports.forgetTranslations(hart)
    case 'integer':
      return core.setRegister(hart, register.number, value)
    case 'float':
      return core.setHart64(hart, L.H_F + register.number * 8, value)
    case 'csr':
      return writeCsr(core, hart, register, value)
  }
}

function writeCsr(core: HartCore, hart: number, { number, name }: { number: number; name: string }, value: bigint): void {
  if (number === FFLAGS || number === FCSR) core.setHart32(hart, L.H_FFLAGS, Number(value & 31n))
  if (number === FRM) core.setHart32(hart, L.H_FRM, Number(value & 7n))
  if (number === FCSR) core.setHart32(hart, L.H_FRM, Number((value >> 5n) & 7n))
  if (number <= FCSR && number >= FFLAGS) return
  // Writing a trace register is an event of the guest, not a value.
  const isTrace = number >= GUEST_TRACE_CSR && number < GUEST_TRACE_CSR + GUEST_KIND_COUNT
  if (isTrace || number >>> 10 === 3 || !core.exports.writeRegister(hart, number, value))
    throw new DebugError('read-only', `${name} cannot be written`)
}
