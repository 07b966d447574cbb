/**
 * The platform-level interrupt controller (RISC-V PLIC specification 1.0.0) with level-sensitive gateways, and edge-triggered
 * ones for the sources that ask for them.
 * Contexts are numbered as QEMU's `virt` numbers them: hart 0 M, hart 0 S, hart 1 M, … and then, with `userContexts`
 * (the N extension), hart 0 U, hart 1 U, …
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Device, DeviceLog, DeviceState, InterruptLine } from './device.ts'

const PRIORITY = 0x00_0000 // 4 bytes for each source
const PENDING = 0x00_1000 // 1 bit for each source
const ENABLE = 0x00_2000 // 1 bit for each source, 0x80 bytes for each context
const ENABLE_STRIDE = 0x80
const CONTEXT = 0x20_0000 // 0x1000 bytes for each context
const CONTEXT_STRIDE = 0x1000
const THRESHOLD = 0
const CLAIM = 4

/** Three bits of priority, as QEMU's `virt` and the K210 have. */
const PRIORITY_MASK = 7

export interface PlicOptions {
  /** How many source numbers there are, the reserved source 0 among them. */
  readonly sources: number
  readonly harts: number
  /** One more context for each hart, for user-mode external interrupts. */
  readonly userContexts?: boolean
  /**
   * Sources whose gateway makes a request of each rising edge and none of a wire that is still high at completion
   * (PLIC 1.0.0, "Interrupt Gateways"). An edge while one is in service is kept.
   */
  readonly edgeTriggered?: readonly number[]
  /** Told when a device's wire changes. */
  readonly onLine?: (source: number, level: boolean) => void
}

export function plicContextCount(options: PlicOptions): number {
  return options.harts * (options.userContexts ? 3 : 2)
}

export function plicContext(options: PlicOptions, hart: number, mode: 'machine' | 'supervisor' | 'user'): number {
  if (mode === 'user') return options.harts * 2 + hart
  return hart * 2 + (mode === 'machine' ? 0 : 1)
}

export class Plic implements Device {
  private readonly words: number
  private readonly priority: Uint32Array
  /** The wires from the devices, as the gateways see them. */
  private readonly level: Uint32Array
  private readonly pending: Uint32Array
  /** Claimed and not yet completed: the gateway holds back further requests (PLIC 1.0.0, "Interrupt Gateways"). */
  private readonly inService: Uint32Array
  private readonly enable: Uint32Array
  private readonly threshold: Uint32Array
  private readonly unknown: AccessLog

  /** `outputs[context]` is the external interrupt wire into that hart and mode; undefined for contexts that do not exist. */
  constructor(
    readonly name: string,
    private readonly options: PlicOptions,
    private readonly outputs: readonly (InterruptLine | undefined)[],
    log: DeviceLog,
  ) {
    if (outputs.length !== plicContextCount(options))
      throw new Error(`${name}: ${outputs.length} outputs for ${plicContextCount(options)} contexts`)
    this.unknown = new AccessLog(name, log)
    this.words = Math.ceil(options.sources / 32)
    this.priority = new Uint32Array(options.sources)
    this.level = new Uint32Array(this.words)
    this.pending = new Uint32Array(this.words)
    this.inService = new Uint32Array(this.words)
    this.enable = new Uint32Array(this.words * outputs.length)
    this.threshold = new Uint32Array(outputs.length)
  }

  /** The wire that a device drives for interrupt `source`. */
  source(source: number): InterruptLine {
    if (source < 1 || source >= this.options.sources) throw new Error(`${this.name}: no interrupt source ${source}`)
    return {
      set: (level) => {
        if (hasBit(this.level, source) === level) return
        setBit(this.level, source, level)
        this.options.onLine?.(source, level)
        // A request once forwarded stays pending even if the wire falls (PLIC 1.0.0, "Interrupt Gateways").
        if (level) this.forward(source)
      },
    }
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4 || offset % 4 !== 0) return this.unknown.unknownRead(offset, size)
    if (offset < PRIORITY + 4 * this.options.sources) return this.priority[offset / 4]
    if (offset >= PENDING && offset < PENDING + 4 * this.words) return this.pending[(offset - PENDING) / 4]
    if (offset >= ENABLE && offset < CONTEXT) {
      const index = this.enableIndex(offset)
      if (index !== undefined) return this.enable[index]
    }
    if (offset >= CONTEXT) {
      const context = Math.floor((offset - CONTEXT) / CONTEXT_STRIDE)
      if (this.outputs[context]) {
        switch ((offset - CONTEXT) % CONTEXT_STRIDE) {
          case THRESHOLD:
            return this.threshold[context]
          case CLAIM:
            return this.claim(context)
        }
      }
    }
    return this.unknown.unknownRead(offset, size)
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4 || offset % 4 !== 0) return this.unknown.unknownWrite(offset, value, size)
    if (offset < PRIORITY + 4 * this.options.sources) {
      if (offset > 0) this.priority[offset / 4] = value & PRIORITY_MASK
      return this.update()
    }
    if (offset >= ENABLE && offset < CONTEXT) {
      const index = this.enableIndex(offset)
      if (index !== undefined) {
        this.enable[index] = value & this.existing(index % this.words)
        return this.update()
      }
    }
    if (offset >= CONTEXT) {
      const context = Math.floor((offset - CONTEXT) / CONTEXT_STRIDE)
      if (this.outputs[context]) {
        switch ((offset - CONTEXT) % CONTEXT_STRIDE) {
          case THRESHOLD:
            this.threshold[context] = value & PRIORITY_MASK
            return this.update()
          case CLAIM:
            return this.complete(context, value)
        }
      }
    }
    this.unknown.unknownWrite(offset, value, size)
  }

  save(): DeviceState {
    return {
      priority: this.priority.slice(),
      level: this.level.slice(),
      pending: this.pending.slice(),
      inService: this.inService.slice(),
      enable: this.enable.slice(),
      threshold: this.threshold.slice(),
    }
  }

  load(state: DeviceState): void {
    for (const field of ['priority', 'level', 'pending', 'inService', 'enable', 'threshold'] as const) {
      this[field].set(state[field] as Uint32Array)
    }
  }

  private forward(source: number): void {
    if (hasBit(this.pending, source) || (hasBit(this.inService, source) && !this.isEdgeTriggered(source))) return
    setBit(this.pending, source, true)
    this.update()
  }

  /** Neither the claim nor its answer depends on the threshold (PLIC 1.0.0, "Interrupt Claim Process"). */
  private claim(context: number): number {
    const source = this.best(context)
    if (source === 0) return 0
    setBit(this.pending, source, false)
    setBit(this.inService, source, true)
    this.update()
    return source
  }

  /** A completion for a source that is not enabled for the context is ignored (PLIC 1.0.0, "Interrupt Completion"). */
  private complete(context: number, source: number): void {
    if (source < 1 || source >= this.options.sources) return
    if ((this.enable[context * this.words + (source >>> 5)] & (1 << (source & 31))) === 0) return
    setBit(this.inService, source, false)
    if (this.isEdgeTriggered(source)) this.update()
    else if (hasBit(this.level, source)) this.forward(source)
  }

  private isEdgeTriggered(source: number): boolean {
    return this.options.edgeTriggered?.includes(source) ?? false
  }

  /** The pending source of highest priority; of equals, the lowest number (PLIC 1.0.0, "Interrupt Priorities"). 0 if there is none. */
  private best(context: number): number {
    let best = 0
    for (let word = 0; word < this.words; word++) {
      let bits = this.pending[word] & ~this.inService[word] & this.enable[context * this.words + word]
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits)
        bits &= bits - 1
        const source = word * 32 + bit
        if (this.priority[source] > this.priority[best]) best = source
      }
    }
    return best
  }

  private update(): void {
    for (let context = 0; context < this.outputs.length; context++) {
      this.outputs[context]?.set(this.priority[this.best(context)] > this.threshold[context])
    }
  }

  private enableIndex(offset: number): number | undefined {
    const context = Math.floor((offset - ENABLE) / ENABLE_STRIDE)
    const word = ((offset - ENABLE) % ENABLE_STRIDE) / 4
    return this.outputs[context] && word < this.words ? context * this.words + word : undefined
  }

  /** The bits of an enable word that stand for sources that exist; source 0 does not. */
  private existing(word: number): number {
    const count = this.options.sources - word * 32
    const mask = count >= 32 ? 0xffff_ffff : 2 ** count - 1
    return word === 0 ? mask - 1 : mask
  }
}

function hasBit(words: Uint32Array, index: number): boolean {
  return (words[index >>> 5] & (1 << (index & 31))) !== 0
}

function setBit(words: Uint32Array, index: number, value: boolean): void {
  if (value) words[index >>> 5] |= 1 << (index & 31)
  else words[index >>> 5] &= ~(1 << (index & 31))
}
