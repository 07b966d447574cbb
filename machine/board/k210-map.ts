/**
 * Where everything is on a Kendryte K210 (vendor SDK: platform.h for addresses, plic.h for interrupt sources), and what boards
 * with it have soldered to its pins.
 */

const MEBIBYTE = 1 << 20

export const K210_MAP = {
  /** Where real chips have nothing: ends the run. */
  finisher: { base: 0x0010_0000, size: 0x1000 },
  clint: { base: 0x0200_0000, size: 0x1_0000 },
  plic: { base: 0x0c00_0000, size: 0x400_0000, sources: 66 },
  uarths: { base: 0x3800_0000, size: 0x1000, irq: 33 },
  gpiohs: { base: 0x3800_1000, size: 0x1000, irq: 34 },
  /** 6 MiB of general memory, then 2 MiB that belong to the KPU and serve as memory while it rests. */
  ram: { base: 0x8000_0000, size: 8 * MEBIBYTE },
  /** The same memory past the caches. */
  uncached: { base: 0x4000_0000, size: 8 * MEBIBYTE },
  dmac: { base: 0x5000_0000, size: 0x1000, irq: 27 },
  gpio: { base: 0x5020_0000, size: 0x1000, irq: 23 },
  uart: [
    { base: 0x5021_0000, size: 0x1000, irq: 11 },
    { base: 0x5022_0000, size: 0x1000, irq: 12 },
    { base: 0x5023_0000, size: 0x1000, irq: 13 },
  ],
  fpioa: { base: 0x502b_0000, size: 0x1000 },
  timer: [
    { base: 0x502d_0000, size: 0x1000, irq: 14 },
    { base: 0x502e_0000, size: 0x1000, irq: 16 },
    { base: 0x502f_0000, size: 0x1000, irq: 18 },
  ],
  watchdog: [
    { base: 0x5040_0000, size: 0x1000, irq: 21 },
    { base: 0x5041_0000, size: 0x1000, irq: 22 },
  ],
  sysctl: { base: 0x5044_0000, size: 0x1000 },
  rtc: { base: 0x5046_0000, size: 0x1000, irq: 20 },
  spi: [
    { base: 0x5200_0000, size: 0x1000, irq: 1 },
    { base: 0x5300_0000, size: 0x1000, irq: 2 },
    { base: 0x5400_0000, size: 0x1000, irq: 4 },
  ],
  /** What is there and not modelled. */
  unmodelled: {
    /** Rocket's debug module, open to M-mode: null pointers read and write it without a fault, and shipped firmware lives by that. */
    'debug-module': { base: 0, size: 0x1000 },
    kpu: { base: 0x4080_0000, size: 12 * MEBIBYTE },
    fft: { base: 0x4200_0000, size: 4 * MEBIBYTE },
    'spi-slave': { base: 0x5024_0000, size: 0x1_0000 },
    i2s0: { base: 0x5025_0000, size: 0x1_0000 },
    i2s1: { base: 0x5026_0000, size: 0x1_0000 },
    i2s2: { base: 0x5027_0000, size: 0x1_0000 },
    i2c0: { base: 0x5028_0000, size: 0x1_0000 },
    i2c1: { base: 0x5029_0000, size: 0x1_0000 },
    i2c2: { base: 0x502a_0000, size: 0x1_0000 },
    sha256: { base: 0x502c_0000, size: 0x1_0000 },
    otp: { base: 0x5042_0000, size: 0x1_0000 },
    dvp: { base: 0x5043_0000, size: 0x1_0000 },
    aes: { base: 0x5045_0000, size: 0x1_0000 },
    rom: { base: 0x8800_0000, size: 0x2_0000 },
  },
} as const

/** Pins of the boards sold with the chip (Sipeed Maix): serial console on 4 and 5, the BOOT key on 16, the card slot on 26 to 29. */
export const K210_PINS = {
  consoleReceive: 4,
  consoleTransmit: 5,
  bootKey: 16,
  cardOut: 26,
  cardClock: 27,
  cardIn: 28,
  cardSelect: 29,
} as const
