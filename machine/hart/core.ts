/** The hart core from the host's side: its memory, its exports, and the state of harts by name. */
import * as L from './layout.ts'

/** What the board answers when the core calls out. See core/host.ts. */
export interface CoreHost {
  mmioRead(hart: number, address: number, size: number): number
  mmioWrite(hart: number, address: number, size: number, value: number): number
  runEvents(): void
  drainTrace(): void
  tohost(low: number, high: number): void
  userInterrupt(hart: number, operation: number, receiver: number, value: bigint): bigint
  hot(hart: number, slot: number, pcLow: number, pcHigh: number): void
  refused(hart: number, slot: number): void
  codeChanged(page: number, first: number, last: number): void
  codeForgotten(): void
}

export interface CoreOptions {
  /** The compiled `hart.wasm`. */
  readonly module: WebAssembly.Module
  readonly harts: number
  readonly ramBase: number
  /** Bytes, a multiple of 4096. */
  readonly ramSize: number
  /** EXT_* bits. */
  readonly extensions: number
  readonly privileged: 12 | 9
  readonly cyclesPerTick: number
  readonly quantum: number
}

export interface CoreExports {
  run(): number
  reset(hart: number): void
  setWires(hart: number, bits: number, level: number): void
  setSoftware(hart: number, bits: number, level: number): void
  setTimerCompare(hart: number, value: bigint): void
  endRoundAt(cycle: bigint): void
  timeChanged(): void
  timeNow(hart: number): bigint
  requestStop(reason: number): void
  memoryChanged(address: bigint, size: bigint): void
  forgetCode(): void
  forgetTranslations(hart: number): void
  refreshTags(): void
  watchpointsChanged(): void
  hasRegister(hart: number, number: number): number
  readRegister(hart: number, number: number): bigint
  writeRegister(hart: number, number: number, value: bigint): number
  translateForDebugger(hart: number, address: bigint, access: number): bigint
  /** Decodes the instruction at the end of one predecoded page and the start of another. */
  decodeCrossing(slot: number, first: number, second: number): void
  /** Where the interpreter finds compiled regions. */
  readonly table: WebAssembly.Table
}

const WASM_PAGE = 65536
/** Predecoded pages are pooled: 4096 of them cover 16 MiB of code that is warm at the same time. */
const MOST_POOL_PAGES = 4096
/** "Never", as a cycle. */
export const NEVER = 0x3fff_ffff_ffff_ffffn

export class HartCore {
  readonly memory: WebAssembly.Memory
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly words: Uint32Array
  readonly exports: CoreExports
  /** Linear-memory offset of RAM. */
  readonly ramOffset: number

  constructor(
    readonly options: CoreOptions,
    host: CoreHost,
  ) {
    const ramPages = options.ramSize / 4096
    const poolPages = Math.min(ramPages, MOST_POOL_PAGES)
    const pool = align(L.DYNAMIC_BASE + ramPages * 4, 4096)
    this.ramOffset = align(pool + poolPages * L.CODE_PAGE_BYTES, WASM_PAGE)
    this.memory = new WebAssembly.Memory({ initial: (this.ramOffset + align(options.ramSize, WASM_PAGE)) / WASM_PAGE })
    this.bytes = new Uint8Array(this.memory.buffer)
    this.view = new DataView(this.memory.buffer)
    this.words = new Uint32Array(this.memory.buffer)
    const abort = () => {
      throw new Error('the hart core gave up')
    }
    const instance = new WebAssembly.Instance(options.module, { env: { memory: this.memory, abort }, board: { ...host } })
    this.exports = instance.exports as unknown as CoreExports

    this.setGlobal32(L.G_HART_COUNT, options.harts)
    this.setGlobal64(L.G_RAM_BASE, BigInt(options.ramBase))
    this.setGlobal64(L.G_RAM_SIZE, BigInt(options.ramSize))
    this.setGlobal32(L.G_RAM_OFFSET, this.ramOffset)
    this.setGlobal32(L.G_PAGES, L.DYNAMIC_BASE)
    this.setGlobal32(L.G_POOL, pool)
    this.setGlobal32(L.G_POOL_PAGES, poolPages)
    this.setGlobal32(L.G_EXTENSIONS, options.extensions)
    this.setGlobal32(L.G_PRIVILEGED, options.privileged)
    this.setGlobal32(L.G_CYCLES_PER_TICK, options.cyclesPerTick)
    this.setGlobal32(L.G_QUANTUM, options.quantum)
    this.setGlobal32(L.G_HOT, L.NEVER_HOT)
    this.setGlobal64(L.G_NEXT_EVENT, NEVER)
    this.setGlobal64(L.G_HOST_LIMIT, NEVER)
    for (let hart = 0; hart < options.harts; hart++) this.exports.reset(hart)
  }

  // ---- shared state ----

  global32(offset: number): number {
    return this.words[(L.GLOBAL + offset) >>> 2]
  }
  setGlobal32(offset: number, value: number): void {
    this.words[(L.GLOBAL + offset) >>> 2] = value
  }
  global64(offset: number): bigint {
    return this.view.getBigInt64(L.GLOBAL + offset, true)
  }
  setGlobal64(offset: number, value: bigint): void {
    this.view.setBigInt64(L.GLOBAL + offset, BigInt.asIntN(64, value), true)
  }
  /** A cycle count as a number; counts stay far below 2^53. */
  globalCycle(offset: number): number {
    const at = (L.GLOBAL + offset) >>> 2
    return this.words[at] + this.words[at + 1] * 2 ** 32
  }

  // ---- harts ----

  hart32(hart: number, offset: number): number {
    return this.words[(hartAddress(hart) + offset) >>> 2]
  }
  setHart32(hart: number, offset: number, value: number): void {
    this.words[(hartAddress(hart) + offset) >>> 2] = value
  }
  hart64(hart: number, offset: number): bigint {
    return this.view.getBigUint64(hartAddress(hart) + offset, true)
  }
  setHart64(hart: number, offset: number, value: bigint): void {
    this.view.setBigUint64(hartAddress(hart) + offset, BigInt.asUintN(64, value), true)
  }
  /** Cycles on the hart's own clock. */
  clock(hart: number): number {
    return this.retired(hart) + signed64(this.words, (hartAddress(hart) + L.H_STALL) >>> 2)
  }
  /** Instructions retired since reset. */
  retired(hart: number): number {
    return signed64(this.words, (hartAddress(hart) + L.H_RETIRED) >>> 2)
  }
  register(hart: number, index: number): bigint {
    return this.hart64(hart, L.H_X + index * 8)
  }
  setRegister(hart: number, index: number, value: bigint): void {
    if (index !== 0) this.setHart64(hart, L.H_X + index * 8, value)
  }
  /** The hart has been stopped at its pc: the breakpoint there does not stop it again, or nothing that its instruction does. */
  passStop(hart: number, what: typeof L.PASS_BREAKPOINT | typeof L.PASS_WATCHPOINTS = L.PASS_BREAKPOINT): void {
    this.setHart32(hart, L.H_SKIP, what)
    this.setHart64(hart, L.H_SKIP_ADDRESS, this.pc(hart))
    this.setHart32(hart, L.H_SKIP_RETIRED, this.hart32(hart, L.H_RETIRED))
  }
  pc(hart: number): bigint {
    return this.hart64(hart, L.H_PC)
  }
  setPc(hart: number, pc: bigint): void {
    this.setHart64(hart, L.H_PC, pc)
  }
}

export function hartAddress(hart: number): number {
  return L.HART_BASE + hart * L.HART_STRIDE
}

function signed64(words: Uint32Array, at: number): number {
  return words[at] + (words[at + 1] | 0) * 2 ** 32
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to
}
