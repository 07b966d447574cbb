/** The card slot of a K210 board, as drivers use it: SPI0 on the slot's pins, chip select by GPIOHS7 or by the controller, FIFO or DMA. */
import { describe, expect, it } from 'vitest'
import { memoryImage } from '../backend/disk-image.ts'
import { type K210Run, idleK210 } from '../testing/k210-programs.ts'

const FPIOA = 0x502b_0000
const GPIOHS = 0x3800_1000
const SPI0 = 0x5200_0000
const DMAC = 0x5000_0000
const SYSCTL = 0x5044_0000
const [CTRLR0, CTRLR1, SSIENR, SER, BAUDR, RXFLR, SR, DMACR, DMATDLR, DR] = [0, 4, 8, 0x10, 0x14, 0x24, 0x28, 0x4c, 0x50, 0x60].map(
  (offset) => SPI0 + offset,
)
const EIGHT_BITS = 7 << 16
const [TRANSMIT, RECEIVE] = [1 << 8, 2 << 8]
const CHANNEL0 = DMAC + 0x100

const SECTORS = 2048

/** Each sector holds its number in every word. */
function numberedImage() {
  const bytes = new Uint8Array(SECTORS * 512)
  new Uint32Array(bytes.buffer).forEach((_, index, words) => (words[index] = Math.floor(index / 128)))
  return memoryImage(bytes)
}

function makeBoard(): K210Run {
  const board = idleK210({ sd: numberedImage() })
  board.write(FPIOA + 4 * 26, 5 | (1 << 20) | (1 << 12))
  board.write(FPIOA + 4 * 27, 17 | (1 << 12))
  board.write(FPIOA + 4 * 28, 4 | (1 << 12))
  board.write(FPIOA + 4 * 29, 31 | (1 << 12))
  board.write(GPIOHS + 0x08, 1 << 7)
  board.write(GPIOHS + 0x0c, 1 << 7)
  board.write(BAUDR, 16)
  return board
}

const select = (board: K210Run, selected: boolean) => board.write(GPIOHS + 0x0c, selected ? 0 : 1 << 7)

function settle(board: K210Run): void {
  for (let i = 0; i < 1000 && (board.read(SR) & 5) !== 4; i++) board.advance(1e-6)
  expect(board.read(SR) & 5).toBe(4)
}

function send(board: K210Run, bytes: readonly number[]): void {
  board.write(SSIENR, 0)
  board.write(CTRLR0, EIGHT_BITS | TRANSMIT)
  board.write(SSIENR, 1)
  board.write(SER, 8)
  for (const byte of bytes) board.write(DR, byte)
  settle(board)
  board.write(SER, 0)
}

function receive(board: K210Run, count: number): number[] {
  const bytes: number[] = []
  board.write(SSIENR, 0)
  board.write(CTRLR0, EIGHT_BITS | RECEIVE)
  board.write(CTRLR1, count - 1)
  board.write(SSIENR, 1)
  board.write(DR, 0xff)
  board.write(SER, 8)
  for (let i = 0; i < 100_000 && bytes.length < count; i++) {
    while (board.read(RXFLR) > 0) bytes.push(board.read(DR))
    board.advance(1e-6)
  }
  expect(bytes).toHaveLength(count)
  board.write(SER, 0)
  return bytes
}

/** R1 of a command, after which the card stays selected. */
function command(board: K210Run, number: number, argument = 0, checksum = 0xff): number {
  send(board, [0x40 | number, argument >>> 24, (argument >>> 16) & 0xff, (argument >>> 8) & 0xff, argument & 0xff, checksum])
  for (let i = 0; i < 10; i++) {
    const [answer] = receive(board, 1)
    if (answer !== 0xff) return answer
  }
  return 0xff
}

function initialise(board: K210Run): void {
  send(board, new Array<number>(10).fill(0xff))
  select(board, true)
  expect(command(board, 0, 0, 0x95)).toBe(1)
  expect(command(board, 8, 0x1aa, 0x87)).toBe(1)
  expect(receive(board, 4)).toEqual([0, 0, 1, 0xaa])
  for (let i = 0; i < 1000; i++) {
    expect(command(board, 55)).toBeLessThan(2)
    if (command(board, 41, 0x4000_0000) === 0) break
  }
  expect(command(board, 58)).toBe(0)
  expect(receive(board, 4)[0] & 0xc0).toBe(0xc0)
}

function awaitToken(board: K210Run): void {
  for (let i = 0; i < 1000; i++) if (receive(board, 1)[0] === 0xfe) return
  throw new Error('no data token')
}

/** Words that the DMA controller brought to memory. */
function memoryWords(board: K210Run, address: number, count: number): number[] {
  const bytes = board.machine.dma.read(address, count * 4)!
  return Array.from(new Uint32Array(bytes.buffer, bytes.byteOffset, count))
}

function startDma(board: K210Run, source: number, destination: number, items: number, request: number, toMemory: boolean): void {
  board.write(SYSCTL + 0x64, request)
  board.write(DMAC + 0x10, 3)
  board.write(CHANNEL0 + 0x20, 0)
  board.write(CHANNEL0 + 0x24, toMemory ? 2 | (1 << 4) : 1 | (1 << 3))
  board.write(CHANNEL0, source)
  board.write(CHANNEL0 + 8, destination)
  board.write(CHANNEL0 + 0x18, (toMemory ? 1 << 4 : 1 << 6) | (2 << 8) | (2 << 11))
  board.write(CHANNEL0 + 0x10, items - 1)
  board.write(DMAC + 0x18, 0x101)
}

const sectorBytes = (number: number) => Array.from({ length: 512 }, (_, index) => (number >>> (8 * (index & 3))) & 0xff)

describe('the card slot', () => {
  it('reads a block through the FIFO', () => {
    const board = makeBoard()
    initialise(board)
    expect(command(board, 17, 1234)).toBe(0)
    awaitToken(board)
    expect(receive(board, 512)).toEqual(sectorBytes(1234))
  })

  it('reads a block by DMA, a byte in each word, and interrupts at its end', () => {
    const board = makeBoard()
    initialise(board)
    expect(command(board, 17, 77)).toBe(0)
    awaitToken(board)
    board.write(SSIENR, 0)
    board.write(CTRLR0, EIGHT_BITS | RECEIVE)
    board.write(CTRLR1, 511)
    board.write(DMACR, 3)
    board.write(SSIENR, 1)
    startDma(board, DR, 0x8010_0000, 512, 0, true)
    board.write(DR, 0xffff_ffff)
    board.write(SER, 8)
    expect(board.read(DMAC + 0x18)).toBe(1)
    board.advance(0.01)
    expect(board.read(DMAC + 0x18)).toBe(0)
    expect(memoryWords(board, 0x8010_0000, 512)).toEqual(sectorBytes(77))
    expect(board.read(0x0c00_1000) & (1 << 27)).toBe(1 << 27)
    expect(board.read(CHANNEL0 + 0x88) & 2).toBe(2)
    board.write(CHANNEL0 + 0x98, 0xffff_ffff)
    expect(board.read(DMAC + 0x30)).toBe(0)
  })

  it('writes a block by DMA', () => {
    const board = makeBoard()
    initialise(board)
    expect(command(board, 24, 5)).toBe(0)
    send(board, [0xfe])
    const words = new Uint32Array(512).map((_, index) => index & 0xff)
    board.machine.dma.write(0x8010_0000, new Uint8Array(words.buffer))
    board.write(SSIENR, 0)
    board.write(CTRLR0, EIGHT_BITS | TRANSMIT)
    board.write(DMACR, 2)
    board.write(DMATDLR, 0x10)
    board.write(SSIENR, 1)
    startDma(board, 0x8010_0000, DR, 512, 1, false)
    board.write(SER, 8)
    board.advance(0.01)
    settle(board)
    send(board, [0xff, 0xff])
    let response = 0xff
    for (let i = 0; i < 10 && response === 0xff; i++) [response] = receive(board, 1)
    expect(response & 0x1f).toBe(5)
    for (let i = 0; i < 1000 && receive(board, 1)[0] === 0; i++);
    expect(command(board, 17, 5)).toBe(0)
    awaitToken(board)
    expect(receive(board, 512)).toEqual(Array.from(words))
  })

  it('answers a driver that leaves the select wire to the controller, which lets go between transfers', () => {
    const board = makeBoard()
    board.write(FPIOA + 4 * 29, 15 | (1 << 12))
    initialise(board)
    expect(command(board, 17, 9)).toBe(0)
    awaitToken(board)
    expect(receive(board, 512)).toEqual(sectorBytes(9))
  })

  it.each([
    ['clock', 27],
    ['data to the card', 28],
    ['data from the card', 26],
    ['select', 29],
  ])('is silent without its %s pin', (_, pin) => {
    const board = makeBoard()
    board.write(FPIOA + 4 * pin, 120)
    select(board, true)
    expect(command(board, 0, 0, 0x95)).toBe(0xff)
  })

  it('takes the time of its bits at the clock of SPI0', () => {
    const board = makeBoard()
    board.write(CTRLR0, EIGHT_BITS | TRANSMIT)
    board.write(BAUDR, 40)
    board.write(SSIENR, 1)
    board.write(SER, 8)
    board.write(DR, 1)
    // 8 bits at 396.5 MHz / 40: 0.8 µs
    const start = board.machine.now
    while (board.read(SR) & 1) board.advance(1e-8)
    expect((board.machine.now - start) / board.machine.timing.frequency).toBeCloseTo(8 / (396.5e6 / 40), 7)
  })
})
