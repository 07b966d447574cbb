/**
 * What things cost in cycles, by timing profile. Every instruction takes one cycle; a table holds what comes on top.
 * Costs depend only on what every engine sees alike: the instruction's class, data-TLB misses, traps, CSR writes, device
 * accesses, atomics and which hart last touched their line.
 */
import * as L from '../hart/layout.ts'
import type { TimingProfile } from '../device/timing.ts'

export interface HartCosts {
  readonly load: number
  readonly store: number
  readonly branchTaken: number
  readonly jump: number
  readonly mul: number
  readonly div: number
  readonly fpAdd: number
  readonly fpMul: number
  readonly fpDiv: number
  readonly fpSqrt: number
  readonly fpMove: number
  readonly fpConvert: number
  readonly amo: number
  readonly csr: number
  readonly fence: number
  readonly trap: number
  readonly trapReturn: number
  readonly tlbMiss: number
  readonly satp: number
  readonly mmio: number
  /** An atomic on a line that another hart last touched atomically. */
  readonly lineTransfer: number
  readonly uipi: number
}

export interface BoardTiming {
  /** Cycles per second. */
  readonly frequency: number
  /** Ticks of `time` per second on `virt`. */
  readonly timebase: number
  /** From the write of an msip register to the other hart's pending bit, in cycles. */
  readonly ipiDelay: number
  readonly costs: HartCosts
}

export const BOARD_TIMING: Readonly<Record<TimingProfile, BoardTiming>> = {
  /** One instruction, one cycle: for reading programs' behaviour off the counter. Devices and other harts still take time. */
  ideal: {
    frequency: 100_000_000,
    timebase: 10_000_000,
    ipiDelay: 10,
    costs: {
      load: 0,
      store: 0,
      branchTaken: 0,
      jump: 0,
      mul: 0,
      div: 0,
      fpAdd: 0,
      fpMul: 0,
      fpDiv: 0,
      fpSqrt: 0,
      fpMove: 0,
      fpConvert: 0,
      amo: 0,
      csr: 0,
      fence: 0,
      trap: 0,
      trapReturn: 0,
      tlbMiss: 0,
      satp: 0,
      mmio: 0,
      lineTransfer: 10,
      uipi: 10,
    },
  },
  /**
   * A 64-bit Rocket core at 100 MHz on an FPGA. Pipeline figures: the Rocket Chip Generator report (UCB/EECS-2016-17) and its
   * sources: 5-stage in order, load-use 2, mispredicted branch 3, 64-bit multiplier and divider iterating 8 and 1 bits a cycle,
   * FMA latency 4 (double), CSR instructions drain the pipeline. Averaged to one figure a class, since no cache is modelled.
   * Traps are set so that raising, taking and leaving a user software interrupt with an empty handler (csrsi uip, entry, csrci uip,
   * uret) takes 66 to 72 cycles, and that from uipi.send to the first instruction of the handler are about 100 (uipi 20, 40 on the
   * way, entry 36, the rest instructions): the figures published for such a core with user interrupts.
   * hart/user-interrupts.spec.ts measures both with rdcycle, less what rdcycle itself takes.
   */
  rocket100: {
    frequency: 100_000_000,
    timebase: 10_000_000,
    ipiDelay: 40,
    costs: {
      load: 1,
      store: 0,
      branchTaken: 1,
      jump: 1,
      mul: 7,
      div: 33,
      fpAdd: 3,
      fpMul: 3,
      fpDiv: 24,
      fpSqrt: 24,
      fpMove: 1,
      fpConvert: 3,
      amo: 6,
      csr: 4,
      fence: 8,
      trap: 36,
      trapReturn: 20,
      tlbMiss: 30,
      satp: 8,
      mmio: 24,
      lineTransfer: 40,
      uipi: 20,
    },
  },
  /**
   * Kendryte K210: two Rocket cores at 400 MHz (datasheet, "CPU specifications"); the same pipeline, with memory and devices four
   * times as far away in cycles.
   */
  k210: {
    frequency: 400_000_000,
    timebase: 8_000_000,
    ipiDelay: 60,
    costs: {
      load: 1,
      store: 0,
      branchTaken: 1,
      jump: 1,
      mul: 7,
      div: 33,
      fpAdd: 3,
      fpMul: 3,
      fpDiv: 24,
      fpSqrt: 24,
      fpMove: 1,
      fpConvert: 3,
      amo: 8,
      csr: 4,
      fence: 10,
      trap: 36,
      trapReturn: 20,
      tlbMiss: 40,
      satp: 8,
      mmio: 40,
      lineTransfer: 50,
      uipi: 20,
    },
  },
}

/** Where each cost lives in the machine's memory. */
export const COST_OFFSETS: Readonly<Record<keyof HartCosts, number>> = {
  load: L.COST_LOAD,
  store: L.COST_STORE,
  branchTaken: L.COST_BRANCH_TAKEN,
  jump: L.COST_JUMP,
  mul: L.COST_MUL,
  div: L.COST_DIV,
  fpAdd: L.COST_FP_ADD,
  fpMul: L.COST_FP_MUL,
  fpDiv: L.COST_FP_DIV,
  fpSqrt: L.COST_FP_SQRT,
  fpMove: L.COST_FP_MOVE,
  fpConvert: L.COST_FP_CONVERT,
  amo: L.COST_AMO,
  csr: L.COST_CSR,
  fence: L.COST_FENCE,
  trap: L.COST_TRAP,
  trapReturn: L.COST_TRAP_RETURN,
  tlbMiss: L.COST_TLB_MISS,
  satp: L.COST_SATP,
  mmio: L.COST_MMIO,
  lineTransfer: L.COST_LINE_TRANSFER,
  uipi: L.COST_UIPI,
}
