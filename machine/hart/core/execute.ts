/**
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
  H_BIAS,
  H_F,
  H_FAULTED,
  H_FETCH,
  H_FS,
  H_LIMIT,
  H_PC,
  H_RETIRED,
  H_STALL,
  H_STEP,
  H_TLB,
  SLOT_BYTES,
} from '../layout'
import { executeAtomic } from './atomic'
import { decodeSlot } from './code'
import { CsrOperation, executeCsr, illegal } from './csr'
import { enter, instructionWord, scratchSlot, stopAtBreakpoint } from './fetch'
import { addDouble, addSingle, executeFloat, fusedDouble, multiplyDouble, multiplySingle, roundingMode } from './float'
import { Op } from './generated/decoder'
import { divideSigned, divideSignedWord, multiplyHighSigned, multiplyHighSignedUnsigned, remainderSigned, remainderSignedWord } from './integer'
import { loadSlow, storeSlow } from './memory'
import { multiplyHigh } from './softfloat'
import { floatReg, reg, setFloatReg, setReg, setSingleReg, singleReg } from './state'
import { Outcome, executeSystem } from './system'
import { service } from './schedule'
import { Cause, raise } from './trap'

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
@inline function entryOf(tlb: usize, address: u64): usize {
  return tlb + (<usize>(address >>> 7) & 0x1fe0)
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

/** Loads through the slow path: the value, or a trap (H_FAULTED). */
function missedLoad(h: usize, address: u64, size: u32, pc: u64, retired: i64, stall: i64): u64 {
  synchronize(h, pc, retired, stall)
  return loadSlow(h, address, size)
}

function missedStore(h: usize, address: u64, size: u32, value: u64, pc: u64, retired: i64, stall: i64): void {
  synchronize(h, pc, retired, stall)
  storeSlow(h, address, size, value)
}

/** Runs the hart until `service` says that it must not go on. */
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
          slot = scratchSlot(h, pc)
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
        case Op.illegal:
          synchronize(h, bias + (slot >>> 2), retired, stall)
          raise(h, Cause.illegal, <u64>(<u32>immediateOf(slot)))
          break

        // ---- integer ----
        case Op.auipc: {
          put(h, slot, bias + (slot >>> 2) + immediate(slot))
          slot += FULL
          continue
        }
        case Op.lui: {
          put(h, slot, immediate(slot))
          slot += FULL
          continue
        }
        case Op.c_lui: {
          put(h, slot, immediate(slot))
          slot += SHORT
          continue
        }
        case Op.addi: {
          put(h, slot, first(h, slot) + immediate(slot))
          slot += FULL
          continue
        }
        case Op.c_addi: {
          put(h, slot, first(h, slot) + immediate(slot))
          slot += SHORT
          continue
        }
        case Op.slti: {
          put(h, slot, <i64>first(h, slot) < <i64>immediate(slot) ? 1 : 0)
          slot += FULL
          continue
        }
        case Op.sltiu: {
          put(h, slot, first(h, slot) < immediate(slot) ? 1 : 0)
          slot += FULL
          continue
        }
        case Op.xori: {
          put(h, slot, first(h, slot) ^ immediate(slot))
          slot += FULL
          continue
        }
        case Op.ori: {
          put(h, slot, first(h, slot) | immediate(slot))
          slot += FULL
          continue
        }
        case Op.andi: {
          put(h, slot, first(h, slot) & immediate(slot))
          slot += FULL
          continue
        }
        case Op.c_andi: {
          put(h, slot, first(h, slot) & immediate(slot))
          slot += SHORT
          continue
        }
        case Op.addiw: {
          put(h, slot, word(first(h, slot) + immediate(slot)))
          slot += FULL
          continue
        }
        case Op.c_addiw: {
          put(h, slot, word(first(h, slot) + immediate(slot)))
          slot += SHORT
          continue
        }
        case Op.slli: {
          put(h, slot, first(h, slot) << immediateOf(slot))
          slot += FULL
          continue
        }
        case Op.c_slli: {
          put(h, slot, first(h, slot) << immediateOf(slot))
          slot += SHORT
          continue
        }
        case Op.srli: {
          put(h, slot, first(h, slot) >>> immediateOf(slot))
          slot += FULL
          continue
        }
        case Op.c_srli: {
          put(h, slot, first(h, slot) >>> immediateOf(slot))
          slot += SHORT
          continue
        }
        case Op.srai: {
          put(h, slot, <u64>(<i64>first(h, slot) >> immediateOf(slot)))
          slot += FULL
          continue
        }
        case Op.c_srai: {
          put(h, slot, <u64>(<i64>first(h, slot) >> immediateOf(slot)))
          slot += SHORT
          continue
        }
        case Op.slliw: {
          put(h, slot, word(first(h, slot) << immediateOf(slot)))
          slot += FULL
          continue
        }
        case Op.srliw: {
          put(h, slot, <u64>(<i64>(<i32>(<u32>first(h, slot) >>> immediateOf(slot)))))
          slot += FULL
          continue
        }
        case Op.sraiw: {
          put(h, slot, <u64>(<i64>(<i32>first(h, slot) >> immediateOf(slot))))
          slot += FULL
          continue
        }
        case Op.add: {
          put(h, slot, first(h, slot) + second(h, slot))
          slot += FULL
          continue
        }
        case Op.c_add: {
          put(h, slot, first(h, slot) + second(h, slot))
          slot += SHORT
          continue
        }
        case Op.sub: {
          put(h, slot, first(h, slot) - second(h, slot))
          slot += FULL
          continue
        }
        case Op.c_sub: {
          put(h, slot, first(h, slot) - second(h, slot))
          slot += SHORT
          continue
        }
        case Op.sll: {
          put(h, slot, first(h, slot) << (second(h, slot) & 63))
          slot += FULL
          continue
        }
        case Op.slt: {
          put(h, slot, <i64>first(h, slot) < <i64>second(h, slot) ? 1 : 0)
          slot += FULL
          continue
        }
        case Op.sltu: {
          put(h, slot, first(h, slot) < second(h, slot) ? 1 : 0)
          slot += FULL
          continue
        }
        case Op.xor: {
          put(h, slot, first(h, slot) ^ second(h, slot))
          slot += FULL
          continue
        }
        case Op.c_xor: {
          put(h, slot, first(h, slot) ^ second(h, slot))
          slot += SHORT
          continue
        }
        case Op.srl: {
          put(h, slot, first(h, slot) >>> (second(h, slot) & 63))
          slot += FULL
          continue
        }
        case Op.sra: {
          put(h, slot, <u64>(<i64>first(h, slot) >> (second(h, slot) & 63)))
          slot += FULL
          continue
        }
        case Op.or: {
          put(h, slot, first(h, slot) | second(h, slot))
          slot += FULL
          continue
        }
        case Op.c_or: {
          put(h, slot, first(h, slot) | second(h, slot))
          slot += SHORT
          continue
        }
        case Op.and: {
          put(h, slot, first(h, slot) & second(h, slot))
          slot += FULL
          continue
        }
        case Op.c_and: {
          put(h, slot, first(h, slot) & second(h, slot))
          slot += SHORT
          continue
        }
        case Op.addw: {
          put(h, slot, word(first(h, slot) + second(h, slot)))
          slot += FULL
          continue
        }
        case Op.c_addw: {
          put(h, slot, word(first(h, slot) + second(h, slot)))
          slot += SHORT
          continue
        }
        case Op.subw: {
          put(h, slot, word(first(h, slot) - second(h, slot)))
          slot += FULL
          continue
        }
        case Op.c_subw: {
          put(h, slot, word(first(h, slot) - second(h, slot)))
          slot += SHORT
          continue
        }
        case Op.sllw: {
          put(h, slot, <u64>(<i64>(<i32>first(h, slot) << (<i32>second(h, slot) & 31))))
          slot += FULL
          continue
        }
        case Op.srlw: {
          put(h, slot, <u64>(<i64>(<i32>(<u32>first(h, slot) >>> (<u32>second(h, slot) & 31)))))
          slot += FULL
          continue
        }
        case Op.sraw: {
          put(h, slot, <u64>(<i64>(<i32>first(h, slot) >> (<i32>second(h, slot) & 31))))
          slot += FULL
          continue
        }
        // ---- multiply and divide ----
        case Op.mul: {
          put(h, slot, first(h, slot) * second(h, slot))
          stall += <i64>load<u32>(GLOBAL + COST_MUL)
          slot += FULL
          continue
        }
        case Op.mulh: {
          put(h, slot, multiplyHighSigned(first(h, slot), second(h, slot)))
          stall += <i64>load<u32>(GLOBAL + COST_MUL)
          slot += FULL
          continue
        }
        case Op.mulhsu: {
          put(h, slot, multiplyHighSignedUnsigned(first(h, slot), second(h, slot)))
          stall += <i64>load<u32>(GLOBAL + COST_MUL)
          slot += FULL
          continue
        }
        case Op.mulhu: {
          put(h, slot, multiplyHigh(first(h, slot), second(h, slot)))
          stall += <i64>load<u32>(GLOBAL + COST_MUL)
          slot += FULL
          continue
        }
        case Op.div: {
          put(h, slot, divideSigned(<i64>first(h, slot), <i64>second(h, slot)))
          stall += <i64>load<u32>(GLOBAL + COST_DIV)
          slot += FULL
          continue
        }
        case Op.divu: {
          put(h, slot, second(h, slot) == 0 ? <u64>-1 : first(h, slot) / second(h, slot))
          stall += <i64>load<u32>(GLOBAL + COST_DIV)
          slot += FULL
          continue
        }
        case Op.rem: {
          put(h, slot, remainderSigned(<i64>first(h, slot), <i64>second(h, slot)))
          stall += <i64>load<u32>(GLOBAL + COST_DIV)
          slot += FULL
          continue
        }
        case Op.remu: {
          put(h, slot, second(h, slot) == 0 ? first(h, slot) : first(h, slot) % second(h, slot))
          stall += <i64>load<u32>(GLOBAL + COST_DIV)
          slot += FULL
          continue
        }
        case Op.mulw: {
          put(h, slot, word(first(h, slot) * second(h, slot)))
          stall += <i64>load<u32>(GLOBAL + COST_MUL)
          slot += FULL
          continue
        }
        case Op.divw: {
          put(h, slot, divideSignedWord(<i32>first(h, slot), <i32>second(h, slot)))
          stall += <i64>load<u32>(GLOBAL + COST_DIV)
          slot += FULL
          continue
        }
        case Op.divuw: {
          put(h, slot, <u32>second(h, slot) == 0 ? <u64>-1 : word(<u64>(<u32>first(h, slot) / <u32>second(h, slot))))
          stall += <i64>load<u32>(GLOBAL + COST_DIV)
          slot += FULL
          continue
        }
        case Op.remw: {
          put(h, slot, remainderSignedWord(<i32>first(h, slot), <i32>second(h, slot)))
          stall += <i64>load<u32>(GLOBAL + COST_DIV)
          slot += FULL
          continue
        }
        case Op.remuw: {
          put(h, slot, <u32>second(h, slot) == 0 ? word(first(h, slot)) : word(<u64>(<u32>first(h, slot) % <u32>second(h, slot))))
          stall += <i64>load<u32>(GLOBAL + COST_DIV)
          slot += FULL
          continue
        }
        // ---- branches and jumps ----
        case Op.beq_forward:
          if (first(h, slot) == second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
          } else slot += FULL
          continue
        case Op.beq_backward:
          if (first(h, slot) == second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
            if (retired + stall < load<i64>(h, H_LIMIT)) continue
            synchronize(h, bias + (slot >>> 2), retired, stall)
            break
          }
          slot += FULL
          continue
        case Op.beq_far:
          if (first(h, slot) == second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            const offset = immediateOf(slot)
            synchronize(h, bias + (slot >>> 2) + <u64>(<i64>offset), retired, stall)
            if (offset <= 0 && retired + stall >= load<i64>(h, H_LIMIT)) break
            slot = enter(h)
            if (slot == 0) break
            bias = load<u64>(h, H_BIAS)
            continue
          }
          slot += FULL
          continue
        case Op.bne_forward:
          if (first(h, slot) != second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
          } else slot += FULL
          continue
        case Op.bne_backward:
          if (first(h, slot) != second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
            if (retired + stall < load<i64>(h, H_LIMIT)) continue
            synchronize(h, bias + (slot >>> 2), retired, stall)
            break
          }
          slot += FULL
          continue
        case Op.bne_far:
          if (first(h, slot) != second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            const offset = immediateOf(slot)
            synchronize(h, bias + (slot >>> 2) + <u64>(<i64>offset), retired, stall)
            if (offset <= 0 && retired + stall >= load<i64>(h, H_LIMIT)) break
            slot = enter(h)
            if (slot == 0) break
            bias = load<u64>(h, H_BIAS)
            continue
          }
          slot += FULL
          continue
        case Op.blt_forward:
          if (<i64>first(h, slot) < <i64>second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
          } else slot += FULL
          continue
        case Op.blt_backward:
          if (<i64>first(h, slot) < <i64>second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
            if (retired + stall < load<i64>(h, H_LIMIT)) continue
            synchronize(h, bias + (slot >>> 2), retired, stall)
            break
          }
          slot += FULL
          continue
        case Op.blt_far:
          if (<i64>first(h, slot) < <i64>second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            const offset = immediateOf(slot)
            synchronize(h, bias + (slot >>> 2) + <u64>(<i64>offset), retired, stall)
            if (offset <= 0 && retired + stall >= load<i64>(h, H_LIMIT)) break
            slot = enter(h)
            if (slot == 0) break
            bias = load<u64>(h, H_BIAS)
            continue
          }
          slot += FULL
          continue
        case Op.bge_forward:
          if (<i64>first(h, slot) >= <i64>second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
          } else slot += FULL
          continue
        case Op.bge_backward:
          if (<i64>first(h, slot) >= <i64>second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
            if (retired + stall < load<i64>(h, H_LIMIT)) continue
            synchronize(h, bias + (slot >>> 2), retired, stall)
            break
          }
          slot += FULL
          continue
        case Op.bge_far:
          if (<i64>first(h, slot) >= <i64>second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            const offset = immediateOf(slot)
            synchronize(h, bias + (slot >>> 2) + <u64>(<i64>offset), retired, stall)
            if (offset <= 0 && retired + stall >= load<i64>(h, H_LIMIT)) break
            slot = enter(h)
            if (slot == 0) break
            bias = load<u64>(h, H_BIAS)
            continue
          }
          slot += FULL
          continue
        case Op.bltu_forward:
          if (first(h, slot) < second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
          } else slot += FULL
          continue
        case Op.bltu_backward:
          if (first(h, slot) < second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
            if (retired + stall < load<i64>(h, H_LIMIT)) continue
            synchronize(h, bias + (slot >>> 2), retired, stall)
            break
          }
          slot += FULL
          continue
        case Op.bltu_far:
          if (first(h, slot) < second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            const offset = immediateOf(slot)
            synchronize(h, bias + (slot >>> 2) + <u64>(<i64>offset), retired, stall)
            if (offset <= 0 && retired + stall >= load<i64>(h, H_LIMIT)) break
            slot = enter(h)
            if (slot == 0) break
            bias = load<u64>(h, H_BIAS)
            continue
          }
          slot += FULL
          continue
        case Op.bgeu_forward:
          if (first(h, slot) >= second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
          } else slot += FULL
          continue
        case Op.bgeu_backward:
          if (first(h, slot) >= second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
            if (retired + stall < load<i64>(h, H_LIMIT)) continue
            synchronize(h, bias + (slot >>> 2), retired, stall)
            break
          }
          slot += FULL
          continue
        case Op.bgeu_far:
          if (first(h, slot) >= second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            const offset = immediateOf(slot)
            synchronize(h, bias + (slot >>> 2) + <u64>(<i64>offset), retired, stall)
            if (offset <= 0 && retired + stall >= load<i64>(h, H_LIMIT)) break
            slot = enter(h)
            if (slot == 0) break
            bias = load<u64>(h, H_BIAS)
            continue
          }
          slot += FULL
          continue
        case Op.c_beq_forward:
          if (first(h, slot) == second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
          } else slot += SHORT
          continue
        case Op.c_beq_backward:
          if (first(h, slot) == second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
            if (retired + stall < load<i64>(h, H_LIMIT)) continue
            synchronize(h, bias + (slot >>> 2), retired, stall)
            break
          }
          slot += SHORT
          continue
        case Op.c_beq_far:
          if (first(h, slot) == second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            const offset = immediateOf(slot)
            synchronize(h, bias + (slot >>> 2) + <u64>(<i64>offset), retired, stall)
            if (offset <= 0 && retired + stall >= load<i64>(h, H_LIMIT)) break
            slot = enter(h)
            if (slot == 0) break
            bias = load<u64>(h, H_BIAS)
            continue
          }
          slot += SHORT
          continue
        case Op.c_bne_forward:
          if (first(h, slot) != second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
          } else slot += SHORT
          continue
        case Op.c_bne_backward:
          if (first(h, slot) != second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            slot += immediateOf(slot)
            if (retired + stall < load<i64>(h, H_LIMIT)) continue
            synchronize(h, bias + (slot >>> 2), retired, stall)
            break
          }
          slot += SHORT
          continue
        case Op.c_bne_far:
          if (first(h, slot) != second(h, slot)) {
            stall += <i64>load<u32>(GLOBAL + COST_BRANCH_TAKEN)
            const offset = immediateOf(slot)
            synchronize(h, bias + (slot >>> 2) + <u64>(<i64>offset), retired, stall)
            if (offset <= 0 && retired + stall >= load<i64>(h, H_LIMIT)) break
            slot = enter(h)
            if (slot == 0) break
            bias = load<u64>(h, H_BIAS)
            continue
          }
          slot += SHORT
          continue
        case Op.jal_forward:
          put(h, slot, bias + (slot >>> 2) + 4)
          stall += <i64>load<u32>(GLOBAL + COST_JUMP)
          slot += immediateOf(slot)
          continue
        case Op.jal_backward:
          put(h, slot, bias + (slot >>> 2) + 4)
          stall += <i64>load<u32>(GLOBAL + COST_JUMP)
          slot += immediateOf(slot)
          if (retired + stall < load<i64>(h, H_LIMIT)) continue
          synchronize(h, bias + (slot >>> 2), retired, stall)
          break
        case Op.jal_far: {
          const pc = bias + (slot >>> 2)
          const offset = immediateOf(slot)
          put(h, slot, pc + 4)
          stall += <i64>load<u32>(GLOBAL + COST_JUMP)
          const target = pc + <u64>(<i64>offset)
          if (offset <= 0 && retired + stall >= load<i64>(h, H_LIMIT)) {
            synchronize(h, target, retired, stall)
            break
          }
          const entry = <usize>load<u32>(h, H_FETCH) + ((<usize>(target >>> 12) & (FETCH_ENTRIES - 1)) << 4)
          if (load<u64>(entry) == (target & PAGE) && load<u32>(h, H_STEP) == 0) {
            const start = <usize>load<u32>(entry, 8)
            bias = (target & PAGE) - <u64>(start >>> 2)
            slot = start + ((<usize>target & 0xffe) << 2)
            continue
          }
          synchronize(h, target, retired, stall)
          slot = enter(h)
          if (slot == 0) break
          bias = load<u64>(h, H_BIAS)
          continue
        }
        case Op.jalr: {
          const target = (first(h, slot) + immediate(slot)) & ~1
          put(h, slot, bias + (slot >>> 2) + 4)
          stall += <i64>load<u32>(GLOBAL + COST_JUMP)
          if (retired + stall >= load<i64>(h, H_LIMIT)) {
            synchronize(h, target, retired, stall)
            break
          }
          const entry = <usize>load<u32>(h, H_FETCH) + ((<usize>(target >>> 12) & (FETCH_ENTRIES - 1)) << 4)
          if (load<u64>(entry) == (target & PAGE) && load<u32>(h, H_STEP) == 0) {
            const start = <usize>load<u32>(entry, 8)
            bias = (target & PAGE) - <u64>(start >>> 2)
            slot = start + ((<usize>target & 0xffe) << 2)
            continue
          }
          synchronize(h, target, retired, stall)
          slot = enter(h)
          if (slot == 0) break
          bias = load<u64>(h, H_BIAS)
          continue
        }
        case Op.c_jal_forward:
          put(h, slot, bias + (slot >>> 2) + 2)
          stall += <i64>load<u32>(GLOBAL + COST_JUMP)
          slot += immediateOf(slot)
          continue
        case Op.c_jal_backward:
          put(h, slot, bias + (slot >>> 2) + 2)
          stall += <i64>load<u32>(GLOBAL + COST_JUMP)
          slot += immediateOf(slot)
          if (retired + stall < load<i64>(h, H_LIMIT)) continue
          synchronize(h, bias + (slot >>> 2), retired, stall)
          break
        case Op.c_jal_far: {
          const pc = bias + (slot >>> 2)
          const offset = immediateOf(slot)
          put(h, slot, pc + 2)
          stall += <i64>load<u32>(GLOBAL + COST_JUMP)
          const target = pc + <u64>(<i64>offset)
          if (offset <= 0 && retired + stall >= load<i64>(h, H_LIMIT)) {
            synchronize(h, target, retired, stall)
            break
          }
          const entry = <usize>load<u32>(h, H_FETCH) + ((<usize>(target >>> 12) & (FETCH_ENTRIES - 1)) << 4)
          if (load<u64>(entry) == (target & PAGE) && load<u32>(h, H_STEP) == 0) {
            const start = <usize>load<u32>(entry, 8)
            bias = (target & PAGE) - <u64>(start >>> 2)
            slot = start + ((<usize>target & 0xffe) << 2)
            continue
          }
          synchronize(h, target, retired, stall)
          slot = enter(h)
          if (slot == 0) break
          bias = load<u64>(h, H_BIAS)
          continue
        }
        case Op.c_jalr: {
          const target = (first(h, slot) + immediate(slot)) & ~1
          put(h, slot, bias + (slot >>> 2) + 2)
          stall += <i64>load<u32>(GLOBAL + COST_JUMP)
          if (retired + stall >= load<i64>(h, H_LIMIT)) {
            synchronize(h, target, retired, stall)
            break
          }
          const entry = <usize>load<u32>(h, H_FETCH) + ((<usize>(target >>> 12) & (FETCH_ENTRIES - 1)) << 4)
          if (load<u64>(entry) == (target & PAGE) && load<u32>(h, H_STEP) == 0) {
            const start = <usize>load<u32>(entry, 8)
            bias = (target & PAGE) - <u64>(start >>> 2)
            slot = start + ((<usize>target & 0xffe) << 2)
            continue
          }
          synchronize(h, target, retired, stall)
          slot = enter(h)
          if (slot == 0) break
          bias = load<u64>(h, H_BIAS)
          continue
        }
        // ---- loads and stores ----
        case Op.lb: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_LOAD)
          if (readable(entry, address, 0)) put(h, slot, <u64>(<i64>load<i8>(pointerOf(entry, address))))
          else {
            const value = missedLoad(h, address, 1, bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
            put(h, slot, <u64>(<i64>(<i8>value)))
          }
          slot += FULL
          continue
        }
        case Op.lh: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_LOAD)
          if (readable(entry, address, 1)) put(h, slot, <u64>(<i64>load<i16>(pointerOf(entry, address))))
          else {
            const value = missedLoad(h, address, 2, bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
            put(h, slot, <u64>(<i64>(<i16>value)))
          }
          slot += FULL
          continue
        }
        case Op.lw: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_LOAD)
          if (readable(entry, address, 3)) put(h, slot, <u64>(<i64>load<i32>(pointerOf(entry, address))))
          else {
            const value = missedLoad(h, address, 4, bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
            put(h, slot, word(value))
          }
          slot += FULL
          continue
        }
        case Op.c_lw: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_LOAD)
          if (readable(entry, address, 3)) put(h, slot, <u64>(<i64>load<i32>(pointerOf(entry, address))))
          else {
            const value = missedLoad(h, address, 4, bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
            put(h, slot, word(value))
          }
          slot += SHORT
          continue
        }
        case Op.ld: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_LOAD)
          if (readable(entry, address, 7)) put(h, slot, load<u64>(pointerOf(entry, address)))
          else {
            const value = missedLoad(h, address, 8, bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
            put(h, slot, value)
          }
          slot += FULL
          continue
        }
        case Op.c_ld: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_LOAD)
          if (readable(entry, address, 7)) put(h, slot, load<u64>(pointerOf(entry, address)))
          else {
            const value = missedLoad(h, address, 8, bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
            put(h, slot, value)
          }
          slot += SHORT
          continue
        }
        case Op.lbu: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_LOAD)
          if (readable(entry, address, 0)) put(h, slot, <u64>load<u8>(pointerOf(entry, address)))
          else {
            const value = missedLoad(h, address, 1, bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
            put(h, slot, value)
          }
          slot += FULL
          continue
        }
        case Op.lhu: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_LOAD)
          if (readable(entry, address, 1)) put(h, slot, <u64>load<u16>(pointerOf(entry, address)))
          else {
            const value = missedLoad(h, address, 2, bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
            put(h, slot, value)
          }
          slot += FULL
          continue
        }
        case Op.lwu: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_LOAD)
          if (readable(entry, address, 3)) put(h, slot, <u64>load<u32>(pointerOf(entry, address)))
          else {
            const value = missedLoad(h, address, 4, bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
            put(h, slot, value)
          }
          slot += FULL
          continue
        }
        case Op.flw: {
          if (load<u8>(h, H_FS) == 0) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_LOAD)
          if (readable(entry, address, 3)) setSingleReg(h, rdOf(slot), <u32>load<u32>(pointerOf(entry, address)))
          else {
            const value = missedLoad(h, address, 4, bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
            setSingleReg(h, rdOf(slot), <u32>value)
          }
          slot += FULL
          continue
        }
        case Op.fld: {
          if (load<u8>(h, H_FS) == 0) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_LOAD)
          if (readable(entry, address, 7)) setFloatReg(h, rdOf(slot), load<u64>(pointerOf(entry, address)))
          else {
            const value = missedLoad(h, address, 8, bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
            setFloatReg(h, rdOf(slot), value)
          }
          slot += FULL
          continue
        }
        case Op.c_fld: {
          if (load<u8>(h, H_FS) == 0) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_LOAD)
          if (readable(entry, address, 7)) setFloatReg(h, rdOf(slot), load<u64>(pointerOf(entry, address)))
          else {
            const value = missedLoad(h, address, 8, bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
            setFloatReg(h, rdOf(slot), value)
          }
          slot += SHORT
          continue
        }
        case Op.sb: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_STORE)
          if (writable(entry, address, 0)) store<u8>(pointerOf(entry, address), <u8>second(h, slot))
          else {
            missedStore(h, address, 1, second(h, slot), bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
          }
          slot += FULL
          continue
        }
        case Op.sh: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_STORE)
          if (writable(entry, address, 1)) store<u16>(pointerOf(entry, address), <u16>second(h, slot))
          else {
            missedStore(h, address, 2, second(h, slot), bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
          }
          slot += FULL
          continue
        }
        case Op.sw: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_STORE)
          if (writable(entry, address, 3)) store<u32>(pointerOf(entry, address), <u32>second(h, slot))
          else {
            missedStore(h, address, 4, second(h, slot), bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
          }
          slot += FULL
          continue
        }
        case Op.c_sw: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_STORE)
          if (writable(entry, address, 3)) store<u32>(pointerOf(entry, address), <u32>second(h, slot))
          else {
            missedStore(h, address, 4, second(h, slot), bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
          }
          slot += SHORT
          continue
        }
        case Op.sd: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_STORE)
          if (writable(entry, address, 7)) store<u64>(pointerOf(entry, address), <u64>second(h, slot))
          else {
            missedStore(h, address, 8, second(h, slot), bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
          }
          slot += FULL
          continue
        }
        case Op.c_sd: {
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_STORE)
          if (writable(entry, address, 7)) store<u64>(pointerOf(entry, address), <u64>second(h, slot))
          else {
            missedStore(h, address, 8, second(h, slot), bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
          }
          slot += SHORT
          continue
        }
        case Op.fsw: {
          if (load<u8>(h, H_FS) == 0) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_STORE)
          if (writable(entry, address, 3)) store<u32>(pointerOf(entry, address), <u32>load<u64>(h + (rs2Of(slot) << 3), H_F))
          else {
            missedStore(h, address, 4, load<u64>(h + (rs2Of(slot) << 3), H_F), bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
          }
          slot += FULL
          continue
        }
        case Op.fsd: {
          if (load<u8>(h, H_FS) == 0) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_STORE)
          if (writable(entry, address, 7)) store<u64>(pointerOf(entry, address), <u64>load<u64>(h + (rs2Of(slot) << 3), H_F))
          else {
            missedStore(h, address, 8, load<u64>(h + (rs2Of(slot) << 3), H_F), bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
          }
          slot += FULL
          continue
        }
        case Op.c_fsd: {
          if (load<u8>(h, H_FS) == 0) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          const address = addressOf(h, slot)
          const entry = entryOf(tlb, address)
          stall += <i64>load<u32>(GLOBAL + COST_STORE)
          if (writable(entry, address, 7)) store<u64>(pointerOf(entry, address), <u64>load<u64>(h + (rs2Of(slot) << 3), H_F))
          else {
            missedStore(h, address, 8, load<u64>(h + (rs2Of(slot) << 3), H_F), bias + (slot >>> 2), retired, stall)
            if (load<u32>(h, H_FAULTED) != 0) break
            stall = stallOf(h)
          }
          slot += SHORT
          continue
        }
        // ---- CSRs ----
        case Op.csrrw: {
          synchronize(h, bias + (slot >>> 2), retired, stall + <i64>load<u32>(GLOBAL + COST_CSR))
          const old = executeCsr(h, immediateOf(slot), CsrOperation.write, first(h, slot), true)
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
        }
        case Op.csrrs: {
          synchronize(h, bias + (slot >>> 2), retired, stall + <i64>load<u32>(GLOBAL + COST_CSR))
          const old = executeCsr(h, immediateOf(slot), CsrOperation.set, first(h, slot), rs1Of(slot) != 0)
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
        }
        case Op.csrrc: {
          synchronize(h, bias + (slot >>> 2), retired, stall + <i64>load<u32>(GLOBAL + COST_CSR))
          const old = executeCsr(h, immediateOf(slot), CsrOperation.clear, first(h, slot), rs1Of(slot) != 0)
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
        }
        case Op.csrrwi: {
          synchronize(h, bias + (slot >>> 2), retired, stall + <i64>load<u32>(GLOBAL + COST_CSR))
          const old = executeCsr(h, immediateOf(slot), CsrOperation.write, <u64>rs1Of(slot), true)
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
        }
        case Op.csrrsi: {
          synchronize(h, bias + (slot >>> 2), retired, stall + <i64>load<u32>(GLOBAL + COST_CSR))
          const old = executeCsr(h, immediateOf(slot), CsrOperation.set, <u64>rs1Of(slot), rs1Of(slot) != 0)
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
        }
        case Op.csrrci: {
          synchronize(h, bias + (slot >>> 2), retired, stall + <i64>load<u32>(GLOBAL + COST_CSR))
          const old = executeCsr(h, immediateOf(slot), CsrOperation.clear, <u64>rs1Of(slot), rs1Of(slot) != 0)
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
        }
        // ---- groups ----
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
          break
        // ---- frequent float operations ----
        case Op.fadd_d: {
          const mode = roundingMode(h, <u32>load<u8>(slot, 4))
          if (load<u8>(h, H_FS) == 0 || mode > 4) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          addDouble(h, rdOf(slot), floatReg(h, rs1Of(slot)), floatReg(h, rs2Of(slot)), 0, mode)
          stall += <i64>load<u32>(GLOBAL + COST_FP_ADD)
          slot += FULL
          continue
        }
        case Op.fsub_d: {
          const mode = roundingMode(h, <u32>load<u8>(slot, 4))
          if (load<u8>(h, H_FS) == 0 || mode > 4) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          addDouble(h, rdOf(slot), floatReg(h, rs1Of(slot)), floatReg(h, rs2Of(slot)), 1, mode)
          stall += <i64>load<u32>(GLOBAL + COST_FP_ADD)
          slot += FULL
          continue
        }
        case Op.fmul_d: {
          const mode = roundingMode(h, <u32>load<u8>(slot, 4))
          if (load<u8>(h, H_FS) == 0 || mode > 4) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          multiplyDouble(h, rdOf(slot), floatReg(h, rs1Of(slot)), floatReg(h, rs2Of(slot)), mode)
          stall += <i64>load<u32>(GLOBAL + COST_FP_MUL)
          slot += FULL
          continue
        }
        case Op.fadd_s: {
          const mode = roundingMode(h, <u32>load<u8>(slot, 4))
          if (load<u8>(h, H_FS) == 0 || mode > 4) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          addSingle(h, rdOf(slot), singleReg(h, rs1Of(slot)), singleReg(h, rs2Of(slot)), 0, mode)
          stall += <i64>load<u32>(GLOBAL + COST_FP_ADD)
          slot += FULL
          continue
        }
        case Op.fsub_s: {
          const mode = roundingMode(h, <u32>load<u8>(slot, 4))
          if (load<u8>(h, H_FS) == 0 || mode > 4) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          addSingle(h, rdOf(slot), singleReg(h, rs1Of(slot)), singleReg(h, rs2Of(slot)), 1, mode)
          stall += <i64>load<u32>(GLOBAL + COST_FP_ADD)
          slot += FULL
          continue
        }
        case Op.fmul_s: {
          const mode = roundingMode(h, <u32>load<u8>(slot, 4))
          if (load<u8>(h, H_FS) == 0 || mode > 4) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          multiplySingle(h, rdOf(slot), singleReg(h, rs1Of(slot)), singleReg(h, rs2Of(slot)), mode)
          stall += <i64>load<u32>(GLOBAL + COST_FP_MUL)
          slot += FULL
          continue
        }
        case Op.fmadd_d: {
          const mode = roundingMode(h, <u32>load<u8>(slot, 4))
          if (load<u8>(h, H_FS) == 0 || mode > 4) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          fusedDouble(h, rdOf(slot), floatReg(h, rs1Of(slot)), floatReg(h, rs2Of(slot)), floatReg(h, rs3Of(slot)), 0, 0, mode)
          stall += <i64>load<u32>(GLOBAL + COST_FP_MUL)
          slot += FULL
          continue
        }
        case Op.fsgnj_d: {
          if (load<u8>(h, H_FS) == 0) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          setFloatReg(h, rdOf(slot), (floatReg(h, rs1Of(slot)) & 0x7fff_ffff_ffff_ffff) | (floatReg(h, rs2Of(slot)) & 0x8000_0000_0000_0000))
          stall += <i64>load<u32>(GLOBAL + COST_FP_MOVE)
          slot += FULL
          continue
        }
        case Op.fmv_d_x: {
          if (load<u8>(h, H_FS) == 0) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          setFloatReg(h, rdOf(slot), first(h, slot))
          stall += <i64>load<u32>(GLOBAL + COST_FP_MOVE)
          slot += FULL
          continue
        }
        case Op.fmv_x_d: {
          if (load<u8>(h, H_FS) == 0) {
            synchronize(h, bias + (slot >>> 2), retired, stall)
            raiseIllegal(h)
            break
          }
          put(h, slot, floatReg(h, rs1Of(slot)))
          stall += <i64>load<u32>(GLOBAL + COST_FP_MOVE)
          slot += FULL
          continue
        }
        default:
          // Every operation of the decoder has its case.
          unreachable()
      }
      // Reached by `break` only: H_PC says where to go on, the counters are in memory.
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
