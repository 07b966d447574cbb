/**
 * An SD card in SPI mode (SD Physical Layer Simplified Specification 6.00, chapter 7), standard or high capacity.
 * It needs no timer: whether it is ready follows from the cycle of each byte that the host clocks.
 *
 *     command   01cccccc  argument (4, high first)  crc7 1
 *     block     start token  data  crc16 (high first)
 */
import { type BlockImage, type BlockImageState, DiskImageError, SECTOR_BYTES } from '../backend/block-image.ts'
import type { DeviceLog, DeviceState } from './device.ts'
import {
  cardCapacity,
  cardIdentification,
  cardSpecificData,
  crc16,
  crc7,
  operatingConditions,
  SD_CONFIGURATION,
} from './sdcard-registers.ts'
import type { SpiTarget } from './spi-target.ts'
import { cyclesOf, type SdTiming } from './timing.ts'

const COMMAND_BYTES = 6

// R1 (7.3.2.1)
const R1_IDLE = 0x01
const R1_ILLEGAL = 0x04
const R1_CRC = 0x08
const R1_ADDRESS = 0x20
const R1_PARAMETER = 0x40

// Tokens (7.3.3)
const START_BLOCK = 0xfe
const START_BLOCK_OF_MANY = 0xfc
const STOP_WRITING = 0xfd
const DATA_ACCEPTED = 0xe5
const DATA_CRC_ERROR = 0xeb
const DATA_WRITE_ERROR = 0xed
const ERROR_ECC = 0x04
const ERROR_OUT_OF_RANGE = 0x08

/** Commands that a card takes while it is idle (7.2.1). */
const IDLE_COMMANDS = [0, 1, 8, 41, 55, 58, 59]

const HIGH_CAPACITY_HOST = 0x4000_0000 // ACMD41's argument

export interface SdCardOptions {
  /** SDHC unless the image is smaller than the 512 KiB in which its size is counted. */
  readonly kind?: 'SDSC' | 'SDHC'
}

/** Something that goes wrong once, when the card next comes by. */
export interface SdFault {
  /**
   * The sector cannot be read, cannot be written; arrives, in either direction, with a wrong checksum; takes longer than any card may
   * (4.6.2); or the card is pulled out of its slot, for good.
   */
  readonly kind: 'read' | 'write' | 'checksum' | 'timeout' | 'removed'
  /** Any sector unless given. */
  readonly sector?: number
  /** Not before this many seconds of virtual time. */
  readonly seconds?: number
}

/** Longer than the limits of 100 ms for reading and 250 ms for writing; then the card goes on. */
const TIMEOUT_SECONDS = 1

type Phase =
  | { readonly kind: 'command' }
  | { readonly kind: 'reading'; readonly position: number; readonly many: boolean; readonly readyAt: number }
  | { readonly kind: 'writing'; readonly sector: number; readonly many: boolean; readonly data?: number[] }

const COMMAND_PHASE: Phase = { kind: 'command' }

export class SdCard implements SpiTarget {
  readonly highCapacity: boolean
  private selected = false
  private idle = true
  /** The cycle at which initialisation is over, once it was asked for. */
  private initialisedAt: number | null = null
  private checksCrc = false
  private application = false
  private blockLength = SECTOR_BYTES
  private phase: Phase = COMMAND_PHASE
  private command: number[] = []
  /** Bytes on their way to the host. */
  private output: number[] = []
  private busyUntil = 0
  private writtenBlocks = 0
  private faults: SdFault[] = []
  private removed = false

  /** `frequency` is that of the clock whose cycles `exchange` gets. */
  constructor(
    readonly name: string,
    private readonly image: BlockImage,
    private readonly timing: SdTiming,
    private readonly frequency: number,
    private readonly log: DeviceLog,
    options: SdCardOptions = {},
  ) {
    this.highCapacity = (options.kind ?? (image.sectors < 1024 ? 'SDSC' : 'SDHC')) === 'SDHC'
  }

  fail(fault: SdFault): void {
    this.faults.push(fault)
  }

  select(selected: boolean): void {
    if (selected === this.selected) return
    this.selected = selected
    // The rest of a command is lost. Answers and blocks are not: drivers that leave the wire to a controller let go between transfers.
    this.command = []
  }

  exchange(byte: number, cycle: number): number {
    if (this.faults.length > 0 && this.takeFault('removed', undefined, cycle)) this.removed = true
    if (!this.selected || this.removed) return 0xff
    const answer = this.send(cycle)
    this.receive(byte, cycle)
    return answer
  }

  save(): DeviceState {
    const { selected, idle, initialisedAt, checksCrc, application, blockLength, phase, busyUntil, writtenBlocks, removed } = this
    return {
      ...{ selected, idle, initialisedAt, checksCrc, application, blockLength, busyUntil, writtenBlocks, removed },
      phase: structuredClone(phase),
      command: [...this.command],
      output: [...this.output],
      faults: this.faults.map((fault) => ({ ...fault })),
      image: this.image.save(),
    }
  }

  load(state: DeviceState): void {
    const { image, ...rest } = state
    Object.assign(this, structuredClone(rest))
    this.image.load(image as BlockImageState)
  }

  private send(cycle: number): number {
    if (this.output.length === 0) {
      if (cycle < this.busyUntil) return 0x00
      if (this.phase.kind !== 'reading' || cycle < this.phase.readyAt) return 0xff
      this.sendBlock(this.phase, cycle)
    }
    const byte = this.output.shift()!
    if (this.output.length === 0 && this.phase.kind === 'reading') {
      this.phase = { ...this.phase, readyAt: Math.max(this.phase.readyAt, this.after(cycle, this.timing.readNext)) }
    }
    return byte
  }

  private receive(byte: number, cycle: number): void {
    if (this.phase.kind === 'writing') {
      if (this.phase.data) return this.receiveData(this.phase, this.phase.data, byte, cycle)
      if (this.command.length === 0 && this.receiveToken(this.phase, byte, cycle)) return
    }
    if (this.command.length === 0 && ((byte & 0xc0) !== 0x40 || cycle < this.busyUntil)) return
    this.command.push(byte)
    if (this.command.length < COMMAND_BYTES) return
    const frame = this.command
    this.command = []
    this.execute(frame, cycle)
  }

  private execute(frame: readonly number[], cycle: number): void {
    const number = frame[0] & 0x3f
    const argument = ((frame[1] << 24) | (frame[2] << 16) | (frame[3] << 8) | frame[4]) >>> 0
    const application = this.application
    this.application = false
    this.output = []
    // CMD0 comes before the host could turn checking off, and CMD8 is always checked (7.2.2).
    if ((this.checksCrc || number === 0 || number === 8) && frame[5] !== ((crc7(frame.slice(0, 5)) << 1) | 1)) return this.answer(R1_CRC)
    if (this.idle && !IDLE_COMMANDS.includes(number)) return this.answer(R1_ILLEGAL)
    if (application && this.executeApplication(number, argument, cycle)) return
    switch (number) {
      case 0: // GO_IDLE_STATE
        this.idle = true
        this.initialisedAt = null
        this.checksCrc = false
        this.blockLength = SECTOR_BYTES
        this.phase = COMMAND_PHASE
        return this.answer(0)
      case 1: // SEND_OP_COND
        return this.initialise(cycle)
      case 8: // SEND_IF_COND: 2.7 to 3.6 V is accepted, the check pattern comes back
        return this.answer(0, 0, 0, (argument >>> 8) & 0xf & 1, argument & 0xff)
      case 9: // SEND_CSD
        return this.answerBlock(cardSpecificData(this.image.sectors, this.highCapacity), 0)
      case 10: // SEND_CID
        return this.answerBlock(cardIdentification(), 0)
      case 12: // STOP_TRANSMISSION
        this.phase = COMMAND_PHASE
        return this.answer(0)
      case 13: // SEND_STATUS
        return this.answer(0, 0)
      case 16: // SET_BLOCKLEN: blocks of high capacity cards are 512 bytes, whatever is set (7.2.3)
        if (argument < 1 || argument > SECTOR_BYTES) return this.answer(R1_PARAMETER)
        if (!this.highCapacity) this.blockLength = argument
        return this.answer(0)
      case 17: // READ_SINGLE_BLOCK
      case 18: // READ_MULTIPLE_BLOCK
        return this.startReading(argument, number === 18, cycle)
      case 24: // WRITE_BLOCK
      case 25: // WRITE_MULTIPLE_BLOCK
        return this.startWriting(argument, number === 25)
      case 55: // APP_CMD
        this.application = true
        return this.answer(0)
      case 58: // READ_OCR
        return this.answer(0, ...operatingConditions(!this.idle, this.highCapacity))
      case 59: // CRC_ON_OFF
        this.checksCrc = (argument & 1) !== 0
        return this.answer(0)
      default:
        return this.answer(R1_ILLEGAL)
    }
  }

  /** Says whether `number` is an application command; after CMD55 any other is an ordinary one (4.3.9). */
  private executeApplication(number: number, argument: number, cycle: number): boolean {
    switch (number) {
      case 13: // SD_STATUS
        this.answerBlock(new Uint8Array(64), 0, 0)
        return true
      case 22: // SEND_NUM_WR_BLOCKS
        this.answerBlock(
          Uint8Array.from([24, 16, 8, 0], (shift) => this.writtenBlocks >>> shift),
          0,
        )
        return true
      case 23: // SET_WR_BLK_ERASE_COUNT: only a hint
      case 42: // SET_CLR_CARD_DETECT
        this.answer(0)
        return true
      case 41: // SD_SEND_OP_COND: a high capacity card waits for a host that knows such cards
        if (this.highCapacity && !(argument & HIGH_CAPACITY_HOST)) this.answer(0)
        else this.initialise(cycle)
        return true
      case 51: // SEND_SCR
        this.answerBlock(SD_CONFIGURATION, 0)
        return true
      default:
        return false
    }
  }

  private initialise(cycle: number): void {
    this.initialisedAt ??= this.after(cycle, this.timing.initialise)
    if (cycle >= this.initialisedAt) this.idle = false
    this.answer(0)
  }

  private startReading(argument: number, many: boolean, cycle: number): void {
    const position = this.highCapacity ? argument * SECTOR_BYTES : argument
    if ((position % SECTOR_BYTES) + this.blockLength > SECTOR_BYTES) return this.answer(R1_ADDRESS)
    if (position >= this.capacity()) return this.answer(R1_PARAMETER)
    this.phase = { kind: 'reading', position, many, readyAt: this.after(cycle, this.timing.readAccess) }
    this.answer(0)
  }

  private startWriting(argument: number, many: boolean): void {
    if (!this.highCapacity && argument % SECTOR_BYTES !== 0) return this.answer(R1_ADDRESS)
    const sector = this.highCapacity ? argument : argument / SECTOR_BYTES
    if (this.blockLength !== SECTOR_BYTES || sector >= this.image.sectors) return this.answer(R1_PARAMETER)
    this.writtenBlocks = 0
    this.phase = { kind: 'writing', sector, many }
    this.answer(0)
  }

  private sendBlock(phase: Phase & { kind: 'reading' }, cycle: number): void {
    const { position, many } = phase
    const sector = Math.floor(position / SECTOR_BYTES)
    if (this.takeFault('removed', sector, cycle)) {
      this.removed = true
      this.output = [0xff]
      return
    }
    if (this.takeFault('timeout', sector, cycle)) {
      this.phase = { ...phase, readyAt: this.after(cycle, TIMEOUT_SECONDS) }
      this.output = [0xff]
      return
    }
    this.phase = many ? { ...phase, position: position + this.blockLength } : COMMAND_PHASE
    if (position >= this.capacity()) return this.sendError(ERROR_OUT_OF_RANGE)
    if (this.takeFault('read', sector, cycle)) return this.sendError(ERROR_ECC)
    const bytes = this.hostAccess(() => this.readSector(sector))
    if (!bytes) return this.sendError(ERROR_ECC)
    const from = position % SECTOR_BYTES
    this.output.push(...block(bytes.subarray(from, from + this.blockLength)))
    if (this.takeFault('checksum', sector, cycle)) this.output[this.output.length - 1] ^= 1
  }

  private sendError(token: number): void {
    this.phase = COMMAND_PHASE
    this.output.push(token)
  }

  /** Says whether the byte is a token; else it may begin a command. */
  private receiveToken(phase: Phase & { kind: 'writing' }, byte: number, cycle: number): boolean {
    if (cycle < this.busyUntil) return true
    switch (byte) {
      case phase.many ? START_BLOCK_OF_MANY : START_BLOCK:
        this.phase = { ...phase, data: [] }
        return true
      case STOP_WRITING:
        if (!phase.many) return false
        this.phase = COMMAND_PHASE
        this.output = [0xff]
        this.busyUntil = this.after(cycle, this.timing.program)
        return true
      default:
        return false
    }
  }

  private receiveData(phase: Phase & { kind: 'writing' }, data: number[], byte: number, cycle: number): void {
    data.push(byte)
    if (data.length < SECTOR_BYTES + 2) return
    const bytes = Uint8Array.from(data.slice(0, SECTOR_BYTES))
    const checksum = (data[SECTOR_BYTES] << 8) | data[SECTOR_BYTES + 1]
    const { sector, many } = phase
    this.phase = many ? { kind: 'writing', sector: sector + 1, many } : COMMAND_PHASE
    if (this.takeFault('removed', sector, cycle)) {
      this.removed = true
      return
    }
    if ((this.checksCrc && checksum !== crc16(bytes)) || this.takeFault('checksum', sector, cycle)) {
      this.output = [DATA_CRC_ERROR]
      return
    }
    const written =
      sector < this.image.sectors &&
      !this.image.readOnly &&
      !this.takeFault('write', sector, cycle) &&
      this.hostAccess(() => (this.image.write(sector, bytes), true))
    if (written) this.writtenBlocks++
    this.output = [written ? DATA_ACCEPTED : DATA_WRITE_ERROR]
    const busy = this.takeFault('timeout', sector, cycle) ? TIMEOUT_SECONDS : many ? this.timing.writeNext : this.timing.program
    this.busyUntil = this.after(cycle, busy)
  }

  /** One byte passes before the answer (N_CR, 7.5.1); R1 then carries the idle bit whatever the command. */
  private answer(status: number, ...rest: number[]): void {
    this.output = [0xff, status | (this.idle ? R1_IDLE : 0), ...rest]
  }

  private answerBlock(bytes: Uint8Array, ...status: number[]): void {
    this.answer(status[0], ...status.slice(1), 0xff, ...block(bytes))
  }

  /** In bytes, as the CSD counts it. What the image lacks of it reads as zeros. */
  private capacity(): number {
    return cardCapacity(this.image.sectors, this.highCapacity)
  }

  private readSector(sector: number): Uint8Array {
    return sector < this.image.sectors ? this.image.read(sector, 1) : new Uint8Array(SECTOR_BYTES)
  }

  private hostAccess<T>(access: () => T): T | undefined {
    try {
      return access()
    } catch (error) {
      if (!(error instanceof DiskImageError)) throw error
      this.log.warn(`${this.name}: ${error.message}`)
      return undefined
    }
  }

  /** Says whether a fault strikes now; `sector` is undefined for faults that wait for no sector. */
  private takeFault(kind: SdFault['kind'], sector: number | undefined, cycle: number): boolean {
    const index = this.faults.findIndex(
      (fault) =>
        fault.kind === kind &&
        (sector === undefined ? fault.sector === undefined : fault.sector === undefined || fault.sector === sector) &&
        cycle >= (fault.seconds ?? 0) * this.frequency,
    )
    if (index >= 0) this.faults.splice(index, 1)
    return index >= 0
  }

  private after(cycle: number, seconds: number): number {
    return cycle + cyclesOf(seconds, this.frequency)
  }
}

function block(bytes: Uint8Array): number[] {
  const checksum = crc16(bytes)
  return [START_BLOCK, ...bytes, checksum >> 8, checksum & 0xff]
}
