/**
 * The K210's system controller: PLLs, clock selection and division, clock gates, resets, and which device speaks to which DMA
 * channel (register layout and formulas as in the vendor SDK's sysctl.h and sysctl.c). Peripherals ask it for their clocks; the
 * harts run at the rate of the timing profile whatever is written here.
 */
import { AccessLog } from './access-log.ts'
import type { AccessSize, Clock, Device, DeviceLog, DeviceState } from './device.ts'
import { cyclesOf } from './timing.ts'

const PLL0 = 0x08
const PLL1 = 0x0c
const PLL2 = 0x10 // {27:26 input: 0 crystal, 1 PLL0, 2 PLL1}
const PLL_LOCK = 0x18 // {1:0 PLL0, 9:8 PLL1, 17:16 PLL2}: 3 when locked
const CLOCK_SELECT0 = 0x20 // {0 ACLK from PLL0, 2:1 ACLK divider, 5:3 8:6 11:9 APB0..2, 12 SPI3, 13..15 TIMER0..2 from PLL0}
const CENTRAL_ENABLE = 0x28
const PERIPHERAL_ENABLE = 0x2c
const SOFT_RESET = 0x30
const PERIPHERAL_RESET = 0x34
const THRESHOLD1 = 0x3c // SPI0..3, 8 bits each
const THRESHOLD2 = 0x40 // TIMER0..2
const THRESHOLD6 = 0x50 // WDT0..1
const RESET_STATUS = 0x60 // {0 clear, 1 pin, 2 WDT0, 3 WDT1, 4 software}
const DMA_SELECT0 = 0x64 // 6 bits a channel, 0 to 4
const DMA_SELECT1 = 0x68 // channel 5

// A PLL's register: {3:0 reference divider, 9:4 multiplier, 13:10 output divider (each less one), 20 reset, 21 power, 23 bypass, 25 enabled}.
const PLL_RESET = 1 << 20
const PLL_POWER = 1 << 21
const PLL_BYPASS = 1 << 23
const PLL_ENABLE = 1 << 25

/** The crystal of the boards with this chip. */
const CRYSTAL = 26_000_000
/** The SDK waits for the lock; how long real ones take is not published. */
const LOCK_SECONDS = 10e-6

const ADDRESS_END = 0x80
const READ_ONLY = [0x00, 0x04, 0x1c]

/**
 * What software finds when it starts, as the boot ROM leaves it: PLL0 and PLL1 at the SDK's frequencies (793 and 390 MHz), ACLK from
 * PLL0 / 2, every clock on.
 */
const RESET_VALUES: Readonly<Record<number, number>> = {
  [PLL0]: (60 << 4) | (1 << 10) | (60 << 14) | PLL_POWER | PLL_ENABLE,
  [PLL1]: (59 << 4) | (3 << 10) | (59 << 14) | PLL_POWER | PLL_ENABLE,
  [PLL2]: (59 << 4) | (3 << 10) | (59 << 14) | PLL_POWER | PLL_ENABLE,
  [CLOCK_SELECT0]: 1,
  [CENTRAL_ENABLE]: 0x3f,
  [PERIPHERAL_ENABLE]: 0x2fff_ffff,
}

/** Bits of the gates and resets of peripherals (sysctl.h, sysctl_clk_en_peri_t and sysctl_peri_reset_t). */
export const PERIPHERAL_BIT = {
  ...{ dma: 1, gpio: 5, spi0: 6, spi1: 7, spi3: 9, uart1: 16, uart2: 17, uart3: 18, fpioa: 20 },
  ...{ timer0: 21, timer1: 22, timer2: 23, wdt0: 24, wdt1: 25, rtc: 29 },
} as const
export type Peripheral = keyof typeof PERIPHERAL_BIT

export type ResetCause = 'pin' | 'wdt0' | 'wdt1' | 'software'
const CAUSE_BITS: Readonly<Record<ResetCause, number>> = { pin: 2, wdt0: 4, wdt1: 8, software: 16 }

export interface SysctlEffects {
  /** The whole chip starts anew. */
  resetChip(cause: ResetCause): void
  /** A peripheral's reset bit goes from 0 to 1. */
  resetPeripheral(peripheral: Peripheral): void
}

export class Sysctl implements Device {
  private registers: Record<number, number>
  /** The cycle from which each PLL reads as locked, while it is powered. */
  private lockedAt = [0, 0, 0]
  private readonly unknown: AccessLog

  constructor(
    readonly name: string,
    private readonly clock: Clock,
    private readonly effects: SysctlEffects,
    log: DeviceLog,
    cause: ResetCause = 'pin',
  ) {
    this.unknown = new AccessLog(name, log)
    this.registers = { ...RESET_VALUES, [RESET_STATUS]: CAUSE_BITS[cause] }
  }

  /** The clock of a peripheral may be stopped. */
  isClocked(peripheral: Peripheral): boolean {
    return (this.register(PERIPHERAL_ENABLE) & (1 << PERIPHERAL_BIT[peripheral])) !== 0
  }

  /** The request that a DMA handshake interface listens to (sysctl.h, sysctl_dma_select_t). */
  dmaSelection(handshake: number): number {
    if (handshake > 5) return -1
    return handshake === 5 ? this.register(DMA_SELECT1) & 63 : (this.register(DMA_SELECT0) >>> (6 * handshake)) & 63
  }

  // Frequencies in Hz

  get cpuClock(): number {
    const select = this.register(CLOCK_SELECT0)
    return select & 1 ? this.pll(0) / (2 << ((select >>> 1) & 3)) : CRYSTAL
  }

  apbClock(bus: 0 | 1 | 2): number {
    return this.cpuClock / (((this.register(CLOCK_SELECT0) >>> (3 + 3 * bus)) & 7) + 1)
  }

  spiClock(index: 0 | 1 | 3): number {
    const source = index === 3 && !(this.register(CLOCK_SELECT0) & (1 << 12)) ? CRYSTAL : this.pll(0)
    return source / (2 * (this.threshold(THRESHOLD1, index) + 1))
  }

  timerClock(index: number): number {
    const source = this.register(CLOCK_SELECT0) & (1 << (13 + index)) ? this.pll(0) : CRYSTAL
    return source / (2 * (this.threshold(THRESHOLD2, index) + 1))
  }

  watchdogClock(index: number): number {
    return CRYSTAL / (2 * (this.threshold(THRESHOLD6, index) + 1))
  }

  get crystal(): number {
    return CRYSTAL
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4 || offset >= ADDRESS_END) return this.unknown.unknownRead(offset, size)
    if (offset === PLL_LOCK) return this.lock(0) | (this.lock(1) << 8) | (this.lock(2) << 16)
    return this.register(offset)
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4 || offset >= ADDRESS_END) return this.unknown.unknownWrite(offset, value, size)
    if (READ_ONLY.includes(offset)) return
    const before = this.register(offset)
    switch (offset) {
      case PLL_LOCK: // only clears slips, and there are none
        return
      case PLL0:
      case PLL1:
      case PLL2: {
        const running = (word: number) => (word & (PLL_POWER | PLL_RESET)) === PLL_POWER
        if (running(value) && !running(before)) {
          this.lockedAt[(offset - PLL0) / 4] = this.clock.now + cyclesOf(LOCK_SECONDS, this.clock.frequency)
        }
        break
      }
      case SOFT_RESET:
        if (value & 1) this.effects.resetChip('software')
        return
      case RESET_STATUS:
        if (value & 1) this.registers[RESET_STATUS] = 0
        return
    }
    this.registers[offset] = value
    if (offset === PERIPHERAL_RESET) {
      for (const [peripheral, bit] of Object.entries(PERIPHERAL_BIT)) {
        if (value & ~before & (1 << bit)) this.effects.resetPeripheral(peripheral as Peripheral)
      }
    }
  }

  save(): DeviceState {
    return { registers: { ...this.registers }, lockedAt: [...this.lockedAt] }
  }

  load(state: DeviceState): void {
    this.registers = { ...(state.registers as Record<number, number>) }
    this.lockedAt = [...(state.lockedAt as number[])]
  }

  private pll(index: 0 | 1 | 2): number {
    const word = this.register(PLL0 + 4 * index)
    const source = index < 2 ? CRYSTAL : ([CRYSTAL, this.pll(0), this.pll(1)][(word >>> 26) & 3] ?? CRYSTAL)
    if (word & PLL_BYPASS) return source
    return (source / ((word & 15) + 1)) * (((word >>> 4) & 63) + 1) * (1 / (((word >>> 10) & 15) + 1))
  }

  private lock(index: number): number {
    const word = this.register(PLL0 + 4 * index)
    return (word & (PLL_POWER | PLL_RESET)) === PLL_POWER && this.lockedAt[index] <= this.clock.now ? 3 : 0
  }

  private threshold(register: number, index: number): number {
    return (this.register(register) >>> (8 * index)) & 0xff
  }

  private register(offset: number): number {
    return this.registers[offset] ?? 0
  }
}
