/** The debugger on running machines: stops, steps, registers, memory, page tables, and that none of it shows in the guest. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { restoreSnapshot, takeSnapshot } from '../board/snapshot.ts'
import * as L from '../hart/layout.ts'
import { busyProgram } from '../testing/busy-program.ts'
import { ProgramRun, type TestBoardOptions } from '../testing/programs.ts'
import { boardTraceKinds } from '../trace/kinds.ts'
import { Debugger } from './debugger.ts'

class Session extends ProgramRun {
  readonly debugger = new Debugger(this.machine)

  pc(hart = 0): bigint {
    return this.debugger.readRegister(hart, 'pc')
  }
  address(name: string, offset = 0): bigint {
    return this.symbol(name) + BigInt(offset)
  }
}

const LOOP = `
main:
  li s0, 0
  li s1, 3
loop:
  addi s0, s0, 1
middle:
  nop
  bne s0, s1, loop
done:
  exit 0
`

describe('breakpoints', () => {
  it('stop before the instruction, each time it is reached', () => {
    const session = new Session(LOOP)
    session.debugger.addBreakpoint(session.address('middle'))
    for (let round = 1n; round <= 3n; round++) {
      expect(session.debugger.resume()).toEqual({ kind: 'breakpoint', hart: 0, address: session.address('middle') })
      expect(session.pc()).toBe(session.address('middle'))
      expect(session.debugger.readRegister(0, 's0')).toBe(round)
    }
    expect(session.debugger.resume()).toEqual({ kind: 'exit', status: 0 })
  })

  it('work at a jump to itself', () => {
    const session = new Session('main:\n  li s0, 5\nagain:\n  addi s0, s0, -1\nself:\n  bnez s0, again\n  exit 0')
    session.debugger.addBreakpoint(session.address('self'))
    session.debugger.addBreakpoint(session.address('again'))
    let stops = 0
    while (session.debugger.resume().kind === 'breakpoint') stops++
    expect(stops).toBe(10)
  })

  it('can be set on code that has run, and removed', () => {
    const session = new Session('main:\n  li s0, 0\nloop:\n  addi s0, s0, 1\nmiddle:\n  j loop')
    session.machine.run(1000)
    session.debugger.addBreakpoint(session.address('middle'))
    expect(session.debugger.resume().kind).toBe('breakpoint')
    session.debugger.removeBreakpoint(session.address('middle'))
    expect(session.debugger.breakpoints).toEqual([])
    expect(session.debugger.resume(session.machine.now + 1000).kind).toBe('limit')
  })

  it('two in a row each stop, also on compressed code and at the first instruction', () => {
    const session = new Session('main:\n  nop\nsecond:\n  addi a0, a0, 1\n  exit 0', { compressed: true })
    for (const name of ['_start', 'main', 'second']) session.debugger.addBreakpoint(session.address(name))
    const stops = ['_start', 'main', 'second'].map(() => session.debugger.resume())
    expect(stops).toEqual(['_start', 'main', 'second'].map((name) => ({ kind: 'breakpoint', hart: 0, address: session.address(name) })))
    expect(session.debugger.resume().kind).toBe('exit')
  })

  it('stop at an instruction that crosses a page, and at one in a page that memory protection splits', () => {
    const session = new Session(
      `
main:
  la t0, crossing
  srli t1, t0, 2
  addi t1, t1, 100
  csrw pmpaddr1, t1
  csrw pmpaddr2, t1
  j crossing
.balign 4096
  .skip 4094
crossing:
  li a0, 100
  exit 0
`,
      { compressed: true },
    )
    session.debugger.addBreakpoint(session.address('crossing'))
    expect(session.debugger.resume().kind).toBe('breakpoint')
    expect(session.debugger.step(0).kind).toBe('stepped')
    expect(session.debugger.readRegister(0, 'a0')).toBe(100n)
    expect(session.debugger.resume().kind).toBe('exit')
  })

  it('the same page offset elsewhere does not stop', () => {
    const session = new Session('main:\n  j other\n.balign 4096\nother:\n  nop\n  exit 0\n.balign 4096\nthird:\n  nop')
    session.debugger.addBreakpoint(session.address('third'))
    expect(session.debugger.resume().kind).toBe('exit')
  })

  it('name the hart that hit them, and the others go on behind them', () => {
    const session = new Session(
      `
main:
  la s0, ready
  bnez a0, second
place:
  nop
  sw x0, 4(s0)
  j .
second:
  j place
.data
ready: .dword 0
`,
      { harts: 2 },
    )
    session.debugger.addBreakpoint(session.address('place'))
    const harts = [session.debugger.resume(), session.debugger.resume()].map((result) => (result.kind === 'breakpoint' ? result.hart : -1))
    expect(harts.sort()).toEqual([0, 1])
    expect(session.debugger.resume(100_000).kind).toBe('limit')
    expect([session.pc(0), session.pc(1)]).toEqual(Array(2).fill(session.address('second', -4)))
  })

  it('are virtual addresses', () => {
    const session = new Session(PAGED)
    session.debugger.addBreakpoint(0x4000_0000n)
    expect(session.debugger.resume()).toEqual({ kind: 'breakpoint', hart: 0, address: 0x4000_0000n })
    session.debugger.clear()
    const physical = new Session(PAGED)
    physical.debugger.addBreakpoint(physical.address('code'))
    expect(physical.debugger.resume().kind).toBe('exit')
  })

  it('cannot be odd or too many', () => {
    const { debugger: debug } = new Session(LOOP)
    expect(() => debug.addBreakpoint(0x8000_0001n)).toThrow(/odd/)
    for (let index = 0; index < L.MAX_BREAKPOINTS; index++) debug.addBreakpoint(BigInt(index * 2))
    expect(() => debug.addBreakpoint(0x8000_0000n)).toThrow(/at most/)
    debug.removeBreakpoint(0n)
    debug.addBreakpoint(0x8000_0000n)
  })
})

describe('watchpoints', () => {
  const PROGRAM = `
main:
  la s0, data
  li s1, 7
  lw a0, 0(s0)
store:
  sw s1, 8(s0)
load:
  ld a0, 8(s0)
beside:
  sb s1, 7(s0)
  lbu a0, 12(s0)
atomic:
  amoadd.w a1, s1, (s0)
  addi t0, s0, 8
reserve:
  lr.d a0, (t0)
conditional:
  sc.d a1, s1, (t0)
across:
  sd s1, 5(s0)
  exit 0
.data
.balign 4096
data: .skip 64
`
  const stops = (access: 'read' | 'write' | 'access', offset: number, length: number, options: TestBoardOptions = {}) => {
    const session = new Session(PROGRAM, options)
    session.debugger.addWatchpoint({ address: session.address('data', offset), length, access })
    const seen: string[] = []
    for (;;) {
      const result = session.debugger.resume()
      if (result.kind === 'exit') return seen
      expect(result.kind).toBe('watchpoint')
      const name = session.elf.symbols.find(({ value, name }) => value === session.pc() && /^[a-z]+$/.test(name))?.name
      seen.push(name ?? session.pc().toString(16))
    }
  }

  it('stop before the load or store that touches their bytes', () => {
    expect(stops('write', 8, 4)).toEqual(['store', 'conditional', 'across'])
    expect(stops('read', 8, 4)).toEqual(['load', 'reserve'])
    expect(stops('access', 8, 1)).toEqual(['store', 'load', 'reserve', 'conditional', 'across'])
    expect(stops('write', 7, 1)).toEqual(['beside', 'across'])
    expect(stops('write', 0, 1)).toEqual(['atomic'])
  })

  it('the store has not happened yet, and happens when the run goes on', () => {
    const session = new Session(PROGRAM)
    session.debugger.addWatchpoint({ address: session.address('data', 8), length: 8, access: 'write' })
    expect(session.debugger.resume()).toEqual({ kind: 'watchpoint', hart: 0, address: session.address('data', 8) })
    expect(session.doubleword(session.address('data', 8))).toBe(0n)
    expect(session.debugger.step(0).kind).toBe('stepped')
    expect(session.doubleword(session.address('data', 8))).toBe(7n)
  })

  it('stop each time, in a loop on one instruction', () => {
    const session = new Session(
      'main:\n  la s0, data\n  li s1, 4\n1:\n  sw s1, 0(s0)\n  addi s1, s1, -1\n  bnez s1, 1b\n  exit 0\n.data\ndata: .dword 0',
    )
    session.debugger.addWatchpoint({ address: session.address('data'), length: 4, access: 'write' })
    let count = 0
    while (session.debugger.resume().kind === 'watchpoint') count++
    expect(count).toBe(4)
  })

  it('together with a breakpoint at the same instruction: one stop each', () => {
    const session = new Session(PROGRAM)
    session.debugger.addBreakpoint(session.address('store'))
    session.debugger.addWatchpoint({ address: session.address('data', 8), length: 4, access: 'write' })
    const stops = [1, 2, 3].map(() => [session.debugger.resume().kind, session.pc()])
    expect(stops).toEqual([
      ['breakpoint', session.address('store')],
      ['watchpoint', session.address('store')],
      ['watchpoint', session.address('conditional')],
    ])
  })

  it('set while the page is in the TLB are seen, and gone when removed', () => {
    const session = new Session('main:\n  la s0, data\n1:\n  sw s1, 0(s0)\n  j 1b\n.data\ndata: .dword 0')
    session.machine.run(1000)
    const watchpoint = { address: session.address('data'), length: 4, access: 'write' } as const
    session.debugger.addWatchpoint(watchpoint)
    expect(session.debugger.resume().kind).toBe('watchpoint')
    session.debugger.removeWatchpoint(watchpoint)
    expect(session.debugger.resume(session.machine.now + 1000).kind).toBe('limit')
  })

  it('cannot be empty or too many', () => {
    const { debugger: debug } = new Session(LOOP)
    expect(() => debug.addWatchpoint({ address: 0n, length: 0, access: 'read' })).toThrow(/1 to 4096/)
    for (let index = 0; index < L.MAX_WATCHPOINTS; index++) debug.addWatchpoint({ address: BigInt(index), length: 1, access: 'read' })
    expect(() => debug.addWatchpoint({ address: 99n, length: 1, access: 'read' })).toThrow(/at most/)
  })
})

describe('steps', () => {
  it('execute one instruction', () => {
    const session = new Session(LOOP)
    session.debugger.runTo(session.address('main'))
    const pcs = [session.pc()]
    for (let i = 0; i < 5; i++) {
      const retired = session.machine.retired
      expect(session.debugger.step(0)).toEqual({ kind: 'stepped' })
      expect(session.machine.retired).toBe(retired + 1)
      pcs.push(session.pc())
    }
    const main = session.address('main')
    expect(pcs.map((pc) => Number(pc - main))).toEqual([0, 4, 8, 12, 16, 8])
  })

  it('take the trap of their instruction with them', () => {
    const session = new Session('main:\n  vector mtvec skip_trap\nhere:\n  ecall\nnext:\n  exit 0')
    session.debugger.runTo(session.address('here'))
    session.debugger.step(0)
    expect(session.pc()).toBe(session.address('skip_trap'))
  })

  it('pass a breakpoint, and do not stop at one behind it', () => {
    const session = new Session(LOOP)
    session.debugger.addBreakpoint(session.address('loop'))
    session.debugger.addBreakpoint(session.address('middle'))
    session.debugger.resume()
    expect(session.debugger.step(0).kind).toBe('stepped')
    expect(session.pc()).toBe(session.address('middle'))
    expect(session.debugger.resume()).toEqual({ kind: 'breakpoint', hart: 0, address: session.address('middle') })
    expect(session.debugger.resume()).toEqual({ kind: 'breakpoint', hart: 0, address: session.address('loop') })
  })

  it('belong to their hart', () => {
    const session = new Session('main:\n  li s0, 0\n1:\n  addi s0, s0, 1\n  j 1b', { harts: 2 })
    session.machine.run(10_000)
    for (const hart of [1, 0, 1, 1, 0]) {
      const retired = session.machine.core.retired(hart)
      expect(session.debugger.step(hart)).toEqual({ kind: 'stepped' })
      expect(session.machine.core.retired(hart)).toBe(retired + 1)
    }
  })

  it('of a hart that waits end when it is woken, or at the limit', () => {
    const session = new Session('main:\n  vector mtvec skip_trap\nhere:\n  wfi\n  j here', { harts: 2 })
    session.debugger.runTo(session.address('here'), { hart: 1 })
    expect(session.debugger.step(1, 100_000).kind).toMatch(/stepped|idle/)
    expect(session.debugger.step(1, 200_000).kind).toBe('idle')
  })
})

describe('a hart that has been seen', () => {
  it('passes a breakpoint that was set where it stands', () => {
    const session = new Session(LOOP)
    session.debugger.runTo(session.address('loop'))
    session.debugger.step(0)
    session.debugger.setBreakpoints([session.pc()])
    session.debugger.passHere()
    expect(session.debugger.resume()).toMatchObject({ kind: 'breakpoint', address: session.address('middle') })
    expect(session.debugger.readRegister(0, 's0')).toBe(2n)
  })

  it('is stopped by it otherwise', () => {
    const session = new Session(LOOP)
    session.debugger.runTo(session.address('loop'))
    session.debugger.step(0)
    session.debugger.setBreakpoints([session.pc()])
    session.debugger.resume()
    expect(session.debugger.readRegister(0, 's0')).toBe(1n)
  })
})

describe('runTo', () => {
  it('stops at the address, the next time when it stands there, and leaves no breakpoint', () => {
    const session = new Session(LOOP)
    const { debugger: debug } = session
    for (const round of [1n, 2n, 3n]) {
      expect(debug.runTo(session.address('middle'))).toMatchObject({ kind: 'breakpoint', hart: 0 })
      expect(debug.readRegister(0, 's0')).toBe(round)
    }
    expect(debug.breakpoints).toEqual([])
    expect(debug.runTo(session.address('middle'))).toEqual({ kind: 'exit', status: 0 })
  })

  it('waits for one hart when asked', () => {
    const session = new Session('main:\nplace:\n  addi s0, s0, 1\n  j place', { harts: 4 })
    expect(session.debugger.runTo(session.address('place'), { hart: 2 })).toMatchObject({ kind: 'breakpoint', hart: 2 })
  })

  it('stops at breakpoints on its way, and at the cycle', () => {
    const session = new Session(LOOP)
    session.debugger.addBreakpoint(session.address('loop'))
    expect(session.debugger.runTo(session.address('done'))).toMatchObject({ address: session.address('loop') })
    const endless = new Session('main:\n  j main\nnever:\n  nop')
    expect(endless.debugger.runTo(endless.address('never'), { untilCycle: 5000 }).kind).toBe('limit')
  })
})

describe('pause', () => {
  it('stops all harts together, and they go on together', () => {
    const session = new Session('main:\n  li s0, 0\n1:\n  addi s0, s0, 1\n  j 1b', { harts: 2 })
    session.machine.clock.timer(() => session.debugger.pause()).at(20_000)
    expect(session.debugger.resume()).toEqual({ kind: 'paused' })
    expect(session.machine.now).toBeLessThan(21_000)
    const counts = [0, 1].map((hart) => session.debugger.readRegister(hart, 's0'))
    session.debugger.resume(40_000)
    for (const hart of [0, 1]) {
      expect(counts[hart]).toBeGreaterThan(0n)
      expect(session.debugger.readRegister(hart, 's0')).toBeGreaterThan(counts[hart] * 2n - 2000n)
    }
  })
})

describe('registers', () => {
  const session = new Session('main:\n  li a0, 5\n  csrw mscratch, a0\nhere:\n  add a1, a0, a0\n  exit 0')
  const { debugger: debug } = session
  debug.runTo(session.address('here'))

  it('are read by all their names', () => {
    expect(['a0', 'x10', 'mscratch', 'zero', 'privilege'].map((name) => debug.readRegister(0, name))).toEqual([5n, 5n, 5n, 0n, 3n])
    expect(debug.readRegister(0, 'pc')).toBe(session.address('here'))
    expect(debug.readRegister(0, 'misa') & (1n << 8n)).toBe(1n << 8n)
  })

  it('are written', () => {
    for (const [name, value] of [
      ['t6', 2n ** 64n - 1n],
      ['f3', 0x1234n],
      ['stvec', 0x8000_0100n],
      ['satp', 0n],
      ['fcsr', 0x65n],
      ['mepc', 0x8000_0002n],
    ] as const) {
      debug.writeRegister(0, name, value)
      expect(debug.readRegister(0, name)).toBe(value)
    }
    expect(debug.readRegister(0, 'fflags')).toBe(5n)
    expect(debug.readRegister(0, 'frm')).toBe(3n)
    debug.writeRegister(0, 'x0', 5n)
    expect(debug.readRegister(0, 'x0')).toBe(0n)
  })

  it('keep to the rules of their fields', () => {
    const before = debug.readRegister(0, 'mtvec')
    debug.writeRegister(0, 'mtvec', 3n)
    expect(debug.readRegister(0, 'mtvec')).toBe(before)
  })

  it('the guest goes on with what was written', () => {
    debug.writeRegister(0, 'a0', 21n)
    debug.step(0)
    expect(debug.readRegister(0, 'a1')).toBe(42n)
    debug.writeRegister(0, 'pc', session.address('here'))
    debug.writeRegister(0, 'a0', 1n)
    debug.step(0)
    expect(debug.readRegister(0, 'a1')).toBe(2n)
  })

  it('reading and writing takes no time', () => {
    const cycles = session.machine.core.clock(0)
    debug.writeRegister(0, 'satp', 0n)
    debug.readRegister(0, 'mcycle')
    expect(session.machine.core.clock(0)).toBe(cycles)
    expect(debug.readRegister(0, 'mcycle')).toBe(BigInt(cycles))
  })

  it('unknown and read-only ones are refused', () => {
    expect(() => debug.readRegister(0, 'rax')).toThrow(/no register rax/)
    expect(() => debug.readRegister(0, 'ustatus')).toThrow(/no register/)
    expect(() => debug.readRegister(1, 'a0')).toThrow(/no hart 1/)
    expect(() => debug.writeRegister(0, 'mhartid', 1n)).toThrow(/cannot be written/)
    expect(() => debug.writeRegister(0, 'privilege', 2n)).toThrow(/privilege/)
  })
})

/** S-mode under Sv39: one page of code at 0x40000000, the rest one to one by a gigapage; ends by a call that M takes. */
const PAGED = `
main:
  vector mtvec ended
  la t0, root + 8
  la t1, middle
  srli t1, t1, 2
  ori t1, t1, 1
  sd t1, 0(t0)
  la t0, middle
  la t1, leaves
  srli t1, t1, 2
  ori t1, t1, 1
  sd t1, 0(t0)
  la t0, leaves
  la t1, code
  srli t1, t1, 2
  ori t1, t1, 0x4f
  sd t1, 0(t0)
  la t0, root + 16
  li t1, 0x80000000 >> 2 | 0xcf
  sd t1, 0(t0)
  la t0, root
  srli t0, t0, 12
  li t1, 8 << 60
  or t0, t0, t1
  csrw satp, t0
  li t0, 0x40000000
  csrw mepc, t0
  li t0, 1 << 12
  csrc mstatus, t0
  li t0, 1 << 11
  csrs mstatus, t0
  mret
.balign 4
ended:
  exit 0
.balign 4096
code:
  li a0, 1
  nop
  ecall
.data
.balign 4096
root: .skip 4096
middle: .skip 4096
leaves: .skip 4096
`

describe('memory and page tables', () => {
  const session = new Session(PAGED)
  const { debugger: debug } = session
  debug.runTo(0x4000_0004n)

  it('the walk is there level by level', () => {
    const walk = debug.walk(0, 0x4000_0004n)
    expect(walk).toMatchObject({ mode: 'sv39', physical: session.address('code', 4), pageSize: 4096, problem: undefined })
    expect(walk.levels.map(({ level, table, index }) => [level, table, index])).toEqual([
      [2, session.address('root'), 1],
      [1, session.address('middle'), 0],
      [0, session.address('leaves'), 0],
    ])
    expect(walk.levels[2].entry).toBe(((session.address('code') >> 12n) << 10n) | 0x4fn)
    expect(walk.levels[2].flags).toEqual({
      valid: true,
      read: true,
      write: true,
      execute: true,
      user: false,
      global: false,
      accessed: true,
      dirty: false,
    })
    expect(debug.walk(0, 0x8000_1234n)).toMatchObject({ physical: 0x8000_1234n, pageSize: 1 << 30 })
  })

  it('a walk that fails says where and why', () => {
    expect(debug.walk(0, 0x4000_1000n)).toMatchObject({ physical: undefined, problem: 'the entry is not valid' })
    expect(debug.walk(0, 0x4000_1000n).levels.length).toBe(3)
    expect(debug.walk(0, 1n << 40n).problem).toMatch(/sign-extended/)
    expect(debug.translate(0, 0xffff_ffff_0000_0000n)).toBeUndefined()
  })

  it('virtual and physical addresses reach the same bytes; A and D stay as they are', () => {
    const bytes = debug.readMemory(0x4000_0000n, 12, { hart: 0 })
    expect(debug.readMemory(session.address('code'), 12, 'physical')).toEqual(bytes)
    debug.writeMemory(0x4000_0100n, Uint8Array.of(1, 2, 3), { hart: 0 })
    expect(debug.readMemory(session.address('code', 0x100), 4, 'physical')).toEqual(Uint8Array.of(1, 2, 3, 0))
    expect(debug.walk(0, 0x4000_0000n).levels[2].flags?.dirty).toBe(false)
  })

  it('what is not there is refused, and nothing of it written', () => {
    const before = debug.readMemory(0x4000_0ff0n, 16, { hart: 0 })
    expect(() => debug.readMemory(0x4000_0ff0n, 32, { hart: 0 })).toThrow(/0x40001000 is not mapped/)
    expect(() => debug.writeMemory(0x4000_0ff0n, new Uint8Array(32).fill(1), { hart: 0 })).toThrow(/not mapped/)
    expect(debug.readMemory(0x4000_0ff0n, 16, { hart: 0 })).toEqual(before)
    expect(() => debug.readMemory(0x1000_0000n, 1, 'physical')).toThrow(/no RAM/)
    expect(() => debug.readMemory(2n ** 63n, 1, 'physical')).toThrow(/no RAM/)
  })

  it('code that is written is what runs', () => {
    expect(debug.readRegister(0, 'a0')).toBe(1n)
    debug.writeMemory(0x4000_0004n, Uint8Array.of(0x13, 0x05, 0xb0, 0x07), { hart: 0 }) // li a0, 123
    debug.step(0)
    expect(debug.readRegister(0, 'a0')).toBe(123n)
    expect(debug.resume().kind).toBe('exit')
  })

  it('in M-mode nothing is translated', () => expect(debug.walk(0, 0x4000_0000n)).toMatchObject({ mode: 'bare', physical: 0x4000_0000n }))
})

const END = 60_000

function undisturbed(options: TestBoardOptions): { hash: string; cycles: number[] } {
  const run = new ProgramRun(busyProgram(options.harts ?? 1), options)
  run.machine.trace.enable(boardTraceKinds)
  run.machine.run(END)
  return fingerprint(run)
}

function fingerprint(run: ProgramRun) {
  const harts = Array.from({ length: run.options.harts ?? 1 }, (_, hart) => hart)
  return { hash: run.machine.trace.hash, cycles: harts.flatMap((hart) => [run.machine.core.clock(hart), run.machine.core.retired(hart)]) }
}

describe('a run with stops in between', () => {
  for (const harts of [1, 2, 4]) {
    for (const timing of ['ideal', 'rocket100'] as const) {
      it(`has the same events at the same cycles as one without: ${harts} harts, ${timing}`, () => {
        const options = { harts, timing, quantum: 70 }
        const expected = undisturbed(options)
        const command = fc.oneof(
          fc.record({ kind: fc.constant('break' as const), at: fc.integer({ min: 0, max: 60 }), stops: fc.integer({ min: 1, max: 6 }) }),
          fc.record({
            kind: fc.constant('step' as const),
            hart: fc.integer({ min: 0, max: harts - 1 }),
            steps: fc.integer({ min: 1, max: 20 }),
          }),
          fc.record({
            kind: fc.constant('watch' as const),
            at: fc.constantFrom(0, 4, 64),
            stops: fc.integer({ min: 1, max: 6 }),
            access: fc.constantFrom('read' as const, 'write' as const),
          }),
          fc.record({ kind: fc.constant('run' as const), cycles: fc.integer({ min: 1, max: 3000 }) }),
          fc.constant({ kind: 'look' as const }),
        )
        fc.assert(
          fc.property(fc.array(command, { minLength: 1, maxLength: 12 }), (commands) => {
            const session = new Session(busyProgram(harts), options)
            const { debugger: debug, machine } = session
            machine.trace.enable(boardTraceKinds)
            const goOn = (stops: number) => {
              for (let i = 0; i < stops && machine.now < END - 5000; i++) debug.resume(END - 4000)
            }
            for (const each of commands) {
              if (machine.now >= END - 5000) break
              switch (each.kind) {
                case 'break':
                  debug.addBreakpoint(session.address('main', each.at * 4))
                  goOn(each.stops)
                  debug.removeBreakpoint(session.address('main', each.at * 4))
                  break
                case 'step':
                  for (let i = 0; i < each.steps; i++) debug.step(each.hart, Math.min(machine.now + 2000, END - 4000))
                  break
                case 'watch':
                  debug.addWatchpoint({ address: session.address('shared', each.at), length: 4, access: each.access })
                  goOn(each.stops)
                  debug.clear()
                  break
                case 'run':
                  debug.resume(Math.min(machine.now + each.cycles, END - 4000))
                  break
                case 'look':
                  for (const name of ['mip', 'mcycle', 'time', 'pc', 'sip']) debug.readRegister(0, name)
                  debug.readMemory(session.address('shared'), 128, { hart: 0 })
              }
            }
            debug.clear()
            debug.resume(END)
            expect(fingerprint(session)).toEqual(expected)
          }),
          { numRuns: 40, seed: 4711 + harts },
        )
      })
    }
  }
})

describe('a snapshot at a stop', () => {
  it('between any two instructions, into a board that ran something else, gives the same run', () => {
    for (const harts of [1, 2]) {
      const options = { harts, timing: 'rocket100', quantum: 70 } as const
      const expected = undisturbed(options)
      for (let stop = 0; stop < 20; stop++) {
        const first = new Session(busyProgram(harts), options)
        first.machine.trace.enable(boardTraceKinds)
        first.machine.run(500 + stop * 2311)
        for (let steps = 0; steps < stop % 7; steps++) first.debugger.step(stop % harts, first.machine.now + 2000)
        const second = new Session(busyProgram(harts), options)
        second.machine.trace.enable(boardTraceKinds)
        second.machine.run(stop * 100)
        restoreSnapshot(second.board, takeSnapshot(first.board))
        second.debugger.apply()
        second.machine.run(END)
        expect(fingerprint(second)).toEqual(expected)
      }
    }
  })
})
