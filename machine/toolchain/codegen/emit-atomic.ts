/** Atomic read-modify-write without an instruction of its own: loops of load-reserved and store-conditional (Unprivileged, 8.2). */
import type { Emitter } from './emit.ts'
import { zero, type MachineInstruction } from './machine.ts'

/** Emits `atomic.cmpxchg.w|d` and `atomic.narrow.*`. */
export function atomicSequence(e: Emitter, x: MachineInstruction): void {
  if (x.op.startsWith('atomic.cmpxchg')) compareExchange(e, x)
  else narrow(e, x)
}

const ordered = { aq: 1, rl: 1 }

function compareExchange(e: Emitter, x: MachineInstruction): void {
  const suffix = x.op.endsWith('.d') ? '.d' : '.w'
  const [status] = x.temps!
  const again = e.newLabel()
  const done = e.newLabel()
  e.label(again)
  e.add('lr' + suffix, { rd: x.rd, rs1: x.rs1, ...ordered })
  e.add('bne', { rs1: x.rd, rs2: x.rs2 }, { label: done })
  e.add('sc' + suffix, { rd: status, rs1: x.rs1, rs2: x.rs3, ...ordered })
  e.add('bne', { rs1: status, rs2: zero }, { label: again })
  e.label(done)
}

/** On the aligned word around the byte or halfword: rd = old value, zero-extended. */
function narrow(e: Emitter, x: MachineInstruction): void {
  const operation = x.op.slice('atomic.narrow.'.length)
  const [word, shift, mask, next] = x.temps!
  const bits = x.imm * 8
  const again = e.newLabel()
  const done = e.newLabel()
  e.add('andi', { rd: word, rs1: x.rs1, imm: -4 })
  e.add('andi', { rd: shift, rs1: x.rs1, imm: 3 })
  e.add('slli', { rd: shift, rs1: shift, imm: 3 })
  e.constant(mask, (1n << BigInt(bits)) - 1n)
  e.add('sllw', { rd: mask, rs1: mask, rs2: shift })
  e.label(again)
  e.add('lr.w', { rd: x.rd, rs1: word, ...ordered })
  const operand = operation === 'cmpxchg' ? x.rs3 : x.rs2
  if (operation === 'cmpxchg') {
    // Compare the field in place: (old ^ expected << shift) & mask.
    e.add('sllw', { rd: next, rs1: x.rs2, rs2: shift })
    e.add('xor', { rd: next, rs1: next, rs2: x.rd })
    e.add('and', { rd: next, rs1: next, rs2: mask })
    e.add('bne', { rs1: next, rs2: zero }, { label: done })
  }
  e.add('sllw', { rd: next, rs1: operand, rs2: shift })
  if (operation === 'add') e.add('addw', { rd: next, rs1: next, rs2: x.rd })
  else if (operation === 'sub') e.add('subw', { rd: next, rs1: x.rd, rs2: next })
  else if (operation === 'and' || operation === 'or' || operation === 'xor') e.add(operation, { rd: next, rs1: next, rs2: x.rd })
  // next = old ^ ((old ^ new) & mask): only the field changes.
  e.add('xor', { rd: next, rs1: next, rs2: x.rd })
  e.add('and', { rd: next, rs1: next, rs2: mask })
  e.add('xor', { rd: next, rs1: next, rs2: x.rd })
  e.add('sc.w', { rd: next, rs1: word, rs2: next, ...ordered })
  e.add('bne', { rs1: next, rs2: zero }, { label: again })
  e.label(done)
  e.add('srlw', { rd: x.rd, rs1: x.rd, rs2: shift })
  e.add('slli', { rd: x.rd, rs1: x.rd, imm: 64 - bits })
  e.add('srli', { rd: x.rd, rs1: x.rd, imm: 64 - bits })
}
