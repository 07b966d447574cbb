/**
 * Writes the interpreter: one case per operation of the predecoded slots. The tables below say what an instruction means;
 * each appears once although most become several cases (by instruction length, by kind of jump).
 */
import { operations } from './operations.ts'

/** Register-to-register and immediate arithmetic: the value of rd. */
const arithmetic: Readonly<Record<string, string>> = {
  lui: 'immediate(slot)',
  auipc: 'bias + (slot >>> 2) + immediate(slot)',
  addi: 'first(h, slot) + immediate(slot)',
  slti: '<i64>first(h, slot) < <i64>immediate(slot) ? 1 : 0',
  sltiu: 'first(h, slot) < immediate(slot) ? 1 : 0',
  xori: 'first(h, slot) ^ immediate(slot)',
  ori: 'first(h, slot) | immediate(slot)',
  andi: 'first(h, slot) & immediate(slot)',
  addiw: 'word(first(h, slot) + immediate(slot))',
  slli: 'first(h, slot) << immediateOf(slot)',
  srli: 'first(h, slot) >>> immediateOf(slot)',
  srai: '<u64>(<i64>first(h, slot) >> immediateOf(slot))',
  slliw: 'word(first(h, slot) << immediateOf(slot))',
  srliw: '<u64>(<i64>(<i32>(<u32>first(h, slot) >>> immediateOf(slot))))',
  sraiw: '<u64>(<i64>(<i32>first(h, slot) >> immediateOf(slot)))',
  add: 'first(h, slot) + second(h, slot)',
  sub: 'first(h, slot) - second(h, slot)',
  sll: 'first(h, slot) << (second(h, slot) & 63)',
  slt: '<i64>first(h, slot) < <i64>second(h, slot) ? 1 : 0',
  sltu: 'first(h, slot) < second(h, slot) ? 1 : 0',
  xor: 'first(h, slot) ^ second(h, slot)',
  srl: 'first(h, slot) >>> (second(h, slot) & 63)',
  sra: '<u64>(<i64>first(h, slot) >> (second(h, slot) & 63))',
  or: 'first(h, slot) | second(h, slot)',
  and: 'first(h, slot) & second(h, slot)',
  addw: 'word(first(h, slot) + second(h, slot))',
  subw: 'word(first(h, slot) - second(h, slot))',
  sllw: '<u64>(<i64>(<i32>first(h, slot) << (<i32>second(h, slot) & 31)))',
  srlw: '<u64>(<i64>(<i32>(<u32>first(h, slot) >>> (<u32>second(h, slot) & 31))))',
  sraw: '<u64>(<i64>(<i32>first(h, slot) >> (<i32>second(h, slot) & 31)))',
}

/** Multiplication and division: the value of rd, and the class that it costs. */
const multiplication: Readonly<Record<string, readonly [value: string, cost: 'MUL' | 'DIV']>> = {
  mul: ['first(h, slot) * second(h, slot)', 'MUL'],
  mulh: ['multiplyHighSigned(first(h, slot), second(h, slot))', 'MUL'],
  mulhsu: ['multiplyHighSignedUnsigned(first(h, slot), second(h, slot))', 'MUL'],
  mulhu: ['multiplyHigh(first(h, slot), second(h, slot))', 'MUL'],
  div: ['divideSigned(<i64>first(h, slot), <i64>second(h, slot))', 'DIV'],
  divu: ['second(h, slot) == 0 ? <u64>-1 : first(h, slot) / second(h, slot)', 'DIV'],
  rem: ['remainderSigned(<i64>first(h, slot), <i64>second(h, slot))', 'DIV'],
  remu: ['second(h, slot) == 0 ? first(h, slot) : first(h, slot) % second(h, slot)', 'DIV'],
  mulw: ['word(first(h, slot) * second(h, slot))', 'MUL'],
  divw: ['divideSignedWord(<i32>first(h, slot), <i32>second(h, slot))', 'DIV'],
  divuw: ['<u32>second(h, slot) == 0 ? <u64>-1 : word(<u64>(<u32>first(h, slot) / <u32>second(h, slot)))', 'DIV'],
  remw: ['remainderSignedWord(<i32>first(h, slot), <i32>second(h, slot))', 'DIV'],
  remuw: ['<u32>second(h, slot) == 0 ? word(first(h, slot)) : word(<u64>(<u32>first(h, slot) % <u32>second(h, slot)))', 'DIV'],
}

/** Branches: the condition. */
const conditions: Readonly<Record<string, string>> = {
  beq: 'first(h, slot) == second(h, slot)',
  bne: 'first(h, slot) != second(h, slot)',
  blt: '<i64>first(h, slot) < <i64>second(h, slot)',
  bge: '<i64>first(h, slot) >= <i64>second(h, slot)',
  bltu: 'first(h, slot) < second(h, slot)',
  bgeu: 'first(h, slot) >= second(h, slot)',
}

interface Load {
  readonly size: 1 | 2 | 4 | 8
  /** From memory at POINTER, and from the zero-extended VALUE of the slow path. */
  readonly fast: string
  readonly slow: string
  readonly float?: 'S' | 'D'
}

const loads: Readonly<Record<string, Load>> = {
  lb: { size: 1, fast: '<u64>(<i64>load<i8>(POINTER))', slow: '<u64>(<i64>(<i8>value))' },
  lh: { size: 2, fast: '<u64>(<i64>load<i16>(POINTER))', slow: '<u64>(<i64>(<i16>value))' },
  lw: { size: 4, fast: '<u64>(<i64>load<i32>(POINTER))', slow: 'word(value)' },
  ld: { size: 8, fast: 'load<u64>(POINTER)', slow: 'value' },
  lbu: { size: 1, fast: '<u64>load<u8>(POINTER)', slow: 'value' },
  lhu: { size: 2, fast: '<u64>load<u16>(POINTER)', slow: 'value' },
  lwu: { size: 4, fast: '<u64>load<u32>(POINTER)', slow: 'value' },
  flw: { size: 4, fast: 'load<u32>(POINTER)', slow: '<u32>value', float: 'S' },
  fld: { size: 8, fast: 'load<u64>(POINTER)', slow: 'value', float: 'D' },
}

interface Store {
  readonly size: 1 | 2 | 4 | 8
  readonly float?: true
}

const stores: Readonly<Record<string, Store>> = {
  sb: { size: 1 },
  sh: { size: 2 },
  sw: { size: 4 },
  sd: { size: 8 },
  fsw: { size: 4, float: true },
  fsd: { size: 8, float: true },
}

const csrOperations: Readonly<Record<string, 'write' | 'set' | 'clear'>> = {
  csrrw: 'write',
  csrrs: 'set',
  csrrc: 'clear',
  csrrwi: 'write',
  csrrsi: 'set',
  csrrci: 'clear',
}

const DOUBLES = 'floatReg(h, rs1Of(slot)), floatReg(h, rs2Of(slot))'
const SINGLES = 'singleReg(h, rs1Of(slot)), singleReg(h, rs2Of(slot))'

/** Frequent float operations: what they do, whether \`mode\` is theirs, and what they cost. */
const floats: Readonly<Record<string, { readonly action: string; readonly rounded: boolean; readonly cost: string }>> = {
  fadd_d: { action: `addDouble(h, rdOf(slot), ${DOUBLES}, 0, mode)`, rounded: true, cost: 'FP_ADD' },
  fsub_d: { action: `addDouble(h, rdOf(slot), ${DOUBLES}, 1, mode)`, rounded: true, cost: 'FP_ADD' },
  fmul_d: { action: `multiplyDouble(h, rdOf(slot), ${DOUBLES}, mode)`, rounded: true, cost: 'FP_MUL' },
  fadd_s: { action: `addSingle(h, rdOf(slot), ${SINGLES}, 0, mode)`, rounded: true, cost: 'FP_ADD' },
  fsub_s: { action: `addSingle(h, rdOf(slot), ${SINGLES}, 1, mode)`, rounded: true, cost: 'FP_ADD' },
  fmul_s: { action: `multiplySingle(h, rdOf(slot), ${SINGLES}, mode)`, rounded: true, cost: 'FP_MUL' },
  fmadd_d: {
    action: `fusedDouble(h, rdOf(slot), ${DOUBLES}, floatReg(h, rs3Of(slot)), 0, 0, mode)`,
    rounded: true,
    cost: 'FP_MUL',
  },
  fsgnj_d: {
    action:
      'setFloatReg(h, rdOf(slot), (floatReg(h, rs1Of(slot)) & 0x7fff_ffff_ffff_ffff) | (floatReg(h, rs2Of(slot)) & 0x8000_0000_0000_0000))',
    rounded: false,
    cost: 'FP_MOVE',
  },
  fmv_d_x: { action: 'setFloatReg(h, rdOf(slot), first(h, slot))', rounded: false, cost: 'FP_MOVE' },
  fmv_x_d: { action: 'put(h, slot, floatReg(h, rs1Of(slot)))', rounded: false, cost: 'FP_MOVE' },
}

/** An operation and, where it has a compressed form, its short twin: prefix, slots to move on, bytes. */
const LENGTHS = [
  { prefix: '', slots: 'FULL', bytes: 4 },
  { prefix: 'c_', slots: 'SHORT', bytes: 2 },
] as const
type Length = (typeof LENGTHS)[number]

/** The cases of one instruction for each length that the decoder can produce. */
function perLength(name: string, write: (length: Length) => string): string {
  const probe = (length: Length) =>
    operations.some((operation) => operation === `${length.prefix}${name}` || operation.startsWith(`${length.prefix}${name}_`))
  return LENGTHS.filter(probe).map(write).join('\n')
}

/** A case that always goes on behind the instruction. */
function simpleCase(name: string, ...statements: string[]): string {
  return perLength(name, ({ prefix, slots }) => `case Op.${prefix}${name}:\n${statements.join('\n')}\nslot += ${slots}\ncontinue`)
}

const charge = (cost: string) => `stall += <i64>load<u32>(GLOBAL + COST_${cost})`

/** Leaves the fast loop: H_PC and the counters say where and when to go on. */
const synchronizeHere = 'synchronize(h, bias + (slot >>> 2), retired, stall)'

const illegalHere = `${synchronizeHere}
raiseIllegal(h)
break`

/** Goes on at H_PC, which may lie anywhere. */
const enterAnew = `slot = enter(h)
if (slot == 0) break
bias = load<u64>(h, H_BIAS)
warm(h, slot, bias)
continue`

function branchCases(name: string): string {
  const condition = conditions[name]
  return perLength(
    name,
    ({ prefix, slots }) => `case Op.${prefix}${name}_forward:
if (${condition}) {
${charge('BRANCH_TAKEN')}
slot += immediateOf(slot)
} else slot += ${slots}
continue
case Op.${prefix}${name}_backward:
if (${condition}) {
${charge('BRANCH_TAKEN')}
slot += immediateOf(slot)
if (retired + stall < load<i64>(h, H_LIMIT)) {
warm(h, slot, bias)
continue
}
${synchronizeHere}
break
}
slot += ${slots}
continue
case Op.${prefix}${name}_far:
if (${condition}) {
${charge('BRANCH_TAKEN')}
const offset = immediateOf(slot)
synchronize(h, bias + (slot >>> 2) + <u64>(<i64>offset), retired, stall)
if (offset <= 0 && retired + stall >= load<i64>(h, H_LIMIT)) break
${enterAnew}
}
slot += ${slots}
continue`,
  )
}

/** Goes on at \`target\`, through the fetch table where it can. */
const jumpToTarget = `const entry = <usize>load<u32>(h, H_FETCH) + ((<usize>(target >>> 12) & (FETCH_ENTRIES - 1)) << 4)
if (load<u64>(entry) == (target & PAGE) && load<u32>(h, H_STEP) == 0) {
const start = <usize>load<u32>(entry, 8)
bias = (target & PAGE) - <u64>(start >>> 2)
slot = start + ((<usize>target & 0xffe) << 2)
warm(h, slot, bias)
continue
}
synchronize(h, target, retired, stall)
${enterAnew}`

function jumpCases(): string {
  const jal = perLength(
    'jal',
    ({ prefix, bytes }) => `case Op.${prefix}jal_forward:
put(h, slot, bias + (slot >>> 2) + ${bytes})
${charge('JUMP')}
slot += immediateOf(slot)
continue
case Op.${prefix}jal_backward:
put(h, slot, bias + (slot >>> 2) + ${bytes})
${charge('JUMP')}
slot += immediateOf(slot)
if (retired + stall < load<i64>(h, H_LIMIT)) {
warm(h, slot, bias)
continue
}
${synchronizeHere}
break
case Op.${prefix}jal_far: {
const pc = bias + (slot >>> 2)
const offset = immediateOf(slot)
put(h, slot, pc + ${bytes})
${charge('JUMP')}
const target = pc + <u64>(<i64>offset)
if (offset <= 0 && retired + stall >= load<i64>(h, H_LIMIT)) {
synchronize(h, target, retired, stall)
break
}
${jumpToTarget}
}`,
  )
  const jalr = perLength(
    'jalr',
    ({ prefix, bytes }) => `case Op.${prefix}jalr: {
const target = (first(h, slot) + immediate(slot)) & ~1
put(h, slot, bias + (slot >>> 2) + ${bytes})
${charge('JUMP')}
if (retired + stall >= load<i64>(h, H_LIMIT)) {
synchronize(h, target, retired, stall)
break
}
${jumpToTarget}
}`,
  )
  return `${jal}\n${jalr}`
}

const floatCheck = `if (load<u8>(h, H_FS) == 0) {
${illegalHere}
}
`

function loadCases(name: string, { size, fast, slow, float }: Load): string {
  const set = (value: string) =>
    float === 'D'
      ? `setFloatReg(h, rdOf(slot), ${value})`
      : float === 'S'
        ? `setSingleReg(h, rdOf(slot), ${value})`
        : `put(h, slot, ${value})`
  return perLength(
    name,
    ({ prefix, slots }) => `case Op.${prefix}${name}: {
${float ? floatCheck : ''}const address = addressOf(h, slot)
const entry = tlbEntry(tlb, address)
${charge('LOAD')}
if (readable(entry, address, ${size - 1})) ${set(fast.replace('POINTER', 'pointerOf(entry, address)'))}
else {
const value = missedLoad(h, address, ${size}, bias + (slot >>> 2), retired, stall)
if (load<u32>(h, H_FAULTED) != 0) break
stall = stallOf(h)
${set(slow)}
}
slot += ${slots}
continue
}`,
  )
}

function storeCases(name: string, { size, float }: Store): string {
  const source = float ? 'floatReg(h, rs2Of(slot))' : 'second(h, slot)'
  const type = `u${size * 8}`
  return perLength(
    name,
    ({ prefix, slots }) => `case Op.${prefix}${name}: {
${float ? floatCheck : ''}const address = addressOf(h, slot)
const entry = tlbEntry(tlb, address)
${charge('STORE')}
if (writable(entry, address, ${size - 1})) store<${type}>(pointerOf(entry, address), <${type}>${source})
else {
missedStore(h, address, ${size}, ${source}, bias + (slot >>> 2), retired, stall)
if (load<u32>(h, H_FAULTED) != 0) break
stall = stallOf(h)
}
slot += ${slots}
continue
}`,
  )
}

function csrCase(name: string): string {
  const operation = csrOperations[name]
  const operand = name.endsWith('i') ? '<u64>rs1Of(slot)' : 'first(h, slot)'
  const writes = operation === 'write' ? 'true' : 'rs1Of(slot) != 0'
  return `case Op.${name}: {
synchronize(h, bias + (slot >>> 2), retired, stall + <i64>load<u32>(GLOBAL + COST_CSR))
const old = executeCsr(h, immediateOf(slot), CsrOperation.${operation}, ${operand}, ${writes})
if (illegal) {
raiseIllegal(h)
break
}
put(h, slot, old)
stall = stallOf(h)
slot += FULL
if (retired + stall < load<i64>(h, H_LIMIT)) {
tlb = <usize>load<u32>(h, H_TLB)
continue
}
store<u64>(h, bias + (slot >>> 2), H_PC)
break
}`
}

function floatCase(name: string): string {
  const { action, rounded, cost } = floats[name]
  const mode = rounded ? 'const mode = roundingMode(h, <u32>load<u8>(slot, 4))\n' : ''
  return `case Op.${name}: {
${mode}if (load<u8>(h, H_FS) == 0${rounded ? ' || mode > 4' : ''}) {
${illegalHere}
}
${action}
${charge(cost)}
slot += FULL
continue
}`
}

/** Source text of \`core/generated/execute.ts\`. */
export function generateInterpreter(): string {
  return [
    '// Generated by machine/hart/generate-interpreter.ts.',
    opening,
    ...Object.entries(arithmetic).map(([name, value]) => simpleCase(name, `put(h, slot, ${value})`)),
    ...Object.entries(multiplication).map(([name, [value, cost]]) => simpleCase(name, `put(h, slot, ${value})`, charge(cost))),
    ...Object.keys(conditions).map(branchCases),
    jumpCases(),
    ...Object.entries(loads).map(([name, row]) => loadCases(name, row)),
    ...Object.entries(stores).map(([name, row]) => storeCases(name, row)),
    ...Object.keys(csrOperations).map(csrCase),
    groups,
    ...Object.keys(floats).map(floatCase),
    closing,
  ].join('\n')
}

/** Imports, accessors and the loop up to the first of the cases above. */
const opening = `/**
 * The interpreter: runs predecoded slots until the hart must look up. Registers live in memory; pc is implied by the slot.
 *
 * Check points (contracts: a taken backward branch, jalr, a CSR or system instruction, a trap) compare the clock with H_LIMIT;
 * nothing else does, so that any engine that checks at the same places behaves alike to the cycle.
 */
import {
  COST_BRANCH_TAKEN,
  COST_CSR,
  COST_DIV,
  COST_FP_ADD,
  COST_FP_MOVE,
  COST_FP_MUL,
  COST_JUMP,
  COST_LOAD,
  COST_MUL,
  COST_STORE,
  FETCH_ENTRIES,
  GLOBAL,
  G_COMPILED_RETIRED,
  G_HOT,
  HEAT,
  HEAT_ENTRIES,
  H_BIAS,
  H_F,
  H_FAULTED,
  H_FETCH,
  H_FS,
  H_ID,
  H_LIMIT,
  H_PC,
  H_RETIRED,
  H_STALL,
  H_STEP,
  H_TLB,
  LOOK_UP,
  REFUSE,
  SLOT_BYTES,
} from '../../layout'
import { executeAtomic } from '../atomic'
import { decodeSlot } from '../code'
import { CsrOperation, executeCsr } from '../csr'
import { illegal } from '../csr-status'
import { crossingSlot, enter, hiddenSlot, instructionWord, scratchSlot, stopAtBreakpoint } from '../fetch'
import { addDouble, addSingle, executeFloat, fusedDouble, multiplyDouble, multiplySingle, roundingMode } from '../float'
import { Op } from './decoder'
import { divideSigned, divideSignedWord, multiplyHighSigned, multiplyHighSignedUnsigned, remainderSigned, remainderSignedWord } from '../integer'
import { hot, refused } from '../host'
import { loadSlow, storeSlow } from '../memory'
import { multiplyHigh } from '../softfloat'
import { floatReg, reg, setFloatReg, setReg, setSingleReg, singleReg } from '../state'
import { Outcome, executeSystem } from '../system'
import { service } from '../schedule'
import { tlbEntry } from '../tlb'
import { Cause, raise } from '../trap'

const SHORT: usize = SLOT_BYTES
const FULL: usize = 2 * SLOT_BYTES
const PAGE: u64 = ~(<u64>0xfff)

@inline function rdOf(slot: usize): u32 {
  return load<u8>(slot, 1)
}
@inline function rs1Of(slot: usize): u32 {
  return load<u8>(slot, 2)
}
@inline function rs2Of(slot: usize): u32 {
  return load<u8>(slot, 3)
}
/** Third source of fmadd, beside the rounding mode. */
@inline function rs3Of(slot: usize): u32 {
  return load<u8>(slot, 5)
}
@inline function immediateOf(slot: usize): i32 {
  return load<i32>(slot, 4)
}
@inline function first(h: usize, slot: usize): u64 {
  return reg(h, rs1Of(slot))
}
@inline function second(h: usize, slot: usize): u64 {
  return reg(h, rs2Of(slot))
}
@inline function immediate(slot: usize): u64 {
  return <u64>(<i64>immediateOf(slot))
}
@inline function put(h: usize, slot: usize, value: u64): void {
  setReg(h, rdOf(slot), value)
}
@inline function word(value: u64): u64 {
  return <u64>(<i64>(<i32>value))
}
/** Address of a load or store. */
@inline function addressOf(h: usize, slot: usize): u64 {
  return first(h, slot) + immediate(slot)
}
/** The fast path serves an access when its last byte lies on the page of the tag. */
@inline function readable(entry: usize, address: u64, last: u64): bool {
  return load<u64>(entry) == ((address + last) & PAGE)
}
@inline function writable(entry: usize, address: u64, last: u64): bool {
  return load<u64>(entry, 8) == ((address + last) & PAGE)
}
@inline function pointerOf(entry: usize, address: u64): usize {
  return <usize>(<u32>address + load<u32>(entry, 16))
}
@inline function stallOf(h: usize): i64 {
  return load<i64>(h, H_STALL)
}
/** Makes pc and counters visible to the slow paths. */
@inline function synchronize(h: usize, pc: u64, retired: i64, stall: i64): void {
  store<u64>(h, pc, H_PC)
  store<i64>(h, retired, H_RETIRED)
  store<i64>(h, stall, H_STALL)
}

/** Counts that control came to a slot by a jump; the JIT hears of the frequent ones. */
@inline function warm(h: usize, slot: usize, bias: u64): void {
  const at = HEAT + ((slot >>> 2) & (2 * HEAT_ENTRIES - 2))
  const count = load<u16>(at) + 1
  store<u16>(at, count)
  if (count == load<u32>(GLOBAL + G_HOT)) becomeHot(h, slot, bias + (slot >>> 2))
}

function becomeHot(h: usize, slot: usize, pc: u64): void {
  hot(load<u32>(h, H_ID), <u32>slot, <u32>pc, <u32>(pc >>> 32))
}

/** Loads through the slow path: the value, or a trap (H_FAULTED). */
function missedLoad(h: usize, address: u64, size: u32, pc: u64, retired: i64, stall: i64): u64 {
  synchronize(h, pc, retired, stall)
  return loadSlow(h, address, size)
}

function missedStore(h: usize, address: u64, size: u32, value: u64, pc: u64, retired: i64, stall: i64): void {
  synchronize(h, pc, retired, stall)
  storeSlow(h, address, size, value)
}

/** Runs the hart until \`service\` says that it must not go on. */
export function execute(h: usize): void {
  let retired = load<i64>(h, H_RETIRED)
  let stall = load<i64>(h, H_STALL)
  // Steps and stops of the debugger look first.
  while (true) {
    if (retired + stall >= load<i64>(h, H_LIMIT)) {
      if (!service(h)) return
      stall = load<i64>(h, H_STALL)
    }
    let slot = enter(h)
    let bias = load<u64>(h, H_BIAS)
    let tlb = <usize>load<u32>(h, H_TLB)
    if (slot == 0) {
      retired = load<i64>(h, H_RETIRED)
      stall = load<i64>(h, H_STALL)
      continue
    }
    warm(h, slot, bias)
    while (true) {
      retired++
      switch (<i32>load<u8>(slot)) {
        case Op.undecoded:
          retired--
          decodeSlot(slot, bias + (slot >>> 2))
          continue
        case Op.page_end: {
          retired--
          synchronize(h, bias + (slot >>> 2), retired, stall)
          slot = enter(h)
          if (slot == 0) break
          bias = load<u64>(h, H_BIAS)
          continue
        }
        case Op.crossing: {
          retired--
          const pc = bias + (slot >>> 2)
          synchronize(h, pc, retired, stall)
          if (stopAtBreakpoint(h, pc)) break
          slot = crossingSlot(h, slot, pc)
          if (slot == 0) break
          bias = load<u64>(h, H_BIAS)
          continue
        }
        case Op.breakpoint: {
          retired--
          const pc = bias + (slot >>> 2)
          synchronize(h, pc, retired, stall)
          if (stopAtBreakpoint(h, pc)) break
          slot = scratchSlot(h, pc)
          if (slot == 0) break
          bias = load<u64>(h, H_BIAS)
          continue
        }
        case Op.compiled: {
          retired--
          const pc = bias + (slot >>> 2)
          synchronize(h, pc, retired, stall)
          const outcome = call_indirect<i32>(load<u16>(slot, 2), h, pc - immediate(slot))
          const before = retired
          retired = load<i64>(h, H_RETIRED)
          store<i64>(GLOBAL + G_COMPILED_RETIRED, load<i64>(GLOBAL + G_COMPILED_RETIRED) + retired - before)
          stall = stallOf(h)
          if (outcome == LOOK_UP) break
          if (outcome == REFUSE) {
            refused(load<u32>(h, H_ID), <u32>slot)
            slot = hiddenSlot(h, slot, pc)
            bias = load<u64>(h, H_BIAS)
            continue
          }
          tlb = <usize>load<u32>(h, H_TLB)
          ${enterAnew}
        }
        case Op.illegal:
          synchronize(h, bias + (slot >>> 2), retired, stall)
          raise(h, Cause.illegal, load<u32>(slot, 4))
          break`

/** Operations that carry a number within their group. */
const groups = `        // ---- groups ----
        case Op.amo:
          synchronize(h, bias + (slot >>> 2), retired, stall)
          if (!executeAtomic(h, rdOf(slot), rs1Of(slot), rs2Of(slot), immediateOf(slot) & 0xff)) break
          stall = stallOf(h)
          slot += FULL
          continue
        case Op.float:
          store<i64>(h, stall, H_STALL)
          if (!executeFloat(h, rdOf(slot), rs1Of(slot), rs2Of(slot), <u32>immediateOf(slot))) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          stall = stallOf(h)
          slot += FULL
          continue
        case Op.system: {
          synchronize(h, bias + (slot >>> 2), retired, stall)
          const outcome = executeSystem(h, immediateOf(slot) & 0xff, rdOf(slot), rs1Of(slot), 4)
          if (outcome == Outcome.illegal) {
            raiseIllegal(h)
            break
          }
          if (outcome == Outcome.moved) break
          stall = stallOf(h)
          slot += FULL
          if (retired + stall < load<i64>(h, H_LIMIT)) continue
          store<u64>(h, bias + (slot >>> 2), H_PC)
          break
        }
        case Op.c_system:
          // c.ebreak.
          synchronize(h, bias + (slot >>> 2), retired, stall)
          executeSystem(h, immediateOf(slot) & 0xff, 0, 0, 2)
          break`

const closing = `        default:
          // Every operation of the decoder has its case.
          unreachable()
      }
      // Reached by \`break\` only: H_PC says where to go on, the counters are in memory.
      retired = load<i64>(h, H_RETIRED)
      stall = load<i64>(h, H_STALL)
      break
    }
  }
}

/** An illegal instruction whose word must be fetched again for the trap value. */
function raiseIllegal(h: usize): void {
  raise(h, Cause.illegal, instructionWord(h, load<u64>(h, H_PC)))
}
`
