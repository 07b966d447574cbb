/** The K210 board as software meets it: memory, both harts, interrupts, pins, clocks. Addresses: vendor SDK, platform.h and plic.h. */
import { describe, expect, it } from 'vitest'
import * as L from '../hart/layout.ts'
import { K210Run, k210LogOf, idleK210 } from '../testing/k210-programs.ts'

const UARTHS = 0x3800_0000
const [TXDATA, RXDATA, TXCTRL, RXCTRL, IE] = [0x00, 0x04, 0x08, 0x0c, 0x10].map((offset) => UARTHS + offset)
const FPIOA = 0x502b_0000
const SYSCTL = 0x5044_0000
const PLIC = 0x0c00_0000
const GPIOHS = 0x3800_1000

const uarthsOn = (board: ReturnType<typeof idleK210>) => {
  board.write(TXCTRL, 1)
  board.write(RXCTRL, 1)
}

describe('memory', () => {
  it('is 6 MiB and the 2 MiB of the KPU, and the same once more past the caches at 0x40000000', () => {
    expect(
      k210LogOf(`main:
        li t0, 0x80700000
        li t1, 0x1122334455667788
        sd t1, 0(t0)
        li t2, 0x40700000
        ld t3, 0(t2)
        log t3
        li t3, -1
        sb t3, 1(t2)
        ld t3, 0(t0)
        log t3
        li t0, 0x80800000
        ld t3, 0(t0)
        li t0, 0x40600000 - 4
        lw t3, 0(t0)
        log t3
        exit 0`),
    ).toEqual([0x1122334455667788n, 0x112233445566ff88n, 5n, 0x80800000n, 0n])
  })

  it('costs more past the caches', () => {
    const cycles = (base: number) => {
      const [from, to] = k210LogOf(
        `main: li t0, ${base}
          csrr t1, mcycle
          ${'ld t2, 0(t0)\n'.repeat(50)}
          csrr t3, mcycle
          log t1
          log t3
          exit 0`,
        { timing: 'k210' },
      )
      return Number(to - from)
    }
    expect(cycles(0x4010_0000) - cycles(0x8010_0000)).toBe(50 * 40)
  })

  it('forgets code that changes behind its back, by way of the uncached alias', () => {
    expect(
      k210LogOf(`main: li s2, 2
      again: li s3, 1
        log s3
        addi s2, s2, -1
        beqz s2, done
        la t0, again
        li t1, 0x40000000
        sub t0, t0, t1
        li t2, 0x00200993
        sw t2, 0(t0)
        fence.i
        j again
      done: exit 0`),
    ).toEqual([1n, 2n])
  })

  it('runs code past the caches, too', () => {
    expect(
      k210LogOf(`main: la t0, there
        li t1, 0x40000000
        sub t0, t0, t1
        jr t0
      there: auipc t2, 0
        srli t2, t2, 28
        log t2
        exit 0`),
    ).toEqual([4n])
  })

  it('has the debug module at 0: null pointers do not fault', () => {
    const run = new K210Run('main: sb zero, 0(zero)\n ld t0, 8(zero)\n log t0\n exit 0').toExit()
    expect(run.log()).toEqual([0n])
    expect(run.warnings[0]).toMatch('debug-module: write of 0x0 (1 bytes) at offset 0x0')
  })
})

describe('harts', () => {
  it('both start at the base of memory, each with a stack of the boot ROM', () => {
    const both = new K210Run('main: exit 0', { harts: 2 })
    for (const hart of [0, 1]) {
      expect(both.machine.core.pc(hart)).toBe(0x8000_0000n)
      expect(Number(both.machine.core.register(hart, 2)) % 16).toBe(0)
      expect(both.machine.ramAt(Number(both.machine.core.register(hart, 2)) - 256, 256)).toBeGreaterThan(0)
    }
  })

  it('wake each other by the CLINT', () => {
    const run = new K210Run(
      `main: li t0, 8
        csrw mie, t0
        bnez a0, second
        li t0, 0x02000004
        li t1, 1
        sw t1, 0(t0)
      forever: wfi
        j forever
      second: wfi
        csrr t0, mip
        log t0
        exit 0`,
      { harts: 2 },
    ).toExit()
    expect(run.log(1)).toEqual([8n])
  })

  it('see mtime count once for 50 cycles of the CPU', () => {
    const board = idleK210()
    board.advance(0.001)
    const cycles = board.machine.now
    expect(board.read(0x0200_bff8)).toBe(Math.floor(cycles / 50))
  })
})

describe('PLIC (65 sources, machine contexts only)', () => {
  it('brings the UARTHS (source 33) to either hart, with the contexts 0x100 and 0x2000 apart', () => {
    for (const hart of [0, 1]) {
      const board = idleK210({ harts: 2 })
      uarthsOn(board)
      board.write(PLIC + 4 * 33, 1)
      board.write(PLIC + 0x2000 + 0x100 * hart + 4, 2)
      board.write(IE, 2)
      board.input.push(Uint8Array.of(65), board.machine.now)
      board.advance(0.0001)
      expect(board.machine.core.hart32(hart, L.H_MIP_WIRES) & 0x800).toBe(0x800)
      expect(board.machine.core.hart32(1 - hart, L.H_MIP_WIRES) & 0x800).toBe(0)
      const claim = PLIC + 0x20_0004 + 0x2000 * hart
      expect(board.read(claim)).toBe(33)
      expect(board.read(RXDATA)).toBe(65)
      board.write(claim, 33)
      expect(board.read(claim)).toBe(0)
    }
  })

  it('interrupts a hart that goes round in a loop when the host types between two runs', () => {
    const run = new K210Run(`main: vector mtvec out
        li t0, 0x38000000
        li t1, 1
        sw t1, 12(t0)
        li t1, 2
        sw t1, 16(t0)
        li t0, 0x0c000000
        sw t1, 132(t0)
        li t0, 0x0c002000
        sw t1, 4(t0)
        li t0, 1 << 11
        csrw mie, t0
        csrsi mstatus, 8
      loop: j loop
      .balign 4
      out: exit 0`)
    run.machine.run(5000)
    run.input.push(Uint8Array.of(65), run.machine.now)
    expect(run.machine.run(1_000_000)).toEqual({ kind: 'exit', status: 0 })
  })

  it('has no supervisor contexts', () => {
    const board = idleK210()
    board.write(PLIC + 0x2080, 2)
    expect(board.read(PLIC + 0x2080)).toBe(0)
    expect(board.warnings.join()).toContain('plic: write of 0x2')
  })
})

describe('UARTHS', () => {
  it('is as the boot ROM leaves it: both directions on, the receiver may interrupt', () => {
    const board = idleK210()
    expect([board.read(TXCTRL), board.read(RXCTRL), board.read(IE)]).toEqual([1, 1, 2])
  })
})

describe('FPIOA', () => {
  it('starts with the console on pins 4 and 5', () => {
    const board = idleK210()
    uarthsOn(board)
    board.write(TXDATA, 72)
    board.advance(0.001)
    expect(board.text).toBe('H')
  })

  it('lets nothing out of a port that is on no pin, and says so', () => {
    const board = idleK210()
    uarthsOn(board)
    board.write(FPIOA + 4 * 5, 120)
    board.write(TXDATA, 72)
    board.advance(0.001)
    expect(board.text).toBe('')
    expect(board.warnings).toEqual(['uarths: its transmitter is not on pin 5, so its characters reach nobody'])
  })

  it('keeps what is typed until the receiver is on its pin', () => {
    const board = idleK210()
    uarthsOn(board)
    board.write(FPIOA + 4 * 4, 120)
    board.input.push(Uint8Array.of(66), 0)
    board.advance(0.001)
    expect(board.read(RXDATA)).toBe(0x8000_0000)
    board.write(FPIOA + 4 * 4, 18 | (1 << 20))
    board.advance(0.001)
    expect(board.read(RXDATA)).toBe(66)
  })

  it('shows the level of a pin that GPIOHS drives, and brings it to a GPIOHS input elsewhere', () => {
    const board = idleK210()
    board.write(FPIOA + 4 * 20, (24 + 3) | (1 << 12))
    board.write(GPIOHS + 0x08, 1 << 3)
    board.write(GPIOHS + 0x0c, 1 << 3)
    expect(board.read(FPIOA + 4 * 20) >>> 31).toBe(1)
    board.write(GPIOHS + 0x0c, 0)
    expect(board.read(FPIOA + 4 * 20) >>> 31).toBe(0)
  })

  it('has the BOOT key on pin 16, not pressed', () => {
    const board = idleK210()
    board.write(FPIOA + 4 * 16, 24 | (1 << 20))
    board.write(GPIOHS + 0x04, 1)
    expect(board.read(GPIOHS)).toBe(1)
  })
})

describe('SYSCTL', () => {
  it('has PLLs that lock a while after their reset', () => {
    const board = idleK210()
    expect(board.read(SYSCTL + 0x18)).toBe(0x3_0303)
    const word = board.read(SYSCTL + 0x08)
    board.write(SYSCTL + 0x08, word | (1 << 20))
    expect(board.read(SYSCTL + 0x18) & 3).toBe(0)
    board.write(SYSCTL + 0x08, word)
    expect(board.read(SYSCTL + 0x18) & 3).toBe(0)
    board.advance(0.001)
    expect(board.read(SYSCTL + 0x18) & 3).toBe(3)
  })

  it('gives its clocks by the formulas of the SDK: 793 MHz PLL0, 396.5 MHz CPU', () => {
    const { sysctl } = idleK210().board
    expect([sysctl.cpuClock, sysctl.apbClock(0), sysctl.spiClock(0), sysctl.timerClock(0), sysctl.watchdogClock(0)]).toEqual([
      396_500_000, 396_500_000, 396_500_000, 13_000_000, 13_000_000,
    ])
  })

  it('stops the clock of a peripheral, which then keeps nothing', () => {
    const board = idleK210()
    const enables = board.read(SYSCTL + 0x2c)
    board.write(SYSCTL + 0x2c, enables & ~(1 << 20))
    board.write(FPIOA, 1)
    expect(board.read(FPIOA)).toBe(0)
    expect(board.warnings).toEqual(["fpioa: used while its clock is stopped: enable it in sysctl's clock enable register first"])
    board.write(SYSCTL + 0x2c, enables)
    expect(board.read(FPIOA) & 0xff).toBe(0)
    board.write(FPIOA, 33)
    board.write(SYSCTL + 0x34, 1 << 20)
    expect(board.read(FPIOA) & 0xff).toBe(0)
  })

  it('resets the chip on demand, and says why it was reset', () => {
    const run = new K210Run('main: li t0, 0x50440030\n li t1, 1\n sw t1, 0(t0)\n j .')
    expect(run.machine.run(1_000_000)).toEqual({ kind: 'reset' })
    expect(run.board.resetCause).toBe('software')
    const again = idleK210({ resetCause: 'software' })
    expect(again.read(SYSCTL + 0x60)).toBe(16)
    again.write(SYSCTL + 0x60, 1)
    expect(again.read(SYSCTL + 0x60)).toBe(0)
  })
})

describe('devices that are not modelled', () => {
  it.each([
    ['kpu', 0x4080_0000],
    ['fft', 0x4200_0000],
    ['i2s0', 0x5025_0000],
    ['i2c0', 0x5028_0000],
    ['sha256', 0x502c_0000],
    ['otp', 0x5042_0000],
    ['dvp', 0x5043_0000],
    ['aes', 0x5045_0000],
  ])('%s answers with zeros and a warning, once an address', (name, base) => {
    const board = idleK210()
    for (let i = 0; i < 3; i++) expect(board.read(base + 8)).toBe(0)
    board.write(base + 8, 1)
    expect(board.warnings).toHaveLength(2)
    expect(board.warnings[0]).toBe(`${name}: read of 4 bytes at offset 0x8 is not modelled: reads as 0`)
  })
})
