/**
 * How long devices take, for each timing profile; never nothing, because with instant devices no asynchronous result
 * means anything. Durations are seconds of virtual time, rates bytes for each second of it.
 */

export type TimingProfile = 'ideal' | 'rocket100' | 'k210'

/** A request takes `latency`, then its data crosses at `rate`. Latencies overlap; transfers take turns. */
export interface TransferTiming {
  readonly latency: number
  readonly rate: number
}

export interface SdTiming {
  /** From the end of ACMD41's first call until the card reports that it is ready. */
  readonly initialise: number
  /** From a read command to the first data token. */
  readonly readAccess: number
  /** Between the blocks of a multiple-block read. */
  readonly readNext: number
  /** Busy after a block of a single-block write, and after the last of several. */
  readonly program: number
  /** Busy between the blocks of a multiple-block write. */
  readonly writeNext: number
}

export interface DeviceTiming {
  /** 'baud': as long as the bits of a character take at the programmed rate. Otherwise the time of one character. */
  readonly uartCharacter: 'baud' | number
  readonly block: TransferTiming
  readonly console: TransferTiming
  readonly entropy: TransferTiming
  readonly sd: SdTiming
}

/**
 * An SD card behind SPI. Physical Layer Simplified Specification 6.00, 4.6.2 allows 100 ms for a read access, 250 ms
 * for a write and 1 s for initialisation; these are typical figures of class-10 cards, chosen inside those limits.
 */
const CLASS_10_CARD: SdTiming = { initialise: 10e-3, readAccess: 300e-6, readNext: 20e-6, program: 1e-3, writeNext: 100e-6 }

export const DEVICE_TIMING: Readonly<Record<TimingProfile, DeviceTiming>> = {
  /** Small and round, to be read off a chart at a glance: 1 µs is 100 cycles of 100 MHz. Chosen, not measured. */
  ideal: {
    uartCharacter: 1e-6,
    block: { latency: 10e-6, rate: 1e9 },
    console: { latency: 1e-6, rate: 100e6 },
    entropy: { latency: 1e-6, rate: 100e6 },
    sd: { initialise: 10e-6, readAccess: 10e-6, readNext: 1e-6, program: 10e-6, writeNext: 1e-6 },
  },
  /**
   * An FPGA board: the disk stands for a SATA solid-state disk (about 100 µs for a random 4 KiB read at queue depth 1,
   * 500 MB/s on a 6 Gbit/s link with 8b/10b coding: 600 MB/s at most), entropy for a ring-oscillator source of 1 MB/s.
   */
  rocket100: {
    uartCharacter: 'baud',
    block: { latency: 100e-6, rate: 500e6 },
    console: { latency: 10e-6, rate: 1e6 },
    entropy: { latency: 10e-6, rate: 1e6 },
    sd: CLASS_10_CARD,
  },
  /** The K210 has no virtio; where such a device is used with this profile it is as on the FPGA board. */
  k210: {
    uartCharacter: 'baud',
    block: { latency: 100e-6, rate: 500e6 },
    console: { latency: 10e-6, rate: 1e6 },
    entropy: { latency: 10e-6, rate: 1e6 },
    sd: CLASS_10_CARD,
  },
}

/** Whole cycles that `seconds` take, at least 1. */
export function cyclesOf(seconds: number, frequency: number): number {
  // A millionth of a cycle is rounding: 10e-6 * 100e6 is 1000.0000000000001.
  return Math.max(1, Math.ceil(seconds * frequency - 1e-6))
}
