/** Selection of what programs reach by importing it from `cpu`, `co` and `trace`. */
import { CONTINUATION_OFFSET } from '../coroutine/task.ts'
import { isConstant, type Instruction } from '../ir/ir.ts'
import { a0, gp, s0, t1, tp, zero, type MachineInstruction, type Move } from './machine.ts'
import { addressOf } from './select-memory.ts'
import type { Selector } from './select.ts'
import { GUEST_KIND_COUNT, GUEST_TRACE_CSR } from '../../isa/trace-kinds.ts'

const plain: Record<string, string> = {
  'cpu.fenceI': 'fence.i',
  'cpu.wfi': 'wfi',
  'cpu.ebreak': 'ebreak',
  'cpu.sret': 'sret',
  'cpu.mret': 'mret',
  'cpu.uret': 'uret',
  'cpu.fence': 'fence',
  'cpu.uipiActivate': 'uipi.activate',
  'cpu.uipiDeactivate': 'uipi.deactivate',
}
const csrOps: Record<string, string> = {
  csrWrite: 'csrrw',
  csrSwap: 'csrrw',
  csrSet: 'csrrs',
  csrClear: 'csrrc',
  csrReadSet: 'csrrs',
  csrReadClear: 'csrrc',
}
const counters: Record<string, number> = { 'cpu.cycle': 0xc00, 'cpu.time': 0xc01, 'cpu.instret': 0xc02 }
const deviceLoads: Record<string, string> = { 'cpu.load8': 'lbu', 'cpu.load16': 'lhu', 'cpu.load32': 'lw', 'cpu.load64': 'ld' }
const deviceStores: Record<string, string> = { 'cpu.store8': 'sb', 'cpu.store16': 'sh', 'cpu.store32': 'sw', 'cpu.store64': 'sd' }

/** Names of all intrinsics, by which imports are told from undefined symbols. */
export const intrinsicNames: ReadonlySet<string> = new Set([
  ...Object.keys(plain),
  ...Object.keys(csrOps).map((name) => 'cpu.' + name),
  ...Object.keys(counters),
  ...Object.keys(deviceLoads),
  ...Object.keys(deviceStores),
  'cpu.csrRead',
  'cpu.sfenceVma',
  'cpu.sfenceAll',
  'cpu.ecall',
  'cpu.ecallSecond',
  'cpu.uipiSend',
  'cpu.uipiRead',
  'cpu.uipiWrite',
  'cpu.threadPointer',
  'cpu.setThreadPointer',
  'cpu.stackPointer',
  'cpu.setShadowStack',
  'cpu.shadowStack',
  'cpu.hartId',
  'co.frame',
  'co.suspend',
  'co.suspendUntil',
  'co.exchange',
  'co.resume',
  'co.code',
  'co.call',
  'trace.emit',
])

/** Emits code for `x` if it is one of this file's; false otherwise. */
export function selectIntrinsic(s: Selector, x: Instruction): boolean {
  const { op, args } = x
  if (plain[op]) {
    s.emit(plain[op], -1)
    return true
  }
  if (counters[op] !== undefined) {
    csr(s, 'csrrs', resultOf(s, x), counters[op], zero)
    return true
  }
  if (deviceLoads[op]) {
    s.emit(deviceLoads[op], resultOf(s, x), device(s, args[0]))
    return true
  }
  if (deviceStores[op]) {
    s.emit(deviceStores[op], -1, device(s, args[0]), s.low32(args[1]))
    return true
  }
  if (op.startsWith('cpu.csr')) return csrAccess(s, x)
  switch (op) {
    case 'cpu.sfenceVma':
      s.emit('sfence.vma', -1, device(s, args[0]), s.register(args[1]))
      return true
    case 'cpu.sfenceAll':
      s.emit('sfence.vma', -1, zero, zero)
      return true
    case 'cpu.ecall':
    case 'cpu.ecallSecond':
      environmentCall(s, x)
      return true
    case 'cpu.uipiSend':
    case 'cpu.uipiWrite':
      s.emit(op === 'cpu.uipiSend' ? 'uipi.send' : 'uipi.write', -1, s.register(args[0]))
      return true
    case 'cpu.uipiRead':
      s.emit('uipi.read', resultOf(s, x))
      return true
    case 'cpu.hartId':
    case 'cpu.threadPointer':
      s.parallel([{ to: resultOf(s, x), from: tp }])
      return true
    case 'cpu.setThreadPointer':
      s.parallel([s.moveOf(tp, args[0])])
      return true
    case 'cpu.shadowStack':
      s.parallel([{ to: resultOf(s, x), from: gp }])
      return true
    case 'cpu.setShadowStack':
      s.parallel([s.moveOf(gp, args[0])])
      return true
    case 'cpu.stackPointer':
      s.parallel([{ to: resultOf(s, x), from: 2 }])
      return true
    case 'trace.emit': {
      if (!isConstant(args[0]) || args[0].value < 0n || args[0].value >= GUEST_KIND_COUNT)
        s.fail('trace.emit needs a constant event kind from 0 to 63', 'Use one of the constants of trace-kinds.')
      // Marked so that the kernel can patch the site to a nop (contracts.md, "Trace").
      csr(s, 'csrrw', zero, GUEST_TRACE_CSR + Number(args[0].value), s.register(args[1])).symbol = '.pollen.trace'
      return true
    }
  }
  return op.startsWith('co.') && coroutine(s, x)
}

/** Bytes in front of a table's entries: its size and its capacity. */
const TABLE_ENTRIES = 16

/** A register for the result, also when nobody wants it: the access itself must happen. */
function resultOf(s: Selector, x: Instruction): number {
  return s.isNeeded(x) ? s.register(x) : s.newRegister()
}

/** A device address: 64 bits as they are; 32 bits extended as the program's pointers are. */
function device(s: Selector, value: Instruction): number {
  if (value.type === 'i64' || s.context.model === 'signed') return s.register(value)
  if (isConstant(value)) return s.constantRegister('i64', BigInt.asUintN(32, value.value))
  return s.temporary('srli', s.temporary('slli', s.register(value), -1, 32), -1, 32)
}

function csr(s: Selector, op: string, rd: number, number: number, rs1: number): MachineInstruction {
  return s.emit(op, rd, rs1, -1, number)
}

function csrAccess(s: Selector, x: Instruction): boolean {
  const name = x.op.slice(4)
  const number = x.args[0]
  if (!isConstant(number) || number.value < 0n || number.value > 0xfffn)
    s.fail(`${x.op} needs a constant CSR number`, 'A CSR number is part of the instruction: pass a constant, or write one branch per CSR.')
  if (name === 'csrRead') {
    csr(s, 'csrrs', resultOf(s, x), Number(number.value), zero)
    return true
  }
  const op = csrOps[name]
  if (!op) return false
  const rd = name === 'csrWrite' || name === 'csrSet' || name === 'csrClear' ? zero : resultOf(s, x)
  const value = x.args[1]
  if (isConstant(value) && value.value > 0n && value.value < 32n) {
    const made = s.emit(op + 'i', rd, -1, -1, Number(number.value))
    made.value = value.value
  } else csr(s, op, rd, Number(number.value), s.register(value))
  return true
}

/** `ecall(a7, a6, a0..a5)`: the SBI and system call registers; gives a0, or a1 for `ecallSecond`. */
function environmentCall(s: Selector, x: Instruction): void {
  const [number, second, ...rest] = x.args
  const moves: Move[] = [s.moveOf(17, number), s.moveOf(16, second), ...rest.map((value, position) => s.moveOf(a0 + position, value))]
  s.parallel(moves)
  const made = s.emit('ecall', -1)
  made.uses = moves.map((move) => move.to)
  made.defs = [a0, a0 + 1]
  if (s.isNeeded(x)) s.parallel([{ to: s.register(x), from: x.op === 'cpu.ecall' ? a0 : a0 + 1 }])
}

function coroutine(s: Selector, x: Instruction): boolean {
  switch (x.op) {
    case 'co.frame':
      // The frame's address is a host address; the program's pointer is its low half, sign-extended.
      s.emit('addiw', resultOf(s, x), s0, -1, 0)
      return true
    case 'co.resume': {
      s.parallel([{ to: a0, from: device(s, x.args[0]) }])
      s.emit(s.context.model === 'signed' ? 'lw' : 'lwu', t1, a0, -1, 0)
      const made = s.emit('call.indirect', -1, t1)
      made.uses = [a0]
      made.clobbers = 'caller'
      s.machine.hasCalls = true
      return true
    }
    case 'co.area':
      s.emit('frame.area', resultOf(s, x))
      return true
    case 'co.code': {
      const entry = s.temporary('slli', s.register(x.args[0]), -1, 3)
      s.emit('lw', resultOf(s, x), s.temporary('add', addressOf(s, s.context.tableSymbol(0)), entry), -1, TABLE_ENTRIES)
      return true
    }
    case 'co.call': {
      s.parallel([s.moveOf(a0, x.args[1]), { to: t1, from: device(s, x.args[0]) }])
      const made = s.emit('call.indirect', -1, t1)
      made.uses = [a0]
      made.clobbers = 'caller'
      s.machine.hasCalls = true
      return true
    }
    case 'co.exchange': {
      const next = s.low32(x.args[1])
      s.emit('amoswap.w', resultOf(s, x), s.temporary('addi', device(s, x.args[0]), -1, CONTINUATION_OFFSET), next).aq = 1
      return true
    }
    case 'co.suspend':
    case 'co.suspendUntil': {
      const until = x.op === 'co.suspendUntil'
      if (until) s.parallel([{ to: a0 + 1, from: device(s, x.args[0]) }])
      const made = s.emit('suspend', -1, until ? a0 + 1 : -1)
      if (until) made.uses = [a0 + 1]
      made.clobbers = 'all'
      if (x.locals) s.suspension(made, x.locals)
      return true
    }
  }
  return false
}
